//! Parses log lines: header, timestamp, wrapper, and the text of each mail server.

pub mod header;
pub mod header_cache;
pub mod mta;
pub mod timestamp;
pub mod unwrap;
pub mod year;
