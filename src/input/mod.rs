//! Reads logs in parallel: finds the files, decompresses them and cuts them into blocks of whole lines, and folds the
//! results in the order of the files. It knows bytes and files, never mail.

pub mod atomic_file;
pub mod checkpoint;
pub mod discover;
pub mod error;
pub mod file_lock;
pub mod follow;
pub mod journal;
pub mod read;
pub mod rotation;
pub mod same_content;
pub mod source;
