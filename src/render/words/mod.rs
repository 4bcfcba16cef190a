//! Turns parts of a report into the words and numbers that several formats share.
//!
//! Promises: one thing has one name in every format. May use: what render may use.

pub(crate) mod duration;
pub(crate) mod fault;
pub(crate) mod hours;
pub(crate) mod row;
pub(crate) mod sections;
pub(crate) mod totals;
pub(crate) mod verdict;
pub(crate) mod warnings;
