//! The set of files of one run: opened one after the other, read by all threads, answered for in order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use flate2::read::MultiGzDecoder;

use super::block::{Block, Buffer};
use super::plain::Plain;
use super::stream::Stream;
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

/// One file of the set.
#[derive(Clone, Debug)]
pub struct Source {
    /// As it was named; `-` is standard input.
    pub path: PathBuf,
    /// When it was last written. A pipe is as old as this run.
    pub modified: SystemTime,
    /// Sources with the same number are parts of one log, oldest first, one behind the other.
    pub series: usize,
}

impl Source {
    /// It is a file, not a pipe.
    pub fn can_be_read_again(&self) -> bool {
        self.path != Path::new("-") && std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.is_file())
    }
}

/// What came of reading a set: each worker's state, and what could not be read.
pub struct Worked<W> {
    pub workers: Vec<W>,
    pub problems: Vec<Error>,
}

/// Reads all files. Each worker is made by `new` and works on blocks in whatever order they come; `fold` gets
/// what `work` gave back in the order of the files.
pub fn each_block<W: Send, H: Send>(
    sources: &[Source],
    manner: Manner,
    progress: &Progress,
    new: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &Block) -> H + Sync,
    fold: impl FnMut(H) + Send,
) -> Result<Worked<W>, Error> {
    let queue = Queue { sources, manner, progress, state: Mutex::new(State::default()) };
    let line =
        InOrder { threads: manner.threads, folded: Mutex::new(Folded::new(fold)), moved: Condvar::new() };
    let run = || {
        let (mut worker, mut buffer) = (new(), Buffer::default());
        while let Some((turn, block)) = queue.next(&mut buffer) {
            line.answer(turn, block.map(|block| work(&mut worker, &block)));
        }
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
    let problems = std::mem::take(&mut lock(&queue.state).problems);
    Ok(Worked { workers, problems })
}

/// Deals out blocks.
struct Queue<'a> {
    sources: &'a [Source],
    manner: Manner,
    progress: &'a Progress,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The file that is read now.
    file: usize,
    open: Option<Open>,
    /// The next block of a plain file.
    block: u64,
    /// Counts blocks over all files.
    turn: u64,
    problems: Vec<Error>,
}

enum Open {
    Plain(std::sync::Arc<Plain>),
    Stream(Stream),
}

impl Queue<'_> {
    /// The next block and its turn. A turn without a block is to be answered all the same.
    fn next<'b>(&self, buffer: &'b mut Buffer) -> Option<(u64, Option<Block<'b>>)> {
        let mut state = lock(&self.state);
        loop {
            let source = self.sources.get(state.file)?;
            if state.open.is_none() {
                match open(source) {
                    Ok(open) => (state.open, state.block) = (Some(open), 0),
                    Err(error) => {
                        state.problems.push(error);
                        state.file += 1;
                        continue;
                    }
                }
            }
            let file = state.file;
            let (turn, number) = (state.turn, state.block);
            match &mut state.open {
                Some(Open::Plain(plain)) => {
                    let plain = plain.clone();
                    let begin = number * self.manner.block_size as u64;
                    if begin >= plain.size {
                        (state.open, state.file) = (None, file + 1);
                        continue;
                    }
                    state.block += 1;
                    state.turn += 1;
                    drop(state);
                    let length = (plain.size - begin).min(self.manner.block_size as u64);
                    self.progress.done.fetch_add(length, Ordering::Relaxed);
                    let extent =
                        plain.read(number, self.manner.block_size, buffer).unwrap_or_else(|source| {
                            let path = self.path(file);
                            lock(&self.state).problems.push(Error::Read { path, offset: begin, source });
                            None
                        });
                    if begin + length >= plain.size {
                        self.shrank(file, &plain);
                    }
                    return Some((turn, extent.map(|extent| block(file, &extent, buffer))));
                }
                Some(Open::Stream(stream)) => {
                    // While one thread decompresses, the others read what it gave them.
                    match stream.read(self.manner.block_size, buffer) {
                        Ok(Some(extent)) => {
                            state.turn += 1;
                            drop(state);
                            return Some((turn, Some(block(file, &extent, buffer))));
                        }
                        Ok(None) => {}
                        Err(source) => {
                            let (path, offset) = (self.path(file), stream.offset());
                            state.problems.push(Error::Decompress { path, offset, source });
                        }
                    }
                    (state.open, state.file) = (None, file + 1);
                }
                None => return None,
            }
        }
    }

    fn path(&self, file: usize) -> PathBuf {
        self.sources.get(file).map(|source| source.path.clone()).unwrap_or_default()
    }

    fn shrank(&self, file: usize, plain: &Plain) {
        let now = plain.file.metadata().map_or(plain.size, |metadata| metadata.len());
        if now < plain.size {
            let missing = plain.size - now;
            lock(&self.state).problems.push(Error::Shrank { path: self.path(file), missing });
        }
    }
}

fn block<'b>(file: usize, extent: &super::block::Extent, buffer: &'b Buffer) -> Block<'b> {
    let (before, lines) = (buffer.part(extent.before.clone()), buffer.part(extent.lines.clone()));
    Block { file, offset: extent.offset, before, lines }
}

/// Answers come in any order and are folded in theirs.
struct InOrder<H, F> {
    threads: usize,
    folded: Mutex<Folded<H, F>>,
    moved: Condvar,
}

struct Folded<H, F> {
    next: u64,
    waiting: BTreeMap<u64, Option<H>>,
    fold: F,
}

impl<H, F: FnMut(H)> Folded<H, F> {
    fn new(fold: F) -> Self {
        Self { next: 0, waiting: BTreeMap::new(), fold }
    }
}

impl<H, F: FnMut(H)> InOrder<H, F> {
    fn answer(&self, turn: u64, answer: Option<H>) {
        let mut folded = lock(&self.folded);
        // One slow block must not let the others pile up.
        while turn > folded.next + 32 * self.threads as u64 {
            folded = self.moved.wait(folded).unwrap_or_else(PoisonError::into_inner);
        }
        folded.waiting.insert(turn, answer);
        loop {
            let next = folded.next;
            let Some(answer) = folded.waiting.remove(&next) else { break };
            if let Some(answer) = answer {
                (folded.fold)(answer);
            }
            folded.next += 1;
        }
        self.moved.notify_all();
    }
}

/// A thread that panicked has ended the run already; what it held is still whole enough to be dropped.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks at a file before it is read: is it there, and how old. Sizes add to the progress.
pub fn look(path: &Path, progress: &Progress) -> Result<Source, Error> {
    let failed = |source| Error::Open { path: path.to_owned(), source };
    if path == Path::new("-") {
        return Ok(Source { path: path.to_owned(), modified: SystemTime::now(), series: 0 });
    }
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        return Err(Error::Directory { path: path.to_owned() });
    }
    let pipe = metadata.file_type().is_fifo() || metadata.file_type().is_char_device();
    progress.total.fetch_add(metadata.len(), Ordering::Relaxed);
    let modified = if pipe { SystemTime::now() } else { metadata.modified().map_err(failed)? };
    Ok(Source { path: path.to_owned(), modified, series: 0 })
}

fn open(source: &Source) -> Result<Open, Error> {
    let path = &source.path;
    let failed = |source| Error::Open { path: path.clone(), source };
    if path == Path::new("-") {
        return stream(Box::new(io::stdin())).map_err(failed);
    }
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return stream(Box::new(file)).map_err(failed);
    }
    let mut magic = [0; 2];
    if file.read_at(&mut magic, 0).map_err(failed)? == 2 && magic == GZIP {
        return stream(Box::new(file)).map_err(failed);
    }
    Ok(Open::Plain(std::sync::Arc::new(Plain { file, size: metadata.len() })))
}

/// RFC 1952 §2.3.1.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Decompresses what begins like gzip, whatever its name.
fn stream(mut reader: Box<dyn Read + Send>) -> io::Result<Open> {
    let mut magic = Vec::new();
    reader.by_ref().take(2).read_to_end(&mut magic)?;
    let gzip = magic == GZIP;
    let whole = io::Cursor::new(magic).chain(reader);
    Ok(Open::Stream(Stream::new(if gzip { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })))
}
