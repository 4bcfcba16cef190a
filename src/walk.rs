//! Blocks come in; every line is read once, counted once, and its event told to who listens.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use memchr::memchr;

use crate::error::Error;
use crate::event::{Direction, Event, Mta};
use crate::input::block::{Block, CONTEXT, LINE_LIMIT};
use crate::input::set::{Held, Manner, Progress, Source, Worked, each_block};
use crate::line::Line;
use crate::mta;
use crate::mta::reading::Reading;
use crate::time::{Clock, Moment};

/// An event with all that is known of its line.
pub struct Told<'a> {
    pub place: Place,
    /// The line's number in its block, from 0.
    pub line_in_block: u64,
    pub line: &'a Line<'a>,
    pub raw: &'a [u8],
    /// None: the line has no stamp that is a date.
    pub moment: Option<Moment>,
    pub event: &'a Event<'a>,
}

/// Where a line begins: the number of its file in the set, and bytes in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    pub file: usize,
    pub offset: u64,
}

/// Who listens to events: one a thread, merged by its owner. It is told events in the order of a block, and blocks
/// in any order; what it gives back at a block's end is folded in the order of the files.
pub trait Listener: Send {
    type Handover: Send + Held;

    fn event(&mut self, told: &Told);

    /// `lines` is how many the block had.
    fn end_of_block(&mut self, file: usize, lines: u64) -> Self::Handover;
}

/// How stamps without a zone or a year are to be understood.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub zone: TimeZone,
    pub year: Option<i16>,
}

/// What the lines were. Sums add up: lines = mail + foreign, mail = event + routine + unread.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Coverage {
    pub lines: u64,
    /// Of text, decompressed.
    pub bytes: u64,
    pub event: u64,
    pub routine: u64,
    pub unread: u64,
    pub foreign: u64,
    /// The first lines that could not be read, in order, cut to 400 bytes.
    pub unread_lines: Vec<(Place, Vec<u8>)>,
    /// The first and the last minute of any mail line with a stamp.
    pub minutes: Option<(i64, i64)>,
}

const UNREAD_KEPT: usize = 3;

impl Coverage {
    pub fn mail(&self) -> u64 {
        self.event + self.routine + self.unread
    }

    pub fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.bytes += other.bytes;
        self.event += other.event;
        self.routine += other.routine;
        self.unread += other.unread;
        self.foreign += other.foreign;
        self.unread_lines.extend(other.unread_lines);
        self.unread_lines.sort();
        self.unread_lines.truncate(UNREAD_KEPT);
        self.minutes = match (self.minutes, other.minutes) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
    }

    fn unread(&mut self, place: Place, raw: &[u8]) {
        self.unread += 1;
        if self.unread_lines.len() < UNREAD_KEPT
            || self.unread_lines.last().is_some_and(|last| place < last.0)
        {
            self.unread_lines.push((place, raw.get(..400).unwrap_or(raw).to_vec()));
            self.unread_lines.sort();
            self.unread_lines.truncate(UNREAD_KEPT);
        }
    }

    fn minute(&mut self, minute: i64) {
        self.minutes = Some(self.minutes.map_or((minute, minute), |(a, b)| (a.min(minute), b.max(minute))));
    }
}

/// What came of a walk.
pub struct Walked<L> {
    pub listeners: Vec<L>,
    pub coverage: Coverage,
    pub problems: Vec<Error>,
}

/// Reads every line of the set.
pub fn walk<L: Listener>(
    sources: &[Source],
    manner: Manner,
    calendar: &Calendar,
    progress: &Progress,
    new: impl Fn() -> L + Sync,
    fold: impl FnMut(L::Handover) + Send,
) -> Result<Walked<L>, Error> {
    let new = || Walker { listener: new(), coverage: Coverage::default(), clock: None, last_file: 0 };
    let work = |walker: &mut Walker<L>, block: &Block| {
        walker.set_clock(block.file, sources, calendar);
        walker.block(block)
    };
    let Worked { workers, problems } = each_block(sources, manner, progress, new, work, fold)?;
    let mut walked = Walked { listeners: Vec::new(), coverage: Coverage::default(), problems };
    for worker in workers {
        walked.listeners.push(worker.listener);
        walked.coverage.merge(worker.coverage);
    }
    Ok(walked)
}

struct Walker<L> {
    listener: L,
    coverage: Coverage,
    clock: Option<Clock>,
    last_file: usize,
}

impl<L: Listener> Walker<L> {
    fn set_clock(&mut self, file: usize, sources: &[Source], calendar: &Calendar) {
        if self.clock.is_none() || self.last_file != file {
            let newest = sources.get(file).and_then(|source| Timestamp::try_from(source.newest).ok());
            let newest = newest.unwrap_or_else(Timestamp::now);
            self.clock = Some(Clock::new(calendar.zone.clone(), newest, calendar.year));
            self.last_file = file;
        }
    }

    fn block(&mut self, block: &Block) -> L::Handover {
        let mut lines = 0;
        let mut at = 0;
        while at < block.lines.len() {
            let rest = block.lines.get(at..).unwrap_or_default();
            let end = memchr(b'\n', rest).unwrap_or(rest.len());
            let raw = rest.get(..end.min(LINE_LIMIT)).unwrap_or_default();
            let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
            self.line(block, at, lines, raw);
            lines += 1;
            at += end + 1;
        }
        self.coverage.lines += lines;
        self.coverage.bytes += block.lines.len() as u64;
        self.listener.end_of_block(block.file, lines)
    }

    fn line(&mut self, block: &Block, at: usize, line_in_block: u64, raw: &[u8]) {
        let line = Line::read(raw);
        let reading = mta::read(&line);
        if matches!(reading, Reading::Foreign) {
            self.coverage.foreign += 1;
            return;
        }
        let same = self.clock.as_ref().is_some_and(|clock| clock.is_same_minute(line.stamp));
        if same && matches!(reading, Reading::Routine) {
            self.coverage.routine += 1;
            return;
        }
        let moment = self.clock.as_mut().and_then(|clock| clock.read(line.stamp));
        if let Some(moment) = moment {
            self.coverage.minute(moment.minute());
        }
        let place = Place { file: block.file, offset: block.offset + at as u64 };
        match &reading {
            Reading::Event(event) if !told_before(event, &line, block, at) => {
                self.coverage.event += 1;
                self.listener.event(&Told { place, line_in_block, line: &line, raw, moment, event });
            }
            Reading::Event(_) | Reading::Routine => self.coverage.routine += 1,
            Reading::Unread => self.coverage.unread(place, raw),
            Reading::Foreign => {}
        }
    }
}

/// Exim sends a refusal to syslog twice, for its mainlog and for its rejectlog: one event, told by the first. Long
/// lines are cut differently, so the shorter text is the beginning of the longer. A client may be refused the same
/// thing again at once, so every second one of the same text is a copy.
fn told_before(event: &Event, line: &Line, block: &Block, at: usize) -> bool {
    if event.mta != Mta::Exim || event.direction != Direction::Inbound || line.program.is_empty() {
        return false;
    }
    let text = mta::exim::words(line);
    let before = block.lines.get(..at).unwrap_or_default();
    let near = before.get(before.len().saturating_sub(CONTEXT)..).unwrap_or_default();
    let room = CONTEXT.saturating_sub(near.len()).min(block.before.len());
    let earlier = block.before.get(block.before.len() - room..).unwrap_or_default();
    let same = |raw: &&[u8]| {
        let other = Line::read(raw.strip_suffix(b"\r").unwrap_or(raw));
        let words = mta::exim::words(&other);
        other.program == line.program
            && words.len() > 16
            && (text.starts_with(words) || words.starts_with(text))
    };
    let lines = near.rsplit(|&byte| byte == b'\n').chain(earlier.rsplit(|&byte| byte == b'\n'));
    lines.filter(same).count() % 2 == 1
}
