//! Finds the cause of a failure that Exim logs on an earlier line: `Unrouteable address` may follow from a limit of a hosting
//! panel.

use super::{message_text, queue_id};
use crate::parse::header::LogLine;
use crate::parse::mta::parsed::{find, split_once};
use crate::smtp::event::{Direction, Event};

/// What a line that may tell the cause contains. `None`: the event's line tells it.
#[inline]
pub(crate) fn mark<'a>(event: &Event<'a>) -> Option<&'a [u8]> {
    let is_unrouteable = event.direction != Direction::Inbound
        && event.code.is_none()
        && event.text.starts_with(b"Unrouteable address");
    event.queue_id.filter(|_| is_unrouteable)
}

/// The failure that the earlier line tells. `None`: the line is about something else.
pub(crate) fn cause<'b>(event: &Event<'b>, earlier: &LogLine<'b>) -> Option<Event<'b>> {
    let (id, text) = queue_id(message_text(earlier));
    let words = limit(text).filter(|_| id == event.queue_id)?;
    Some(Event { text: words, ..*event })
}

/// The words of `failed to expand condition "${perl{check_limits}}" for lookuphost router: You (anna) have reached your daily
/// email limit of 200 emails`: DirectAdmin's Perl function stops the expansion with them, and the router is skipped (Exim
/// expand.c, expand_check_condition).
fn limit(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"failed to expand condition ")?;
    let (_, words) = split_once(rest, b" router: ")?;
    find(words, b" limit").map(|_| words)
}
