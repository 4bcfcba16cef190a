//! Counts events by name and outcome.

use crate::catalog::provider::Provider;
use crate::collections::direct_mapped::DirectMappedCache;
use crate::collections::interner::{Interner, Symbol};
use crate::smtp::event::{ByOutcome, Outcome};

/// The counts of each name, by outcome. Name numbers are dense, so they index the counts without a hash.
#[derive(Default)]
pub(crate) struct NameCounts {
    /// A cache of names by their hashes. Most mail goes to few names, which are counted here first. None: no name
    /// yet.
    recent: Option<DirectMappedCache<RecentName, RECENT>>,
    /// Index into `counts` plus 1, by the name's number. 0: nothing was counted for the name.
    places: Vec<u32>,
    counts: Vec<(Symbol, ByOutcome<u64>)>,
    /// Counts that are not in `counts` yet.
    pending: Vec<(Symbol, Outcome, u16)>,
}

/// A cached name. The cache saves 7 % of the CPU time of an Exim scan of 100 MiB, and 2 % of its instructions.
#[derive(Clone, Copy, Debug)]
struct RecentName {
    id: Symbol,
    /// Deliveries that are not in `counts` yet.
    delivered: u16,
    provider: Option<Provider>,
}

/// The counts of each name, once all events are in.
pub(crate) type OutcomesByName = Vec<(Symbol, ByOutcome<u64>)>;

/// A name that was counted.
#[derive(Clone, Copy)]
pub(crate) struct NameHit {
    pub id: Symbol,
    pub provider: Option<Provider>,
}

/// Number of cached names; 64 KiB.
const RECENT: usize = 1 << 12;

/// Number of pending counts that are added at once. Each addition misses the cache, and the processor overlaps the
/// misses only in a tight loop.
const BATCH: usize = 64;

impl NameCounts {
    /// Counts an event for a name. `provider` is called only if the name is not cached.
    pub(crate) fn count(
        &mut self,
        name: &[u8],
        outcome: Outcome,
        names: &mut Interner,
        provider: impl FnOnce(&[u8]) -> Option<Provider>,
    ) -> NameHit {
        let hash = names.hash(name);
        let empty = RecentName { id: Symbol::OVERFLOW, delivered: 0, provider: None };
        let recent = self.recent.get_or_insert_with(|| DirectMappedCache::new(empty));
        let is_delivered = outcome == Outcome::Delivered;
        let hit = match recent.get_mut(hash) {
            Some(known) => {
                match known.delivered.checked_add(1).filter(|_| is_delivered) {
                    Some(delivered) => known.delivered = delivered,
                    None => self.pending.push((known.id, outcome, 1)),
                }
                NameHit { id: known.id, provider: known.provider }
            }
            None => {
                let hit = NameHit { id: names.intern_hashed(hash, name), provider: provider(name) };
                let NameHit { id, provider } = hit;
                let new = RecentName { id, delivered: u16::from(is_delivered), provider };
                if let Some(RecentName { id, delivered: delivered @ 1.., .. }) = recent.insert(hash, new) {
                    self.pending.push((id, Outcome::Delivered, delivered));
                }
                if !is_delivered {
                    self.pending.push((id, outcome, 1));
                }
                hit
            }
        };
        if self.pending.len() >= BATCH {
            self.flush();
        }
        hit
    }

    /// The counts of each name, in arbitrary order.
    pub(crate) fn finish(mut self) -> OutcomesByName {
        for slot in self.recent.take().iter_mut().flat_map(DirectMappedCache::values_mut) {
            if slot.delivered > 0 {
                self.pending.push((slot.id, Outcome::Delivered, slot.delivered));
            }
        }
        self.flush();
        self.counts
    }

    fn flush(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        for (id, outcome, more) in pending.drain(..) {
            if let Some(counts) = self.counts_of(id) {
                counts[outcome] += u64::from(more);
            }
        }
        self.pending = pending;
    }

    pub(crate) fn add(&mut self, id: Symbol, counts: &ByOutcome<u64>) {
        if let Some(sums) = self.counts_of(id) {
            *sums += counts;
        }
    }

    /// The counts of a name; never None.
    #[inline]
    fn counts_of(&mut self, id: Symbol) -> Option<&mut ByOutcome<u64>> {
        if self.places.len() <= id.index() {
            self.places.resize(id.index() + 1, 0);
        }
        let place = self.places.get_mut(id.index())?;
        if *place == 0 {
            self.counts.push((id, ByOutcome::default()));
            *place = self.counts.len() as u32;
        }
        self.counts.get_mut(*place as usize - 1).map(|(_, counts)| counts)
    }
}

#[cfg(test)]
mod tests {
    use foldhash::fast::RandomState;

    use super::*;

    #[test]
    fn counts_each_time_of_each_name() {
        let (mut names, mut table) = (Interner::new(RandomState::default()), NameCounts::default());
        // More names than the cache holds, and one with more deliveries than its cached counter holds.
        let all = |number: u32| format!("d{}.example.org", number % 10_000 * u32::from(number < 50_000));
        for number in 0..150_000 {
            let outcome = if number % 5 == 0 { Outcome::Deferred } else { Outcome::Delivered };
            let hit = table.count(all(number).as_bytes(), outcome, &mut names, |_| None);
            assert_eq!(hit.id, names.intern(all(number).as_bytes()));
        }
        let totals = table.finish();
        let first = names.intern(b"d0.example.org");
        for (id, outcomes) in totals.iter().copied() {
            let (delivered, deferred) = if id == first { (80_000, 20_005) } else { (4, 1) };
            let counted = (outcomes[Outcome::Delivered], outcomes[Outcome::Deferred]);
            assert_eq!(counted.0 + counted.1, if id == first { 100_005 } else { 5 });
            assert!(id != first || counted == (delivered, deferred));
        }
        assert_eq!(totals.len(), 10_000);
    }
}
