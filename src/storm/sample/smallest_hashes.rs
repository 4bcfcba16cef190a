//! Remembers the smallest hashes of each cell over all blocks, so that a block can skip
//! events that the sample would drop anyway.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::level::{EVENTS_KEPT, SampleLevel};
use super::series::CellKey;

/// The largest number of cells that are remembered, 2 MiB. If there are more, all are dropped, and blocks keep more than they
/// need for a while.
const CELLS_LIMIT: usize = 1 << 14;

/// The smallest hashes of the cells of one level.
#[derive(Default, Debug)]
pub(crate) struct SmallestHashes {
    level: SampleLevel,
    cells: HashMap<CellKey, Smallest, FixedState>,
}

/// The smallest hashes of a cell, in ascending order. Equal hashes are kept separately.
#[derive(Clone, Copy, Default, Debug)]
struct Smallest {
    hashes: [u64; EVENTS_KEPT],
    count: usize,
}

impl SmallestHashes {
    /// The largest hash with which an event of the cell can still be kept.
    pub(crate) fn largest(&self, level: SampleLevel, key: CellKey) -> u64 {
        let cell = self.cells.get(&key).filter(|cell| level == self.level && cell.count == EVENTS_KEPT);
        cell.and_then(|cell| cell.hashes.last()).copied().unwrap_or(u64::MAX)
    }

    /// Adds the hash of an event that a block of this level keeps.
    pub(crate) fn add(&mut self, level: SampleLevel, key: CellKey, hash: u64) {
        if level != self.level {
            // A block that began before the level rose has finer cells, so its hashes do not belong to these.
            if level.max(self.level) != level {
                return;
            }
            self.forget();
            self.level = level;
        }
        if self.cells.len() >= CELLS_LIMIT {
            self.forget();
        }
        let Smallest { hashes, count } = self.cells.entry(key).or_default();
        let at = hashes.iter().take(*count).position(|known| *known > hash).unwrap_or(*count);
        let behind = hashes.get_mut(at..).unwrap_or_default();
        if !behind.is_empty() {
            behind.rotate_right(1);
            behind.iter_mut().take(1).for_each(|place| *place = hash);
            *count = (*count + 1).min(EVENTS_KEPT);
        }
    }

    /// Drops all cells, before other events are added.
    pub(crate) fn forget(&mut self) {
        self.cells.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::sample::series::{CellKind, CountSeries};

    #[test]
    fn a_full_cell_tells_its_largest_hash() {
        let kind = CellKind::of(&CountSeries::TAKEN);
        let key = |minute| CellKey { minute, kind };
        let (level, coarser) = (SampleLevel::default(), SampleLevel::default().next(0, usize::MAX).unwrap());
        let mut smallest = SmallestHashes::default();
        for hash in [70, 20, 90, 20, 60, 30, 10] {
            smallest.add(level, key(0), hash);
            assert_eq!(smallest.largest(level, key(0)), u64::MAX);
        }
        smallest.add(level, key(0), 80);
        assert_eq!(smallest.largest(level, key(0)), 90);
        for (hash, largest) in [(95, 90), (85, 85), (15, 80), (20, 70)] {
            smallest.add(level, key(0), hash);
            assert_eq!(smallest.largest(level, key(0)), largest, "{hash}");
        }
        assert_eq!(smallest.largest(level, key(1)), u64::MAX);
        smallest.add(coarser, key(0), 5);
        assert_eq!(smallest.largest(coarser, key(0)), u64::MAX);
        smallest.add(level, key(0), 5);
        assert_eq!(smallest.largest(level, key(0)), u64::MAX, "blocks of an old level are not asked");
    }
}
