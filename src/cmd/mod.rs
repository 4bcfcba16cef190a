//! The subcommands, one file each.

mod bar;
pub mod done;
pub mod events;
mod inputs;
pub mod scan;
