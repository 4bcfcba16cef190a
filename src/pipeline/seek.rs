//! Finds the part of each plain file that can hold a time range, by binary search.

use std::fs::File;
use std::io;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::calendar::Calendar;
use super::time_range::TimeRange;
use crate::input::read::Source;
use crate::input::read::seekable::line_at;
use crate::input::regular_file::open_regular;
use crate::parse::header::LogLine;
use crate::parse::timestamp::TimestampParser;

/// Lines are late by less than this, so no line of the range lies before the offset that is found.
const SLACK: SignedDuration = SignedDuration::from_mins(5);

/// In bytes: smaller files are read whole.
const SMALL: u64 = 4 << 20;

/// The number of places at which the order of a file's lines is checked.
const PROBES: u64 = 32;

/// In bytes: the search stops at a range of this length.
const NEAR: u64 = 64 << 10;

/// In bytes: the part at the end of a file that is searched for its last timestamp.
const END: u64 = 16 << 10;

/// In hours: the search is not used if clocks were set back this close to a bound of the range, since only the order of
/// all lines tells the two occurrences of the hour apart. No clock is set back by more.
const FOLD: i64 = 3;

/// Narrows each source to the lines that can lie in the range; returns whether any was narrowed. Sources that are
/// compressed, a pipe, small or out of order are read whole.
pub(crate) fn seek_to_range(sources: &mut [Source], window: TimeRange, calendar: &Calendar) -> bool {
    let mut ends = window.since.into_iter().chain(window.until);
    if window.is_unbounded() || ends.any(|end| is_near_fold(end, &calendar.zone)) {
        return false;
    }
    for (number, source) in sources.iter_mut().enumerate() {
        if !source.can_be_read_again() {
            continue;
        }
        let found = Bisection::new(number, source, calendar).and_then(|mut probe| probe.byte_range(window));
        source.within = found.ok().flatten();
    }
    sources.iter().any(|source| source.within.is_some())
}

/// The time of the last line that has a timestamp. `None`: none of the last lines has one.
pub(crate) fn last_dated(
    number: usize,
    source: &Source,
    calendar: &Calendar,
) -> io::Result<Option<Timestamp>> {
    let mut probe = Bisection::new(number, source, calendar)?;
    let (mut at, mut last) = (probe.size.saturating_sub(END), None);
    while let Some((begin, line)) = line_at(&probe.file, probe.size, at)? {
        let moment = probe.clock.read(LogLine::read(&line).stamp, begin);
        last = moment.and_then(|moment| Timestamp::from_microsecond(moment.micros).ok()).or(last);
        at = begin + line.len() as u64 + 1;
    }
    Ok(last)
}

/// The times of the first and of the last line that have a timestamp. `None`: one of them was not found.
pub(crate) fn dated_range(
    number: usize,
    source: &Source,
    calendar: &Calendar,
) -> io::Result<Option<(Timestamp, Timestamp)>> {
    let first = Bisection::new(number, source, calendar)?.first_dated(0)?.map(|(_, at)| at);
    Ok(first.zip(last_dated(number, source, calendar)?))
}

fn is_near_fold(moment: Timestamp, zone: &TimeZone) -> bool {
    let hours = SignedDuration::from_hours(FOLD);
    match (moment.checked_sub(hours), moment.checked_add(hours)) {
        (Ok(before), Ok(after)) => zone.to_offset(after) < zone.to_offset(before),
        _ => false,
    }
}

struct Bisection {
    file: File,
    size: u64,
    clock: TimestampParser,
}

impl Bisection {
    fn new(number: usize, source: &Source, calendar: &Calendar) -> io::Result<Self> {
        let file = match &source.file {
            Some(file) => file.try_clone()?,
            None => open_regular(&source.path)?,
        };
        let size = file.metadata()?.len();
        let bound = calendar.bound(Some(source));
        let clock = TimestampParser::new(calendar.zone.clone(), bound, calendar.resolution.of(number));
        Ok(Self { file, size, clock })
    }

    /// The half-open range of bytes that can hold lines of the time range. `None`: the file must be read whole.
    fn byte_range(&mut self, window: TimeRange) -> io::Result<Option<(u64, u64)>> {
        if self.size < SMALL || !self.is_in_order()? {
            return Ok(None);
        }
        let since = window.since.and_then(|since| since.checked_sub(SLACK).ok());
        let until = window.until.and_then(|until| until.checked_add(SLACK).ok());
        let from = match since {
            Some(since) => self.bracket(since)?.map(|(from, _)| from),
            None => Some(0),
        };
        let to = match until {
            Some(until) => self.bracket(until)?.map(|(_, to)| to),
            None => Some(self.size),
        };
        Ok(from.zip(to).map(|(from, to)| (from, to.max(from))))
    }

    fn is_in_order(&mut self) -> io::Result<bool> {
        let mut last: Option<Timestamp> = None;
        for part in 0..PROBES {
            let Some((_, at)) = self.first_dated(self.size / PROBES * part)? else { return Ok(false) };
            if last.is_some_and(|last| at.checked_add(SLACK).is_ok_and(|at| at < last)) {
                return Ok(false);
            }
            last = Some(at);
        }
        Ok(true)
    }

    /// Two offsets that enclose the start of the first line that is not before `moment`. `None`: the lines at some offset
    /// have no timestamps.
    fn bracket(&mut self, moment: Timestamp) -> io::Result<Option<(u64, u64)>> {
        let (mut before, mut from) = (0, self.size);
        while from - before > NEAR {
            let middle = before + (from - before) / 2;
            match self.first_dated(middle)? {
                Some((begin, at)) if at < moment => before = begin.max(middle),
                Some(_) => from = middle,
                None => return Ok(None),
            }
        }
        Ok(Some((before, from)))
    }

    /// The first line with a timestamp that begins at `offset` or behind it, and its time. `None`: none of 64 lines has one.
    fn first_dated(&mut self, offset: u64) -> io::Result<Option<(u64, Timestamp)>> {
        let mut at = offset;
        for _ in 0..64 {
            let Some((begin, line)) = line_at(&self.file, self.size, at)? else { return Ok(None) };
            self.clock.begin();
            if let Some(moment) = self.clock.read(LogLine::read(&line).stamp, begin) {
                return Ok(Timestamp::from_microsecond(moment.micros).ok().map(|moment| (begin, moment)));
            }
            at = begin + line.len() as u64 + 1;
        }
        Ok(None)
    }
}
