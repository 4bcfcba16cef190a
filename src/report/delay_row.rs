//! The rows of `--delays`: how long delivered mail took.

use schemars::JsonSchema;
use serde::Serialize;

use crate::parse::mta::delay::Phase;
use crate::smtp::event::Direction;

/// Delays of the mail of one direction and provider. Times are accurate to 1 % and to a millisecond.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DelayRow {
    /// For inbound mail the phases are those of receiving a message.
    pub direction: Direction,
    /// Null: no provider of the catalogue.
    pub provider: Option<String>,
    /// Recipients whose delay was logged; for inbound mail, messages.
    pub deliveries: u64,
    pub phases: Vec<PhaseRow>,
    /// The phase with the highest 95th percentile. Null: only the total is known, or every phase took no time.
    pub slowest: Option<Phase>,
    /// What to look at. Null: the slowest phase took at most a second.
    pub advice: Option<&'static str>,
}

/// One phase of a delivery.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PhaseRow {
    pub phase: Phase,
    pub title: &'static str,
    pub count: u64,
    /// The median.
    pub median_seconds: f64,
    /// The 95th percentile.
    pub p95_seconds: f64,
    pub max_seconds: f64,
}
