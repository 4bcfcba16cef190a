//! Infers missing years and repeated hours of timestamps from the order of a log's lines.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::input::read::Source;
use crate::parse::year::{FileTimeResolution, LatestPossible, MonotonicRun, StampObservations};

/// Greatest number of walks until all dates are resolved. The second has the right years; the third is needed if one of
/// those years has a repeated hour.
pub(crate) const WALKS: usize = 3;

/// The inferred times of each file whose timestamps cannot be read one by one, by its number in the set.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TimeResolution(BTreeMap<usize, FileTimeResolution>);

impl TimeResolution {
    /// Replaces the inferred times of one file.
    pub(crate) fn set(&mut self, file: usize, times: FileTimeResolution) {
        if times == FileTimeResolution::default() {
            self.0.remove(&file);
        } else {
            self.0.insert(file, times);
        }
    }

    /// The inferred times of a file; empty if each timestamp is resolved by itself.
    pub fn of(&self, file: usize) -> FileTimeResolution {
        self.0.get(&file).cloned().unwrap_or_default()
    }
}

/// How timestamps without a zone or a year are read.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub zone: TimeZone,
    /// The year of the last line without one; earlier lines are dated backwards. `None`: taken from the file's
    /// modification time.
    pub year: Option<i16>,
    /// When this run began; a pipe counts as written then.
    pub now: Timestamp,
    pub resolution: TimeResolution,
}

/// The machine's time zone, read from /etc/localtime unless TZ is set. Asking jiff for it by name would search all zones of
/// the machine, at three million instructions.
pub(crate) fn local_zone() -> TimeZone {
    let told = std::env::var_os("TZ").is_none().then(|| std::fs::read("/etc/localtime").ok()).flatten();
    told.and_then(|file| TimeZone::tzif("local", &file).ok()).unwrap_or_else(TimeZone::system)
}

/// In seconds.
const TEN_YEARS: i64 = 3653 * 24 * 60 * 60;

impl Calendar {
    /// The latest time that a line of the file can have.
    pub fn bound(&self, source: Option<&Source>) -> LatestPossible {
        let year = self.year.and_then(|year| LatestPossible::year(year, &self.zone));
        year.unwrap_or_else(|| {
            let file = source.filter(|source| source.can_be_read_again());
            let written = file.and_then(|source| Timestamp::try_from(source.newest).ok());
            // Images and archives set it to 1970 or 1980, a wrong clock to a future year; both are ignored.
            let is_plausible = |written: &Timestamp| *written < self.now && written.as_second() > TEN_YEARS;
            LatestPossible::written(written.filter(is_plausible).unwrap_or(self.now))
        })
    }
}

/// Combines the observations of blocks, which must be added in the order of the set.
#[derive(Clone, Default)]
pub(crate) struct YearResolver {
    runs: Vec<PlacedRun>,
    /// The last minute that occurs twice (when clocks are set back), and whether it was the second occurrence.
    twice: Option<(i64, bool)>,
    second: BTreeMap<usize, Vec<(u64, bool)>>,
    file: Option<usize>,
    series: usize,
}

/// A run of lines, its file, and how many years it lies after the first run of its series.
#[derive(Clone)]
struct PlacedRun {
    file: usize,
    series: usize,
    years: i16,
    run: MonotonicRun,
}

/// In minutes: late lines step back by less than this, the second occurrence of an hour by more.
const LATE: i64 = 10;
/// In minutes: no clock is set back by more.
const LONGEST_FOLD: i64 = 180;

impl YearResolver {
    /// Adds the observations of a block.
    pub(crate) fn add(&mut self, file: usize, seen: StampObservations, sources: &[Source]) {
        if self.file != Some(file) {
            let series = sources.get(file).map_or(file, |source| source.series);
            if self.series != series {
                (self.series, self.twice) = (series, None);
            }
            self.file = Some(file);
        }
        for run in seen.runs {
            self.add_run(file, run);
        }
        for (offset, minute) in seen.repeated {
            self.add_repeated(file, offset, minute);
        }
    }

    fn add_run(&mut self, file: usize, run: MonotonicRun) {
        let series = self.series;
        let years = match self.runs.last_mut().filter(|last| last.series == series) {
            None => 0,
            Some(last) => {
                let turn = last.run.last.years_between(run.first);
                if turn == 0 && last.file == file {
                    last.run.last = run.last;
                    last.run.earliest = last.run.earliest.min(run.earliest);
                    last.run.latest = last.run.latest.max(run.latest);
                    last.run.leap |= run.leap;
                    return;
                }
                last.years + turn
            }
        };
        self.runs.push(PlacedRun { file, series, years, run });
    }

    fn add_repeated(&mut self, file: usize, offset: u64, minute: i64) {
        let is_second = match self.twice {
            Some((last, second)) if (minute - last).abs() < LONGEST_FOLD => second || minute < last - LATE,
            Some(_) | None => false,
        };
        let entries = self.second.entry(file).or_default();
        if entries.last().map_or(is_second, |&(_, second)| second != is_second) {
            entries.push((offset, is_second));
        }
        self.twice = Some((minute, is_second));
    }

    /// The files in which the order of the lines gives other times than each timestamp alone.
    pub(crate) fn resolve(self, sources: &[Source], calendar: &Calendar) -> TimeResolution {
        let mut turns: BTreeMap<usize, FileTimeResolution> = BTreeMap::new();
        for (file, second) in self.second {
            if !second.is_empty() {
                turns.entry(file).or_default().second_occurrence = second;
            }
        }
        for series in self.runs.chunk_by(|a, b| a.series == b.series) {
            let Some(first_year) = first_year(series, sources, calendar) else { continue };
            for runs in series.chunk_by(|a, b| a.file == b.file) {
                let file = runs.first().map_or(0, |placed| placed.file);
                let bound = calendar.bound(sources.get(file));
                let alone = |at| bound.latest_year(at, &calendar.zone);
                let agrees = |placed: &PlacedRun| {
                    let year = Some(first_year + placed.years);
                    // Then every line between the two agrees as well.
                    alone(placed.run.earliest) == year && alone(placed.run.latest) == year
                };
                if !runs.iter().all(agrees) {
                    let years = runs.iter().map(|placed| (placed.run.offset, first_year + placed.years));
                    turns.entry(file).or_default().years = years.collect();
                }
            }
        }
        TimeResolution(turns)
    }
}

/// The latest year for the first run of a series with which none of its lines is later than its file, and each
/// 29 February falls into a leap year.
fn first_year(series: &[PlacedRun], sources: &[Source], calendar: &Calendar) -> Option<i16> {
    let last = series.last()?;
    let zone = &calendar.zone;
    let newest = calendar.bound(sources.get(last.file)).last_year(zone) - last.years;
    let fits = |first: i16| {
        series.iter().all(|placed| {
            let year = first + placed.years;
            let bound = calendar.bound(sources.get(placed.file));
            let allowed = placed.run.last.in_year(year, zone).is_some_and(|moment| bound.allows(&moment));
            let leap = jiff::civil::Date::new(year, 1, 1).is_ok_and(jiff::civil::Date::in_leap_year);
            allowed && (leap || !placed.run.leap)
        })
    };
    // Eight years back for a leap day; as many more as the series is long.
    let span = series.iter().map(|placed| placed.years).max().unwrap_or(0).max(0);
    (newest - 8 - span..=newest).rev().find(|&first| fits(first))
}
