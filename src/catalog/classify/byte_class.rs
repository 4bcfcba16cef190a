//! Classifies the bytes of a reply by what each can begin.

use wide::u8x16;

use crate::simd::eq_mask16;

/// What a byte can begin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteClass {
    /// Stands for itself: letters, most signs, and the blank, of which a run is one.
    Plain,
    Digit,
    /// Becomes a blank.
    Blank,
    /// Quotes: `doesn't` and `doesnt` are one word.
    Gone,
    /// May begin or end something to mask.
    Mark,
}

const KINDS: [ByteClass; 256] = kinds();

const fn kinds() -> [ByteClass; 256] {
    let mut kinds = [ByteClass::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'0'..=b'9' => ByteClass::Digit,
            0..=31 | b'-' | b'_' | 127 => ByteClass::Blank,
            b'\'' | b'"' | b'`' => ByteClass::Gone,
            b'<' | b'@' | b'[' | b'(' | b'\\' | 0xe2 => ByteClass::Mark,
            _ => ByteClass::Plain,
        };
        byte += 1;
    }
    kinds
}

pub(crate) fn kind(byte: u8) -> ByteClass {
    KINDS[usize::from(byte)]
}

/// Bits of those of the sixteen that are not [`Kind::Plain`]; the lowest is the first.
#[inline]
fn marked(sixteen: &[u8; 16]) -> u32 {
    let bytes = u8x16::new(*sixteen);
    // Of two that lie side by side, or a bit apart, one compare finds both.
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

/// How many bytes the text begins with that are plain, and whether there is a blank among them that follows another,
/// also as the byte `before`, or nothing.
pub(crate) fn plain(text: &[u8], before: Option<u8>) -> (usize, bool) {
    let (mut length, mut blank, mut doubled) = (0, u32::from(matches!(before, None | Some(b' '))), 0);
    loop {
        let rest = text.get(length..).unwrap_or_default();
        // Zeros are not plain, so the search ends where the text does.
        let sixteen = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut end = [0; 16];
            if let Some(own) = end.get_mut(..rest.len()) {
                own.copy_from_slice(rest);
            }
            end
        });
        let count = marked(&sixteen).trailing_zeros().min(16);
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
    fn sixteen_bytes_are_told_apart_as_each_is() {
        for byte in 0..=255 {
            let found = marked(&[byte; 16]);
            assert_eq!(found, if kind(byte) == ByteClass::Plain { 0 } else { 0xffff }, "{byte:#x}");
        }
    }

    #[test]
    fn plain_bytes_end_where_another_stands_and_where_the_text_does() {
        for length in 0..40 {
            let text = [b"x".repeat(length), b"<y".to_vec()].concat();
            assert_eq!(plain(&text, None), (length, false));
            assert_eq!(plain(&text[..length], None), (length, false));
        }
    }

    #[test]
    fn a_blank_follows_another_or_nothing() {
        assert!(plain(b" x", None).1);
        assert!(plain(b" x", Some(b' ')).1);
        assert!(!plain(b" x y<  ", Some(b'x')).1);
        for length in 0..40 {
            assert!(plain(&[b"x".repeat(length), b"  ".to_vec()].concat(), Some(b'x')).1, "behind {length}");
        }
    }
}
