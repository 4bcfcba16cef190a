//! The looks of an answer, one file a format.

pub mod event_line;
pub mod json;
pub mod printable;
mod sections;
pub mod text;
