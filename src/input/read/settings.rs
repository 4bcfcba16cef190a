//! Defines how a set of files is read, and the progress of reading.

use std::sync::atomic::AtomicU64;

/// How to read. No option changes the result.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    pub threads: usize,
    /// In bytes; a multiple of the page size is fastest.
    pub block_size: usize,
}

/// The progress of reading, in bytes on disk.
#[derive(Default, Debug)]
pub struct Progress {
    pub done: AtomicU64,
    pub total: AtomicU64,
}
