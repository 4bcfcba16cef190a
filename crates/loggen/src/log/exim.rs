//! Simulates an Exim server: draws arrivals and runs the steps of each message.

use std::io;

use super::agenda::Agenda;
use super::clock::{DAY, SECOND, TrafficClock};
use super::exim_delivery::attempt;
use super::exim_refusal::{EximPeer, refuse};
use super::message::QueuedMessage;
use super::names::{ClientKind, ClientSeed, EnvelopeSender, HERE};
use super::site::Simulation;
use super::spec::Spec;
use super::totals::LogTotals;
use super::writer::{LogWriter, ProgramTag, tag};

/// A step that waits for its time.
enum EximStep {
    Take(Box<QueuedMessage>),
    Deliver(Box<QueuedMessage>),
    TurnAway(ClientSeed),
}

/// Weights of arrivals: mail from servers, from people and from internal machines; rejected clients; queue runs and
/// other notes.
const ARRIVALS: [u64; 5] = [200, 230, 210, 345, 50];

/// Interval of the queue runner.
const RUN: u64 = 1800 * SECOND;
const LONGEST_WAIT: u64 = 14_400 * SECOND;

pub(crate) fn write(spec: &Spec, log: LogWriter) -> io::Result<LogTotals> {
    let clock = TrafficClock::new(spec.bytes, spec.days);
    let mut sim = Simulation::new(spec, log);
    let mut agenda = Agenda::new();
    // At most a quarter of the log, so that mail expires in short logs too.
    let lifetime = DAY.min(u64::from(spec.days) * DAY / 4);
    while !sim.log.is_full() {
        let now = clock.at(sim.log.bytes());
        while let Some((at, step)) = agenda.due(now) {
            run_step(&mut sim, &mut agenda, lifetime, at, step);
            sim.log.flush()?;
            if sim.log.is_full() {
                return sim.log.finish();
            }
        }
        add_arrival(&mut sim, &mut agenda, now);
        sim.log.flush()?;
    }
    sim.log.finish()
}

/// Shown only if Exim logs to syslog.
fn exim(seed: u64) -> ProgramTag {
    tag("exim", 3000 + (seed % 29_000) as u32)
}

fn add_arrival(sim: &mut Simulation, agenda: &mut Agenda<EximStep>, now: u64) {
    let soon = now + sim.rng.between(100, 4000);
    let origin = match sim.rng.weighted(&ARRIVALS) {
        0 => ClientKind::Server,
        1 => ClientKind::Person,
        2 => ClientKind::Inside,
        3 => {
            let client = sim.client(ClientKind::Nameless);
            connect(sim, now, client);
            agenda.push(soon, EximStep::TurnAway(client));
            return;
        }
        _ => return note(sim, now),
    };
    let client = sim.client(origin);
    if origin != ClientKind::Inside {
        connect(sim, now, client);
    }
    let more = sim.rng.weighted(&[900, 80, 20]) as u64;
    agenda.push(soon, EximStep::Take(Box::new(sim.message(now, client, more))));
}

fn run_step(sim: &mut Simulation, agenda: &mut Agenda<EximStep>, lifetime: u64, at: u64, step: EximStep) {
    match step {
        EximStep::Take(message) => {
            take(sim, at, &message);
            if message.more > 0 {
                let next = sim.message(at, message.client, message.more - 1);
                agenda.push(at + sim.rng.between(40, 900), EximStep::Take(Box::new(next)));
            }
            agenda.push(at + sim.rng.between(60, 5000), EximStep::Deliver(message));
        }
        EximStep::Deliver(mut message) => {
            let is_last = message.age(at) > lifetime;
            let by = exim(message.salt);
            if let Some(bounce) = attempt(sim, at, by, &mut message, is_last) {
                agenda.push(at + sim.rng.between(60, 3000), EximStep::Deliver(Box::new(bounce)));
            }
            if !message.pending.is_empty() {
                let wait = message.age(at).clamp(RUN, LONGEST_WAIT);
                agenda.push(at + wait + sim.rng.below(60 * SECOND), EximStep::Deliver(message));
            }
        }
        EximStep::TurnAway(client) => turn_away(sim, at, client),
    }
}

fn connect(sim: &mut Simulation, at: u64, client: ClientSeed) {
    let by = exim(u64::from(client.seed));
    let (ip, port, count) = (client.ip(), client.port(), 1 + client.seed % 40);
    if client.origin == ClientKind::Nameless && client.seed % 5 < 2 {
        sim.log.routine(at, by, format_args!("no host name found for IP address {ip}"));
    }
    sim.log.routine(
        at,
        by,
        format_args!("SMTP connection from [{ip}]:{port} (TCP/IP connection count = {count})"),
    );
}

/// `1vx3Yk-… <= anna@d0007.example.net H=… P=esmtps X=… S=4512 id=…`
fn take(sim: &mut Simulation, at: u64, message: &QueuedMessage) {
    let (id, client, salt, size) = (&message.id, message.client, message.salt, message.size);
    let (by, peer, from) = (exim(salt), EximPeer(client), client.domain);
    let secret = "X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no";
    sim.log.counts.messages.received += 1;
    match (client.origin, message.sender) {
        (ClientKind::Person, Some(sender)) => sim.log.routine(at, by, format_args!(
            "{id} <= {sender} H={peer} P=esmtpsa {secret} A=dovecot_plain:{sender} S={size} id={salt:x}@{}",
            sender.domain
        )),
        (ClientKind::Inside, Some(sender)) if salt & 1 == 0 => sim.log.routine(
            at,
            by,
            format_args!("{id} <= {sender} U=www-data P=local S={size} id=E{id}@{HERE}"),
        ),
        (_, sender) => {
            if client.origin == ClientKind::Server && salt % 3 > 0 {
                sim.log.routine(at, by, format_args!(
                    "{id} DKIM: d={from} s=key512 c=relaxed/relaxed a=rsa-sha256 b=2048 t=1772{} [verification succeeded]",
                    451_000 + salt % 500_000
                ));
            }
            let shown = sender.map_or_else(|| "<>".to_owned(), |_| EnvelopeSender(sender).to_string());
            sim.log.routine(
                at,
                by,
                format_args!("{id} <= {shown} H={peer} P=esmtps {secret} S={size} id={salt:x}.550@{from}"),
            );
        }
    }
    if message.more == 0 && client.origin != ClientKind::Inside && salt % 2 == 0 {
        sim.log.routine(at, by, format_args!("SMTP connection from {peer} closed by QUIT"));
    }
}

fn turn_away(sim: &mut Simulation, at: u64, client: ClientSeed) {
    let by = exim(u64::from(client.seed));
    for time in 0..sim.rng.weighted(&[0, 800, 150, 50]) {
        refuse(sim, at, by, client, time == 0);
    }
    let peer = EximPeer(client);
    match client.seed % 10 {
        0..4 => {
            sim.log.routine(at, by, format_args!("SMTP connection from {peer} closed by QUIT"));
        }
        4..7 => sim.log.routine(
            at,
            by,
            format_args!("unexpected disconnection while reading SMTP command from {peer} D=2s"),
        ),
        _ => {
            sim.log.routine(at, by, format_args!("SMTP connection from {peer} lost D=1s"));
        }
    }
}

/// Writes a line that belongs to no message.
fn note(sim: &mut Simulation, at: u64) {
    let client = sim.client(ClientKind::Nameless);
    let by = exim(u64::from(client.seed));
    let (peer, ip, domain) = (EximPeer(client), client.ip(), client.domain);
    match sim.rng.below(10) {
        0..3 => sim.log.routine(at, by, format_args!(
            "TLS error on connection from {peer} (SSL_accept): error:0A00010B:SSL routines::wrong version number"
        )),
        3..6 => sim.log.routine(at, by, format_args!(
            "no IP address found for host h550.{domain} (during SMTP connection from [{ip}]:{})",
            client.port()
        )),
        6 => sim.log.routine(at, by, format_args!("Start queue run: pid={}", 4000 + client.seed % 550)),
        7 => sim.log.routine(at, by, format_args!("End queue run: pid={}", 4000 + client.seed % 550)),
        8 => sim.log.routine(
            at,
            by,
            format_args!("H={peer} Warning: 550 5.7.1 would be said to {domain}, warn only"),
        ),
        _ => sim.log.routine(
            at,
            by,
            format_args!("SMTP syntax error in \"GET / HTTP/1.1\" H={peer} unrecognized command"),
        ),
    }
}
