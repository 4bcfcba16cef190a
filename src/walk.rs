//! Blocks come in; every line is read once, counted once, and its event told to who listens.

use crate::book::Book;
use crate::envelope;
use crate::error::InputError;
use crate::event::Event;
use crate::filter::Filter;
use crate::input::block::{Block, CONTEXT, LINE_LIMIT};
use crate::input::resume::Reached;
use crate::input::set::{Held, Manner, Progress, Source, Worked, each_block};
use crate::lanes::newlines::Ends;
use crate::line::Line;
use crate::mta;
use crate::mta::fact::Fact;
use crate::mta::reading::Reading;
use crate::provider::Provider;
use crate::reader::{Known, Reader};
use crate::reason::{Judge, Verdict, provider};
use crate::time::{Clock, Moment};
use crate::turn::{Calendar, Order, Turns};
use crate::when::Window;
use crate::year::Sightings;

/// An event with all that is known of its line.
pub struct Told<'a> {
    pub place: Place,
    /// The line's number in its block, from 0.
    pub line_in_block: u64,
    pub line: &'a Line<'a>,
    /// Of a line in a wrapper, the line inside.
    pub raw: &'a [u8],
    /// None: the line has no stamp that is a date.
    pub moment: Option<Moment>,
    pub event: &'a Event<'a>,
    /// None: it went well.
    pub verdict: Option<Verdict>,
    /// As whom the client logged in that handed the message over; for who follows messages. None: nobody knows.
    pub user: Option<&'a [u8]>,
    /// The address that the message came from, in the same way.
    pub client: Option<&'a [u8]>,
    pub book: &'a Book,
}

impl Told<'_> {
    /// Who runs the other side: by the words of the reply, else by its name or the recipient's.
    pub fn provider(&self) -> Option<Provider> {
        let told = self.verdict.and_then(|verdict| verdict.provider);
        told.or_else(|| provider(self.event, self.book))
    }
}

/// What a routine line says about a message.
pub struct Noted<'a> {
    pub fact: &'a Fact<'a>,
    pub place: Place,
    pub line: &'a Line<'a>,
    /// Of a line in a wrapper, the line inside.
    pub raw: &'a [u8],
    /// The line's minute, counted from 1970-01-01T00:00Z. None: the line has no stamp that is a date.
    pub minute: Option<i64>,
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

    /// An event that the filter does not admit, for who follows messages through all of their events.
    fn left_out(&mut self, _told: &Told) {}

    fn fact(&mut self, _noted: &Noted) {}

    /// `lines` is how many the block had.
    fn end_of_block(&mut self, file: usize, lines: u64) -> Self::Handover;
}

/// Takes the lines that were not understood. A failure is its owner's to report: the reading goes on.
pub trait UnreadLines: Send {
    /// Whole lines, in the order of the files.
    fn add(&mut self, lines: &[u8]);
}

/// What to read, and what of it is wanted.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    pub sources: &'a [Source],
    pub manner: Manner,
    pub calendar: &'a Calendar,
    pub book: &'a Book,
    /// Lines outside are passed over as if they were not there.
    pub window: Window,
    pub filter: &'a Filter,
    pub progress: &'a Progress,
}

/// What the lines were. Sums add up: lines = mail + foreign, mail = event + routine + unread.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Coverage {
    pub lines: u64,
    /// Of text, decompressed; of all that was read, also outside a window. Of a line that is too long, its beginning.
    pub bytes: u64,
    pub event: u64,
    pub routine: u64,
    pub unread: u64,
    pub foreign: u64,
    /// Events that the filter did not admit; they are among `event`.
    pub filtered: u64,
    /// Lines that a window was asked of and that show no time; they are in no other sum.
    pub undated: u64,
    /// The first and the last minute of lines outside the window.
    pub outside: Option<(i64, i64)>,
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
        self.filtered += other.filtered;
        self.undated += other.undated;
        self.unread_lines.extend(other.unread_lines);
        self.unread_lines.sort();
        self.unread_lines.truncate(UNREAD_KEPT);
        for (mine, theirs) in [(&mut self.minutes, other.minutes), (&mut self.outside, other.outside)] {
            if let Some((first, last)) = theirs {
                widen(mine, first);
                widen(mine, last);
            }
        }
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
}

/// So that the minute lies in it.
fn widen(span: &mut Option<(i64, i64)>, minute: i64) {
    let (first, last) = span.unwrap_or((minute, minute));
    *span = Some((first.min(minute), last.max(minute)));
}

/// What came of a walk.
pub struct Walked<L> {
    pub listeners: Vec<L>,
    pub coverage: Coverage,
    pub problems: Vec<InputError>,
    /// What the order of the lines says of their stamps. Where it is not what the calendar had, the moments of this
    /// walk were wrong, and another with it is right.
    pub turns: Turns,
    /// How far each file was read, by its number in the set.
    pub reached: Vec<Reached>,
}

/// A second walk has the years right, and with them the hour that comes twice a year; a third is there for the case
/// that the right years have such an hour.
pub const WALKS: usize = 3;

/// Reads every line of the set. Lines that are not understood go to `unread`, in order.
pub fn walk<L: Listener>(
    task: &Task,
    new: impl Fn() -> L + Sync,
    mut fold: impl FnMut(L::Handover) + Send,
    mut unread: Option<&mut dyn UnreadLines>,
) -> Result<Walked<L>, InputError> {
    let keep_unread = unread.is_some();
    let new = || Walker {
        task: *task,
        judge: Judge::new(task.book),
        listener: new(),
        coverage: Coverage::default(),
        reader: Reader::default(),
        clock: None,
        last_file: 0,
        minute: None,
        unread: keep_unread.then(Vec::new),
    };
    let mut order = Order::default();
    let mut reached = vec![Reached::default(); task.sources.len()];
    let in_order = |handed: Handed<L::Handover>| {
        order.add(handed.file, handed.seen, task.sources);
        if let Some(reached) = reached.get_mut(handed.file) {
            *reached = Reached { lines: reached.lines + handed.lines, end: handed.end };
        }
        if let Some(unread) = &mut unread {
            unread.add(&handed.unread);
        }
        fold(handed.own);
    };
    let worked = each_block(task.sources, task.manner, task.progress, new, Walker::block, in_order)?;
    let Worked { workers, problems } = worked;
    let turns = order.turns(task.sources, task.calendar);
    let mut walked =
        Walked { listeners: Vec::new(), coverage: Coverage::default(), problems, turns, reached };
    for worker in workers {
        walked.listeners.push(worker.listener);
        walked.coverage.merge(worker.coverage);
    }
    Ok(walked)
}

/// The calendar with what the order of the lines says of their stamps, for who cannot tell them twice.
pub fn settled(task: &Task) -> Result<Calendar, InputError> {
    let mut calendar = task.calendar.clone();
    for _ in 1..WALKS {
        let turns = turns(&Task { calendar: &calendar, ..*task })?;
        if turns == calendar.turns {
            break;
        }
        calendar.turns = turns;
    }
    Ok(calendar)
}

fn turns(task: &Task) -> Result<Turns, InputError> {
    struct Dates<'a> {
        task: Task<'a>,
        clock: Option<Clock>,
        last_file: usize,
    }
    let new = || Dates { task: *task, clock: None, last_file: 0 };
    let work = |dates: &mut Dates, block: &Block| {
        let clock = clock(&mut dates.clock, &mut dates.last_file, block.file, &dates.task);
        Handed { file: block.file, seen: seen(clock, block), unread: Vec::new(), lines: 0, end: 0, own: () }
    };
    let mut order = Order::default();
    let fold = |handed: Handed<()>| order.add(handed.file, handed.seen, task.sources);
    each_block(task.sources, task.manner, task.progress, new, work, fold)?;
    Ok(order.turns(task.sources, task.calendar))
}

/// What a block shows that only the order of the lines can settle, for who gets a log block by block.
pub fn sightings(task: &Task, block: &Block) -> Sightings {
    seen(clock(&mut None, &mut 0, block.file, task), block)
}

fn seen(clock: &mut Clock, block: &Block) -> Sightings {
    each_line(block, |at, raw| {
        let stamp = Line::read(raw).stamp;
        if !clock.is_same_minute(stamp) {
            let _ = clock.read(stamp, block.offset + at as u64);
        }
    });
    clock.sightings()
}

/// What one block gave.
pub struct Step<'b, L: Listener> {
    pub listener: L,
    /// It remembers what was said again and again, for the next block.
    pub judge: Judge<'b>,
    pub handover: L::Handover,
    pub coverage: Coverage,
}

/// Reads one block alone, for who gets a log block by block; the calendar has what is known of its stamps.
pub fn step<'b, L: Listener>(task: &Task, judge: Judge<'b>, listener: L, block: &Block) -> Step<'b, L> {
    let coverage = Coverage::default();
    let (reader, clock, last_file, minute, unread) = (Reader::default(), None, 0, None, None);
    let mut walker =
        Walker { task: *task, judge, listener, coverage, reader, clock, last_file, minute, unread };
    let handed = walker.block(block);
    let Walker { listener, judge, coverage, .. } = walker;
    Step { listener, judge, handover: handed.own, coverage }
}

/// What a block's walk gives back, to be folded in the order of the files.
struct Handed<H> {
    file: usize,
    seen: Sightings,
    /// Lines that were not understood, where somebody wants them.
    unread: Vec<u8>,
    lines: u64,
    /// Where the block ends in its file.
    end: u64,
    own: H,
}

impl<H: Held> Held for Handed<H> {
    fn held(&self) -> usize {
        // What was seen is small: a run is a year, and an hour comes twice on one day of it.
        self.unread.capacity() + self.own.held()
    }
}

struct Walker<'a, 'b, L> {
    task: Task<'a>,
    judge: Judge<'b>,
    listener: L,
    coverage: Coverage,
    reader: Reader,
    clock: Option<Clock>,
    last_file: usize,
    /// The reader's minute that was read last, and which one it is since 1970-01-01T00:00Z; nothing was read since.
    minute: Option<(u32, i64)>,
    /// None: nobody wants them.
    unread: Option<Vec<u8>>,
}

/// The clock of a file, at the beginning of a block; `last_file` is that of the block before.
pub fn clock<'c>(
    clock: &'c mut Option<Clock>,
    last_file: &mut usize,
    file: usize,
    task: &Task,
) -> &'c mut Clock {
    let calendar = task.calendar;
    if *last_file != file {
        (*clock, *last_file) = (None, file);
    }
    let clock = clock.get_or_insert_with(|| {
        let bound = calendar.bound(task.sources.get(file));
        Clock::new(calendar.zone.clone(), bound, calendar.turns.of(file))
    });
    clock.begin();
    clock
}

/// Tells each line, cut to what is looked at and taken out of its envelope, and where it begins in the block.
fn each_line(block: &Block, mut tell: impl FnMut(usize, &[u8])) {
    let mut inside = Vec::new();
    each_length(block, |at, length| {
        let raw = block.lines.get(at..at + length).unwrap_or_default();
        tell(at, envelope::open(raw, &mut inside));
    });
}

/// Tells where each line begins in the block, and how long it is, cut to what is looked at; gives back how many there
/// were, and how many bytes of them were looked at.
#[inline]
fn each_length(block: &Block, mut tell: impl FnMut(usize, usize)) -> (u64, u64) {
    let (mut lines, mut at, mut cut) = (0, 0, 0);
    let all = block.lines.len();
    let mut ends = Ends::new(block.lines);
    while at < all {
        let end = ends.next().unwrap_or(all);
        let mut length = (end - at).min(LINE_LIMIT);
        if length > 0 && block.lines.get(at + length - 1) == Some(&b'\r') {
            length -= 1;
        }
        tell(at, length);
        lines += 1;
        // A block that ends with such a line has only its beginning, so its end counts nowhere.
        cut += ((end + 1).min(all) - at).saturating_sub(LINE_LIMIT);
        at = end + 1;
    }
    (lines, (all - cut) as u64)
}

impl<L: Listener> Walker<'_, '_, L> {
    fn block(&mut self, block: &Block) -> Handed<L::Handover> {
        clock(&mut self.clock, &mut self.last_file, block.file, &self.task);
        self.minute = None;
        let mut inside = Vec::new();
        let mut number = 0;
        let (lines, bytes) = each_length(block, |at, length| {
            let ahead = block.lines.get(at..).unwrap_or_default();
            let raw = ahead.get(..length).unwrap_or_default();
            match &self.reader.known(ahead, length) {
                // Not moved: to load at once what was just stored bit by bit takes longer than the rest of this.
                Some(known) => self.line(block, at, number, raw, known),
                None => {
                    let raw = envelope::open(raw, &mut inside);
                    let known = self.reader.read(raw);
                    self.line(block, at, number, raw, &known);
                }
            }
            number += 1;
        });
        self.coverage.bytes += bytes;
        if self.task.window.is_open() {
            self.coverage.lines += lines;
        }
        Handed {
            file: block.file,
            seen: self.clock.as_mut().map(Clock::sightings).unwrap_or_default(),
            unread: self.unread.as_mut().map(std::mem::take).unwrap_or_default(),
            lines,
            end: block.offset + block.lines.len() as u64,
            own: self.listener.end_of_block(block.file, lines),
        }
    }

    fn line(&mut self, block: &Block, at: usize, line_in_block: u64, raw: &[u8], known: &Known) {
        let line = &known.line;
        let place = Place { file: block.file, offset: block.offset + at as u64 };
        let mut moment = None;
        if !self.task.window.is_open() {
            moment = self.clock.as_mut().and_then(|clock| clock.read(line.stamp, place.offset));
            match moment {
                Some(moment) if self.task.window.holds(moment) => {}
                Some(moment) => {
                    widen(&mut self.coverage.outside, moment.minute());
                    return;
                }
                None => {
                    self.coverage.undated += 1;
                    return;
                }
            }
            self.coverage.lines += 1;
        }
        let reading = known.writer.read(line);
        if matches!(reading, Reading::Foreign) {
            self.coverage.foreign += 1;
            return;
        }
        // The lines of a minute are told by its first: only who has an event needs the seconds.
        let minute = match (self.minute, known.minute) {
            (Some((last, minute)), Some(number)) if number == last => Some(minute),
            _ => None,
        };
        if let (Some(_), Reading::Routine) = (minute, &reading) {
            self.coverage.routine += 1;
            return;
        }
        if let (Some(_), Reading::Fact(fact)) = (minute, &reading) {
            self.coverage.routine += 1;
            self.listener.fact(&Noted { fact, place, line, raw, minute });
            return;
        }
        moment = moment.or_else(|| self.clock.as_mut()?.read(line.stamp, place.offset));
        if minute.is_none() {
            self.minute = known.minute.zip(moment.map(Moment::minute));
            if let Some(moment) = moment {
                widen(&mut self.coverage.minutes, moment.minute());
            }
        }
        match &reading {
            Reading::Event(event) if !told_before(event, line, block, at) => {
                self.coverage.event += 1;
                let verdict = self.judge.verdict(event);
                let book = self.task.book;
                let (user, client) = (None, None);
                let told =
                    Told { place, line_in_block, line, raw, moment, event, verdict, user, client, book };
                if !self.task.filter.is_empty() && !self.task.filter.admits(event, verdict, line, book) {
                    self.coverage.filtered += 1;
                    self.listener.left_out(&told);
                    return;
                }
                self.listener.event(&told);
            }
            Reading::Fact(fact) => {
                self.coverage.routine += 1;
                let minute = moment.map(Moment::minute);
                self.listener.fact(&Noted { fact, place, line, raw, minute });
            }
            Reading::Event(_) | Reading::Routine => self.coverage.routine += 1,
            Reading::Unread => {
                self.coverage.unread(place, raw);
                if let Some(unread) = &mut self.unread {
                    unread.extend_from_slice(raw);
                    unread.push(b'\n');
                }
            }
            Reading::Foreign => {}
        }
    }
}

/// Whether the line is the second copy of an event that its server logs twice. Long lines are cut differently, so the
/// shorter text is the beginning of the longer. A client may be rejected for the same thing again at once, so every second
/// line of the same text is a copy.
pub fn told_before(event: &Event, line: &Line, block: &Block, at: usize) -> bool {
    let Some(text) = mta::copied_text(event, line) else { return false };
    let before = block.lines.get(..at).unwrap_or_default();
    let near = before.get(before.len().saturating_sub(CONTEXT)..).unwrap_or_default();
    let room = CONTEXT.saturating_sub(near.len()).min(block.before.len());
    let earlier = block.before.get(block.before.len() - room..).unwrap_or_default();
    let same = |raw: &&[u8]| {
        let mut inside = Vec::new();
        let other = Line::read(envelope::open(raw.strip_suffix(b"\r").unwrap_or(raw), &mut inside));
        let is_copy = |words: &[u8]| words.len() > 16 && (text.starts_with(words) || words.starts_with(text));
        other.program == line.program && mta::copied_text(event, &other).is_some_and(is_copy)
    };
    let lines = near.rsplit(|&byte| byte == b'\n').chain(earlier.rsplit(|&byte| byte == b'\n'));
    lines.filter(same).count() % 2 == 1
}
