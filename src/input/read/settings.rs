//! How a set of files is read, and how far the reading is.

use std::sync::atomic::AtomicU64;

/// How to read; no setting changes an answer.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    pub threads: usize,
    /// In bytes; a multiple of the page size is fastest.
    pub block_size: usize,
}

/// How far the reading is, for a progress bar; in bytes of the files as they lie on disk.
#[derive(Default, Debug)]
pub struct Progress {
    pub done: AtomicU64,
    pub total: AtomicU64,
}
