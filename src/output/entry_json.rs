//! Answers as JSON: their fields as they are.

use serde::Serialize;

pub fn pretty(answer: &impl Serialize) -> String {
    let mut json = serde_json::to_string_pretty(answer).expect("an answer is plain data");
    json.push('\n');
    json
}

/// One object on one line.
pub fn line(answer: &impl Serialize) -> String {
    let mut json = serde_json::to_string(answer).expect("an answer is plain data");
    json.push('\n');
    json
}
