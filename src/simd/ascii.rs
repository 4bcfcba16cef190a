//! Finds ASCII letters and digits, sixteen bytes at once.

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

/// Whether the text has an ASCII capital letter.
#[inline]
pub(crate) fn has_uppercase(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<16>() else { return text.iter().any(u8::is_ascii_uppercase) };
    // The last sixteen bytes overlap those before them.
    let (sixteens, _) = text.as_chunks::<16>();
    let capitals = |sixteen: &[u8; 16]| {
        let from_a = u8x16::new(*sixteen) - u8x16::splat(b'A');
        from_a.min(u8x16::splat(25)).cmp_eq(from_a)
    };
    sixteens.iter().fold(capitals(last), |found, sixteen| found | capitals(sixteen)).move_mask() != 0
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
        fn finds_a_capital_letter_wherever_it_is(text in proptest::collection::vec(b'?'..=b'b', 0..50)) {
            let small = text.to_ascii_lowercase();
            prop_assert_eq!(has_uppercase(&text), text != small);
            prop_assert!(!has_uppercase(&small));
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
