//! Parses OpenSMTPD's refusals (`8f48 smtp failed-command command="RCPT TO:<a@b>" result="550 Invalid recipient"`).

use super::fields::{last_value, peer, value};
use crate::parse::mta::parsed::{address, split_last, split_once};
use crate::smtp::event::{Direction, Event, Mta, Outcome, Peer, Stage};
use crate::smtp::reply::{Code, Reply};

const EMPTY_EVENT: Event = Event::new(Mta::Opensmtpd, Direction::Inbound, Outcome::Rejected);

/// Parses `address=192.0.2.1 host=mx command="RCPT TO:<a@b>" result="550 no"`; since 6.4 without address and host.
pub(crate) fn failed_command(text: &[u8]) -> Option<Event<'_>> {
    // The client wrote the command; nothing in the result comes from it.
    let (before, rest) = split_once(text, b"command=\"")?;
    let (command, result) = split_last(rest, b"\" result=\"")?;
    Some(Event { peer: client(before), ..refused(command, result.strip_suffix(b"\"").unwrap_or(result)) })
}

/// Parses `result="500 5.5.1 Invalid command: Pipelining not supported"` of `bad-input`.
pub(crate) fn bad_input(text: &[u8]) -> Option<Event<'_>> {
    let (before, _) = split_once(text, b"result=")?;
    last_value(text, b"result=").map(|result| Event { peer: client(before), ..of_reply(result) })
}

/// Parses `"RCPT TO:<a@b>" => 550 no` of 5.x, and `"RCPT TO:<a@b>"` of 5.7, which shows no reply.
pub(crate) fn quoted_command(text: &[u8]) -> Option<Event<'_>> {
    let rest = text.strip_prefix(b"\"")?;
    match split_last(rest, b"\" => ") {
        Some((command, result)) => Some(refused(command, result)),
        None => {
            let command = rest.strip_suffix(b"\"").unwrap_or(rest);
            Some(Event { text: command, ..refused(command, b"") })
        }
    }
}

/// The event of a session that a filter or the number of refused recipients ended; `words` say which.
pub(crate) fn ended(stage: Stage, words: &[u8]) -> Event<'_> {
    Event { stage: Some(stage), text: words, ..EMPTY_EVENT }
}

/// The client of `address=192.0.2.1 host=mx …`.
pub(crate) fn client(text: &[u8]) -> Peer<'_> {
    match value(text, b"address=") {
        Some(address) => peer(address, value(text, b" host=").unwrap_or_default()),
        None => Peer::default(),
    }
}

/// The client of `host mx [192.0.2.1] …`, as 5.x writes it.
pub(crate) fn host(text: &[u8]) -> Peer<'_> {
    let Some((name, rest)) = split_once(text, b" [") else { return Peer::default() };
    peer(rest.get(..memchr::memchr(b']', rest).unwrap_or(rest.len())).unwrap_or_default(), name)
}

pub(crate) fn of_reply(words: &[u8]) -> Event<'_> {
    let reply = Reply::read(words);
    Event {
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced),
        text: words,
        ..EMPTY_EVENT
    }
}

/// The event of a rejected command: `command` is `RCPT TO:<a@b>`, `words` is `550 Invalid recipient`.
fn refused<'a>(command: &'a [u8], words: &'a [u8]) -> Event<'a> {
    let event = of_reply(words);
    let argument =
        || split_once(command, b":<").and_then(|(_, rest)| address(rest)).map(|(address, _)| address);
    let begins =
        |name: &[u8]| command.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let (stage, sender, recipient) = if command.is_empty() {
        (Some(Stage::Connect), None, None)
    } else if begins(b"MAIL FROM") {
        (Some(Stage::Mail), argument(), None)
    } else if begins(b"RCPT TO") {
        (Some(Stage::Rcpt), None, argument())
    } else if begins(b"DATA") {
        // The message itself is too large; its lines are no commands.
        let too_large = event.code.map(Code::number) == Some(552);
        (Some(if too_large { Stage::EndOfData } else { Stage::Data }), None, None)
    } else if begins(b"EHLO") || begins(b"HELO") {
        (Some(Stage::Ehlo), None, None)
    } else if begins(b"AUTH") {
        (Some(Stage::Auth), None, None)
    } else if begins(b"STARTTLS") {
        (Some(Stage::StartTls), None, None)
    } else {
        (None, None, None)
    };
    Event { stage, sender, recipient, ..event }
}
