//! Input: names of files come in; blocks of whole lines go out, in parallel, and their answers back in order.

pub mod block;
pub mod journal;
pub mod listing;
mod open;
mod order;
mod packing;
pub mod plain;
mod queue;
mod raw;
mod rotation;
pub mod set;
pub mod source;
mod stream;
mod twins;
mod unpacked;
