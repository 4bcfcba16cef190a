//! Renders an event as one line of text: time, outcome, code, peer, recipient, reply.

use super::page::word;
use crate::render::sanitize::printable;
use crate::report::event::Record;

pub(crate) fn show(record: &Record) -> String {
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
    let line = format!("{time}  {outcome:<9}  {number:<10}  {peer}  {recipient}  {}", record.text);
    printable(line.trim_end())
}
