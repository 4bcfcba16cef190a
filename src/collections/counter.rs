//! Counts how often each symbol occurs, by sorting and merging batches.

use super::interner::Symbol;

/// Smallest batch, in symbols: smaller ones are not worth sorting.
const MIN_BATCH: usize = 64;

/// Largest batch, in symbols: larger ones cost more memory than they save time.
const MAX_BATCH: usize = 1 << 14;

/// Counts per symbol; merging is commutative.
#[derive(Clone, Default, Debug)]
pub struct SymbolCounts {
    /// Symbols that are not in `counts` yet. A batch grows to the length of `counts`, within the limits: sorting a batch is
    /// cheaper than a cache miss in a hash table for each symbol.
    pending: Vec<Symbol>,
    /// Each symbol once, sorted.
    counts: Vec<(Symbol, u64)>,
}

impl SymbolCounts {
    /// Counts one occurrence.
    pub fn count(&mut self, symbol: Symbol) {
        self.pending.push(symbol);
        if self.pending.len() >= self.counts.len().clamp(MIN_BATCH, MAX_BATCH) {
            self.flush();
        }
    }

    /// Adds a number of occurrences, which takes time linear in the number of symbols.
    pub fn add(&mut self, symbol: Symbol, number: u64) {
        match self.counts.binary_search_by_key(&symbol, |(known, _)| *known) {
            Ok(at) => self.counts.get_mut(at).into_iter().for_each(|(_, count)| *count += number),
            Err(at) => self.counts.insert(at, (symbol, number)),
        }
    }

    fn flush(&mut self) {
        self.pending.sort_unstable();
        let runs = self.pending.chunk_by(|a, b| a == b);
        self.counts.extend(runs.filter_map(|run| Some((*run.first()?, run.len() as u64))));
        self.pending.clear();
        self.combine_equal();
    }

    /// Adds the counts of `other`; `renamed` maps its symbols to ours.
    pub fn merge(&mut self, mut other: Self, renamed: impl Fn(Symbol) -> Symbol) {
        self.flush();
        other.flush();
        self.counts.extend(other.counts.into_iter().map(|(symbol, count)| (renamed(symbol), count)));
        self.combine_equal();
    }

    /// Each symbol once with its count, sorted by symbol.
    pub fn finish(mut self) -> Vec<(Symbol, u64)> {
        self.flush();
        self.counts
    }

    fn combine_equal(&mut self) {
        // Two sorted runs, which the stable sort detects and merges.
        self.counts.sort_by_key(|(symbol, _)| *symbol);
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
            first.add(nth(3), 1);
            assert_eq!(first.finish().len(), whole.len());
        }
    }
}
