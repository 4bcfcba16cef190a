//! Finds a byte in a text: its first position, the first of two bytes, or all positions.

use memchr::{memchr, memchr2};

use crate::simd::{eq_mask16, eq_mask32, first_position};

/// The first position of the byte. In log lines it is mostly near the start, where a call of memchr costs more than
/// comparing 32 bytes inline.
#[inline]
pub(crate) fn find(byte: u8, text: &[u8]) -> Option<usize> {
    if let Some(near) = text.first_chunk() {
        let at = first_position(near, byte);
        if at < 32 {
            return Some(at);
        }
    }
    find_far(byte, text)
}

fn find_far(byte: u8, text: &[u8]) -> Option<usize> {
    let Some(last) = text.last_chunk::<32>() else {
        let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) else {
            return text.iter().position(|&other| other == byte);
        };
        let found = eq_mask16(first, byte) | eq_mask16(last, byte) << (text.len() - 16);
        return (found != 0).then(|| found.trailing_zeros() as usize);
    };
    let mut at = 0;
    while let Some(near) = text.get(at..).and_then(<[u8]>::first_chunk) {
        match first_position(near, byte) {
            32 => at += 32,
            found => return Some(at + found),
        }
    }
    // The last 32 bytes overlap those that were searched.
    let found = eq_mask32(last, byte);
    (found != 0).then(|| text.len() - 32 + found.trailing_zeros() as usize)
}

/// The first position of the byte at `from` or behind it. Near the end of the text the window begins before `from`, so
/// that 32 bytes are available.
#[inline]
pub(crate) fn find_from(byte: u8, text: &[u8], from: usize) -> Option<usize> {
    let begin = from.min(text.len().saturating_sub(32));
    let Some(window) = text.get(begin..).and_then(<[u8]>::first_chunk) else {
        return Some(from + text.get(from..)?.iter().position(|&other| other == byte)?);
    };
    match u64::from(eq_mask32(window, byte)).checked_shr((from - begin) as u32) {
        None | Some(0) => {
            let seen = from.max(begin + 32);
            Some(seen + memchr(byte, text.get(seen..).filter(|rest| !rest.is_empty())?)?)
        }
        Some(found) => Some(from + found.trailing_zeros() as usize),
    }
}

/// The first position of either byte.
#[inline]
pub(crate) fn find_either(one: u8, other: u8, text: &[u8]) -> Option<usize> {
    if let Some(near) = text.first_chunk::<32>() {
        let (sixteens, _) = near.as_chunks::<16>();
        let bits = |sixteen| eq_mask16(sixteen, one) | eq_mask16(sixteen, other);
        let found = sixteens.iter().rev().fold(0, |found, sixteen| found << 16 | bits(sixteen));
        if found != 0 {
            return Some(found.trailing_zeros() as usize);
        }
    }
    memchr2(one, other, text)
}

/// Iterates over the positions of a byte. Faster than one memchr call per position when they are close together.
pub(crate) struct ByteIter<'a> {
    text: &'a [u8],
    byte: u8,
    /// Offset of the first byte that was not searched.
    next: usize,
    /// Bit mask of the positions in the 64 bytes before `next` that were not returned yet.
    found: u64,
}

impl<'a> ByteIter<'a> {
    pub(crate) fn new(text: &'a [u8], byte: u8) -> Self {
        Self { text, byte, next: 0, found: 0 }
    }

    /// The bit mask of the last bytes, fewer than 64.
    #[inline]
    fn rest(&self) -> u64 {
        let rest = self.text.get(self.next..).unwrap_or_default();
        let (sixteens, last) = rest.as_chunks::<16>();
        let bits = |found, sixteen| found << 16 | u64::from(eq_mask16(sixteen, self.byte));
        let before = sixteens.iter().rev().fold(0, bits);
        let last = match self.text.last_chunk() {
            // The last 16 bytes of the text, shifted so that only the rest remains.
            Some(sixteen) => u64::from(eq_mask16(sixteen, self.byte)) >> (16 - last.len()),
            None => last.iter().rev().fold(0, |found, byte| found << 1 | u64::from(*byte == self.byte)),
        };
        before | last << (16 * sixteens.len())
    }
}

impl Iterator for ByteIter<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            if self.next >= self.text.len() {
                return None;
            }
            self.found = match self.text.get(self.next..).and_then(<[u8]>::first_chunk::<64>) {
                Some(sixty_four) => {
                    let (sixteens, _) = sixty_four.as_chunks::<16>();
                    let bits = |found, sixteen| found << 16 | u64::from(eq_mask16(sixteen, self.byte));
                    sixteens.iter().rev().fold(0, bits)
                }
                None => self.rest(),
            };
            self.next += 64;
        }
        let at = self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(self.next - 64 + at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(text in proptest::collection::vec(0..4u8, 0..300)) {
            let plain: Vec<usize> = (0..text.len()).filter(|&at| text[at] == 2).collect();
            prop_assert_eq!(find(2, &text), plain.first().copied());
            prop_assert_eq!(find_either(2, 3, &text), text.iter().position(|&byte| byte > 1));
            for from in 0..text.len() + 40 {
                prop_assert_eq!(find_from(2, &text, from), plain.iter().copied().find(|&at| at >= from));
            }
            prop_assert_eq!(ByteIter::new(&text, 2).collect::<Vec<_>>(), plain);
        }
    }
}
