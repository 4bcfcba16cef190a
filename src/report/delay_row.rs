//! How long delivered mail took, in the report.

use schemars::JsonSchema;
use serde::Serialize;

use crate::parse::mta::delay::Phase;
use crate::smtp::event::Direction;

/// Mail of one provider. Times are off by less than one hundredth, and by a millisecond.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DelayRow {
    /// inbound: how long messages took to be received.
    pub direction: Direction,
    /// Null: nobody that the book has.
    pub provider: Option<String>,
    /// Of which a time was logged: recipients, and of inbound mail messages.
    pub deliveries: u64,
    pub phases: Vec<PhaseRow>,
    /// The phase of which 95 of 100 took longest. Null: there is the total alone, or it took no time.
    pub slowest: Option<Phase>,
    /// What to look at. Null: a second at most.
    pub advice: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PhaseRow {
    pub phase: Phase,
    pub title: &'static str,
    pub count: u64,
    /// Half of them took no longer.
    pub median_seconds: f64,
    /// 95 of 100 took no longer.
    pub p95_seconds: f64,
    pub max_seconds: f64,
}
