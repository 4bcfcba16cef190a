//! Input: names of files come in; blocks of whole lines go out, in parallel, and their answers back in order.

pub mod atomic_file;
pub mod block;
pub mod feed;
pub mod file_lock;
pub mod follow;
mod found;
pub mod journal;
pub mod listing;
pub mod mark;
mod open;
mod order;
mod packing;
mod pending;
pub mod plain;
mod queue;
mod raw;
pub mod resume;
mod rotation;
pub mod set;
pub mod settings;
pub mod source;
mod stream;
pub mod tail;
mod text;
mod twins;
mod unpacked;
