//! Counts the mail that was served in each minute, exactly: a silence is seen by the minutes in which nothing comes.

use std::collections::BTreeMap;

use crate::smtp::event::Direction;

/// The largest number of hours that are kept of all directions, 4 MiB: more than half a year. Beyond it the oldest are dropped.
const HOURS_LIMIT: usize = 1 << 14;

/// The number of deliveries and arrivals by minute and direction.
#[derive(Clone, Default, Debug)]
pub(crate) struct ServedMinutes(BTreeMap<(i32, Direction), [u32; 60]>);

/// The deliveries or arrivals of one minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ServedMinute {
    /// Since 1970-01-01T00:00Z.
    pub minute: i32,
    pub direction: Direction,
    pub count: u32,
}

impl ServedMinutes {
    pub(crate) fn add(&mut self, served: ServedMinute) {
        let ServedMinute { minute, direction, count } = served;
        let hour = self.0.entry((minute.div_euclid(60), direction)).or_insert([0; 60]);
        if let Some(sum) = hour.get_mut(minute.rem_euclid(60) as usize) {
            *sum = sum.saturating_add(count);
        }
        // An hour that is dropped is older than all that are kept at the end, so the order makes no difference.
        while self.0.len() > HOURS_LIMIT {
            self.0.pop_first();
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        other.iter().for_each(|served| self.add(served));
    }

    /// The minutes with mail, by hour and then by direction.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ServedMinute> {
        self.0.iter().flat_map(|(&(hour, direction), counts)| {
            let minutes = (hour * 60..).zip(counts).filter(|(_, count)| **count > 0);
            minutes.map(move |(minute, &count)| ServedMinute { minute, direction, count })
        })
    }

    /// Drops the minutes before this one.
    pub(crate) fn forget(&mut self, before: i32) {
        self.0.retain(|(hour, _), _| *hour >= before.div_euclid(60));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_in_any_order() {
        let served = |minute, direction, count| ServedMinute { minute, direction, count };
        let parts = [
            served(-1, Direction::Outbound, 2),
            served(61, Direction::Inbound, 1),
            served(61, Direction::Inbound, 4),
            served(60, Direction::Outbound, 7),
        ];
        let (mut one, mut other) = (ServedMinutes::default(), ServedMinutes::default());
        for part in parts {
            one.add(part);
        }
        parts.into_iter().rev().for_each(|part| other.add(part));
        let all: Vec<ServedMinute> = one.iter().collect();
        assert_eq!(all, other.iter().collect::<Vec<_>>());
        assert_eq!(
            all,
            [
                served(-1, Direction::Outbound, 2),
                served(60, Direction::Outbound, 7),
                served(61, Direction::Inbound, 5)
            ]
        );
        one.forget(0);
        assert_eq!(one.iter().count(), 2);
    }
}
