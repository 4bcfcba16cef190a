//! Counts the events of each hour by kind. A later run compares itself with these counts (`--baseline`).

use std::collections::{BTreeMap, HashMap};

use super::event_kind::EventKind;
use crate::pipeline::sink::LoggedEvent;
use crate::smtp::event::Outcome;

/// The counts of each hour. They can be merged in any order. Events without a time, and events that no total counts,
/// are ignored.
#[derive(Clone, Default, Debug)]
pub struct Hourly {
    /// By hour, counted from 1970-01-01T00:00Z, and kind.
    pub(super) counts: HashMap<(i64, EventKind), u64>,
}

impl Hourly {
    pub fn count(&mut self, logged: &LoggedEvent) {
        let Some(moment) = logged.moment else { return };
        if matches!(logged.event.outcome, Outcome::Attempt | Outcome::Probe) {
            return;
        }
        self.add(moment.micros.div_euclid(3_600_000_000), EventKind::of(logged), 1);
    }

    /// Adds events of an hour.
    pub fn add(&mut self, hour: i64, kind: EventKind, count: u64) {
        *self.counts.entry((hour, kind)).or_default() += count;
    }

    pub fn merge(&mut self, other: Self) {
        for (key, count) in other.counts {
            *self.counts.entry(key).or_default() += count;
        }
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
