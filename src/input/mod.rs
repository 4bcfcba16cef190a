//! Input: names of files come in; blocks of whole lines go out, in parallel, and their answers back in order.

pub mod block;
mod found;
pub mod journal;
pub mod listing;
pub mod mark;
mod open;
mod order;
mod packing;
pub mod plain;
mod queue;
mod raw;
pub mod resume;
mod rotation;
pub mod set;
pub mod source;
mod stream;
mod text;
mod twins;
mod unpacked;
