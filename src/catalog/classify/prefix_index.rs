//! Finds the words of a fixed list that a text begins with.

/// Words sorted by their bytes; each links to the longest other word that it begins with, so one binary search finds all.
///
/// The crate aho-corasick finds the phrases of the catalogue in as many instructions, but takes 28 million to build its
/// automaton where this takes 3 million, and a whole start takes 22 million.
pub(crate) struct PrefixIndex {
    /// All texts, one behind the other.
    text: Vec<u8>,
    words: Vec<IndexedWord>,
    /// For each first byte, how many words begin with a smaller one.
    starts: [u32; 257],
}

struct IndexedWord {
    /// As [`head`] has it: most words are told apart by it, without a look at the text.
    head: u64,
    /// Where its text ends, and how long it is.
    end: u32,
    length: u32,
    /// The number that it came with.
    number: u32,
    /// The place of the longest other word that it begins with; of equal ones, the one before. None: `NONE`.
    shorter: u32,
}

const NONE: u32 = u32::MAX;

impl PrefixIndex {
    /// Each word with a number to know it by. An empty word is never found.
    pub(crate) fn new<'a>(all: impl Iterator<Item = (&'a [u8], u32)>) -> Self {
        let mut text = Vec::new();
        let mut words: Vec<IndexedWord> = Vec::new();
        let mut starts = [0; 257];
        for (word, number) in all {
            let Some(&first) = word.first() else { continue };
            if let Some(count) = starts.get_mut(usize::from(first) + 1) {
                *count += 1;
            }
            text.extend_from_slice(word);
            let (end, length) = (text.len() as u32, word.len() as u32);
            words.push(IndexedWord { head: head(word), end, length, number, shorter: NONE });
        }
        starts.iter_mut().fold(0, |sum, start| {
            *start += sum;
            *start
        });
        let in_order = |a: &IndexedWord, b: &IndexedWord| {
            a.head.cmp(&b.head).then_with(|| (a.of(&text), a.number).cmp(&(b.of(&text), b.number)))
        };
        words.sort_unstable_by(in_order);
        let mut open: Vec<(u32, &[u8])> = Vec::new();
        for (word, at) in words.iter_mut().zip(0..) {
            let own = word.of(&text);
            while open.pop_if(|(_, last)| !own.starts_with(last)).is_some() {}
            word.shorter = open.last().map_or(NONE, |(last, _)| *last);
            open.push((at, own));
        }
        Self { text, words, starts }
    }

    /// False: no word begins with this byte.
    #[inline]
    pub(crate) fn may_begin(&self, first: u8) -> bool {
        self.words_from(first).is_some_and(|(from, to)| from < to)
    }

    /// The places of the words that begin with this byte: from, and to.
    fn words_from(&self, first: u8) -> Option<(usize, usize)> {
        let [from, to] = self.starts.get(usize::from(first)..)?.first_chunk()?;
        Some((*from as usize, *to as usize))
    }

    /// Calls `tell` with the number of each word that the text begins with, the longest first.
    pub(crate) fn each(&self, text: &[u8], mut tell: impl FnMut(u32)) {
        let Some(&first) = text.first() else { return };
        let Some((from, to)) = self.words_from(first) else { return };
        let alike = self.words.get(from..to).unwrap_or_default();
        let head = head(text);
        // What the text begins with is the last word that is not behind it, or one that this one begins with.
        let is_before =
            |word: &IndexedWord| word.head < head || word.head == head && word.of(&self.text) <= text;
        let mut next = (from + alike.partition_point(is_before)).checked_sub(1).filter(|&last| last >= from);
        while let Some(word) = next.and_then(|at| self.words.get(at)) {
            if word.begins(head) && text.starts_with(word.of(&self.text)) {
                tell(word.number);
            }
            next = Some(word.shorter as usize);
        }
    }
}

impl IndexedWord {
    fn of<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get((self.end - self.length) as usize..self.end as usize).unwrap_or_default()
    }

    /// As far as the heads tell.
    fn begins(&self, head: u64) -> bool {
        (self.head ^ head) >> (64 - 8 * self.length.min(8)) == 0
    }
}

/// The first eight bytes as a number in the same order; a shorter text is as if zeros followed.
fn head(text: &[u8]) -> u64 {
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
        PrefixIndex::new(numbered).each(text, |number| found.push(number));
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
        fn finds_what_looking_at_each_word_finds(
            words in prop::collection::vec(prop::collection::vec(0_u8..2, 0..11), 0..40),
            text in prop::collection::vec(0_u8..2, 0..12),
        ) {
            let begins = |(word, _): &(&Vec<u8>, u32)| !word.is_empty() && text.starts_with(word);
            let wanted: Vec<u32> = words.iter().zip(0..).filter(begins).map(|(_, number)| number).collect();
            prop_assert_eq!(found(&words, &text), wanted);
        }
    }
}
