//! Parses log lines: header, timestamp, wrapper, and the text of each mail server.
//!
//! Promises: no input panics, nothing is allocated for a line, and what a line does not say stays `None`. Parsed parts
//! borrow from the line.
//! May use: simd, smtp.

pub(crate) mod form;
pub(crate) mod header;
pub(crate) mod header_cache;
pub(crate) mod log_level;
pub(crate) mod log_text;
pub(crate) mod mta;
pub(crate) mod process_tag;
pub(crate) mod stamp_length;
pub(crate) mod timestamp;
pub(crate) mod unwrap;
pub(crate) mod year;
