//! Different things, counted once: hashes come in, how many there are goes out; exact while they are few.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;
use hyperloglogplus::{HyperLogLog, HyperLogLogPlus};

/// More than so many are estimated; a row of a report has so many at most, some 2 MiB.
const LIMIT: usize = 100_000;

/// 2^14 registers, 12 KiB; the standard error is 1.04 / √2^14 = 0.8 in a hundred (Heule and others, "HyperLogLog in
/// Practice", 2013).
const PRECISION: u8 = 14;

/// The hash that things are told apart by. It is the same in every run, so that an estimate is, too; and of the better
/// kind: by the bits of the fast one, 100,000 look like 139,000.
pub fn hash(thing: impl std::hash::Hash) -> u64 {
    FixedState::with_seed(0x736d_7470).hash_one(thing)
}

/// Fewer are not worth to be put in order.
const BATCH: usize = 64;

/// More take more room than time.
const MOST: usize = 1 << 14;

/// Adding up is in any order.
#[derive(Clone, Debug)]
pub struct Distinct {
    /// What is not among the few yet. As many are put there at a time as are there already, up to a limit: to sort them
    /// takes less than to fetch a place in a hash table for each.
    waiting: Vec<u64>,
    /// In order, each once.
    few: Vec<u64>,
    /// None: there are few.
    many: Option<Box<HyperLogLogPlus<u64, Bare>>>,
    limit: usize,
}

impl Default for Distinct {
    fn default() -> Self {
        Self { waiting: Vec::new(), few: Vec::new(), many: None, limit: LIMIT }
    }
}

impl Distinct {
    /// `hash` is what [`hash`] gave.
    pub fn insert(&mut self, hash: u64) {
        self.waiting.push(hash);
        if self.waiting.len() >= self.few.len().clamp(BATCH, MOST) {
            self.settle();
        }
    }

    /// Puts among the few what waits. What is asked before is answered right too, for the price of a copy.
    pub fn settle(&mut self) {
        if self.many.is_none() {
            self.few.append(&mut self.waiting);
            // The stable sort finds the part that is in order already, and only merges it.
            self.few.sort_by(u64::cmp);
            self.few.dedup();
            if self.few.len() > self.limit {
                self.estimate();
            }
        }
        if let Some(many) = &mut self.many {
            self.waiting.drain(..).for_each(|hash| many.insert(&hash));
        }
    }

    pub fn merge(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        // The fewer into the more.
        if self.many.is_none() && (other.many.is_some() || self.few.len() < other.few.len()) {
            std::mem::swap(self, &mut other);
        }
        match (&mut self.many, &other.many) {
            (Some(mine), Some(theirs)) => mine.merge(theirs).expect("both have the same precision"),
            _ => {
                self.waiting.extend(other.few);
                self.settle();
            }
        }
    }

    pub fn is_exact(&self) -> bool {
        self.settled().many.is_none()
    }

    /// An estimate is off by less than two in a hundred, 95 times of 100.
    pub fn count(&self) -> u64 {
        let settled = self.settled();
        match &settled.many {
            // Counting changes only how it is kept.
            Some(many) => many.clone().count().round() as u64,
            None => settled.few.len() as u64,
        }
    }

    fn settled(&self) -> Cow<'_, Self> {
        if self.waiting.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut copy = self.clone();
        copy.settle();
        Cow::Owned(copy)
    }

    fn estimate(&mut self) {
        let mut many = HyperLogLogPlus::new(PRECISION, Bare::default()).expect("4 to 18 are allowed");
        for hash in std::mem::take(&mut self.few) {
            many.insert(&hash);
        }
        self.many = Some(Box::new(many));
    }
}

/// Takes a hash as it is.
#[derive(Clone, Copy, Default, Debug)]
struct Bare(u64);

impl BuildHasher for Bare {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

impl Hasher for Bare {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |sum, byte| sum << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: impl Iterator<Item = u64>, limit: usize) -> Distinct {
        let mut distinct = Distinct { limit, ..Distinct::default() };
        numbers.for_each(|number| distinct.insert(hash(number)));
        distinct
    }

    #[test]
    fn few_are_counted_exactly() {
        let mut distinct = of((0..1000).chain(500..1000), 1000);
        assert!(distinct.is_exact());
        assert_eq!(distinct.count(), 1000);
        distinct.merge(of(900..1001, 1000));
        assert!(!distinct.is_exact());
    }

    #[test]
    fn many_are_estimated_to_two_in_a_hundred() {
        for size in [100_001, 250_000, 2_000_000] {
            let distinct = of(0..size, LIMIT);
            assert!(!distinct.is_exact());
            assert!(distinct.count().abs_diff(size) * 50 < size, "{} for {size}", distinct.count());
        }
    }

    #[test]
    fn any_split_and_any_order_give_the_same_estimate() {
        let whole = of(0..150_000, LIMIT).count();
        for cut in [1, 20_000, 75_000, 149_000] {
            for swap in [false, true] {
                let mut parts = [of((0..cut).rev(), LIMIT), of(cut / 2..150_000, LIMIT)];
                if swap {
                    parts.reverse();
                }
                let [mut first, second] = parts;
                first.merge(second);
                assert_eq!(first.count(), whole, "cut at {cut}");
            }
        }
    }
}
