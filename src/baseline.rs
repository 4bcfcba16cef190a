//! Earlier runs: what they counted by the hour is kept in a file, and a report is compared with what is usual.

mod error;
mod file;
mod history;
mod usual;

pub use error::BaselineError;
pub use file::{Opened, open};
pub use history::{History, Span};
pub use usual::compare;
