//! The looks of an answer, one file a format.

pub mod event_line;
pub mod printable;
