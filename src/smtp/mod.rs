//! The vocabulary of SMTP: reply codes, classes and stages, and the event that a log line reports.

pub(crate) mod event;
pub(crate) mod reply;
