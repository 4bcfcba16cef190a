//! Keeps what earlier runs counted by the hour in a file, and compares a report with what is usual.

mod error;
mod file;
mod history;
mod usual;

pub use error::BaselineError;
pub use file::{Opened, open};
pub use history::{History, Span};
pub use usual::compare;
