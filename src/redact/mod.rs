//! People's names and addresses made unreadable: a report, an event or a line comes in, and a keyed hash stands for each.
//!
//! What prints text from a log passes it through one of these last of all: a line of log through `line`, a name of a known
//! kind through `address` or `host`, other words through `text`, a whole report through `report`.

pub(crate) mod host_names;
pub(crate) mod known_names;
pub(crate) mod pseudonym;
pub(crate) mod report;
pub(crate) mod storm;
pub(crate) mod text;
pub(crate) mod trace;

pub(crate) use self::pseudonym::Redactor;
