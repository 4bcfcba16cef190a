//! Samples a scan for storm detection: counts by minute, and a bounded sample of failures.

pub mod block_sample;
pub mod collector;
pub mod merge;
pub mod points;
pub mod series;
