//! Finds the cause of a failure that Exim logs on an earlier line: `retry time not reached` repeats an earlier deferral, and
//! `Unrouteable address` may follow from a limit of a hosting panel.

use super::{delivery, message_text, queue_id};
use crate::parse::header::LogLine;
use crate::parse::mta::parsed::{ParsedLine, domain, find, split_once};
use crate::smtp::event::{Direction, Event, Outcome, Stage};

/// What a line that may tell the cause contains. `None`: the event's line tells it.
#[inline]
pub(crate) fn mark<'a>(event: &Event<'a>) -> Option<&'a [u8]> {
    if event.suspended {
        event.recipient.and_then(domain)
    } else {
        event.queue_id.filter(|_| is_unrouteable(event))
    }
}

/// The failure that the earlier line tells. `None`: the line is about something else.
pub(crate) fn cause<'b>(event: &Event<'b>, earlier: &LogLine<'b>) -> Option<Event<'b>> {
    let (id, text) = queue_id(message_text(earlier));
    if !event.suspended {
        let words = limit(text).filter(|_| id == event.queue_id)?;
        return Some(Event { text: words, ..*event });
    }
    match delivery::read(id, text)? {
        ParsedLine::Event(other) => is_repeated(event, &other).then_some(other),
        ParsedLine::QueueRecord(_) | ParsedLine::Routine | ParsedLine::Unread | ParsedLine::Foreign => None,
    }
}

fn is_unrouteable(event: &Event) -> bool {
    event.direction != Direction::Inbound
        && event.code.is_none()
        && event.text.starts_with(b"Unrouteable address")
}

/// The words of `failed to expand condition "${perl{check_limits}}" for lookuphost router: You (anna) have reached your daily
/// email limit of 200 emails`: DirectAdmin's Perl function stops the expansion with them, and the router is skipped (Exim
/// expand.c, expand_check_condition).
fn limit(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"failed to expand condition ")?;
    let (_, words) = split_once(rest, b" router: ")?;
    find(words, b" limit").map(|_| words)
}

/// Whether a line that nothing was tried repeats the other failure. Exim keeps the time of the next try for an address, for a
/// domain that cannot be routed and for a host; after a reply to MAIL or DATA, for the host and the message (Exim retry.c,
/// retry_add_item; transports/smtp.c).
fn is_repeated(event: &Event, other: &Event) -> bool {
    if other.outcome != Outcome::Deferred || other.suspended {
        return false;
    }
    let is_same =
        |a: Option<&[u8]>, b: Option<&[u8]>| a.zip(b).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
    if is_same(event.recipient, other.recipient) {
        return true;
    }
    // A deferred address says nothing about the host.
    let of_host = find(event.text, b"for any host").is_some()
        && is_same(event.recipient.and_then(domain), other.recipient.and_then(domain));
    of_host
        && match other.stage {
            None | Some(Stage::Connect | Stage::Ehlo | Stage::StartTls | Stage::Auth) => true,
            Some(Stage::Mail | Stage::Data | Stage::EndOfData) => event.queue_id == other.queue_id,
            Some(Stage::Rcpt) => false,
        }
}
