//! Rows that are not as usual, each as a finding.

use std::cmp::Reverse;

use indicatif::HumanCount;

use crate::catalog::classify::Retry;
use crate::report::{Report, Row, VerdictFinding, VerdictState};
use crate::smtp::event::{Direction, Outcome};

/// The most attempts first.
pub(crate) fn unusual(report: &Report) -> Vec<VerdictFinding> {
    let rows = report.rows.iter().enumerate().filter(|(_, row)| is_failure(row));
    let unusual = rows.filter_map(|(at, row)| Some((at, row, row.change.filter(|change| change.unusual)?)));
    let mut unusual: Vec<_> = unusual.collect();
    unusual.sort_by_key(|(_, row, _)| Reverse(row.attempts));
    let finding = |(at, row, change): (usize, &Row, crate::report::Change)| VerdictFinding {
        state: state(row),
        what: what(row),
        value: HumanCount(row.attempts).to_string(),
        usual: Some(HumanCount(change.usual.round() as u64).to_string()),
        row: Some(at),
    };
    unusual.into_iter().map(finding).collect()
}

/// Good news are none, and what was only tried is in no sum.
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

/// Bad is what gets no better until somebody here does something: our own mail that is limited or refused because of us,
/// and mail that we refuse because of a fault of ours. What strangers are refused for is theirs.
fn state(row: &Row) -> VerdictState {
    match (row.direction, row.retryable) {
        (_, Some(Retry::FixOurs)) | (Direction::Outbound | Direction::Local, Some(Retry::SlowDown)) => {
            VerdictState::Bad
        }
        _ => VerdictState::Watch,
    }
}

/// `421 4.7.28 rate limited`, with the provider if it is one: `421 4.7.28 google`.
fn what(row: &Row) -> String {
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
