//! Searches and compares bytes sixteen at a time.

pub(crate) mod ascii;
pub(crate) mod find;
pub(crate) mod newlines;

use wide::u8x16;

/// Bits of those of the sixteen that are the byte; the lowest is the first.
#[inline]
pub(crate) fn eq_mask16(sixteen: &[u8; 16], byte: u8) -> u32 {
    u8x16::new(*sixteen).cmp_eq(u8x16::splat(byte)).move_mask() as u32
}

/// Sixteen bytes that others are compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MaskedChunk {
    /// 0 where the mask is.
    pub bytes: [u8; 16],
    /// 0 where any byte will do, else 0xff.
    pub mask: [u8; 16],
}

/// Each of these is like its sixteen; those without one are not compared.
#[inline]
pub(crate) fn masked_eq(texts: &[[u8; 16]], wanted: &[MaskedChunk]) -> bool {
    let differs = |found: u8x16, (text, wanted): (&[u8; 16], &MaskedChunk)| {
        found | (u8x16::new(*text) & u8x16::new(wanted.mask)) ^ u8x16::new(wanted.bytes)
    };
    let found = texts.iter().zip(wanted).fold(u8x16::ZERO, differs);
    found.cmp_eq(u8x16::ZERO).move_mask() == 0xffff
}

/// Bits of those of the thirty-two that are the byte; the lowest is the first.
#[inline]
pub(crate) fn eq_mask32(thirty_two: &[u8; 32], byte: u8) -> u32 {
    let (sixteens, _) = thirty_two.as_chunks::<16>();
    sixteens.iter().rev().fold(0, |found, sixteen| found << 16 | eq_mask16(sixteen, byte))
}

/// Where the byte stands among them; the number of them if it does not.
#[inline]
pub(crate) fn first_position(thirty_two: &[u8; 32], byte: u8) -> usize {
    eq_mask32(thirty_two, byte).trailing_zeros() as usize
}

/// The same as `==`; short texts, as hosts are, are compared here and not by a call.
#[inline]
pub(crate) fn bytes_eq(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    // Two pieces that may overlap.
    match a.len() {
        4..8 => (a.first_chunk::<4>(), a.last_chunk::<4>()) == (b.first_chunk(), b.last_chunk()),
        8..16 => (a.first_chunk::<8>(), a.last_chunk::<8>()) == (b.first_chunk(), b.last_chunk()),
        16..=32 => (a.first_chunk::<16>(), a.last_chunk::<16>()) == (b.first_chunk(), b.last_chunk()),
        // Two empty texts are not compared: their pointers lead nowhere, and a masked load from nowhere takes some
        // processors a quarter of the whole scan of an Exim log.
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
