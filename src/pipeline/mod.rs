//! Turns blocks of a log into lines, events and facts about queues, and hands them to sinks in order.

pub(crate) mod calendar;
pub(crate) mod coverage;
pub(crate) mod duplicate;
pub(crate) mod filter;
pub(crate) mod seek;
pub(crate) mod sink;
pub(crate) mod time_range;
pub(crate) mod walk;
