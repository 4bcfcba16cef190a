//! Classifies ASCII letters and digits, and converts them to lower case, eight or sixteen bytes at once.

use wide::u8x16;

/// Bit mask of the positions of ASCII letters and digits; the lowest bit is the first position.
#[inline]
pub(crate) fn alphanumeric_mask(sixteen: &[u8; 16]) -> u32 {
    let bytes = u8x16::new(*sixteen);
    let within =
        |bytes: u8x16, from: u8, to: u8| bytes.max(u8x16::splat(from)).min(u8x16::splat(to)).cmp_eq(bytes);
    let small = bytes | u8x16::splat(0x20);
    (within(bytes, b'0', b'9') | within(small, b'a', b'z')).move_mask() as u32
}

/// Whether the text has an upper-case ASCII letter. The last bytes are checked as a chunk that may overlap the others.
#[inline]
pub(crate) fn has_capital(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk::<16>() {
        let capitals = |sixteen: &[u8; 16]| {
            let bytes = u8x16::new(*sixteen);
            bytes.max(u8x16::splat(b'A')).min(u8x16::splat(b'Z')).cmp_eq(bytes)
        };
        let mut found = capitals(last);
        for sixteen in text.as_chunks::<16>().0 {
            found |= capitals(sixteen);
        }
        return found.move_mask() != 0;
    }
    let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) else {
        return text.iter().any(u8::is_ascii_uppercase);
    };
    capitals(*first) | capitals(*last) != 0
}

/// Converts ASCII letters to lower case; the result is the eight bytes in little-endian order.
#[inline]
pub(crate) fn to_lowercase8(eight: [u8; 8]) -> u64 {
    // Bit 5 distinguishes upper and lower case: the mask's bit 7, shifted by two.
    u64::from_le_bytes(eight) | capitals(eight) >> 2
}

/// Mask with the highest bit of each byte that is an upper-case ASCII letter.
#[inline]
fn capitals(eight: [u8; 8]) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let bytes = u64::from_le_bytes(eight);
    let low = bytes & (0x7f * EACH);
    let from_a = low + u64::from(0x80 - b'A') * EACH;
    let behind_z = low + u64::from(0x7f - b'Z') * EACH;
    from_a & !behind_z & !bytes & (0x80 * EACH)
}

/// The number of digits at the start; 16 or more (32) if all are digits.
#[inline]
pub(crate) fn leading_digits(sixteen: &[u8; 16]) -> usize {
    let figures = u8x16::new(*sixteen) - u8x16::splat(b'0');
    let are_digits = figures.min(u8x16::splat(9)).cmp_eq(figures).move_mask() as u32;
    (!are_digits).trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counts_the_digits_before_anything_else(text in "[0-9]{0,3}.{0,40}") {
            let plain = text.bytes().take(16).take_while(u8::is_ascii_digit).count();
            prop_assert!(text.as_bytes().first_chunk().is_none_or(|sixteen| leading_digits(sixteen) == plain));
        }

        #[test]
        fn knows_letters_and_digits(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(has_capital(&text), text.iter().any(u8::is_ascii_uppercase));
            if let Some(eight) = text.first_chunk() {
                prop_assert_eq!(&to_lowercase8(*eight).to_le_bytes()[..], eight.to_ascii_lowercase());
            }
            if let Some(sixteen) = text.first_chunk() {
                let plain = (0..16).filter(|&at| text[at].is_ascii_alphanumeric());
                prop_assert_eq!(alphanumeric_mask(sixteen), plain.fold(0, |found, at| found | 1 << at));
            }
        }
    }
}
