//! Finds out what else matters about an event: who can help, and where the other side is.

use super::block_sample::EventMarks;
use crate::catalog::{Retry, reason_row};
use crate::parse::header::LogLine;
use crate::parse::mta::delay::Phase;
use crate::parse::mta::delivery_delays;
use crate::pipeline::sink::LoggedEvent;
use crate::smtp::event::{Direction, Event};
use crate::smtp::side::{Side, is_private};

/// The longest time from the arrival of a message to its first attempt, in milliseconds.
const FRESH: u64 = 5 * 60 * 1000;

/// What matters about an event besides its names. `may_be_older`: no line shows the arrival of its message.
pub(super) fn marks(logged: &LoggedEvent, may_be_older: bool) -> EventMarks {
    let (event, line) = (logged.event, logged.line);
    EventMarks {
        side: Side::of(event),
        is_near: is_near(event, line),
        is_ours: is_ours(logged),
        is_own_fault: false,
        is_fresh: may_be_older && is_fresh(event, line),
    }
}

/// Whether only a change to this server, its DNS or its accounts helps.
fn is_ours(logged: &LoggedEvent) -> bool {
    let class = logged.event.class();
    let retry = |reason| reason_row(reason).retry(class);
    logged
        .verdict
        .is_some_and(|verdict| verdict.retry.unwrap_or_else(|| retry(verdict.reason)) == Retry::FixOurs)
}

/// Whether the other side is a part of this server's own mail system: `private/dovecot-lmtp`, 127.0.0.1:10024, 10.0.0.5.
fn is_near(event: &Event, line: &LogLine) -> bool {
    let inside = event.peer.ip.is_some_and(is_private);
    let daemon = line.program.rsplit(|&byte| byte == b'/').next();
    let socket = event.peer.host.is_some_and(|host| host.contains(&b'/'));
    event.direction == Direction::Local || inside || socket || daemon == Some(b"lmtp")
}

/// Whether the line says that its message has just arrived.
fn is_fresh(event: &Event, line: &LogLine) -> bool {
    delivery_delays(event, line).iter().any(|(phase, time)| phase == Phase::Total && time < FRESH)
}
