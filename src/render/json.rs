//! Answers as JSON: their fields as they are.

use serde::Serialize;

use super::sanitize::printable_json;

pub(crate) fn pretty(answer: &impl Serialize) -> String {
    ended(serde_json::to_string_pretty(answer).expect("an answer is plain data"))
}

/// One object on one line.
pub(crate) fn line(answer: &impl Serialize) -> String {
    ended(serde_json::to_string(answer).expect("an answer is plain data"))
}

fn ended(json: String) -> String {
    let mut json = printable_json(&json).unwrap_or(json);
    json.push('\n');
    json
}
