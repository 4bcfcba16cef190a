//! Stores the hourly counts of earlier runs, merges those of a new run, and drops all but the latest thirteen weeks.

use std::collections::BTreeMap;

use crate::tally::by_hour::Hourly;
use crate::tally::event_kind::EventKind;

/// Number of hours that are stored: twelve earlier weeks, and the week that is compared with them.
const HOURS_KEPT: i64 = 13 * 7 * 24;

/// Number of kinds that are stored for one hour, the most frequent ones. Senders and other servers choose the codes,
/// so there has to be a limit.
const KINDS_KEPT: usize = 200;

/// The half-open range of minutes that a run has read, counted from 1970-01-01T00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadSpan {
    pub from: i64,
    pub until: i64,
}

/// The minutes without an event after which a stamp is taken for that of a wrong clock: two weeks.
const FAR: i64 = 14 * 24 * 60;

impl ReadSpan {
    /// The part of the span that the run really covers: the time around most of its events, up to `now`, a minute. A clock that
    /// starts in 1970, or a line of the year 1 or 3000, stretches the span by years. `None`: nothing is left of it.
    pub fn covered(self, hourly: &Hourly, now: i64) -> Option<Self> {
        let mut until = self.until.min(now.saturating_add(1));
        let complete = hourly.complete_from().map_or(i64::MIN, |hour| hour.saturating_mul(60));
        let mut from = self.from.max(complete);
        // The largest group of hours with events, none of which is far from the next.
        let mut best: Option<(u64, i64, i64)> = None;
        let mut group: Option<(u64, i64, i64)> = None;
        for (hour, counts) in hourly.hours().into_iter().filter(|(hour, _)| hour.saturating_mul(60) < until) {
            let count = counts.values().sum::<u64>();
            group = match group {
                Some((sum, first, last)) if (hour - last).saturating_mul(60) <= FAR => {
                    Some((sum + count, first, hour))
                }
                Some(_) | None => Some((count, hour, hour)),
            };
            // Of groups that are equal, the latest.
            best = best.filter(|(sum, ..)| group.is_none_or(|(other, ..)| *sum > other)).or(group);
        }
        if let Some((_, first, last)) = best {
            let (first, end) = (first.saturating_mul(60), last.saturating_add(1).saturating_mul(60));
            from = if first.saturating_sub(from) > FAR { first } else { from };
            until = if until.saturating_sub(end) > FAR { end } else { until };
        } else if until.saturating_sub(from) > FAR {
            return None;
        }
        (from < until).then_some(Self { from, until })
    }

    /// The hours that the span touches, each with its minutes that were read (half-open, 0 to 60).
    pub fn hours(self) -> impl Iterator<Item = (i64, (u8, u8))> {
        let first = self.from.div_euclid(60);
        let end = (self.until + 59).div_euclid(60);
        (first..end).filter_map(move |hour| {
            let minute = |at: i64| u8::try_from((at - hour * 60).clamp(0, 60)).ok();
            Some((hour, (minute(self.from)?, minute(self.until)?)))
        })
    }
}

/// The counts of the part of an hour that was read.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct HistoryHour {
    /// The minutes that were read, half-open.
    pub from: u8,
    pub until: u8,
    pub counts: BTreeMap<EventKind, u64>,
}

impl HistoryHour {
    /// Number of minutes that were read.
    pub fn minutes(&self) -> u8 {
        self.until.saturating_sub(self.from)
    }
}

/// The hours by number since 1970-01-01T00:00Z. An hour that was read without events is present; an hour that was not
/// read is absent.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct History {
    pub hours: BTreeMap<i64, HistoryHour>,
}

impl History {
    /// Drops the hours after a minute, which a wrong clock left.
    pub fn forget_after(&mut self, minute: i64) {
        drop(self.hours.split_off(&(minute.div_euclid(60) + 1)));
    }

    /// Merges the counts of a run. If an hour exists already, the longer part stays; adjoining parts, as from runs
    /// with `--state`, are added.
    pub fn add(&mut self, span: ReadSpan, hourly: &Hourly) {
        let mut counted = hourly.hours();
        let oldest =
            span.until.div_euclid(60).max(self.hours.keys().next_back().copied().unwrap_or(i64::MIN));
        let oldest = oldest - HOURS_KEPT;
        let from = span.from.max(oldest.saturating_mul(60));
        for (hour, (from, until)) in (ReadSpan { from, ..span }).hours() {
            let counts = most(counted.remove(&hour).unwrap_or_default());
            let new = HistoryHour { from, until, counts };
            match self.hours.get_mut(&hour) {
                None => drop(self.hours.insert(hour, new)),
                // The parts adjoin; both may have lines of the minute where they meet.
                Some(old) if new.from + 1 >= old.until && new.until > old.until => old.join(new),
                Some(old) if old.from + 1 >= new.until && new.from < old.from => old.join(new),
                // A gap in the lines is no reason to forget what was counted.
                Some(old) if new.counts.is_empty() && !old.counts.is_empty() => {}
                Some(old) if new.minutes() >= old.minutes() => *old = new,
                Some(_) => {}
            }
        }
        self.hours = self.hours.split_off(&oldest);
    }
}

impl HistoryHour {
    fn join(&mut self, other: Self) {
        self.from = self.from.min(other.from);
        self.until = self.until.max(other.until);
        for (kind, count) in other.counts {
            *self.counts.entry(kind).or_default() += count;
        }
    }
}

/// The most frequent kinds; of equally frequent ones the first.
fn most(counts: BTreeMap<EventKind, u64>) -> BTreeMap<EventKind, u64> {
    if counts.len() <= KINDS_KEPT {
        return counts;
    }
    let mut counts: Vec<(EventKind, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|&(kind, count)| (std::cmp::Reverse(count), kind));
    counts.truncate(KINDS_KEPT);
    counts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_cut_at_full_hours() {
        let hours = |from, until| (ReadSpan { from, until }).hours().collect::<Vec<_>>();
        assert_eq!(hours(30, 150), [(0, (30, 60)), (1, (0, 60)), (2, (0, 30))]);
        assert_eq!(hours(60, 120), [(1, (0, 60))]);
        assert_eq!(hours(-5, 1), [(-1, (55, 60)), (0, (0, 1))]);
        assert_eq!(hours(7, 7), [(0, (7, 7))]);
        assert_eq!(hours(60, 60), []);
    }

    #[test]
    fn a_stamp_far_from_all_events_stretches_no_span() {
        let mut hourly = Hourly::default();
        let kind = EventKind {
            direction: crate::smtp::event::Direction::Outbound,
            outcome: crate::smtp::event::Outcome::Delivered,
            class: None,
            code: None,
            enhanced: None,
            reason: None,
        };
        for hour in [-17_000_000, 0, 100_000, 100_001, 100_030, 9_000_000] {
            hourly.add(hour, kind, if hour < 100_000 { 1 } else { 5 });
        }
        let covered = |from, until, now| {
            (ReadSpan { from, until }).covered(&hourly, now).map(|span| (span.from, span.until))
        };
        let (first, end) = (100_000 * 60, 100_031 * 60);
        assert_eq!(covered(-17_000_000 * 60, 9_000_001 * 60, end + 7), Some((first, end + 8)));
        assert_eq!(covered(first + 7, end - 3, end + 7), Some((first + 7, end - 3)));
        assert_eq!(covered(0, end, end + 7), Some((first, end)), "a clock that starts in 1970");
        assert_eq!(covered(end + 60, end + 120, end + 7), None, "later than now");
        let none = Hourly::default();
        assert_eq!(
            (ReadSpan { from: 0, until: 60 }).covered(&none, 90),
            Some(ReadSpan { from: 0, until: 60 })
        );
        assert_eq!((ReadSpan { from: 0, until: 60 * FAR }).covered(&none, 60 * FAR), None);
    }

    #[test]
    fn a_gap_replaces_no_counts() {
        let mut history = History::default();
        let mut hourly = Hourly::default();
        let kind = EventKind {
            direction: crate::smtp::event::Direction::Outbound,
            outcome: crate::smtp::event::Outcome::Delivered,
            class: None,
            code: None,
            enhanced: None,
            reason: None,
        };
        hourly.add(0, kind, 7);
        history.add(ReadSpan { from: 0, until: 60 }, &hourly);
        history.add(ReadSpan { from: 0, until: 120 }, &Hourly::default());
        assert_eq!(history.hours.get(&0).map(|hour| hour.counts.clone()), Some([(kind, 7)].into()));
        history.forget_after(59);
        assert_eq!(minutes(&history), [(0, 0, 60)]);
    }

    fn minutes(history: &History) -> Vec<(i64, u8, u8)> {
        history.hours.iter().map(|(&hour, kept)| (hour, kept.from, kept.until)).collect()
    }

    #[test]
    fn of_an_hour_the_longer_part_stays_and_parts_that_touch_are_joined() {
        let mut history = History::default();
        let none = Hourly::default();
        history.add(ReadSpan { from: 0, until: 30 }, &none);
        history.add(ReadSpan { from: 0, until: 20 }, &none);
        assert_eq!(minutes(&history), [(0, 0, 30)]);
        history.add(ReadSpan { from: 30, until: 50 }, &none);
        assert_eq!(minutes(&history), [(0, 0, 50)]);
        history.add(ReadSpan { from: 0, until: 120 }, &none);
        assert_eq!(minutes(&history), [(0, 0, 60), (1, 0, 60)]);
        history.add(ReadSpan { from: 40, until: 60 }, &none);
        assert_eq!(minutes(&history), [(0, 0, 60), (1, 0, 60)]);
    }

    #[test]
    fn the_latest_hours_are_kept() {
        let mut history = History::default();
        history.add(ReadSpan { from: 0, until: 60 * 10 }, &Hourly::default());
        history.add(ReadSpan { from: 0, until: 60 * (HOURS_KEPT + 5) }, &Hourly::default());
        assert_eq!(history.hours.len() as i64, HOURS_KEPT);
        assert_eq!(history.hours.keys().next(), Some(&5));
        history.add(ReadSpan { from: 0, until: 60 }, &Hourly::default());
        assert_eq!(history.hours.keys().next(), Some(&5), "an old log does not come back");
    }
}
