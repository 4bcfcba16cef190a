//! Input: names of files come in; blocks of whole lines go out, in parallel, and their answers back in order.

pub mod block;
mod plain;
pub mod set;
mod stream;
