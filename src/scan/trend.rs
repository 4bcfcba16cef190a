//! Cuts the time of a log into the parts of a trend, and compares its last day with the days before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::baseline::compare::increase;
use crate::report::time::minute_rfc3339;
use crate::report::{LastDay, TrendAxis};

/// Number of parts of the trend of a week, at most: its days.
const PARTS: i64 = 7;

/// Number of parts of the trend of a longer log, at most.
const MOST_PARTS: i64 = 10;

/// Lengths of a part in hours that are easy to read. Longer parts are whole days.
const LENGTHS: [i64; 8] = [1, 2, 3, 4, 6, 8, 12, 24];

/// The hours that the trends cover.
#[derive(Clone, Copy)]
pub(super) struct TrendHours {
    first: i64,
    /// The first minute of the logs, counted from 1970-01-01T00:00Z.
    start_minute: i64,
    /// The last minute of the logs, counted from 1970-01-01T00:00Z.
    end_minute: i64,
    length: i64,
    parts: i64,
}

impl TrendHours {
    pub(super) fn new((first, last): (i64, i64)) -> Self {
        let (from, to) = (first.div_euclid(60), last.div_euclid(60));
        let hours = to - from + 1;
        let least = (hours + PARTS - 1) / PARTS;
        let days = (hours + 24 * MOST_PARTS - 1) / (24 * MOST_PARTS);
        let length = LENGTHS.into_iter().find(|&length| length >= least).unwrap_or(24 * days);
        let parts = (hours + length - 1) / length;
        Self { first: from, start_minute: first, end_minute: last, length, parts }
    }

    /// The last 24 hours against the days before. None: fewer than three days are before.
    pub(super) fn last_day(&self, by_hour: &BTreeMap<i64, u64>) -> Option<LastDay> {
        let end = self.end_minute.div_euclid(60) + 1;
        let days = (end - self.first) / 24;
        let day = |back: i64| -> u64 {
            by_hour.range(end - (back + 1) * 24..end - back * 24).map(|(_, count)| count).sum()
        };
        let earlier: Vec<f64> = (1..days).map(|back| day(back) as f64).collect();
        (earlier.len() >= 3).then(|| LastDay { messages: day(0), change: increase(day(0) as f64, &earlier) })
    }

    /// The counts of each part.
    pub(super) fn trend(&self, by_hour: &BTreeMap<i64, u64>) -> Vec<u64> {
        let mut parts = vec![0; usize::try_from(self.parts).unwrap_or(1)];
        let last = parts.len() - 1;
        for (&hour, &count) in by_hour {
            let at = usize::try_from((hour - self.first).div_euclid(self.length)).unwrap_or(0).min(last);
            parts[at] += count;
        }
        parts
    }

    /// The first minute, if at least a tenth of the log and ten minutes lie before it.
    pub(super) fn since(&self, first: i64, zone: &TimeZone) -> Option<String> {
        let before = first - self.start_minute;
        (before >= 10 && before * 10 >= self.end_minute - self.start_minute)
            .then(|| minute_rfc3339(first, zone))?
    }

    pub(super) fn axis(&self, zone: &TimeZone) -> Option<TrendAxis> {
        let start = Timestamp::from_second(self.first * 3600).ok()?.to_zoned(zone.clone());
        Some(TrendAxis { start, hours: self.length.cast_unsigned(), parts: self.parts.cast_unsigned() })
    }
}

#[cfg(test)]
mod tests {
    use super::TrendHours;

    #[test]
    fn the_parts_of_a_trend_are_easy_to_read_and_few() {
        let of = |hours: i64| {
            let trend = TrendHours::new((0, hours * 60 - 1));
            (trend.length, trend.parts)
        };
        let lengths = [1, 7, 8, 48, 168, 171, 240, 241, 24 * 30].map(of);
        let want = [(1, 1), (1, 7), (2, 4), (8, 6), (24, 7), (24, 8), (24, 10), (48, 6), (72, 10)];
        assert_eq!(lengths, want);
    }
}
