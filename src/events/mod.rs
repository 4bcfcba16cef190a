//! Lists single events.

pub(crate) mod context;
pub(crate) mod format;
pub(crate) mod library;
pub(crate) mod record;
pub(crate) mod writer;
