//! The hash by which events are sampled: the same in every run, on every machine and in every later version.
//!
//! It only has to spread events evenly, so it is a fraction of the work of XXH3 for texts as short as these: words of eight bytes
//! are folded by multiplication (the mixing step of wyhash).

/// The seed of hashes that do not go on with another one.
pub(crate) const HASH_SEED: u64 = 0x736d_7470_6c6f_6731;

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes a text, going on with the hash of what stands before it.
#[inline]
pub(crate) fn sampling_hash(before: u64, text: &[u8]) -> u64 {
    let mut hash = fold(before ^ FACTOR, (text.len() as u64) ^ HASH_SEED);
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        hash = fold(hash ^ u64::from_le_bytes(*word), FACTOR);
    }
    fold(hash ^ last_word(text, rest), HASH_SEED | 1)
}

/// The bytes behind the last whole word as a number, the first one the lowest.
#[inline]
fn last_word(text: &[u8], rest: &[u8]) -> u64 {
    let shift = 64 - 8 * rest.len();
    match text.last_chunk::<8>() {
        Some(_) if rest.is_empty() => 0,
        // The last eight bytes of the text, without those that were in a word before.
        Some(last) => u64::from_le_bytes(*last) >> shift,
        None => rest.iter().rev().fold(0, |last, &byte| last << 8 | u64::from(byte)),
    }
}

/// The two halves of the product, combined by exclusive or.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a | 1) * u128::from(b);
    product as u64 ^ (product >> 64) as u64 ^ a.rotate_left(23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_never_change() {
        // Parts keep events by them.
        let known =
            [&b""[..], b"4jXCsJ3c7Hz7j9M", b"a@example.org"].map(|text| sampling_hash(HASH_SEED, text));
        assert_eq!(known, [9_009_563_012_353_442_091, 2_426_888_199_105_402_710, 1_424_679_298_916_291_681]);
    }

    #[test]
    fn every_byte_makes_a_difference_and_hashes_are_spread_evenly() {
        let text: Vec<u8> = (b'0'..=b'z').collect();
        for length in 0..text.len() {
            let hash = sampling_hash(7, &text[..length]);
            for at in 0..length {
                let mut other = text.clone();
                other[at] ^= 1;
                assert_ne!(sampling_hash(7, &other[..length]), hash, "byte {at} of {length}");
            }
        }
        let mut counts = [0_u32; 64];
        for number in 0..64_000_u32 {
            let hash = sampling_hash(HASH_SEED, format!("{number}@example.org").as_bytes());
            counts[(hash >> 58) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }
}
