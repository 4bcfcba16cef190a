//! Measures the living time of a log: the minutes in which lines of any kind were to be expected.
//!
//! A gap without a line of any kind, where many are usual, is dead time: no log, which is not the same as no mail. Dead time
//! is neither quiet nor part of a window. Only the spans are kept, so the memory does not follow the time that a log covers.

use crate::storm::sample::line_minutes::{DAY, LineMinutes};

/// A gap is dead if this many minutes with lines would have been usual in it.
const DEAD_MINUTES: f64 = 12.0;
/// Minutes before and after a gap that show how often a minute has lines.
const AROUND: i32 = 120;
/// Minutes right before and after a gap, and the share of the usual lines below which they are thin.
const BESIDE: i32 = 15;
const THIN: f64 = 0.5;

/// The spans in which a log lives, in the order of time.
#[derive(Clone, Debug)]
pub(crate) struct LivingTime {
    /// First and last minute of each span.
    spans: Vec<(i32, i32)>,
    /// The living minutes before each span.
    before: Vec<i32>,
    total: i32,
}

impl LivingTime {
    /// `first` and `last` are the minutes of the log.
    pub(crate) fn new(lines: &LineMinutes, first: i32, last: i32) -> Self {
        let mut spans = Vec::new();
        let (mut start, mut seen) = (first, first - 1);
        let inside = lines.iter().filter(|minute| (first..=last).contains(minute));
        for minute in inside.chain([last + 1]) {
            if minute - seen > 1 && is_dead(lines, (first, last), seen + 1, minute - 1) {
                if seen >= start {
                    spans.push((start, seen));
                }
                start = minute;
            }
            seen = minute;
        }
        if start <= last {
            spans.push((start, last));
        }
        Self::of_spans(spans)
    }

    fn of_spans(spans: Vec<(i32, i32)>) -> Self {
        let mut total = 0;
        let before = spans
            .iter()
            .map(|(first, last)| {
                let before = total;
                total += last - first + 1;
                before
            })
            .collect();
        Self { spans, before, total }
    }

    /// All living minutes.
    pub(crate) fn total(&self) -> f64 {
        f64::from(self.total)
    }

    /// The living minutes from `from` on and before `to`.
    #[inline]
    pub(crate) fn between(&self, from: i32, to: i32) -> f64 {
        f64::from((self.before(to) - self.before(from)).max(0))
    }

    /// The living minutes before a minute.
    #[inline]
    fn before(&self, minute: i32) -> i32 {
        // Most logs have no hole.
        if let [(first, last)] = self.spans.as_slice() {
            return minute.clamp(*first, last + 1) - first;
        }
        let at = self.spans.partition_point(|(first, _)| *first <= minute);
        let Some(at) = at.checked_sub(1) else { return 0 };
        let (Some(&(first, last)), Some(&before)) = (self.spans.get(at), self.before.get(at)) else {
            return 0;
        };
        before + (minute.min(last + 1) - first)
    }

    /// The end of the span in which a minute lies: the minute after its last one.
    pub(crate) fn lives_until(&self, minute: i32) -> i32 {
        let at = self.spans.partition_point(|(first, _)| *first <= minute);
        let span = at.checked_sub(1).and_then(|at| self.spans.get(at));
        span.filter(|(_, last)| minute <= *last).map_or(minute, |(_, last)| last + 1)
    }

    /// The minute after the first span.
    pub(crate) fn first_end(&self) -> i32 {
        self.spans.first().map_or(i32::MIN, |(_, last)| last + 1)
    }

    /// The gaps between the spans: first and last minute.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = (i32, i32)> {
        self.spans.windows(2).filter_map(|pair| Some((pair.first()?.1 + 1, pair.last()?.0 - 1)))
    }

    /// The first minute of each of so many parts of equal living time, and the minute after the last one.
    pub(crate) fn bounds(&self, parts: usize) -> Vec<i32> {
        let minute = |part: usize| {
            let before = (self.total.max(0) as u64 * part as u64).div_ceil(parts as u64) as i32;
            let at = self.before.partition_point(|other| *other <= before).checked_sub(1)?;
            let (first, last) = self.spans.get(at)?;
            Some((first + before - self.before.get(at)?).min(last + 1))
        };
        (0..=parts).map(|part| minute(part).unwrap_or_default()).collect()
    }

    /// The part of the log, from 0 to `parts` - 1, that a minute belongs to, if its living time is cut into equal parts.
    pub(crate) fn part(&self, minute: i32, parts: usize) -> usize {
        let before = i64::from(self.before(minute).clamp(0, self.total.max(1) - 1));
        (before * parts as i64 / i64::from(self.total.max(1))) as usize
    }
}

/// Whether so many minutes with lines are usual in a gap without any that the log itself must be missing. The usual share is
/// the least of three: before the gap, after it, and at the same time of other days.
fn is_dead(lines: &LineMinutes, (first, last): (i32, i32), from: i32, to: i32) -> bool {
    let length = f64::from(to - from + 1);
    let share = |start: i32, end: i32| {
        let (start, end) = (start.max(first), end.min(last + 1));
        (end - start >= 15).then(|| f64::from(lines.count(start, end)) / f64::from(end - start))
    };
    let around = [share(from - AROUND, from), share(to + 1, to + 1 + AROUND)];
    let least = around.into_iter().flatten().fold(1.0, f64::min);
    if least * length < DEAD_MINUTES {
        return false;
    }
    // Where the log thins out before or after the gap, it goes on, and the server has little to log.
    let beside = [share(from - BESIDE, from), share(to + 1, to + 1 + BESIDE)];
    if beside.into_iter().flatten().any(|share| share < THIN * least) {
        return false;
    }
    let days = (1..=7).flat_map(|day| [-day * DAY, day * DAY]);
    let inside = days.filter(|shift| from + shift >= first && to + shift <= last);
    let mut same: Vec<u32> = inside.map(|shift| lines.count(from + shift, to + 1 + shift)).collect();
    same.sort_unstable();
    let usual = same.get(same.len().saturating_sub(1) / 2).map_or(f64::INFINITY, |&count| f64::from(count));
    usual >= DEAD_MINUTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(minutes: impl Iterator<Item = i32>) -> LineMinutes {
        let mut lines = LineMinutes::default();
        minutes.for_each(|minute| lines.add(minute));
        lines
    }

    #[test]
    fn a_hole_in_all_lines_is_dead_time() {
        let lines = lines((0..600).filter(|minute| !(200..240).contains(minute)));
        let living = LivingTime::new(&lines, 0, 599);
        assert_eq!(living.gaps().collect::<Vec<_>>(), [(200, 239)]);
        assert_eq!((living.total(), living.between(190, 250)), (560.0, 20.0));
        assert_eq!(living.bounds(4), [0, 140, 320, 460, 600]);
        assert_eq!((living.part(0, 4), living.part(205, 4), living.part(599, 4)), (0, 1, 3));
    }

    #[test]
    fn a_quiet_night_is_living_time() {
        // A line every quarter of an hour: gaps of that length are usual.
        let quiet = lines((0..6000).step_by(15));
        assert!((LivingTime::new(&quiet, 0, 5999).total() - 6000.0).abs() < 1e-9);
        // Each night is silent for four hours.
        let nights = lines((0..10 * DAY).filter(|minute| minute.rem_euclid(DAY) >= 240));
        assert_eq!(LivingTime::new(&nights, 0, 10 * DAY - 1).gaps().count(), 0);
    }
}
