//! Makes the report of `smtplog scan`: counts events, merges the counts, builds rows, notes, baseline and verdict.
//!
//! Promises: the same report for any number of threads and any block size; what is estimated or cut off has a note.
//! May use: every folder below it (messages, tally, pipeline, report and lower), never storm, trace or events.

pub(crate) mod advice;
pub(crate) mod baseline;
pub(crate) mod count_plan;
pub(crate) mod counted_part;
pub(crate) mod counter;
pub(crate) mod delays;
pub(crate) mod failing_domains;
pub(crate) mod far_lines;
mod fault_lines;
pub(crate) mod groups;
pub(crate) mod host_difference;
pub(crate) mod host_rows;
pub(crate) mod input;
pub(crate) mod library;
pub(crate) mod messages;
pub(crate) mod names;
pub(crate) mod notes;
pub(crate) mod options;
mod own_network;
pub(crate) mod pending_hops;
mod postponed;
pub(crate) mod redacted;
pub(crate) mod rows;
pub(crate) mod sections;
pub(crate) mod summary;
pub(crate) mod totals;
mod trend;
pub(crate) mod verdict;
pub(crate) mod warnings;
