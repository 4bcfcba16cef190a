//! Parses log lines: it removes wrappers, then parses the header, the timestamp and the text of each mail server.
//!
//! Parsing never fails and never panics: a line that no parser understands is [`mta::parsed::ParsedLine::Unread`] or
//! `Foreign`. The folder imports only from `smtp` and `simd`, and reads no files.

pub(crate) mod header;
pub(crate) mod header_cache;
pub(crate) mod log_text;
pub(crate) mod mta;
pub(crate) mod process_tag;
pub(crate) mod stamp_length;
pub(crate) mod timestamp;
pub(crate) mod unwrap;
pub(crate) mod year;
