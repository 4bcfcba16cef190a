//! Reads logs in parallel: finds the files, decompresses them and cuts them into blocks of whole lines, and folds the
//! results in the order of the files. It knows bytes and files, never mail.

pub mod atomic_file;
mod begun;
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
pub mod rotation;
pub mod set;
pub mod settings;
mod siblings;
pub mod source;
mod stream;
pub mod tail;
mod text;
mod twins;
mod unpacked;
