//! Provides words that several formats share: totals, rows, section titles, hours.
//!
//! Promises: one thing has one name in every format. May use: what render may use.

pub(crate) mod hours;
pub(crate) mod row;
pub(crate) mod sections;
pub(crate) mod totals;
