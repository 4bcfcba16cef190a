//! Lists single events.

pub(crate) mod format;
pub(crate) mod record;
pub(crate) mod writer;
