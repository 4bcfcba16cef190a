//! Classifies the bytes of a reply for normalization, sixteen at a time.

use wide::u8x16;

use crate::simd::eq_mask16;

/// How normalization treats a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteClass {
    /// Copied: letters, most punctuation, and the blank. A run of blanks is shortened to one.
    Plain,
    /// May begin an IP address, a code or an id.
    Digit,
    /// Replaced by a blank: control characters, hyphen, underscore.
    Blank,
    /// Removed: quotes, so that `doesn't` and `doesnt` are one word.
    Dropped,
    /// May begin text that is masked or removed: an address, `[ip]`, `(in reply to …)`, `\\n`, a curly apostrophe.
    MaskStart,
}

const BYTE_CLASSES: [ByteClass; 256] = byte_classes();

const fn byte_classes() -> [ByteClass; 256] {
    let mut classes = [ByteClass::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => ByteClass::Digit,
            0..=31 | b'-' | b'_' | 127 => ByteClass::Blank,
            b'\'' | b'"' | b'`' => ByteClass::Dropped,
            b'<' | b'@' | b'[' | b'(' | b'\\' | 0xe2 => ByteClass::MaskStart,
            _ => ByteClass::Plain,
        };
        byte += 1;
    }
    classes
}

pub(crate) fn byte_class(byte: u8) -> ByteClass {
    BYTE_CLASSES[usize::from(byte)]
}

/// A bit mask of the bytes that are not [`ByteClass::Plain`]; bit 0 is the first byte.
#[inline]
fn special_bytes(sixteen: &[u8; 16]) -> u32 {
    let bytes = u8x16::new(*sixteen);
    // One comparison finds two bytes whose codes are adjacent or differ in one bit.
    let within = |from: u8, more: u8| {
        let above = bytes - u8x16::splat(from);
        above.min(u8x16::splat(more)).cmp_eq(above)
    };
    let is = |byte: u8| bytes.cmp_eq(u8x16::splat(byte));
    let raised = bytes | u8x16::splat(0x20);
    let in_two_rows = |byte: u8| raised.cmp_eq(u8x16::splat(byte));
    let signs = within(b'\'', 1) | within(b'[', 1) | in_two_rows(b'`') | in_two_rows(127);
    let others = is(b'"') | is(b'-') | is(b'<') | is(0xe2);
    (within(0, 31) | within(b'0', 9) | signs | others).move_mask() as u32
}

/// The number of plain bytes at the start of the text, and whether one of them is a blank to drop: a blank that follows a
/// blank. `before` is the byte that precedes the text; `None`, the start of the output, counts as a blank.
pub(crate) fn plain_prefix(text: &[u8], before: Option<u8>) -> (usize, bool) {
    let (mut length, mut blank, mut doubled) = (0, u32::from(matches!(before, None | Some(b' '))), 0);
    loop {
        let rest = text.get(length..).unwrap_or_default();
        // The padding is zeros, which are not plain, so the search ends at the end of the text.
        let sixteen = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut end = [0; 16];
            if let Some(own) = end.get_mut(..rest.len()) {
                own.copy_from_slice(rest);
            }
            end
        });
        let count = special_bytes(&sixteen).trailing_zeros().min(16);
        let blanks = eq_mask16(&sixteen, b' ') & ((1 << count) - 1);
        doubled |= blanks & (blanks << 1 | blank);
        blank = blanks >> 15;
        length += count as usize;
        if count < 16 {
            return (length, doubled != 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bytes_are_classified_as_each_alone() {
        for byte in 0..=255 {
            let found = special_bytes(&[byte; 16]);
            assert_eq!(found, if byte_class(byte) == ByteClass::Plain { 0 } else { 0xffff }, "{byte:#x}");
        }
    }

    #[test]
    fn plain_bytes_end_at_another_byte_or_at_the_end_of_the_text() {
        for length in 0..40 {
            let text = [b"x".repeat(length), b"<y".to_vec()].concat();
            assert_eq!(plain_prefix(&text, None), (length, false));
            assert_eq!(plain_prefix(&text[..length], None), (length, false));
        }
    }

    #[test]
    fn finds_a_blank_that_follows_a_blank_or_nothing() {
        assert!(plain_prefix(b" x", None).1);
        assert!(plain_prefix(b" x", Some(b' ')).1);
        assert!(!plain_prefix(b" x y<  ", Some(b'x')).1);
        for length in 0..40 {
            assert!(
                plain_prefix(&[b"x".repeat(length), b"  ".to_vec()].concat(), Some(b'x')).1,
                "behind {length}"
            );
        }
    }
}
