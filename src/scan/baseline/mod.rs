//! Keeps what earlier runs counted by the hour in a file, and compares a report with what is usual.

pub mod compare;
mod error;
mod file;
mod history;

pub use self::compare::compare;
pub use self::error::BaselineError;
pub use self::file::{OpenBaseline, open};
pub use self::history::{History, ReadSpan};
