//! Defines how a set of files is read, and the progress of reading.

use std::num::NonZero;
use std::sync::atomic::AtomicU64;

use crate::input::source::Source;

/// How to read; no setting changes an answer.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    pub threads: usize,
    /// In bytes; a multiple of the page size is fastest.
    pub block_size: usize,
}

/// No more threads are started than this, or than there are cores: each has its own tables, and 5,000 threads took a
/// minute for a small log.
const MOST_THREADS: usize = 64;

/// In bytes: one thread reads files up to this total size, because a second would start too late to help.
const SMALL: u64 = 2 << 20;

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

impl ReadOptions {
    /// `bytes` is the size of all sources on disk. `threads`: `None` is one for each core, or one alone for small files.
    pub(crate) fn for_sources(
        sources: &[Source],
        bytes: u64,
        threads: Option<usize>,
        block_size: usize,
    ) -> Self {
        let known = sources.iter().all(Source::can_be_read_again);
        let threads = threads.unwrap_or_else(|| if known && bytes <= SMALL { 1 } else { cores() });
        // Cores are asked for only where it matters: it costs some calls to the system.
        let most = if threads <= MOST_THREADS { MOST_THREADS } else { cores().max(MOST_THREADS) };
        Self { threads: threads.clamp(1, most), block_size: block_size.max(1) }
    }
}

/// How far the reading is, for a progress bar; in bytes of the files as they lie on disk.
#[derive(Default, Debug)]
pub struct Progress {
    pub done: AtomicU64,
    pub total: AtomicU64,
}
