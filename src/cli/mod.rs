//! Implements the program: arguments, configuration, subcommands, output and exit status.
//!
//! Promises: every option is declared once; errors, messages and the exit status are returned to `main.rs`, which alone
//! prints them. A file is replaced by complete output or not at all.
//! May use: every other folder.

pub(crate) mod args;
pub(crate) mod catalog;
pub(crate) mod command;
pub(crate) mod config;
pub(crate) mod error;
pub(crate) mod exit;
pub(crate) mod filter;
pub(crate) mod follow;
pub(crate) mod form;
pub(crate) mod hangup;
pub(crate) mod help;
pub(crate) mod input;
pub(crate) mod keyboard;
pub(crate) mod mail;
pub(crate) mod man_viewer;
pub(crate) mod output;
pub(crate) mod pager;
pub(crate) mod part;
pub(crate) mod part_files;
pub(crate) mod progress;
pub(crate) mod redaction;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod state;
pub(crate) mod style;
pub(crate) mod temp_copies;
pub(crate) mod terminal;
pub(crate) mod time;
pub(crate) mod unparsed;
pub(crate) mod verdict;
pub(crate) mod words;
