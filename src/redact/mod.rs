//! People's names and addresses made unreadable: a report, an event or a line comes in, and a keyed hash stands for each.
//!
//! What prints text from a log passes it through one of these last of all: a line of log through `line`, a name of a known
//! kind through `address` or `host`, other words through `text`, a whole report through `report`.

pub mod host_names;
pub mod known_names;
pub mod pseudonym;
pub mod report;
pub mod storm;
pub mod text;
pub mod trace;

pub use self::pseudonym::Redactor;
