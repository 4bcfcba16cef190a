//! The counts of each hour as a part keeps them.

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::by_hour::Hourly;
use super::event_kind::EventKind;
use super::kept_key::{KindFields, kind_fields, kind_of};
use crate::collections::wire::{ByteText, MapOrArray, PackedBytes, PackedOrArray, push_number, push_signed};

/// The counts of each hour, in any version of a part.
pub(crate) type KeptHourly = MapOrArray<HourTable, EarlyHourly>;

/// Early versions wrote the kind with each count.
type EarlyHourly = Vec<(i64, EventKind, u64)>;

/// The counts of each hour.
#[derive(PartialEq, Serialize, Deserialize, Debug)]
pub(crate) struct HourTable {
    /// Sorted, each once. Early versions wrote maps.
    kinds: Vec<MapOrArray<EventKind, KindFields>>,
    /// For each hour its distance from the one before it, the number of its counts, and these, each with the distance of its
    /// kind's index from the one before it; both in rising order.
    hours: PackedOrArray<(i64, Vec<(u32, u64)>)>,
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
        let (mut packed, mut before) = (Vec::new(), 0_i64);
        for hour in counts.chunk_by(|a, b| a.0 == b.0) {
            let Some((at, ..)) = hour.first() else { continue };
            push_signed(&mut packed, at.wrapping_sub(before));
            push_number(&mut packed, hour.len() as u64);
            let mut last = 0;
            for (_, kind, count) in hour {
                push_number(&mut packed, u64::from(kind - last));
                push_number(&mut packed, *count);
                last = *kind;
            }
            before = *at;
        }
        let kinds = kinds.into_iter().map(|kind| MapOrArray::Array(kind_fields(kind)));
        Self { kinds: kinds.collect(), hours: PackedOrArray::Packed(ByteText(packed)) }
    }

    /// `None`: a count is of no kind, or damaged.
    fn hourly(self) -> Option<Hourly> {
        let mut hourly = Hourly::default();
        let kind = |kept: MapOrArray<EventKind, KindFields>| match kept {
            MapOrArray::Map(kind) => kind,
            MapOrArray::Array(fields) => kind_of(fields),
        };
        let kinds: Vec<EventKind> = self.kinds.into_iter().map(kind).collect();
        match self.hours {
            PackedOrArray::Array(hours) => {
                for (hour, counts) in hours {
                    for (kind, count) in counts {
                        hourly.add(hour, *kinds.get(kind as usize)?, count);
                    }
                }
            }
            PackedOrArray::Packed(packed) => {
                let (mut rest, mut hour) = (PackedBytes(&packed.0), 0_i64);
                while !rest.is_empty() {
                    hour = hour.wrapping_add(rest.signed()?);
                    let mut kind = 0_usize;
                    for _ in 0..rest.number()? {
                        kind = kind.checked_add(rest.number_as()?)?;
                        hourly.add(hour, *kinds.get(kind)?, rest.number()?);
                    }
                }
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
