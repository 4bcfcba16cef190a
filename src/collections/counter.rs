//! Counts how often each place, a domain or a client, occurs in one row. It sorts and merges batches.

use serde::{Deserialize, Serialize, Serializer};

use super::interner::Symbol;
use super::sort_batch::is_due;
use super::wire::{ByteText, PackedBytes, PackedOrArray, push_number};

/// The count of each place. Counts can be merged in any order.
#[derive(Clone, Default, Deserialize, Debug)]
#[serde(try_from = "PackedOrArray<(Symbol, u64)>")]
pub struct SymbolCounts {
    /// Places that are not in `counts` yet.
    waiting: Vec<Symbol>,
    /// Counts of others that are not in `counts` yet.
    merged: Vec<(Symbol, u64)>,
    /// Each place once, sorted by number.
    counts: Vec<(Symbol, u64)>,
}

/// Writes each place as its distance from the one before it, and its count.
impl Serialize for SymbolCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sorted;
        let counts = if self.waiting.is_empty() && self.merged.is_empty() {
            &self.counts
        } else {
            sorted = self.clone().finish();
            &sorted
        };
        let (mut packed, mut before) = (Vec::with_capacity(counts.len() * 3), 0);
        for (place, count) in counts {
            push_number(&mut packed, (place.index() - before) as u64);
            push_number(&mut packed, *count);
            before = place.index();
        }
        serializer.serialize_bytes(&packed)
    }
}

impl TryFrom<PackedOrArray<(Symbol, u64)>> for SymbolCounts {
    type Error = &'static str;

    fn try_from(kept: PackedOrArray<(Symbol, u64)>) -> Result<Self, &'static str> {
        let counts = match kept {
            PackedOrArray::Packed(packed) => unpack(&packed).ok_or("the counts of places are damaged")?,
            PackedOrArray::Array(counts) => counts,
        };
        let mut counts = Self { counts, ..Self::default() };
        counts.join();
        Ok(counts)
    }
}

fn unpack(packed: &ByteText) -> Option<Vec<(Symbol, u64)>> {
    let (mut rest, mut place, mut counts) = (PackedBytes(&packed.0), 0_u32, Vec::new());
    while !rest.is_empty() {
        place = place.checked_add(rest.number_as()?)?;
        counts.push((Symbol::at(place as usize), rest.number()?));
    }
    Some(counts)
}

impl SymbolCounts {
    pub fn count(&mut self, place: Symbol) {
        self.waiting.push(place);
        if is_due(self.waiting.len(), self.counts.len()) {
            self.sort_in();
        }
    }

    pub fn add(&mut self, place: Symbol, number: u64) {
        match self.counts.binary_search_by_key(&place, |(known, _)| *known) {
            Ok(at) => self.counts.get_mut(at).into_iter().for_each(|(_, count)| *count += number),
            Err(at) => self.counts.insert(at, (place, number)),
        }
    }

    /// Sorts what waits into the counts.
    pub(crate) fn sort_in(&mut self) {
        if self.waiting.is_empty() && self.merged.is_empty() {
            return;
        }
        self.waiting.sort_unstable();
        let runs = self.waiting.chunk_by(|a, b| a == b);
        self.counts.extend(runs.filter_map(|run| Some((*run.first()?, run.len() as u64))));
        self.waiting.clear();
        self.counts.append(&mut self.merged);
        self.join();
    }

    /// `renamed` maps the other's names to ours.
    pub fn merge(&mut self, other: Self, renamed: impl Fn(Symbol) -> Symbol) {
        let Self { waiting, merged, counts } = other;
        self.waiting.extend(waiting.into_iter().map(&renamed));
        let theirs = counts.into_iter().chain(merged);
        self.merged.extend(theirs.map(|(place, count)| (renamed(place), count)));
        // Of a thousand small counts, not each is worth sorting into the list.
        if is_due(self.waiting.len() + self.merged.len(), self.counts.len()) {
            self.sort_in();
        }
    }

    /// How often one place occurs.
    pub(crate) fn count_of(&self, place: Symbol) -> u64 {
        let at = self.counts.binary_search_by_key(&place, |(known, _)| *known);
        let counted = at.ok().and_then(|at| self.counts.get(at)).map_or(0, |(_, count)| *count);
        let merged = self.merged.iter().filter(|(merged, _)| *merged == place);
        let waiting = self.waiting.iter().filter(|waiting| **waiting == place).count();
        counted + merged.map(|(_, count)| count).sum::<u64>() + waiting as u64
    }

    /// The counts of the first places, by their numbers.
    pub(crate) fn first(&self, most: usize) -> Self {
        let mut first = self.clone();
        first.sort_in();
        first.counts.truncate(most);
        first
    }

    /// The place with the highest number, of counts that were read.
    pub(crate) fn last(&self) -> Option<Symbol> {
        self.counts.last().map(|(place, _)| *place)
    }

    /// Each place once, sorted by number.
    pub fn finish(mut self) -> Vec<(Symbol, u64)> {
        self.sort_in();
        self.counts
    }

    fn join(&mut self) {
        // The stable sort detects the two sorted parts and only merges them.
        self.counts.sort_by_key(|(place, _)| *place);
        self.counts.dedup_by(|next, last| {
            let is_same = next.0 == last.0;
            last.1 += if is_same { next.1 } else { 0 };
            is_same
        });
    }
}

#[cfg(test)]
mod tests {
    use foldhash::fast::RandomState;

    use super::*;
    use crate::collections::interner::Interner;

    #[test]
    fn counts_the_same_in_any_order_and_any_split() {
        let mut names = Interner::new(RandomState::default());
        let places: Vec<Symbol> = (0..100_u32).map(|number| names.intern(&number.to_le_bytes())).collect();
        let nth = |number: usize| places[number * number % places.len()];
        let mut whole = SymbolCounts::default();
        (0..1000).for_each(|number| whole.count(nth(number)));
        let whole = whole.finish();
        assert_eq!(whole.iter().map(|(_, count)| count).sum::<u64>(), 1000);
        for cut in [0, 1, 63, 64, 500, 999] {
            let (mut first, mut second) = (SymbolCounts::default(), SymbolCounts::default());
            (cut..1000).rev().for_each(|number| first.count(nth(number)));
            (0..cut).for_each(|number| second.count(nth(number)));
            first.merge(second, |id| id);
            assert_eq!(first.clone().finish(), whole, "cut at {cut}");
            assert_eq!(first.first(7).finish(), whole[..7], "cut at {cut}");
            first.add(nth(3), 1);
            assert_eq!(first.finish().len(), whole.len());
        }
    }
}
