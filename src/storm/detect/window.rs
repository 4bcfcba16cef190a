//! Finds the window of a view that is least probable if nothing is wrong.

use super::evidence_table::EvidenceUnit;
use super::grid::{CriticalValues, LARGEST_SHARE, WINDOW_MINUTES};
use super::likelihood::WindowCounts;
use super::living_time::LivingTime;

/// A pause divides a window if this many units would have come in it at the window's own rate.
const PAUSE_UNITS: f64 = 6.0;
/// A window with less weight than this is no storm, however short the log.
const LEAST_WEIGHT: f64 = 3.0;

/// How far rounding may put the upper bound of an exponent below the exponent, in nats.
const ROUNDING: f64 = 1e-6;

/// The units of a view in the order of time, with prefix sums. A busy view has many units in a minute, and a window begins at
/// a minute.
#[derive(Default)]
pub(crate) struct UnitSeries {
    units: Vec<EvidenceUnit>,
    /// The minutes with units, and one after all others.
    minutes: Vec<UnitMinute>,
    /// Sums before each of `minutes`.
    sums: Vec<UnitSums>,
}

/// A minute with units.
#[derive(Clone, Copy)]
struct UnitMinute {
    minute: i32,
    /// The weight before it.
    before: f64,
}

/// Sums over units.
#[derive(Clone, Copy, Default)]
struct UnitSums {
    units: usize,
    /// The weights and the events without those of storms that are known.
    usual: f64,
    usual_events: f64,
    events: f64,
    /// The squared weights.
    squares: f64,
}

/// The windows of one length, one after another.
struct WindowScan<'a> {
    series: &'a UnitSeries,
    length: i32,
    /// Indices of the first minute of the next window, and of the minute after the last window.
    at: usize,
    end: usize,
    /// The largest weight so far.
    most: f64,
}

impl<'a> WindowScan<'a> {
    fn new(series: &'a UnitSeries, length: i32) -> Self {
        Self { series, length, at: 0, end: 0, most: 0.0 }
    }

    /// The next window that begins before the minute with index `bound` and has more than this weight: the indices of its
    /// minutes, and its weight. A loop of its own, since nearly all of the search is spent here.
    fn next(&mut self, bound: usize, weight_above: f64) -> Option<(usize, usize, f64)> {
        let minutes = self.series.minutes.as_slice();
        let (length, mut end, mut most) = (self.length.unsigned_abs(), self.end, self.most);
        let (mut at, mut found) = (self.at, None);
        let mut next = minutes.get(end)?;
        for begun in minutes.get(at..bound)? {
            while (next.minute.wrapping_sub(begun.minute) as u32) < length {
                end += 1;
                next = minutes.get(end)?;
            }
            let weight = next.before - begun.before;
            if weight > most {
                most = weight;
            }
            if weight > weight_above {
                found = Some((at, end, weight));
                break;
            }
            at += 1;
        }
        (self.end, self.most) = (end, most);
        self.at = found.map_or(bound, |(at, ..)| at + 1);
        found
    }
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
    /// The events without those of storms that are known.
    pub usual_events: f64,
    /// The weight that one independent event stands for: more than 1 where only a sample is kept (effective sample size:
    /// Kish, "Survey sampling", 1965).
    pub spread: f64,
}

impl UnitSeries {
    /// `is_usual` tells whether a unit shows what is usual; units of storms that are known do not.
    #[cfg(test)]
    pub(crate) fn new(units: Vec<EvidenceUnit>, is_usual: impl Fn(&EvidenceUnit) -> bool) -> Self {
        let mut series = Self::default();
        series.change_units(|own| *own = units, is_usual);
        series
    }

    /// Changes the units, which stay in the order of time. `is_usual` tells whether a unit shows what is usual; units of storms
    /// that are known do not.
    pub(crate) fn change_units(
        &mut self,
        change: impl FnOnce(&mut Vec<EvidenceUnit>),
        is_usual: impl Fn(&EvidenceUnit) -> bool,
    ) {
        let Self { units, minutes, sums } = self;
        change(units);
        minutes.clear();
        sums.clear();
        let (mut before, mut sum) = (0.0, UnitSums::default());
        for unit in units.iter() {
            if minutes.last().is_none_or(|last: &UnitMinute| last.minute != unit.minute) {
                minutes.push(UnitMinute { minute: unit.minute, before });
                sums.push(sum);
            }
            before += unit.weight;
            sum.units += 1;
            let (weight, events) = if is_usual(unit) { (unit.weight, unit.events) } else { (0.0, 0.0) };
            sum.usual += weight;
            sum.usual_events += events;
            sum.events += unit.events;
            sum.squares += unit.weight * unit.weight;
        }
        minutes.push(UnitMinute { minute: i32::MAX, before });
        sums.push(sum);
    }

    pub(crate) fn units(&self) -> &[EvidenceUnit] {
        &self.units
    }

    fn all(&self) -> UnitSums {
        self.sums.last().copied().unwrap_or_default()
    }

    pub(crate) fn weight(&self) -> f64 {
        self.minutes.last().map_or(0.0, |end| end.before)
    }

    /// The number of events that the units stand for.
    pub(crate) fn events(&self) -> f64 {
        self.all().events
    }

    /// Indices of the minutes with units from minute `from` on and before `to`.
    fn minutes(&self, from: i32, to: i32) -> (usize, usize) {
        let minutes = self.minutes.get(..self.minutes.len().saturating_sub(1)).unwrap_or_default();
        let index = |minute: i32| minutes.partition_point(|other| other.minute < minute);
        (index(from), index(to))
    }

    /// Indices of the units from minute `from` on and before `to`.
    pub(crate) fn range(&self, from: i32, to: i32) -> (usize, usize) {
        let units = |at: usize| self.sums.get(at).map_or(self.units.len(), |sums| sums.units);
        let (first, end) = self.minutes(from, to);
        (units(first), units(end))
    }

    /// The weight of the minutes with these indices.
    fn weight_of(&self, (first, end): (usize, usize)) -> f64 {
        let [a, b] = [first, end].map(|at| self.minutes.get(at).map_or(0.0, |minute| minute.before));
        b - a
    }

    /// The sums over the minutes with these indices.
    fn sum(&self, (first, end): (usize, usize)) -> UnitSums {
        let [a, b] = [first, end].map(|at| self.sums.get(at).copied().unwrap_or_default());
        UnitSums {
            units: b.units.saturating_sub(a.units),
            usual: b.usual - a.usual,
            usual_events: b.usual_events - a.usual_events,
            events: b.events - a.events,
            squares: b.squares - a.squares,
        }
    }

    /// The content of a window.
    pub(crate) fn content(&self, (from, to): (i32, i32), living: &LivingTime) -> WindowContent {
        self.content_of((from, to), self.minutes(from, to), living)
    }

    /// The content of a window whose minutes with units have these indices.
    fn content_of(
        &self,
        (from, to): (i32, i32),
        minutes: (usize, usize),
        living: &LivingTime,
    ) -> WindowContent {
        let UnitSums { usual, usual_events, events, squares, .. } = self.sum(minutes);
        let weight = self.weight_of(minutes);
        let inside_minutes = living.between(from, to);
        let counts = WindowCounts {
            inside: weight,
            inside_minutes: inside_minutes.max(1.0),
            outside: self.all().usual - usual,
            outside_minutes: living.total() - inside_minutes,
        };
        WindowContent { from, to, counts, events, usual_events, spread: squares / weight.max(1e-9) }
    }

    /// A lower bound of the spread of any window: that of its lightest unit.
    pub(crate) fn least_spread(&self) -> f64 {
        self.units.iter().map(|unit| unit.weight).fold(f64::INFINITY, f64::min).max(1.0)
    }

    /// The window with the highest score above 0; of equal ones the shortest, and of these the first. `exponent` is that of
    /// a window, given the least exponent that is of interest. `clump` and the spread are those that `exponent` uses at least.
    pub(crate) fn best(
        &self,
        living: &LivingTime,
        (clump, spread): (f64, f64),
        critical: &CriticalValues,
        exponent: impl Fn(&WindowContent, f64) -> f64,
    ) -> Option<Window> {
        let mut search = WindowSearch { series: self, living, clump, spread, critical, exponent, best: None };
        let whole = self.weight();
        // A window has at most the weight of the longer one that begins with it.
        let mut most = f64::INFINITY;
        let mut lengths = WINDOW_MINUTES.as_slice();
        while let Some((&length, shorter)) = lengths.split_last() {
            let (needed, largest) = (critical.of(length), most.min(whole));
            if search.bound(largest, f64::from(length)) < needed {
                // A shorter window has a higher bound, and needs more.
                let may_do = |length: &i32| search.bound(largest, f64::from(*length)) + ROUNDING >= needed;
                lengths = shorter.get(..shorter.partition_point(may_do)).unwrap_or_default();
                continue;
            }
            most = search.judge_all(length, needed);
            lengths = shorter;
        }
        search.best
    }
}

/// The search for the best window of a series. `E` computes the exponent of a window, given the least one that is of interest.
struct WindowSearch<'a, E> {
    series: &'a UnitSeries,
    living: &'a LivingTime,
    /// The exponents use at least this clump.
    clump: f64,
    /// The exponents use at least this spread.
    spread: f64,
    critical: &'a CriticalValues,
    exponent: E,
    best: Option<Window>,
}

impl<E: Fn(&WindowContent, f64) -> f64> WindowSearch<'_, E> {
    /// An upper bound of the exponent of a window with this weight in so many living minutes: it is taken to hold as much as
    /// possible of what is usual.
    fn bound(&self, weight: f64, minutes: f64) -> f64 {
        let (inside_minutes, outside_minutes) = (minutes.max(1.0), self.living.total() - minutes);
        let outside = self.series.all().usual - weight;
        WindowCounts { inside: weight, inside_minutes, outside, outside_minutes }
            .against_time(self.clump, self.spread)
    }

    /// Judges the windows of this length, whose critical value is `needed`. Returns the largest weight of one.
    fn judge_all(&mut self, length: i32, needed: f64) -> f64 {
        let Self { series, living, .. } = *self;
        let mut scan = WindowScan::new(series, length);
        let end = series.minutes.len().saturating_sub(1);
        // All windows that begin before this minute are living.
        let (living_until, _) = series.minutes(living.first_end().saturating_sub(length - 1), i32::MIN);
        let (none, longest) = (LEAST_WEIGHT.next_down(), self.longest());
        // No living window of this length with this weight is of interest.
        let mut too_little = none;
        let mut until = i32::MIN;
        loop {
            let found = scan.next(living_until, too_little);
            // In a window with dead time, as after the end of the log, a smaller weight may be enough.
            let Some((at, end, weight)) = found.or_else(|| scan.next(end, none)) else { break };
            let Some(&UnitMinute { minute: from, .. }) = series.minutes.get(at) else { break };
            if until < from {
                until = living.lives_until(from);
            }
            let to = from.saturating_add(length);
            let is_living = to <= until;
            if is_living && weight <= too_little {
                continue;
            }
            let minutes = if is_living { f64::from(length) } else { living.between(from, to) };
            let least = self.best.map_or(0.0, |best| best.score);
            if minutes > longest || self.bound(weight, minutes) + ROUNDING < needed + least {
                if is_living {
                    too_little = weight;
                }
                continue;
            }
            self.judge((from, to), (at, end), (needed, least));
        }
        scan.most
    }

    /// The living minutes that a window has at most.
    fn longest(&self) -> f64 {
        LARGEST_SHARE * self.living.total()
    }

    /// Judges a window, whose minutes with units have these indices. It is of interest from `least` above `needed` on.
    fn judge(&mut self, span: (i32, i32), minutes: (usize, usize), (needed, least): (f64, f64)) {
        let content = self.series.content_of(span, minutes, self.living);
        if content.counts.inside_minutes > self.longest()
            || content.counts.inside <= content.counts.raised_expectation()
            || (self.exponent)(&content, needed + least) - needed < least
        {
            return;
        }
        let order = |window: &Window| (window.score, window.from - window.to, -window.from);
        if let Some(window) = self.without_pauses(&content, minutes).filter(|window| window.score > 0.0)
            && self.best.is_none_or(|best| order(&window) > order(&best))
        {
            self.best = Some(window);
        }
    }

    /// The window, or the largest of the parts into which long pauses cut it.
    fn without_pauses(&self, content: &WindowContent, minutes: (usize, usize)) -> Option<Window> {
        let Self { series, living, critical, exponent, .. } = self;
        let rate = content.counts.inside / content.counts.inside_minutes;
        let (mut at, mut largest, mut parts) = (minutes.0, (0.0, minutes), 0);
        let is_one =
            |a: &UnitMinute, b: &UnitMinute| living.between(a.minute + 1, b.minute) * rate < PAUSE_UNITS;
        for part in series.minutes.get(minutes.0..minutes.1)?.chunk_by(is_one) {
            let next = at + part.len();
            let weight = series.weight_of((at, next));
            if weight > largest.0 {
                largest = (weight, (at, next));
            }
            (at, parts) = (next, parts + 1);
        }
        let (_, (start, end)) = largest;
        let (first, last) =
            (series.minutes.get(start)?.minute, series.minutes.get(end.checked_sub(1)?)?.minute);
        let window = |content: &WindowContent| {
            let needed = critical.of(content.to - content.from);
            let score = exponent(content, needed) - needed;
            Window { from: content.from, to: content.to, first, last, score }
        };
        if parts <= 1 {
            return Some(window(content));
        }
        let length = WINDOW_MINUTES.into_iter().find(|length| *length > last - first)?;
        let (from, to) = (first, first + length);
        Some(window(&series.content((from, to), living)))
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
        series.best(&living(last), (0.1, 1.0), &CriticalValues([12.0; WINDOW_MINUTES.len()]), |content, _| {
            content.counts.against_time(0.1, content.spread)
        })
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
