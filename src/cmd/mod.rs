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
mod kept;
mod look;
pub mod man;
mod own_book;
mod page;
mod place;
pub mod scan;
pub mod schema;
mod times;
mod unparsed;
mod wanted;
