//! Samples a scan for storm detection: counts by minute, and a bounded sample of failures.
//!
//! Promises: a sample depends on the lines alone, not on threads, blocks or files. May use: what storm may use.

pub(crate) mod block_sample;
pub(crate) mod collector;
pub(crate) mod hash;
pub(crate) mod line_minutes;
pub(crate) mod marks;
pub(crate) mod merge;
pub(crate) mod open_message;
pub(crate) mod own_faults;
mod packed_events;
pub(crate) mod plan;
pub(crate) mod points;
pub(crate) mod samples;
pub(crate) mod series;
pub(crate) mod served_minutes;
pub(crate) mod shared_thresholds;
pub(crate) mod thresholds;
pub(crate) mod wire;
