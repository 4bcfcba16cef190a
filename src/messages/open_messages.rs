//! The messages of a part that depend on lines before it or behind it, as the file keeps them.
//!
//! Nearly all of them are bounce notices, whose updates differ only in their times and hashes. What they have in common is
//! written once.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::compose::KeptMessage;
use super::message::Message;
use super::origin::SenderIds;
use super::packed_updates::PackedUpdates;
use super::transition::{Transition, Update};
use crate::collections::wire::{ByteText, MapOrArray, PackedBytes, push_number, push_signed};

/// Messages by their keys in rising order.
#[derive(Default)]
pub(crate) struct OpenMessages(pub Vec<(u64, KeptMessage)>);

/// The section `open` of any version: early ones wrote each update whole.
pub(crate) type KeptOpen = MapOrArray<OpenTable, Vec<(u64, KeptMessage)>>;

/// What messages and updates have in common.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OpenTable {
    /// The messages of early versions.
    #[serde(skip_serializing)]
    messages: Vec<EarlyMessage>,
    /// The states of the messages that have one, in their order.
    states: Vec<Message>,
    /// Transitions that began messages.
    begun: Vec<Transition>,
    kinds: Vec<Update>,
}

/// The section `updates`. For each message: the distance of its key from the one before it; its flags; the index of the
/// transition that began it, if there is one; the number of its updates. For each update: the index of its kind, the seconds
/// since the update before it, the first one since 1970, and the hashes that its kind has, in the order recipient, domain,
/// sender, client, user.
pub(crate) type KeptUpdates = ByteText;

/// What is there of a message, as bits.
mod flags {
    pub(super) const IS_KNOWN: u8 = 1;
    pub(super) const BEGUN_BY: u8 = 1 << 1;
    pub(super) const STATE: u8 = 1 << 2;
}

/// Its key, whether it is known, what it was begun by, its state, and its updates; see [`KeptMessage`].
type EarlyMessage = (u64, bool, Option<Transition>, Option<Box<Message>>, Vec<EarlyUpdate>);

/// An update by the index of its kind, its seconds since the update before it, and its hashes.
type EarlyUpdate = (u32, i64, Vec<u64>);

/// The kinds of updates. A kind is an update whose time is 0, if there is one, and whose hashes are 1, if there are any.
#[derive(Default)]
struct UpdateKinds {
    numbers: HashMap<Update, u32, RandomState>,
    kinds: Vec<Update>,
    /// The kind that was asked for last, which is often the next one too.
    last: Option<(Update, u32)>,
}

fn kind(update: &Update) -> Update {
    let has = |hash: u64| u64::from(hash != 0);
    let SenderIds { sender, client, user } = update.origin;
    Update {
        recipient: has(update.recipient),
        at: update.at.map(|_| 0),
        domain: has(update.domain),
        origin: SenderIds { sender: has(sender), client: has(client), user: has(user) },
        ..*update
    }
}

fn hashes(update: &mut Update) -> [&mut u64; 5] {
    let Update { recipient, domain, origin: SenderIds { sender, client, user }, .. } = update;
    [recipient, domain, sender, client, user]
}

impl UpdateKinds {
    fn number(&mut self, kind: Update) -> u32 {
        if let Some((last, number)) = self.last
            && last == kind
        {
            return number;
        }
        let number = *self.numbers.entry(kind).or_insert_with(|| {
            self.kinds.push(kind);
            self.kinds.len() as u32 - 1
        });
        self.last = Some((kind, number));
        number
    }

    fn push(&mut self, updates: &PackedUpdates, packed: &mut Vec<u8>) {
        push_number(packed, updates.len() as u64);
        let mut before = 0;
        for mut update in updates.iter() {
            let at = update.at.unwrap_or(before);
            push_number(packed, self.number(kind(&update)).into());
            push_signed(packed, at.wrapping_sub(before));
            before = at;
            for hash in hashes(&mut update).into_iter().filter(|hash| **hash != 0) {
                packed.extend_from_slice(&hash.to_le_bytes());
            }
        }
    }
}

/// Unpacks the updates of a message. `None`: they are damaged.
fn updates(rest: &mut PackedBytes, kinds: &[Update]) -> Option<Vec<Update>> {
    let mut before = 0_i64;
    let updates = (0..rest.number()?).map(|_| {
        let mut update = *kinds.get(rest.number_as::<usize>()?)?;
        before = before.wrapping_add(rest.signed()?);
        update.at = update.at.map(|_| before);
        for hash in hashes(&mut update).into_iter().filter(|hash| **hash != 0) {
            *hash = rest.hash()?;
        }
        Some(update)
    });
    updates.collect()
}

/// The updates of an early version. `None`: they are damaged.
fn early_updates(updates: Vec<EarlyUpdate>, kinds: &[Update]) -> Option<Vec<Update>> {
    let mut before = 0_i64;
    let updates = updates.into_iter().map(|(number, since, known)| {
        let mut update = *kinds.get(number as usize)?;
        before = before.wrapping_add(since);
        update.at = update.at.map(|_| before);
        let mut known = known.into_iter();
        for hash in hashes(&mut update).into_iter().filter(|hash| **hash != 0) {
            *hash = known.next()?;
        }
        Some(update)
    });
    updates.collect()
}

impl OpenMessages {
    /// The sections `open` and `updates`.
    pub(crate) fn packed(&self) -> (OpenTable, KeptUpdates) {
        let (mut kinds, mut begun, mut states) = (UpdateKinds::default(), Vec::new(), Vec::new());
        let (mut packed, mut before) = (Vec::new(), 0);
        for (key, message) in &self.0 {
            let KeptMessage { earlier, begun_by, is_known, message } = message;
            push_number(&mut packed, key.wrapping_sub(before));
            before = *key;
            let flags = [
                (flags::IS_KNOWN, *is_known),
                (flags::BEGUN_BY, begun_by.is_some()),
                (flags::STATE, message.is_some()),
            ];
            packed.push(flags.into_iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag).sum());
            if let Some(transition) = begun_by {
                let known = begun.iter().position(|other| other == transition);
                push_number(&mut packed, known.unwrap_or(begun.len()) as u64);
                if known.is_none() {
                    begun.push(*transition);
                }
            }
            states.extend(message.as_deref().cloned());
            kinds.push(earlier, &mut packed);
        }
        (OpenTable { messages: Vec::new(), states, begun, kinds: kinds.kinds }, ByteText(packed))
    }

    /// The messages of these sections. `None`: they are damaged.
    pub(crate) fn of(kept: KeptOpen, packed: &KeptUpdates) -> Option<Self> {
        let OpenTable { messages, states, begun, kinds } = match kept {
            MapOrArray::Map(table) => table,
            MapOrArray::Array(messages) => return Some(Self(messages)),
        };
        let early = messages.into_iter().map(|(key, is_known, begun_by, message, updates)| {
            let earlier = early_updates(updates, &kinds)?.into();
            Some((key, KeptMessage { earlier, begun_by, is_known, message }))
        });
        let mut messages = early.collect::<Option<Vec<_>>>()?;
        let (mut rest, mut key, mut states) = (PackedBytes(&packed.0), 0_u64, states.into_iter());
        while !rest.is_empty() {
            key = key.wrapping_add(rest.number()?);
            let bits = rest.byte()?;
            let mut message = KeptMessage { is_known: bits & flags::IS_KNOWN != 0, ..KeptMessage::default() };
            if bits & flags::BEGUN_BY != 0 {
                message.begun_by = Some(*begun.get(rest.number_as::<usize>()?)?);
            }
            if bits & flags::STATE != 0 {
                message.message = Some(Box::new(states.next()?));
            }
            message.earlier = updates(&mut rest, &kinds)?.into();
            messages.push((key, message));
        }
        Some(Self(messages))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(number: u64) -> Update {
        let transitions = [Transition::HeaderRead, Transition::Queued { left: Some(1), null: true }];
        let hash = |bit: u64| if number >> bit & 1 == 0 { 0 } else { number + bit };
        Update {
            transition: transitions[number as usize / 64 % 2],
            recipient: hash(0),
            at: (!number.is_multiple_of(3)).then_some(1_763_000_000 - number as i64),
            failure: None,
            domain: hash(1),
            direction: None,
            wanted: number.is_multiple_of(2),
            concerns: true,
            counts: false,
            origin: SenderIds { sender: hash(2), client: hash(3), user: hash(4) },
            host: number % 2,
        }
    }

    fn updates_of(messages: &[(u64, KeptMessage)]) -> Vec<Vec<Update>> {
        messages.iter().map(|(_, message)| message.earlier.iter().collect()).collect()
    }

    #[test]
    fn messages_of_both_versions_are_read() {
        let message = |key: u64| {
            let earlier: Vec<Update> = (key..key + 5).map(update).collect();
            (
                key,
                KeptMessage {
                    earlier: earlier.into(),
                    is_known: key.is_multiple_of(2),
                    ..KeptMessage::default()
                },
            )
        };
        let whole = OpenMessages((0..300).map(message).collect());
        let (mut bytes, mut early) = (Vec::new(), Vec::new());
        let (table, updates_of_all) = whole.packed();
        ciborium::into_writer(&table, &mut bytes).unwrap();
        ciborium::into_writer(&whole.0, &mut early).unwrap();
        let length = bytes.len() + updates_of_all.0.len();
        assert!(length < early.len() / 2, "{length} and {}", early.len());
        for (bytes, packed) in [(bytes, updates_of_all), (early, ByteText::default())] {
            let OpenMessages(read) =
                OpenMessages::of(ciborium::from_reader(&*bytes).unwrap(), &packed).unwrap();
            assert_eq!(updates_of(&read), updates_of(&whole.0));
            assert!(read.iter().all(|(key, message)| message.is_known == (key % 2 == 0)));
        }
    }

    #[test]
    fn updates_of_no_kind_and_without_their_hashes_are_damaged() {
        let kinds = [Update { recipient: 1, ..update(0) }];
        assert!(early_updates(vec![(0, 5, vec![77])], &kinds).is_some());
        assert!(early_updates(vec![(1, 5, vec![77])], &kinds).is_none());
        assert!(early_updates(vec![(0, 5, Vec::new())], &kinds).is_none());
        let read = |bytes: &[u8]| updates(&mut PackedBytes(bytes), &kinds).map(|updates| updates.len());
        assert_eq!(read(&[1, 0, 5, 77, 0, 0, 0, 0, 0, 0, 0]), Some(1));
        assert_eq!(read(&[1, 1, 5, 77, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(read(&[1, 0, 5, 77]), None);
    }
}
