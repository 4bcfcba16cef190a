//! The messages of a part that depend on lines before it or behind it, as the file keeps them.
//!
//! Nearly all of them are bounce notices, whose updates differ only in their times and hashes. What they have in common is
//! written once.

use std::cell::RefCell;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::compose::KeptMessage;
use super::message::Message;
use super::origin::SenderIds;
use super::packed_updates::PackedUpdates;
use super::transition::{Transition, Update};
use crate::collections::wire::MapOrArray;

/// Messages by their keys in rising order.
#[derive(Default, Deserialize)]
#[serde(try_from = "MapOrArray<OpenTable, Vec<(u64, KeptMessage)>>")]
pub(crate) struct OpenMessages(pub Vec<(u64, KeptMessage)>);

/// Messages with the kinds of their updates.
#[derive(Deserialize)]
struct OpenTable {
    messages: Vec<MessageWithUpdates>,
    kinds: Vec<Update>,
}

/// Its key, whether it is known, what it was begun by, its state, and its updates; see [`KeptMessage`].
type MessageWithUpdates = (u64, bool, Option<Transition>, Option<Box<Message>>, Vec<UpdateOfKind>);

/// An update by the index of its kind: its seconds since the update of the message before it, the first one since 1970, and
/// the hashes that its kind has, in the order recipient, domain, sender, client, user.
type UpdateOfKind = (u32, i64, Vec<u64>);

/// The kinds of updates. A kind is an update whose time is 0, if there is one, and whose hashes are 1, if there are any.
#[derive(Default)]
struct UpdateKinds {
    numbers: HashMap<Update, u32, RandomState>,
    kinds: Vec<Update>,
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
        *self.numbers.entry(kind).or_insert_with(|| {
            self.kinds.push(kind);
            self.kinds.len() as u32 - 1
        })
    }

    fn split(&mut self, updates: &PackedUpdates) -> Vec<UpdateOfKind> {
        let mut before = 0;
        let updates = updates.iter().map(|mut update| {
            let at = update.at.unwrap_or(before);
            let since = at.wrapping_sub(before);
            before = at;
            let number = self.number(kind(&update));
            let hashes = hashes(&mut update).into_iter().map(|hash| *hash).filter(|hash| *hash != 0);
            (number, since, hashes.collect())
        });
        updates.collect()
    }
}

/// `None`: they are damaged.
fn join(updates: Vec<UpdateOfKind>, kinds: &[Update]) -> Option<Vec<Update>> {
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

/// The messages, whose kinds of updates are found while they are written.
struct WithKinds<'a> {
    messages: &'a [(u64, KeptMessage)],
    kinds: RefCell<UpdateKinds>,
}

impl Serialize for WithKinds<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.messages.iter().map(|(key, message)| {
            let KeptMessage { earlier, begun_by, is_known, message } = message;
            (key, is_known, begun_by, message, self.kinds.borrow_mut().split(earlier))
        }))
    }
}

impl Serialize for OpenMessages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let messages = WithKinds { messages: &self.0, kinds: RefCell::default() };
        let mut table = serializer.serialize_struct("OpenTable", 2)?;
        table.serialize_field("messages", &messages)?;
        table.serialize_field("kinds", &messages.kinds.borrow().kinds)?;
        table.end()
    }
}

impl TryFrom<MapOrArray<OpenTable, Vec<(u64, KeptMessage)>>> for OpenMessages {
    type Error = &'static str;

    fn try_from(kept: MapOrArray<OpenTable, Vec<(u64, KeptMessage)>>) -> Result<Self, &'static str> {
        let OpenTable { messages, kinds } = match kept {
            MapOrArray::Map(table) => table,
            // Early versions wrote each update whole.
            MapOrArray::Array(messages) => return Ok(Self(messages)),
        };
        let messages = messages.into_iter().map(|(key, is_known, begun_by, message, updates)| {
            let earlier = join(updates, &kinds)?.into();
            Some((key, KeptMessage { earlier, begun_by, is_known, message }))
        });
        messages.collect::<Option<Vec<_>>>().map(Self).ok_or("an update is damaged")
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

    fn updates(messages: &[(u64, KeptMessage)]) -> Vec<Vec<Update>> {
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
        ciborium::into_writer(&whole, &mut bytes).unwrap();
        ciborium::into_writer(&whole.0, &mut early).unwrap();
        assert!(bytes.len() < early.len() / 3, "{} and {}", bytes.len(), early.len());
        for bytes in [bytes, early] {
            let OpenMessages(read) = ciborium::from_reader(&*bytes).unwrap();
            assert_eq!(updates(&read), updates(&whole.0));
            assert!(read.iter().all(|(key, message)| message.is_known == (key % 2 == 0)));
        }
    }

    #[test]
    fn updates_of_no_kind_and_without_their_hashes_are_damaged() {
        let kinds = [Update { recipient: 1, ..update(0) }];
        assert!(join(vec![(0, 5, vec![77])], &kinds).is_some());
        assert!(join(vec![(1, 5, vec![77])], &kinds).is_none());
        assert!(join(vec![(0, 5, Vec::new())], &kinds).is_none());
    }
}
