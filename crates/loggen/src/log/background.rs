//! Writes lines that belong to no message: dovecot logins, anvil statistics and warnings.

use super::id::Id;
use super::names::{ClientKind, HERE, HERE_IP};
use super::site::Simulation;
use super::writer::tag;

/// A user reads mail by IMAP.
pub(crate) fn read_mail(sim: &mut Simulation, at: u64) {
    let (user, client) = (sim.local_address(), sim.client(ClientKind::Person));
    let (ip, session, pid) = (client.ip(), client.seed, 30_000 + client.seed % 9000);
    let by = tag("dovecot", 0);
    match sim.rng.below(3) {
        0 => sim.log.foreign(at, by, format_args!(
            "imap-login: Login: user=<{user}>, method=PLAIN, rip={ip}, lip={HERE_IP}, mpid={pid}, TLS, session=<{session:x}>"
        )),
        1 => sim.log.foreign(at, by, format_args!(
            "imap({user})<{pid}><{session:x}>: Disconnected: Logged out in=550 out={} deleted=0 expunged=2 hdr_count=4",
            session % 90_000
        )),
        _ => sim.log.foreign(at, by, format_args!(
            "imap({user})<{pid}><{session:x}>: Connection closed (IDLE running for 0.001 + waiting input for 452 secs, 2 B in + 10+10 B out) in=421 out={}",
            session % 9000
        )),
    }
}

pub(crate) fn statistics(sim: &mut Simulation, at: u64) {
    let (client, count) = (sim.client(ClientKind::Server), sim.rng.between(2, 30));
    let ip = client.ip();
    let by = tag("postfix/anvil", 1409);
    sim.log.routine(
        at,
        by,
        format_args!("statistics: max connection rate {count}/60s for (smtp:{ip}) at Mar  2 04:51:10"),
    );
    sim.log.routine(
        at,
        by,
        format_args!("statistics: max connection count {count} for (smtp:{ip}) at Mar  2 04:50:21"),
    );
    sim.log.routine(at, by, format_args!("statistics: max cache size 250 at Mar  2 04:52:00"));
}

pub(crate) fn warn(sim: &mut Simulation, at: u64) {
    let client = sim.client(ClientKind::Nameless);
    let (ip, domain) = (client.ip(), client.domain);
    match client.seed % 4 {
        0 => sim.log.routine(at, tag("postfix/smtpd", 20_001), format_args!(
            "warning: TLS library problem: error:0A000102:SSL routines::unsupported protocol:../ssl/statem/statem_srvr.c:1657:"
        )),
        1 => sim.log.routine(at, tag("postfix/smtp", 26_001), format_args!(
            "warning: numeric domain name in resource data of MX record for {domain}: {ip}"
        )),
        2 => sim.log.routine(at, tag("postfix/smtpd", 20_002), format_args!(
            "warning: hostname bot-550.{domain} does not resolve to address {ip}"
        )),
        _ => sim.log.routine(at, tag("postfix/scache", 1500), format_args!(
            "statistics: domain lookup hits=254 miss=466 success=35%"
        )),
    }
}

/// A local program submits a message through pickup(8).
pub(crate) fn pick_up(sim: &mut Simulation, at: u64, id: &Id) {
    let by = tag("postfix/pickup", 1377);
    sim.log.routine(at, by, format_args!("{id}: uid=33 from=<www-data@{HERE}>"));
}
