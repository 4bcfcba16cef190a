//! Schedules the reading of a set: hands out blocks to workers, the earliest first, and folds their answers in the order of
//! the files.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::block::{Block, Buffer, Extent};
use super::open::{OpenedSource, open};
use super::reorder::{BlockAnswer, BlockId, HeapSize, ReorderBuffer};
use super::seekable::SeekableFile;
use super::settings::{Progress, ReadOptions};
use super::stream::Stream;
use crate::input::error::InputError;
use crate::input::source::Source;

/// How many times longer the blocks of a stream are, so that waiting workers are woken less often. A gzipped log of 100 MiB
/// took 5 % less time with blocks of 1 MiB than of 256 KiB, and no less with 4 MiB.
const STREAMED: usize = 4;

/// One mutex guards everything that is shared. It is never held while a file is opened, read or decompressed, nor while an
/// answer is folded. A worker that holds a stream is its only reader. Answering never waits, so the worker on the block
/// that is to be folded next always finishes, and there is no deadlock.
pub(crate) struct Scheduler<'a, H, F> {
    sources: &'a [Source],
    options: ReadOptions,
    progress: &'a Progress,
    state: Mutex<SchedulerState<H, F>>,
    /// Signalled when there may be work again.
    work_available: Condvar,
}

struct SchedulerState<H, F> {
    /// The next file to open.
    file: usize,
    /// By number. There are never more than workers, since the next file is opened only when a worker holds each of these.
    opened: BTreeMap<usize, ActiveSource>,
    waiting: ReorderBuffer<H>,
    /// `None`: a worker is folding.
    fold: Option<F>,
    /// With the block that each concerns.
    problems: Vec<(BlockId, InputError)>,
}

struct ActiveSource {
    /// The number of its next block.
    block: u64,
    rest: SourceState,
}

enum SourceState {
    Plain(Arc<SeekableFile>),
    Stream(Box<Stream>),
    /// A worker is opening it or reading from it.
    InUse,
}

/// A worker's next task.
enum WorkItem {
    Open(usize),
    Read(BlockId, Arc<SeekableFile>),
    ReadOn(BlockId, Box<Stream>),
}

impl<'a, H: HeapSize, F: FnMut(H)> Scheduler<'a, H, F> {
    pub(crate) fn new(sources: &'a [Source], manner: ReadOptions, progress: &'a Progress, fold: F) -> Self {
        let state = SchedulerState {
            file: 0,
            opened: BTreeMap::new(),
            waiting: ReorderBuffer::new(),
            fold: Some(fold),
            problems: Vec::new(),
        };
        Self { sources, options: manner, progress, state: Mutex::new(state), work_available: Condvar::new() }
    }

    /// Works until there is nothing left to do.
    pub(crate) fn work(&self, mut work: impl FnMut(&Block) -> H) {
        let mut buffer = Buffer::default();
        while let Some(task) = self.next_task() {
            match task {
                WorkItem::Open(file) => self.open(file),
                WorkItem::Read(id, plain) => {
                    let extent = self.read(id, &plain, &mut buffer);
                    let answer = extent.map(|extent| work(&block(id, &extent, &buffer)));
                    self.answer(id, BlockAnswer::Block(answer));
                }
                WorkItem::ReadOn(id, stream) => match self.read_on(id, stream, &mut buffer) {
                    Some(extent) => {
                        let answer = work(&block(id, &extent, &buffer));
                        self.answer(id, BlockAnswer::Block(Some(answer)));
                    }
                    None => self.answer(id, BlockAnswer::End),
                },
            }
        }
    }

    /// The errors, in the order of the files.
    pub(crate) fn problems(&self) -> Vec<InputError> {
        let mut problems = std::mem::take(&mut self.lock().problems);
        problems.sort_by_key(|(id, _)| *id);
        problems.into_iter().map(|(_, problem)| problem).collect()
    }

    /// A poisoned mutex is used as it is: the thread that panicked ends the run, and the state is only dropped.
    fn lock(&self) -> MutexGuard<'_, SchedulerState<H, F>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the earliest task. `None`: all work is done.
    fn next_task(&self) -> Option<WorkItem> {
        let mut state = self.lock();
        loop {
            if let Some(task) = state.earliest(self.sources.len(), self.options.block_size) {
                return Some(task);
            }
            if state.file == self.sources.len() && state.opened.is_empty() {
                return None;
            }
            state = self.work_available.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open(&self, file: usize) {
        let id = BlockId { file, block: 0 };
        let opened = self.sources.get(file).map(open);
        let mut state = self.lock();
        let rest = match opened {
            Some(Ok(OpenedSource::Plain(plain))) if plain.blocks(self.options.block_size).0 > 0 => {
                SourceState::Plain(plain)
            }
            Some(Ok(OpenedSource::Stream(stream))) => SourceState::Stream(stream),
            ended => {
                state.problems.extend(ended.and_then(Result::err).map(|error| (id, error)));
                state.opened.remove(&file);
                drop(state);
                self.answer(id, BlockAnswer::End);
                return;
            }
        };
        state.opened.insert(file, ActiveSource { block: 0, rest });
        drop(state);
        self.work_available.notify_all();
    }

    fn read(&self, id: BlockId, plain: &SeekableFile, buffer: &mut Buffer) -> Option<Extent> {
        let block_size = self.options.block_size as u64;
        let (blocks, bytes) = plain.blocks(self.options.block_size);
        let length = (bytes - id.block * block_size).min(block_size);
        self.progress.done.fetch_add(length, Ordering::Relaxed);
        let extent = plain.read(id.block, self.options.block_size, buffer).unwrap_or_else(|source| {
            let offset = plain.begin(id.block, self.options.block_size);
            self.problem(id, |log| log.cannot_read(false, offset, source));
            None
        });
        if id.block + 1 == blocks {
            let now = plain.file.metadata().map_or(plain.size, |metadata| metadata.len());
            if now < plain.size {
                self.problem(id, |log| InputError::Shrank {
                    path: log.path.clone(),
                    missing: plain.size - now,
                });
            }
        }
        extent
    }

    /// Returns the stream as soon as the block is read, so that another worker reads on while this one parses.
    fn read_on(&self, id: BlockId, mut stream: Box<Stream>, buffer: &mut Buffer) -> Option<Extent> {
        let before = stream.taken();
        let read = stream.read(self.options.block_size * STREAMED, buffer);
        self.progress.done.fetch_add(stream.taken() - before, Ordering::Relaxed);
        let extent = read.unwrap_or_else(|source| {
            let (packed, offset) = (stream.is_packed(), stream.offset());
            self.problem(id, |log| log.cannot_read(packed, offset, source));
            None
        });
        let mut state = self.lock();
        if extent.is_some() {
            state
                .opened
                .insert(id.file, ActiveSource { block: id.block + 1, rest: SourceState::Stream(stream) });
        } else {
            state.opened.remove(&id.file);
        }
        drop(state);
        self.work_available.notify_one();
        extent
    }

    fn problem(&self, id: BlockId, error: impl FnOnce(&Source) -> InputError) {
        let problem = self.sources.get(id.file).map(error);
        self.lock().problems.extend(problem.map(|problem| (id, problem)));
    }

    /// Stores an answer and folds all whose turn has come, unless another worker is folding: then that one does.
    fn answer(&self, id: BlockId, answer: BlockAnswer<H>) {
        let mut state = self.lock();
        state.waiting.put(id, answer);
        let Some(mut fold) = state.fold.take() else { return };
        let mut was_full = state.waiting.is_full();
        while let Some(next) = state.waiting.take() {
            drop(state);
            fold(next);
            state = self.lock();
            was_full |= state.waiting.is_full();
        }
        state.fold = Some(fold);
        // Workers wait for nothing else that an answer changes; new blocks are signalled where a file is put back.
        if was_full || state.opened.is_empty() {
            drop(state);
            self.work_available.notify_all();
        }
    }
}

impl<H: HeapSize, F> SchedulerState<H, F> {
    fn earliest(&mut self, files: usize, block_size: usize) -> Option<WorkItem> {
        // If too many bytes wait, only the block that all of them wait for is begun.
        let only = self.waiting.is_full().then_some(self.waiting.next);
        let may = |id: BlockId| only.is_none_or(|only| only == id);
        let free = self.opened.iter_mut().find(|(_, opened)| !matches!(opened.rest, SourceState::InUse));
        if let Some((&file, opened)) = free {
            let id = BlockId { file, block: opened.block };
            if !may(id) {
                return None;
            }
            opened.block += 1;
            return match std::mem::replace(&mut opened.rest, SourceState::InUse) {
                SourceState::Stream(stream) => Some(WorkItem::ReadOn(id, stream)),
                SourceState::Plain(plain) => {
                    if id.block + 1 == plain.blocks(block_size).0 {
                        self.opened.remove(&file);
                        self.waiting.put(BlockId { file, block: id.block + 1 }, BlockAnswer::End);
                    } else {
                        opened.rest = SourceState::Plain(plain.clone());
                    }
                    Some(WorkItem::Read(id, plain))
                }
                SourceState::InUse => None,
            };
        }
        let id = BlockId { file: self.file, block: 0 };
        if self.file == files || !may(id) {
            return None;
        }
        self.file += 1;
        self.opened.insert(id.file, ActiveSource { block: 0, rest: SourceState::InUse });
        Some(WorkItem::Open(id.file))
    }
}

fn block<'b>(id: BlockId, extent: &Extent, buffer: &'b Buffer) -> Block<'b> {
    let (before, lines) = (buffer.part(extent.before.clone()), buffer.part(extent.lines.clone()));
    Block { file: id.file, offset: extent.offset, before, lines }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::PathBuf;
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::input::discover::list;
    use crate::input::rotation::LogNames;

    /// The lines of a block, and how much they claim to hold.
    struct TestBlock(Vec<u8>, usize);

    impl HeapSize for TestBlock {
        fn held_bytes(&self) -> usize {
            self.1
        }
    }

    /// Nine files, every second one compressed, and their text.
    fn files(folder: &tempfile::TempDir) -> (Vec<PathBuf>, Vec<u8>) {
        let mut all = Vec::new();
        let file = |number: usize| {
            let lines: Vec<String> =
                (0..number * 40).map(|line| format!("{number}: line {line}\n")).collect();
            let text = lines.concat();
            let path = folder.path().join(format!("part {number}"));
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(text.as_bytes()).unwrap();
            let bytes =
                if number.is_multiple_of(2) { packed.finish().unwrap() } else { text.clone().into_bytes() };
            std::fs::write(&path, bytes).unwrap();
            all.extend_from_slice(text.as_bytes());
            path
        };
        ((0..9).map(file).collect(), all)
    }

    #[test]
    fn answers_of_any_size_and_pace_are_folded_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let (paths, text) = files(&folder);
        let names = LogNames { by_server: &[], repeated: |_| None };
        let sources = list(&paths, false, None, &names).sources;
        let progress = Progress { done: AtomicU64::new(0), total: AtomicU64::new(0) };
        // The large ones let nothing be begun but what is next, and every third only now and then.
        for (threads, held) in [(1, 0), (4, 0), (4, 100 << 20), (3, 9 << 20)] {
            let mut folded = Vec::new();
            let manner = ReadOptions { threads, block_size: 64 };
            let queue = Scheduler::new(&sources, manner, &progress, |lines: TestBlock| {
                if folded.len() % 7 == 0 {
                    std::thread::yield_now();
                }
                folded.extend(lines.0);
            });
            let work = || {
                queue.work(|block| {
                    if block.offset % 5 == 0 {
                        std::thread::sleep(std::time::Duration::from_micros(50));
                    }
                    TestBlock(block.lines.to_vec(), held * usize::from(block.offset % 3 == 0))
                });
            };
            std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
            assert!(queue.problems().is_empty());
            drop(queue);
            assert_eq!(folded.len(), text.len(), "{threads} threads, {held} bytes");
            assert!(folded == text, "{threads} threads, {held} bytes");
        }
    }
}
