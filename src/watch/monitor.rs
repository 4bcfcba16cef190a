//! What is made of a log that is being written: blocks come in, one by one; rows, rates and storms so far go out.

use foldhash::fast::RandomState;
use jiff::Timestamp;

use super::window::{HOUR, RollingWindow};
use crate::catalog::Catalog;
use crate::catalog::classify::Classifier;
use crate::input::read::block::Block;
use crate::input::read::{Progress, ReadOptions, Source};
use crate::messages::MessageTracker;
use crate::messages::key::KeyHasher;
use crate::pipeline::calendar::{Calendar, TimeResolution, YearResolver};
use crate::pipeline::coverage::Coverage;
use crate::pipeline::filter::{Filter, LineFilter};
use crate::pipeline::sink::{EventSink, LoggedEvent, LoggedQueueRecord};
use crate::pipeline::time_range::TimeRange;
use crate::pipeline::walk::{WalkStep, WalkTask, observations, step};
use crate::report::storm::Storm;
use crate::report::{Report, Row, SortBy};
use crate::scan::input::ReadSummary;
use crate::scan::options::ReportOptions;
use crate::scan::summary::report;
use crate::smtp::event::Outcome;
use crate::storm::diagnose::{DiagnosisInput, answer};
use crate::storm::sample::block_sample::BlockSample;
use crate::storm::sample::collector::Sampler;
use crate::storm::sample::merge::SampleMerger;
use crate::tally::Tally;

/// So many minutes are storms looked for in: a day, which has each hour once.
const DAY: i64 = 24 * 60;
/// After so many minutes more, what is older is let go of.
const SLACK: i64 = 60;
/// The rows that grow have grown in so many minutes.
pub(crate) const LATELY: i64 = 5;
/// In minutes: a line that is so much later than our clock has a wrong stamp.
const AHEAD: i64 = 24 * 60;

/// Both listen to the same lines.
struct MonitorSink<'a> {
    board: RollingWindow<'a>,
    collector: Sampler<'a>,
}

impl EventSink for MonitorSink<'_> {
    type BlockOutput = BlockSample;

    fn event(&mut self, told: &LoggedEvent) {
        self.board.event(told, true);
        self.collector.event(told);
    }

    fn filtered_out(&mut self, told: &LoggedEvent) {
        self.board.event(told, false);
        self.collector.filtered_out(told);
    }

    fn queue_record(&mut self, noted: &LoggedQueueRecord) {
        self.board.queue_record(noted);
        self.collector.queue_record(noted);
    }

    fn end_of_block(&mut self, file: usize, lines: u64) -> BlockSample {
        self.collector.end_of_block(file, lines)
    }
}

/// What to follow, and what of it is wanted.
#[derive(Clone, Copy)]
pub struct MonitorOptions<'a> {
    /// By the numbers that blocks have.
    pub sources: &'a [Source],
    pub book: &'a Catalog,
    pub filter: &'a Filter,
    /// The same without the sender.
    pub early: &'a LineFilter,
    pub window: TimeRange,
    pub progress: &'a Progress,
    pub seed: &'a RandomState,
}

impl MonitorOptions<'_> {
    fn task<'t>(&'t self, calendar: &'t Calendar) -> WalkTask<'t> {
        let MonitorOptions { sources, book, early: filter, window, progress, .. } = *self;
        let manner = ReadOptions { threads: 1, block_size: 0 };
        WalkTask { sources, options: manner, calendar, book, window, filter, progress }
    }
}

/// One for a log that is followed, or for several.
pub struct Monitor<'a> {
    plan: MonitorOptions<'a>,
    pub calendar: Calendar,
    order: YearResolver,
    /// None while a block is being read.
    ears: Option<(MonitorSink<'a>, Classifier<'a>)>,
    gatherer: SampleMerger<'a>,
    pub coverage: Coverage,
    /// Minutes before were let go of.
    kept_from: Option<i64>,
}

impl<'a> Monitor<'a> {
    pub fn new(plan: MonitorOptions<'a>, calendar: Calendar) -> Self {
        let seed = plan.seed;
        let board = RollingWindow::new(seed.clone(), plan.filter);
        let collector = Sampler::new(KeyHasher::new(seed.clone()), plan.filter);
        Self {
            plan,
            calendar,
            order: YearResolver::default(),
            ears: Some((MonitorSink { board, collector }, Classifier::new(plan.book))),
            gatherer: SampleMerger::new(seed.clone(), plan.filter),
            coverage: Coverage::default(),
            kept_from: None,
        }
    }

    /// A stamp without a year is of the year before if it is much later than this.
    pub fn set_clock(&mut self, now: Timestamp) {
        self.calendar.now = now;
        if let Some((ears, _)) = &mut self.ears {
            ears.board.latest = now.as_second().div_euclid(60) + AHEAD;
        }
    }

    /// Blocks of one file come in its order.
    pub fn take(&mut self, block: &Block) {
        let Some((ears, judge)) = self.ears.take() else { return };
        let sources = self.plan.sources;
        self.order.add(block.file, observations(&self.plan.task(&self.calendar), block), sources);
        self.calendar.resolution = self.order.clone().resolve(sources, &self.calendar);
        let task = self.plan.task(&self.calendar);
        let WalkStep { listener, judge, output: handover, coverage } = step(&task, judge, ears, block);
        self.gatherer.fold(&handover);
        self.coverage.merge(coverage);
        self.ears = Some((listener, judge));
        self.forget();
    }

    /// What is older than a day.
    fn forget(&mut self) {
        let Some((first, last)) = self.coverage.minutes else { return };
        let last = last.min(self.calendar.now.as_second().div_euclid(60) + AHEAD);
        if last - self.kept_from.unwrap_or(first) > DAY + SLACK {
            self.gatherer.forget((last - DAY) as i32, self.plan.seed.clone());
            self.kept_from = Some(last - DAY);
        }
    }

    pub fn board(&self) -> Option<&RollingWindow<'a>> {
        self.ears.as_ref().map(|(ears, _)| &ears.board)
    }

    /// `now` is the minute that it is; None: that of the last line.
    pub fn storms(&mut self, now: Option<i64>) -> Vec<Storm> {
        let sources = self.plan.sources.iter().filter(|source| source.can_be_read_again());
        let minutes = self.coverage.minutes.map(|(first, last)| {
            (self.kept_from.map_or(first, |from| first.max(from)), now.map_or(last, |now| last.max(now)))
        });
        let frame = DiagnosisInput {
            providers: &self.plan.book.providers,
            zone: &self.calendar.zone,
            files: sources.map(|source| source.path.to_string_lossy().into_owned()).collect(),
            minutes,
        };
        answer(self.gatherer.so_far(), &frame)
    }

    /// The rows of these minutes, as `scan` has them but for the recipients, what failed most first.
    pub fn rows(&self, first: i64, last: i64) -> Vec<Row> {
        let Some(board) = self.board() else { return Vec::new() };
        let mut rows = self.report(board.rows(first, last)).rows;
        rows.retain(|row| !matches!(row.outcome, Outcome::Delivered | Outcome::Attempt | Outcome::Probe));
        rows
    }

    /// From the beginning on; it has sums and the rows' attempts, and no names.
    pub fn whole(&self) -> Report {
        let mut tally = Tally::new(self.plan.seed.clone(), 1, None);
        if let Some(board) = self.board() {
            for (key, count) in board.totals.iter().filter(|(_, count)| **count > 0) {
                tally.rows.row(key).attempts = *count;
            }
            tally.hops = board.hops;
        }
        self.report(tally)
    }

    fn report(&self, tally: Tally) -> Report {
        let (turns, plan) = (TimeResolution::default(), self.plan);
        let heard = ReadSummary {
            coverage: &self.coverage,
            window: plan.window,
            calendar: &self.calendar,
            sources: plan.sources,
            resolution: &turns,
        };
        let frame = ReportOptions {
            read: heard,
            providers: &plan.book.providers,
            with_advice: true,
            with_full_advice: false,
            filter: plan.filter,
            notes: Vec::new(),
            sort: SortBy::Count,
            reverse: false,
            examples: 0,
        };
        report(tally, &MessageTracker::new(true).finish(Vec::new()), &frame)
    }

    /// The minutes that are shown, when it is `now`.
    pub fn span(now: i64) -> (i64, i64) {
        (now - HOUR + 1, now)
    }
}
