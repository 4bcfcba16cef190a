//! Remembers the values of keys met lately in a direct-mapped cache: each key has one slot, and a newer key takes it.

/// Values by 64-bit hashes, which stand for what was hashed: two things with the same hash are taken for one. `SLOTS`
/// is a power of two; the low bits of a hash choose its slot.
#[derive(Clone, Debug)]
pub(crate) struct DirectMappedCache<V, const SLOTS: usize> {
    slots: Box<[(u64, V)]>,
}

impl<V: Copy, const SLOTS: usize> DirectMappedCache<V, SLOTS> {
    /// `fill` is what empty slots hold; nobody sees it. The key of an empty slot is one that belongs to another slot,
    /// so a look-up needs no second question.
    pub(crate) fn new(fill: V) -> Self {
        const { assert!(SLOTS.is_power_of_two() && SLOTS > 1) };
        Self { slots: (0..SLOTS).map(|slot| (!slot as u64, fill)).collect() }
    }

    #[inline]
    pub(crate) fn get(&self, hash: u64) -> Option<&V> {
        let (known, value) = self.slots.get(hash as usize % SLOTS)?;
        (*known == hash).then_some(value)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, hash: u64) -> Option<&mut V> {
        let (known, value) = self.slots.get_mut(hash as usize % SLOTS)?;
        (*known == hash).then_some(value)
    }

    /// The value that had the slot before, or `fill`.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u64, value: V) -> Option<V> {
        let slot = self.slots.get_mut(hash as usize % SLOTS)?;
        Some(std::mem::replace(slot, (hash, value)).1)
    }

    /// All slots, the empty ones too.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.slots.iter_mut().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_nothing_in_an_empty_slot_and_the_newest_in_a_taken_one() {
        let mut cache = DirectMappedCache::<u32, 4>::new(0);
        for hash in (0..8).chain([u64::MAX, u64::MAX - 1, u64::MAX - 2, u64::MAX - 3]) {
            assert_eq!(cache.get(hash), None, "{hash}");
        }
        assert_eq!(cache.insert(1, 7), Some(0));
        assert_eq!(cache.insert(5, 8), Some(7));
        assert_eq!((cache.get(1), cache.get(5)), (None, Some(&8)));
        *cache.get_mut(5).unwrap() += 1;
        assert_eq!(cache.values_mut().map(|value| *value).max(), Some(9));
    }
}
