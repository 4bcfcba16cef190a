//! A set of message keys in many small tables, so that it never takes twice its memory when one of them grows.

use hashbrown::HashSet;

use super::key::PrehashedState;
use crate::collections::wire::{ByteText, HashPacker};

/// Bits of a key that choose its table: 64 tables.
const TABLE_BITS: u32 = 6;

/// Keys by their highest bits. The tables in their order hold rising keys, which are packed without a copy of all.
#[derive(Default)]
pub(super) struct KeySet {
    /// Empty until the first key is inserted.
    tables: Vec<HashSet<u64, PrehashedState>>,
    length: usize,
}

fn number(key: u64) -> usize {
    (key >> (u64::BITS - TABLE_BITS)) as usize
}

impl KeySet {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn contains(&self, key: u64) -> bool {
        self.tables.get(number(key)).is_some_and(|table| table.contains(&key))
    }

    pub(super) fn insert(&mut self, key: u64) {
        if self.tables.is_empty() {
            self.tables.resize_with(1 << TABLE_BITS, HashSet::default);
        }
        let table = self.tables.get_mut(number(key));
        self.length += usize::from(table.is_some_and(|table| table.insert(key)));
    }

    /// Whether the key was there.
    pub(super) fn remove(&mut self, key: u64) -> bool {
        let table = self.tables.get_mut(number(key));
        let was_there = table.is_some_and(|table| table.remove(&key));
        self.length -= usize::from(was_there);
        was_there
    }

    /// All keys, packed. Each table is freed before the next one is sorted.
    pub(super) fn into_packed(self) -> ByteText {
        let mut packer = HashPacker::with_room_for(self.length);
        for table in self.tables {
            let mut keys: Vec<u64> = table.into_iter().collect();
            keys.sort_unstable();
            for key in keys {
                packer.push(key);
            }
        }
        packer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collections::wire::pack_hashes;

    #[test]
    fn keys_are_there_until_they_are_removed_and_come_out_sorted() {
        let keys: Vec<u64> = (0..5000_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let mut set = KeySet::default();
        assert!(!set.contains(0) && !set.remove(7));
        for key in keys.iter().chain(&keys) {
            set.insert(*key);
        }
        assert_eq!(set.len(), 5000);
        let (gone, stay) = keys.split_at(2000);
        assert!(gone.iter().all(|key| set.remove(*key)) && !set.remove(gone[0]));
        assert!(stay.iter().all(|key| set.contains(*key)) && !gone.iter().any(|key| set.contains(*key)));
        assert_eq!(set.len(), 3000);
        assert_eq!(set.into_packed(), pack_hashes(stay.to_vec()));
        assert_eq!(KeySet::default().into_packed(), pack_hashes(Vec::new()));
    }
}
