//! Answers `explain` and `compare`: turns a question into an entry or a comparison.
//!
//! The folder promises an answer to any text; an unknown one gets an entry with the nearest suggestions. It reads the
//! tables of `catalog`, parses lines with `parse`, and fills the documents of `report::explain`.

pub(crate) mod advice;
pub(crate) mod brief;
pub(crate) mod code;
pub(crate) mod compare;
pub(crate) mod compare_side;
pub(crate) mod enhanced;
pub(crate) mod lookup;
pub(crate) mod phrases;
pub(crate) mod query;
pub(crate) mod reason;
pub(crate) mod sources;
pub(crate) mod suggest;
