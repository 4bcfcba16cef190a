//! The senders, clients and logins of a part as the file keeps them.

use serde::{Deserialize, Serialize};

use super::key::KeyHasher;
use super::mail_counts::{CompactMailCounts, MailCounts};
use super::origin::Attempts;
use crate::collections::texts::Texts;
use crate::collections::wire::{ByteText, PackedBytes, PackedOrArray, push_number};

/// The largest number of names that is read: parts keep fewer.
const MOST: usize = 1 << 19;

/// A table as a part keeps it.
#[derive(Default, Serialize, Deserialize, Debug)]
pub(crate) struct KeptNames {
    /// For each name the byte of [`presence`], the counts that are there, and its hash if its text does not tell it. The
    /// names stand in the rising order of their hashes.
    names: PackedOrArray<EarlyName>,
    /// The names in lower case. Empty: no line of the part spells it out.
    #[serde(default)]
    texts: Texts,
    pub dropped: MailCounts,
    pub max_undercount: u64,
}

/// The hash of a name, the name, messages, attempts by result, and rejections.
type EarlyName = (u64, ByteText, u32, Attempts, u32);

/// Which counts of a name are not 0, as bits: messages, the four results of attempts and rejections, from the lowest on.
mod presence {
    /// The hash follows the counts.
    pub(super) const HASH: u8 = 1 << 6;
}

/// A name with its hash and its counts.
pub(super) type KeptName<'a> = (u64, &'a [u8], CompactMailCounts);

impl KeptNames {
    pub(super) fn new(dropped: MailCounts, max_undercount: u64) -> Self {
        let names = PackedOrArray::Packed(ByteText::default());
        Self { names, texts: Texts::default(), dropped, max_undercount }
    }

    /// Adds a name whose hash is greater than that of all before. `keys` hash for parts.
    pub(super) fn push(&mut self, (hash, name, counts): KeptName, keys: &KeyHasher) {
        let PackedOrArray::Packed(ByteText(packed)) = &mut self.names else { return };
        let CompactMailCounts { messages, attempts, rejected } = counts;
        let [delivered, deferred, bounced, expired] = attempts.values();
        let numbers = [messages, delivered, deferred, bounced, expired, rejected];
        let bits = numbers.into_iter().rev().fold(0, |bits, number| bits << 1 | u8::from(number != 0));
        let is_told = !name.is_empty() && keys.name(name) == hash;
        packed.push(if is_told { bits } else { bits | presence::HASH });
        for number in numbers.into_iter().filter(|number| *number != 0) {
            push_number(packed, number.into());
        }
        if !is_told {
            packed.extend_from_slice(&hash.to_le_bytes());
        }
        self.texts.push(name);
    }

    /// Calls `then` with each name. `None`: they are damaged.
    pub(super) fn each(&self, keys: &KeyHasher, mut then: impl FnMut(KeptName)) -> Option<()> {
        let packed = match &self.names {
            PackedOrArray::Packed(packed) => packed,
            PackedOrArray::Array(early) => {
                for (hash, name, messages, attempts, rejected) in early {
                    let counts =
                        CompactMailCounts { messages: *messages, attempts: *attempts, rejected: *rejected };
                    then((*hash, &name.0, counts));
                }
                return Some(());
            }
        };
        let (mut rest, mut count) = (PackedBytes(&packed.0), 0);
        self.texts.each(|name| {
            // A damaged table could ask for any memory.
            count += 1;
            if count > MOST {
                return None;
            }
            let mut bits = rest.byte()?;
            let has_hash = bits & presence::HASH != 0;
            let mut number = || {
                let is_there = bits & 1 == 1;
                bits >>= 1;
                if is_there { rest.number_as::<u32>() } else { Some(0) }
            };
            let messages = number()?;
            let attempts = Attempts::of_values([number()?, number()?, number()?, number()?]);
            let counts = CompactMailCounts { messages, attempts, rejected: number()? };
            let hash = if has_hash { rest.hash()? } else { keys.name(name) };
            then((hash, name, counts));
            Some(())
        })?;
        rest.is_empty().then_some(())
    }

    /// The table with other names. `None`: it is damaged.
    pub(crate) fn renamed(&self, mut name: impl FnMut(&[u8]) -> Vec<u8>) -> Option<Self> {
        let keys = KeyHasher::for_parts();
        let mut renamed = Self::new(self.dropped, self.max_undercount);
        self.each(&keys, |(hash, text, counts)| {
            let text = if text.is_empty() { Vec::new() } else { name(text) };
            renamed.push((hash, &text, counts), &keys);
        })?;
        Some(renamed)
    }
}
