//! A log that is being written: blocks of lines, keys and the passing of time come in; a screen, or news of storms, go out.
//!
//! All of it is made of what `scan` and `storm` are made of: the same reading, the same keys of rows, the same storms.

pub(crate) mod alerts;
pub(crate) mod draw;
pub(crate) mod keys;
pub(crate) mod log_clock;
pub(crate) mod minute;
pub(crate) mod monitor;
pub(crate) mod screen;
pub(crate) mod view;
pub(crate) mod window;
