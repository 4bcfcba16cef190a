//! The forms in which parts keep names, hashes and histograms.

use std::fmt;
use std::marker::PhantomData;

use hdrhistogram::Histogram;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that need not be UTF-8, as a byte string.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(crate) struct ByteText(pub Vec<u8>);

impl From<&[u8]> for ByteText {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Serialize for ByteText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for ByteText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(ByteTextVisitor)
    }
}

struct ByteTextVisitor;

impl<'de> Visitor<'de> for ByteTextVisitor {
    type Value = ByteText;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a byte string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<ByteText, E> {
        Ok(bytes.into())
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<ByteText, E> {
        Ok(ByteText(bytes))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<ByteText, A::Error> {
        let mut text = Vec::new();
        while let Some(byte) = bytes.next_element()? {
            text.push(byte);
        }
        Ok(ByteText(text))
    }
}

/// A value that is a map now, and that parts of early versions keep as an array. The map is what is written.
#[derive(Clone, Copy, PartialEq, Serialize, Debug)]
#[serde(untagged)]
pub(crate) enum MapOrArray<M, A> {
    Map(M),
    Array(A),
}

impl<'de, M: Deserialize<'de>, A: Deserialize<'de>> Deserialize<'de> for MapOrArray<M, A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MapOrArrayVisitor(PhantomData))
    }
}

struct MapOrArrayVisitor<M, A>(PhantomData<(M, A)>);

impl<'de, M: Deserialize<'de>, A: Deserialize<'de>> Visitor<'de> for MapOrArrayVisitor<M, A> {
    type Value = MapOrArray<M, A>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a map or an array")
    }

    fn visit_map<D: MapAccess<'de>>(self, map: D) -> Result<Self::Value, D::Error> {
        M::deserialize(MapAccessDeserializer::new(map)).map(MapOrArray::Map)
    }

    fn visit_seq<D: SeqAccess<'de>>(self, array: D) -> Result<Self::Value, D::Error> {
        A::deserialize(SeqAccessDeserializer::new(array)).map(MapOrArray::Array)
    }
}

/// Rows that are packed into a byte string, and that early versions of a part keep as an array.
#[derive(PartialEq, Serialize, Debug)]
#[serde(untagged)]
pub(crate) enum PackedOrArray<A> {
    Packed(ByteText),
    Array(Vec<A>),
}

impl<A> Default for PackedOrArray<A> {
    fn default() -> Self {
        Self::Array(Vec::new())
    }
}

impl<'de, A: Deserialize<'de>> Deserialize<'de> for PackedOrArray<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PackedOrArrayVisitor(PhantomData))
    }
}

struct PackedOrArrayVisitor<A>(PhantomData<A>);

impl<'de, A: Deserialize<'de>> Visitor<'de> for PackedOrArrayVisitor<A> {
    type Value = PackedOrArray<A>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a byte string or an array")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(PackedOrArray::Packed(bytes.into()))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Self::Value, E> {
        Ok(PackedOrArray::Packed(ByteText(bytes)))
    }

    fn visit_seq<D: SeqAccess<'de>>(self, array: D) -> Result<Self::Value, D::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(array)).map(PackedOrArray::Array)
    }
}

/// Sorted hashes, each as its distance from the one before it, seven bits in a byte, the lowest first; the highest bit of a
/// byte says that another one follows (LEB128). A hash among a million takes six or seven bytes instead of eight.
pub(crate) fn pack_hashes(mut hashes: Vec<u64>) -> ByteText {
    hashes.sort_unstable();
    hashes.dedup();
    let mut packer = HashPacker::with_room_for(hashes.len());
    for hash in hashes {
        packer.push(hash);
    }
    packer.finish()
}

/// Packs hashes that come in rising order.
pub(crate) struct HashPacker {
    packed: Vec<u8>,
    last: u64,
}

impl HashPacker {
    pub(crate) fn with_room_for(hashes: usize) -> Self {
        Self { packed: Vec::with_capacity(hashes * 7), last: 0 }
    }

    /// Adds a hash that is greater than all before.
    pub(crate) fn push(&mut self, hash: u64) {
        push_number(&mut self.packed, hash.wrapping_sub(self.last));
        self.last = hash;
    }

    pub(crate) fn finish(mut self) -> ByteText {
        self.packed.shrink_to_fit();
        ByteText(self.packed)
    }
}

/// Appends a number, seven bits in a byte.
pub(crate) fn push_number(bytes: &mut Vec<u8>, number: u64) {
    let mut left = number;
    while left >= 0x80 {
        bytes.push(left as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
}

/// Appends a number that may be negative: small ones become short.
pub(crate) fn push_signed(bytes: &mut Vec<u8>, number: i64) {
    push_number(bytes, (number << 1 ^ number >> 63).cast_unsigned());
}

/// Appends counts, most of which are 0: a number whose bits tell which of them are not, the first one the lowest, and these.
pub(crate) fn push_counts(bytes: &mut Vec<u8>, counts: &[u64]) {
    push_number(bytes, counts.iter().rev().fold(0, |bits, count| bits << 1 | u64::from(*count != 0)));
    counts.iter().filter(|count| **count != 0).for_each(|count| push_number(bytes, *count));
}

/// Packed bytes that are left to read. `None`, from each method: they end too early, or are damaged.
pub(crate) struct PackedBytes<'a>(pub &'a [u8]);

impl<'a> PackedBytes<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    /// Eight bytes, the lowest first.
    pub(crate) fn hash(&mut self) -> Option<u64> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*bytes))
    }

    /// A number of [`push_number`].
    #[inline]
    pub(crate) fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    }

    pub(crate) fn number_as<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.number()?).ok()
    }

    /// The counts of [`push_counts`].
    pub(crate) fn counts<const N: usize>(&mut self) -> Option<[u64; N]> {
        let (mut bits, mut counts) = (self.number()?, [0; N]);
        for count in &mut counts {
            if bits & 1 == 1 {
                *count = self.number()?;
            }
            bits >>= 1;
        }
        (bits == 0).then_some(counts)
    }

    /// A number of [`push_signed`].
    pub(crate) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}

/// Calls `then` with each hash, in rising order. `None`: they are damaged.
pub(crate) fn each_hash(packed: &ByteText, mut then: impl FnMut(u64)) -> Option<()> {
    let (mut last, mut distance, mut shift) = (0_u64, 0_u64, 0);
    for &byte in &packed.0 {
        let bits = u64::from(byte & 0x7f);
        if shift > 63 || bits << shift >> shift != bits {
            return None;
        }
        distance |= bits << shift;
        shift += 7;
        if byte < 0x80 {
            last = last.checked_add(distance)?;
            then(last);
            (distance, shift) = (0, 0);
        }
    }
    (shift == 0).then_some(())
}

/// The hashes in rising order. `None`: they are damaged.
pub(crate) fn unpack_hashes(packed: &ByteText) -> Option<Vec<u64>> {
    let mut hashes = Vec::with_capacity(packed.0.len() / 7);
    each_hash(packed, |hash| hashes.push(hash))?;
    Some(hashes)
}

/// Each value of a histogram that was recorded, as its distance from the one before it, with its count.
pub(crate) type RecordedValues = PackedOrArray<(u64, u64)>;

pub(crate) fn recorded(histogram: &Histogram<u32>) -> RecordedValues {
    let (mut packed, mut before) = (Vec::new(), 0);
    for value in histogram.iter_recorded() {
        push_number(&mut packed, value.value_iterated_to() - before);
        push_number(&mut packed, value.count_at_value().into());
        before = value.value_iterated_to();
    }
    PackedOrArray::Packed(ByteText(packed))
}

/// Records values in an empty histogram that grows. `None`: a value is greater than `longest`, or a count does not fit.
pub(crate) fn record_all(
    histogram: &mut Histogram<u32>,
    values: &RecordedValues,
    longest: u64,
) -> Option<()> {
    let mut record = |value: u64, count: u64| {
        // The upper end of a bucket may lie a hundredth above.
        let fits = value <= longest + longest / 50;
        let count = u32::try_from(count).ok().filter(|_| fits)?;
        histogram.record_n(value, count).ok()
    };
    match values {
        PackedOrArray::Array(values) => values.iter().try_for_each(|(value, count)| record(*value, *count)),
        PackedOrArray::Packed(packed) => {
            let (mut rest, mut value) = (PackedBytes(&packed.0), 0_u64);
            while !rest.is_empty() {
                value = value.checked_add(rest.number()?)?;
                record(value, rest.number()?)?;
            }
            Some(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_come_back_and_damage_is_seen() {
        let hashes = vec![u64::MAX, 0, 127, 128, 1 << 63, 77, 77];
        let packed = pack_hashes(hashes);
        assert_eq!(unpack_hashes(&packed), Some(vec![0, 77, 127, 128, 1 << 63, u64::MAX]));
        for damaged in [vec![0x80], vec![0xff; 10], [packed.0, vec![5]].concat()] {
            assert_eq!(unpack_hashes(&ByteText(damaged)), None);
        }
    }

    #[test]
    fn a_histogram_comes_back_with_the_same_quantiles() {
        let new = || {
            let mut histogram = Histogram::<u32>::new(2).unwrap();
            histogram.auto(true);
            histogram
        };
        let (mut one, mut other) = (new(), new());
        (0..5000_u64).for_each(|number| one.record(number * number % 1_000_003).unwrap());
        record_all(&mut other, &recorded(&one), 1_000_003).unwrap();
        for share in [0.0, 0.5, 0.95, 1.0] {
            assert_eq!(one.value_at_quantile(share), other.value_at_quantile(share));
        }
        assert_eq!(one.len(), other.len());
        assert!(record_all(&mut new(), &PackedOrArray::Array(vec![(u64::MAX, 1)]), 1000).is_none());
    }
}
