//! Finds the newlines of a text, 4 KiB at a time.

use crate::simd::eq_mask16;

/// Iterates over the positions of newlines. All newlines of a piece are found before the first one is returned, so that
/// the search does not depend on the unpredictable lengths of lines.
pub struct NewlineIter<'a> {
    text: &'a [u8],
    /// How many bytes were searched.
    next: usize,
    /// Offset of the piece that was searched last.
    piece_start: usize,
    /// Positions of newlines in the piece: at most one per byte. The length is a power of two, so that a mask replaces the
    /// bounds check.
    found: [u16; PIECE],
    /// How many positions were returned, and how many there are.
    returned: usize,
    count: usize,
}

/// Bytes of a piece; a multiple of 64.
const PIECE: usize = 4 << 10;

impl<'a> NewlineIter<'a> {
    /// Iterates over the newlines of `text`.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, next: 0, piece_start: 0, found: [0; PIECE], returned: 0, count: 0 }
    }

    fn search_piece(&mut self) {
        let rest = self.text.get(self.next..).unwrap_or_default();
        let piece = rest.get(..PIECE).unwrap_or(rest);
        let (sixty_fours, last) = piece.as_chunks::<64>();
        let mut count = 0;
        for (at, sixty_four) in sixty_fours.iter().enumerate() {
            let (sixteens, _) = sixty_four.as_chunks::<16>();
            let bits = |found, sixteen| found << 16 | u64::from(eq_mask16(sixteen, b'\n'));
            let found = sixteens.iter().rev().fold(0, bits);
            count = self.record_newlines(count, at as u16 * 64, found);
        }
        let behind = (sixty_fours.len() * 64) as u16;
        for (at, _) in last.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            count = self.record_newlines(count, behind + at as u16, 1);
        }
        (self.piece_start, self.returned, self.count) = (self.next, 0, count);
        self.next += piece.len();
    }

    /// Appends the positions of set bits, and returns the new count. The first position is written in any case and counted
    /// only if there is one, which avoids a branch that the processor cannot predict. There is always room for it: none of the
    /// bytes from here on was counted yet.
    #[inline]
    fn record_newlines(&mut self, mut count: usize, from: u16, bits: u64) -> usize {
        self.found[count & (PIECE - 1)] = from + bits.trailing_zeros() as u16;
        count += usize::from(bits != 0);
        let mut more = bits & bits.wrapping_sub(1);
        while more != 0 {
            self.found[count & (PIECE - 1)] = from + more.trailing_zeros() as u16;
            count += 1;
            more &= more - 1;
        }
        count
    }
}

impl Iterator for NewlineIter<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.returned == self.count {
            if self.next >= self.text.len() {
                return None;
            }
            self.search_piece();
        }
        let at = *self.found.get(self.returned)?;
        self.returned += 1;
        Some(self.piece_start + usize::from(at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_every_newline_of_pieces_that_have_nothing_else() {
        for length in [PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 70] {
            let text = vec![b'\n'; length];
            assert!(NewlineIter::new(&text).eq(0..length), "{length}");
            let text = [b"x".repeat(200), text].concat();
            assert!(NewlineIter::new(&text).eq(200..length + 200), "{length}");
        }
    }

    proptest! {
        #[test]
        fn finds_every_newline(text in proptest::collection::vec(9..12u8, 0..300)) {
            let plain: Vec<usize> = (0..text.len()).filter(|&at| text[at] == b'\n').collect();
            prop_assert_eq!(NewlineIter::new(&text).collect::<Vec<_>>(), plain);
        }
    }
}
