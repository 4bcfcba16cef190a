//! The verdict of a report and its comparison with a baseline, as the JSON prints them.

use schemars::JsonSchema;
use serde::Serialize;

use super::row::Change;
use crate::catalog::classify::Reason;
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::{Code, EnhancedCode};

/// What a report was compared with.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Compared {
    /// Earlier stretches of time that the usual rests on; each is as long as what was read.
    pub samples: usize,
    /// They lie whole weeks back; false: whole days, since there are too few weeks yet.
    pub same_weekday: bool,
    pub delivered: Change,
    pub deferred: Change,
    pub bounced: Change,
    pub expired: Change,
    pub refused: Change,
    /// What usually comes ten times or more and did not come at all.
    pub gone: Vec<MissingRow>,
}

/// A kind of row that is missing.
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

/// A condition that is true.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Met")]
pub struct MetCondition {
    pub condition: String,
    /// What it came to: a count, a percentage, a count in an hour, or seconds.
    pub value: f64,
    /// The same in words: `37.6%`, `2 h`.
    pub shown: String,
}

/// How things are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "State")]
pub enum VerdictState {
    Ok,
    Watch,
    Bad,
}

/// How things are, and why. The worst finding is the state.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Verdict {
    pub state: VerdictState,
    /// The worst first; empty: all is well.
    pub findings: Vec<VerdictFinding>,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub struct VerdictFinding {
    pub state: VerdictState,
    /// `421 4.7.28 rate limited`, `bounced>2%`.
    pub what: String,
    /// How much of it there is: `18,204`, `3.1%`.
    pub value: String,
    /// What is usual, in the same words; null: nobody knows.
    pub usual: Option<String>,
    /// Its place among `rows`; null: it is no row.
    pub row: Option<usize>,
}
