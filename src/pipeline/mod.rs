//! Turns blocks of logs into lines, events and records of the queue, and passes them to sinks.
//!
//! Promises: each line is parsed once and counted once; dates are inferred from the order of the lines; a sink gets the
//! lines of a block in order, and its results are folded in the order of the files. It does not know who listens.
//! May use: catalog, collections, input, parse, simd, smtp.

pub(crate) mod assumed_hosts;
pub(crate) mod block_result;
pub(crate) mod calendar;
pub(crate) mod coverage;
pub(crate) mod dates;
pub(crate) mod duplicate;
pub(crate) mod earlier_cause;
pub(crate) mod error;
pub(crate) mod filter;
pub(crate) mod line_context;
pub(crate) mod lines;
pub(crate) mod logs;
pub(crate) mod paired;
pub(crate) mod pattern;
pub(crate) mod reason_pattern;
pub(crate) mod seek;
pub(crate) mod session_peer;
pub(crate) mod session_record;
pub(crate) mod settle;
pub(crate) mod sink;
pub(crate) mod time_range;
pub(crate) mod walk;
