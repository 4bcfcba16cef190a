//! The verdict of a report and its comparison with a baseline, as the JSON prints them.

use schemars::JsonSchema;
use serde::Serialize;

use super::row::Change;
use crate::catalog::classify::Reason;
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::{Code, EnhancedCode};

/// The comparison of a report with its baseline.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Compared {
    /// Number of earlier periods that the usual counts are the median of; each is as long as the log that was read.
    pub samples: usize,
    /// The earlier periods lie whole weeks back; false: whole days, because there are too few weeks yet.
    pub same_weekday: bool,
    pub delivered: Change,
    pub deferred: Change,
    pub bounced: Change,
    pub expired: Change,
    pub refused: Change,
    /// Rows whose usual count is ten or more and that are missing this time.
    pub gone: Vec<MissingRow>,
}

/// A row that is missing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Gone")]
pub struct MissingRow {
    pub direction: Direction,
    pub outcome: Outcome,
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub reason: Option<Reason>,
    pub usual: f64,
}

/// A condition of `--fail-on` that is true.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Met")]
pub struct MetCondition {
    pub condition: String,
    /// The value that was compared: a count, a percentage, a count per hour, or seconds.
    pub value: f64,
    /// The same with its unit: `37.6%`, `2 h`.
    pub shown: String,
}

/// How bad a verdict or a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "State")]
pub enum VerdictState {
    Ok,
    Watch,
    Bad,
}

/// Whether all is well, and why not. The state is that of the worst finding.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Verdict {
    pub state: VerdictState,
    /// The period that was asked for has no mail line at its end, or none at all.
    pub silent: bool,
    /// The worst first; empty: all is well.
    pub findings: Vec<VerdictFinding>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub struct VerdictFinding {
    pub state: VerdictState,
    /// `421 4.7.28 rate limited`, `bounced>2%`.
    pub what: String,
    /// Its count or value: `18,204`, `3.1%`.
    pub value: String,
    /// The usual value, with the same unit; null: not known.
    pub usual: Option<String>,
    /// The finding in one sentence; null: `what`, `value` and `usual` say it.
    pub text: Option<String>,
    /// The index of its row in `rows`; null: it is not about a row.
    pub row: Option<usize>,
}
