//! Counts the events of each hour by kind. A later run compares itself with these counts (`--baseline`).

use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::event_kind::EventKind;
use crate::parse::timestamp::LogTime;
use crate::smtp::event::Outcome;

/// The counts of each hour. They can be merged in any order. Events without a time, and events that no total counts,
/// are ignored.
#[derive(Clone, Default, Debug)]
pub struct Hourly {
    /// By hour, counted from 1970-01-01T00:00Z, and kind.
    pub(super) counts: HashMap<(i64, EventKind), u64, RandomState>,
    /// Counts that are not in `counts` yet. Most events are of few kinds, which are counted here first: it takes an eighth of
    /// the instructions of a look-up.
    recent: [Option<((i64, EventKind), u64)>; RECENT],
    /// The latest hour whose counts were dropped because there are too many later ones. `None`: there was no need.
    cut: Option<i64>,
}

/// The number of counts that are kept, of the latest hours: thirteen weeks with 120 kinds in each hour. Other servers choose
/// the codes, and a broken clock the hours.
const LIMIT: usize = 1 << 18;

/// Number of recent counts.
const RECENT: usize = 32;

impl Hourly {
    pub fn count(&mut self, moment: Option<LogTime>, kind: EventKind) {
        let Some(moment) = moment else { return };
        if matches!(kind.outcome, Outcome::Attempt | Outcome::Probe) {
            return;
        }
        let key = (moment.micros.div_euclid(3_600_000_000), kind);
        // The highest bits of a product depend on all bits (Knuth, "The Art of Computer Programming", 6.4).
        let slot = (kind.packed().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59) as usize % RECENT;
        let Some(recent) = self.recent.get_mut(slot) else { return };
        match recent {
            Some((known, count)) if *known == key => *count += 1,
            _ => {
                if let Some(((hour, kind), count)) = recent.replace((key, 1)) {
                    self.add(hour, kind, count);
                }
            }
        }
    }

    /// Adds the recent counts to the others.
    fn flush(&mut self) {
        for ((hour, kind), count) in std::mem::take(&mut self.recent).into_iter().flatten() {
            self.add(hour, kind, count);
        }
    }

    /// Adds events of an hour.
    pub fn add(&mut self, hour: i64, kind: EventKind, count: u64) {
        if self.cut.is_some_and(|cut| hour <= cut) {
            return;
        }
        *self.counts.entry((hour, kind)).or_default() += count;
        if self.counts.len() > 2 * LIMIT {
            self.cut_to(LIMIT);
        }
    }

    pub fn merge(&mut self, mut other: Self) {
        other.flush();
        self.cut = self.cut.max(other.cut);
        for ((hour, kind), count) in other.counts {
            self.add(hour, kind, count);
        }
    }

    /// Drops the earliest hours until no more than `limit` counts are left. What is left after all counts were added does not
    /// depend on when this was done before.
    fn cut_to(&mut self, limit: usize) {
        let mut hours: BTreeMap<i64, usize> = BTreeMap::new();
        for &(hour, _) in self.counts.keys() {
            *hours.entry(hour).or_default() += 1;
        }
        let mut sum = 0;
        let first_out = hours.iter().rev().find(|(_, kinds)| {
            sum += **kinds;
            sum > limit
        });
        self.cut = self.cut.max(first_out.map(|(hour, _)| *hour));
        let cut = self.cut;
        self.counts.retain(|(hour, _), _| cut.is_none_or(|cut| *hour > cut));
    }

    /// The counts when all were added.
    #[must_use]
    pub fn finish(mut self) -> Self {
        self.flush();
        self.cut_to(LIMIT);
        self
    }

    /// The first hour from which on no count was dropped. `None`: none was dropped at all.
    pub fn complete_from(&self) -> Option<i64> {
        self.cut.map(|cut| cut.saturating_add(1))
    }

    /// The counts of each kind, by hour.
    pub fn hours(&self) -> BTreeMap<i64, BTreeMap<EventKind, u64>> {
        let mut hours: BTreeMap<i64, BTreeMap<EventKind, u64>> = BTreeMap::new();
        for (&(hour, kind), &count) in &self.counts {
            hours.entry(hour).or_default().insert(kind, count);
        }
        hours
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::event::Direction;
    use crate::smtp::reply::Code;

    fn kind(number: u16) -> EventKind {
        let code = Code::new(200 + number % 400);
        EventKind {
            direction: Direction::Outbound,
            outcome: Outcome::Bounced,
            class: None,
            code,
            enhanced: None,
            reason: None,
        }
    }

    /// This number of hours, each with 100 kinds.
    fn hours(hours: impl Iterator<Item = i64>) -> Hourly {
        let mut hourly = Hourly::default();
        for hour in hours {
            (0..100).for_each(|number| hourly.add(hour, kind(number), 1));
        }
        hourly
    }

    #[test]
    fn keeps_the_latest_hours_in_bounded_memory_however_they_come() {
        let whole = hours(0..9000).finish();
        let kept = (LIMIT / 100) as i64;
        assert_eq!(whole.complete_from(), Some(9000 - kept));
        assert_eq!(whole.hours().len() as i64, kept);
        let mut parts = hours((0..9000).rev().filter(|hour| hour % 3 == 0));
        parts.merge(hours((0..9000).filter(|hour| hour % 3 != 0)));
        assert!(parts.counts.len() <= 2 * LIMIT);
        assert_eq!(parts.finish().hours(), whole.hours());
        assert_eq!(hours(0..10).finish().complete_from(), None);
    }
}
