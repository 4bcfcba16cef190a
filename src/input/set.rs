//! The set of files of one run, read by all threads; what they make of it is folded in the order of the files.

use super::block::Block;
pub use super::order::Held;
use super::queue::Queue;
pub use super::settings::{Manner, Progress};
pub use super::source::Source;
use crate::error::InputError;

/// What came of reading a set: each worker's state, and what could not be read.
pub struct Worked<W> {
    pub workers: Vec<W>,
    pub problems: Vec<InputError>,
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
) -> Result<Worked<W>, InputError> {
    let queue = Queue::new(sources, manner, progress, fold);
    let run = || {
        let mut worker = new();
        queue.work(|block| work(&mut worker, block));
        worker
    };
    let workers =
        if manner.threads <= 1 { vec![run()] } else { thread_pool(manner.threads)?.broadcast(|_| run()) };
    Ok(Worked { workers, problems: queue.problems() })
}

/// Threads of their own for one piece of work.
pub fn thread_pool(threads: usize) -> Result<rayon::ThreadPool, InputError> {
    let built = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    built.map_err(|source| InputError::Threads { threads, source })
}
