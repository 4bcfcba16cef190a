//! Answers `explain` and `compare` from the tables.

mod advice;
pub mod brief;
mod code;
pub mod compare;
pub mod compare_side;
mod enhanced;
pub mod lookup;
pub mod phrases;
pub mod query;
mod reason;
mod sources;
pub mod suggest;
