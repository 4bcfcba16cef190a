//! Turns parts of a report into the words and numbers that several formats share.

pub(crate) mod duration;
pub(crate) mod hours;
pub(crate) mod row;
pub(crate) mod sections;
pub(crate) mod totals;
