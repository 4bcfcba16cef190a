//! Counts the mail of the senders, clients and logins of one block.
//!
//! A message counts for its names once, when it ends. What is said of a name in a block is put together as far as that
//! is cheap; to know all names is for who gets the blocks in order.

use hashbrown::HashMap;

use super::key::{KeyHasher, PrehashedState};
use super::mail_counts::{MailCountArray, REFUSED, add, counts};
use super::origin::{Attempts, SenderIds};
use crate::collections::interner::to_lowercase;
use crate::parse::mta::queue_record::MessageFields;
use crate::smtp::event::Event;

/// One value for each kind of names.
#[derive(Clone, Default, Debug)]
pub struct PerRole<T> {
    pub senders: T,
    pub clients: T,
    pub users: T,
}

/// The names of one block.
pub(crate) type BlockNames = PerRole<RoleNames>;

/// Names of one kind, as they are met.
#[derive(Clone, Default, Debug)]
pub struct RoleNames {
    names: NameSet,
    /// The index of each name's entry, by the hash of the name.
    places: HashMap<u64, usize, PrehashedState>,
}

/// Names of one kind with their counts, in the order of the lines. After a merge, a name may have several entries.
#[derive(Clone, Default, Debug)]
pub struct NameSet {
    pub entries: Vec<NameEntry>,
    /// Names in small letters, one behind the other.
    text: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
pub struct NameEntry {
    /// Of the name.
    pub hash: u64,
    /// Where the name stands in the text.
    start: u32,
    /// 0: only its hash came here.
    length: u8,
    pub counts: MailCountArray,
}

/// The null sender has no letters to be shown by.
fn shown(sender: &[u8]) -> &[u8] {
    if sender.is_empty() { b"<>" } else { sender }
}

impl BlockNames {
    /// Notes the names that a line says.
    pub fn learn(&mut self, said: &MessageFields, keys: &KeyHasher) -> SenderIds {
        SenderIds {
            sender: self.senders.sender(said.sender, keys),
            client: self.clients.note(said.client, keys),
            user: self.users.note(said.user, keys),
        }
    }

    /// A refusal, of a message that has not come yet or never will.
    pub fn refuse(&mut self, event: &Event, keys: &KeyHasher) {
        if let Some(sender) = event.sender {
            add(self.senders.meet(shown(sender), keys).1, &REFUSED);
        }
        if let Some(client) = event.peer.ip.or(event.peer.host) {
            add(self.clients.meet(client, keys).1, &REFUSED);
        }
    }

    /// A message of which no more will be said. `messages`: 1 if it is in the sums of messages, else 0.
    pub fn add(&mut self, origin: SenderIds, attempts: Attempts, messages: u32) {
        let counts = counts(messages, attempts);
        if counts != MailCountArray::default() {
            self.give(origin, &counts);
        }
    }

    pub fn give(&mut self, origin: SenderIds, counts: &MailCountArray) {
        let SenderIds { sender, client, user } = origin;
        self.senders.add(sender, counts);
        self.clients.add(client, counts);
        self.users.add(user, counts);
    }

    pub fn merge(&mut self, other: &Self) {
        self.senders.names.append(&other.senders.names);
        self.clients.names.append(&other.clients.names);
        self.users.names.append(&other.users.names);
    }

    /// All that was met since the last time.
    pub fn hand_over(&mut self) -> PerRole<NameSet> {
        PerRole {
            senders: self.senders.hand_over(),
            clients: self.clients.hand_over(),
            users: self.users.hand_over(),
        }
    }
}

impl PerRole<NameSet> {
    /// In bytes, about.
    pub fn held(&self) -> usize {
        let held =
            |names: &NameSet| names.entries.capacity() * size_of::<NameEntry>() + names.text.capacity();
        held(&self.senders) + held(&self.clients) + held(&self.users)
    }
}

impl RoleNames {
    /// The hash of a name, whose letters' case makes no difference; 0 for None.
    pub fn note(&mut self, name: Option<&[u8]>, keys: &KeyHasher) -> u64 {
        name.map_or(0, |name| self.meet(name, keys).0)
    }

    /// The same for a sender.
    pub fn sender(&mut self, sender: Option<&[u8]>, keys: &KeyHasher) -> u64 {
        self.note(sender.map(shown), keys)
    }

    fn meet(&mut self, name: &[u8], keys: &KeyHasher) -> (u64, &mut MailCountArray) {
        to_lowercase(name, |name| {
            let hash = keys.name(name);
            let at = self.place(hash);
            self.names.call(at, name);
            (hash, self.names.counts(at))
        })
    }

    pub fn add(&mut self, hash: u64, counts: &MailCountArray) {
        if hash != 0 {
            let at = self.place(hash);
            add(self.names.counts(at), counts);
        }
    }

    /// The index of the entry of a name.
    fn place(&mut self, hash: u64) -> usize {
        let entries = &mut self.names.entries;
        *self.places.entry(hash).or_insert_with(|| {
            entries.push(NameEntry { hash, start: 0, length: 0, counts: MailCountArray::default() });
            entries.len() - 1
        })
    }

    pub fn hand_over(&mut self) -> NameSet {
        self.places.clear();
        let NameSet { entries, text } = &self.names;
        // The next block has about as many.
        let next =
            NameSet { entries: Vec::with_capacity(entries.len()), text: Vec::with_capacity(text.len()) };
        std::mem::replace(&mut self.names, next)
    }
}

impl NameSet {
    /// Empty: only its hash is known.
    pub fn name(&self, entry: &NameEntry) -> &[u8] {
        let start = entry.start as usize;
        self.text.get(start..start + usize::from(entry.length)).unwrap_or_default()
    }

    fn append(&mut self, other: &Self) {
        let before = self.text.len() as u32;
        self.text.extend_from_slice(&other.text);
        let moved = other.entries.iter().map(|entry| NameEntry { start: entry.start + before, ..*entry });
        self.entries.extend(moved);
    }

    /// `name` is in small letters, and has at most 255 of them.
    fn call(&mut self, at: usize, name: &[u8]) {
        if let Some(entry) = self.entries.get_mut(at).filter(|entry| entry.length == 0) {
            (entry.start, entry.length) = (self.text.len() as u32, name.len() as u8);
            self.text.extend_from_slice(name);
        }
    }

    fn counts(&mut self, at: usize) -> &mut MailCountArray {
        &mut self.entries.get_mut(at).expect("a place is told of an entry that is there").counts
    }
}

#[cfg(test)]
mod tests {
    use foldhash::fast::RandomState;

    use super::*;

    #[test]
    fn what_is_said_of_a_name_is_put_together() {
        let keys = KeyHasher::new(RandomState::default());
        let mut meeting = RoleNames::default();
        let hash = meeting.note(Some(b"A@Example.org"), &keys);
        assert_eq!(meeting.note(Some(b"a@example.org"), &keys), hash);
        assert_eq!(meeting.note(None, &keys), 0);
        meeting.add(hash, &counts(1, [2, 0, 0, 0]));
        meeting.add(0, &counts(1, [2, 0, 0, 0]));
        let names = meeting.hand_over();
        let [entry] = names.entries[..] else { panic!("{names:?}") };
        assert_eq!((names.name(&entry), entry.counts), (&b"a@example.org"[..], [1, 2, 0, 0, 0, 0]));
    }

    #[test]
    fn nothing_of_a_block_is_found_in_the_next() {
        let keys = KeyHasher::new(RandomState::default());
        let mut meeting = RoleNames::default();
        let hash = meeting.sender(Some(b""), &keys);
        assert_eq!(meeting.hand_over().entries.len(), 1);
        meeting.add(hash, &counts(1, [0; 4]));
        meeting.note(Some(b"b@example.org"), &keys);
        let names = meeting.hand_over();
        let said: Vec<_> = names.entries.iter().map(|entry| (names.name(entry), entry.counts[0])).collect();
        assert_eq!(said, [(&b""[..], 1), (b"b@example.org", 0)]);
    }

    #[test]
    fn no_name_is_lost_among_more_than_there_are_places_for() {
        let keys = KeyHasher::new(RandomState::default());
        let mut meeting = RoleNames::default();
        for round in 0..3 {
            for number in 0..100_000 {
                let hash = meeting.note(Some(format!("{number}@example.org").as_bytes()), &keys);
                meeting.add(hash, &counts(round, [0; 4]));
            }
        }
        let messages =
            meeting.hand_over().entries.iter().map(|entry| u64::from(entry.counts[0])).sum::<u64>();
        assert_eq!(messages, 300_000);
    }
}
