//! Counts distinct things by their hashes: exactly while they are few, with HyperLogLog++ when they are many.

use std::hash::{BuildHasher, Hasher};

use ciborium::Value;
use hyperloglogplus::{HyperLogLog, HyperLogLogPlus};
use serde::{Deserialize, Serialize, Serializer};

use super::sort_batch::is_due;
use super::stable_hash::StableHash;
use super::wire::{ByteText, HashPacker, unpack_hashes};

/// Largest number that is counted exactly. A row of a report has at most as many hashes, about 2 MiB.
const LIMIT: usize = 100_000;

/// 2^14 registers, 12 KiB; the standard error is 1.04 / √2^14 = 0.8 % (Heule and others, "HyperLogLog in
/// Practice", 2013).
const PRECISION: u8 = 14;

/// Begins the hash that identifies a thing. It is the same in every run, so that counters of several runs can be merged. Each
/// bit of it must be as good as random: with the fast variant of foldhash, 100,000 hashes are estimated as 139,000.
pub(crate) const fn hash() -> StableHash {
    StableHash::new(0x736d_7470)
}

/// Number of distinct things.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DistinctTotal {
    /// An estimate is off by less than 2 % in 95 of 100 cases.
    pub count: u64,
    pub is_exact: bool,
}

/// A counter of distinct hashes. Counters can be merged in any order.
#[derive(Clone, Deserialize, Debug)]
#[serde(try_from = "PackedCounter")]
pub struct DistinctCounter {
    /// Hashes that are in neither `few` nor `many` yet.
    waiting: Vec<u64>,
    /// Sorted, each hash once. Empty once `many` is used.
    few: Vec<u64>,
    /// None: at most `limit` distinct hashes so far.
    many: Option<Box<HyperLogLogPlus<u64, Bare>>>,
    limit: usize,
}

impl Default for DistinctCounter {
    fn default() -> Self {
        Self { waiting: Vec::new(), few: Vec::new(), many: None, limit: LIMIT }
    }
}

impl DistinctCounter {
    /// `hash` began with [`hash`].
    pub fn insert(&mut self, hash: u64) {
        self.waiting.push(hash);
        // Half of what other batches have: many rows have as many hashes that wait as sorted ones.
        if is_due(self.waiting.len() * 2, self.few.len()) {
            self.sort_in();
        }
    }

    /// Sorts what waits into the hashes.
    pub(crate) fn sort_in(&mut self) {
        if self.many.is_none() {
            // A list that doubled would take twice its memory, and there may be many.
            self.few.reserve_exact(self.waiting.len());
            self.few.append(&mut self.waiting);
            // The stable sort detects the sorted part and only merges it.
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
        // Merge the smaller counter into the larger one.
        if self.many.is_none() && (other.many.is_some() || self.few.len() < other.few.len()) {
            std::mem::swap(self, &mut other);
        }
        if let (Some(mine), Some(theirs)) = (&mut self.many, &other.many) {
            mine.merge(theirs).expect("both have the same precision");
        }
        // Of a thousand small counters, not each is worth sorting into the list.
        self.waiting.append(&mut other.few);
        self.waiting.append(&mut other.waiting);
        if is_due(self.waiting.len(), self.few.len()) {
            self.sort_in();
        }
    }

    pub fn finish(mut self) -> DistinctTotal {
        self.sort_in();
        match self.many {
            Some(mut many) => DistinctTotal { count: many.count().round() as u64, is_exact: false },
            None => DistinctTotal { count: self.few.len() as u64, is_exact: true },
        }
    }

    fn estimate(&mut self) {
        let mut many = HyperLogLogPlus::new(PRECISION, Bare::default()).expect("4 to 18 are allowed");
        for hash in std::mem::take(&mut self.few) {
            many.insert(&hash);
        }
        self.many = Some(Box::new(many));
    }
}

/// A counter as a part keeps it.
#[derive(Serialize, Deserialize)]
struct PackedCounter {
    /// The hashes, while they are few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    few: Option<ByteText>,
    /// The registers, once they are many: 3,277 numbers of 32 bits, the lowest byte first. Each holds five registers of six
    /// bits, the first in the lowest bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registers: Option<ByteText>,
}

/// Number of registers.
const REGISTERS: usize = 1 << PRECISION;

/// Registers in a number of 32 bits.
const REGISTERS_IN_WORD: usize = 5;

impl Serialize for DistinctCounter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.waiting.is_empty() {
            let mut sorted = self.clone();
            sorted.sort_in();
            return sorted.serialize(serializer);
        }
        let packed = match &self.many {
            None => {
                let mut packer = HashPacker::with_room_for(self.few.len());
                self.few.iter().for_each(|hash| packer.push(*hash));
                PackedCounter { few: Some(packer.finish()), registers: None }
            }
            Some(many) => PackedCounter { few: None, registers: Some(ByteText(register_bytes(many))) },
        };
        packed.serialize(serializer)
    }
}

impl TryFrom<PackedCounter> for DistinctCounter {
    type Error = &'static str;

    fn try_from(packed: PackedCounter) -> Result<Self, &'static str> {
        let few = packed.few.as_ref().map_or(Some(Vec::new()), unpack_hashes);
        let few = few.filter(|few| few.len() <= LIMIT).ok_or("the hashes are damaged")?;
        let many = packed.registers.map(|bytes| estimator(&bytes.0).ok_or("the registers are damaged"));
        Ok(Self { few, many: many.transpose()?.map(Box::new), ..Self::default() })
    }
}

/// The registers of an estimator. It has more than [`LIMIT`] hashes, so it is not sparse any more.
fn register_bytes(many: &HyperLogLogPlus<u64, Bare>) -> Vec<u8> {
    let whole = Value::serialized(many).ok();
    let field = |value: &Value, name: &str| {
        let fields = value.as_map()?;
        let found = fields.iter().find(|(key, _)| key.as_text() == Some(name))?;
        Some(found.1.clone())
    };
    let words = whole.and_then(|whole| field(&field(&whole, "registers")?, "buf"));
    let words = words.and_then(|words| words.into_array().ok()).unwrap_or_default();
    let word = |word: &Value| word.as_integer().and_then(|word| u32::try_from(word).ok()).unwrap_or(0);
    words.iter().flat_map(|value| word(value).to_le_bytes()).collect()
}

/// An estimator with these registers. `None`: there are more or fewer than there must be.
fn estimator(bytes: &[u8]) -> Option<HyperLogLogPlus<u64, Bare>> {
    let (words, rest) = bytes.as_chunks::<4>();
    if words.len() != REGISTERS.div_ceil(REGISTERS_IN_WORD) || !rest.is_empty() {
        return None;
    }
    let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let all = words.iter().flat_map(|word| (0..REGISTERS_IN_WORD).map(move |at| word >> (at * 6) & 63));
    let zeros = all.take(REGISTERS).filter(|register| *register == 0).count();
    let registers = Value::Map(vec![
        ("buf".into(), Value::Array(words.into_iter().map(Value::from).collect())),
        ("count".into(), Value::from(REGISTERS as u64)),
        ("zeros".into(), Value::from(zeros as u64)),
    ]);
    // The crate gives its registers away and takes them back only through serde.
    let empty: HyperLogLogPlus<u64, Bare> = HyperLogLogPlus::new(PRECISION, Bare::default()).ok()?;
    let mut whole = Value::serialized(&empty).ok()?;
    let field = whole.as_map_mut()?.iter_mut().find(|(key, _)| key.as_text() == Some("registers"))?;
    field.1 = registers;
    whole.deserialized().ok()
}

/// A hasher for values that are hashes already.
#[derive(Clone, Copy, Default, Serialize, Deserialize, Debug)]
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

    fn of(numbers: impl Iterator<Item = u64>, limit: usize) -> DistinctCounter {
        let mut distinct = DistinctCounter { limit, ..DistinctCounter::default() };
        numbers.for_each(|number| distinct.insert(hash().text(&number.to_le_bytes()).finish()));
        distinct
    }

    #[test]
    fn few_are_counted_exactly() {
        let mut distinct = of((0..1000).chain(500..1000), 1000);
        assert_eq!(distinct.clone().finish(), DistinctTotal { count: 1000, is_exact: true });
        distinct.merge(of(900..1001, 1000));
        assert!(!distinct.finish().is_exact);
    }

    #[test]
    fn many_are_estimated_to_two_in_a_hundred() {
        for size in [100_001, 250_000, 2_000_000] {
            let DistinctTotal { count, is_exact } = of(0..size, LIMIT).finish();
            assert!(!is_exact);
            assert!(count.abs_diff(size) * 50 < size, "{count} for {size}");
        }
    }

    #[test]
    fn a_counter_that_was_written_counts_on() {
        for size in [0, 7, 100_000, 100_001, 150_000] {
            let whole = of(0..size, LIMIT);
            let mut bytes = Vec::new();
            ciborium::into_writer(&whole, &mut bytes).unwrap();
            let mut read: DistinctCounter = ciborium::from_reader(&*bytes).unwrap();
            assert_eq!(read.clone().finish(), whole.clone().finish());
            read.merge(of(size / 2..160_000, LIMIT));
            assert_eq!(read.finish(), of(0..160_000, LIMIT).finish(), "{size}");
        }
    }

    #[test]
    fn any_split_and_any_order_give_the_same_estimate() {
        let whole = of(0..150_000, LIMIT).finish();
        for cut in [1, 20_000, 75_000, 149_000] {
            for swap in [false, true] {
                let mut parts = [of((0..cut).rev(), LIMIT), of(cut / 2..150_000, LIMIT)];
                if swap {
                    parts.reverse();
                }
                let [mut first, second] = parts;
                first.merge(second);
                assert_eq!(first.finish(), whole, "cut at {cut}");
            }
        }
    }
}
