//! Counts the mail of the senders, clients and logins of one block.
//!
//! A message counts for its names once, when it ends. What is stated of a name in a block is put together as far as that
//! is cheap; to know all names is for who gets the blocks in order.

use super::key::KeyHasher;
use super::mail_counts::CompactMailCounts;
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

/// Slots of the direct-mapped index; a block of 256 KiB has a few hundred names of each kind. 4 KiB, which stay in the
/// first cache; with the hashes in them they would be 32 KiB.
const SLOTS: usize = 1 << 11;

/// Names of one kind, as they are names.
#[derive(Clone, Debug)]
pub struct RoleNames {
    names: NameSet,
    /// In the slot that a hash tells, where its entry may be. Another name may have taken the slot since, or the entry may be
    /// of a block before: then the name gets another entry, which is added to the first one later.
    slots: Box<[u16; SLOTS]>,
}

/// Names of one kind with their counts, in the order of the lines. A name may have several entries.
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
    /// 0: only its hash received here.
    length: u8,
    pub counts: CompactMailCounts,
}

/// The null sender has no letters to be sender_text by.
fn sender_text(sender: &[u8]) -> &[u8] {
    if sender.is_empty() { b"<>" } else { sender }
}

impl BlockNames {
    /// Notes the names that a line says.
    pub fn add_names(&mut self, stated: &MessageFields, keys: &KeyHasher) -> SenderIds {
        SenderIds {
            sender: self.senders.intern_sender(stated.sender, keys),
            client: self.clients.intern(stated.client, keys),
            user: self.users.intern(stated.user, keys),
        }
    }

    /// A refusal, of a message that has not come yet or never will.
    pub fn count_rejection(&mut self, event: &Event, keys: &KeyHasher) {
        if let Some(sender) = event.sender {
            self.senders.intern_with_counts(sender_text(sender), keys).1.add(&CompactMailCounts::REJECTION);
        }
        if let Some(client) = event.peer.ip.or(event.peer.host) {
            self.clients.intern_with_counts(client, keys).1.add(&CompactMailCounts::REJECTION);
        }
    }

    /// A message of which no more will be stated. `messages`: 1 if it is in the totals of messages, else 0.
    pub fn count_message(&mut self, origin: SenderIds, attempts: Attempts, messages: u32) {
        let counts = CompactMailCounts::new(messages, attempts);
        if counts != CompactMailCounts::default() {
            self.add_counts(origin, &counts);
        }
    }

    pub fn add_counts(&mut self, origin: SenderIds, counts: &CompactMailCounts) {
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

    /// All that was names since the last time.
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

impl Default for RoleNames {
    fn default() -> Self {
        Self { names: NameSet::default(), slots: Box::new([0; SLOTS]) }
    }
}

impl RoleNames {
    /// The hash of a name, whose letters' case makes no difference; 0 for None.
    pub fn intern(&mut self, name: Option<&[u8]>, keys: &KeyHasher) -> u64 {
        name.map_or(0, |name| self.intern_with_counts(name, keys).0)
    }

    /// The same for a sender.
    pub fn intern_sender(&mut self, sender: Option<&[u8]>, keys: &KeyHasher) -> u64 {
        self.intern(sender.map(sender_text), keys)
    }

    fn intern_with_counts(&mut self, name: &[u8], keys: &KeyHasher) -> (u64, &mut CompactMailCounts) {
        to_lowercase(name, |name| {
            let hash = keys.name(name);
            let at = self.entry_of(hash);
            self.names.set_name(at, name);
            (hash, self.names.counts(at))
        })
    }

    pub fn add(&mut self, hash: u64, counts: &CompactMailCounts) {
        if hash != 0 {
            let at = self.entry_of(hash);
            self.names.counts(at).add(counts);
        }
    }

    /// The entry of a name.
    fn entry_of(&mut self, hash: u64) -> usize {
        let entries = &mut self.names.entries;
        let slot = &mut self.slots[(hash >> 1) as usize % SLOTS];
        let at = usize::from(*slot);
        if entries.get(at).is_some_and(|entry| entry.hash == hash) {
            return at;
        }
        // Of a block with more entries some are not found again.
        *slot = entries.len() as u16;
        entries.push(NameEntry { hash, start: 0, length: 0, counts: CompactMailCounts::default() });
        entries.len() - 1
    }

    pub fn hand_over(&mut self) -> NameSet {
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
    fn set_name(&mut self, at: usize, name: &[u8]) {
        if let Some(entry) = self.entries.get_mut(at).filter(|entry| entry.length == 0) {
            (entry.start, entry.length) = (self.text.len() as u32, name.len() as u8);
            self.text.extend_from_slice(name);
        }
    }

    fn counts(&mut self, at: usize) -> &mut CompactMailCounts {
        &mut self.entries.get_mut(at).expect("a slot is told of an entry that is there").counts
    }
}

#[cfg(test)]
mod tests {
    use foldhash::fast::RandomState;

    use super::*;
    use crate::smtp::delivery_result::DeliveryResult;

    #[test]
    fn what_is_said_of_a_name_is_put_together() {
        let keys = KeyHasher::new(RandomState::default());
        let mut names_of_block = RoleNames::default();
        let hash = names_of_block.intern(Some(b"A@Example.org"), &keys);
        assert_eq!(names_of_block.intern(Some(b"a@example.org"), &keys), hash);
        assert_eq!(names_of_block.intern(None, &keys), 0);
        let delivered = CompactMailCounts::new(1, Attempts::of(DeliveryResult::Delivered, 2));
        names_of_block.add(hash, &delivered);
        names_of_block.add(0, &delivered);
        let names = names_of_block.hand_over();
        let [entry] = names.entries[..] else { panic!("{names:?}") };
        assert_eq!((names.name(&entry), entry.counts), (&b"a@example.org"[..], delivered));
    }

    #[test]
    fn nothing_of_a_block_is_found_in_the_next() {
        let keys = KeyHasher::new(RandomState::default());
        let mut names_of_block = RoleNames::default();
        let hash = names_of_block.intern_sender(Some(b""), &keys);
        assert_eq!(names_of_block.hand_over().entries.len(), 1);
        names_of_block.add(hash, &CompactMailCounts::new(1, Attempts::ZERO));
        names_of_block.intern(Some(b"b@example.org"), &keys);
        let names = names_of_block.hand_over();
        let stated: Vec<_> =
            names.entries.iter().map(|entry| (names.name(entry), entry.counts.messages)).collect();
        assert_eq!(stated, [(&b""[..], 1), (b"b@example.org", 0)]);
    }

    #[test]
    fn no_name_is_lost_among_more_than_there_are_places_for() {
        let keys = KeyHasher::new(RandomState::default());
        let mut names_of_block = RoleNames::default();
        for round in 0..3 {
            for number in 0..100_000 {
                let hash = names_of_block.intern(Some(format!("{number}@example.org").as_bytes()), &keys);
                names_of_block.add(hash, &CompactMailCounts::new(round, Attempts::ZERO));
            }
        }
        let messages = names_of_block
            .hand_over()
            .entries
            .iter()
            .map(|entry| u64::from(entry.counts.messages))
            .sum::<u64>();
        assert_eq!(messages, 300_000);
    }
}
