//! Counts by name: the numbers of names come in, what befell each goes out.

use super::served::Outcomes;
use crate::event::Outcome;
use crate::names::NameId;

/// What befell each name. Their numbers are dense, so each finds its counts without a hash.
#[derive(Default)]
pub struct Table {
    /// By the number of a name: which of the counts are its, from 1. 0: nothing befell it.
    places: Vec<u32>,
    counts: Vec<(NameId, Outcomes)>,
    /// What is not among the counts yet.
    waiting: Vec<(NameId, Outcome)>,
}

/// So many are counted at a time: each has to be fetched from far memory, and a processor fetches many at once only
/// where nothing else stands between.
const BATCH: usize = 64;

impl Table {
    pub fn count(&mut self, id: NameId, outcome: Outcome) {
        self.waiting.push((id, outcome));
        if self.waiting.len() >= BATCH {
            self.settle();
        }
    }

    /// Puts among the counts what waits; to be done before they are read.
    pub fn settle(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        for (id, outcome) in waiting.drain(..) {
            if let Some(count) = self.of(id).and_then(|counts| counts.get_mut(outcome as usize)) {
                *count += 1;
            }
        }
        self.waiting = waiting;
    }

    pub fn add(&mut self, id: NameId, counts: &Outcomes) {
        if let Some(sums) = self.of(id) {
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }

    /// In no order.
    pub fn iter(&self) -> impl Iterator<Item = (NameId, &Outcomes)> + Clone {
        self.counts.iter().map(|(id, counts)| (*id, counts))
    }

    /// Never None.
    #[inline]
    fn of(&mut self, id: NameId) -> Option<&mut Outcomes> {
        if self.places.len() <= id.index() {
            self.places.resize(id.index() + 1, 0);
        }
        let place = self.places.get_mut(id.index())?;
        if *place == 0 {
            self.counts.push((id, Outcomes::default()));
            *place = self.counts.len() as u32;
        }
        self.counts.get_mut(*place as usize - 1).map(|(_, counts)| counts)
    }
}
