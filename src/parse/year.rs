//! Infers the year of timestamps without one, and which of two occurrences an hour is when clocks are set back.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// Upper bound on the times of the lines of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LatestPossible(Timestamp);

impl LatestPossible {
    /// The bound for a file that was last written at `newest`, plus a day for clocks and zones that differ.
    pub fn written(newest: Timestamp) -> Self {
        Self(newest.checked_add(24.hours()).unwrap_or(newest))
    }

    /// The end of the year. `None`: the year is out of range.
    pub fn year(year: i16, zone: &TimeZone) -> Option<Self> {
        let end = DateTime::new(year, 12, 31, 23, 59, 59, 0).ok()?;
        Some(Self(zone.to_ambiguous_zoned(end).compatible().ok()?.timestamp()))
    }

    /// Whether the time is not after the bound.
    pub fn allows(self, moment: &Zoned) -> bool {
        moment.timestamp() <= self.0
    }

    /// The latest year that puts the timestamp below the bound. It tries eight years back, so that 29 February finds a
    /// leap year even across 1900 or 2100. `None`: no year has that day.
    pub fn latest_year(self, at: MonthMinute, zone: &TimeZone) -> Option<i16> {
        let year = self.last_year(zone);
        let allowed = |year: &i16| at.in_year(*year, zone).is_some_and(|moment| self.allows(&moment));
        (year - 8..=year).rev().find(allowed)
    }

    /// The year of the bound.
    pub fn last_year(self, zone: &TimeZone) -> i16 {
        self.0.to_zoned(zone.clone()).year()
    }
}

/// Years and repeated hours of one file that follow from the order of its lines. Each entry holds from its offset on, in
/// bytes of the text. Empty: each timestamp is resolved by itself.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FileTimeResolution {
    /// Offset, and the year of the timestamps without one.
    pub years: Vec<(u64, i16)>,
    /// Offset, and whether an hour that occurs twice (when summer time ends) is the second occurrence.
    pub second_occurrence: Vec<(u64, bool)>,
}

impl FileTimeResolution {
    /// The year of timestamps without one at this offset. `None`: each timestamp is resolved by itself.
    pub fn year(&self, offset: u64) -> Option<i16> {
        let after = self.years.partition_point(|&(from, _)| from <= offset);
        // Lines before the first entry belong to it.
        self.years.get(after.saturating_sub(1)).map(|&(_, year)| year)
    }

    /// The next offset from which on another year or occurrence may hold. `u64::MAX`: there is none.
    pub fn next_turn(&self, offset: u64) -> u64 {
        let year = self.years.partition_point(|&(from, _)| from <= offset);
        let hour = self.second_occurrence.partition_point(|&(from, _)| from <= offset);
        let year = self.years.get(year).map_or(u64::MAX, |&(from, _)| from);
        year.min(self.second_occurrence.get(hour).map_or(u64::MAX, |&(from, _)| from))
    }

    /// Whether a repeated hour at this offset is the second occurrence.
    pub fn is_second_occurrence(&self, offset: u64) -> bool {
        let after = self.second_occurrence.partition_point(|&(from, _)| from <= offset);
        after.checked_sub(1).and_then(|at| self.second_occurrence.get(at)).is_some_and(|&(_, second)| second)
    }
}

/// The timestamps of a part of a file that only the order of all lines resolves.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct StampObservations {
    /// Timestamps without a year, one run per year.
    pub runs: Vec<MonotonicRun>,
    /// Each new minute that occurs twice: its offset, and the minutes since 1970 of its first occurrence.
    pub repeated: Vec<(u64, i64)>,
}

/// Consecutive timestamps without a year that are in the same year.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MonotonicRun {
    /// Where the run begins, in bytes of the text.
    pub offset: u64,
    pub first: MonthMinute,
    pub last: MonthMinute,
    pub earliest: MonthMinute,
    pub latest: MonthMinute,
    /// The run contains a 29 February.
    pub leap: bool,
}

/// A timestamp without its year: minutes since 1 January, in a year whose months all have 31 days.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MonthMinute(i32);

impl MonthMinute {
    /// Month and day count from 1.
    pub fn new(month: i8, day: i8, hour: i8, minute: i8) -> Self {
        let day = (i32::from(month) - 1) * 31 + i32::from(day) - 1;
        Self((day * 24 + i32::from(hour)) * 60 + i32::from(minute))
    }

    /// The same hour with another minute.
    pub(crate) fn with_minute(self, minute: i8) -> Self {
        Self(self.0 - self.0 % 60 + i32::from(minute))
    }

    /// The time in this year. `None`: the year has no such day.
    pub fn in_year(self, year: i16, zone: &TimeZone) -> Option<Zoned> {
        let (minute, hours) = (self.0 % 60, self.0 / 60);
        let (hour, days) = (hours % 24, hours / 24);
        let civil =
            DateTime::new(year, (days / 31) as i8 + 1, (days % 31) as i8 + 1, hour as i8, minute as i8, 0, 0);
        zone.to_ambiguous_zoned(civil.ok()?).compatible().ok()
    }

    fn is_leap_day(self) -> bool {
        self.0 / (24 * 60) == 31 + 28
    }

    /// The years between this line and the next: -1, 0 or 1. A log goes forward, so a step from December to January is
    /// the next year. A step back of less than half a year is a late line, or files joined in another order. A step
    /// forward of nearly a year is a late line of the year before.
    pub fn years_between(self, next: Self) -> i16 {
        const YEAR: i32 = 12 * 31 * 24 * 60;
        const LATE: i32 = 3 * 24 * 60;
        match next.0 - self.0 {
            step if step < -YEAR / 2 => 1,
            step if step > YEAR - LATE => -1,
            _ => 0,
        }
    }
}

impl StampObservations {
    /// Adds a timestamp. Timestamps must be added in the order of the lines.
    pub fn observe(&mut self, offset: u64, at: MonthMinute) {
        match self.runs.last_mut().filter(|run| run.last.years_between(at) == 0) {
            Some(run) => {
                run.last = at;
                run.earliest = run.earliest.min(at);
                run.latest = run.latest.max(at);
                run.leap |= at.is_leap_day();
            }
            None => self.runs.push(MonotonicRun {
                offset,
                first: at,
                last: at,
                earliest: at,
                latest: at,
                leap: at.is_leap_day(),
            }),
        }
    }
}
