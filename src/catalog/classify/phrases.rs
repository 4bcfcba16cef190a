//! Finds the phrases of the rules in the normalized text of a reply.

use memchr::memchr_iter;

use super::normalize::normalize;
use super::prefix_index::PrefixIndex;

/// All phrases, each with its owner: a rule or a provider.
pub(crate) struct Phrases<T> {
    all: Vec<Phrase<T>>,
    /// The first parts that match only at the start of a word. The index's numbers are positions in `all`.
    word_start: PrefixIndex,
    /// The first parts that match anywhere: those of phrases that begin with `*`.
    any_place: PrefixIndex,
}

/// A compiled phrase, such as `mailbox * full`.
pub(crate) struct Phrase<T> {
    owner: T,
    first: PhrasePart,
    /// The parts behind the first, in order. Empty: the phrase has no `*` inside.
    rest: Vec<PhrasePart>,
}

/// The normalized text between two `*` of a phrase.
struct PhrasePart {
    text: Box<[u8]>,
    /// A letter or digit may stand directly before the part: the phrase has `*` there without a blank.
    open_left: bool,
    /// The same directly after the part.
    open_right: bool,
}

/// The largest number of bytes that a `*` between two parts stands for.
const GAP_BYTES: usize = 80;

impl<T: Copy> Phrases<T> {
    pub(crate) fn new(all: Vec<Phrase<T>>) -> Self {
        let first_parts = |open: bool| {
            let parts = all.iter().map(|phrase| &phrase.first).zip(0..);
            let wanted = parts.filter(|(part, _)| part.open_left == open);
            PrefixIndex::new(wanted.map(|(part, at)| (&*part.text, at)))
        };
        Self { word_start: first_parts(false), any_place: first_parts(true), all }
    }

    /// Calls `found` with the owner of each phrase in the text. The order is undefined, and a phrase that occurs twice
    /// is reported twice.
    pub(crate) fn find(&self, text: &[u8], mut found: impl FnMut(T)) {
        let mut in_word = false;
        for (start, &first) in text.iter().enumerate() {
            let is_word = first.is_ascii_alphanumeric();
            let may_start_word = !(in_word && is_word) && self.word_start.may_begin(first);
            in_word = is_word;
            let may_start_anywhere = self.any_place.may_begin(first);
            if !may_start_word && !may_start_anywhere {
                continue;
            }
            let rest = text.get(start..).unwrap_or_default();
            let mut check = |at: u32| {
                let phrase = self.all.get(at as usize);
                if let Some(phrase) = phrase.filter(|phrase| phrase.matches_at(text, start)) {
                    found(phrase.owner);
                }
            };
            if may_start_word {
                self.word_start.each_prefix(rest, &mut check);
            }
            if may_start_anywhere {
                self.any_place.each_prefix(rest, &mut check);
            }
        }
    }
}

impl<T> Phrase<T> {
    /// Parses a phrase. `Err` says why the phrase can never match.
    pub(crate) fn read(text: &str, owner: T) -> Result<Self, String> {
        let (mut first, mut rest) = (None, Vec::new());
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
                let part = PhrasePart { text: masked.as_slice().into(), open_left, open_right };
                if first.is_none() {
                    first = Some(part);
                } else {
                    rest.push(part);
                }
            }
        }
        let first = first.ok_or_else(|| format!("the phrase '{text}' has no words"))?;
        Ok(Self { owner, first, rest })
    }

    pub(crate) fn owner_mut(&mut self) -> &mut T {
        &mut self.owner
    }

    /// Whether the phrase matches with its first part at the byte offset `start`. Each further part matches at its
    /// leftmost place within [`GAP_BYTES`]; there is no backtracking.
    fn matches_at(&self, text: &[u8], start: usize) -> bool {
        let mut end = start + self.first.text.len();
        self.first.is_whole(text, start, end)
            && self.rest.iter().all(|part| {
                let length = part.text.len();
                let window = text.get(end..text.len().min(end + GAP_BYTES + length)).unwrap_or_default();
                // A memmem searcher for each part costs more to build than the search.
                let begins = |at: &usize| window.get(*at..).is_some_and(|rest| rest.starts_with(&part.text));
                let first = part.text.first().copied().unwrap_or_default();
                let mut starts = memchr_iter(first, window).filter(begins).map(|at| end + at);
                let start = starts.find(|&start| part.is_whole(text, start, start + length));
                end = start.map_or(end, |start| start + length);
                start.is_some()
            })
    }
}

impl PhrasePart {
    /// Whether `start..end` begins and ends at a word boundary. An open end needs no boundary.
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
    fn check(phrase: &str, text: &str, wanted: bool) {
        let phrases = Phrases::new(vec![Phrase::read(phrase, ()).expect("a phrase")]);
        let mut found = false;
        phrases.find(text.as_bytes(), |()| found = true);
        assert_eq!(found, wanted, "{phrase} in {text}");
    }

    #[test]
    fn finds_whole_words() {
        check("user unknown", "5.1.1 user unknown in table", true);
        check("mailbox * full", "mailbox of bob is full", true);
        check("greylist*", "you are greylisted", true);
        check("*list", "on a blacklist today", true);
        check("[tss04]", "refused [tss04]", true);
        check("Over-Quota", "is over quota", true);
        check("a * c * e", "a b c d e", true);
    }

    #[test]
    fn does_not_find_parts_of_words_or_another_order() {
        check("spam", "spamhaus", false);
        check("dul", "module", false);
        check("greylist", "greylisted", false);
        check("mailbox * full", "full is the mailbox", false);
        check("mailbox * full", "mailbox of bob is fully there", false);
        check("user unknown", "user unknow", false);
        check("a * c * e", "a b e d c", false);
        check("near * far", &format!("near {} far", "x".repeat(200)), false);
    }
}
