//! Keeps the minutes in which a log has lines of any kind.

use std::collections::BTreeMap;

/// Minutes of a day.
pub(crate) const DAY: i32 = 24 * 60;
/// Two groups of stamps that are this many minutes apart do not belong to one log: three weeks.
const FAR_OFF: i32 = 21 * DAY;

/// The largest number of hours that are kept, the latest: 15 years, 3 MiB.
const HOURS_LIMIT: usize = 1 << 17;

/// The minutes with at least one line, as one bit each, by hour since 1970-01-01T00:00Z.
#[derive(Clone, Default, Debug)]
pub(crate) struct LineMinutes(BTreeMap<i32, u64>);

impl LineMinutes {
    pub(crate) fn add(&mut self, minute: i32) {
        self.add_hour(minute.div_euclid(60), 1 << minute.rem_euclid(60));
    }

    /// Adds the minutes of an hour, one bit each.
    pub(crate) fn add_hour(&mut self, hour: i32, bits: u64) {
        *self.0.entry(hour).or_default() |= bits;
        // Only a log with random timestamps has so many.
        while self.0.len() > HOURS_LIMIT {
            self.0.pop_first();
        }
    }

    /// The hours and their bits, in the order of time.
    pub(crate) fn hours(&self) -> impl Iterator<Item = (i32, u64)> {
        self.0.iter().map(|(&hour, &bits)| (hour, bits))
    }

    /// Drops the minutes before this one.
    pub(crate) fn forget(&mut self, before: i32) {
        self.0 = self.0.split_off(&before.div_euclid(60));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The minutes, in the order of time.
    pub(crate) fn iter(&self) -> impl Iterator<Item = i32> {
        self.0.iter().flat_map(|(&hour, &bits)| {
            (0..60).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| hour * 60 + bit)
        })
    }

    /// The number of minutes with lines from `from` on and before `to`.
    pub(crate) fn count(&self, from: i32, to: i32) -> u32 {
        let hours = self.0.range(from.div_euclid(60)..=to.div_euclid(60));
        let inside = hours.map(|(&hour, &bits)| {
            let low = (from - hour * 60).clamp(0, 60);
            let high = (to - hour * 60).clamp(0, 60);
            let mask = |bits: i32| (1_u64 << bits) - 1;
            (bits & mask(high) & !mask(low)).count_ones()
        });
        inside.sum()
    }

    /// The groups of minutes that are at least three weeks apart: first and last minute, and the minutes with lines.
    pub(crate) fn groups(&self) -> Vec<(i32, i32, u32)> {
        let mut groups: Vec<(i32, i32, u32)> = Vec::new();
        for minute in self.iter() {
            match groups.last_mut() {
                Some((_, last, count)) if minute - *last < FAR_OFF => (*last, *count) = (minute, *count + 1),
                _ => groups.push((minute, minute, 1)),
            }
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_minutes_of_any_span() {
        let mut lines = LineMinutes::default();
        for minute in [-61, -60, -1, 0, 59, 60, 119, 120] {
            lines.add(minute);
        }
        assert_eq!(lines.count(-61, 121), 8);
        assert_eq!(lines.count(-60, 60), 4);
        assert_eq!(lines.count(59, 60), 1);
        assert_eq!(lines.count(61, 119), 0);
        lines.forget(60);
        assert_eq!(lines.iter().collect::<Vec<_>>(), [60, 119, 120]);
    }

    #[test]
    fn a_stamp_of_another_year_is_a_group_of_its_own() {
        let mut far = LineMinutes::default();
        [-17_000_000].into_iter().chain(0..90).chain([80_000_000]).for_each(|minute| far.add(minute));
        let groups = far.groups();
        assert_eq!(groups, [(-17_000_000, -17_000_000, 1), (0, 89, 90), (80_000_000, 80_000_000, 1)]);
    }
}
