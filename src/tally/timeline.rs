//! Counts events by hour.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::parse::timestamp::LogTime;
use crate::smtp::delivery_result::{ByResult, DeliveryResult};
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::Class;

/// The counts of one hour. An event is in at most one of them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct HourCounts {
    pub outbound: ByResult<u64>,
    pub local: ByResult<u64>,
    pub inbound: RejectionCounts,
}

/// Rejections of clients in one hour.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct RejectionCounts {
    /// With a 4xx.
    pub transient: u64,
    /// With a 5xx.
    pub permanent: u64,
    /// The line states neither a 4xx nor a 5xx.
    pub unspecified: u64,
}

impl HourCounts {
    fn add(&mut self, other: &Self) {
        self.outbound += &other.outbound;
        self.local += &other.local;
        self.inbound.transient += other.inbound.transient;
        self.inbound.permanent += other.inbound.permanent;
        self.inbound.unspecified += other.inbound.unspecified;
    }

    fn sum(&self) -> u64 {
        let RejectionCounts { transient, permanent, unspecified } = self.inbound;
        self.outbound.sum::<u64>() + self.local.sum::<u64>() + transient + permanent + unspecified
    }

    /// The count that an event increases. None: it is neither a delivery attempt nor a rejection, and no
    /// total counts it.
    fn of(&mut self, direction: Direction, outcome: Outcome, class: Option<Class>) -> Option<&mut u64> {
        let is_counted = outcome == Outcome::Rejected || DeliveryResult::of(outcome).is_some();
        match direction {
            Direction::Outbound => Some(&mut self.outbound[DeliveryResult::of(outcome)?]),
            Direction::Local => Some(&mut self.local[DeliveryResult::of(outcome)?]),
            Direction::Inbound if is_counted => Some(match class {
                Some(Class::Transient) => &mut self.inbound.transient,
                Some(Class::Permanent) => &mut self.inbound.permanent,
                Some(Class::Positive | Class::Intermediate) | None => &mut self.inbound.unspecified,
            }),
            Direction::Inbound => None,
        }
    }
}

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

/// Three years of hours, about 3 MiB. Senders cannot influence the server's timestamps, but a damaged file may hold
/// any.
const LIMIT: usize = 24 * 366 * 3;

/// The counts of each hour, once all events are in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FinishedTimeline {
    /// By hour, counted from 1970-01-01T00:00Z. Hours without counts are omitted.
    pub hours: BTreeMap<i64, HourCounts>,
    /// The oldest hours were dropped, because there were more than the limit.
    pub is_cut: bool,
}

/// Counts the latest hours. The order of the events does not change which hours these are.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    hours: BTreeMap<i64, HourCounts>,
    is_cut: bool,
    limit: usize,
    /// The hour counted last, with the microsecond at which it begins and counts that are not in `hours` yet. It
    /// seldom changes from event to event.
    last: Option<(i64, HourCounts)>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { hours: BTreeMap::new(), is_cut: false, limit: LIMIT, last: None }
    }
}

impl Timeline {
    /// Counts an event. An event without a timestamp is ignored.
    pub(crate) fn count(
        &mut self,
        moment: Option<LogTime>,
        direction: Direction,
        outcome: Outcome,
        class: Option<Class>,
    ) {
        let Some(LogTime { micros, .. }) = moment else { return };
        let is_in = |last: &(i64, HourCounts)| (0..HOUR).contains(&micros.wrapping_sub(last.0));
        if !self.last.as_ref().is_some_and(is_in) {
            self.flush();
            self.last = Some((micros.div_euclid(HOUR) * HOUR, HourCounts::default()));
        }
        if let Some(count) = self.last.as_mut().and_then(|(_, counts)| counts.of(direction, outcome, class)) {
            *count += 1;
        }
    }

    fn flush(&mut self) {
        if let Some((start, counts)) = self.last.take() {
            self.add(start / HOUR, &counts);
        }
    }

    /// What [`Self::finish`] gave.
    pub(super) fn of(finished: FinishedTimeline) -> Self {
        Self { hours: finished.hours, is_cut: finished.is_cut, ..Self::default() }
    }

    /// The hours with events, counted from 1970-01-01T00:00Z, in rising order, and how many each has.
    pub(crate) fn events_by_hour(&mut self) -> Vec<(i64, u64)> {
        self.flush();
        self.hours.iter().map(|(&hour, counts)| (hour, counts.sum())).collect()
    }

    pub(crate) fn finish(mut self) -> FinishedTimeline {
        self.flush();
        FinishedTimeline { hours: self.hours, is_cut: self.is_cut }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        let other = other.finish();
        self.is_cut |= other.is_cut;
        other.hours.iter().for_each(|(&hour, counts)| self.add(hour, counts));
    }

    /// Adds counts to an hour and drops the oldest beyond the limit. A dropped hour has `limit` later ones, so it
    /// is not among the latest of the whole either.
    fn add(&mut self, hour: i64, counts: &HourCounts) {
        if *counts == HourCounts::default() {
            return;
        }
        self.hours.entry(hour).or_default().add(counts);
        if self.hours.len() > self.limit {
            self.hours.pop_first();
            self.is_cut = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(hours: &[i64], limit: usize) -> Timeline {
        let mut timeline = Timeline { limit, ..Timeline::default() };
        for hour in hours {
            let moment = LogTime { micros: hour * 3_600_000_000 + 7, offset: 0 };
            timeline.count(Some(moment), Direction::Outbound, Outcome::Deferred, None);
        }
        timeline
    }

    #[test]
    fn any_split_and_any_order_give_the_same_hours() {
        let hours = [5, 5, 1, 9, 5, 2, 9, 7, 1, 3];
        let whole = counted(&hours, 4).finish();
        for cut in 0..=hours.len() {
            let (front, back) = hours.split_at(cut);
            let mut merged = counted(back, 4);
            merged.merge(counted(front, 4));
            assert_eq!(merged.finish(), whole, "cut at {cut}");
        }
        assert_eq!(whole.hours.keys().copied().collect::<Vec<_>>(), [3, 5, 7, 9]);
        assert_eq!(whole.hours[&5].outbound[DeliveryResult::Deferred], 3);
    }

    #[test]
    fn hours_before_1970_and_events_without_a_time_make_no_trouble() {
        let mut timeline = Timeline::default();
        timeline.count(None, Direction::Outbound, Outcome::Deferred, None);
        let before = LogTime { micros: -1, offset: 0 };
        timeline.count(Some(before), Direction::Inbound, Outcome::Rejected, Some(Class::Permanent));
        timeline.count(Some(before), Direction::Inbound, Outcome::Warned, Some(Class::Permanent));
        let timeline = timeline.finish();
        let inbound = RejectionCounts { permanent: 1, ..RejectionCounts::default() };
        assert_eq!(timeline.hours[&-1].inbound, inbound);
        assert_eq!(timeline.hours.len(), 1);
        assert!(!timeline.is_cut);
    }
}
