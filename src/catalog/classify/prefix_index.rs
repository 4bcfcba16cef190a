//! Finds every word of a fixed list that is a prefix of a text, by binary search.
//!
//! build.rs compiles this file too.

use std::borrow::Cow;

/// A sorted array of words, in which each word links to its longest proper prefix in the array. One binary search finds
/// the longest candidate, and the links lead to all shorter ones.
///
/// The crate aho-corasick finds the phrases of the catalogue in as many instructions, but its automaton cannot be made
/// before the start, and building it takes 28 million.
pub(crate) struct PrefixIndex {
    /// The bytes of all words, concatenated.
    pub text: Cow<'static, [u8]>,
    /// Sorted by the bytes of the words, then by number.
    pub words: Cow<'static, [IndexedWord]>,
    /// 257 entries: entry `b` is the position of the first word whose first byte is `b` or greater.
    pub starts: Cow<'static, [u32]>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexedWord {
    /// See [`first_eight`]; it decides most comparisons without a look at `text`.
    pub first_eight: u64,
    /// The offset in `PrefixIndex::text` of the end of the word.
    pub end: u32,
    /// In bytes.
    pub length: u32,
    /// The caller's number for the word.
    pub number: u32,
    /// The position of the longest other word that is a prefix of this one; of equal words, the one before. [`NONE`] if
    /// there is none.
    pub longest_prefix: u32,
}

const NONE: u32 = u32::MAX;

impl PrefixIndex {
    /// Builds the index from words and the caller's numbers for them. Empty words are skipped.
    pub(crate) fn new<'a>(all: impl Iterator<Item = (&'a [u8], u32)>) -> Self {
        let mut text = Vec::new();
        let mut words: Vec<IndexedWord> = Vec::new();
        let mut starts = vec![0; 257];
        for (word, number) in all {
            let Some(&first) = word.first() else { continue };
            if let Some(count) = starts.get_mut(usize::from(first) + 1) {
                *count += 1;
            }
            text.extend_from_slice(word);
            let (end, length) = (text.len() as u32, word.len() as u32);
            words.push(IndexedWord {
                first_eight: first_eight(word),
                end,
                length,
                number,
                longest_prefix: NONE,
            });
        }
        starts.iter_mut().fold(0, |sum, start| {
            *start += sum;
            *start
        });
        let in_order = |a: &IndexedWord, b: &IndexedWord| {
            a.first_eight
                .cmp(&b.first_eight)
                .then_with(|| (a.of(&text), a.number).cmp(&(b.of(&text), b.number)))
        };
        words.sort_unstable_by(in_order);
        let mut enclosing: Vec<(u32, &[u8])> = Vec::new();
        for (word, at) in words.iter_mut().zip(0..) {
            let own = word.of(&text);
            while enclosing.pop_if(|(_, last)| !own.starts_with(last)).is_some() {}
            word.longest_prefix = enclosing.last().map_or(NONE, |(last, _)| *last);
            enclosing.push((at, own));
        }
        Self { text: text.into(), words: words.into(), starts: starts.into() }
    }

    /// Whether any word begins with this byte.
    #[inline]
    pub(crate) fn may_begin(&self, first: u8) -> bool {
        self.words_from(first).is_some_and(|(from, to)| from < to)
    }

    /// The range of positions, `from..to`, of the words that begin with this byte.
    fn words_from(&self, first: u8) -> Option<(usize, usize)> {
        let [from, to] = self.starts.get(usize::from(first)..)?.first_chunk()?;
        Some((*from as usize, *to as usize))
    }

    /// Calls `found` with the number of each word that is a prefix of the text, the longest first.
    pub(crate) fn each_prefix(&self, text: &[u8], mut found: impl FnMut(u32)) {
        let Some(&first) = text.first() else { return };
        let Some((from, to)) = self.words_from(first) else { return };
        let alike = self.words.get(from..to).unwrap_or_default();
        let first_eight = first_eight(text);
        // All prefixes of the text sort before it. The last word that is not greater than the text is the longest
        // candidate; each prefix of the text is also a prefix of that word, so the links reach it.
        let is_before = |word: &IndexedWord| {
            word.first_eight < first_eight || word.first_eight == first_eight && word.of(&self.text) <= text
        };
        let mut next = (from + alike.partition_point(is_before)).checked_sub(1).filter(|&last| last >= from);
        while let Some(word) = next.and_then(|at| self.words.get(at)) {
            if word.begins(first_eight) && text.starts_with(word.of(&self.text)) {
                found(word.number);
            }
            next = Some(word.longest_prefix as usize);
        }
    }
}

impl IndexedWord {
    fn of<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get((self.end - self.length) as usize..self.end as usize).unwrap_or_default()
    }

    /// Whether the first eight bytes of the word and of the text agree.
    fn begins(&self, first_eight: u64) -> bool {
        (self.first_eight ^ first_eight) >> (64 - 8 * self.length.min(8)) == 0
    }
}

/// The first eight bytes as a big-endian number, which sorts as the bytes do. A shorter text is padded with zeros.
fn first_eight(text: &[u8]) -> u64 {
    let bytes = text.first_chunk().copied().unwrap_or_else(|| {
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(text).for_each(|(byte, own)| *byte = *own);
        bytes
    });
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(words: &[Vec<u8>], text: &[u8]) -> Vec<u32> {
        let mut found = Vec::new();
        let numbered = words.iter().map(Vec::as_slice).zip(0..);
        PrefixIndex::new(numbered).each_prefix(text, |number| found.push(number));
        found.sort_unstable();
        found
    }

    #[test]
    fn finds_the_words_that_a_text_begins_with() {
        let words = ["", "a", "ab", "ab", "abc", "abd", "b", "ca"].map(|word| word.as_bytes().to_vec());
        assert_eq!(found(&words, b"abcd"), [1, 2, 3, 4]);
        assert_eq!(found(&words, b"abz"), [1, 2, 3]);
        assert_eq!(found(&words, b"b"), [6]);
        assert_eq!(found(&words, b"c"), [0; 0]);
        assert_eq!(found(&words, b""), [0; 0]);
    }

    proptest! {
        #[test]
        fn finds_the_same_words_as_a_comparison_with_each(
            words in prop::collection::vec(prop::collection::vec(0_u8..2, 0..11), 0..40),
            text in prop::collection::vec(0_u8..2, 0..12),
        ) {
            let begins = |(word, _): &(&Vec<u8>, u32)| !word.is_empty() && text.starts_with(word);
            let wanted: Vec<u32> = words.iter().zip(0..).filter(begins).map(|(_, number)| number).collect();
            prop_assert_eq!(found(&words, &text), wanted);
        }
    }
}
