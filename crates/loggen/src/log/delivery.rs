//! Postfix tries to deliver: one attempt for each pending recipient, and what follows from it.

use super::log::tag;
use super::message::Message;
use super::names::{Address, Sender};
use super::remote::remote;
use super::reply::Dsn;
use super::session::{QMGR, activate, name_message};
use super::site::Site;
use super::status::Line;
use super::totals::{Outcome, local, outbound};
use super::verdict::{Verdict, Why, draw};

/// Attempts in which the whole message, or what is left of it, is handed over. The bounce it caused comes back.
pub fn attempt(site: &mut Site, at: u64, message: &mut Message, is_last: bool) -> Option<Message> {
    if message.tries > 0 {
        activate(site, at, message);
    }
    let mut failed = false;
    for mut pending in std::mem::take(&mut message.pending) {
        let verdict = draw(site, message, &pending);
        let outcome = if pending.to.domain.is_local() && !is_lmtp(pending.to) {
            on_this_machine(site, at, message, pending.to, verdict)
        } else {
            remote(site, at, message, &pending, verdict)
        };
        site.log.counts.domain(pending.to.domain, outcome);
        if outcome == Outcome::Deferred {
            site.log.counts.deferred_recipients += u64::from(message.tries == 0);
            if let Verdict::Deferred(Why::Reply(row)) = verdict {
                pending.last = Some(row);
            }
            message.pending.push(pending);
        }
        failed |= outcome == Outcome::Bounced;
    }
    let is_new = message.tries == 0 && !message.pending.is_empty();
    site.log.counts.deferred_messages += u64::from(is_new);
    message.bounced |= failed;
    message.tries += 1;
    if message.tries == 1 {
        message.stuck = site.rng.chance(30);
    }
    if is_last && !message.pending.is_empty() {
        expire(site, at, message);
        failed = true;
    }
    let bounce = if failed { give_back(site, at, message) } else { None };
    if message.pending.is_empty() {
        remove(site, at, message);
    }
    bounce
}

/// `3F1A20C4B7D: from=<…>, status=expired, returned to sender`
fn expire(site: &mut Site, at: u64, message: &mut Message) {
    let (id, sender) = (&message.id, Sender(message.sender));
    let key = outbound(Outcome::Expired);
    site.log.event(at, QMGR, key, format_args!("{id}: from=<{sender}>, status=expired, returned to sender"));
    message.pending.clear();
    message.expired = true;
}

fn give_back(site: &mut Site, at: u64, message: &Message) -> Option<Message> {
    let bounce = site.bounce_of(at, message)?;
    let (id, other) = (&message.id, &bounce.id);
    name_message(site, at, &bounce);
    let by = tag("postfix/bounce", 24_000 + (message.salt & 255) as u32);
    site.log.routine(at, by, format_args!("{id}: sender non-delivery notification: {other}"));
    site.log.counts.messages.received += 1;
    activate(site, at, &bounce);
    Some(bounce)
}

fn remove(site: &mut Site, at: u64, message: &Message) {
    let id = &message.id;
    site.log.routine(at, QMGR, format_args!("{id}: removed"));
    let messages = &mut site.log.counts.messages;
    match (message.expired, message.bounced) {
        (true, _) => messages.expired += 1,
        (false, true) => messages.bounced += 1,
        (false, false) => messages.delivered += 1,
    }
}

/// The first of our domains get the most mail; theirs goes to the mailbox server.
const fn is_lmtp(to: Address) -> bool {
    to.domain.0 < 16
}

fn on_this_machine(site: &mut Site, at: u64, message: &Message, to: Address, verdict: Verdict) -> Outcome {
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
    let line = |dsn| Line { message, to, by: tag(program, pid), relay: &relay, dsn, at };
    match verdict {
        Verdict::Delivered(_) => {
            let outcome = Outcome::Delivered;
            line(Dsn('2', ".0.0")).write(site, local(outcome), format_args!("sent ({delivered})"));
            outcome
        }
        Verdict::Deferred(_) => {
            let outcome = Outcome::Deferred;
            line(Dsn('4', ".3.0")).write(
                site,
                local(outcome),
                format_args!("deferred (temporary failure. Command output: 451 4.3.0 disk is slow )"),
            );
            outcome
        }
        Verdict::Bounced(_) => {
            let outcome = Outcome::Bounced;
            line(Dsn('5', ".1.1")).write(site, local(outcome), format_args!("bounced ({unknown}: \"{to}\")"));
            outcome
        }
    }
}
