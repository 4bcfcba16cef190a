//! The looks of an answer, one file a format.

pub mod entry_codes;
pub mod entry_json;
pub mod entry_markdown;
mod entry_page;
pub mod entry_pair;
pub mod entry_text;
pub mod event_line;
pub mod json;
pub mod page;
pub mod printable;
mod row_words;
mod rows;
mod sections;
mod sums;
pub mod text;
