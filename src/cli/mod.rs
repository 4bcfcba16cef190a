//! The command line: arguments, configuration, and one file for each subcommand.

pub mod args;
pub mod catalog;
pub mod command;
pub mod config;
pub mod error;
pub mod exit;
pub mod filter;
pub mod follow;
pub mod input;
pub mod mail;
pub mod output;
pub mod progress;
pub mod redaction;
pub mod session;
pub mod spool;
pub mod state;
pub mod style;
pub mod terminal;
pub mod time;
pub mod unparsed;
pub mod verdict;
