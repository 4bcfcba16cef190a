//! Writes Postfix's lines about the arrival and the removal of a message.

use super::client::ClientHost;
use super::flow::{Mail, MailOrigin};
use super::world::World;

const CIPHER: &str = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)";

pub(crate) fn smtpd(origin: &MailOrigin) -> &'static str {
    match origin {
        MailOrigin::Person(..) => "postfix/submission/smtpd",
        MailOrigin::Outside(_) | MailOrigin::Program | MailOrigin::Bounce(_) => "postfix/smtpd",
    }
}

pub(crate) fn connect(world: &mut World, at: u64, by: &str, pid: u64, client: &ClientHost) {
    let ClientHost { name, ip, port, .. } = client;
    if world.site.has_postscreen && by == "postfix/smtpd" {
        let own = world.site.ip.clone();
        world.log.line(
            at,
            "postfix/postscreen",
            1377,
            format_args!("CONNECT from [{ip}]:{port} to [{own}]:25"),
        );
        world.log.line(at, "postfix/postscreen", 1377, format_args!("PASS OLD [{ip}]:{port}"));
    }
    world.log.line(at + 40, by, pid, format_args!("connect from {name}[{ip}]"));
}

pub(crate) fn accept(world: &mut World, at: u64, message: &Mail) {
    let id = &message.id;
    let pid = 20_000 + message.salt % 97;
    let at = at.saturating_sub(1200);
    match &message.origin {
        MailOrigin::Outside(client) => {
            let ClientHost { name, ip, .. } = client;
            connect(world, at, "postfix/smtpd", pid, client);
            if message.salt & 3 > 0 {
                world.log.line(
                    at + 120,
                    "postfix/smtpd",
                    pid,
                    format_args!("Anonymous TLS connection established from {name}[{ip}]: {CIPHER}"),
                );
            }
            world.log.line(at + 300, "postfix/smtpd", pid, format_args!("{id}: client={name}[{ip}]"));
        }
        MailOrigin::Person(client, user) => {
            let ClientHost { name, ip, .. } = client;
            let by = "postfix/submission/smtpd";
            connect(world, at, by, pid, client);
            world.log.line(
                at + 300,
                by,
                pid,
                format_args!("{id}: client={name}[{ip}], sasl_method=PLAIN, sasl_username={user}"),
            );
        }
        MailOrigin::Program => {
            let from = &message.from;
            world.log.line(at + 300, "postfix/pickup", 1378, format_args!("{id}: uid=33 from=<{from}>"));
        }
        MailOrigin::Bounce(of) => {
            world.log.line(
                at + 440,
                "postfix/bounce",
                24_000 + pid % 50,
                format_args!("{of}: sender non-delivery notification: {id}"),
            );
        }
    }
    queue(world, at, pid, message);
}

/// Writes the lines of cleanup and the queue manager, and the end of the session.
fn queue(world: &mut World, at: u64, pid: u64, message: &Mail) {
    let (id, salt) = (&message.id, message.salt);
    let sender_domain = message.from.rsplit('@').next().filter(|domain| !domain.is_empty());
    let domain = sender_domain.unwrap_or(&world.site.host).to_owned();
    world.log.line(
        at + 420,
        "postfix/cleanup",
        21_000 + salt % 97,
        format_args!("{id}: message-id=<{salt:x}@{domain}>"),
    );
    activate(world, at + 600, message);
    if let MailOrigin::Outside(client) | MailOrigin::Person(client, _) = &message.origin {
        let ClientHost { name, ip, .. } = client;
        let nrcpt = message.to.len();
        world.log.line(at + 700, smtpd(&message.origin), pid, format_args!("disconnect from {name}[{ip}] ehlo=2 starttls=1 mail=1 rcpt={nrcpt} data=1 quit=1 commands={}", 6 + nrcpt));
    }
}

pub(crate) fn activate(world: &mut World, at: u64, message: &Mail) {
    let Mail { id, from, size, .. } = message;
    let count = message.to.len();
    world.log.line(
        at,
        "postfix/qmgr",
        1203,
        format_args!("{id}: from=<{from}>, size={size}, nrcpt={count} (queue active)"),
    );
}

pub(crate) fn remove(world: &mut World, at: u64, message: &Mail) {
    world.log.line(at, "postfix/qmgr", 1203, format_args!("{}: removed", message.id));
}
