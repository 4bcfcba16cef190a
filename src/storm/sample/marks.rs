//! Finds out what else matters about an event: who can help, and where the other side is.

use crate::catalog::{Retry, reason_row};
use crate::parse::header::LogLine;
use crate::parse::mta::delay::Phase;
use crate::parse::mta::delivery_delays;
use crate::pipeline::sink::LoggedEvent;
use crate::smtp::event::{Direction, Event, Mta, Outcome};
use crate::smtp::side::is_private;

/// Most milliseconds from the arrival of a message to a first attempt.
const FRESH: u64 = 5 * 60 * 1000;

/// Whether only a change to this server, its DNS or its accounts helps.
pub(super) fn is_ours(logged: &LoggedEvent) -> bool {
    let class = logged.event.class();
    let retry = |reason| reason_row(reason).retry(class);
    logged
        .verdict
        .is_some_and(|verdict| verdict.retry.unwrap_or_else(|| retry(verdict.reason)) == Retry::FixOurs)
}

/// Whether the other side is a part of this server's own mail system: `private/dovecot-lmtp`, 127.0.0.1:10024, 10.0.0.5, or
/// a socket (`Failed to connect to socket /run/dovecot/lmtp` of Exim).
pub(super) fn is_near(event: &Event, line: &LogLine) -> bool {
    let inside = event.peer.ip.is_some_and(is_private);
    let daemon = line.program.rsplit(|&byte| byte == b'/').next();
    let socket = event.peer.host.is_some_and(|host| host.contains(&b'/'));
    // Exim names no host where a transport hands over to a socket or a program.
    let no_host = event.peer.host.is_none() && event.peer.ip.is_none();
    let outbound = event.direction == Direction::Outbound;
    let handed_over = no_host && outbound && event.outcome == Outcome::Delivered;
    let no_socket = no_host && outbound && memchr::memmem::find(event.text, b" socket /").is_some();
    event.direction == Direction::Local
        || inside
        || socket
        || handed_over
        || no_socket
        || daemon == Some(b"lmtp")
}

/// Whether the line says that its message has just arrived.
pub(super) fn is_fresh(mta: Mta, line: &LogLine) -> bool {
    delivery_delays(mta, line).iter().any(|(phase, time)| phase == Phase::Total && time < FRESH)
}
