//! Defines the vocabulary of SMTP: reply codes, classes and stages, and the event that a log line reports.
//!
//! Promises: a value exists only if it is valid. May use: no other folder.

pub(crate) mod delivery_result;
pub(crate) mod event;
pub(crate) mod reply;
pub(crate) mod side;
