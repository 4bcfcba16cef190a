//! Remembers the queue ids that lines named, by their hashes, with the host and the half day of the line.

use std::collections::VecDeque;

use hashbrown::{HashMap, HashSet};

use super::key::PrehashedState;
pub(crate) use super::placed_id::{IdHash, is_among};
use super::placed_id::{host_of, near, on_any_host};
use crate::collections::direct_mapped::DirectMappedCache;

/// Ids that a block tracker remembers for an immediate answer: 256 KiB.
const RECENT: usize = 1 << 15;

/// Ids remembered across all logs: 12 MiB.
const LIMIT: usize = 3 << 19;

/// Ids in one part of the list: 512 KiB. A single list would be copied whenever it doubles, and fragment the heap.
const PART: usize = 1 << 16;

/// Recently seen ids in a direct-mapped cache. An id that is missing may have been seen all the same. Where a content
/// filter takes each message, looking all hand-offs up later would cost a fifth more CPU time, and 23 MiB more at 200,000
/// messages.
pub(crate) struct RecentIds(DirectMappedCache<u64, RECENT>);

impl Default for RecentIds {
    fn default() -> Self {
        Self(DirectMappedCache::new(0))
    }
}

impl RecentIds {
    pub(crate) fn add(&mut self, id: IdHash) {
        self.0.insert(on_any_host(id).get(), host_of(id));
    }

    /// Whether a line near the hand-off named its id.
    pub(crate) fn contains(&self, copy: IdHash) -> bool {
        let host = host_of(copy);
        near(copy).any(|id| self.0.get(on_any_host(id).get()).is_some_and(|seen| host == 0 || host == *seen))
    }
}

/// Ids remembered where an answer cannot wait for later lines: 4 MiB.
const BEFORE: usize = 1 << 17;

/// The latest ids, up to a limit; the oldest is dropped first.
#[derive(Default)]
pub(crate) struct IdWindow {
    /// The ids on any host, and the bits of the last host.
    ids: HashMap<IdHash, u64, PrehashedState>,
    /// The ids by age, oldest first.
    order: VecDeque<IdHash>,
}

impl IdWindow {
    pub(crate) fn add(&mut self, id: IdHash) {
        let (id, host) = (on_any_host(id), host_of(id));
        if self.ids.insert(id, host).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > BEFORE
            && let Some(first) = self.order.pop_front()
        {
            self.ids.remove(&first);
        }
    }

    /// Whether a line near the hand-off named its id.
    pub(crate) fn contains(&self, copy: IdHash) -> bool {
        let host = host_of(copy);
        near(copy).any(|id| self.ids.get(&on_any_host(id)).is_some_and(|seen| host == 0 || host == *seen))
    }
}

/// Ids seen in all logs, or in their latest part if there are too many.
pub(crate) struct SeenIds {
    /// Parts in the order of the lines; all but the last are full.
    parts: VecDeque<Vec<IdHash>>,
    length: usize,
    part: usize,
    limit: usize,
}

impl Default for SeenIds {
    fn default() -> Self {
        Self { parts: VecDeque::new(), length: 0, part: PART, limit: LIMIT }
    }
}

impl SeenIds {
    pub(crate) fn add(&mut self, ids: &[IdHash]) {
        self.length += ids.len();
        let mut left = ids;
        while !left.is_empty() {
            if self.parts.back().is_none_or(|part| part.len() == self.part) {
                self.parts.push_back(Vec::with_capacity(self.part));
            }
            let Some(part) = self.parts.back_mut() else { return };
            let (now, later) = left.split_at(left.len().min(self.part - part.len()));
            part.extend_from_slice(now);
            left = later;
        }
    }

    /// The list is full. Before more is added, resolve what is pending, then call `forget`.
    pub(crate) fn is_full(&self) -> bool {
        self.length >= self.limit
    }

    /// Drops the older half.
    pub(crate) fn forget(&mut self) {
        for part in self.parts.drain(..self.parts.len() / 2) {
            self.length -= part.len();
        }
    }

    /// All that are remembered.
    pub(crate) fn into_hashes(self) -> Vec<u64> {
        let mut hashes = Vec::with_capacity(self.length);
        hashes.extend(self.parts.into_iter().flatten().map(IdHash::get));
        hashes
    }

    /// The ids near those of `asked` that were seen; see [`is_among`].
    pub(crate) fn among(&self, asked: impl Iterator<Item = IdHash>) -> HashSet<IdHash, PrehashedState> {
        let asked: HashSet<IdHash, PrehashedState> = asked.flat_map(near).collect();
        if asked.is_empty() {
            return asked;
        }
        let seen = self.parts.iter().flatten().flat_map(|&id| [id, on_any_host(id)]);
        seen.filter(|id| asked.contains(id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::super::placed_id::placed;
    use super::*;

    fn id(number: u64) -> IdHash {
        NonZeroU64::new(number).unwrap()
    }

    #[test]
    fn tells_what_was_seen() {
        let mut seen = SeenIds { limit: 4, part: 2, ..SeenIds::default() };
        seen.add(&[id(1), id(2), id(3)]);
        assert!(!seen.is_full());
        seen.add(&[id(4)]);
        assert!(seen.is_full());
        let found = seen.among([2, 3, 7].map(id).into_iter());
        assert!(found.len() == 2 && !is_among(id(7), &found));
        seen.forget();
        assert_eq!(seen.among([2, 3].map(id).into_iter()).len(), 1);
    }

    #[test]
    fn an_id_that_comes_again_days_later_or_elsewhere_is_another_one() {
        let day = 86_400;
        let at = |host: u8, seconds: i64| placed(id(77), host, Some(seconds));
        let (mut seen, mut recent, mut window) =
            (SeenIds::default(), RecentIds::default(), IdWindow::default());
        seen.add(&[at(3, 20_000 * day)]);
        recent.add(at(3, 20_000 * day));
        window.add(at(3, 20_000 * day));
        for (copy, want) in [
            (at(0, 20_000 * day + 60), true),
            (at(0, 20_000 * day - 3600), true),
            (at(3, 20_000 * day + 11 * 3600), true),
            (at(4, 20_000 * day + 60), false),
            (at(0, 20_006 * day), false),
            (at(0, 20_001 * day + 3600), false),
            (placed(id(77), 0, None), false),
            (placed(id(78), 0, Some(20_000 * day)), false),
        ] {
            let found = is_among(copy, &seen.among([copy].into_iter()));
            assert_eq!([found, recent.contains(copy), window.contains(copy)], [want; 3], "{copy:x}");
        }
    }

    #[test]
    fn what_was_seen_long_before_is_forgotten() {
        let mut before = IdWindow::default();
        for number in 1..=BEFORE as u64 + 1 {
            before.add(id(number));
            before.add(id(2));
        }
        assert!(!before.contains(id(1)) && before.contains(id(2)) && before.contains(id(BEFORE as u64 + 1)));
        assert_eq!(before.ids.len(), BEFORE);
    }

    #[test]
    fn what_was_seen_lately_is_never_something_else() {
        let mut recent = RecentIds::default();
        recent.add(id(5));
        assert!(recent.contains(id(5)) && !recent.contains(id(5 + RECENT as u64)));
        recent.add(id(5 + RECENT as u64));
        assert!(!recent.contains(id(5)));
    }
}
