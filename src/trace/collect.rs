//! Reads the logs a second time, and notes every line about a wanted message, in order.

use std::hash::BuildHasher;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use regex::bytes::Regex;

use super::note::{MessageNote, NoteKind, bare, step};
use super::query::TraceQuery;
use super::rejected::process;
use super::search::{each_line, each_line_with, whole_line};
use crate::catalog::classify::Classifier;
use crate::input::read::HeapSize;
use crate::input::read::block::Block;
use crate::messages::key::{KeyHasher, PrehashedState};
use crate::messages::metadata::MessageMetadata;
use crate::parse::header::LogLine;
use crate::parse::log_text::LogText;
use crate::parse::mta;
use crate::parse::mta::parsed::{ParsedLine, split_once};
use crate::parse::mta::queue_record::QueueStep as Progress;
use crate::parse::mta::related_id::Relation;
use crate::parse::timestamp::{LogTime, TimestampParser};
use crate::parse::unwrap;
use crate::pipeline::duplicate::is_duplicate;
use crate::pipeline::filter::LineFilter;
use crate::pipeline::sink::LineOffset;
use crate::pipeline::walk::{WalkTask, clock};
use crate::report::trace::StepKind;

/// What is gathered.
#[derive(Clone, Copy)]
pub(crate) struct WantedIds<'a> {
    /// Hashes of queue ids.
    pub ids: &'a HashSet<u64, PrehashedState>,
    pub sought: &'a TraceQuery,
    /// An event of the message must fit it; the sender is asked for later.
    pub filter: &'a LineFilter,
    /// The lines themselves, and the sessions around them.
    pub raw: bool,
}

/// One a thread.
pub(crate) struct NoteCollector<'a> {
    task: WalkTask<'a>,
    wanted: WantedIds<'a>,
    judge: Classifier<'a>,
    keys: KeyHasher,
    hasher: RandomState,
    clock: Option<TimestampParser>,
    last_file: usize,
}

/// What a block hands over.
#[derive(Default)]
pub(crate) struct CollectedNotes {
    pub found: Vec<CollectedNote>,
}

/// In the order of the lines.
pub(crate) enum CollectedNote {
    Note {
        key: u64,
        id: String,
        origin: QueueOwner,
        note: Box<MessageNote>,
    },
    /// A session begins or ends.
    Session(SessionMark),
    /// Another program's line that begins with a wanted id: a signer's, a filter's.
    Stray(Box<UnownedLine>),
}

pub(crate) struct UnownedLine {
    pub id: String,
    pub host: Option<String>,
    pub moment: Option<LogTime>,
    pub place: LineOffset,
    pub raw: Vec<u8>,
}

/// Whose queue a message is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct QueueOwner {
    pub mta: crate::smtp::event::Mta,
    pub host: Option<String>,
    pub instance: Option<String>,
}

pub(crate) struct SessionMark {
    pub process: u64,
    pub begins: bool,
    pub moment: Option<LogTime>,
    pub place: LineOffset,
    pub raw: Vec<u8>,
}

impl HeapSize for CollectedNotes {
    fn held_bytes(&self) -> usize {
        let found = self.found.iter().map(|found| match found {
            CollectedNote::Note { id, note, .. } => id.len() + 64 + note.held_bytes(),
            CollectedNote::Session(mark) => size_of::<SessionMark>() + mark.raw.len(),
            CollectedNote::Stray(stray) => size_of::<UnownedLine>() + stray.raw.len(),
        });
        found.sum()
    }
}

/// `connect from`, `disconnect from` of Postfix's smtpd.
static SESSIONS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("(?-u)connect from ").expect("our own words make a pattern"));

impl<'a> NoteCollector<'a> {
    /// `hasher` is the one of the first reading.
    pub(crate) fn new(task: WalkTask<'a>, wanted: WantedIds<'a>, hasher: RandomState) -> Self {
        let judge = Classifier::new(task.book);
        let keys = KeyHasher::new(hasher.clone());
        Self { task, wanted, judge, keys, hasher, clock: None, last_file: 0 }
    }

    pub(crate) fn block(&mut self, block: &Block) -> CollectedNotes {
        let mut clock = clock(&mut self.clock, &mut self.last_file, block.file, &self.task).clone();
        let mut found: Vec<CollectedNote> = Vec::new();
        let mut inside = Vec::new();
        each_line(block, &mut |at, raw| {
            let raw = unwrap::unwrap_line(raw, &mut inside);
            let line = LogLine::read(raw);
            let Some((mta, id, rest)) = mta::queue_id(&line) else {
                let stray = if self.wanted.raw { self.stray(block, at, &line, &mut clock) } else { None };
                found.extend(stray.map(|stray| CollectedNote::Stray(Box::new(stray))));
                return;
            };
            if !self.wanted.ids.contains(&self.hasher.hash_one(id)) {
                return;
            }
            let key = self.keys.key(mta, &line, id);
            if let Some(note) = self.note(block, at, raw, (&line, rest), &mut clock) {
                let origin = QueueOwner {
                    mta,
                    host: LogText(line.host).non_empty(),
                    instance: LogText(line.instance()).non_empty(),
                };
                found.push(CollectedNote::Note { key, id: LogText(id).into(), origin, note: Box::new(note) });
            }
        });
        if self.wanted.raw {
            each_line_with(&SESSIONS, block, &mut |at, raw| {
                let raw = unwrap::unwrap_line(raw, &mut inside);
                found.extend(self.mark(block, at, raw, &mut clock).map(CollectedNote::Session));
            });
            found.sort_by_key(|found| match found {
                CollectedNote::Note { note, .. } => note.place,
                CollectedNote::Session(mark) => mark.place,
                CollectedNote::Stray(stray) => stray.place,
            });
        }
        CollectedNotes { found }
    }

    fn note(
        &mut self,
        block: &Block,
        at: usize,
        raw: &[u8],
        (line, rest): (&LogLine, &[u8]),
        clock: &mut TimestampParser,
    ) -> Option<MessageNote> {
        let place = LineOffset { file: block.file, offset: block.offset + at as u64 };
        let moment = clock.read(line.stamp, place.offset);
        if !self.task.window.contains(moment) {
            return None;
        }
        let (mta, id, _) = mta::queue_id(line)?;
        let sought = self.wanted.sought;
        let other = mta::related_queue_id(mta, rest);
        let named = sought.is_queue_id(id) || other.is_some_and(|(_, other)| sought.is_queue_id(other));
        let other = other.map(|(tie, other)| (tie, LogText::string(other)));
        let (said, fits, of_smtpd) = match mta::read(line) {
            ParsedLine::Event(event) if is_duplicate(&event, line, block, at) => {
                (NoteKind::Routine, false, false)
            }
            ParsedLine::Event(event) => {
                let verdict = self.judge.classify(&event);
                let filter = self.wanted.filter;
                let admitted = filter.is_empty() || filter.admits(&event, verdict, line, self.task.book);
                let step = Box::new(step(&event, verdict, moment, rest));
                let fits = sought.fits_event(&event, rest);
                let inbound = event.direction == crate::smtp::event::Direction::Inbound;
                (NoteKind::Event { step, sender: event.sender.map(LogText::string), admitted }, fits, inbound)
            }
            ParsedLine::QueueRecord(fact) if fact.queue_id == id => {
                let known = Box::new(MessageMetadata::of(&fact));
                (
                    NoteKind::Fact { step: fact.step, known },
                    sought.fits_fact(&fact),
                    fact.step == Progress::Received,
                )
            }
            // What the bounce daemon says of the notice stands under the id of the message that it is about.
            ParsedLine::QueueRecord(_) | ParsedLine::Routine | ParsedLine::Unread | ParsedLine::Foreign => {
                let notice = other.as_ref().filter(|(tie, _)| *tie == Relation::NotifiedBy);
                let notice = notice.map(|(_, id)| bare(StepKind::Notified, moment, Some(id.clone())));
                (notice.map_or(NoteKind::Routine, |notice| NoteKind::Notice(Box::new(notice))), false, false)
            }
        };
        let whole = if self.wanted.raw { whole_line(block, at) } else { &[] };
        let process = (self.wanted.raw && of_smtpd).then(|| process(line, raw, &self.hasher)).flatten();
        Some(MessageNote {
            moment,
            place,
            said,
            other,
            fits: named || fits,
            raw: whole.to_vec(),
            process,
            session: Vec::new(),
        })
    }

    /// `opendkim[884]: 399763DFD5E2: DKIM-Signature field added`
    fn stray(
        &self,
        block: &Block,
        at: usize,
        line: &LogLine,
        clock: &mut TimestampParser,
    ) -> Option<UnownedLine> {
        let (id, _) = split_once(line.text.get(..40).unwrap_or(line.text), b": ")?;
        if !self.wanted.ids.contains(&self.hasher.hash_one(id)) {
            return None;
        }
        let place = LineOffset { file: block.file, offset: block.offset + at as u64 };
        let moment = clock.read(line.stamp, place.offset);
        if !self.task.window.contains(moment) {
            return None;
        }
        let host = LogText(line.host).non_empty();
        Some(UnownedLine { id: LogText(id).into(), host, moment, place, raw: whole_line(block, at).to_vec() })
    }

    fn mark(&self, block: &Block, at: usize, raw: &[u8], clock: &mut TimestampParser) -> Option<SessionMark> {
        let line = LogLine::read(raw);
        let begins = line.text.starts_with(b"connect from ");
        if !begins && !line.text.starts_with(b"disconnect from ") {
            return None;
        }
        let place = LineOffset { file: block.file, offset: block.offset + at as u64 };
        let moment = clock.read(line.stamp, place.offset);
        if !self.task.window.contains(moment) {
            return None;
        }
        let process = process(&line, raw, &self.hasher)?;
        Some(SessionMark { process, begins, moment, place, raw: whole_line(block, at).to_vec() })
    }
}
