//! Integration tests: one binary, one module for each subject. Tests of one module are run by its name:
//! `cargo test --test it trace::`.

// A table of cases is as long as it has cases, and a test of a whole run tells it in order.
#![allow(clippy::too_many_lines)]

mod advice;
mod architecture;
mod book;
mod cli;
mod config;
mod context;
mod corpus;
mod customer;
mod dates;
mod delays;
mod documents;
mod earlier_cause;
mod explain;
mod filters;
mod first_screen;
mod fixtures;
mod fleet;
mod forged;
mod formats;
mod forms;
mod fuzz;
mod hosts;
mod html;
mod kills;
mod language;
mod ledger;
mod library;
mod lines;
mod loggen;
mod other_servers;
mod output;
mod pages;
mod parameters;
mod part_redact;
mod parts;
mod picture;
mod properties;
mod redact;
mod reply_kinds;
mod rotations;
mod same_advice;
mod schema;
mod session_login;
mod sets;
mod silence;
mod state;
mod storm;
mod storm_faults;
mod storm_parts;
mod storm_words;
mod storms;
mod support;
mod terminal;
mod trace;
mod verdict;
mod watch;
mod who;
mod windows;
