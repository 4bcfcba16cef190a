//! The set of files of one run, read by all threads; what they make of it is folded in the order of the files.

use std::sync::atomic::AtomicU64;

use super::block::Block;
pub use super::order::Held;
use super::queue::Queue;
pub use super::source::Source;
use crate::error::Error;

/// How it is read; nothing of it changes an answer.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub threads: usize,
    /// In bytes; a page's multiple is fastest.
    pub block_size: usize,
}

/// How far the reading is, for whoever shows it; in bytes of the files as they lie on disk.
#[derive(Default, Debug)]
pub struct Progress {
    pub done: AtomicU64,
    pub total: AtomicU64,
}

/// What came of reading a set: each worker's state, and what could not be read.
pub struct Worked<W> {
    pub workers: Vec<W>,
    pub problems: Vec<Error>,
}

/// Reads all files. Each worker is made by `new` and works on blocks in whatever order they come; `fold` gets
/// what `work` gave back in the order of the files.
pub fn each_block<W: Send, H: Send + Held>(
    sources: &[Source],
    manner: Manner,
    progress: &Progress,
    new: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &Block) -> H + Sync,
    fold: impl FnMut(H) + Send,
) -> Result<Worked<W>, Error> {
    let queue = Queue::new(sources, manner, progress, fold);
    let run = || {
        let mut worker = new();
        queue.work(|block| work(&mut worker, block));
        worker
    };
    let workers = if manner.threads <= 1 {
        vec![run()]
    } else {
        rayon::ThreadPoolBuilder::new()
            .num_threads(manner.threads)
            .build()
            .map_err(|source| Error::Threads { threads: manner.threads, source })?
            .broadcast(|_| run())
    };
    Ok(Worked { workers, problems: queue.problems() })
}
