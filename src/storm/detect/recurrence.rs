//! Explains windows by other days: what recurs at the same time of day is no storm.

use super::evidence_table::EvidenceUnit;
use super::window::{UnitSeries, Window};
use crate::storm::sample::line_minutes::DAY;

/// Days before and after the window that are looked at.
const DAYS: i32 = 14;
/// The number of other days that must have the same.
const LEAST_DAYS: usize = 2;
/// The same time of day may differ by so many minutes at most.
const MOST_SLACK: i32 = 120;
const LEAST_SLACK: i32 = 10;
/// The share of the excess that another day must have.
const LEAST_EXCESS: f64 = 0.5;

/// Whether at least two other days have at least half of the window's excess over `expected` at the same time of day.
pub(crate) fn recurs(series: &UnitSeries, window: &Window, expected: f64) -> bool {
    let length = window.to - window.from;
    if length >= DAY {
        return false;
    }
    let slack = length.clamp(LEAST_SLACK, MOST_SLACK);
    let weight = |from: i32, to: i32| -> f64 {
        let (start, end) = series.range(from, to);
        series.units().get(start..end).unwrap_or_default().iter().map(|unit| unit.weight).sum()
    };
    let least = expected + LEAST_EXCESS * (weight(window.from, window.to) - expected);
    let has_same = |day: i32| {
        let from = window.from + day * DAY;
        let (start, end) = series.range(from - slack, from + slack + 1);
        let starts: &[EvidenceUnit] = series.units().get(start..end).unwrap_or_default();
        let mut minutes = starts.iter().map(|unit| unit.minute).chain([from - slack]);
        minutes.any(|minute| weight(minute, minute + length) >= least)
    };
    let days = (1..=DAYS).flat_map(|day| [-day, day]);
    days.filter(|day| has_same(*day)).take(LEAST_DAYS).count() >= LEAST_DAYS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(minutes: impl Iterator<Item = i32>) -> UnitSeries {
        let mut minutes: Vec<i32> = minutes.collect();
        minutes.sort_unstable();
        let unit = |minute: i32| EvidenceUnit { minute, weight: 1.0, events: 1.0, at: 0 };
        UnitSeries::new(minutes.into_iter().map(unit).collect(), |_| true)
    }

    fn window(from: i32, to: i32) -> Window {
        Window { from, to, first: from, last: to - 1, score: 1.0 }
    }

    #[test]
    fn the_same_hour_of_two_other_days_explains_it() {
        let daily =
            |days: i32| (0..days).flat_map(|day| (0..20).map(move |at| day * DAY + 420 + at + day * 3));
        assert!(recurs(&series(daily(3)), &window(420, 452), 0.5));
        assert!(!recurs(&series(daily(2)), &window(420, 452), 0.5));
    }

    #[test]
    fn a_constant_rate_is_no_recurrence() {
        let constant = (0..5 * DAY).step_by(10).chain((0..20).map(|at| 3000 + at));
        assert!(!recurs(&series(constant), &window(3000, 3032), 3.2));
    }
}
