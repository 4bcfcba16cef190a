//! Turns blocks of a log into lines, events and facts about queues, and hands them to sinks in order.

pub mod calendar;
pub mod coverage;
pub mod duplicate;
pub mod filter;
pub mod seek;
pub mod sink;
pub mod time_range;
pub mod walk;
