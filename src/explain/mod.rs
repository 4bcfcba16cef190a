//! Answers `explain` and `compare` from the catalogue, and classifies single replies for callers of the library.
//!
//! Promises: never fails; what nothing matches gets an entry that says so and names what is similar. It reads no log files.
//! May use: catalog, parse, report, smtp.

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
pub(crate) mod routine;
pub(crate) mod sources;
pub(crate) mod suggest;
