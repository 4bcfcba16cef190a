//! Lists single events with what other lines say of their messages, for `smtplog events` and for callers of the library.
//!
//! Promises: events in the order of the lines, the same for any number of threads and any block size, in bounded memory.
//! May use: everything up to messages, redact, render and report; never scan, storm or trace.

pub(crate) mod context;
pub(crate) mod format;
pub(crate) mod library;
pub(crate) mod record;
pub(crate) mod writer;
