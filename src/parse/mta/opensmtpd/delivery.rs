//! Parses OpenSMTPD's deliveries (`8f48 mta delivery evpid=70 from=<a@b> to=<c@d> … result="TempFail" stat="421 busy"`).

use super::fields::{last_value, named, relay, sender, value};
use crate::parse::mta::parsed::{ParsedLine, begins, split_once};
use crate::parse::mta::queue_record::{QueueRecord, QueueStep};
use crate::smtp::event::{Direction, Event, Mta, Outcome, Stage};
use crate::smtp::reply::{Class, Reply};

const EMPTY_EVENT: Event = Event::new(Mta::Opensmtpd, Direction::Inbound, Outcome::Rejected);

/// Parses `evpid=… from=<a@b> to=<c@d> … relay="192.0.2.1 (mx)" … result="TempFail" stat="421 busy"` of 5.9 and later
/// (mta_log() in mta.c, mda_log() in mda.c), which end with `result=` and `stat=`.
pub(crate) fn read(direction: Direction, text: &[u8]) -> Option<Event<'_>> {
    event(direction, value(text, b"evpid=")?, value(text, b" result=")?, text)
}

/// Parses `smtp-out: session 8f48…: evpid=…, status=PermFail, from=<a@b>, …, relay=192.0.2.1 (mx), …, stat=550 no` of 5.7.
pub(crate) fn read_5_7(text: &[u8]) -> Option<Event<'_>> {
    event(Direction::Outbound, value(text, b"evpid=")?, value(text, b" status=")?, text)
}

/// Parses `relay: Ok for 8f48640866d8b9c4: session=…, from=<a@b>, …` and `delivery: Ok for …` of 5.0 to 5.6, and what
/// queue_log() in queue.c writes until today: `relay: Expire for …, stat=Envelope expired`, `relay: Remove for …`.
pub(crate) fn read_for(direction: Direction, text: &[u8]) -> ParsedLine<'_> {
    let Some((result, rest)) = split_once(text, b" for ") else { return ParsedLine::Unread };
    let Some((queue_id, rest)) = split_once(rest, b": ") else { return ParsedLine::Unread };
    if !is_queue_id(queue_id) {
        return ParsedLine::Unread;
    }
    if result == b"Remove" {
        let step = QueueStep::Deleted;
        return ParsedLine::QueueRecord(QueueRecord {
            mta: Mta::Opensmtpd,
            queue_id,
            step,
            text: rest,
            login: None,
        });
    }
    event(direction, queue_id, result, rest).map_or(ParsedLine::Unread, ParsedLine::Event)
}

/// Whether it is the id of an envelope or, with half the digits, of a message.
pub(crate) fn is_queue_id(id: &[u8]) -> bool {
    matches!(id.len(), 8 | 16) && id.iter().all(u8::is_ascii_hexdigit)
}

fn event<'a>(direction: Direction, queue_id: &'a [u8], result: &[u8], text: &'a [u8]) -> Option<Event<'a>> {
    let (outcome, class) = match result {
        b"Ok" => (Outcome::Delivered, None),
        b"TempFail" => (Outcome::Deferred, Some(Class::Transient)),
        b"PermFail" | b"Loop" => (Outcome::Bounced, Some(Class::Permanent)),
        b"Expire" => (Outcome::Expired, Some(Class::Permanent)),
        _ => return None,
    };
    let words = last_value(text, b" stat=")?;
    let said = if direction == Direction::Outbound { told(words) } else { Told::default() };
    let peer = match split_once(text, b" relay=\"") {
        Some(_) => value(text, b" relay=").map(relay),
        None => split_once(text, b", relay=")
            .and_then(|(_, rest)| split_once(rest, b", "))
            .map(|(name, _)| relay(name)),
    };
    Some(Event {
        direction,
        outcome,
        queue_id: Some(queue_id).filter(|id| is_queue_id(id)),
        code: said.reply.map(|reply| reply.code),
        enhanced: said.reply.and_then(|reply| reply.enhanced),
        hint: class,
        stage: said.stage,
        sender: sender(text),
        recipient: named(text, b"to=<"),
        peer: peer.filter(|_| direction == Direction::Outbound).unwrap_or_default(),
        text: words,
        ..EMPTY_EVENT
    })
}

/// What a text says about the reply of the other server.
#[derive(Clone, Copy, Default)]
pub(crate) struct Told {
    pub reply: Option<Reply>,
    pub stage: Option<Stage>,
}

/// Parses `550 no` and `AUTH rejected: 535 no` (mta_error() in mta_session.c), and the texts of failures to connect.
pub(crate) fn told(words: &[u8]) -> Told {
    if let Some(reply) = Reply::read(words) {
        return Told { reply: Some(reply), stage: None };
    }
    if let Some((command, reply)) = split_once(words, b" rejected: ") {
        let stage = match command {
            b"BANNER" => Some(Stage::Connect),
            b"EHLO" | b"HELO" | b"LHLO" => Some(Stage::Ehlo),
            b"STARTTLS" => Some(Stage::StartTls),
            b"AUTH" => Some(Stage::Auth),
            _ => None,
        };
        return Told { reply: Reply::read(reply), stage };
    }
    let connect =
        begins(words, &[b"Connection failed: ", b"IO Error: Connection refused", b"Network error on "]);
    Told { reply: None, stage: connect.then_some(Stage::Connect) }
}

/// The event of a session that failed: one host's answer, before another host or the line of each delivery (mta_error()).
pub(crate) fn attempt(words: &[u8]) -> Event<'_> {
    let said = told(words);
    Event {
        direction: Direction::Outbound,
        outcome: Outcome::Attempt,
        code: said.reply.map(|reply| reply.code),
        enhanced: said.reply.and_then(|reply| reply.enhanced),
        stage: said.stage,
        text: words,
        ..EMPTY_EVENT
    }
}

/// Parses `TempFail injecting failure report on message 8f486408 to <a@b> for 1 envelope: 421 busy` behind `warn: `
/// (bounce.c): this server does not take its own notification.
pub(crate) fn bounce(text: &[u8]) -> Option<Event<'_>> {
    let (result, rest) = split_once(text, b" injecting failure report on message ")?;
    let (queue_id, rest) = split_once(rest, b" to ")?;
    let (outcome, class) = match result {
        b"TempFail" => (Outcome::Deferred, Class::Transient),
        b"PermFail" => (Outcome::Bounced, Class::Permanent),
        _ => return None,
    };
    let (_, words) = split_once(rest, b": ")?;
    Some(Event {
        direction: Direction::Local,
        outcome,
        queue_id: Some(queue_id).filter(|id| is_queue_id(id)),
        hint: Some(class),
        sender: Some(b""),
        recipient: named(rest, b"<"),
        text: words,
        ..EMPTY_EVENT
    })
}
