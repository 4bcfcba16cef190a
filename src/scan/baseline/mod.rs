//! Keeps what earlier runs counted in each hour in a file, and compares a report with what is usual.
//!
//! Promises: a file that is damaged is an error and stays as it is; two runs at once do not mix. May use: what scan may use.

pub(crate) mod compare;
pub(crate) mod error;
pub(crate) mod file;
pub(crate) mod history;

pub(crate) use self::compare::compare;
pub(crate) use self::error::BaselineError;
pub(crate) use self::file::{OpenBaseline, lock_path, open};
pub(crate) use self::history::ReadSpan;
