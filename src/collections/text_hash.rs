//! Hashes short texts, such as names and queue ids, with the seed of a run.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;

/// The hash of a text, in chunks of 16 bytes, which the hasher takes in one step. Its own loop for longer input is a function
/// call, which is slower for texts as short as these.
#[inline]
pub(crate) fn hash_text(state: &RandomState, text: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    match text.split_at_checked(16) {
        None => hasher.write(text),
        // Nearly all texts end here, without a loop.
        Some((first, rest)) if rest.len() <= 16 => {
            hasher.write(first);
            hasher.write(rest);
        }
        Some(_) => text.chunks(16).for_each(|part| hasher.write(part)),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_every_length_makes_a_difference() {
        let state = RandomState::default();
        for length in 0..80 {
            let text: Vec<u8> = (b'0'..=b'z').cycle().take(length).collect();
            let hash = hash_text(&state, &text);
            assert_ne!(hash, hash_text(&state, &[&text[..], b"0"].concat()), "of {length} bytes");
            assert_ne!(hash, hash_text(&state, &[&text[..], b"\0"].concat()), "of {length} bytes");
            for at in 0..length {
                let mut other = text.clone();
                other[at] ^= 0x80;
                assert_ne!(hash, hash_text(&state, &other), "byte {at} of {length}");
            }
        }
    }
}
