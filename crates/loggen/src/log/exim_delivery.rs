//! Writes Exim's delivery lines: `=>`, `->`, `==`, `**`, failed hosts, and `Completed`.

use std::fmt;

use super::message::{PendingRecipient, QueuedMessage};
use super::names::{Domain, Host};
use super::provider::{ServerKind, draw_row};
use super::reply::{EXIM_JOINT, EXIM_QUOTED_JOINT, EximStage, ReplyContext, ReplyRow, ReplyStage, ReplyText};
use super::site::Simulation;
use super::totals::{Outcome, local, outbound, replied};
use super::verdict::{AttemptResult, FailureCause, draw};
use super::writer::ProgramTag;

const REMOTE: &str = "R=dnslookup T=remote_smtp";
const LOCAL: &str = "R=localuser T=local_delivery";
const CIPHER: &str = "X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=yes";

/// The arguments that every delivery line needs.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    at: u64,
    by: ProgramTag,
    message: &'a QueuedMessage,
    pending: &'a PendingRecipient,
    words: &'a ReplyContext,
}

/// Tries every pending recipient once and returns the bounce, if the attempt caused one.
pub(crate) fn attempt(
    sim: &mut Simulation,
    at: u64,
    by: ProgramTag,
    message: &mut QueuedMessage,
    is_last: bool,
) -> Option<QueuedMessage> {
    let mut failed = false;
    let mut before = None;
    for mut pending in std::mem::take(&mut message.pending) {
        let domain = pending.to.domain;
        let verdict = draw(sim, message, &pending);
        let words = sim.words(message, pending.to, Simulation::host(domain, 1));
        let this = Attempt { at, by, message, pending: &pending, words: &words };
        let outcome = if domain.is_local() {
            deliver_locally(sim, this, verdict)
        } else {
            remote(sim, this, verdict, before == Some(domain))
        };
        before = (outcome == Outcome::Delivered).then_some(domain);
        sim.log.counts.domain(domain, outcome);
        failed |= outcome == Outcome::Bounced;
        if outcome != Outcome::Deferred {
            continue;
        }
        sim.log.counts.deferred_recipients += u64::from(message.tries == 0);
        if is_last {
            give_up(sim, at, by, message, &pending);
            message.expired = true;
            failed = true;
            continue;
        }
        if let AttemptResult::Deferred(FailureCause::Reply(row)) = verdict {
            pending.last = Some(row);
        }
        message.pending.push(pending);
    }
    let is_new = message.tries == 0 && !message.pending.is_empty();
    sim.log.counts.deferred_messages += u64::from(is_new);
    message.bounced |= failed;
    message.tries += 1;
    if message.tries == 1 {
        message.stuck = sim.rng.chance(30);
    }
    let bounce = if failed { send_bounce(sim, at, by, message) } else { None };
    if message.pending.is_empty() {
        complete(sim, at, by, message);
    }
    bounce
}

/// `1vx3Yk-… ** anna@d0007.example.net: retry timeout exceeded`
fn give_up(
    sim: &mut Simulation,
    at: u64,
    by: ProgramTag,
    message: &QueuedMessage,
    pending: &PendingRecipient,
) {
    let (id, to) = (&message.id, pending.to);
    sim.log.event(at, by, outbound(Outcome::Expired), format_args!("{id} ** {to}: retry timeout exceeded"));
    sim.log.counts.domain(to.domain, Outcome::Expired);
}

fn send_bounce(
    sim: &mut Simulation,
    at: u64,
    by: ProgramTag,
    message: &QueuedMessage,
) -> Option<QueuedMessage> {
    let bounce = sim.bounce_of(at, message)?;
    let (id, other, size) = (&bounce.id, &message.id, bounce.size);
    sim.log.counts.messages.received += 1;
    sim.log.routine(at, by, format_args!("{id} <= <> R={other} U=Debian-exim P=local S={size}"));
    Some(bounce)
}

fn complete(sim: &mut Simulation, at: u64, by: ProgramTag, message: &QueuedMessage) {
    let id = &message.id;
    sim.log.routine(at, by, format_args!("{id} Completed"));
    let messages = &mut sim.log.counts.messages;
    match (message.expired, message.bounced) {
        (true, _) => messages.expired += 1,
        (false, true) => messages.bounced += 1,
        (false, false) => messages.delivered += 1,
    }
}

fn deliver_locally(sim: &mut Simulation, this: Attempt, verdict: AttemptResult) -> Outcome {
    let Attempt { at, by, message, pending, .. } = this;
    let (id, to) = (&message.id, pending.to);
    let user = to.user;
    match verdict {
        AttemptResult::Delivered(_) if message.salt % 100 == 7 => {
            let key = local(Outcome::Discarded);
            sim.log.event(at, by, key, format_args!("{id} => :blackhole: <{to}> R=system_aliases"));
            Outcome::Discarded
        }
        AttemptResult::Delivered(_) => {
            let key = local(Outcome::Delivered);
            sim.log.event(at, by, key, format_args!("{id} => {user} <{to}> {LOCAL}"));
            Outcome::Delivered
        }
        AttemptResult::Deferred(_) => {
            sim.log.event(at, by, local(Outcome::Deferred), format_args!(
                "{id} == {to} {LOCAL} defer (-22): mailbox is full (MTA-imposed quota exceeded while writing to /var/mail/{user})"
            ));
            Outcome::Deferred
        }
        AttemptResult::Bounced(_) => {
            let key = local(Outcome::Bounced);
            sim.log.event(
                at,
                by,
                key,
                format_args!("{id} ** {to} {LOCAL}: mailbox /var/mail/{user} is not a file"),
            );
            Outcome::Bounced
        }
    }
}

fn remote(sim: &mut Simulation, this: Attempt, verdict: AttemptResult, is_same: bool) -> Outcome {
    let Attempt { at, by, message, pending, words } = this;
    let (id, to) = (&message.id, pending.to);
    let peer = ExchangerField(words.host);
    match verdict {
        AttemptResult::Delivered(row) => {
            let mut peer = peer;
            if !is_same && sim.rng.chance(10) {
                fail_first_host(sim, this);
                peer = ExchangerField(Simulation::host(to.domain, 2));
            }
            let mark = if is_same { "->" } else { "=>" };
            let reply = ReplyText { row, words, joint: EXIM_QUOTED_JOINT };
            let key = replied(Outcome::Delivered, row);
            let spent = message.salt % 9;
            sim.log.event(
                at,
                by,
                key,
                format_args!("{id} {mark} {to} {REMOTE} {peer} {CIPHER} C=\"{reply}\" DT={spent}s"),
            );
            Outcome::Delivered
        }
        AttemptResult::Deferred(why) => {
            defer(sim, this, why);
            Outcome::Deferred
        }
        AttemptResult::Bounced(FailureCause::Reply(row)) => {
            let error = RemoteError { row, words };
            let key = replied(Outcome::Bounced, row);
            sim.log.event(at, by, key, format_args!("{id} ** {to} {REMOTE} {peer} {CIPHER}: {error}"));
            Outcome::Bounced
        }
        AttemptResult::Bounced(
            FailureCause::Unreachable | FailureCause::Lost | FailureCause::Nowhere | FailureCause::Suspended,
        ) => {
            let key = outbound(Outcome::Bounced);
            sim.log.event(at, by, key, format_args!("{id} ** {to}: Unrouteable address"));
            Outcome::Bounced
        }
    }
}

/// The first exchanger fails before the next accepts the message.
fn fail_first_host(sim: &mut Simulation, this: Attempt) {
    let Attempt { at, by, message, words, .. } = this;
    let (id, peer) = (&message.id, ExchangerField(words.host));
    let row = draw_row(&mut sim.rng, ServerKind::of(words.recipient.domain).transient());
    if row.2 == ReplyStage::Rcpt || row.0 >= 500 {
        let (_, why) = connection_error(words.host.domain);
        sim.log.event(at, by, outbound(Outcome::Attempt), format_args!("{id} {peer} {why}"));
    } else {
        let error = RemoteError { row, words };
        let key = replied(Outcome::Attempt, row);
        sim.log.event(at, by, key, format_args!("{id} {peer}: {error}"));
    }
}

fn defer(sim: &mut Simulation, this: Attempt, why: FailureCause) {
    let Attempt { at, by, message, pending, words } = this;
    let (id, to) = (&message.id, pending.to);
    let peer = ExchangerField(words.host);
    let unreplied = outbound(Outcome::Deferred);
    match why {
        // Exim does not defer after a permanent error in the greeting, so this is a connection error instead.
        FailureCause::Reply(row) if row.2 != ReplyStage::Greeting || row.0 < 500 => {
            defer_by_reply(sim, this, row);
        }
        FailureCause::Reply(_) | FailureCause::Unreachable => {
            let (number, why) = connection_error(words.host.domain);
            let last = ExchangerField(Simulation::host(to.domain, 2));
            let key = outbound(Outcome::Attempt);
            sim.log.event(at, by, key, format_args!("{id} {peer} {why}"));
            sim.log.event(at, by, key, format_args!("{id} {last} {why}"));
            sim.log.event(
                at,
                by,
                unreplied,
                format_args!("{id} == {to} {REMOTE} defer ({number}) {last}: {why}"),
            );
        }
        FailureCause::Lost => {
            let why = "SMTP timeout after initial connection: Connection timed out";
            sim.log.event(at, by, outbound(Outcome::Attempt), format_args!("{id} {peer}: {why}"));
            let text = format_args!("{id} == {to} {REMOTE} defer (110) {peer}: {why}");
            sim.log.event(at, by, unreplied, text);
        }
        FailureCause::Nowhere => sim.log.event(
            at,
            by,
            unreplied,
            format_args!("{id} == {to} R=dnslookup defer (-1): host lookup did not complete"),
        ),
        FailureCause::Suspended => {
            let domain = to.domain;
            sim.log.event(
                at,
                by,
                unreplied,
                format_args!(
                    "{id} == {to} {REMOTE} defer (-53): retry time not reached for any host for '{domain}'"
                ),
            );
        }
    }
}

/// A reply to RCPT is logged once; any other is logged for the host and then for the recipient.
fn defer_by_reply(sim: &mut Simulation, this: Attempt, row: &'static ReplyRow) {
    let Attempt { at, by, message, pending, words } = this;
    let (id, to, peer) = (&message.id, pending.to, ExchangerField(words.host));
    let error = RemoteError { row, words };
    let key = replied(Outcome::Deferred, row);
    let number = match row.2 {
        ReplyStage::Greeting => 0,
        ReplyStage::Rcpt => -44,
        ReplyStage::Mail => -45,
        ReplyStage::Dot => -46,
        ReplyStage::Data => -47,
    };
    if row.2 != ReplyStage::Rcpt {
        sim.log.event(at, by, replied(Outcome::Attempt, row), format_args!("{id} {peer}: {error}"));
    }
    if message.salt % 9 > 0 {
        sim.log.event(at, by, key, format_args!("{id} == {to} {REMOTE} defer ({number}) {peer}: {error}"));
        return;
    }
    // Exim before 4.90 logged the host inside the text.
    let (host, stage) = (words.host, EximStage(row.2, words));
    let reply = ReplyText { row, words, joint: EXIM_JOINT };
    sim.log.event(at, by, key, format_args!(
        "{id} == {to} {REMOTE} defer ({number}): SMTP error from remote mail server after {stage}: host {host} [{}]: {reply}",
        host.ip()
    ));
}

const fn connection_error(domain: Domain) -> (u8, &'static str) {
    match domain.0 % 4 {
        0 => (111, "Connection refused"),
        1 => (113, "No route to host"),
        _ => (110, "Connection timed out"),
    }
}

/// `H=mx1.d0007.example.net [192.0.2.80]`
struct ExchangerField(Host);

impl fmt::Display for ExchangerField {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "H={} [{}]", self.0, self.0.ip())
    }
}

/// `SMTP error from remote mail server after RCPT TO:<…>: 550 …`
struct RemoteError<'a> {
    row: &'static ReplyRow,
    words: &'a ReplyContext,
}

impl fmt::Display for RemoteError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let stage = EximStage(self.row.2, self.words);
        let reply = ReplyText { row: self.row, words: self.words, joint: EXIM_JOINT };
        write!(f, "SMTP error from remote mail server after {stage}: {reply}")
    }
}
