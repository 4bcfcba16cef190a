//! The first reading: blocks come in; which queue ids match, which ids name each other, and whom we refused go out.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use regex::bytes::Regex;

use super::query::TraceQuery;
use super::rejected::RejectedCommand;
use crate::catalog::classify::Classifier;
use crate::input::read::HeapSize;
use crate::input::read::block::{Block, LINE_LIMIT};
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::mta::parsed::ParsedLine;
use crate::parse::mta::related_id::{MARKS, Relation};
use crate::parse::timestamp::{LogTime, TimestampParser};
use crate::parse::unwrap;
use crate::parse::year::StampObservations;
use crate::pipeline::duplicate::is_duplicate;
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::LineOffset;
use crate::pipeline::walk::{WalkTask, clock};

/// One a thread.
pub(crate) struct LinkScanner<'a> {
    task: WalkTask<'a>,
    sought: &'a TraceQuery,
    /// Rejections of which it admits no event are left out.
    filter: &'a Filter,
    marks: &'a Regex,
    judge: Classifier<'a>,
    hasher: RandomState,
    clock: Option<TimestampParser>,
    last_file: usize,
    /// Refusals keep their lines.
    raw: bool,
}

/// What a block shows.
#[derive(Default)]
pub(crate) struct ScannedBlock {
    pub file: usize,
    pub seen: StampObservations,
    pub lines: u64,
    /// The first and the last minute of its stamps.
    pub minutes: Option<(i64, i64)>,
    /// Of lines that match: the hash of their queue id, and when.
    pub hits: Vec<(u64, StampMatch)>,
    /// Two queue ids, by their hashes, of which a line of the first names the second.
    pub links: Vec<(u64, u64)>,
    pub refusals: Vec<RejectedCommand>,
}

/// By time, and by place where that says nothing.
pub(crate) type StampMatch = (Option<i64>, LineOffset);

impl HeapSize for ScannedBlock {
    fn held_bytes(&self) -> usize {
        let refusals: usize = self.refusals.iter().map(RejectedCommand::held_bytes).sum();
        self.hits.capacity() * size_of::<(u64, StampMatch)>() + self.links.capacity() * 16 + refusals
    }
}

/// All that can stand before the other id of a line, at once.
pub(crate) fn marks() -> Regex {
    let marks: Vec<String> = MARKS.iter().map(|mark| regex::escape(mark)).collect();
    // Exim names a router so in each delivery; only six signs and a dash begin an id.
    let marks = marks.join("|").replace(" R=", " R=[0-9A-Za-z]{6}-");
    Regex::new(&format!("(?-u){marks}")).expect("our own words make a pattern")
}

impl<'a> LinkScanner<'a> {
    /// `hasher` is the same for all threads of a run.
    pub(crate) fn new(
        task: WalkTask<'a>,
        sought: &'a TraceQuery,
        filter: &'a Filter,
        marks: &'a Regex,
        hasher: RandomState,
        raw: bool,
    ) -> Self {
        let judge = Classifier::new(task.book);
        Self { task, sought, filter, marks, judge, hasher, clock: None, last_file: 0, raw }
    }

    pub(crate) fn block(&mut self, block: &Block) -> ScannedBlock {
        let mut sighted = ScannedBlock { file: block.file, ..ScannedBlock::default() };
        let clock = clock(&mut self.clock, &mut self.last_file, block.file, &self.task);
        stamps(clock, block, &mut sighted);
        sighted.seen = clock.take_observations();
        let mut clock = clock.clone();
        clock.begin();
        let mut inside = Vec::new();
        let anchor = self.sought.anchor();
        let mut tell = |at: usize, raw: &[u8]| {
            let raw = unwrap::unwrap_line(raw, &mut inside);
            self.line(block, at, raw, &mut clock, &mut sighted);
        };
        match anchor {
            Some(anchor) => each_line_with(anchor, block, &mut tell),
            None => each_line(block, &mut tell),
        }
        let mut tell = |_: usize, raw: &[u8]| {
            let mut inside = Vec::new();
            let line = LogLine::read(unwrap::unwrap_line(raw, &mut inside));
            let Some((mta, id, rest)) = mta::queue_id(&line) else { return };
            if let Some((tie, other)) = mta::related_queue_id(mta, rest) {
                let (id, other) = (self.hasher.hash_one(id), self.hasher.hash_one(other));
                sighted.links.push(match tie {
                    Relation::ForwardedTo | Relation::NotifiedBy => (id, other),
                    Relation::MadeFrom | Relation::NotifiesAbout => (other, id),
                });
            }
        };
        each_line_with(self.marks, block, &mut tell);
        sighted.links.sort_unstable();
        sighted.links.dedup();
        sighted
    }

    fn line(
        &mut self,
        block: &Block,
        at: usize,
        raw: &[u8],
        clock: &mut TimestampParser,
        sighted: &mut ScannedBlock,
    ) {
        let line = LogLine::read(raw);
        let reading = mta::read(&line);
        let place = LineOffset { file: block.file, offset: block.offset + at as u64 };
        let own = mta::queue_id(&line);
        let text = own.map_or(line.text, |(_, _, rest)| rest);
        let named = own.is_some_and(|(mta, id, _)| {
            let other =
                mta::related_queue_id(mta, text).is_some_and(|(_, other)| self.sought.is_queue_id(other));
            other || self.sought.is_queue_id(id)
        });
        let fits = match &reading {
            ParsedLine::Event(event) => self.sought.fits_event(event, text),
            ParsedLine::QueueRecord(fact) => self.sought.fits_fact(fact),
            ParsedLine::Routine | ParsedLine::Unread | ParsedLine::Foreign => false,
        };
        if !named && !fits {
            return;
        }
        let moment = clock.read(line.stamp, place.offset);
        if !self.task.window.contains(moment) {
            return;
        }
        if let Some((_, id, _)) = own {
            let id = self.hasher.hash_one(id);
            let when = (moment.map(|moment| moment.micros), place);
            match sighted.hits.last_mut().filter(|(last, _)| *last == id) {
                Some((_, last)) => *last = when,
                None => sighted.hits.push((id, when)),
            }
            return;
        }
        let ParsedLine::Event(event) = &reading else { return };
        let verdict = self.judge.classify(event);
        let admitted = || self.filter.admits(event, verdict, &line, self.task.book);
        if is_duplicate(event, &line, block, at) || !admitted() {
            return;
        }
        let whole = if self.raw { whole_line(block, at) } else { &[] };
        sighted.refusals.push(RejectedCommand::read(
            event,
            verdict,
            &line,
            raw,
            (moment, place),
            whole,
            &self.hasher,
        ));
    }
}

/// The line as it stands in the file, in its envelope.
pub(crate) fn whole_line<'b>(block: &Block<'b>, at: usize) -> &'b [u8] {
    let rest = block.lines.get(at..).unwrap_or_default();
    rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default()
}

/// Has the clock see every minute, as a whole reading would, and counts the lines.
fn stamps(clock: &mut TimestampParser, block: &Block, sighted: &mut ScannedBlock) {
    let (mut inside, mut last) = (Vec::new(), &b""[..]);
    each_line(block, &mut |at, raw| {
        sighted.lines += 1;
        if is_same_minute(last, raw) {
            return;
        }
        last = raw.get(..17).unwrap_or_default();
        let stamp = LogLine::read(unwrap::unwrap_line(raw, &mut inside)).stamp;
        if !clock.is_same_minute(stamp)
            && let Some(moment) = clock.read(stamp, block.offset + at as u64)
        {
            let minute = moment.minute();
            let (first, latest) = sighted.minutes.unwrap_or((minute, minute));
            sighted.minutes = Some((first.min(minute), latest.max(minute)));
        }
    });
}

/// Both lines begin with a stamp of the same minute; false when in doubt. Most lines need no more than this.
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

/// Each line, cut to what is looked at, and where it begins in the block.
pub(crate) fn each_line<'b>(block: &Block<'b>, tell: &mut impl FnMut(usize, &'b [u8])) {
    let mut at = 0;
    while at < block.lines.len() {
        let line = whole_line(block, at);
        tell(at, cut_line(line));
        at += line.len() + 1;
    }
}

/// Each line in which the pattern stands, once.
pub(crate) fn each_line_with<'b>(pattern: &Regex, block: &Block<'b>, tell: &mut impl FnMut(usize, &'b [u8])) {
    let mut from = 0;
    while let Some(found) = pattern.find_at(block.lines, from) {
        let before = block.lines.get(..found.start()).unwrap_or_default();
        let at = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let line = whole_line(block, at);
        tell(at, cut_line(line));
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
