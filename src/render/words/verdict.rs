//! Words the verdict: one sentence for each finding.

use crate::report::{Report, VerdictFinding, VerdictState};

/// `7.4% of messages bounced (alarm at 5%)`, `rate limited (google): 18,204 (usual 0)`. In English.
pub(crate) fn finding(finding: &VerdictFinding) -> String {
    let mut text = finding.what.clone();
    if !finding.value.is_empty() {
        text.push_str(": ");
        text.push_str(&finding.value);
    }
    if let Some(usual) = &finding.usual {
        text = format!("{text} (usual {usual})");
    }
    match &finding.text {
        Some(sentence) => sentence.clone(),
        None => text,
    }
}

/// The state of the report: `OK`, `WATCH` or `BAD`. `None`: no verdict was computed.
pub(crate) fn state(report: &Report) -> Option<&'static str> {
    Some(word(report.verdict.as_ref()?.state))
}

/// In English.
pub(crate) fn word(state: VerdictState) -> &'static str {
    match state {
        VerdictState::Ok => "OK",
        VerdictState::Watch => "WATCH",
        VerdictState::Bad => "BAD",
    }
}
