//! Watches logs that are being written: shows a screen that follows them, or prints alerts about storms.
//!
//! Promises: the same parsing, row keys and storms as `scan` and `storm`; memory does not grow with time.
//! May use: every folder but cli.

pub(crate) mod alerts;
pub(crate) mod draw;
pub(crate) mod keys;
pub(crate) mod log_clock;
pub(crate) mod minute;
pub(crate) mod monitor;
pub(crate) mod screen;
pub(crate) mod sparkline;
pub(crate) mod view;
pub(crate) mod window;
