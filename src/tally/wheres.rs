//! Whom the events of one row concerned: the numbers of names come in, how often each came goes out.

use hashbrown::HashMap;

use crate::names::NameId;

/// A hasher for keys that are hashes or small numbers already.
type Plain = foldhash::fast::FixedState;

/// So many are put into the table at a time: each has to be fetched from far memory, and a processor fetches many at
/// once only where nothing else stands between.
const BATCH: usize = 64;

/// Adding up is in any order.
#[derive(Clone, Default, Debug)]
pub struct Wheres {
    /// What is not among the counts yet.
    waiting: Vec<NameId>,
    pub counts: HashMap<NameId, u64, Plain>,
}

impl Wheres {
    pub fn count(&mut self, place: NameId) {
        self.waiting.push(place);
        if self.waiting.len() >= BATCH {
            self.settle();
        }
    }

    /// Puts among the counts what waits; to be done before they are read.
    pub fn settle(&mut self) {
        for place in self.waiting.drain(..) {
            *self.counts.entry(place).or_default() += 1;
        }
    }

    /// `renamed` gives our number of the other's names.
    pub fn merge(&mut self, mut other: Self, renamed: impl Fn(NameId) -> NameId) {
        self.settle();
        other.settle();
        for (place, count) in other.counts {
            *self.counts.entry(renamed(place)).or_default() += count;
        }
    }
}
