//! Lists single events.

pub mod format;
