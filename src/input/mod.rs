//! Reads logs in parallel: finds the files, decompresses them, cuts them into blocks of whole lines, and folds the results
//! in the order of the files. It knows bytes and files, never mail.

pub(crate) mod atomic_file;
pub(crate) mod checkpoint;
pub(crate) mod discover;
pub(crate) mod error;
pub(crate) mod file_lock;
pub(crate) mod follow;
pub(crate) mod journal;
pub(crate) mod read;
pub(crate) mod rotation;
pub(crate) mod same_content;
pub(crate) mod source;
