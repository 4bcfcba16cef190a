//! Phrases: written ones come in, and those that stand in a masked text go out.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use memchr::memmem;

use super::mask::mask;

/// Many phrases, each with what it stands for, and one automaton over their first bytes.
pub struct Phrases<T> {
    all: Vec<Phrase<T>>,
    /// Finds heads; a pattern's number is its place in `heads`.
    automaton: AhoCorasick,
    /// The phrases that begin alike, by place in `all`.
    heads: Vec<Vec<usize>>,
}

/// `mailbox * full`, ready to be looked for.
pub struct Phrase<T> {
    sense: T,
    first: Piece,
    more: Vec<Piece>,
}

/// What stands between two `*`.
struct Piece {
    text: Vec<u8>,
    /// The neighbour may be a letter or a digit.
    open_left: bool,
    open_right: bool,
}

/// Bytes of a phrase that the automaton knows; the rest is compared. With whole phrases the book loads in twice
/// the time, with fewer bytes too much is compared.
const HEAD: usize = 8;
/// How far apart the two sides of a `*` may stand, in bytes.
const GAP: usize = 80;

impl<T: Copy> Phrases<T> {
    pub fn new(phrases: Vec<Phrase<T>>) -> Result<Self, String> {
        let mut places: HashMap<&[u8], usize, FixedState> = HashMap::default();
        let mut heads: Vec<Vec<usize>> = Vec::new();
        let mut words: Vec<&[u8]> = Vec::new();
        for (at, phrase) in phrases.iter().enumerate() {
            let head = phrase.first.text.get(..HEAD).unwrap_or(&phrase.first.text);
            let place = *places.entry(head).or_insert_with(|| {
                words.push(head);
                heads.push(Vec::new());
                words.len() - 1
            });
            if let Some(alike) = heads.get_mut(place) {
                alike.push(at);
            }
        }
        // The quicker kinds take longer to build than all their searches save: few replies are new ones.
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::NoncontiguousNFA))
            .prefilter(false)
            .build(&words)
            .map_err(|cause| format!("the phrases are too many: {cause}"))?;
        drop(places);
        Ok(Self { all: phrases, automaton, heads })
    }

    /// In no order, and more than once where a phrase stands there more than once.
    pub fn find(&self, text: &[u8], mut found: impl FnMut(T)) {
        for hit in self.automaton.find_overlapping_iter(text) {
            let alike = self.heads.get(hit.pattern().as_usize()).into_iter().flatten();
            for phrase in alike.filter_map(|&at| self.all.get(at)) {
                if phrase.stands_at(text, hit.start()) {
                    found(phrase.sense);
                }
            }
        }
    }
}

impl<T> Phrase<T> {
    /// Err: why it can never be found.
    pub fn read(text: &str, sense: T) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut masked = Vec::new();
        let mut parts = text.split('*').enumerate().peekable();
        while let Some((at, part)) = parts.next() {
            mask(part.as_bytes(), &mut masked);
            if masked.contains(&b'~') {
                return Err(format!("the phrase '{text}' holds what is taken for an id"));
            }
            if !masked.is_empty() {
                let open_left = at > 0 && !part.starts_with(' ');
                let open_right = parts.peek().is_some() && !part.ends_with(' ');
                pieces.push(Piece { text: masked.clone(), open_left, open_right });
            }
        }
        let mut pieces = pieces.into_iter();
        let first = pieces.next().ok_or_else(|| format!("the phrase '{text}' has no words"))?;
        Ok(Self { sense, first, more: pieces.collect() })
    }

    fn stands_at(&self, text: &[u8], start: usize) -> bool {
        let mut end = start + self.first.text.len();
        if text.get(start..end) != Some(&self.first.text) || !self.first.is_whole(text, start, end) {
            return false;
        }
        self.more.iter().all(|piece| {
            let length = piece.text.len();
            let window = text.get(end..text.len().min(end + GAP + length)).unwrap_or_default();
            let mut starts = memmem::find_iter(window, &piece.text).map(|at| end + at);
            let start = starts.find(|&start| piece.is_whole(text, start, start + length));
            end = start.map_or(end, |start| start + length);
            start.is_some()
        })
    }
}

impl Piece {
    /// No letter or digit goes on where the piece ends in one, unless it is open there.
    fn is_whole(&self, text: &[u8], start: usize, end: usize) -> bool {
        let is_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let before = start.checked_sub(1).and_then(|at| text.get(at));
        (self.open_left || !is_word(self.text.first()) || !is_word(before))
            && (self.open_right || !is_word(self.text.last()) || !is_word(text.get(end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn stands(phrase: &str, text: &str, wanted: bool) {
        let phrases = Phrases::new(vec![Phrase::read(phrase, ()).expect("a phrase")]).expect("few");
        let mut found = false;
        phrases.find(text.as_bytes(), |()| found = true);
        assert_eq!(found, wanted, "{phrase} in {text}");
    }

    #[test]
    fn finds_whole_words() {
        stands("user unknown", "5.1.1 user unknown in table", true);
        stands("mailbox * full", "mailbox of bob is full", true);
        stands("greylist*", "you are greylisted", true);
        stands("*list", "on a blacklist today", true);
        stands("[tss04]", "refused [tss04]", true);
        stands("Over-Quota", "is over quota", true);
        stands("a * c * e", "a b c d e", true);
    }

    #[test]
    fn does_not_find_parts_of_words_or_other_orders() {
        stands("spam", "spamhaus", false);
        stands("dul", "module", false);
        stands("greylist", "greylisted", false);
        stands("mailbox * full", "full is the mailbox", false);
        stands("mailbox * full", "mailbox of bob is fully there", false);
        stands("user unknown", "user unknow", false);
        stands("a * c * e", "a b e d c", false);
        stands("near * far", &format!("near {} far", "x".repeat(200)), false);
    }
}
