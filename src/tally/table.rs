//! Counts by name: names come in and their numbers go out, and what befell each.

use crate::event::{ByOutcome, Outcome};
use crate::names::{NameId, Names};
use crate::provider::Provider;

/// What befell each name. Their numbers are dense, so each finds its counts without a hash.
#[derive(Default)]
pub struct Table {
    /// In the slot that its hash tells, the name met last: most mail goes to few, and theirs is counted here. Empty:
    /// none was met.
    lately: Vec<Lately>,
    /// By the number of a name: which of the counts are its, from 1. 0: nothing befell it.
    places: Vec<u32>,
    counts: Vec<(NameId, ByOutcome<u64>)>,
    /// What is not among the counts yet.
    waiting: Vec<(NameId, Outcome, u16)>,
}

/// A name met lately.
#[derive(Clone, Copy)]
struct Lately {
    hash: u64,
    /// [`NameId::OTHERS`]: none was met here, or one that is not kept.
    id: NameId,
    /// How often mail was delivered, of what is not among the counts yet.
    delivered: u16,
    provider: Option<Provider>,
}

/// A name of which something was counted.
#[derive(Clone, Copy)]
pub struct Met {
    pub id: NameId,
    pub provider: Option<Provider>,
}

/// 64 KiB.
const LATELY: usize = 1 << 12;

/// So many are counted at a time: each has to be fetched from far memory, and a processor fetches many at once only
/// where nothing else stands between.
const BATCH: usize = 64;

impl Table {
    /// `provider` is asked for the name where it was not met lately.
    pub fn count(
        &mut self,
        name: &[u8],
        outcome: Outcome,
        names: &mut Names,
        provider: impl FnOnce(&[u8]) -> Option<Provider>,
    ) -> Met {
        let hash = names.hash(name);
        if self.lately.is_empty() {
            let nobody = Lately { hash: 0, id: NameId::OTHERS, delivered: 0, provider: None };
            self.lately.resize(LATELY, nobody);
        }
        let Some(slot) = self.lately.get_mut(hash as usize % LATELY) else {
            return Met { id: NameId::OTHERS, provider: None };
        };
        if (slot.hash, slot.id != NameId::OTHERS) != (hash, true) {
            if slot.delivered > 0 {
                self.waiting.push((slot.id, Outcome::Delivered, slot.delivered));
            }
            let id = names.hashed_id(hash, name);
            *slot = Lately { hash, id, delivered: 0, provider: provider(name) };
        }
        let met = Met { id: slot.id, provider: slot.provider };
        match slot.delivered.checked_add(1) {
            Some(delivered) if outcome == Outcome::Delivered => slot.delivered = delivered,
            _ => self.waiting.push((met.id, outcome, 1)),
        }
        if self.waiting.len() >= BATCH {
            self.put();
        }
        met
    }

    /// Puts among the counts what is not there yet; to be done before they are read.
    pub fn settle(&mut self) {
        for slot in &mut self.lately {
            let delivered = std::mem::take(&mut slot.delivered);
            if delivered > 0 {
                self.waiting.push((slot.id, Outcome::Delivered, delivered));
            }
        }
        self.put();
    }

    fn put(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        for (id, outcome, more) in waiting.drain(..) {
            if let Some(counts) = self.of(id) {
                counts[outcome] += u64::from(more);
            }
        }
        self.waiting = waiting;
    }

    pub fn add(&mut self, id: NameId, counts: &ByOutcome<u64>) {
        if let Some(sums) = self.of(id) {
            *sums += counts;
        }
    }

    /// In no order.
    pub fn iter(&self) -> impl Iterator<Item = (NameId, &ByOutcome<u64>)> + Clone {
        self.counts.iter().map(|(id, counts)| (*id, counts))
    }

    /// Never None.
    #[inline]
    fn of(&mut self, id: NameId) -> Option<&mut ByOutcome<u64>> {
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
        let (mut names, mut table) = (Names::new(RandomState::default()), Table::default());
        // More names than are met lately, and one more often than is counted there.
        let all = |number: u32| format!("d{}.example.org", number % 10_000 * u32::from(number < 50_000));
        for number in 0..150_000 {
            let outcome = if number % 5 == 0 { Outcome::Deferred } else { Outcome::Delivered };
            let met = table.count(all(number).as_bytes(), outcome, &mut names, |_| None);
            assert_eq!(met.id, names.id(all(number).as_bytes()));
        }
        table.settle();
        let first = names.id(b"d0.example.org");
        for (id, outcomes) in table.iter() {
            let (delivered, deferred) = if id == first { (80_000, 20_005) } else { (4, 1) };
            let counted = (outcomes[Outcome::Delivered], outcomes[Outcome::Deferred]);
            assert_eq!(counted.0 + counted.1, if id == first { 100_005 } else { 5 });
            assert!(id != first || counted == (delivered, deferred));
        }
        assert_eq!(table.iter().count(), 10_000);
    }
}
