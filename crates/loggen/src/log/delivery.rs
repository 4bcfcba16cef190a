//! Simulates a delivery attempt of Postfix: one result for each pending recipient, then a bounce or removal.

use super::message::QueuedMessage;
use super::names::{Address, EnvelopeSender};
use super::remote::remote;
use super::reply::Dsn;
use super::session::{QMGR, activate, name_message};
use super::site::Simulation;
use super::status::StatusLine;
use super::totals::{Outcome, local, outbound};
use super::verdict::{AttemptResult, FailureCause, draw};
use super::writer::tag;

/// Tries every pending recipient once and returns the bounce, if the attempt caused one.
pub(crate) fn attempt(
    sim: &mut Simulation,
    at: u64,
    message: &mut QueuedMessage,
    is_last: bool,
) -> Option<QueuedMessage> {
    if message.tries > 0 {
        activate(sim, at, message);
    }
    let mut failed = false;
    for mut pending in std::mem::take(&mut message.pending) {
        let verdict = draw(sim, message, &pending);
        let outcome = if pending.to.domain.is_local() && !is_lmtp(pending.to) {
            deliver_locally(sim, at, message, pending.to, verdict)
        } else {
            remote(sim, at, message, &pending, verdict)
        };
        sim.log.counts.domain(pending.to.domain, outcome);
        if outcome == Outcome::Deferred {
            sim.log.counts.deferred_recipients += u64::from(message.tries == 0);
            if let AttemptResult::Deferred(FailureCause::Reply(row)) = verdict {
                pending.last = Some(row);
            }
            message.pending.push(pending);
        }
        failed |= outcome == Outcome::Bounced;
    }
    let is_new = message.tries == 0 && !message.pending.is_empty();
    sim.log.counts.deferred_messages += u64::from(is_new);
    message.bounced |= failed;
    message.tries += 1;
    if message.tries == 1 {
        message.stuck = sim.rng.chance(30);
    }
    if is_last && !message.pending.is_empty() {
        expire(sim, at, message);
        failed = true;
    }
    let bounce = if failed { send_bounce(sim, at, message) } else { None };
    if message.pending.is_empty() {
        remove(sim, at, message);
    }
    bounce
}

/// `3F1A20C4B7D: from=<…>, status=expired, returned to sender`
fn expire(sim: &mut Simulation, at: u64, message: &mut QueuedMessage) {
    let (id, sender) = (&message.id, EnvelopeSender(message.sender));
    let key = outbound(Outcome::Expired);
    sim.log.event(at, QMGR, key, format_args!("{id}: from=<{sender}>, status=expired, returned to sender"));
    message.pending.clear();
    message.expired = true;
}

fn send_bounce(sim: &mut Simulation, at: u64, message: &QueuedMessage) -> Option<QueuedMessage> {
    let bounce = sim.bounce_of(at, message)?;
    let (id, other) = (&message.id, &bounce.id);
    name_message(sim, at, &bounce);
    let by = tag("postfix/bounce", 24_000 + (message.salt & 255) as u32);
    sim.log.routine(at, by, format_args!("{id}: sender non-delivery notification: {other}"));
    sim.log.counts.messages.received += 1;
    activate(sim, at, &bounce);
    Some(bounce)
}

fn remove(sim: &mut Simulation, at: u64, message: &QueuedMessage) {
    let id = &message.id;
    sim.log.routine(at, QMGR, format_args!("{id}: removed"));
    let messages = &mut sim.log.counts.messages;
    match (message.expired, message.bounced) {
        (true, _) => messages.expired += 1,
        (false, true) => messages.bounced += 1,
        (false, false) => messages.delivered += 1,
    }
}

/// The busiest local domains are delivered by LMTP, the others by virtual, local and pipe.
const fn is_lmtp(to: Address) -> bool {
    to.domain.0 < 16
}

fn deliver_locally(
    sim: &mut Simulation,
    at: u64,
    message: &QueuedMessage,
    to: Address,
    verdict: AttemptResult,
) -> Outcome {
    let pid = 25_000 + (message.salt & 255) as u32;
    let (program, relay, delivered, unknown) = match to.domain.0 % 3 {
        0 => ("postfix/virtual", "virtual", "delivered to maildir", "unknown user"),
        1 => ("postfix/local", "local", "delivered to command: /usr/bin/procmail -t", "unknown user"),
        _ => (
            "postfix/pipe",
            "dovecot",
            "delivered via dovecot service",
            "user unknown. Command output: 550 5.1.1",
        ),
    };
    let line = |dsn| StatusLine { message, to, by: tag(program, pid), relay: &relay, dsn, at };
    match verdict {
        AttemptResult::Delivered(_) => {
            let outcome = Outcome::Delivered;
            line(Dsn('2', ".0.0")).write(sim, local(outcome), format_args!("sent ({delivered})"));
            outcome
        }
        AttemptResult::Deferred(_) => {
            let outcome = Outcome::Deferred;
            line(Dsn('4', ".3.0")).write(
                sim,
                local(outcome),
                format_args!("deferred (temporary failure. Command output: 451 4.3.0 disk is slow )"),
            );
            outcome
        }
        AttemptResult::Bounced(_) => {
            let outcome = Outcome::Bounced;
            line(Dsn('5', ".1.1")).write(sim, local(outcome), format_args!("bounced ({unknown}: \"{to}\")"));
            outcome
        }
    }
}
