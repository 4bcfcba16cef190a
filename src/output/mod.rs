//! The looks of an answer, one file a format.

mod cron;
pub mod csv;
mod delays;
pub mod entry_codes;
pub mod entry_json;
pub mod entry_markdown;
mod entry_page;
pub mod entry_pair;
pub mod entry_text;
pub mod event_line;
mod groups;
pub mod html;
pub mod json;
pub mod line;
pub mod mail;
pub mod markdown;
pub mod page;
pub mod printable;
pub mod prometheus;
mod row_words;
mod rows;
mod sections;
mod sums;
pub mod text;
pub mod trace_raw;
pub mod trace_text;
mod who;
