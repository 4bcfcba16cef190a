//! The subcommands, one file each.

pub mod done;
pub mod events;
mod inputs;
