//! Reads the set of files of one run with several threads and folds their results in the order of the files.
//!
//! Promises: memory is bounded by threads and block size, also if one file is slow. May use: input/source, input/error and
//! input/journal.

pub(crate) mod block;
pub(crate) mod compression;
pub(crate) mod decompress;
pub(crate) mod open;
pub(crate) mod peek;
pub(crate) mod reorder;
pub(crate) mod scheduler;
pub(crate) mod seekable;
pub(crate) mod settings;
pub(crate) mod stream;

use self::block::Block;
pub(crate) use self::reorder::HeapSize;
use self::scheduler::Scheduler;
pub(crate) use self::settings::{Progress, ReadOptions};
use super::error::InputError;
pub(crate) use super::source::Source;

/// The result of reading a set: the state of each worker, and the errors.
pub(crate) struct WorkResult<W> {
    pub workers: Vec<W>,
    pub problems: Vec<InputError>,
}

/// Reads all files. `new` makes a worker's state; `work` gets blocks in any order; `fold` gets its results in the order of
/// the files.
pub(crate) fn each_block<W: Send, H: Send + HeapSize>(
    sources: &[Source],
    manner: ReadOptions,
    progress: &Progress,
    new: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &Block) -> H + Sync,
    fold: impl FnMut(H) + Send,
) -> Result<WorkResult<W>, InputError> {
    let queue = Scheduler::new(sources, manner, progress, fold);
    let run = || {
        let mut worker = new();
        queue.work(|block| work(&mut worker, block));
        worker
    };
    let workers =
        if manner.threads <= 1 { vec![run()] } else { thread_pool(manner.threads)?.broadcast(|_| run()) };
    Ok(WorkResult { workers, problems: queue.problems() })
}

/// Threads of their own for one piece of work.
pub(crate) fn thread_pool(threads: usize) -> Result<rayon::ThreadPool, InputError> {
    let built = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    built.map_err(|source| InputError::Threads { threads, source })
}
