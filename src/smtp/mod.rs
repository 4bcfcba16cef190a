//! Defines the vocabulary of SMTP: reply codes, classes and stages, and the event that a log line reports.
//!
//! Values exist only if they are valid. The folder imports no other.

pub(crate) mod event;
pub(crate) mod reply;
