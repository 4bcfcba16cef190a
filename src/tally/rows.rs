//! What was counted for each key: most events have one of few keys, and these are found without a hash.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::count::{Count, Key};

/// Adding up is in any order.
pub struct Rows {
    /// Which of the counts are the key's.
    places: HashMap<Key, u32, RandomState>,
    counts: Vec<(Key, Count)>,
    /// In the slot that it tells, the key met last, packed, and which of the counts are its.
    lately: Box<[(u128, u32); LATELY]>,
}

/// 8 KiB.
const LATELY: usize = 1 << 8;

impl Rows {
    pub fn new(hasher: RandomState) -> Self {
        Self { places: HashMap::with_hasher(hasher), counts: Vec::new(), lately: Box::new([(0, 0); LATELY]) }
    }

    /// Begins the row where there is none.
    pub fn of(&mut self, key: &Key) -> &mut Count {
        let packed = key.packed();
        // Its words differ in a few bits each, which a product brings to the front.
        let mixed = (packed as u64 ^ (packed >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = (mixed >> (64 - LATELY.trailing_zeros())) as usize;
        let place = match self.lately.get(slot) {
            Some(&(known, place)) if known == packed => place,
            _ => {
                let next = self.counts.len() as u32;
                let place = *self.places.entry(*key).or_insert(next);
                if place == next {
                    self.counts.push((*key, Count::default()));
                }
                if let Some(slot) = self.lately.get_mut(slot) {
                    *slot = (packed, place);
                }
                place
            }
        };
        let row = self.counts.get_mut(place as usize);
        row.map(|(_, count)| count).expect("its place was told by the counts")
    }

    /// In no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Count)> {
        self.counts.iter().map(|(key, count)| (key, count))
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Count> {
        self.counts.iter_mut().map(|(_, count)| count)
    }

    /// All of them, in no order; none is left.
    pub fn take(&mut self) -> Vec<(Key, Count)> {
        self.places.clear();
        self.lately.fill((0, 0));
        std::mem::take(&mut self.counts)
    }
}
