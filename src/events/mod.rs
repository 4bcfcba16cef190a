//! Lists single events: formats them in the threads that read blocks, and writes them in order.

pub(crate) mod format;
pub(crate) mod sink;
pub(crate) mod writer;
