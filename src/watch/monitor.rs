//! Monitors logs that are being written: takes their blocks one by one, and gives the rows, rates and storms so far.

use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use jiff::Timestamp;

use super::window::{HOUR, RollingWindow};
use crate::catalog::Catalog;
use crate::catalog::classify::Classifier;
use crate::input::read::block::Block;
use crate::input::read::{Progress, ReadOptions, Source};
use crate::messages::MessageTracker;
use crate::messages::selection::Selection;
use crate::pipeline::calendar::{Calendar, TimeResolution, YearResolver};
use crate::pipeline::coverage::Coverage;
use crate::pipeline::dates::observations;
use crate::pipeline::filter::{Filter, LineFilter};
use crate::pipeline::sink::{EventSink, LoggedEvent, LoggedQueueRecord, LoggedWarning};
use crate::pipeline::time_range::TimeRange;
use crate::pipeline::walk::{WalkStep, WalkTask, step};
use crate::report::storm::Storm;
use crate::report::{Report, ReportExtent, Row, SortBy};
use crate::scan::input::ReadSummary;
use crate::scan::options::ReportOptions;
use crate::scan::summary::report;
use crate::smtp::event::Outcome;
use crate::storm::detect::grid::Sensitivity;
use crate::storm::diagnose::{DiagnosisInput, answer};
use crate::storm::sample::block_sample::BlockSample;
use crate::storm::sample::collector::Sampler;
use crate::storm::sample::merge::SampleMerger;
use crate::storm::sample::shared_thresholds::SharedThresholds;
use crate::tally::Tally;

/// The look-back time for storms, in minutes: one day, so that every hour of the day occurs once.
const KEPT_MINUTES: i64 = 24 * 60;
/// Older events are dropped when they are this many minutes older than [`KEPT_MINUTES`].
const SLACK_MINUTES: i64 = 60;
/// The number of minutes in which recent events are counted.
pub(crate) const RECENT_MINUTES: i64 = 5;
/// A line that is more than this many minutes later than the clock has a wrong timestamp.
const MAX_AHEAD_MINUTES: i64 = 24 * 60;

/// Passes every event to the rolling window and to the storm sampler.
struct MonitorSink<'a> {
    window: RollingWindow<'a>,
    sampler: Sampler<'a>,
}

impl EventSink for MonitorSink<'_> {
    type BlockOutput = BlockSample;

    fn event(&mut self, logged: &LoggedEvent) {
        self.window.event(logged, true);
        self.sampler.event(logged);
    }

    fn filtered_out(&mut self, logged: &LoggedEvent) {
        self.window.event(logged, false);
        self.sampler.filtered_out(logged);
    }

    fn queue_record(&mut self, logged: &LoggedQueueRecord) {
        self.window.queue_record(logged);
        self.sampler.queue_record(logged);
    }

    fn minute(&mut self, minute: i64) {
        self.sampler.minute(minute);
    }

    fn warning(&mut self, logged: &LoggedWarning) {
        self.sampler.warning(logged);
    }

    fn end_of_block(&mut self, file: usize, lines: u64) -> BlockSample {
        self.sampler.end_of_block(file, lines)
    }
}

/// The logs to follow, and which of their events are wanted.
#[derive(Clone, Copy)]
pub struct MonitorOptions<'a> {
    /// The logs, indexed by the file numbers of blocks.
    pub sources: &'a [Source],
    pub book: &'a Catalog,
    pub filter: &'a Filter,
    pub range: TimeRange,
    pub progress: &'a Progress,
    pub seed: &'a RandomState,
}

/// The task that reads blocks with these options.
fn task<'t>(
    options: &'t MonitorOptions,
    line_filter: &'t LineFilter,
    calendar: &'t Calendar,
) -> WalkTask<'t> {
    let MonitorOptions { sources, book, range: window, progress, .. } = *options;
    let read_options = ReadOptions { threads: 1, block_size: 0 };
    WalkTask { sources, options: read_options, calendar, book, window, filter: line_filter, progress }
}

/// The state of the watch over all logs that are followed.
pub struct Monitor<'a> {
    options: MonitorOptions<'a>,
    /// The filter without the sender.
    line_filter: LineFilter,
    pub calendar: Calendar,
    /// By the number of the log: the blocks of several logs come in turns, and each log is a series of its own.
    years: BTreeMap<usize, YearResolver>,
    /// `None`: a block is being read.
    reader: Option<(MonitorSink<'a>, Classifier<'a>)>,
    merger: SampleMerger<'a>,
    pub coverage: Coverage,
    /// The first minute of the samples; earlier ones were dropped. `None`: none were dropped.
    first_kept: Option<i64>,
}

impl<'a> Monitor<'a> {
    pub fn new(options: MonitorOptions<'a>, calendar: Calendar) -> Self {
        let (seed, thresholds) = (options.seed, SharedThresholds::default());
        let window = RollingWindow::new(seed.clone(), options.filter);
        let sampler = Sampler::new(options.filter, thresholds.clone(), true);
        Self {
            options,
            line_filter: options.filter.without_sender(),
            calendar,
            years: BTreeMap::new(),
            reader: Some((MonitorSink { window, sampler }, Classifier::new(options.book))),
            merger: SampleMerger::new(seed.clone(), options.filter, thresholds),
            coverage: Coverage::default(),
            first_kept: None,
        }
    }

    /// Sets the present. A timestamp without a year that is much later than this is of the year before.
    pub fn set_clock(&mut self, now: Timestamp) {
        self.calendar.now = now;
        if let Some((reader, _)) = &mut self.reader {
            reader.window.latest = now.as_second().div_euclid(60) + MAX_AHEAD_MINUTES;
        }
    }

    /// Reads a block; those of one file must come in its order.
    pub fn take(&mut self, block: &Block) {
        let Some((reader, classifier)) = self.reader.take() else { return };
        let sources = self.options.sources;
        let seen = observations(&task(&self.options, &self.line_filter, &self.calendar), block);
        let years = self.years.entry(block.file).or_default();
        years.add(block.file, seen, sources);
        let times = years.clone().resolve(sources, &self.calendar).of(block.file);
        self.calendar.resolution.set(block.file, times);
        let task = task(&self.options, &self.line_filter, &self.calendar);
        let WalkStep { sink, classifier, output, coverage } = step(&task, classifier, reader, block);
        self.merger.fold(output);
        self.coverage.merge(coverage);
        self.reader = Some((sink, classifier));
        self.drop_old();
    }

    /// Drops samples that are older than a day.
    fn drop_old(&mut self) {
        let Some((first, last)) = self.coverage.minutes else { return };
        let last = last.min(self.calendar.now.as_second().div_euclid(60) + MAX_AHEAD_MINUTES);
        if last - self.first_kept.unwrap_or(first) > KEPT_MINUTES + SLACK_MINUTES {
            self.merger.forget((last - KEPT_MINUTES) as i32);
            self.first_kept = Some(last - KEPT_MINUTES);
        }
    }

    /// The counts of the last hour. `None`: a block is being read.
    pub fn window(&self) -> Option<&RollingWindow<'a>> {
        self.reader.as_ref().map(|(reader, _)| &reader.window)
    }

    /// The storms so far. `now` is the current minute; `None`: that of the last line.
    pub fn storms(&mut self, now: Option<i64>) -> Vec<Storm> {
        let sources = self.options.sources.iter().filter(|source| source.can_be_read_again());
        let minutes = self.coverage.minutes.map(|(first, last)| {
            (self.first_kept.map_or(first, |from| first.max(from)), now.map_or(last, |now| last.max(now)))
        });
        let input = DiagnosisInput {
            providers: &self.options.book.providers,
            zone: &self.calendar.zone,
            files: sources.map(|source| source.path.to_string_lossy().into_owned()).collect(),
            minutes,
            sensitivity: Sensitivity::default(),
            with_greylisting: false,
        };
        let samples = self.merger.so_far();
        answer(samples, samples.events.clone(), &input).storms
    }

    /// The rows of failures in these minutes, as `scan` counts them but without recipients, the most frequent first.
    pub fn rows(&self, first: i64, last: i64) -> Vec<Row> {
        let Some(window) = self.window() else { return Vec::new() };
        let mut rows = self.report(window.rows(first, last)).rows;
        rows.retain(|row| !matches!(row.outcome, Outcome::Delivered | Outcome::Attempt | Outcome::Probe));
        rows
    }

    /// The report since the beginning of the watch, with sums and attempts, but without names.
    pub fn whole(&self) -> Report {
        let mut tally = Tally::new(self.options.seed.clone(), 1, None);
        if let Some(window) = self.window() {
            for (key, count) in window.totals.iter().filter(|(_, count)| **count > 0) {
                tally.rows.row(key).attempts = *count;
            }
            tally.hops = window.hops;
        }
        self.report(tally)
    }

    fn report(&self, tally: Tally) -> Report {
        let (turns, options) = (TimeResolution::default(), self.options);
        let heard = ReadSummary {
            coverage: &self.coverage,
            window: options.range,
            calendar: &self.calendar,
            sources: options.sources,
            resolution: &turns,
        };
        let frame = ReportOptions {
            read: heard,
            extent: ReportExtent::Whole,
            providers: &options.book.providers,
            with_advice: true,
            with_full_advice: false,
            filter: options.filter,
            notes: Vec::new(),
            sort: SortBy::Count,
            reverse: false,
            examples: 0,
            redactor: None,
        };
        report(tally, MessageTracker::new(Selection::All).finish(Vec::new()), &frame)
    }

    /// The first and last minute that are shown at minute `now`.
    pub fn span(now: i64) -> (i64, i64) {
        (now - HOUR + 1, now)
    }
}
