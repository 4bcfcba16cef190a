//! Scans blocks in the first reading: finds the queue ids that match, the links between queue ids, and rejections without
//! a queue id.

use std::hash::BuildHasher;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use regex::bytes::Regex;

use super::query::TraceQuery;
use super::rejected::RejectedCommand;
use crate::catalog::classify::Classifier;
use crate::input::read::HeapSize;
use crate::input::read::block::{Block, LINE_LIMIT};
use crate::parse::mta::parsed::ParsedLine;
use crate::parse::mta::related_id::{MARKS, Relation};
use crate::parse::mta::{self, Program};
use crate::parse::timestamp::{LogTime, TimestampParser};
use crate::parse::unwrap::{LineBuffers, OpenedLine, open_line};
use crate::parse::year::StampObservations;
use crate::pipeline::assumed_hosts::UnnamedSpan;
use crate::pipeline::coverage::extend;
use crate::pipeline::duplicate::is_duplicate;
use crate::pipeline::filter::Filter;
use crate::pipeline::line_context::{earlier_lines, extend_to_end};
use crate::pipeline::sink::LineOffset;
use crate::pipeline::walk::{WalkTask, clock};
use crate::pipeline::{session_peer, session_record};

/// Scans blocks; each thread has one.
pub(crate) struct LinkScanner<'a> {
    task: WalkTask<'a>,
    query: &'a TraceQuery,
    /// Rejections that it does not admit are left out.
    filter: &'a Filter,
    marks: &'a Regex,
    classifier: Classifier<'a>,
    hasher: RandomState,
    clock: Option<TimestampParser>,
    last_file: usize,
    /// Rejections keep their lines.
    raw: bool,
}

/// The result of scanning one block.
#[derive(Default)]
pub(crate) struct ScannedBlock {
    pub file: usize,
    pub stamps: StampObservations,
    pub lines: u64,
    /// The first and the last minute of its timestamps.
    pub minutes: Option<(i64, i64)>,
    /// The first and the last second of the lines that name no host.
    pub unnamed: UnnamedSpan,
    /// The hash of the queue id of each matching line, and its time and place.
    pub hits: Vec<(u64, StampMatch)>,
    /// Two queue ids, by their hashes, of which a line of the first names the second.
    pub links: Vec<(u64, u64)>,
    pub rejections: Vec<RejectedCommand>,
}

/// The time of a line in microseconds since 1970, `None` if it shows none, and its place.
pub(crate) type StampMatch = (Option<i64>, LineOffset);

impl HeapSize for ScannedBlock {
    fn held_bytes(&self) -> usize {
        let rejections: usize = self.rejections.iter().map(RejectedCommand::held).sum();
        self.hits.capacity() * size_of::<(u64, StampMatch)>() + self.links.capacity() * 16 + rejections
    }
}

/// A pattern for everything that can stand before the other queue id in a line.
pub(crate) fn marks() -> Regex {
    let marks: Vec<String> = MARKS.iter().map(|mark| regex::escape(mark)).collect();
    // Exim also writes ` R=` before the router of each delivery; an id begins with six characters and a dash.
    let marks = marks.join("|").replace(" R=", " R=[0-9A-Za-z]{6}-");
    Regex::new(&format!("(?-u){marks}")).expect("the marks are constants, and escaped")
}

/// Part of the lines that only say how often another line occurred; see `parse/unwrap/repeated.rs`.
static REPEATED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(?-u)last message repeated |Last message '").expect("the pattern is a constant")
});

impl<'a> LinkScanner<'a> {
    /// `hasher` must be the same in all threads of a run.
    pub(crate) fn new(
        task: WalkTask<'a>,
        query: &'a TraceQuery,
        filter: &'a Filter,
        marks: &'a Regex,
        hasher: RandomState,
        raw: bool,
    ) -> Self {
        let classifier = Classifier::new(task.book);
        Self { task, query, filter, marks, classifier, hasher, clock: None, last_file: 0, raw }
    }

    pub(crate) fn block(&mut self, block: &Block) -> ScannedBlock {
        let mut scanned = ScannedBlock { file: block.file, ..ScannedBlock::default() };
        let clock = clock(&mut self.clock, &mut self.last_file, block.file, &self.task);
        read_stamps(clock, block, &mut scanned);
        scanned.stamps = clock.take_observations();
        let clock = clock.clone();
        // It reads lines from the first to the last one, so each search of the block has its own.
        let begin = || {
            let mut clock = clock.clone();
            clock.begin();
            clock
        };
        let mut buffers = LineBuffers::default();
        let anchor = self.query.anchor();
        let mut visit = |at: usize, raw: &[u8], clock: &mut TimestampParser| {
            let opened = open_line(raw, earlier_lines(block, at), &mut buffers);
            self.line(block, at, &opened, clock, &mut scanned);
        };
        let mut clock = begin();
        match anchor {
            Some(anchor) => {
                each_line_with(anchor, block, &mut |at, raw| visit(at, raw, &mut clock));
                // Lines that repeat another one do not have the pattern themselves.
                let mut clock = begin();
                let mut visit_others = |at: usize, raw: &[u8]| {
                    if !anchor.is_match(raw) {
                        visit(at, raw, &mut clock);
                    }
                };
                each_line_with(&REPEATED, block, &mut visit_others);
            }
            None => each_line(block, &mut |at, raw| visit(at, raw, &mut clock)),
        }
        scanned.rejections.sort_by_key(RejectedCommand::place);
        let mut visit = |at: usize, raw: &[u8]| {
            let mut buffers = LineBuffers::default();
            let line = open_line(raw, earlier_lines(block, at), &mut buffers).line;
            let Some((mta, id, rest)) = mta::queue_id(&line) else { return };
            if let Some((relation, other)) = mta::related_queue_id(mta, rest) {
                let (id, other) = (self.hasher.hash_one(id), self.hasher.hash_one(other));
                scanned.links.push(match relation {
                    Relation::ForwardedTo | Relation::NotifiedBy => (id, other),
                    Relation::MadeFrom | Relation::NotifiesAbout => (other, id),
                });
            }
        };
        each_line_with(self.marks, block, &mut visit);
        scanned.links.sort_unstable();
        scanned.links.dedup();
        scanned
    }

    /// Scans one line that contains a part of the query.
    fn line(
        &mut self,
        block: &Block,
        at: usize,
        opened: &OpenedLine,
        clock: &mut TimestampParser,
        scanned: &mut ScannedBlock,
    ) {
        let line = opened.line.or_host(self.task.host(block.file));
        let opened = &OpenedLine { line, ..*opened };
        let mut parsed = mta::read(&line);
        let (mut inside, mut inside_record) = (Vec::new(), Vec::new());
        if let ParsedLine::Event(event) = &mut parsed {
            *event = session_peer::with_peer(event, &line, block, at, &mut inside).unwrap_or(*event);
        } else if let ParsedLine::QueueRecord(fact) = &mut parsed {
            let lines = (&line, opened.raw);
            *fact = session_record::with_session(fact, lines, block, at, &mut inside_record).unwrap_or(*fact);
        }
        let place = LineOffset { file: block.file, offset: block.offset + at as u64 };
        let own = mta::queue_id(&line);
        let text = own.map_or(line.text, |(_, _, rest)| rest);
        let named = own.is_some_and(|(mta, id, _)| {
            let other =
                mta::related_queue_id(mta, text).is_some_and(|(_, other)| self.query.is_queue_id(other));
            other || self.query.is_queue_id(id)
        });
        let matches = match &parsed {
            ParsedLine::Event(event) => {
                self.query.matches_event(event, text)
                    || mta::other_recipients(event, &line).any(|event| self.query.matches_event(&event, text))
            }
            ParsedLine::QueueRecord(fact) => self.query.matches_record(fact),
            ParsedLine::Routine | ParsedLine::Unread | ParsedLine::Foreign => false,
        };
        if !named && !matches {
            return;
        }
        let moment = clock.read(line.stamp, place.offset);
        if !self.task.window.contains(moment) {
            return;
        }
        if let Some((_, id, _)) = own {
            let id = self.hasher.hash_one(id);
            let when = (moment.map(|moment| moment.micros), place);
            match scanned.hits.last_mut().filter(|(last, _)| *last == id) {
                Some((_, last)) => *last = when.max(*last),
                None => scanned.hits.push((id, when)),
            }
            return;
        }
        let ParsedLine::Event(event) = &parsed else { return };
        let classification = self.classifier.classify(event);
        let admitted = || self.filter.admits(event, classification, &line, self.task.book);
        if is_duplicate(event, &line, block, at) || !admitted() {
            return;
        }
        let whole = if self.raw { whole_line(block, at) } else { &[] };
        scanned.rejections.push(RejectedCommand::read(
            event,
            classification,
            opened,
            (moment, place),
            whole,
            &self.hasher,
            (self.query, self.task.book),
        ));
    }
}

/// The line as it stands in the file, with its wrapper.
pub(crate) fn whole_line<'b>(block: &Block<'b>, at: usize) -> &'b [u8] {
    let rest = block.lines.get(at..).unwrap_or_default();
    rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default()
}

/// Counts the lines, and reads the first timestamp of each minute, so that the parser knows the years as in a full reading.
fn read_stamps(clock: &mut TimestampParser, block: &Block, scanned: &mut ScannedBlock) {
    let mut buffers = LineBuffers::default();
    let mut last = stamp_before(block, clock, &mut buffers);
    each_line(block, &mut |at, raw| {
        scanned.lines += 1;
        if is_same_minute(last, raw) {
            return;
        }
        let line = open_line(raw, earlier_lines(block, at), &mut buffers).line;
        let stamp = line.stamp;
        last = raw.get(..17).unwrap_or_default();
        if clock.is_same_minute(stamp) {
            return;
        }
        let moment = clock.read(stamp, block.offset + at as u64);
        if moment.is_none() {
            // A cut line can begin like a timestamp without having one, so the next line must be read too.
            last = b"";
        }
        if let Some(moment) = moment {
            let minute = moment.minute();
            if line.host.is_empty() && Program::of(&line) != Program::Foreign {
                extend(&mut scanned.unnamed, moment.second());
            }
            let (first, latest) = scanned.minutes.unwrap_or((minute, minute));
            scanned.minutes = Some((first.min(minute), latest.max(minute)));
        }
    });
    extend_to_end(block, clock, &mut scanned.unnamed);
}

/// The beginning of the line before the block, if it shows a time: the first line of a block is skipped like any other if it is
/// of the same minute.
fn stamp_before<'b>(block: &Block<'b>, clock: &TimestampParser, buffers: &mut LineBuffers) -> &'b [u8] {
    let mut earlier = earlier_lines(block, 0).backwards();
    let Some(raw) = earlier.next() else { return b"" };
    let stamp = open_line(raw, earlier_lines(block, 0), buffers).line.stamp;
    if clock.is_valid(stamp) { raw.get(..17).unwrap_or_default() } else { b"" }
}

/// Whether both lines begin with a timestamp of the same minute; false when in doubt. For most lines this check suffices.
fn is_same_minute(last: &[u8], raw: &[u8]) -> bool {
    match raw {
        // `Nov 22 05:38:19`
        [b'A'..=b'Z', _, _, b' ', _, _, b' ', _, _, b':', _, _, b':', ..] => {
            last.first_chunk::<13>() == raw.first_chunk::<13>()
        }
        // `2026-11-22 05:38:19`, `2026-11-22T05:38:19`
        [b'1' | b'2', _, _, _, b'-', _, _, b'-', _, _, _, _, _, b':', _, _, b':', ..] => {
            last.first_chunk::<17>() == raw.first_chunk::<17>()
        }
        _ => false,
    }
}

/// Visits each line, cut to [`LINE_LIMIT`], with its offset in the block.
pub(crate) fn each_line<'b>(block: &Block<'b>, visit: &mut impl FnMut(usize, &'b [u8])) {
    let mut at = 0;
    while at < block.lines.len() {
        let line = whole_line(block, at);
        visit(at, cut_line(line));
        at += line.len() + 1;
    }
}

/// Visits each line that contains the pattern, once, with its offset in the block.
pub(crate) fn each_line_with<'b>(
    pattern: &Regex,
    block: &Block<'b>,
    visit: &mut impl FnMut(usize, &'b [u8]),
) {
    let mut from = 0;
    while let Some(hit) = pattern.find_at(block.lines, from) {
        let before = block.lines.get(..hit.start()).unwrap_or_default();
        let at = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let line = whole_line(block, at);
        visit(at, cut_line(line));
        from = at + line.len() + 1;
        if from > block.lines.len() {
            break;
        }
    }
}

fn cut_line(line: &[u8]) -> &[u8] {
    let line = line.get(..LINE_LIMIT).unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Microseconds since 1970.
pub(crate) fn micros(moment: Option<LogTime>) -> Option<i64> {
    moment.map(|moment| moment.micros)
}
