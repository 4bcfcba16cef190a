//! The looks of an answer, one file a format.

pub mod csv;
pub mod entry_codes;
pub mod entry_json;
pub mod entry_markdown;
mod entry_page;
pub mod entry_pair;
pub mod entry_text;
pub mod event_line;
mod groups;
mod hours;
pub mod html;
pub mod json;
pub mod markdown;
pub mod page;
pub mod printable;
pub mod prometheus;
mod row_words;
mod rows;
mod sections;
mod spark;
pub mod storm_text;
mod sums;
pub mod text;
