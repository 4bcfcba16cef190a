//! Texts as a part keeps them: one behind another, and of mail addresses with the same domain the domain once.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use memchr::memrchr;
use serde::{Deserialize, Serialize};

use super::wire::{ByteText, MapOrArray, PackedBytes, push_number};

/// The longest domain that is shared (RFC 1035 §2.3.4).
const LONGEST: usize = 255;

/// Texts in their order. Early versions of a part keep an array of byte strings.
#[derive(Clone, Default, Serialize, Deserialize, Debug)]
#[serde(from = "MapOrArray<TextColumns, Vec<ByteText>>")]
pub(crate) struct Texts {
    /// For each text twice its length. If its domain is that of a text before: twice the length up to the `@`, plus 1, and
    /// the number of the domain among those that came first in a text, from 0 on.
    lengths: ByteText,
    text: ByteText,
    #[serde(skip)]
    domains: Domains,
}

/// [`Texts`] as they are written.
#[derive(Deserialize)]
struct TextColumns {
    lengths: ByteText,
    text: ByteText,
}

/// The domains of texts that are being packed.
#[derive(Clone, Default, Debug)]
struct Domains {
    /// The first byte of each domain in the text, and its length.
    places: Vec<(usize, usize)>,
    /// The numbers of the domains.
    numbers: HashTable<usize>,
    hasher: FixedState,
}

/// Splits an address behind its `@`. `None`: it has no domain that can be shared.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (local, domain) = text.split_at_checked(memrchr(b'@', text)? + 1)?;
    (1..=LONGEST).contains(&domain.len()).then_some((local, domain))
}

impl From<MapOrArray<TextColumns, Vec<ByteText>>> for Texts {
    fn from(kept: MapOrArray<TextColumns, Vec<ByteText>>) -> Self {
        match kept {
            MapOrArray::Map(TextColumns { lengths, text }) => {
                Self { lengths, text, domains: Domains::default() }
            }
            MapOrArray::Array(texts) => texts.iter().map(|text| &*text.0).collect(),
        }
    }
}

impl<'a> FromIterator<&'a [u8]> for Texts {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(all: I) -> Self {
        let mut texts = Self::default();
        all.into_iter().for_each(|text| texts.push(text));
        texts
    }
}

impl Texts {
    pub(crate) fn push(&mut self, text: &[u8]) {
        let Self { lengths: ByteText(lengths), text: ByteText(all), domains } = self;
        if let Some((local, domain)) = split(text) {
            let Domains { places, numbers, hasher } = domains;
            let hash = hasher.hash_one(domain);
            let known = |number: usize| {
                let (start, length) = places.get(number).copied().unwrap_or_default();
                all.get(start..start + length).unwrap_or_default()
            };
            if let Some(&number) = numbers.find(hash, |number| known(*number) == domain) {
                push_number(lengths, local.len() as u64 * 2 + 1);
                push_number(lengths, number as u64);
                all.extend_from_slice(local);
                return;
            }
            numbers.insert_unique(hash, places.len(), |number| hasher.hash_one(known(*number)));
            places.push((all.len() + local.len(), domain.len()));
        }
        push_number(lengths, text.len() as u64 * 2);
        all.extend_from_slice(text);
    }

    /// Calls `then` with each text, which returns `None` to stop. `None`: it did, or the texts are damaged.
    pub(crate) fn each(&self, mut then: impl FnMut(&[u8]) -> Option<()>) -> Option<()> {
        let (mut lengths, mut text) = (PackedBytes(&self.lengths.0), PackedBytes(&self.text.0));
        let (mut domains, mut joined) = (Vec::<&[u8]>::new(), Vec::new());
        while !lengths.is_empty() {
            let length = lengths.number()?;
            let own = text.take(usize::try_from(length / 2).ok()?)?;
            if length % 2 == 1 {
                let domain = domains.get(lengths.number_as::<usize>()?)?;
                joined.clear();
                joined.extend_from_slice(own);
                joined.extend_from_slice(domain);
                then(&joined)?;
            } else {
                domains.extend(split(own).map(|(_, domain)| domain));
                then(own)?;
            }
        }
        text.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(texts: &Texts) -> Option<Vec<Vec<u8>>> {
        let mut all = Vec::new();
        texts.each(|text| {
            all.push(text.to_vec());
            Some(())
        })?;
        Some(all)
    }

    #[test]
    fn texts_come_back_and_domains_are_kept_once() {
        let long = [b"a@".as_slice(), &[b'x'; 300]].concat();
        let given: Vec<&[u8]> = vec![
            b"",
            b"a@example.org",
            b"b@example.org",
            b"example.org",
            b"a@b@example.net",
            b"@example.net",
            b"a@",
            b"@",
            &long,
            &long,
            b"\xff@example.org",
        ];
        let texts: Texts = given.iter().copied().collect();
        assert_eq!(all(&texts).unwrap(), given);
        let many: Vec<Vec<u8>> =
            (0..5000).map(|number| format!("{number}@{}.example.org", number % 70).into_bytes()).collect();
        let mut texts: Texts = many.iter().map(Vec::as_slice).collect();
        assert_eq!(all(&texts).unwrap(), many);
        assert!(texts.text.0.len() < 5000 * 6, "{}", texts.text.0.len());
        let mut bytes = Vec::new();
        ciborium::into_writer(&texts, &mut bytes).unwrap();
        assert_eq!(all(&ciborium::from_reader(&*bytes).unwrap()).unwrap(), many);
        texts.text.0.pop();
        assert_eq!(all(&texts), None);
    }

    #[test]
    fn an_array_of_an_early_version_is_read() {
        let early = vec![ByteText(b"a@example.org".to_vec()), ByteText(b"b@example.org".to_vec())];
        let mut bytes = Vec::new();
        ciborium::into_writer(&early, &mut bytes).unwrap();
        assert_eq!(
            all(&ciborium::from_reader(&*bytes).unwrap()).unwrap(),
            [early[0].0.clone(), early[1].0.clone()]
        );
    }
}
