//! Finds the cause of a failure that Exim logs on an earlier line: `Unrouteable address` may follow from a limit of a hosting
//! panel, and a login that failed from a reply of the relay.

use super::{attempt, message_text, queue_id};
use crate::parse::header::LogLine;
use crate::parse::mta::parsed::{ParsedLine, find, split_once};
use crate::smtp::event::{Direction, Event, Stage};

/// What a line that may tell the cause contains. `None`: the event's line tells it.
#[inline]
pub(crate) fn mark<'a>(event: &Event<'a>) -> Option<&'a [u8]> {
    let is_open = event.direction != Direction::Inbound && event.code.is_none();
    let is_told_before =
        is_open && (event.text.starts_with(b"Unrouteable address") || is_refused_login(event));
    event.queue_id.filter(|_| is_told_before)
}

/// Whether every login at the relay failed. The line before it shows the reply (Exim transports/smtp.c, smtp_auth).
fn is_refused_login(event: &Event) -> bool {
    event.text.starts_with(b"authentication required but authentication attempt")
}

/// The failure that the earlier line tells. `None`: the line is about something else.
pub(crate) fn cause<'b>(event: &Event<'b>, earlier: &LogLine<'b>) -> Option<Event<'b>> {
    let (id, text) = queue_id(message_text(earlier));
    if id != event.queue_id {
        return None;
    }
    if is_refused_login(event) {
        return refused_login(id, text).map(|told| Event {
            code: told.code,
            enhanced: told.enhanced,
            stage: told.stage,
            text: told.text,
            ..*event
        });
    }
    limit(text).map(|words| Event { text: words, ..*event })
}

/// The reply of `login authenticator failed H=mx [192.0.2.1] 535 5.7.8 no`.
fn refused_login<'b>(id: Option<&'b [u8]>, text: &'b [u8]) -> Option<Event<'b>> {
    match attempt::read(id, text)? {
        ParsedLine::Event(told) if told.stage == Some(Stage::Auth) && told.code.is_some() => Some(told),
        _ => None,
    }
}

/// The words of `failed to expand condition "${perl{check_limits}}" for lookuphost router: You (anna) have reached your daily
/// email limit of 200 emails`: DirectAdmin's Perl function stops the expansion with them, and the router is skipped (Exim
/// expand.c, expand_check_condition).
fn limit(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"failed to expand condition ")?;
    let (_, words) = split_once(rest, b" router: ")?;
    find(words, b" limit").map(|_| words)
}
