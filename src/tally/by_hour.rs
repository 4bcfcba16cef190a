//! Counts the events of each hour by kind; a later run is compared with these counts (`--baseline`).

use std::collections::{BTreeMap, HashMap};

use crate::catalog::classify::Reason;
use crate::pipeline::sink::LoggedEvent;
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// Events of an hour with the same kind are counted together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HourlyKind {
    pub direction: Direction,
    pub outcome: Outcome,
    pub class: Option<Class>,
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub reason: Option<Reason>,
}

/// Counts that add up in any order. Events without a time, and what is in no sum of a report, are left out.
#[derive(Clone, Default, Debug)]
pub struct Hourly {
    /// By hours since 1970-01-01T00:00Z.
    counts: HashMap<(i64, HourlyKind), u64>,
}

impl Hourly {
    pub fn count(&mut self, told: &LoggedEvent) {
        let Some(moment) = told.moment else { return };
        let event = told.event;
        if matches!(event.outcome, Outcome::Attempt | Outcome::Probe) {
            return;
        }
        let kind = HourlyKind {
            direction: event.direction,
            outcome: event.outcome,
            class: event.class(),
            code: event.code,
            enhanced: event.enhanced,
            reason: told.verdict.map(|verdict| verdict.reason),
        };
        *self.counts.entry((moment.micros.div_euclid(3_600_000_000), kind)).or_default() += 1;
    }

    pub fn merge(&mut self, other: Self) {
        for (key, count) in other.counts {
            *self.counts.entry(key).or_default() += count;
        }
    }

    /// Hour by hour.
    pub fn hours(&self) -> BTreeMap<i64, BTreeMap<HourlyKind, u64>> {
        let mut hours: BTreeMap<i64, BTreeMap<HourlyKind, u64>> = BTreeMap::new();
        for (&(hour, kind), &count) in &self.counts {
            hours.entry(hour).or_default().insert(kind, count);
        }
        hours
    }
}
