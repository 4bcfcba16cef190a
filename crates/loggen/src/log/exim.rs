//! A day at an Exim: who comes when, and what each step of a message leads to.

use std::io;

use super::agenda::Agenda;
use super::clock::{Clock, DAY, SECOND};
use super::exim_delivery::attempt;
use super::exim_refusal::{EximPeer, refuse};
use super::log::{Log, Tag, tag};
use super::message::Message;
use super::names::{Client, HERE, Origin, Sender};
use super::site::Site;
use super::spec::Spec;
use super::totals::Totals;

/// What is waiting for its time.
enum Step {
    Take(Box<Message>),
    Deliver(Box<Message>),
    TurnAway(Client),
}

/// What happens so often, in this order: mail from servers, from people, from our machines; refusals; queue runs
/// and notes.
const ARRIVALS: [u64; 5] = [200, 230, 210, 345, 50];

/// The queue runner comes by each half hour.
const RUN: u64 = 1800 * SECOND;
const LONGEST_WAIT: u64 = 14_400 * SECOND;

pub fn write(spec: &Spec, log: Log) -> io::Result<Totals> {
    let clock = Clock::new(spec.bytes, spec.days);
    let mut site = Site::new(spec, log);
    let mut agenda = Agenda::new();
    // A quarter of the log at most, so that short logs see mail expire too.
    let lifetime = DAY.min(u64::from(spec.days) * DAY / 4);
    while !site.log.is_full() {
        let now = clock.at(site.log.bytes());
        while let Some((at, step)) = agenda.due(now) {
            follow(&mut site, &mut agenda, lifetime, at, step);
            site.log.flush()?;
            if site.log.is_full() {
                return site.log.finish();
            }
        }
        arrive(&mut site, &mut agenda, now);
        site.log.flush()?;
    }
    site.log.finish()
}

/// Only seen when Exim logs by way of syslog.
fn exim(seed: u64) -> Tag {
    tag("exim", 3000 + (seed % 29_000) as u32)
}

fn arrive(site: &mut Site, agenda: &mut Agenda<Step>, now: u64) {
    let soon = now + site.rng.between(100, 4000);
    let origin = match site.rng.weighted(&ARRIVALS) {
        0 => Origin::Server,
        1 => Origin::Person,
        2 => Origin::Inside,
        3 => {
            let client = site.client(Origin::Nameless);
            connect(site, now, client);
            agenda.push(soon, Step::TurnAway(client));
            return;
        }
        _ => return note(site, now),
    };
    let client = site.client(origin);
    if origin != Origin::Inside {
        connect(site, now, client);
    }
    let more = site.rng.weighted(&[900, 80, 20]) as u64;
    agenda.push(soon, Step::Take(Box::new(site.message(now, client, more))));
}

fn follow(site: &mut Site, agenda: &mut Agenda<Step>, lifetime: u64, at: u64, step: Step) {
    match step {
        Step::Take(message) => {
            take(site, at, &message);
            if message.more > 0 {
                let next = site.message(at, message.client, message.more - 1);
                agenda.push(at + site.rng.between(40, 900), Step::Take(Box::new(next)));
            }
            agenda.push(at + site.rng.between(60, 5000), Step::Deliver(message));
        }
        Step::Deliver(mut message) => {
            let is_last = message.age(at) > lifetime;
            let by = exim(message.salt);
            if let Some(bounce) = attempt(site, at, by, &mut message, is_last) {
                agenda.push(at + site.rng.between(60, 3000), Step::Deliver(Box::new(bounce)));
            }
            if !message.pending.is_empty() {
                let wait = message.age(at).clamp(RUN, LONGEST_WAIT);
                agenda.push(at + wait + site.rng.below(60 * SECOND), Step::Deliver(message));
            }
        }
        Step::TurnAway(client) => turn_away(site, at, client),
    }
}

fn connect(site: &mut Site, at: u64, client: Client) {
    let by = exim(u64::from(client.seed));
    let (ip, port, count) = (client.ip(), client.port(), 1 + client.seed % 40);
    if client.origin == Origin::Nameless && client.seed % 5 < 2 {
        site.log.routine(at, by, format_args!("no host name found for IP address {ip}"));
    }
    site.log.routine(
        at,
        by,
        format_args!("SMTP connection from [{ip}]:{port} (TCP/IP connection count = {count})"),
    );
}

/// `1vx3Yk-… <= anna@d0007.example.net H=… P=esmtps X=… S=4512 id=…`
fn take(site: &mut Site, at: u64, message: &Message) {
    let (id, client, salt, size) = (&message.id, message.client, message.salt, message.size);
    let (by, peer, from) = (exim(salt), EximPeer(client), client.domain);
    let secret = "X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no";
    site.log.counts.messages.received += 1;
    match (client.origin, message.sender) {
        (Origin::Person, Some(sender)) => site.log.routine(at, by, format_args!(
            "{id} <= {sender} H={peer} P=esmtpsa {secret} A=dovecot_plain:{sender} S={size} id={salt:x}@{}",
            sender.domain
        )),
        (Origin::Inside, Some(sender)) if salt & 1 == 0 => site.log.routine(
            at,
            by,
            format_args!("{id} <= {sender} U=www-data P=local S={size} id=E{id}@{HERE}"),
        ),
        (_, sender) => {
            if client.origin == Origin::Server && salt % 3 > 0 {
                site.log.routine(at, by, format_args!(
                    "{id} DKIM: d={from} s=key512 c=relaxed/relaxed a=rsa-sha256 b=2048 t=1772{} [verification succeeded]",
                    451_000 + salt % 500_000
                ));
            }
            let shown = sender.map_or_else(|| "<>".to_owned(), |_| Sender(sender).to_string());
            site.log.routine(
                at,
                by,
                format_args!("{id} <= {shown} H={peer} P=esmtps {secret} S={size} id={salt:x}.550@{from}"),
            );
        }
    }
    if message.more == 0 && client.origin != Origin::Inside && salt % 2 == 0 {
        site.log.routine(at, by, format_args!("SMTP connection from {peer} closed by QUIT"));
    }
}

fn turn_away(site: &mut Site, at: u64, client: Client) {
    let by = exim(u64::from(client.seed));
    for time in 0..site.rng.weighted(&[0, 800, 150, 50]) {
        refuse(site, at, by, client, time == 0);
    }
    let peer = EximPeer(client);
    match client.seed % 10 {
        0..4 => {
            site.log.routine(at, by, format_args!("SMTP connection from {peer} closed by QUIT"));
        }
        4..7 => site.log.routine(
            at,
            by,
            format_args!("unexpected disconnection while reading SMTP command from {peer} D=2s"),
        ),
        _ => {
            site.log.routine(at, by, format_args!("SMTP connection from {peer} lost D=1s"));
        }
    }
}

/// Lines that belong to no message.
fn note(site: &mut Site, at: u64) {
    let client = site.client(Origin::Nameless);
    let by = exim(u64::from(client.seed));
    let (peer, ip, domain) = (EximPeer(client), client.ip(), client.domain);
    match site.rng.below(10) {
        0..3 => site.log.routine(at, by, format_args!(
            "TLS error on connection from {peer} (SSL_accept): error:0A00010B:SSL routines::wrong version number"
        )),
        3..6 => site.log.routine(at, by, format_args!(
            "no IP address found for host h550.{domain} (during SMTP connection from [{ip}]:{})",
            client.port()
        )),
        6 => site.log.routine(at, by, format_args!("Start queue run: pid={}", 4000 + client.seed % 550)),
        7 => site.log.routine(at, by, format_args!("End queue run: pid={}", 4000 + client.seed % 550)),
        8 => site.log.routine(
            at,
            by,
            format_args!("H={peer} Warning: 550 5.7.1 would be said to {domain}, warn only"),
        ),
        _ => site.log.routine(
            at,
            by,
            format_args!("SMTP syntax error in \"GET / HTTP/1.1\" H={peer} unrecognized command"),
        ),
    }
}
