//! Lists single events.

pub(crate) mod format;
pub(crate) mod writer;
