//! The order of a log's lines comes in; the years of its stamps and the hour that comes twice go out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::input::set::Source;
use crate::year::{Bound, FileTurns, Run, Sightings};

/// Of each file, by its number in the set, whose stamps cannot be read one by one.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Turns(BTreeMap<usize, FileTurns>);

impl Turns {
    pub fn of(&self, file: usize) -> FileTurns {
        self.0.get(&file).cloned().unwrap_or_default()
    }
}

/// How stamps without a zone or a year are to be understood.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub zone: TimeZone,
    /// The year of the last line without one; earlier ones count back. None: told by when the file was written.
    pub year: Option<i16>,
    /// When this run began; a pipe is as old as that.
    pub now: Timestamp,
    pub turns: Turns,
}

/// In seconds.
const TEN_YEARS: i64 = 3653 * 24 * 60 * 60;

impl Calendar {
    /// What no line of the file can be later than.
    pub fn bound(&self, source: Option<&Source>) -> Bound {
        let year = self.year.and_then(|year| Bound::year(year, &self.zone));
        year.unwrap_or_else(|| {
            let file = source.filter(|source| source.can_be_read_again());
            let written = file.and_then(|source| Timestamp::try_from(source.newest).ok());
            // Images and archives set it to 1970 or 1980, and a wrong clock to some year to come: no log is so old or
            // so new.
            let told = |written: &Timestamp| *written < self.now && written.as_second() > TEN_YEARS;
            Bound::written(written.filter(told).unwrap_or(self.now))
        })
    }
}

/// Puts together what the blocks of a set saw; they come in its order.
#[derive(Clone, Default)]
pub struct Order {
    runs: Vec<Placed>,
    /// The last minute that the clock shows twice, and whether it was the second time.
    twice: Option<(i64, bool)>,
    second: BTreeMap<usize, Vec<(u64, bool)>>,
    file: Option<usize>,
    series: usize,
}

/// A run, the file it stands in, and how many years it is further than the first run of its series.
#[derive(Clone)]
struct Placed {
    file: usize,
    series: usize,
    years: i16,
    run: Run,
}

/// In minutes: lines that came late step back by less, the second showing of an hour by more.
const LATE: i64 = 10;
/// In minutes: no clock shows more than this twice.
const LONGEST_FOLD: i64 = 180;

impl Order {
    pub fn add(&mut self, file: usize, seen: Sightings, sources: &[Source]) {
        if self.file != Some(file) {
            let series = sources.get(file).map_or(file, |source| source.series);
            if self.series != series {
                (self.series, self.twice) = (series, None);
            }
            self.file = Some(file);
        }
        for run in seen.runs {
            self.run(file, run);
        }
        for (offset, minute) in seen.twice {
            self.twice(file, offset, minute);
        }
    }

    fn run(&mut self, file: usize, run: Run) {
        let series = self.series;
        let years = match self.runs.last_mut().filter(|last| last.series == series) {
            None => 0,
            Some(last) => {
                let turn = last.run.last.turn(run.first);
                if turn == 0 && last.file == file {
                    last.run.last = run.last;
                    last.run.least = last.run.least.min(run.least);
                    last.run.most = last.run.most.max(run.most);
                    last.run.leap |= run.leap;
                    return;
                }
                last.years + turn
            }
        };
        self.runs.push(Placed { file, series, years, run });
    }

    fn twice(&mut self, file: usize, offset: u64, minute: i64) {
        let is_second = match self.twice {
            Some((last, second)) if (minute - last).abs() < LONGEST_FOLD => second || minute < last - LATE,
            Some(_) | None => false,
        };
        let told = self.second.entry(file).or_default();
        if told.last().map_or(is_second, |&(_, second)| second != is_second) {
            told.push((offset, is_second));
        }
        self.twice = Some((minute, is_second));
    }

    /// Those files where the order of the lines says another thing than each stamp alone does.
    pub fn turns(self, sources: &[Source], calendar: &Calendar) -> Turns {
        let mut turns: BTreeMap<usize, FileTurns> = BTreeMap::new();
        for (file, second) in self.second {
            if !second.is_empty() {
                turns.entry(file).or_default().second = second;
            }
        }
        for series in self.runs.chunk_by(|a, b| a.series == b.series) {
            let Some(first_year) = first_year(series, sources, calendar) else { continue };
            for runs in series.chunk_by(|a, b| a.file == b.file) {
                let file = runs.first().map_or(0, |placed| placed.file);
                let bound = calendar.bound(sources.get(file));
                let alone = |at| bound.latest(at, &calendar.zone);
                let agrees = |placed: &Placed| {
                    let year = Some(first_year + placed.years);
                    // All that lie between the two then agree as well.
                    alone(placed.run.least) == year && alone(placed.run.most) == year
                };
                if !runs.iter().all(agrees) {
                    let years = runs.iter().map(|placed| (placed.run.offset, first_year + placed.years));
                    turns.entry(file).or_default().years = years.collect();
                }
            }
        }
        Turns(turns)
    }
}

/// The latest year for the first run of a series with which none of its lines is later than its file, and each
/// 29 February falls into a leap year.
fn first_year(series: &[Placed], sources: &[Source], calendar: &Calendar) -> Option<i16> {
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
