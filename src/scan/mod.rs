//! The report of `smtplog scan`: counting, merging, rows, notes, baseline and verdict.

pub mod baseline;
pub mod counter;
pub mod delays;
pub mod groups;
pub mod messages;
pub mod names;
pub mod notes;
pub mod pending_hops;
pub mod summary;
pub mod verdict;
