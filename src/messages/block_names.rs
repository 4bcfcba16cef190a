//! Counts the mail of the senders, clients and logins of one block.
//!
//! A message is counted for its names once, when it ends. Within a block a name has one entry;
//! [`HeavyHitters`](super::names::HeavyHitters) adds the entries of all blocks.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::key::{KeyHasher, PrehashedState};
use super::mail_counts::CompactMailCounts;
use super::origin::{Attempts, SenderIds};
use crate::collections::interner::to_lowercase;
use crate::parse::mta::queue_record::MessageFields;
use crate::smtp::event::Event;

/// One value for each role that a name can have.
#[derive(Clone, Default, Serialize, Deserialize, Debug)]
pub struct PerRole<T> {
    pub senders: T,
    pub clients: T,
    pub users: T,
}

/// The names of one block, with their counts.
pub(crate) type BlockNames = PerRole<RoleNames>;

/// The names of one role.
#[derive(Clone, Default, Debug)]
pub struct RoleNames {
    names: NameSet,
    counted: CountedMail,
    /// The index of each name's entry, by the hash of the name.
    entries_by_hash: HashMap<u64, usize, PrehashedState>,
}

/// The names of one role with their counts, in the order of the lines. After a merge, a name may have several entries.
#[derive(Clone, Default, Debug)]
pub struct NameSet {
    pub entries: Vec<NameEntry>,
    /// Names with messages, if only failures are counted. Of them, `entries` has those with failures.
    pub sending: FewNames,
    /// Names with messages or rejections, if only failures are counted.
    pub seen: FewNames,
    /// The names in lower case, without separators.
    text: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
pub struct NameEntry {
    /// The hash of the name.
    pub hash: u64,
    /// Where the name begins in the text, in bytes.
    start: u32,
    /// The length of the name in bytes. 0: the block states only its hash.
    length: u8,
    /// It stays even without a failure; see [`BlockNames::drop_delivered`].
    is_needed: bool,
    pub counts: CompactMailCounts,
}

impl NameEntry {
    /// An entry whose name stands elsewhere.
    pub(crate) fn of_hash(hash: u64, counts: CompactMailCounts) -> Self {
        Self { hash, start: 0, length: 0, is_needed: false, counts }
    }
}

/// Which mail of a name is counted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum CountedMail {
    #[default]
    All,
    /// Of names that only have deliveries, only the first few are told apart. Nearly all names are such names.
    Failures,
}

/// The hashes of some names, each once: of all, if there are fewer than [`FewNames::MOST`].
#[derive(Clone, Copy, Default, Debug)]
pub struct FewNames {
    hashes: [u64; Self::MOST],
    count: usize,
}

impl FewNames {
    /// Whether a name stands out does not depend on how many more there are.
    const MOST: usize = 8;

    #[inline]
    fn add(&mut self, hash: u64) {
        let Some((known, [next, ..])) = self.hashes.split_at_mut_checked(self.count) else { return };
        if !known.contains(&hash) {
            *next = hash;
            self.count += 1;
        }
    }

    fn is_full(&self) -> bool {
        self.count == Self::MOST
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        other.hashes.iter().take(other.count).for_each(|hash| self.add(*hash));
    }

    /// The number of names, or [`Self::MOST`] if there are more.
    pub(crate) fn count(&self) -> u64 {
        self.count as u64
    }
}

/// The sender as reports show it: the null sender is `<>`.
fn sender_text(sender: &[u8]) -> &[u8] {
    if sender.is_empty() { b"<>" } else { sender }
}

impl BlockNames {
    /// Adds the names that a line states, and returns their hashes.
    pub fn add_names(&mut self, stated: &MessageFields, keys: &KeyHasher) -> SenderIds {
        SenderIds {
            sender: self.senders.intern_sender(stated.sender, keys),
            client: self.clients.intern(stated.client, keys),
            user: self.users.intern(stated.user, keys),
        }
    }

    /// Of senders and clients only failures are counted, as far as the first screen shows them.
    pub(crate) fn count_failures_only(&mut self) {
        self.senders.counted = CountedMail::Failures;
        self.clients.counted = CountedMail::Failures;
    }

    /// Counts a rejection for its sender and its client. It belongs to no message yet, and perhaps never will.
    pub fn count_rejection(&mut self, event: &Event, keys: &KeyHasher) {
        // The first screen shows no sender of refused mail, who may be forged, and the rows of the report have the clients.
        if self.senders.counted == CountedMail::Failures {
            if let Some(client) =
                event.peer.ip.or(event.peer.host).filter(|_| !self.clients.names.seen.is_full())
            {
                self.clients.names.seen.add(to_lowercase(client, |client| keys.name(client)));
            }
            return;
        }
        if let Some(sender) = event.sender {
            self.senders.intern_with_counts(sender_text(sender), keys).1.add(&CompactMailCounts::REJECTION);
        }
        if let Some(client) = event.peer.ip.or(event.peer.host) {
            self.clients.intern_with_counts(client, keys).1.add(&CompactMailCounts::REJECTION);
        }
    }

    /// Counts a message that has ended. `messages` is 1 if the message is in the message totals, else 0.
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

    /// Drops the names that have no failure and that none of these messages has. Later lines may tell of failures of a message.
    pub(crate) fn drop_delivered(&mut self, open: impl Iterator<Item = SenderIds>) {
        if self.senders.counted == CountedMail::All {
            return;
        }
        for SenderIds { sender, client, .. } in open {
            self.senders.need(sender);
            self.clients.need(client);
        }
        self.senders.drop_delivered();
        self.clients.drop_delivered();
    }

    pub fn merge(&mut self, other: &Self) {
        self.senders.names.append(&other.senders.names);
        self.clients.names.append(&other.clients.names);
        self.users.names.append(&other.users.names);
    }

    /// Takes all names since the last call.
    pub fn take_block(&mut self) -> PerRole<NameSet> {
        PerRole {
            senders: self.senders.take_block(),
            clients: self.clients.take_block(),
            users: self.users.take_block(),
        }
    }
}

impl PerRole<NameSet> {
    /// The memory that the names take, in bytes.
    pub fn held_bytes(&self) -> usize {
        let held =
            |names: &NameSet| names.entries.capacity() * size_of::<NameEntry>() + names.text.capacity();
        held(&self.senders) + held(&self.clients) + held(&self.users)
    }
}

impl RoleNames {
    /// The hash of a name, regardless of case. 0 for None.
    pub fn intern(&mut self, name: Option<&[u8]>, keys: &KeyHasher) -> u64 {
        name.map_or(0, |name| self.intern_with_counts(name, keys).0)
    }

    /// The hash of a sender, regardless of case. 0 for None.
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
        if hash == 0 {
            return;
        }
        let counts = match self.counted {
            CountedMail::All => counts,
            CountedMail::Failures => {
                self.names.sending.add(hash);
                self.names.seen.add(hash);
                &counts.failures()
            }
        };
        if *counts != CompactMailCounts::default() {
            let at = self.entry_of(hash);
            self.names.counts(at).add(counts);
        }
    }

    /// The index of the name's entry, which is added if the block has none.
    fn entry_of(&mut self, hash: u64) -> usize {
        let entries = &mut self.names.entries;
        *self.entries_by_hash.entry(hash).or_insert_with(|| {
            entries.push(NameEntry::of_hash(hash, CompactMailCounts::default()));
            entries.len() - 1
        })
    }

    /// The name is kept even without a failure.
    fn need(&mut self, hash: u64) {
        if let Some(at) = self.entries_by_hash.get(&hash)
            && let Some(entry) = self.names.entries.get_mut(*at)
        {
            entry.is_needed = true;
        }
    }

    /// Drops all names that have no failure and are not needed. [`Self::take_block`] must follow.
    fn drop_delivered(&mut self) {
        let none = CompactMailCounts::default();
        self.names.entries.retain(|entry| entry.is_needed || entry.counts != none);
    }

    pub fn take_block(&mut self) -> NameSet {
        self.entries_by_hash.clear();
        let NameSet { entries, text, .. } = &self.names;
        // The next block has about as many names.
        let (entries, text) = (Vec::with_capacity(entries.len()), Vec::with_capacity(text.len()));
        let next = NameSet { entries, text, ..NameSet::default() };
        std::mem::replace(&mut self.names, next)
    }
}

impl NameSet {
    /// Empty: the block states only the hash of the name.
    pub fn name(&self, entry: &NameEntry) -> &[u8] {
        let start = entry.start as usize;
        self.text.get(start..start + usize::from(entry.length)).unwrap_or_default()
    }

    fn append(&mut self, other: &Self) {
        self.sending.merge(&other.sending);
        self.seen.merge(&other.seen);
        let before = self.text.len() as u32;
        self.text.extend_from_slice(&other.text);
        let moved = other.entries.iter().map(|entry| NameEntry { start: entry.start + before, ..*entry });
        self.entries.extend(moved);
    }

    /// Sets the name of an entry that has none. `name` is in lower case and has at most 255 bytes.
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
    fn counts_of_one_name_are_added() {
        let keys = KeyHasher::new(RandomState::default());
        let mut block = RoleNames::default();
        let hash = block.intern(Some(b"A@Example.org"), &keys);
        assert_eq!(block.intern(Some(b"a@example.org"), &keys), hash);
        assert_eq!(block.intern(None, &keys), 0);
        let delivered = CompactMailCounts::new(1, Attempts::of(DeliveryResult::Delivered, 2));
        block.add(hash, &delivered);
        block.add(0, &delivered);
        let names = block.take_block();
        let [entry] = names.entries[..] else { panic!("{names:?}") };
        assert_eq!((names.name(&entry), entry.counts), (&b"a@example.org"[..], delivered));
    }

    #[test]
    fn nothing_of_a_block_is_found_in_the_next() {
        let keys = KeyHasher::new(RandomState::default());
        let mut block = RoleNames::default();
        let hash = block.intern_sender(Some(b""), &keys);
        assert_eq!(block.take_block().entries.len(), 1);
        block.add(hash, &CompactMailCounts::new(1, Attempts::ZERO));
        block.intern(Some(b"b@example.org"), &keys);
        let names = block.take_block();
        let stated: Vec<_> =
            names.entries.iter().map(|entry| (names.name(entry), entry.counts.messages)).collect();
        assert_eq!(stated, [(&b""[..], 1), (b"b@example.org", 0)]);
    }

    #[test]
    fn no_name_is_lost_among_more_than_there_are_places_for() {
        let keys = KeyHasher::new(RandomState::default());
        let mut block = RoleNames::default();
        for round in 0..3 {
            for number in 0..100_000 {
                let hash = block.intern(Some(format!("{number}@example.org").as_bytes()), &keys);
                block.add(hash, &CompactMailCounts::new(round, Attempts::ZERO));
            }
        }
        let messages =
            block.take_block().entries.iter().map(|entry| u64::from(entry.counts.messages)).sum::<u64>();
        assert_eq!(messages, 300_000);
    }
}
