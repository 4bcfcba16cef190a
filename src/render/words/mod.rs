//! Words that several formats share: totals, rows, section titles, hours.

pub mod hours;
pub mod row;
pub mod sections;
pub mod totals;
