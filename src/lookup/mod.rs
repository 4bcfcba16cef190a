//! Answers `explain` and `compare` from the tables.

mod advice;
pub mod asked;
pub mod brief;
mod code;
mod enhanced;
pub mod find;
mod near;
pub mod pair;
mod reason;
mod side;
mod sources;
mod words;
