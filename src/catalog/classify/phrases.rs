//! Finds the phrases of the rules in the normalized text of a reply.
//!
//! build.rs compiles this file too: it makes static data of the built-in phrases, so that a start does not read them.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memchr_iter;

use super::normalize::normalize;
use super::prefix_index::PrefixIndex;

/// Phrases with their owners, such as rules.
pub(crate) struct Phrases<O: Copy + 'static> {
    pub all: Cow<'static, [Phrase]>,
    /// The further parts of all phrases.
    pub parts: Cow<'static, [PhrasePart]>,
    /// The bytes of all parts.
    pub text: Cow<'static, [u8]>,
    /// The owners, those of each phrase side by side.
    pub owners: Cow<'static, [O]>,
    /// The first parts that match only at the start of a word. The index's numbers are positions in `all`.
    pub word_start: PrefixIndex,
    /// The first parts that match anywhere: those of phrases that begin with `*`.
    pub any_place: PrefixIndex,
}

/// A compiled phrase, such as `mailbox * full`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phrase {
    pub first: PhrasePart,
    /// The parts behind the first, in order: `from..to` in [`Phrases::parts`]. Empty: the phrase has no `*` inside.
    pub rest: (u32, u32),
    /// `from..to` in [`Phrases::owners`].
    pub owners: (u32, u32),
}

/// The normalized text between two `*` of a phrase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PhrasePart {
    /// `from..to` in [`Phrases::text`]. Never empty.
    pub text: (u32, u32),
    /// A letter or digit may stand directly before the part: the phrase has `*` there without a blank.
    pub open_left: bool,
    /// The same directly after the part.
    pub open_right: bool,
}

/// The largest number of bytes that a `*` between two parts stands for.
const GAP_BYTES: usize = 80;

/// Phrases while they are collected. A phrase that several owners have is read once.
pub(crate) struct PhraseBuilder<'a, O> {
    all: Vec<Phrase>,
    parts: Vec<PhrasePart>,
    text: Vec<u8>,
    /// The positions of the phrases in `all`.
    positions: HashMap<&'a str, u32>,
    /// With the position of the phrase.
    owners: Vec<(u32, O)>,
}

impl<'a, O: Copy> PhraseBuilder<'a, O> {
    pub(crate) fn new() -> Self {
        Self {
            all: Vec::new(),
            parts: Vec::new(),
            text: Vec::new(),
            positions: HashMap::new(),
            owners: Vec::new(),
        }
    }

    /// Adds a phrase. `Err` says why it can never match.
    pub(crate) fn add(&mut self, phrase: &'a str, owner: O) -> Result<(), String> {
        let next = self.all.len() as u32;
        let position = *self.positions.entry(phrase).or_insert(next);
        if position == next {
            self.read(phrase)?;
        }
        self.owners.push((position, owner));
        Ok(())
    }

    fn read(&mut self, phrase: &str) -> Result<(), String> {
        let mut first = None;
        let from = self.parts.len() as u32;
        let mut masked = Vec::new();
        let mut parts = phrase.split('*').enumerate().peekable();
        while let Some((at, part)) = parts.next() {
            normalize(part.as_bytes(), &mut masked);
            if masked.contains(&b'~') {
                return Err(format!("the phrase '{phrase}' holds what is taken for an id"));
            }
            if !masked.is_empty() {
                let start = self.text.len() as u32;
                self.text.extend_from_slice(&masked);
                let part = PhrasePart {
                    text: (start, self.text.len() as u32),
                    open_left: at > 0 && !part.starts_with(' '),
                    open_right: parts.peek().is_some() && !part.ends_with(' '),
                };
                if first.is_none() {
                    first = Some(part);
                } else {
                    self.parts.push(part);
                }
            }
        }
        let first = first.ok_or_else(|| format!("the phrase '{phrase}' has no words"))?;
        self.all.push(Phrase { first, rest: (from, self.parts.len() as u32), owners: (0, 0) });
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Phrases<O> {
        self.owners.sort_by_key(|(position, _)| *position);
        for (position, at) in self.owners.iter().map(|(position, _)| *position as usize).zip(0..) {
            if let Some(phrase) = self.all.get_mut(position) {
                let (from, to) = phrase.owners;
                phrase.owners = (if to == 0 { at } else { from }, at + 1);
            }
        }
        let first_parts = |open: bool| {
            let parts = self.all.iter().map(|phrase| phrase.first).zip(0..);
            let wanted = parts.filter(|(part, _)| part.open_left == open);
            PrefixIndex::new(wanted.map(|(part, at)| (range(&self.text, part.text), at)))
        };
        Phrases {
            word_start: first_parts(false),
            any_place: first_parts(true),
            all: self.all.into(),
            parts: self.parts.into(),
            text: self.text.into(),
            owners: self.owners.into_iter().map(|(_, owner)| owner).collect::<Vec<_>>().into(),
        }
    }
}

impl<O: Copy> Phrases<O> {
    /// Calls `found` with each owner of each phrase in the text. The order is undefined, and a phrase that occurs twice
    /// is reported twice.
    pub(crate) fn find(&self, text: &[u8], mut found: impl FnMut(O)) {
        // Most runs have no rules of their own, and no phrase that begins inside a word.
        if self.all.is_empty() {
            return;
        }
        let has_any_place = !self.any_place.words.is_empty();
        let mut in_word = false;
        for (start, &first) in text.iter().enumerate() {
            let is_word = first.is_ascii_alphanumeric();
            let may_start_word = !(in_word && is_word) && self.word_start.may_begin(first);
            in_word = is_word;
            let may_start_anywhere = has_any_place && self.any_place.may_begin(first);
            if !may_start_word && !may_start_anywhere {
                continue;
            }
            let rest = text.get(start..).unwrap_or_default();
            let mut check = |at: u32| {
                let phrase = self.all.get(at as usize);
                if let Some(phrase) = phrase.filter(|phrase| self.matches_at(phrase, text, start)) {
                    for &owner in range(&self.owners, phrase.owners) {
                        found(owner);
                    }
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

    /// Whether a phrase, whose first part stands at the byte offset `start`, matches there. Each further part matches at its
    /// leftmost place within [`GAP_BYTES`]; there is no backtracking.
    fn matches_at(&self, phrase: &Phrase, text: &[u8], start: usize) -> bool {
        let mut end = start + phrase.first.len();
        self.is_whole(phrase.first, text, start, end)
            && range(&self.parts, phrase.rest).iter().all(|part| {
                let words = range(&self.text, part.text);
                let window = text.get(end..text.len().min(end + GAP_BYTES + words.len())).unwrap_or_default();
                // A memmem searcher for each part costs more to build than the search.
                let begins = |at: &usize| window.get(*at..).is_some_and(|rest| rest.starts_with(words));
                let first = words.first().copied().unwrap_or_default();
                let mut starts = memchr_iter(first, window).filter(begins).map(|at| end + at);
                let start = starts.find(|&start| self.is_whole(*part, text, start, start + words.len()));
                end = start.map_or(end, |start| start + words.len());
                start.is_some()
            })
    }

    /// Whether `start..end` begins and ends at a word boundary. An open end needs no boundary.
    fn is_whole(&self, part: PhrasePart, text: &[u8], start: usize, end: usize) -> bool {
        let words = range(&self.text, part.text);
        let before = start.checked_sub(1).and_then(|at| text.get(at));
        (part.open_left || !is_word(words.first()) || !is_word(before))
            && (part.open_right || !is_word(words.last()) || !is_word(text.get(end)))
    }
}

impl PhrasePart {
    /// In bytes.
    fn len(self) -> usize {
        (self.text.1 - self.text.0) as usize
    }
}

/// `from..to` of a list. Empty if there is no such range.
fn range<T>(list: &[T], (from, to): (u32, u32)) -> &[T] {
    list.get(from as usize..to as usize).unwrap_or_default()
}

fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(phrase: &str, text: &str, wanted: bool) {
        let mut phrases = PhraseBuilder::new();
        phrases.add(phrase, ()).expect("a phrase");
        let mut found = false;
        phrases.finish().find(text.as_bytes(), |()| found = true);
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

    #[test]
    fn tells_every_owner_of_a_phrase() {
        let mut phrases = PhraseBuilder::new();
        for (owner, phrase) in [(1, "mailbox"), (2, "full"), (3, "mailbox"), (4, "quota"), (5, "full")] {
            phrases.add(phrase, owner).expect("a phrase");
        }
        let phrases = phrases.finish();
        let mut found = Vec::new();
        phrases.find(b"mailbox full", |owner| found.push(owner));
        assert_eq!(found, [1, 3, 2, 5]);
    }

    #[test]
    fn takes_no_phrase_that_can_never_match() {
        for phrase in ["", "*", " * ", "id 123456789"] {
            assert!(PhraseBuilder::new().add(phrase, ()).is_err(), "{phrase}");
        }
    }
}
