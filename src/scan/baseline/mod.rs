//! Keeps what earlier runs counted by the hour in a file, and compares a report with what is usual.

pub(crate) mod compare;
pub(crate) mod error;
pub(crate) mod file;
pub(crate) mod history;

pub(crate) use self::compare::compare;
pub(crate) use self::error::BaselineError;
pub(crate) use self::file::{OpenBaseline, open};
pub(crate) use self::history::ReadSpan;
