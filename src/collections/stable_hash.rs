//! Hashes that are the same in every run, on every machine and in every later version: XXH3 with 64 bits and a seed.
//!
//! What a part keeps by its hash is hashed here. A report of one run uses a keyed hash with a seed of its own instead, where a
//! sender of mail could choose names that collide.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The seed of parts; it stands in their head.
pub(crate) const PART_SEED: u64 = 0x736d_7470_6c6f_6731;

/// A hash of several texts, one after another. Where one text ends and the next begins makes a difference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StableHash(u64);

impl StableHash {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Each text is hashed with the hash of those before it as its seed.
    #[inline]
    #[must_use]
    pub(crate) fn text(self, text: &[u8]) -> Self {
        Self(xxh3_64_with_seed(text, self.0))
    }

    /// A missing text is another one than an empty text.
    #[inline]
    #[must_use]
    pub(crate) fn maybe(self, text: Option<&[u8]>) -> Self {
        text.map_or(Self(self.0.rotate_left(31) ^ 0x9e37_79b9_7f4a_7c15), |text| self.text(text))
    }

    #[inline]
    pub(crate) const fn finish(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_never_change() {
        let hash = |texts: &[&[u8]]| {
            texts.iter().fold(StableHash::new(PART_SEED), |hash, text| hash.text(text)).finish()
        };
        // A part that was written once must be read for ever.
        let known = [hash(&[b""]), hash(&[b"4jXCsJ3c7Hz7j9M"]), hash(&[b"mx1", b"postfix"])];
        assert_eq!(
            known,
            [10_381_446_459_307_089_785, 5_935_109_347_267_913_867, 16_941_525_478_790_551_425]
        );
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
    }

    #[test]
    fn a_text_that_is_not_there_is_not_an_empty_one() {
        let start = StableHash::new(7);
        assert_ne!(start.maybe(None).finish(), start.maybe(Some(b"")).finish());
        assert_ne!(start.maybe(None).finish(), start.finish());
    }
}
