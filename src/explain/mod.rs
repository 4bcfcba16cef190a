//! Answers `explain` and `compare` from the tables.

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
