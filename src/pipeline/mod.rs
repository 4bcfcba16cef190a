//! Turns blocks of a log into lines, events and facts about queues, and hands them to sinks in order.

pub(crate) mod calendar;
pub(crate) mod coverage;
pub(crate) mod duplicate;
pub(crate) mod error;
pub(crate) mod filter;
pub(crate) mod logs;
pub(crate) mod seek;
pub(crate) mod settle;
pub(crate) mod sink;
pub(crate) mod time_range;
pub(crate) mod walk;
