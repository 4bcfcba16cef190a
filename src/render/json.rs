//! Prints any document as JSON, and the rows of a report as NDJSON.

use serde::Serialize;

use super::sanitize::printable_json;
use crate::report::Report;

/// The rows of a report, or its groups if `--by` asked for them: one object per line.
pub(crate) fn rows(report: &Report) -> String {
    match &report.groups {
        Some(table) => table.rows.iter().map(line).collect(),
        None => report.rows.iter().map(line).collect(),
    }
}

/// The document over several lines, indented.
pub(crate) fn pretty(document: &impl Serialize) -> String {
    ended(serde_json::to_string_pretty(document).expect("plain data: no map with keys that are not strings"))
}

/// The document on one line.
pub(crate) fn line(document: &impl Serialize) -> String {
    ended(serde_json::to_string(document).expect("plain data: no map with keys that are not strings"))
}

/// Escapes what a terminal would obey, and ends the last line.
fn ended(json: String) -> String {
    let mut json = printable_json(&json).unwrap_or(json);
    json.push('\n');
    json
}
