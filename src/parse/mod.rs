//! Parses log lines: header, timestamp, wrapper, and the text of each mail server.

pub(crate) mod header;
pub(crate) mod header_cache;
pub(crate) mod mta;
pub(crate) mod timestamp;
pub(crate) mod unwrap;
pub(crate) mod year;
