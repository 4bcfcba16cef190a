//! Writes Postfix's lines about remote deliveries: replies, connection errors and suspended destinations.

use std::fmt;

use super::message::{PendingRecipient, QueuedMessage};
use super::names::{Address, HERE, Host};
use super::provider::{ServerKind, draw_row};
use super::reply::{Dsn, POSTFIX_JOINT, ReplyContext, ReplyRow, ReplyStage, ReplyText, dsn, postfix_stage};
use super::session::cipher;
use super::site::Simulation;
use super::status::StatusLine;
use super::totals::{Outcome, outbound, replied};
use super::verdict::{AttemptResult, FailureCause, greeting};
use super::writer::{ProgramTag, tag};

/// `mx1.d0007.example.net[192.0.2.80]:25`, or the socket of the mailbox server.
#[derive(Clone, Copy)]
struct Relay {
    host: Host,
    port: bool,
}

impl fmt::Display for Relay {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { host, port } = self;
        if host.domain.is_local() {
            return write!(f, "{HERE}[private/dovecot-lmtp]");
        }
        write!(f, "{host}[{}]{}", host.ip(), if *port { ":25" } else { "" })
    }
}

pub(crate) fn remote(
    sim: &mut Simulation,
    at: u64,
    message: &QueuedMessage,
    pending: &PendingRecipient,
    verdict: AttemptResult,
) -> Outcome {
    let to = pending.to;
    let is_local = to.domain.is_local();
    let pid = 26_000 + (message.salt % 499) as u32;
    let by = tag(if is_local { "postfix/lmtp" } else { "postfix/smtp" }, pid);
    let first = Relay { host: Simulation::host(to.domain, 1), port: true };
    let second = Relay { host: Simulation::host(to.domain, 2), port: true };
    let words = sim.words(message, to, first.host);
    match verdict {
        AttemptResult::Delivered(row) => {
            let mut relay = first;
            if !is_local && sim.rng.chance(12) {
                relay = second;
                fail_first_host(sim, at, by, message, first, &words);
            }
            encrypt(sim, at, by, relay);
            let reply = ReplyText { row, words: &words, joint: POSTFIX_JOINT };
            let line = StatusLine { message, to, by, relay: &relay, dsn: dsn('2', row), at };
            line.write(sim, replied(Outcome::Delivered, row), format_args!("sent ({reply})"));
            Outcome::Delivered
        }
        AttemptResult::Deferred(why) => {
            defer(sim, at, by, message, &words, why, [first, second]);
            Outcome::Deferred
        }
        AttemptResult::Bounced(FailureCause::Reply(row)) => {
            encrypt(sim, at, by, first);
            let said = SaidReply { relay: first, row, words: &words };
            let line = StatusLine { message, to, by, relay: &first, dsn: dsn('5', row), at };
            line.write(sim, replied(Outcome::Bounced, row), format_args!("bounced ({said})"));
            Outcome::Bounced
        }
        AttemptResult::Bounced(
            FailureCause::Unreachable | FailureCause::Lost | FailureCause::Nowhere | FailureCause::Suspended,
        ) => {
            let domain = to.domain;
            let line = StatusLine { message, to, by, relay: &"none", dsn: Dsn('5', ".4.4"), at };
            line.write(sim, outbound(Outcome::Bounced), format_args!(
                "bounced (Host or domain name not found. Name service error for name={domain} type=AAAA: Host not found)"
            ));
            Outcome::Bounced
        }
    }
}

fn encrypt(sim: &mut Simulation, at: u64, by: ProgramTag, relay: Relay) {
    if !relay.host.domain.is_local() && sim.rng.chance(730) {
        let word = if relay.host.domain.0.is_multiple_of(9) { "Untrusted" } else { "Trusted" };
        let cipher = cipher(u64::from(relay.host.domain.0));
        sim.log.routine(at, by, format_args!("{word} TLS connection established to {relay}: {cipher}"));
    }
}

/// `host mx1.d0007.example.net[192.0.2.80] said: 450 … (in reply to RCPT TO command)`
struct SaidReply<'a> {
    relay: Relay,
    row: &'static ReplyRow,
    words: &'a ReplyContext,
}

impl fmt::Display for SaidReply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let reply = ReplyText { row: self.row, words: self.words, joint: POSTFIX_JOINT };
        let relay = Relay { port: false, ..self.relay };
        match self.row.2 {
            ReplyStage::Greeting => write!(f, "host {relay} refused to talk to me: {reply}"),
            stage => write!(f, "host {relay} said: {reply} (in reply to {})", postfix_stage(stage)),
        }
    }
}

/// The first exchanger fails before the next is tried: a line without `status=`.
fn fail_first_host(
    sim: &mut Simulation,
    at: u64,
    by: ProgramTag,
    message: &QueuedMessage,
    relay: Relay,
    words: &ReplyContext,
) {
    let id = &message.id;
    match sim.rng.below(10) {
        0..4 => {
            let row = draw_row(&mut sim.rng, ServerKind::of(words.recipient.domain).transient());
            let said = SaidReply { relay, row, words };
            sim.log.event(at, by, replied(Outcome::Attempt, row), format_args!("{id}: {said}"));
        }
        4..9 => refuse_connection(sim, at, by, relay),
        _ => {
            let relay = Relay { port: false, ..relay };
            let key = outbound(Outcome::Attempt);
            sim.log.event(
                at,
                by,
                key,
                format_args!("{id}: lost connection with {relay} while sending RCPT TO"),
            );
        }
    }
}

fn refuse_connection(sim: &mut Simulation, at: u64, by: ProgramTag, relay: Relay) {
    let why = connection_error(relay);
    let key = outbound(Outcome::Attempt).of_peer(relay.host.domain.is_local());
    sim.log.event(at, by, key, format_args!("connect to {relay}: {why}"));
}

const fn connection_error(relay: Relay) -> &'static str {
    match relay.host.domain.0 % 5 {
        0 => "Connection refused",
        1 => "No route to host",
        2 => "Network is unreachable",
        _ => "Connection timed out",
    }
}

/// Returns a function that builds the delivery line of one recipient for the program that writes it.
fn line_builder<'a>(
    message: &'a QueuedMessage,
    to: Address,
    at: u64,
) -> impl Fn(ProgramTag, &'a dyn fmt::Display, Dsn) -> StatusLine<'a> {
    move |by, relay, dsn| StatusLine { message, to, by, relay, dsn, at }
}

fn defer(
    sim: &mut Simulation,
    at: u64,
    by: ProgramTag,
    message: &QueuedMessage,
    words: &ReplyContext,
    why: FailureCause,
    [first, second]: [Relay; 2],
) {
    let to = words.recipient;
    let unreplied = outbound(Outcome::Deferred);
    let (mut relay, bare) = (first, Relay { port: false, ..first });
    let line = line_builder(message, to, at);
    match why {
        FailureCause::Reply(row) => {
            if !to.domain.is_local() && sim.rng.chance(60) {
                let said = SaidReply { relay, row, words };
                let id = &message.id;
                sim.log.event(at, by, replied(Outcome::Attempt, row), format_args!("{id}: {said}"));
                relay = second;
            }
            if row.2 != ReplyStage::Greeting {
                encrypt(sim, at, by, relay);
            }
            let said = SaidReply { relay, row, words };
            line(by, &relay, dsn('4', row)).write(
                sim,
                replied(Outcome::Deferred, row),
                format_args!("deferred ({said})"),
            );
        }
        FailureCause::Unreachable => {
            if to.domain.0.is_multiple_of(2) {
                refuse_connection(sim, at, by, first);
            }
            refuse_connection(sim, at, by, second);
            let error = connection_error(second);
            line(by, &"none", Dsn('4', ".4.1")).write(
                sim,
                unreplied,
                format_args!("deferred (connect to {second}: {error})"),
            );
        }
        FailureCause::Lost => {
            let lost =
                format_args!("lost connection with {bare} while receiving the initial server greeting");
            let slow = format_args!("conversation with {bare} timed out while sending message body");
            let text = if message.salt & 1 == 0 { lost } else { slow };
            line(by, &first, Dsn('4', ".4.2")).write(sim, unreplied, format_args!("deferred ({text})"));
        }
        FailureCause::Nowhere => {
            let domain = to.domain;
            line(by, &"none", Dsn('4', ".4.3")).write(sim, unreplied, format_args!(
                "deferred (Host or domain name not found. Name service error for name={domain} type=MX: Host not found, try again)"
            ));
        }
        FailureCause::Suspended => suspend(sim, at, message, words, first),
    }
}

/// Defers without an attempt, because the destination has just failed.
fn suspend(sim: &mut Simulation, at: u64, message: &QueuedMessage, words: &ReplyContext, first: Relay) {
    let to = words.recipient;
    let unreplied = outbound(Outcome::Deferred);
    let line = line_builder(message, to, at);
    let by = tag("postfix/error", 27_000 + (message.salt & 255) as u32);
    let row = greeting(sim, ServerKind::of(to.domain)).filter(|_| message.salt % 5 > 1);
    let key = row.map_or(unreplied, |row| replied(Outcome::Deferred, row));
    sim.log.counts.suspended(key.of_peer(to.domain.is_local()));
    if let Some(row) = row {
        let said = SaidReply { relay: first, row, words };
        line(by, &"none", dsn('4', row)).write(
            sim,
            key,
            format_args!("deferred (delivery temporarily suspended: {said})"),
        );
    } else {
        let error = connection_error(first);
        line(by, &"none", Dsn('4', ".4.1")).write(
            sim,
            key,
            format_args!("deferred (delivery temporarily suspended: connect to {first}: {error})"),
        );
    }
}
