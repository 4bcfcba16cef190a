//! Describes what was read for a report: its files, lines and time range.

use jiff::Timestamp;

use crate::input::read::Source;
use crate::parse::log_text::LogText;
use crate::pipeline::calendar::{Calendar, TimeResolution};
use crate::pipeline::coverage::Coverage;
use crate::pipeline::filter::Filter;
use crate::pipeline::time_range::TimeRange;
use crate::report::{Input, Range};

/// The result of the last walk: files, coverage and dates.
pub(crate) struct ReadSummary<'a> {
    pub coverage: &'a Coverage,
    pub window: TimeRange,
    pub calendar: &'a Calendar,
    pub sources: &'a [Source],
    /// The dates that the last walk assigned to timestamps without a year.
    pub resolution: &'a TimeResolution,
}

/// The files, the lines and the filter of a report.
pub(crate) fn input(read: &ReadSummary, filter: &Filter) -> Input {
    let coverage = read.coverage;
    let text = |line: &[u8]| LogText::string(line);
    Input {
        files: read.sources.iter().map(|source| source.path.to_string_lossy().into_owned()).collect(),
        bytes: coverage.bytes,
        lines: coverage.lines,
        mail: coverage.mail(),
        other: coverage.foreign,
        understood: coverage.event + coverage.routine,
        not_understood: coverage.unread,
        not_understood_lines: coverage.unread_lines.iter().map(|(_, line)| text(line)).collect(),
        filter: filter.words.clone(),
        filtered: coverage.filtered,
    }
}

/// The first and the last minute. None: no mail line has a valid timestamp.
pub(crate) fn range(read: &ReadSummary) -> Option<Range> {
    let (first, last) = read.coverage.minutes?;
    let zoned =
        |minute: i64| Some(Timestamp::from_second(minute * 60).ok()?.to_zoned(read.calendar.zone.clone()));
    Some(Range { first: zoned(first)?, last: zoned(last)? })
}
