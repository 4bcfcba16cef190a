//! Renders documents as text for terminals and mail.

pub mod codes;
pub mod compare;
pub mod cron;
pub mod delays;
pub mod event;
pub mod explain;
pub mod explain_page;
pub mod groups;
pub mod names;
pub mod page;
pub mod rows;
pub mod scan;
pub mod sparkline;
pub mod storm;
pub mod storm_line;
pub mod trace;
pub mod trace_raw;
