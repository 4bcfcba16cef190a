//! Walks over the lines of logs: parses each line once, counts it, and passes its event or queue record to a sink.

use super::assumed_hosts::{UnnamedSpan, merge_span};
use super::block_result::BlockResult;
use super::calendar::{Calendar, TimeResolution, YearResolver};
use super::coverage::{Coverage, FileCoverage, extend};
use super::duplicate::is_duplicate;
use super::filter::LineFilter;
use super::line_context::{earlier_lines, extend_to_end};
use super::lines::each_length;
use super::session_record;
use super::sink::{
    Aggregation, EventSink, LineOffset, LoggedEvent, LoggedQueueRecord, LoggedWarning, UnreadLines,
};
use super::time_range::TimeRange;
use super::{earlier_cause, session_peer};
use crate::catalog::Catalog;
use crate::catalog::classify::Classifier;
use crate::input::checkpoint::resume::ReadPosition;
use crate::input::error::InputError;
use crate::input::read::block::Block;
use crate::input::read::{Progress, ReadOptions, Source, WorkResult, each_block};
use crate::parse::header::LogLine;
use crate::parse::header_cache::{HeaderCache, ParsedHeader};
use crate::parse::mta;
use crate::parse::mta::parsed::ParsedLine;
use crate::parse::mta::server_warning::{ServerWarning, server_warning};
use crate::parse::timestamp::{LogTime, TimestampParser};
use crate::parse::unwrap;

/// The input of a walk, and the events that it passes on.
#[derive(Clone, Copy)]
pub struct WalkTask<'a> {
    pub sources: &'a [Source],
    pub options: ReadOptions,
    pub calendar: &'a Calendar,
    pub book: &'a Catalog,
    /// Lines outside of this range are skipped as if they were not there.
    pub window: TimeRange,
    pub filter: &'a LineFilter,
    pub progress: &'a Progress,
}

/// The result of a walk.
pub(crate) struct WalkResult<L> {
    pub sinks: Vec<L>,
    pub coverage: Coverage,
    pub problems: Vec<InputError>,
    /// The years and repeated hours that follow from the order of the lines. If they differ from those of the calendar,
    /// the times of this walk were wrong, and a walk with these is right.
    pub resolution: TimeResolution,
    /// How far each file was read, indexed by its number in the set.
    pub reached: Vec<ReadPosition>,
    /// For each file, the first and the last second of the lines that name no host.
    pub unnamed: Vec<UnnamedSpan>,
}

impl<'a> WalkTask<'a> {
    /// The host of the lines in a file that name none.
    pub(crate) fn host(&self, file: usize) -> Option<&'a [u8]> {
        self.sources.get(file)?.host.as_deref()
    }
}

/// Reads every line of the sources. Lines that are not understood are written to `unread`, in order.
pub(crate) fn walk<L: EventSink>(
    task: &WalkTask,
    new: impl Fn() -> L + Sync,
    mut fold: impl FnMut(L::BlockOutput) + Send,
    mut unread: Option<&mut dyn UnreadLines>,
) -> Result<WalkResult<L>, InputError> {
    let keep_unread = unread.is_some();
    let new = || {
        let unread = keep_unread.then(Vec::new);
        Walker { unread, ..Walker::new(task, Classifier::new(task.book), new()) }
    };
    let mut order = YearResolver::default();
    let mut reached = vec![ReadPosition::default(); task.sources.len()];
    let mut unnamed = vec![None; task.sources.len()];
    let in_order = |result: BlockResult<L::BlockOutput>| {
        order.add(result.file, result.seen, task.sources);
        if let Some(reached) = reached.get_mut(result.file) {
            *reached = ReadPosition { lines: reached.lines + result.lines, end: result.end };
        }
        merge_span(&mut unnamed, result.file, result.unnamed);
        if let Some(unread) = &mut unread {
            unread.add(&result.unread);
        }
        fold(result.own);
    };
    let worked = each_block(task.sources, task.options, task.progress, new, Walker::block, in_order)?;
    let WorkResult { workers, problems } = worked;
    let mut walked = WalkResult {
        sinks: Vec::new(),
        coverage: Coverage::default(),
        problems,
        resolution: order.resolve(task.sources, task.calendar),
        reached,
        unnamed,
    };
    for worker in workers {
        walked.sinks.push(worker.sink);
        walked.coverage.merge(worker.coverage);
    }
    Ok(walked)
}

/// Walks once into a total. The coverage counts events that the total left out as filtered.
pub(crate) fn aggregate<A: Aggregation>(
    task: &WalkTask,
    aggregation: &A,
    unread: Option<&mut dyn UnreadLines>,
) -> Result<(WalkResult<A::Sink>, A::Total), InputError> {
    let mut total = aggregation.start();
    let mut walked = walk(task, || aggregation.sink(), |block| A::fold(&mut total, block), unread)?;
    walked.coverage.filtered += A::left_out(&total);
    Ok((walked, total))
}

/// The result of parsing one block.
pub struct WalkStep<'b, L: EventSink> {
    pub sink: L,
    /// Keeps its cache of classified replies for the next block.
    pub classifier: Classifier<'b>,
    pub output: L::BlockOutput,
    pub coverage: Coverage,
}

/// Reads one block, for a log that is read block by block. The calendar must hold what is known about its dates.
pub fn step<'b, L: EventSink>(
    task: &WalkTask,
    classifier: Classifier<'b>,
    sink: L,
    block: &Block,
) -> WalkStep<'b, L> {
    let mut walker = Walker::new(task, classifier, sink);
    let result = walker.block(block);
    let Walker { sink, classifier, coverage, .. } = walker;
    WalkStep { sink, classifier, output: result.own, coverage }
}

struct Walker<'a, 'b, L> {
    task: WalkTask<'a>,
    classifier: Classifier<'b>,
    sink: L,
    coverage: Coverage,
    reader: HeaderCache,
    clock: Option<TimestampParser>,
    last_file: usize,
    /// The minute of the last line: its number in the header cache, and minutes since 1970-01-01T00:00Z.
    minute: Option<(u32, i64)>,
    /// The minute of the last line of another program: its number in the header cache.
    foreign_minute: Option<u32>,
    /// The host of the lines in this file that name none.
    host: Option<&'a [u8]>,
    /// The first and the last second of the lines in this block that name no host, as far as they were needed.
    unnamed: UnnamedSpan,
    /// `None`: these lines are not wanted.
    unread: Option<Vec<u8>>,
    /// Lines outside the time range.
    outside: u64,
}

/// The timestamp parser for a block of a file. `last_file` is the file of the previous block.
pub(crate) fn clock<'c>(
    clock: &'c mut Option<TimestampParser>,
    last_file: &mut usize,
    file: usize,
    task: &WalkTask,
) -> &'c mut TimestampParser {
    let calendar = task.calendar;
    if *last_file != file {
        (*clock, *last_file) = (None, file);
    }
    let clock = clock.get_or_insert_with(|| {
        let bound = calendar.bound(task.sources.get(file));
        TimestampParser::new(calendar.zone.clone(), bound, calendar.resolution.of(file))
    });
    clock.begin();
    clock
}

impl<'a, 'b, L> Walker<'a, 'b, L> {
    fn new(task: &WalkTask<'a>, classifier: Classifier<'b>, sink: L) -> Self {
        Self {
            task: *task,
            classifier,
            sink,
            coverage: Coverage::default(),
            reader: HeaderCache::default(),
            clock: None,
            last_file: 0,
            minute: None,
            foreign_minute: None,
            host: None,
            unnamed: None,
            unread: None,
            outside: 0,
        }
    }
}

impl<L: EventSink> Walker<'_, '_, L> {
    fn block(&mut self, block: &Block) -> BlockResult<L::BlockOutput> {
        clock(&mut self.clock, &mut self.last_file, block.file, &self.task);
        (self.minute, self.foreign_minute) = (None, None);
        self.host = self.task.host(block.file);
        let (mut inside, mut inner) = (Vec::new(), Vec::new());
        let (mut number, before) = (0, self.known_lines());
        let (lines, bytes) = each_length(block, |at, length| {
            let ahead = block.lines.get(at..).unwrap_or_default();
            let raw = ahead.get(..length).unwrap_or_default();
            let (mut is_turned, mut vague) = (false, None);
            let is_passed_on = loop {
                match &self.reader.cached(ahead, length) {
                    // Borrowed, not moved: loading a struct whose parts were just stored stalls longer than the rest takes.
                    Some(known) if !known.writer.is_vague() || !unwrap::may_hold_line(&known.line) => {
                        self.line(block, at, number, raw, known, 1);
                        break true;
                    }
                    Some(known) => {
                        vague = Some(*known);
                        break false;
                    }
                    None if is_turned || !self.reader.turn_clock(ahead) => break false,
                    None => is_turned = true,
                }
            };
            if !is_passed_on {
                let unwrapped = unwrap::without_wrapper(raw, &mut inside);
                let is_known = |_: &ParsedHeader| std::ptr::eq(unwrapped, raw);
                let known = vague.filter(is_known).unwrap_or_else(|| self.reader.read(unwrapped));
                let raw = unwrapped;
                let earlier = earlier_lines(block, at);
                match unwrap::find_inner(raw, &known.line, known.writer, earlier, &mut inner) {
                    None => self.line(block, at, number, raw, &known, 1),
                    Some(times) => {
                        let known = self.reader.read(&inner);
                        self.line(block, at, number, &inner, &known, times);
                    }
                }
            }
            number += 1;
        });
        self.coverage.bytes += bytes;
        if self.task.window.is_unbounded() {
            self.coverage.lines += lines;
        }
        if let Some(clock) = &mut self.clock {
            extend_to_end(block, clock, &mut self.unnamed);
        }
        let seen = self.clock.as_mut().map(TimestampParser::take_observations).unwrap_or_default();
        if !seen.runs.is_empty() {
            self.coverage.without_year.insert(block.file);
        }
        self.cover_file(block.file, lines, before);
        BlockResult {
            file: block.file,
            seen,
            unnamed: self.unnamed.take(),
            unread: self.unread.as_mut().map(std::mem::take).unwrap_or_default(),
            lines,
            end: block.offset + block.lines.len() as u64,
            own: self.sink.end_of_block(block.file, lines),
        }
    }

    /// Notes the lines of a block of a file. `before`: the lines that were known before the block.
    fn cover_file(&mut self, file: usize, lines: u64, before: u64) {
        let is_known = self.known_lines() > before;
        self.coverage.files.entry(file).or_default().merge(FileCoverage { lines, is_known });
    }

    /// Lines that were understood, or that are outside the time range.
    fn known_lines(&self) -> u64 {
        self.coverage.understood() + self.outside
    }

    /// Passes on a line, with the host of its log if it names none. `times`: how often it occurred.
    #[inline]
    fn line(
        &mut self,
        block: &Block,
        at: usize,
        line_in_block: u64,
        raw: &[u8],
        known: &ParsedHeader,
        times: u32,
    ) {
        match self.host {
            Some(_) if known.line.host.is_empty() => {
                let known = ParsedHeader { line: known.line.or_host(self.host), ..*known };
                self.hosted_line(block, at, line_in_block, raw, &known, times);
            }
            Some(_) | None => self.hosted_line(block, at, line_in_block, raw, known, times),
        }
    }

    fn hosted_line(
        &mut self,
        block: &Block,
        at: usize,
        line_in_block: u64,
        raw: &[u8],
        known: &ParsedHeader,
        times: u32,
    ) {
        let (line, place) = (&known.line, LineOffset { file: block.file, offset: block.offset + at as u64 });
        let (true, mut moment) = self.in_time_range(line, place) else { return };
        let mut parsed = known.writer.parse(line);
        mta::correct_direction(&mut parsed, line);
        if matches!(parsed, ParsedLine::Foreign) {
            self.coverage.foreign(place, block.lines.get(at..).unwrap_or_default());
            self.foreign_minute(line, known, place);
            return;
        }
        let minute = self.minute_of(known);
        let is_no_result = matches!(parsed, ParsedLine::Routine | ParsedLine::Unread);
        let warning = if is_no_result { server_warning(known.writer, line) } else { None };
        if let (Some(_), ParsedLine::Routine, None) = (minute, &parsed, warning) {
            self.coverage.routine += 1;
            return;
        }
        if let (Some(_), ParsedLine::QueueRecord(record)) = (minute, &parsed) {
            self.coverage.routine += 1;
            session_record::pass_on(&mut self.sink, record, (line, raw), (block, at), minute);
            return;
        }
        moment = moment.or_else(|| self.moment(line, place));
        if minute.is_none() {
            self.begin_minute(known.minute, moment, line);
        }
        if let Some(warning) = warning {
            self.warning(warning, place, line, raw, moment);
        }
        match &parsed {
            ParsedLine::Event(event) if !is_duplicate(event, line, block, at) => {
                let mut inside = Vec::new();
                let with_peer = session_peer::with_peer(event, line, block, at, &mut inside);
                let event = with_peer.as_ref().unwrap_or(event);
                let verdict = earlier_cause::classify(&mut self.classifier, event, line, block, at);
                let logged = LoggedEvent {
                    place,
                    line_in_block,
                    line,
                    raw,
                    moment,
                    event,
                    part: 0,
                    verdict,
                    user: None,
                    client: None,
                    book: self.task.book,
                };
                self.line_of_event(&logged, times);
            }
            ParsedLine::QueueRecord(record) => {
                self.coverage.routine += 1;
                let minute = moment.map(LogTime::minute);
                session_record::pass_on(&mut self.sink, record, (line, raw), (block, at), minute);
            }
            ParsedLine::Event(_) | ParsedLine::Routine => self.coverage.routine += 1,
            ParsedLine::Unread => self.unread(place, raw),
            ParsedLine::Foreign => {}
        }
    }

    /// Whether the line is in the time range, and its time if that was needed. Counts the lines of a bounded range.
    #[inline]
    fn in_time_range(&mut self, line: &LogLine, place: LineOffset) -> (bool, Option<LogTime>) {
        if self.task.window.is_unbounded() {
            return (true, None);
        }
        let moment = self.moment(line, place);
        let is_within = self.task.window.contains(moment);
        if is_within {
            self.coverage.lines += 1;
        } else {
            self.outside(moment);
        }
        (is_within, moment)
    }

    /// Passes on the minute of a line of another program, unless the last such line had the same.
    fn foreign_minute(&mut self, line: &LogLine, known: &ParsedHeader, place: LineOffset) {
        if known.minute.is_none() || known.minute == self.foreign_minute {
            return;
        }
        self.foreign_minute = known.minute;
        // The year of the next line may be another one, even if it shows the same minute as the last mail line.
        self.minute = self.minute.filter(|(number, _)| Some(*number) == known.minute);
        if let Some(moment) = self.moment(line, place) {
            self.sink.minute(moment.minute());
        }
    }

    fn moment(&mut self, line: &LogLine, place: LineOffset) -> Option<LogTime> {
        self.clock.as_mut()?.read(line.stamp, place.offset)
    }

    /// Counts a line that is not in the time range.
    fn outside(&mut self, moment: Option<LogTime>) {
        match moment {
            Some(moment) => {
                self.outside += 1;
                extend(&mut self.coverage.outside, moment.minute());
            }
            None => self.coverage.undated += 1,
        }
    }

    fn unread(&mut self, place: LineOffset, raw: &[u8]) {
        self.coverage.unread(place, raw);
        if let Some(unread) = &mut self.unread {
            unread.extend_from_slice(raw);
            unread.push(b'\n');
        }
    }

    fn warning(
        &mut self,
        warning: ServerWarning,
        place: LineOffset,
        line: &LogLine,
        raw: &[u8],
        moment: Option<LogTime>,
    ) {
        let minute = moment.map(LogTime::minute);
        self.sink.warning(&LoggedWarning::new(warning, place, line, raw, minute));
    }

    /// The minute of a line, if the last one was of the same: lines of one minute share the minute of the first, and only an
    /// event needs the seconds.
    #[inline]
    fn minute_of(&self, known: &ParsedHeader) -> Option<i64> {
        let (last, minute) = self.minute?;
        (known.minute? == last).then_some(minute)
    }

    /// Counts the line of an event, and passes on all events that it reports.
    fn line_of_event(&mut self, logged: &LoggedEvent, times: u32) {
        self.coverage.event += 1;
        self.coverage.repeats += u64::from(times - 1);
        self.event(logged, times);
        self.more_of_line(logged, times);
    }

    /// Remembers the minute of a line whose minute was not known; `number` is the one in the header cache.
    fn begin_minute(&mut self, number: Option<u32>, moment: Option<LogTime>, line: &LogLine) {
        self.minute = number.zip(moment.map(LogTime::minute));
        self.foreign_minute = self.foreign_minute.filter(|last| Some(*last) == number);
        if let Some(moment) = moment {
            extend(&mut self.coverage.minutes, moment.minute());
            self.sink.minute(moment.minute());
            if line.host.is_empty() {
                extend(&mut self.unnamed, moment.second());
            }
        }
    }

    /// Passes on what the line of an event says besides: an event for each other recipient, and the record of a notification.
    fn more_of_line(&mut self, first: &LoggedEvent, times: u32) {
        if !mta::may_say_more(first.event.mta) {
            return;
        }
        for (part, event) in (1..).zip(mta::other_recipients(first.event, first.line)) {
            self.coverage.more_events += u64::from(times);
            let verdict = self.classifier.classify(&event);
            self.event(&LoggedEvent { event: &event, part, verdict, ..*first }, times);
        }
        if let Some(record) = &mta::record_of_event(first.event, first.line) {
            let LoggedEvent { place, line, raw, moment, .. } = *first;
            let minute = moment.map(LogTime::minute);
            self.sink.queue_record(&LoggedQueueRecord::new(record, place, line, raw, minute));
        }
    }

    /// Passes on an event, once for each time that its line occurred, so that all totals agree.
    fn event(&mut self, logged: &LoggedEvent, times: u32) {
        let WalkTask { filter, book, .. } = self.task;
        let is_admitted = filter.is_empty() || filter.admits(logged.event, logged.verdict, logged.line, book);
        for _ in 0..times {
            if is_admitted {
                self.sink.event(logged);
            } else {
                self.coverage.filtered += 1;
                self.sink.filtered_out(logged);
            }
        }
    }
}
