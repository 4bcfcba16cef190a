//! Replaces the names and addresses of people by keyed hashes, in reports, events and lines.
//!
//! Promises: equal names get equal hashes under one key, and domains stay. Redaction is the last step before an answer is
//! rendered: a line passes through `line`, a name of a known kind through `address` or `host`, other words through `text`,
//! a whole report through `report`.
//! May use: parse, pipeline, report, smtp.

pub(crate) mod home_folders;
pub(crate) mod host_names;
pub(crate) mod known_names;
pub(crate) mod pseudonym;
pub(crate) mod report;
pub(crate) mod storm;
pub(crate) mod text;
pub(crate) mod trace;

pub use self::pseudonym::Redactor;
