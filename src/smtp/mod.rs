//! The vocabulary of SMTP: reply codes, classes and stages, and the event that a log line reports.

pub mod event;
pub mod reply;
