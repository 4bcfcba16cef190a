//! Turns unusual rows into findings.

use std::cmp::Reverse;

use indicatif::HumanCount;

use crate::catalog::classify::{Reason, Retry};
use crate::catalog::{self, is_own_fault};
use crate::report::{Report, Row, VerdictFinding, VerdictState};
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::{Code, EnhancedCode};

/// Findings for the unusual failure rows, most attempts first.
pub(crate) fn unusual(report: &Report) -> Vec<VerdictFinding> {
    let rows = report.rows.iter().enumerate().filter(|(_, row)| is_failure(row));
    let unusual = rows.filter_map(|(at, row)| Some((at, row, row.change.filter(|change| change.unusual)?)));
    let mut unusual: Vec<_> = unusual.collect();
    unusual.sort_by_key(|(_, row, _)| Reverse(row.attempts));
    // The usual is that of a kind, which may have several rows: the first is the largest.
    let mut kinds: Vec<(UnusualKind, VerdictFinding)> = Vec::new();
    for (at, row, change) in unusual {
        let kind = (row.direction, row.outcome, row.code, row.enhanced, row.reason);
        let known = kinds.iter_mut().find(|(known, _)| *known == kind);
        if let Some((_, finding)) = known {
            finding.state = finding.state.max(state(row));
            continue;
        }
        let same = report
            .rows
            .iter()
            .filter(|of| (of.direction, of.outcome, of.code, of.enhanced, of.reason) == kind);
        let count: u64 = same.map(|of| of.attempts).sum();
        let finding = VerdictFinding {
            state: state(row),
            what: description(row, count),
            value: HumanCount(count).to_string(),
            usual: Some(HumanCount(change.usual.round() as u64).to_string()),
            text: None,
            row: Some(at),
        };
        kinds.push((kind, finding));
    }
    kinds.into_iter().map(|(_, finding)| finding).collect()
}

/// What the baseline counts: rows that differ in their cause are one kind.
type UnusualKind = (Direction, Outcome, Option<Code>, Option<EnhancedCode>, Option<Reason>);

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
    let is_bad = match row.direction {
        Direction::Inbound => row.reason.is_some_and(is_own_fault),
        Direction::Outbound | Direction::Local => {
            matches!(row.retryable, Some(Retry::FixOurs | Retry::SlowDown))
        }
    };
    if is_bad { VerdictState::Bad } else { VerdictState::Watch }
}

/// A description such as `421 4.7.28 rate limited (google)`. It names the cause and the provider only if they have at least half
/// of the attempts of the kind, `count`.
fn description(row: &Row, count: u64) -> String {
    let number = match (row.code, row.enhanced) {
        (Some(code), Some(enhanced)) => format!("{code} {enhanced}"),
        (Some(code), None) => code.to_string(),
        (None, Some(enhanced)) => format!("--- {enhanced}"),
        (None, None) => "(no code)".to_owned(),
    };
    let title = match row.reason {
        Some(reason) if row.attempts * 2 < count => &catalog::reason_row(reason).title,
        _ => &row.title,
    };
    let whole = row.providers.first().filter(|provider| provider.attempts * 2 >= count);
    match whole {
        Some(provider) => format!("{number} {title} ({})", provider.name),
        None => format!("{number} {title}"),
    }
}
