//! A log that is being written: blocks of lines, keys and the passing of time come in; a screen, or news of storms, go out.
//!
//! All of it is made of what `scan` and `storm` are made of: the same reading, the same keys of rows, the same storms.

pub mod alerts;
pub mod draw;
pub mod keys;
pub mod log_clock;
pub mod minute;
pub mod monitor;
pub mod screen;
pub mod sparkline;
pub mod view;
pub mod window;
