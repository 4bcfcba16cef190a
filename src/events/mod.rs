//! Lists single events.

pub mod format;
pub mod writer;
