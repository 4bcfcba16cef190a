//! Many bytes compared at once: a text comes in, where a byte stands in it goes out.

use wide::u8x16;

/// Bits of those of the sixteen that are the byte; the lowest is the first.
#[inline]
pub fn equal(sixteen: &[u8; 16], byte: u8) -> u32 {
    u8x16::new(*sixteen).cmp_eq(u8x16::splat(byte)).move_mask() as u32
}

/// Where the byte stands, one place after the other. It is quicker than a call for each where they stand a line apart.
pub struct Places<'a> {
    text: &'a [u8],
    byte: u8,
    /// Where the bytes begin that were not looked at.
    next: usize,
    /// Of the 64 before these: where the byte stands behind the place that was told last.
    found: u64,
}

impl<'a> Places<'a> {
    pub fn new(text: &'a [u8], byte: u8) -> Self {
        Self { text, byte, next: 0, found: 0 }
    }

    #[cold]
    fn rest(&self) -> u64 {
        let rest = self.text.get(self.next..).unwrap_or_default();
        rest.iter().enumerate().fold(0, |found, (at, byte)| found | u64::from(*byte == self.byte) << at)
    }
}

impl Iterator for Places<'_> {
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
                    let bits = |found, sixteen| found << 16 | u64::from(equal(sixteen, self.byte));
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
            prop_assert_eq!(Places::new(&text, 2).collect::<Vec<_>>(), plain);
        }
    }
}
