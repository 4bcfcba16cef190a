//! Caches values by 64-bit hash in a direct-mapped cache: each hash has one slot, and a newer one overwrites an older.

/// A direct-mapped cache. The hash identifies the key: keys with equal hashes count as equal. `SLOTS` is a power of two;
/// the low bits of a hash are its slot.
#[derive(Clone, Debug)]
pub(crate) struct DirectMappedCache<V, const SLOTS: usize> {
    slots: Box<[(u64, V)]>,
}

impl<V: Copy, const SLOTS: usize> DirectMappedCache<V, SLOTS> {
    /// Empty slots hold `fill`, which lookups never return: the hash of an empty slot belongs to another slot, so a lookup
    /// needs no second test.
    pub(crate) fn new(fill: V) -> Self {
        const { assert!(SLOTS.is_power_of_two() && SLOTS > 1) };
        Self { slots: (0..SLOTS).map(|slot| (!slot as u64, fill)).collect() }
    }

    /// The value of this hash. `None`: it is not cached.
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

    /// Inserts a value, and returns the previous value of the slot, or `fill`. Never `None`.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u64, value: V) -> Option<V> {
        let slot = self.slots.get_mut(hash as usize % SLOTS)?;
        Some(std::mem::replace(slot, (hash, value)).1)
    }

    /// The values of all slots, including `fill` in empty ones.
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
