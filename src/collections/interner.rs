//! Interns names: stores each name once and gives it a small number.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use super::text_hash::hash_text;
use crate::simd::ascii::has_uppercase;

/// The number of a name in its interner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
#[serde(transparent)]
pub struct Symbol(u32);

impl Symbol {
    /// Stands for all names that came after the interner was full.
    pub const OVERFLOW: Self = Self(0);

    /// The symbol with this index.
    pub(crate) fn at(index: usize) -> Self {
        Self(index as u32)
    }

    /// The symbol as an index from 0, [`Self::OVERFLOW`], on; [`Interner::symbol_at`] is the reverse.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Greatest number of names. Remote parties choose the names, so memory must be limited.
const NAME_LIMIT: usize = 1 << 18;

/// Longest name, in bytes, the limit for domains (RFC 1035 §2.3.4); longer names are cut.
const LENGTH_LIMIT: usize = 255;

/// Names in lower case, each stored once.
pub struct Interner {
    /// All names, concatenated.
    text: Vec<u8>,
    /// End offset of each name in `text`.
    ends: Vec<u32>,
    /// Symbols by hash. The hash identifies the name: comparing the text too would be a cache miss.
    table: HashTable<(u64, Symbol)>,
    hasher: RandomState,
}

impl Interner {
    pub fn new(hasher: RandomState) -> Self {
        Self { text: Vec::new(), ends: vec![0], table: HashTable::new(), hasher }
    }

    /// An interner of the same hashes without names.
    pub(crate) fn empty(&self) -> Self {
        Self::new(self.hasher.clone())
    }

    /// Interns a name of `other`.
    pub(crate) fn copy(&mut self, other: &Self, name: Symbol) -> Symbol {
        if name == Symbol::OVERFLOW { name } else { self.intern(other.name(name)) }
    }

    /// The symbol of a name, ignoring ASCII case (RFC 4343).
    pub fn intern(&mut self, name: &[u8]) -> Symbol {
        self.intern_hashed(self.hash(name), name)
    }

    /// The hash that identifies a name, ignoring case.
    #[inline]
    pub fn hash(&self, name: &[u8]) -> u64 {
        to_lowercase(name, |name| hash_text(&self.hasher, name))
    }

    /// The symbol of a name in lower case. `None`: it was never interned.
    pub(crate) fn find(&self, name: &[u8]) -> Option<Symbol> {
        let hash = self.hash(name);
        self.table.find(hash, |&(known, _)| known == hash).map(|&(_, id)| id)
    }

    /// The symbol of a name whose [`Self::hash`] is known.
    pub fn intern_hashed(&mut self, hash: u64, name: &[u8]) -> Symbol {
        if let Some(&(_, id)) = self.table.find(hash, |&(known, _)| known == hash) {
            return id;
        }
        if self.ends.len() > NAME_LIMIT {
            return Symbol::OVERFLOW;
        }
        let id = Symbol(self.ends.len() as u32);
        to_lowercase(name, |name| self.text.extend_from_slice(name));
        self.ends.push(self.text.len() as u32);
        self.table.insert_unique(hash, (hash, id), |&(hash, _)| hash);
        id
    }

    /// The number of symbols, [`Symbol::OVERFLOW`] included: each index is below it.
    pub(crate) fn count(&self) -> usize {
        self.ends.len()
    }

    /// The symbol with this index. `None`: there are fewer names.
    pub fn symbol_at(&self, index: usize) -> Option<Symbol> {
        (index < self.ends.len()).then_some(Symbol(index as u32))
    }

    /// The name of a symbol, in lower case. Empty for [`Symbol::OVERFLOW`], and for the empty name.
    pub fn name(&self, id: Symbol) -> &[u8] {
        part(&self.text, &self.ends, id.0)
    }

    /// All names by their index, from 1 on.
    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        (1..self.ends.len() as u32).map(|id| self.name(Symbol(id)))
    }

    /// Whether the limit is reached: further names share [`Symbol::OVERFLOW`].
    pub fn is_full(&self) -> bool {
        self.ends.len() > NAME_LIMIT
    }

    /// Interns all names of `other`. Returns our symbol for each of its symbols, in its order.
    pub fn merge(&mut self, other: &Self) -> Vec<Symbol> {
        let others = (1..other.ends.len() as u32).map(|id| self.intern(other.name(Symbol(id))));
        std::iter::once(Symbol::OVERFLOW).chain(others).collect()
    }
}

/// Calls `then` with the name in lower case, cut to the length limit, without an allocation.
pub(crate) fn to_lowercase<T>(name: &[u8], then: impl FnOnce(&[u8]) -> T) -> T {
    let name = name.get(..LENGTH_LIMIT).unwrap_or(name);
    if !has_uppercase(name) {
        return then(name);
    }
    let mut small = [0; LENGTH_LIMIT];
    let small = small.get_mut(..name.len()).unwrap_or_default();
    small.copy_from_slice(name);
    small.make_ascii_lowercase();
    then(small)
}

fn part<'a>(text: &'a [u8], ends: &[u32], id: u32) -> &'a [u8] {
    let end = |id: u32| ends.get(id as usize).map_or(0, |&end| end as usize);
    if id == 0 { b"" } else { text.get(end(id - 1)..end(id)).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_each_name_once() {
        let mut names = Interner::new(RandomState::default());
        let first = names.intern(b"Example.ORG");
        assert_eq!(names.intern(b"example.com").index(), 2);
        assert_eq!(names.intern(b"example.org"), first);
        assert_eq!(names.name(first), b"example.org");
    }

    #[test]
    fn case_makes_no_difference_and_every_other_byte_does() {
        let names = Interner::new(RandomState::default());
        for length in 0..300 {
            let name: Vec<u8> = (b'0'..=b'z').cycle().take(length).collect();
            assert_eq!(names.hash(&name), names.hash(&name.to_ascii_uppercase()), "of {length} bytes");
            for at in 0..length.min(LENGTH_LIMIT) {
                let mut other = name.clone();
                other[at] ^= 0x80;
                assert_ne!(names.hash(&name), names.hash(&other), "of {length} bytes, the one at {at}");
            }
            let longer = [&name[..], b"0"].concat();
            assert_eq!(names.hash(&name) == names.hash(&longer), length >= LENGTH_LIMIT, "of {length} bytes");
        }
    }

    #[test]
    fn gives_the_same_names_after_a_merge() {
        let hasher = RandomState::default();
        let (mut a, mut b) = (Interner::new(hasher.clone()), Interner::new(hasher));
        a.intern(b"x");
        a.intern(b"y");
        b.intern(b"y");
        b.intern(b"z");
        let renamed = a.merge(&b);
        let texts: Vec<_> = renamed.iter().map(|&id| a.name(id).to_vec()).collect();
        assert_eq!(texts, [&b""[..], b"y", b"z"]);
    }
}
