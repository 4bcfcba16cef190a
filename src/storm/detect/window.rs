//! Finds the window of a view that is least probable if nothing is wrong.

use super::grid::{LARGEST_SHARE, WINDOW_MINUTES};
use super::likelihood::WindowCounts;
use super::living_time::LivingTime;
use super::view::EvidenceUnit;

/// A pause divides a window if this many units would have come in it at the window's own rate.
const PAUSE_UNITS: f64 = 6.0;
/// A window with less weight than this is no storm, however short the log.
const LEAST_WEIGHT: f64 = 3.0;

/// The units of a view in the order of time, with prefix sums.
pub(crate) struct UnitSeries {
    units: Vec<EvidenceUnit>,
    /// Sums before each unit: weights, weights without those of storms, events, squared weights.
    sums: Vec<[f64; 4]>,
    /// The minutes with units. A busy view has many units in a minute, and a window begins at a minute.
    minutes: Vec<UnitMinute>,
}

/// A minute with units.
#[derive(Clone, Copy)]
struct UnitMinute {
    minute: i32,
    /// Index of its first unit.
    start: u32,
    /// The weight before it.
    before: f64,
}

/// A window of a view.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Window {
    /// Its first minute, and the one after its last.
    pub from: i32,
    pub to: i32,
    /// The minutes of its first and last unit.
    pub first: i32,
    pub last: i32,
    /// How far its exponent is above the critical value, in nats.
    pub score: f64,
}

/// What a window holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowContent {
    pub from: i32,
    pub to: i32,
    pub counts: WindowCounts,
    pub events: f64,
    /// The weight that one independent event stands for: more than 1 where only a sample is kept (effective sample size:
    /// Kish, "Survey sampling", 1965).
    pub spread: f64,
}

impl UnitSeries {
    /// `is_usual` tells whether a unit shows what is usual; units of storms that are known do not.
    pub(crate) fn new(units: Vec<EvidenceUnit>, is_usual: impl Fn(&EvidenceUnit) -> bool) -> Self {
        let mut sums = Vec::with_capacity(units.len() + 1);
        let mut sum = [0.0; 4];
        sums.push(sum);
        for unit in &units {
            let [weight, usual, events, squares] = &mut sum;
            *weight += unit.weight;
            *usual += if is_usual(unit) { unit.weight } else { 0.0 };
            *events += unit.events;
            *squares += unit.weight * unit.weight;
            sums.push(sum);
        }
        let mut minutes: Vec<UnitMinute> = Vec::new();
        for ((start, unit), [before, ..]) in (0..).zip(&units).zip(&sums) {
            if minutes.last().is_none_or(|last| last.minute != unit.minute) {
                minutes.push(UnitMinute { minute: unit.minute, start, before: *before });
            }
        }
        Self { units, sums, minutes }
    }

    pub(crate) fn units(&self) -> &[EvidenceUnit] {
        &self.units
    }

    pub(crate) fn weight(&self) -> f64 {
        self.sums.last().map_or(0.0, |[weight, ..]| *weight)
    }

    /// The number of events that the units stand for.
    pub(crate) fn events(&self) -> f64 {
        self.sums.last().map_or(0.0, |[_, _, events, _]| *events)
    }

    /// Indices of the units from minute `from` on and before `to`.
    pub(crate) fn range(&self, from: i32, to: i32) -> (usize, usize) {
        let index = |minute: i32| self.units.partition_point(|unit| unit.minute < minute);
        (index(from), index(to))
    }

    fn sum(&self, start: usize, end: usize) -> [f64; 4] {
        let [a, b] = [start, end].map(|at| self.sums.get(at).copied().unwrap_or_default());
        [0, 1, 2, 3].map(|at| b.get(at).copied().unwrap_or_default() - a.get(at).copied().unwrap_or_default())
    }

    /// The content of a window whose units have these indices.
    pub(crate) fn content(
        &self,
        (from, to): (i32, i32),
        (start, end): (usize, usize),
        living: &LivingTime,
    ) -> WindowContent {
        let [weight, usual, events, squares] = self.sum(start, end);
        let [_, usual_everywhere, ..] = self.sum(0, self.units.len());
        let inside_minutes = living.between(from, to);
        let counts = WindowCounts {
            inside: weight,
            inside_minutes: inside_minutes.max(1.0),
            outside: usual_everywhere - usual,
            outside_minutes: living.total() - inside_minutes,
        };
        WindowContent { from, to, counts, events, spread: squares / weight.max(1e-9) }
    }

    /// The window with the highest score above 0; of equal ones the shortest, and of these the first. `critical` is the critical
    /// value for a length in minutes, `exponent` that of a window, given the least exponent that is of interest. `clump` is
    /// the one that `exponent` uses at least.
    pub(crate) fn best(
        &self,
        living: &LivingTime,
        clump: f64,
        critical: impl Fn(f64) -> f64,
        exponent: impl Fn(&WindowContent, f64) -> f64,
    ) -> Option<Window> {
        let mut best: Option<Window> = None;
        let whole = self.weight();
        // A window has at most the weight of the longer one that begins with it.
        let mut most = f64::INFINITY;
        for length in WINDOW_MINUTES.into_iter().rev() {
            let needed = critical(f64::from(length));
            let Some(least_weight) = self.least_weight((length, needed), most.min(whole), clump, living)
            else {
                continue;
            };
            most = 0.0;
            let (mut end, mut until) = (0, i32::MIN);
            let longest = LARGEST_SHARE * living.total();
            for begun in &self.minutes {
                let (from, to) = (begun.minute, begun.minute.saturating_add(length));
                while self.minutes.get(end).is_some_and(|other| other.minute < to) {
                    end += 1;
                }
                let next = self.minutes.get(end);
                let weight = next.map_or(whole, |next| next.before) - begun.before;
                if weight > most {
                    most = weight;
                }
                if weight < LEAST_WEIGHT {
                    continue;
                }
                if until < from {
                    until = living.lives_until(from);
                }
                // In a window with dead time a smaller weight may be enough.
                if weight < least_weight && to <= until {
                    continue;
                }
                let range = (begun.start as usize, next.map_or(self.units.len(), |next| next.start as usize));
                let content = self.content((from, to), range, living);
                if content.counts.inside_minutes > longest || weight <= content.counts.raised_expectation() {
                    continue;
                }
                let least = best.map_or(0.0, |best| best.score);
                if exponent(&content, needed + least) - needed < least {
                    continue;
                }
                let judged = self.without_pauses(&content, range, living, &critical, &exponent);
                let order = |window: &Window| (window.score, window.from - window.to, -window.from);
                if let Some(window) = judged.filter(|window| window.score > 0.0)
                    && best.is_none_or(|best| order(&window) > order(&best))
                {
                    best = Some(window);
                }
            }
        }
        best
    }

    /// A weight that a living window of this length needs at least to reach the exponent `needed`. It is a lower bound: the
    /// window is taken to hold as much as possible of what is usual. `None`: even `most` is not enough.
    fn least_weight(
        &self,
        (length, needed): (i32, f64),
        most: f64,
        clump: f64,
        living: &LivingTime,
    ) -> Option<f64> {
        let [_, usual, ..] = self.sums.last().copied().unwrap_or_default();
        let reaches = |weight: f64| {
            let inside_minutes = f64::from(length);
            let counts = WindowCounts {
                inside: weight,
                inside_minutes,
                outside: usual - weight,
                outside_minutes: living.total() - inside_minutes,
            };
            counts.against_time(clump, 1.0) >= needed
        };
        if !reaches(most) {
            return None;
        }
        let (mut low, mut high) = (LEAST_WEIGHT.min(most), most);
        // A small view has few windows: they are cheaper than a precise bound.
        let steps = if self.minutes.len() < 64 { 0 } else { 6 };
        for _ in 0..steps {
            let middle = (low * high).sqrt();
            if reaches(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(low)
    }

    /// The window, or the largest of the parts into which long pauses cut it.
    fn without_pauses(
        &self,
        content: &WindowContent,
        (start, end): (usize, usize),
        living: &LivingTime,
        critical: impl Fn(f64) -> f64,
        exponent: impl Fn(&WindowContent, f64) -> f64,
    ) -> Option<Window> {
        let rate = content.counts.inside / content.counts.inside_minutes;
        let is_one =
            |a: &EvidenceUnit, b: &EvidenceUnit| living.between(a.minute + 1, b.minute) * rate < PAUSE_UNITS;
        let (mut at, mut largest, mut parts) = (start, (0.0, start, end), 0);
        for part in self.units.get(start..end)?.chunk_by(is_one) {
            let next = at + part.len();
            let [weight, ..] = self.sum(at, next);
            if weight > largest.0 {
                largest = (weight, at, next);
            }
            (at, parts) = (next, parts + 1);
        }
        let (_, start, end) = largest;
        let (first, last) = (self.units.get(start)?.minute, self.units.get(end.checked_sub(1)?)?.minute);
        let window = |content: &WindowContent| {
            let needed = critical(f64::from(content.to - content.from));
            let score = exponent(content, needed) - needed;
            Window { from: content.from, to: content.to, first, last, score }
        };
        if parts <= 1 {
            return Some(window(content));
        }
        let length = WINDOW_MINUTES.into_iter().find(|length| *length > last - first)?;
        let (from, to) = (first, first + length);
        let (start, end) = self.range(from, to);
        Some(window(&self.content((from, to), (start, end), living)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::sample::line_minutes::LineMinutes;

    fn living(last: i32) -> LivingTime {
        let mut lines = LineMinutes::default();
        (0..=last).for_each(|minute| lines.add(minute));
        LivingTime::new(&lines, 0, last)
    }

    fn series(minutes: impl Iterator<Item = i32>) -> UnitSeries {
        let mut minutes: Vec<i32> = minutes.collect();
        minutes.sort_unstable();
        let unit = |minute: i32| EvidenceUnit { minute, weight: 1.0, events: 1.0, at: 0 };
        UnitSeries::new(minutes.into_iter().map(unit).collect(), |_| true)
    }

    fn best(series: &UnitSeries, last: i32) -> Option<Window> {
        series.best(
            &living(last),
            0.1,
            |_| 12.0,
            |content, _| content.counts.against_time(0.1, content.spread),
        )
    }

    #[test]
    fn finds_three_minutes_in_an_hour() {
        let found = best(&series((0..74).step_by(5).chain((0..60).map(|at| 40 + at % 3))), 73).unwrap();
        assert_eq!((found.first, found.last), (40, 42));
    }

    #[test]
    fn finds_thirty_failures_in_four_hours_of_a_fortnight() {
        let found =
            best(&series([500, 9000].into_iter().chain((0..30).map(|at| 12_000 + at * 8))), 20_000).unwrap();
        assert!(found.first == 12_000 && found.last >= 12_170, "{found:?}");
    }

    #[test]
    fn a_constant_rate_has_none() {
        assert_eq!(best(&series((0..10_000).step_by(7)), 9999), None);
    }

    #[test]
    fn a_long_pause_divides_a_window() {
        let two = series((0..20).chain(600..620));
        let found = best(&two, 9999).unwrap();
        assert!(found.last - found.first < 60, "{found:?}");
    }
}
