//! Samples a scan for storm detection: counts by minute, and a bounded sample of failures.
//!
//! Promises: samples of blocks merge in any order to the same result. May use: what storm may use.

pub(crate) mod block_sample;
pub(crate) mod collector;
pub(crate) mod merge;
pub(crate) mod points;
pub(crate) mod series;
