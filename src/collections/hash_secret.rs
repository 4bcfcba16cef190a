//! Hashes that nobody can test names against without a secret: BLAKE3 with a key, cut to 64 bits.

/// The secret of a run with `--redact`. A part keeps hashes of addresses; without a secret, whoever has the part could hash a
/// list of addresses and compare.
#[derive(Clone, Copy)]
pub(crate) struct HashSecret([u8; 32]);

impl HashSecret {
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    pub(crate) fn text(&self, text: &[u8]) -> u64 {
        let hash = blake3::keyed_hash(&self.0, text);
        hash.as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
    }

    /// The hash of a hash.
    pub(crate) fn hash(&self, hash: u64) -> u64 {
        self.text(&hash.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_equal_hashes_under_one_secret_alone() {
        let (one, other) = (HashSecret::new([1; 32]), HashSecret::new([2; 32]));
        assert_eq!(one.text(b"anna@example.org"), one.text(b"anna@example.org"));
        assert_ne!(one.text(b"anna@example.org"), one.text(b"bert@example.org"));
        assert_ne!(one.text(b"anna@example.org"), other.text(b"anna@example.org"));
        assert_ne!(one.hash(7), other.hash(7));
    }
}
