//! Renders an event as one line of text: time, outcome, code, peer, recipient, reply.

use anstyle::{AnsiColor, Style};

use super::page::word;
use crate::render::sanitize::printable;
use crate::report::event::Record;
use crate::smtp::event::Outcome;

/// `is_colored`: the outcome is coloured, and everything from the log is printable all the same.
pub(crate) fn show(record: &Record, is_colored: bool) -> String {
    let time = record.time.as_deref().unwrap_or("-");
    // To the second; NDJSON has fractions and the zone.
    let time = time.get(..19).unwrap_or(time).replace('T', " ");
    let outcome = word(&record.outcome);
    let number = match (record.code, record.enhanced) {
        (Some(code), Some(enhanced)) => format!("{code} {enhanced}"),
        (Some(code), None) => code.to_string(),
        (None, Some(enhanced)) => format!("--- {enhanced}"),
        (None, None) => "---".to_owned(),
    };
    let peer = record.peer_host.as_deref().or(record.peer_ip.as_deref()).unwrap_or("-");
    let recipient = record.recipient.as_deref().unwrap_or("-");
    let outcome = format!("{outcome:<9}");
    let outcome = match color(record.outcome).filter(|_| is_colored) {
        Some(color) => format!("{color}{outcome}{color:#}"),
        None => outcome,
    };
    let (time, rest) = (printable(&time), format!("{number:<10}  {peer}  {recipient}  {}", record.text));
    format!("{time}  {outcome}  {}", printable(rest.trim_end()))
}

/// Red: the mail did not arrive and will not; yellow: it waits; green: it arrived.
fn color(outcome: Outcome) -> Option<Style> {
    match outcome {
        Outcome::Delivered => Some(AnsiColor::Green.on_default()),
        Outcome::Bounced | Outcome::Expired | Outcome::Rejected => Some(AnsiColor::Red.on_default()),
        Outcome::Deferred | Outcome::Attempt | Outcome::Warned | Outcome::Held => {
            Some(AnsiColor::Yellow.on_default())
        }
        Outcome::Discarded | Outcome::Probe => None,
    }
}
