//! People's names and addresses made unreadable: a report, an event or a line comes in, and a keyed hash stands for each.
//!
//! What prints text from a log passes it through one of these last of all: a line of log through `line`, a name of a known
//! kind through `address` or `host`, other words through `text`, a whole report through `report`.

mod hosts;
mod lines;
mod marks;
mod names;
mod shown;
mod storms;
mod told;

pub use marks::Redactor;
