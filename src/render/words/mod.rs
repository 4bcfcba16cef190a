//! Words that several formats share: totals, rows, section titles, hours.

pub(crate) mod hours;
pub(crate) mod row;
pub(crate) mod sections;
pub(crate) mod totals;
