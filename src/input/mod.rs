//! Reads logs in parallel: finds the files, decompresses them and cuts them into blocks of whole lines, and folds the
//! results in the order of the files.
//!
//! Promises: each line once, whatever the block size and the number of threads; a damaged file is read up to the damage.
//! It knows bytes and files, never mail.
//! May use: simd.

pub(crate) mod atomic_file;
pub(crate) mod checkpoint;
pub(crate) mod discover;
pub(crate) mod error;
pub(crate) mod file_lock;
pub(crate) mod follow;
pub(crate) mod host_pattern;
pub(crate) mod journal;
pub(crate) mod planted;
pub(crate) mod read;
pub(crate) mod regular_file;
pub(crate) mod rotation;
pub(crate) mod same_content;
pub(crate) mod source;
pub(crate) mod stop_point;
