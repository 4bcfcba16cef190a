//! Words the verdict: one sentence for each finding.

use crate::report::{VerdictFinding, VerdictState};

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

/// In English.
pub(crate) fn word(state: VerdictState) -> &'static str {
    match state {
        VerdictState::Ok => "OK",
        VerdictState::Watch => "WATCH",
        VerdictState::Bad => "BAD",
    }
}
