//! Settles the dates of logs before a walk, by reading only their timestamps.

use super::assumed_hosts::{UnnamedSpan, assume_hosts, merge_span};
use super::calendar::{Calendar, TimeResolution, WALKS, YearResolver};
use super::coverage::extend;
use super::line_context::{earlier_lines, extend_to_end};
use super::lines::each_length;
use super::walk::{WalkTask, clock};
use crate::input::error::InputError;
use crate::input::read::block::Block;
use crate::input::read::{HeapSize, Source, each_block};
use crate::parse::header::LogLine;
use crate::parse::mta::Program;
use crate::parse::timestamp::TimestampParser;
use crate::parse::unwrap::{self, LineBuffers};
use crate::parse::year::StampObservations;

/// The dates of one block, to be folded in the order of the files.
struct BlockDates {
    file: usize,
    seen: StampObservations,
    unnamed: UnnamedSpan,
}

impl HeapSize for BlockDates {
    fn held_bytes(&self) -> usize {
        // The observations are small: about one entry for each year and for each repeated minute.
        0
    }
}

/// Resolves the dates before a walk whose events cannot be revised, by parsing only the timestamps. Also returns the sources
/// with the hosts that are assumed of them.
pub(crate) fn settle_dates(task: &WalkTask) -> Result<(Calendar, Vec<Source>), InputError> {
    let (mut calendar, mut sources) = (task.calendar.clone(), task.sources.to_vec());
    let mut spans = Vec::new();
    for _ in 1..WALKS {
        let (turns, unnamed) = resolve_dates(&WalkTask { calendar: &calendar, ..*task })?;
        spans = unnamed;
        if turns == calendar.resolution {
            break;
        }
        calendar.resolution = turns;
    }
    assume_hosts(&mut sources, &spans);
    Ok((calendar, sources))
}

fn resolve_dates(task: &WalkTask) -> Result<(TimeResolution, Vec<UnnamedSpan>), InputError> {
    struct Dates<'a> {
        task: WalkTask<'a>,
        clock: Option<TimestampParser>,
        last_file: usize,
    }
    let new = || Dates { task: *task, clock: None, last_file: 0 };
    let work = |dates: &mut Dates, block: &Block| {
        let clock = clock(&mut dates.clock, &mut dates.last_file, block.file, &dates.task);
        let mut unnamed = None;
        BlockDates { file: block.file, seen: observe_block(clock, block, &mut unnamed), unnamed }
    };
    let mut order = YearResolver::default();
    let mut unnamed = vec![None; task.sources.len()];
    let fold = |result: BlockDates| {
        merge_span(&mut unnamed, result.file, result.unnamed);
        order.add(result.file, result.seen, task.sources);
    };
    each_block(task.sources, task.options, task.progress, new, work, fold)?;
    Ok((order.resolve(task.sources, task.calendar), unnamed))
}

/// Observes the timestamps of one block, for a log that is read block by block.
pub(crate) fn observations(task: &WalkTask, block: &Block) -> StampObservations {
    observe_block(clock(&mut None, &mut 0, block.file, task), block, &mut None)
}

/// `unnamed` is extended by the lines that name no host.
fn observe_block(clock: &mut TimestampParser, block: &Block, unnamed: &mut UnnamedSpan) -> StampObservations {
    each_line(block, |at, line| {
        if !clock.is_same_minute(line.stamp)
            && let Some(moment) = clock.read(line.stamp, block.offset + at as u64)
            && line.host.is_empty()
            && Program::of(line) != Program::Foreign
        {
            extend(unnamed, moment.second());
        }
    });
    extend_to_end(block, clock, unnamed);
    clock.take_observations()
}

/// Calls `on_line` with each line, unwrapped and cut to `LINE_LIMIT`, and its offset in the block.
fn each_line(block: &Block, mut on_line: impl FnMut(usize, &LogLine)) {
    let mut buffers = LineBuffers::default();
    each_length(block, |at, length| {
        let raw = block.lines.get(at..at + length).unwrap_or_default();
        on_line(at, &unwrap::open_line(raw, earlier_lines(block, at), &mut buffers).line);
    });
}
