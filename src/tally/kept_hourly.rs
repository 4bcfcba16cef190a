//! The counts of each hour as a part keeps them.

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::by_hour::Hourly;
use super::event_kind::EventKind;
use crate::collections::wire::MapOrArray;

/// The counts of each hour, in any version of a part.
pub(crate) type KeptHourly = MapOrArray<HourTable, EarlyHourly>;

/// Early versions wrote the kind with each count.
type EarlyHourly = Vec<(i64, EventKind, u64)>;

/// The counts of each hour.
#[derive(PartialEq, Serialize, Deserialize, Debug)]
pub(crate) struct HourTable {
    /// Sorted, each once.
    kinds: Vec<EventKind>,
    /// Each hour with its counts, each by the index of its kind; both in rising order.
    hours: Vec<(i64, Vec<(u32, u64)>)>,
}

/// `None`: the counts are damaged.
pub(super) fn hourly(kept: KeptHourly) -> Option<Hourly> {
    match kept {
        MapOrArray::Map(table) => table.hourly(),
        MapOrArray::Array(counts) => {
            let mut hourly = Hourly::default();
            for (hour, kind, count) in counts {
                hourly.add(hour, kind, count);
            }
            Some(hourly)
        }
    }
}

impl HourTable {
    pub(super) fn of(hourly: &Hourly) -> Self {
        let kinds: HashSet<EventKind, RandomState> = hourly.counts.keys().map(|(_, kind)| *kind).collect();
        let mut kinds: Vec<EventKind> = kinds.into_iter().collect();
        kinds.sort_unstable();
        let numbers: HashMap<EventKind, u32, RandomState> = kinds.iter().copied().zip(0..).collect();
        let counts = hourly.counts.iter();
        let mut counts: Vec<(i64, u32, u64)> =
            counts.filter_map(|((hour, kind), count)| Some((*hour, *numbers.get(kind)?, *count))).collect();
        counts.sort_unstable();
        let hour = |counts: &[(i64, u32, u64)]| {
            let (hour, ..) = *counts.first()?;
            Some((hour, counts.iter().map(|(_, kind, count)| (*kind, *count)).collect()))
        };
        Self { kinds, hours: counts.chunk_by(|a, b| a.0 == b.0).filter_map(hour).collect() }
    }

    /// `None`: a count is of no kind.
    fn hourly(self) -> Option<Hourly> {
        let mut hourly = Hourly::default();
        for (hour, counts) in self.hours {
            for (kind, count) in counts {
                hourly.add(hour, *self.kinds.get(kind as usize)?, count);
            }
        }
        Some(hourly)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::event::{Direction, Outcome};
    use crate::smtp::reply::{Class, Code, EnhancedCode};

    #[test]
    fn counts_of_both_versions_are_read() {
        let kind = |code: u16| EventKind {
            direction: Direction::Outbound,
            outcome: Outcome::Bounced,
            class: Some(Class::Permanent),
            code: Code::new(code),
            enhanced: EnhancedCode::new(5, 1, 1),
            reason: None,
        };
        let counts = vec![(-7, kind(550), 3), (8, kind(550), 1), (8, kind(551), 1 << 40), (9, kind(200), 2)];
        let mut whole = Hourly::default();
        counts.iter().rev().for_each(|(hour, kind, count)| whole.add(*hour, *kind, *count));
        let read = |bytes: &[u8]| hourly(ciborium::from_reader(bytes).unwrap());
        let (mut bytes, mut early) = (Vec::new(), Vec::new());
        ciborium::into_writer(&HourTable::of(&whole), &mut bytes).unwrap();
        ciborium::into_writer(&counts, &mut early).unwrap();
        assert!(bytes.len() < early.len());
        for bytes in [bytes, early] {
            assert_eq!(read(&bytes).unwrap().hours(), whole.hours());
        }
        let damaged = HourTable { kinds: Vec::new(), ..HourTable::of(&whole) };
        assert!(damaged.hourly().is_none());
    }
}
