//! Turns blocks of logs into events and queue records, and passes them to sinks, one per thread.
//!
//! Results are folded in the order of the files, so they do not depend on the number of threads or the block size. The
//! folder imports only from `catalog`, `parse`, `input`, `collections`, `smtp` and `simd`.

pub(crate) mod calendar;
pub(crate) mod coverage;
pub(crate) mod duplicate;
pub(crate) mod filter;
pub(crate) mod seek;
pub(crate) mod sink;
pub(crate) mod time_range;
pub(crate) mod walk;
