//! Searches and compares bytes sixteen at a time.
//!
//! Promises: the same answer as the plain loop, which the tests compare. May use: no other folder.

pub(crate) mod ascii;
pub(crate) mod find;
pub(crate) mod masked_prefix;
pub(crate) mod newlines;

use wide::u8x16;

/// Bit mask of the positions of `byte`; the lowest bit is the first position.
#[inline]
pub(crate) fn eq_mask16(sixteen: &[u8; 16], byte: u8) -> u32 {
    u8x16::new(*sixteen).cmp_eq(u8x16::splat(byte)).move_mask() as u32
}

/// Sixteen bytes to compare with, some of which match anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MaskedChunk {
    /// 0 where `mask` is 0.
    pub bytes: [u8; 16],
    /// 0xff where the byte must be equal, 0 where any byte matches.
    pub mask: [u8; 16],
}

/// Whether each text matches its chunk. If one slice is longer, its further items are not compared.
#[inline]
pub(crate) fn masked_eq(texts: &[[u8; 16]], wanted: &[MaskedChunk]) -> bool {
    let differs = |found: u8x16, (text, wanted): (&[u8; 16], &MaskedChunk)| {
        found | (u8x16::new(*text) & u8x16::new(wanted.mask)) ^ u8x16::new(wanted.bytes)
    };
    let found = texts.iter().zip(wanted).fold(u8x16::ZERO, differs);
    found.cmp_eq(u8x16::ZERO).move_mask() == 0xffff
}

/// Bit mask of the positions of `byte`; the lowest bit is the first position.
#[inline]
pub(crate) fn eq_mask32(thirty_two: &[u8; 32], byte: u8) -> u32 {
    let (sixteens, _) = thirty_two.as_chunks::<16>();
    sixteens.iter().rev().fold(0, |found, sixteen| found << 16 | eq_mask16(sixteen, byte))
}

/// The first position of `byte`; 32 if it does not occur.
#[inline]
pub(crate) fn first_position(thirty_two: &[u8; 32], byte: u8) -> usize {
    eq_mask32(thirty_two, byte).trailing_zeros() as usize
}

/// The same as `==`. Texts of up to 32 bytes, such as host names, are compared inline instead of by a call.
#[inline]
pub(crate) fn bytes_eq(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    // The first and the last bytes, which may overlap.
    match a.len() {
        4..8 => (a.first_chunk::<4>(), a.last_chunk::<4>()) == (b.first_chunk(), b.last_chunk()),
        8..16 => (a.first_chunk::<8>(), a.last_chunk::<8>()) == (b.first_chunk(), b.last_chunk()),
        16..=32 => (a.first_chunk::<16>(), a.last_chunk::<16>()) == (b.first_chunk(), b.last_chunk()),
        // Empty texts are not compared: their pointers are dangling, and masked loads from such addresses are so slow on
        // some processors that they took a quarter of the scan of an Exim log.
        length => length == 0 || a == b,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tells_the_same_from_another(a in "[ab]{0,40}", b in "[ab]{0,40}") {
            prop_assert_eq!(bytes_eq(a.as_bytes(), b.as_bytes()), a == b);
            prop_assert!(bytes_eq(a.as_bytes(), a.clone().as_bytes()));
        }
    }
}
