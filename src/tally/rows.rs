//! Finds the row of each event's key.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::row::{TallyCount, TallyKey};

/// One row for each key. Rows can be merged in any order.
pub struct TallyRows {
    /// The index of a row in `counts`, by its packed key.
    places: HashMap<u128, u32, RandomState>,
    counts: Vec<(TallyKey, TallyCount)>,
}

impl TallyRows {
    pub fn new(hasher: RandomState) -> Self {
        Self { places: HashMap::with_hasher(hasher), counts: Vec::new() }
    }

    /// Finds the row, or adds it.
    pub fn row(&mut self, key: &TallyKey) -> &mut TallyCount {
        let next = self.counts.len() as u32;
        let place = *self.places.entry(key.packed()).or_insert(next);
        if place == next {
            self.counts.push((*key, TallyCount::default()));
        }
        let row = self.counts.get_mut(place as usize);
        row.map(|(_, count)| count).expect("the place of a row is kept with the row")
    }

    /// All rows, in arbitrary order.
    pub fn into_counts(self) -> Vec<(TallyKey, TallyCount)> {
        self.counts
    }
}
