//! Renders documents as text for terminals and mail.
//!
//! Promises: tables fit the width, and control characters of a log are shown, not sent. May use: what render may use.

pub(crate) mod codes;
pub(crate) mod command_lines;
pub(crate) mod compare;
pub(crate) mod cron;
pub(crate) mod delays;
pub(crate) mod event;
pub(crate) mod explain;
pub(crate) mod explain_answer;
pub(crate) mod explain_page;
pub(crate) mod fault_table;
pub(crate) mod first_screen;
pub(crate) mod groups;
pub(crate) mod hosts;
pub(crate) mod names;
pub(crate) mod page;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod sparkline;
pub(crate) mod storm;
pub(crate) mod storm_line;
pub(crate) mod trace;
pub(crate) mod warnings;
