//! Finds the phrases of the rules in a masked text.

use memchr::memchr_iter;

use super::normalize::normalize;
use super::prefix_index::PrefixIndex;

/// Phrases, each with what it stands for.
pub(crate) struct Phrases<T> {
    all: Vec<Phrase<T>>,
    /// The first pieces of the phrases by place in `all`: those that begin where a word begins, and the others.
    whole: PrefixIndex,
    open: PrefixIndex,
}

/// `mailbox * full`, ready to be looked for.
pub(crate) struct Phrase<T> {
    sense: T,
    first: PhrasePart,
    more: Vec<PhrasePart>,
}

/// What stands between two `*`.
struct PhrasePart {
    text: Box<[u8]>,
    /// The neighbour may be a letter or a digit.
    open_left: bool,
    open_right: bool,
}

/// How far apart the two sides of a `*` may stand, in bytes.
const GAP: usize = 80;

impl<T: Copy> Phrases<T> {
    pub(crate) fn new(all: Vec<Phrase<T>>) -> Self {
        let first = |open: bool| {
            let pieces = all.iter().map(|phrase| &phrase.first).zip(0..);
            let wanted = pieces.filter(|(piece, _)| piece.open_left == open);
            PrefixIndex::new(wanted.map(|(piece, at)| (&*piece.text, at)))
        };
        Self { whole: first(false), open: first(true), all }
    }

    /// In no order, and more than once where a phrase stands there more than once.
    pub(crate) fn find(&self, text: &[u8], mut found: impl FnMut(T)) {
        let mut in_word = false;
        for (start, &first) in text.iter().enumerate() {
            let is_word = first.is_ascii_alphanumeric();
            let may_be_whole = !(in_word && is_word) && self.whole.may_begin(first);
            in_word = is_word;
            let may_be_open = self.open.may_begin(first);
            if !may_be_whole && !may_be_open {
                continue;
            }
            let rest = text.get(start..).unwrap_or_default();
            let mut tell = |at: u32| {
                let phrase = self.all.get(at as usize);
                if let Some(phrase) = phrase.filter(|phrase| phrase.stands_at(text, start)) {
                    found(phrase.sense);
                }
            };
            if may_be_whole {
                self.whole.each(rest, &mut tell);
            }
            if may_be_open {
                self.open.each(rest, &mut tell);
            }
        }
    }
}

impl<T> Phrase<T> {
    /// Err: why it can never be found.
    pub(crate) fn read(text: &str, sense: T) -> Result<Self, String> {
        let (mut first, mut more) = (None, Vec::new());
        let mut masked = Vec::new();
        let mut parts = text.split('*').enumerate().peekable();
        while let Some((at, part)) = parts.next() {
            normalize(part.as_bytes(), &mut masked);
            if masked.contains(&b'~') {
                return Err(format!("the phrase '{text}' holds what is taken for an id"));
            }
            if !masked.is_empty() {
                let open_left = at > 0 && !part.starts_with(' ');
                let open_right = parts.peek().is_some() && !part.ends_with(' ');
                let piece = PhrasePart { text: masked.as_slice().into(), open_left, open_right };
                if first.is_none() {
                    first = Some(piece);
                } else {
                    more.push(piece);
                }
            }
        }
        let first = first.ok_or_else(|| format!("the phrase '{text}' has no words"))?;
        Ok(Self { sense, first, more })
    }

    /// Its first piece stands at `start`.
    fn stands_at(&self, text: &[u8], start: usize) -> bool {
        let mut end = start + self.first.text.len();
        self.first.is_whole(text, start, end)
            && self.more.iter().all(|piece| {
                let length = piece.text.len();
                let window = text.get(end..text.len().min(end + GAP + length)).unwrap_or_default();
                // A searcher built for each piece costs more than the search.
                let begins = |at: &usize| window.get(*at..).is_some_and(|rest| rest.starts_with(&piece.text));
                let first = piece.text.first().copied().unwrap_or_default();
                let mut starts = memchr_iter(first, window).filter(begins).map(|at| end + at);
                let start = starts.find(|&start| piece.is_whole(text, start, start + length));
                end = start.map_or(end, |start| start + length);
                start.is_some()
            })
    }
}

impl PhrasePart {
    /// No letter or digit goes on where the piece ends in one, unless it is open there.
    fn is_whole(&self, text: &[u8], start: usize, end: usize) -> bool {
        let before = start.checked_sub(1).and_then(|at| text.get(at));
        (self.open_left || !is_word(self.text.first()) || !is_word(before))
            && (self.open_right || !is_word(self.text.last()) || !is_word(text.get(end)))
    }
}

fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn stands(phrase: &str, text: &str, wanted: bool) {
        let phrases = Phrases::new(vec![Phrase::read(phrase, ()).expect("a phrase")]);
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
