//! Interns the names met in a log: each is kept once, and has a small number.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// The number of a name in its table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Symbol(u32);

impl Symbol {
    /// Stands for all names met after the table was full.
    pub const OVERFLOW: Self = Self(0);

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Number of names that are kept. Strangers choose the names, so there has to be a limit.
const LIMIT: usize = 1 << 18;

/// A longer name is no domain (RFC 1035 §2.3.4), and is cut.
const LENGTH_LIMIT: usize = 255;

/// Names in small letters, one behind the other.
pub struct Interner {
    text: Vec<u8>,
    /// Where each name ends in `text`.
    ends: Vec<u32>,
    /// With its hash, which identifies the name: to compare the text too would fetch it from far memory.
    table: HashTable<(u64, Symbol)>,
    hasher: RandomState,
}

impl Interner {
    pub fn new(hasher: RandomState) -> Self {
        Self { text: Vec::new(), ends: vec![0], table: HashTable::new(), hasher }
    }

    /// Letters' case makes no difference (RFC 4343).
    pub fn id(&mut self, name: &[u8]) -> Symbol {
        self.hashed_id(self.hash(name), name)
    }

    /// The hash that identifies the name.
    #[inline]
    pub fn hash(&self, name: &[u8]) -> u64 {
        to_lowercase(name, |name| self.hasher.hash_one(name))
    }

    /// `hash` is the name's.
    pub fn hashed_id(&mut self, hash: u64, name: &[u8]) -> Symbol {
        if let Some(&(_, id)) = self.table.find(hash, |&(known, _)| known == hash) {
            return id;
        }
        if self.ends.len() > LIMIT {
            return Symbol::OVERFLOW;
        }
        let id = Symbol(self.ends.len() as u32);
        to_lowercase(name, |name| self.text.extend_from_slice(name));
        self.ends.push(self.text.len() as u32);
        self.table.insert_unique(hash, (hash, id), |&(hash, _)| hash);
        id
    }

    /// The name with this number. None: there are not so many.
    pub fn nth(&self, index: usize) -> Option<Symbol> {
        (index < self.ends.len()).then_some(Symbol(index as u32))
    }

    /// Empty for [`NameId::OTHERS`], and for the empty name.
    pub fn name(&self, id: Symbol) -> &[u8] {
        part(&self.text, &self.ends, id.0)
    }

    /// True: some names were not kept, and are counted together.
    pub fn is_full(&self) -> bool {
        self.ends.len() > LIMIT
    }

    /// Takes in all of the other's names; our number for each of theirs, in their order.
    pub fn merge(&mut self, other: &Self) -> Vec<Symbol> {
        let others = (1..other.ends.len() as u32).map(|id| self.id(other.name(Symbol(id))));
        std::iter::once(Symbol::OVERFLOW).chain(others).collect()
    }
}

/// Calls `then` with the name in lower case, cut to the length that is kept.
pub(crate) fn to_lowercase<T>(name: &[u8], then: impl FnOnce(&[u8]) -> T) -> T {
    let name = name.get(..LENGTH_LIMIT).unwrap_or(name);
    // All bytes are looked at, without an early end, so that the compiler takes many at a time.
    if !name.iter().fold(false, |found, byte| found | byte.is_ascii_uppercase()) {
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
        let first = names.id(b"Example.ORG");
        assert_eq!(names.id(b"example.com").index(), 2);
        assert_eq!(names.id(b"example.org"), first);
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
        a.id(b"x");
        a.id(b"y");
        b.id(b"y");
        b.id(b"z");
        let renamed = a.merge(&b);
        let texts: Vec<_> = renamed.iter().map(|&id| a.name(id).to_vec()).collect();
        assert_eq!(texts, [&b""[..], b"y", b"z"]);
    }
}
