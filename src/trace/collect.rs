//! Collects notes in the second reading: one of every line about a wanted message, in order.

use std::hash::BuildHasher;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use regex::bytes::Regex;

use super::note::{MessageNote, NoteKind, bare, step};
use super::query::TraceQuery;
use super::rejected::process;
use super::search::{each_line, each_line_with, whole_line};
use crate::catalog::classify::{Classification, Classifier};
use crate::input::read::HeapSize;
use crate::input::read::block::Block;
use crate::messages::key::{KeyHasher, PrehashedState};
use crate::messages::metadata::MessageMetadata;
use crate::parse::header::LogLine;
use crate::parse::log_text::LogText;
use crate::parse::mta;
use crate::parse::mta::parsed::{ParsedLine, split_once};
use crate::parse::mta::queue_record::{QueueRecord, QueueStep};
use crate::parse::mta::related_id::Relation;
use crate::parse::timestamp::{LogTime, TimestampParser};
use crate::parse::unwrap::{LineBuffers, OpenedLine, open_line};
use crate::pipeline::duplicate::is_duplicate;
use crate::pipeline::filter::LineFilter;
use crate::pipeline::line_context::earlier_lines;
use crate::pipeline::sink::LineOffset;
use crate::pipeline::walk::{WalkTask, clock};
use crate::pipeline::{earlier_cause, session_record};
use crate::report::trace::StepKind;
use crate::smtp::event::{Direction, Event, Mta};

/// Which lines the second reading collects.
#[derive(Clone, Copy)]
pub(crate) struct WantedIds<'a> {
    /// Hashes of queue ids.
    pub ids: &'a HashSet<u64, PrehashedState>,
    pub query: &'a TraceQuery,
    /// An event of the message must match it; the sender is checked when all lines are known.
    pub filter: &'a LineFilter,
    /// The log lines are wanted too, with those of the sessions around them.
    pub raw: bool,
}

/// Collects the notes of blocks; each thread has one.
pub(crate) struct NoteCollector<'a> {
    task: WalkTask<'a>,
    wanted: WantedIds<'a>,
    classifier: Classifier<'a>,
    keys: KeyHasher,
    hasher: RandomState,
    clock: Option<TimestampParser>,
    last_file: usize,
}

/// The notes of one block.
#[derive(Default)]
pub(crate) struct CollectedNotes {
    /// In the order of the lines.
    pub notes: Vec<CollectedNote>,
}

/// A note with the message or session that it belongs to.
pub(crate) enum CollectedNote {
    /// A line that names a wanted queue id.
    Message {
        /// The key of the message: its queue id and server.
        key: u64,
        id: String,
        owner: QueueOwner,
        note: Box<MessageNote>,
    },
    /// A session begins or ends.
    Session(SessionMark),
    /// A line of another program, such as a filter, that begins with a wanted queue id.
    Unowned(Box<UnownedLine>),
}

/// A line of a program that is no mail server, which begins with a queue id.
pub(crate) struct UnownedLine {
    pub id: String,
    pub host: Option<String>,
    pub moment: Option<LogTime>,
    pub place: LineOffset,
    pub raw: Vec<u8>,
}

/// The server whose queue a message is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct QueueOwner {
    pub mta: Mta,
    pub host: Option<String>,
    pub instance: Option<String>,
}

/// The login of the client that a record's session shows. The line of a recipient belongs to the session of the arrival.
fn login<'b>(
    fact: &QueueRecord<'b>,
    lines: (&LogLine, &[u8]),
    block: &Block<'b>,
    at: usize,
    inside: &'b mut Vec<u8>,
) -> Option<&'b [u8]> {
    let is_of_recipient = fact.step == QueueStep::MessageIdAssigned;
    let step = if is_of_recipient { QueueStep::Received } else { fact.step };
    let asked = QueueRecord { step, ..*fact };
    session_record::with_session(&asked, lines, block, at, inside)?.login
}

/// The first or the last line of an SMTP session.
pub(crate) struct SessionMark {
    /// A hash of the process.
    pub process: u64,
    /// It is the first line.
    pub begins: bool,
    pub moment: Option<LogTime>,
    pub place: LineOffset,
    pub raw: Vec<u8>,
}

impl HeapSize for CollectedNotes {
    fn held_bytes(&self) -> usize {
        let notes = self.notes.iter().map(|note| match note {
            CollectedNote::Message { id, note, .. } => id.len() + 64 + note.held_bytes(),
            CollectedNote::Session(mark) => size_of::<SessionMark>() + mark.raw.len(),
            CollectedNote::Unowned(line) => size_of::<UnownedLine>() + line.raw.len(),
        });
        notes.sum()
    }
}

/// Part of `connect from` and `disconnect from`, with which a session of Postfix's smtpd begins and ends.
static SESSIONS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("(?-u)connect from ").expect("the pattern is a constant"));

impl<'a> NoteCollector<'a> {
    /// `hasher` must be the one of the first reading.
    pub(crate) fn new(task: WalkTask<'a>, wanted: WantedIds<'a>, hasher: RandomState) -> Self {
        let classifier = Classifier::new(task.book);
        let keys = KeyHasher::new(hasher.clone());
        Self { task, wanted, classifier, keys, hasher, clock: None, last_file: 0 }
    }

    pub(crate) fn block(&mut self, block: &Block) -> CollectedNotes {
        let mut clock = clock(&mut self.clock, &mut self.last_file, block.file, &self.task).clone();
        let mut notes: Vec<CollectedNote> = Vec::new();
        let mut buffers = LineBuffers::default();
        each_line(block, &mut |at, raw| {
            let opened = open_line(raw, earlier_lines(block, at), &mut buffers);
            let line = opened.line.or_host(self.task.host(block.file));
            let opened = OpenedLine { line, ..opened };
            let Some((mta, id, rest)) = mta::queue_id(&line) else {
                let unowned = if self.wanted.raw { self.unowned(block, at, &line, &mut clock) } else { None };
                notes.extend(unowned.map(|line| CollectedNote::Unowned(Box::new(line))));
                return;
            };
            if !self.wanted.ids.contains(&self.hasher.hash_one(id)) {
                return;
            }
            let key = self.keys.key(mta, &line, id);
            let owner = QueueOwner {
                mta,
                host: LogText(line.named_host()).non_empty(),
                instance: LogText(line.instance()).non_empty(),
            };
            let mut push = |note: MessageNote| {
                let (id, owner, note) = (LogText::string(id), owner.clone(), Box::new(note));
                notes.push(CollectedNote::Message { key, id, owner, note });
            };
            if let Some(note) = self.note(block, at, &opened, rest, &mut clock) {
                let (moment, place) = (note.moment, note.place);
                push(note);
                self.other_recipients((&line, rest), moment, place).into_iter().for_each(push);
            }
        });
        if self.wanted.raw {
            clock.begin();
            each_line_with(&SESSIONS, block, &mut |at, raw| {
                let opened = open_line(raw, earlier_lines(block, at), &mut buffers);
                notes.extend(self.mark(block, at, &opened, &mut clock).map(CollectedNote::Session));
            });
            notes.sort_by_key(|note| match note {
                CollectedNote::Message { note, .. } => note.place,
                CollectedNote::Session(mark) => mark.place,
                CollectedNote::Unowned(line) => line.place,
            });
        }
        CollectedNotes { notes }
    }

    /// The note of a line. `None`: it is outside of the time range.
    fn note(
        &mut self,
        block: &Block,
        at: usize,
        opened: &OpenedLine,
        rest: &[u8],
        clock: &mut TimestampParser,
    ) -> Option<MessageNote> {
        let OpenedLine { raw, ref line, times } = *opened;
        let place = LineOffset { file: block.file, offset: block.offset + at as u64 };
        let moment = clock.read(line.stamp, place.offset);
        if !self.task.window.contains(moment) {
            return None;
        }
        let (mta, id, _) = mta::queue_id(line)?;
        let query = self.wanted.query;
        let related = mta::related_queue_id(mta, rest);
        let named = query.is_queue_id(id) || related.is_some_and(|(_, other)| query.is_queue_id(other));
        let related = related.map(|(relation, other)| (relation, LogText::string(other)));
        let (kind, matches, of_smtpd) = match mta::read(line) {
            ParsedLine::Event(event) if is_duplicate(&event, line, block, at) => {
                (NoteKind::Routine, false, false)
            }
            ParsedLine::Event(event) => {
                let is_inbound = event.direction == Direction::Inbound;
                let classification = earlier_cause::classify(&mut self.classifier, &event, line, block, at);
                let mut kind = self.event(&event, classification, line, rest, moment);
                if let NoteKind::Event { step, .. } = &mut kind {
                    step.count = u64::from(times);
                }
                (kind, query.matches_event(&event, rest), is_inbound)
            }
            ParsedLine::QueueRecord(fact) if fact.queue_id == id => {
                let mut inside = Vec::new();
                let login = login(&fact, (line, raw), block, at, &mut inside);
                let fact = QueueRecord { login, ..fact };
                let metadata = Box::new(MessageMetadata::of(&fact));
                let kind = NoteKind::QueueRecord { step: fact.step, metadata };
                (kind, query.matches_record(&fact), fact.step == QueueStep::Received)
            }
            // Postfix's bounce daemon logs a notification under the id of the message that it is about.
            ParsedLine::QueueRecord(_) | ParsedLine::Routine | ParsedLine::Unread | ParsedLine::Foreign => {
                let notice = related.as_ref().filter(|(relation, _)| *relation == Relation::NotifiedBy);
                let notice = notice.map(|(_, id)| bare(StepKind::Notified, moment, Some(id.clone())));
                (notice.map_or(NoteKind::Routine, |notice| NoteKind::Notice(Box::new(notice))), false, false)
            }
        };
        let whole = if self.wanted.raw { whole_line(block, at) } else { &[] };
        let process = (self.wanted.raw && of_smtpd).then(|| process(line, raw, &self.hasher)).flatten();
        Some(MessageNote {
            moment,
            place,
            kind,
            related,
            matches: named || matches,
            raw: whole.to_vec(),
            process,
            session: Vec::new(),
        })
    }

    /// The notes of the other recipients that an event's line names. The first note has what belongs to the line.
    fn other_recipients(
        &mut self,
        (line, rest): (&LogLine, &[u8]),
        moment: Option<LogTime>,
        place: LineOffset,
    ) -> Vec<MessageNote> {
        let ParsedLine::Event(first) = mta::read(line) else { return Vec::new() };
        let note = |event: Event| MessageNote {
            moment,
            place,
            kind: {
                let classification = self.classifier.classify(&event);
                self.event(&event, classification, line, rest, moment)
            },
            related: None,
            matches: self.wanted.query.matches_event(&event, rest),
            raw: Vec::new(),
            process: None,
            session: Vec::new(),
        };
        mta::other_recipients(&first, line).map(note).collect()
    }

    /// The note of an event; `rest` is the text of the line after the queue id.
    fn event(
        &self,
        event: &Event,
        classification: Option<Classification>,
        line: &LogLine,
        rest: &[u8],
        moment: Option<LogTime>,
    ) -> NoteKind {
        let filter = self.wanted.filter;
        let admitted = filter.is_empty() || filter.admits(event, classification, line, self.task.book);
        let step = Box::new(step(event, classification, moment, rest, (self.wanted.query, self.task.book)));
        NoteKind::Event { step, sender: event.sender.map(LogText::string), admitted }
    }

    /// A line such as `opendkim[884]: 399763DFD5E2: DKIM-Signature field added`.
    fn unowned(
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
        let host = LogText(line.named_host()).non_empty();
        Some(UnownedLine { id: LogText(id).into(), host, moment, place, raw: whole_line(block, at).to_vec() })
    }

    /// The first or last line of a session. `None`: the line is neither, or outside of the time range.
    fn mark(
        &self,
        block: &Block,
        at: usize,
        opened: &OpenedLine,
        clock: &mut TimestampParser,
    ) -> Option<SessionMark> {
        let OpenedLine { raw, line, .. } = *opened;
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
