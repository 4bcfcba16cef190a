//! The report of `smtplog scan`: counting, merging, rows, notes, baseline and verdict.

pub(crate) mod baseline;
pub(crate) mod counter;
pub(crate) mod delays;
pub(crate) mod groups;
pub(crate) mod library;
pub(crate) mod messages;
pub(crate) mod names;
pub(crate) mod notes;
pub(crate) mod pending_hops;
pub(crate) mod summary;
pub(crate) mod verdict;
