//! Searches and compares bytes sixteen at a time.

use memchr::{memchr, memchr2, memrchr};
use wide::u8x16;

/// Bits of those of the sixteen that are the byte; the lowest is the first.
#[inline]
pub fn equal(sixteen: &[u8; 16], byte: u8) -> u32 {
    u8x16::new(*sixteen).cmp_eq(u8x16::splat(byte)).move_mask() as u32
}

/// Sixteen bytes that others are compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Masked {
    /// 0 where the mask is.
    pub bytes: [u8; 16],
    /// 0 where any byte will do, else 0xff.
    pub mask: [u8; 16],
}

/// Each of these is like its sixteen; those without one are not compared.
#[inline]
pub fn is_like(texts: &[[u8; 16]], wanted: &[Masked]) -> bool {
    let differs = |found: u8x16, (text, wanted): (&[u8; 16], &Masked)| {
        found | (u8x16::new(*text) & u8x16::new(wanted.mask)) ^ u8x16::new(wanted.bytes)
    };
    let found = texts.iter().zip(wanted).fold(u8x16::ZERO, differs);
    found.cmp_eq(u8x16::ZERO).move_mask() == 0xffff
}

/// Bits of those of the thirty-two that are the byte; the lowest is the first.
#[inline]
pub fn places(thirty_two: &[u8; 32], byte: u8) -> u32 {
    let (sixteens, _) = thirty_two.as_chunks::<16>();
    sixteens.iter().rev().fold(0, |found, sixteen| found << 16 | equal(sixteen, byte))
}

/// Where the byte stands among them; the number of them if it does not.
#[inline]
pub fn place(thirty_two: &[u8; 32], byte: u8) -> usize {
    places(thirty_two, byte).trailing_zeros() as usize
}

/// Bits of those of the sixteen that are ASCII letters or digits; the lowest is the first.
#[inline]
pub fn alphanumeric(sixteen: &[u8; 16]) -> u32 {
    let bytes = u8x16::new(*sixteen);
    let within =
        |bytes: u8x16, from: u8, to: u8| bytes.max(u8x16::splat(from)).min(u8x16::splat(to)).cmp_eq(bytes);
    let small = bytes | u8x16::splat(0x20);
    (within(bytes, b'0', b'9') | within(small, b'a', b'z')).move_mask() as u32
}

/// One of the bytes is a capital letter of ASCII. Sixteen or eight are looked at together, and those at the end twice.
#[inline]
pub fn has_capital(text: &[u8]) -> bool {
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

/// The eight with their letters small.
#[inline]
pub fn small(eight: [u8; 8]) -> u64 {
    // A letter's case is told by one bit, two below the highest.
    u64::from_le_bytes(eight) | capitals(eight) >> 2
}

/// The highest bit of each byte that is a capital letter.
#[inline]
fn capitals(eight: [u8; 8]) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let bytes = u64::from_le_bytes(eight);
    let low = bytes & (0x7f * EACH);
    let from_a = low + (0x80 - b'A' as u64) * EACH;
    let behind_z = low + (0x7f - b'Z' as u64) * EACH;
    from_a & !behind_z & !bytes & (0x80 * EACH)
}

/// With how many digits they begin.
#[inline]
pub fn digits(sixteen: &[u8; 16]) -> usize {
    let figures = u8x16::new(*sixteen) - u8x16::splat(b'0');
    let are_digits = figures.min(u8x16::splat(9)).cmp_eq(figures).move_mask() as u32;
    (!are_digits).trailing_zeros() as usize
}

/// Where the byte stands first. What is looked for in a line stands near: the call to a searcher, and its many ways to
/// begin and to end, cost more than these few looks.
#[inline]
pub fn find(byte: u8, text: &[u8]) -> Option<usize> {
    if let Some(near) = text.first_chunk() {
        let at = place(near, byte);
        if at < 32 {
            return Some(at);
        }
    }
    find_far(byte, text)
}

fn find_far(byte: u8, text: &[u8]) -> Option<usize> {
    let Some(last) = text.last_chunk::<32>() else {
        let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) else {
            return memchr(byte, text);
        };
        let found = equal(first, byte) | equal(last, byte) << (text.len() - 16);
        return (found != 0).then(|| found.trailing_zeros() as usize);
    };
    let mut at = 0;
    while let Some(near) = text.get(at..).and_then(<[u8]>::first_chunk) {
        match place(near, byte) {
            32 => at += 32,
            found => return Some(at + found),
        }
    }
    // The last of them again, and what was not looked at.
    let found = places(last, byte);
    (found != 0).then(|| text.len() - 32 + found.trailing_zeros() as usize)
}

/// Where the byte stands first, from `from` on. Where little is left behind that, what stands before it is looked at
/// too, so that the end of a line needs no call either.
#[inline]
pub fn find_from(byte: u8, text: &[u8], from: usize) -> Option<usize> {
    let begin = from.min(text.len().saturating_sub(32));
    let Some(window) = text.get(begin..).and_then(<[u8]>::first_chunk) else {
        return Some(from + text.get(from..)?.iter().position(|&other| other == byte)?);
    };
    match u64::from(places(window, byte)).checked_shr((from - begin) as u32) {
        None | Some(0) => {
            let seen = from.max(begin + 32);
            Some(seen + memchr(byte, text.get(seen..).filter(|rest| !rest.is_empty())?)?)
        }
        Some(found) => Some(from + found.trailing_zeros() as usize),
    }
}

/// Where one of the two stands first, in the same way.
#[inline]
pub fn find_either(one: u8, other: u8, text: &[u8]) -> Option<usize> {
    if let Some(near) = text.first_chunk::<32>() {
        let (sixteens, _) = near.as_chunks::<16>();
        let bits = |sixteen| equal(sixteen, one) | equal(sixteen, other);
        let found = sixteens.iter().rev().fold(0, |found, sixteen| found << 16 | bits(sixteen));
        if found != 0 {
            return Some(found.trailing_zeros() as usize);
        }
    }
    memchr2(one, other, text)
}

/// Where the byte stands last, in the same way: it stands near the end.
#[inline]
pub fn find_last(byte: u8, text: &[u8]) -> Option<usize> {
    let Some(last) = text.last_chunk::<16>() else { return memrchr(byte, text) };
    // Of a shorter text the first sixteen, some of which are among the last.
    let end = if text.len() < 32 { 16 } else { text.len() - 16 };
    let before = text.get(..end).and_then(<[u8]>::last_chunk::<16>)?;
    let found = |sixteen, end: usize| {
        let found = equal(sixteen, byte);
        (found != 0).then(|| end - 16 + found.ilog2() as usize)
    };
    let near = found(last, text.len()).or_else(|| found(before, end));
    near.or_else(|| memrchr(byte, text))
}

/// The same as `==`; short texts, as hosts are, are compared here and not by a call.
#[inline]
pub fn same(a: &[u8], b: &[u8]) -> bool {
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

/// Where the lines of a text end: the place of each newline, found a piece at a time and kept, so that no line has to
/// wait for how many sixteens the one before it had.
pub struct Ends<'a> {
    text: &'a [u8],
    /// How much of the text was looked at.
    next: usize,
    /// Where a piece begins, and where in it newlines stand. There may be one in each byte, and one more is written; as
    /// a power of two its length needs a mask and no check.
    piece: usize,
    found: [u16; 2 * PIECE],
    told: usize,
    count: usize,
}

/// Bytes that are looked at together; whole sixty-fours.
const PIECE: usize = 4 << 10;

impl<'a> Ends<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, next: 0, piece: 0, found: [0; 2 * PIECE], told: 0, count: 0 }
    }

    fn look(&mut self) {
        let rest = self.text.get(self.next..).unwrap_or_default();
        let piece = rest.get(..PIECE).unwrap_or(rest);
        let (sixty_fours, last) = piece.as_chunks::<64>();
        let mut count = 0;
        for (at, sixty_four) in sixty_fours.iter().enumerate() {
            let (sixteens, _) = sixty_four.as_chunks::<16>();
            let bits = |found, sixteen| found << 16 | u64::from(equal(sixteen, b'\n'));
            let found = sixteens.iter().rev().fold(0, bits);
            count = self.note(count, at as u16 * 64, found);
        }
        let behind = (sixty_fours.len() * 64) as u16;
        for (at, _) in last.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            count = self.note(count, behind + at as u16, 1);
        }
        (self.piece, self.told, self.count) = (self.next, 0, count);
        self.next += piece.len();
    }

    /// The first is noted in any case, and counted if there is one: nobody can guess which of them have one.
    #[inline]
    fn note(&mut self, mut count: usize, from: u16, bits: u64) -> usize {
        self.found[count & (2 * PIECE - 1)] = from + bits.trailing_zeros() as u16;
        count += usize::from(bits != 0);
        let mut more = bits & bits.wrapping_sub(1);
        while more != 0 {
            self.found[count & (2 * PIECE - 1)] = from + more.trailing_zeros() as u16;
            count += 1;
            more &= more - 1;
        }
        count
    }
}

impl Iterator for Ends<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.told == self.count {
            if self.next >= self.text.len() {
                return None;
            }
            self.look();
        }
        let at = *self.found.get(self.told)?;
        self.told += 1;
        Some(self.piece + usize::from(at))
    }
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

    /// The last bytes, fewer than 64.
    #[inline]
    fn rest(&self) -> u64 {
        let rest = self.text.get(self.next..).unwrap_or_default();
        let (sixteens, last) = rest.as_chunks::<16>();
        let bits = |found, sixteen| found << 16 | u64::from(equal(sixteen, self.byte));
        let before = sixteens.iter().rev().fold(0, bits);
        let last = match self.text.last_chunk() {
            // With what stands before them they are sixteen.
            Some(sixteen) => u64::from(equal(sixteen, self.byte)) >> (16 - last.len()),
            None => last.iter().rev().fold(0, |found, byte| found << 1 | u64::from(*byte == self.byte)),
        };
        before | last << (16 * sixteens.len())
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
            prop_assert_eq!(find(2, &text), plain.first().copied());
            prop_assert_eq!(find_last(2, &text), plain.last().copied());
            prop_assert_eq!(find_either(2, 3, &text), text.iter().position(|&byte| byte > 1));
            prop_assert_eq!(find_last(2, &text), plain.last().copied());
            for from in 0..text.len() + 40 {
                prop_assert_eq!(find_from(2, &text, from), plain.iter().copied().find(|&at| at >= from));
            }
            prop_assert_eq!(Places::new(&text, 2).collect::<Vec<_>>(), plain.clone());
            let lines: Vec<u8> = text.iter().map(|&byte| if byte == 2 { b'\n' } else { byte }).collect();
            prop_assert_eq!(Ends::new(&lines).collect::<Vec<_>>(), plain);
        }

        #[test]
        fn counts_the_digits_before_anything_else(text in "[0-9]{0,3}.{0,40}") {
            let plain = text.bytes().take(16).take_while(u8::is_ascii_digit).count();
            prop_assert!(text.as_bytes().first_chunk().is_none_or(|sixteen| digits(sixteen) == plain));
        }

        #[test]
        fn knows_letters_and_digits(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(has_capital(&text), text.iter().any(u8::is_ascii_uppercase));
            if let Some(eight) = text.first_chunk() {
                prop_assert_eq!(&small(*eight).to_le_bytes()[..], eight.to_ascii_lowercase());
            }
            if let Some(sixteen) = text.first_chunk() {
                let plain = (0..16).filter(|&at| text[at].is_ascii_alphanumeric());
                prop_assert_eq!(alphanumeric(sixteen), plain.fold(0, |found, at| found | 1 << at));
            }
        }

        #[test]
        fn tells_the_same_from_another(a in "[ab]{0,40}", b in "[ab]{0,40}") {
            prop_assert_eq!(same(a.as_bytes(), b.as_bytes()), a == b);
            prop_assert!(same(a.as_bytes(), a.clone().as_bytes()));
        }
    }
}
