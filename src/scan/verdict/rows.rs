//! Turns unusual rows into findings.

use std::cmp::Reverse;

use indicatif::HumanCount;

use crate::catalog::classify::Retry;
use crate::report::{Report, Row, VerdictFinding, VerdictState};
use crate::smtp::event::{Direction, Outcome};

/// Findings for the unusual failure rows, most attempts first.
pub(crate) fn unusual(report: &Report) -> Vec<VerdictFinding> {
    let rows = report.rows.iter().enumerate().filter(|(_, row)| is_failure(row));
    let unusual = rows.filter_map(|(at, row)| Some((at, row, row.change.filter(|change| change.unusual)?)));
    let mut unusual: Vec<_> = unusual.collect();
    unusual.sort_by_key(|(_, row, _)| Reverse(row.attempts));
    let finding = |(at, row, change): (usize, &Row, crate::report::Change)| VerdictFinding {
        state: state(row),
        what: description(row),
        value: HumanCount(row.attempts).to_string(),
        usual: Some(HumanCount(change.usual.round() as u64).to_string()),
        text: None,
        row: Some(at),
    };
    unusual.into_iter().map(finding).collect()
}

/// The outcome is a failure that a total counts.
fn is_failure(row: &Row) -> bool {
    match row.outcome {
        Outcome::Deferred | Outcome::Bounced | Outcome::Expired | Outcome::Rejected => true,
        Outcome::Delivered
        | Outcome::Attempt
        | Outcome::Probe
        | Outcome::Warned
        | Outcome::Held
        | Outcome::Discarded => false,
    }
}

/// Bad is what does not improve until somebody here acts: our mail that is limited or rejected because of us, and mail
/// that we reject because of our own fault. Rejections of strangers are the strangers' problem.
fn state(row: &Row) -> VerdictState {
    match (row.direction, row.retryable) {
        (_, Some(Retry::FixOurs)) | (Direction::Outbound | Direction::Local, Some(Retry::SlowDown)) => {
            VerdictState::Bad
        }
        _ => VerdictState::Watch,
    }
}

/// A description such as `421 4.7.28 rate limited (google)`. It names the provider only if the provider has at least
/// half of the attempts.
fn description(row: &Row) -> String {
    let number = match (row.code, row.enhanced) {
        (Some(code), Some(enhanced)) => format!("{code} {enhanced}"),
        (Some(code), None) => code.to_string(),
        (None, Some(enhanced)) => format!("--- {enhanced}"),
        (None, None) => "(no code)".to_owned(),
    };
    let whole = row.providers.first().filter(|provider| provider.attempts * 2 >= row.attempts);
    match whole {
        Some(provider) => format!("{number} {} ({})", row.title, provider.name),
        None => format!("{number} {}", row.title),
    }
}
