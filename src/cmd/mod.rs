//! The subcommands, one file each.

mod bar;
pub mod codes;
pub mod compare;
pub mod completions;
mod counter;
pub mod done;
pub mod events;
pub mod explain;
mod inputs;
mod judging;
mod kept;
mod look;
mod mailing;
pub mod man;
mod own_book;
mod page;
mod place;
mod redaction;
pub mod scan;
pub mod schema;
mod spool;
pub mod storm;
mod times;
pub mod trace;
mod unparsed;
mod unsure;
mod wanted;
