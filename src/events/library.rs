//! Iterates over the events of logs for a caller of the library, block by block in one thread.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::vec;

use super::context::{MessageContexts, MessageLink, MessageRecord};
use super::record::record;
use crate::catalog::Catalog;
use crate::catalog::classify::Classifier;
use crate::collections::seed::seed;
use crate::input::read::block::{Block, Buffer};
use crate::input::read::open::open_stream;
use crate::input::read::stream::Stream;
use crate::input::read::{HeapSize, Source};
use crate::input::source::SourceOrigin;
use crate::messages::key::KeyHasher;
use crate::pipeline::dates::settle_dates;
use crate::pipeline::error::Error;
use crate::pipeline::filter::LineFilter;
use crate::pipeline::logs::{BLOCK_BYTES, FoundLogs, LogOptions};
use crate::pipeline::sink::{EventSink, LoggedEvent, LoggedQueueRecord};
use crate::pipeline::walk::{WalkStep, step};
use crate::report::event::{ListedEvent, Record};

/// The events of logs, in the order of the lines; made by [`events()`] and [`events_from`].
///
/// It holds one block of 256 KiB, the events in it, and what is known of messages whose end was not read yet: at most some
/// 120 MiB, reached by half a million open messages. After an error of one log it goes on with the next one.
pub struct Events {
    logs: FoundLogs,
    book: Catalog,
    keys: KeyHasher,
    contexts: MessageContexts,
    buffer: Buffer,
    /// The number of the source that is opened next.
    next: usize,
    /// The source that is being read, and its lines so far. `None`: the next one is to be opened.
    open: Option<(Stream, u64)>,
    ready: vec::IntoIter<ListedEvent>,
}

/// Reads the events of logs: each delivery result and each rejection, with its reason, as `smtplog events` lists them.
///
/// The paths are those of [`scan()`](crate::scan()). If timestamps show no year, the files are read twice, as the order of all
/// lines tells the year. Without a path there are no events.
///
/// # Errors
///
/// If one of the paths is missing, or its timestamps cannot be read. What fails later is an item of the iterator.
pub fn events(paths: &[impl AsRef<Path>], options: &LogOptions) -> Result<Events, Error> {
    let mut logs = FoundLogs::find(paths, options)?;
    let book = Catalog::built_in();
    if logs.sources.iter().all(Source::can_be_read_again) {
        (logs.calendar, logs.sources) = settle_dates(&logs.task(&book, &LineFilter::default()))?;
    }
    Ok(Events::new(logs, book))
}

/// Reads the events of one log from a reader: a socket, a pipe, a decoder, or bytes in a [`Cursor`](std::io::Cursor).
/// Compressed text is recognised by its first bytes. The name of the log in the events is `-`.
///
/// The reader is read once, so that years which timestamps do not show are guessed from today: use [`events()`] for a file, or
/// set [`LogOptions::year`] for an old log.
pub fn events_from(reader: impl Read + Send + 'static, options: &LogOptions) -> Events {
    let source = Source::new(PathBuf::from("-"), SourceOrigin::Pipe, SystemTime::now());
    let logs = FoundLogs::of(vec![source], Vec::new(), 0, options);
    let stream = Stream::new(Box::new(reader));
    Events { next: 1, open: Some((stream, 0)), ..Events::new(logs, Catalog::built_in()) }
}

impl Events {
    fn new(logs: FoundLogs, book: Catalog) -> Self {
        Self {
            logs,
            book,
            keys: KeyHasher::new(seed()),
            contexts: MessageContexts::default(),
            buffer: Buffer::default(),
            next: 0,
            open: None,
            ready: Vec::new().into_iter(),
        }
    }

    /// Reads the next block. `None`: all logs are read.
    fn read_block(&mut self) -> Option<Result<(), Error>> {
        let (mut stream, lines) = match self.open.take() {
            Some(open) => open,
            None => {
                let source = self.logs.sources.get(self.next)?;
                self.next += 1;
                match open_stream(source) {
                    Ok(stream) => (stream, 0),
                    Err(error) => return Some(Err(error.into())),
                }
            }
        };
        let file = self.next - 1;
        match stream.read(BLOCK_BYTES, &mut self.buffer) {
            Ok(Some(extent)) => {
                let before = self.buffer.part(extent.before);
                let block =
                    Block { file, offset: extent.offset, before, lines: self.buffer.part(extent.lines) };
                let found = block_records(&block, &self.logs, &self.book, &mut self.keys);
                self.open = Some((stream, lines + found.lines));
                self.ready = self.listed(found, file, lines).into_iter();
                Some(Ok(()))
            }
            Ok(None) => Some(Ok(())),
            Err(error) => {
                let source = self.logs.sources.get(file)?;
                Some(Err(source.cannot_read(stream.is_packed(), stream.offset(), error).into()))
            }
        }
    }

    fn listed(&mut self, block: BlockRecords, file: usize, lines_before: u64) -> Vec<ListedEvent> {
        let source = self.logs.sources.get(file);
        let name = source.map_or("-".into(), |source| source.path.to_string_lossy());
        let mut listed = Vec::new();
        for note in block.notes {
            match note {
                RecordNote::QueueRecord(fact) => self.contexts.queue_record(fact),
                RecordNote::Event { line_in_block, mut record, link } => {
                    let attempt_no = self.contexts.attempt_no(&link);
                    if record.sender.is_none() {
                        let known = self.contexts.known(&link);
                        record.sender = known.and_then(|known| known.sender.as_deref()).map(str::to_owned);
                    }
                    let context = self.contexts.context(&link, attempt_no);
                    let line = lines_before + line_in_block + 1;
                    listed.push(ListedEvent { file: name.to_string(), line, record: *record, context });
                }
            }
        }
        listed
    }
}

impl Iterator for Events {
    type Item = Result<ListedEvent, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.ready.next() {
                return Some(Ok(event));
            }
            if let Err(error) = self.read_block()? {
                return Some(Err(error));
            }
        }
    }
}

/// The events of one block, and the facts between them.
fn block_records(block: &Block, logs: &FoundLogs, book: &Catalog, keys: &mut KeyHasher) -> BlockRecords {
    let filter = LineFilter::default();
    let sink = RecordSink { keys, block: BlockRecords::default() };
    let WalkStep { output, .. } = step(&logs.task(book, &filter), Classifier::new(book), sink, block);
    output
}

/// Copies the events of one block.
struct RecordSink<'a> {
    keys: &'a mut KeyHasher,
    block: BlockRecords,
}

#[derive(Default)]
struct BlockRecords {
    lines: u64,
    /// In the order of the lines.
    notes: Vec<RecordNote>,
}

enum RecordNote {
    QueueRecord(MessageRecord),
    Event { line_in_block: u64, record: Box<Record>, link: MessageLink },
}

impl HeapSize for BlockRecords {
    fn held_bytes(&self) -> usize {
        // One block is held at a time, so nobody weighs it against others.
        self.notes.capacity() * size_of::<RecordNote>()
    }
}

impl EventSink for RecordSink<'_> {
    type BlockOutput = BlockRecords;

    fn event(&mut self, logged: &LoggedEvent) {
        let link = MessageLink::of(logged, self.keys);
        let record = Box::new(record(logged));
        self.block.notes.push(RecordNote::Event { line_in_block: logged.line_in_block, record, link });
    }

    fn queue_record(&mut self, logged: &LoggedQueueRecord) {
        self.block.notes.push(RecordNote::QueueRecord(MessageRecord::of(logged, self.keys)));
    }

    fn end_of_block(&mut self, _file: usize, lines: u64) -> BlockRecords {
        BlockRecords { lines, ..std::mem::take(&mut self.block) }
    }
}
