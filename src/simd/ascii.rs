//! Finds ASCII letters and digits among sixteen bytes at once.

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
            if let Some(sixteen) = text.first_chunk() {
                let plain = (0..16).filter(|&at| text[at].is_ascii_alphanumeric());
                prop_assert_eq!(alphanumeric_mask(sixteen), plain.fold(0, |found, at| found | 1 << at));
            }
        }
    }
}
