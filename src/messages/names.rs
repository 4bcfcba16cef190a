//! Counts the mail of each sender, client and login in bounded tables: lossy counting (Manku and Motwani, "Approximate
//! Frequency Counts over Data Streams", 2002).
//!
//! A table that is full drops the names with the lowest counts. Each sweep takes from a name no more than its cut, so
//! the sum of the cuts is an upper bound on how far any count may be too low.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry::{Occupied, Vacant};

use super::block_names::{NameEntry, NameSet, PerRole};
use super::mail_counts::{MailCountArray, MailCounts, add, weight};

/// Names of one kind that are kept, about 3 MiB. There may be more until all that were handed over together are in.
const LIMIT: usize = 1 << 15;

/// The tables of all kinds of names. Blocks are added in their order, so the threads that read them change nothing.
pub(crate) type NameCountsByRole = PerRole<HeavyHitters>;

/// The tables, once all blocks are in.
pub(crate) type FinishedWho = PerRole<FinishedKept>;

/// The names of one kind, by their hashes.
#[derive(Clone, Debug)]
pub struct HeavyHitters {
    slots: HashTable<Slot>,
    text: NameText,
    /// Counts of names that were dropped.
    dropped: MailCounts,
    /// Upper bound on how far any count of any name may be too low.
    may_lack: u64,
    limit: usize,
}

/// The names of one kind, once all blocks are in.
#[derive(Clone, Debug)]
pub struct FinishedKept {
    slots: HashTable<Slot>,
    text: NameText,
    /// Counts of names that were dropped, and of those that no line spelt out.
    pub dropped: MailCounts,
    /// Upper bound on how far any count of any name may be too low.
    pub may_lack: u64,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u64,
    /// Where the name begins in the text. 0: only its hash is known.
    start: u32,
    counts: MailCountArray,
}

/// The hash as the table wants it: its lowest bit is always 0, and the table chooses a place by the lowest bits.
fn spread(hash: u64) -> u64 {
    hash.rotate_left(32)
}

impl NameCountsByRole {
    pub fn take_in(&mut self, names: &PerRole<NameSet>) {
        self.senders.take_in(&names.senders);
        self.clients.take_in(&names.clients);
        self.users.take_in(&names.users);
    }

    pub fn finish(self) -> FinishedWho {
        PerRole { senders: self.senders.finish(), clients: self.clients.finish(), users: self.users.finish() }
    }
}

impl Default for HeavyHitters {
    fn default() -> Self {
        Self {
            slots: HashTable::new(),
            text: NameText::default(),
            dropped: MailCounts::default(),
            may_lack: 0,
            limit: LIMIT,
        }
    }
}

impl HeavyHitters {
    fn take_in(&mut self, names: &NameSet) {
        // A block has far fewer names. Whether there is room is asked once all of them are in: then neither their order
        // nor a name with two entries changes the answer.
        for some in names.entries.chunks((self.limit / 4).max(1)) {
            for entry in some {
                self.add(entry, names.name(entry));
            }
            if self.slots.len() > self.limit {
                self.make_room();
            }
        }
    }

    /// `name` is empty where only its hash is known.
    fn add(&mut self, entry: &NameEntry, name: &[u8]) {
        let is_it = |slot: &Slot| slot.hash == entry.hash;
        match self.slots.entry(spread(entry.hash), is_it, |slot| spread(slot.hash)) {
            Occupied(mut place) => {
                let slot = place.get_mut();
                add(&mut slot.counts, &entry.counts);
                if slot.start == 0 {
                    slot.start = self.text.push(name);
                }
            }
            Vacant(place) => {
                let start = self.text.push(name);
                place.insert(Slot { hash: entry.hash, start, counts: entry.counts });
            }
        }
    }

    /// Drops the half with the lowest counts, and all names that have exactly the cut: so the order of the table does
    /// not change which names stay.
    fn make_room(&mut self) {
        let mut weights: Vec<u64> = self.slots.iter().map(|slot| weight(&slot.counts)).collect();
        let half = weights.len() / 2;
        if half == 0 {
            return;
        }
        let (_, &mut cut, _) = weights.select_nth_unstable(half);
        let dropped = &mut self.dropped;
        self.slots.retain(|slot| {
            let stays = weight(&slot.counts) > cut;
            if !stays {
                dropped.add(&MailCounts::from(&slot.counts));
            }
            stays
        });
        self.may_lack += cut;
        let text = self.text.replace();
        for slot in &mut self.slots {
            slot.start = self.text.push(text.name(slot.start));
        }
    }

    /// Drops names that no line spelt out, and names without any mail.
    fn finish(self) -> FinishedKept {
        let Self { mut slots, text, mut dropped, may_lack, .. } = self;
        let mut most = 0;
        slots.retain(|slot| {
            if slot.start == 0 {
                dropped.add(&MailCounts::from(&slot.counts));
                most = most.max(weight(&slot.counts));
            }
            slot.start != 0 && slot.counts != MailCountArray::default()
        });
        FinishedKept { slots, text, dropped, may_lack: may_lack + most }
    }
}

impl FinishedKept {
    /// In no order.
    pub fn all(&self) -> impl Iterator<Item = (&[u8], MailCounts)> + Clone {
        self.slots.iter().map(|slot| (self.text.name(slot.start), MailCounts::from(&slot.counts)))
    }
}

/// Names in lower case, one behind the other, each after a byte that says how long it is.
#[derive(Clone, Default, Debug)]
struct NameText(Vec<u8>);

impl NameText {
    /// Where the name begins; 0 for the empty name, which is not kept.
    fn push(&mut self, name: &[u8]) -> u32 {
        if name.is_empty() {
            return 0;
        }
        if self.0.is_empty() {
            self.0.push(0);
        }
        let start = self.0.len() as u32;
        self.0.push(name.len() as u8);
        self.0.extend_from_slice(name);
        start
    }

    /// The name that begins there. Empty for 0.
    fn name(&self, start: u32) -> &[u8] {
        let kept = self.0.get(start as usize..).and_then(<[u8]>::split_first);
        kept.and_then(|(&length, rest)| rest.get(..usize::from(length))).unwrap_or_default()
    }

    /// Begins an empty text, and returns the old one. It has room for as much, since as much will come: so it never
    /// grows piece by piece.
    fn replace(&mut self) -> Self {
        let room = Self(Vec::with_capacity(self.0.len()));
        std::mem::replace(self, room)
    }
}

#[cfg(test)]
mod tests {
    use foldhash::fast::RandomState;

    use super::*;
    use crate::messages::block_names::RoleNames;
    use crate::messages::key::KeyHasher;
    use crate::messages::mail_counts::counts;

    fn kept(limit: usize) -> HeavyHitters {
        HeavyHitters { limit, ..HeavyHitters::default() }
    }

    fn meet(meeting: &mut RoleNames, keys: &KeyHasher, name: &str, times: u32) {
        let hash = meeting.note(Some(name.as_bytes()), keys);
        meeting.add(hash, &counts(times, [0; 4]));
    }

    fn messages(kept: &FinishedKept, name: &str) -> u64 {
        kept.all().find(|(other, _)| *other == name.as_bytes()).map_or(0, |(_, fared)| fared.messages)
    }

    #[test]
    fn a_full_table_keeps_who_has_most_and_says_what_it_may_lack() {
        let keys = KeyHasher::new(RandomState::default());
        let (mut kept, mut meeting) = (kept(100), RoleNames::default());
        for round in 0..10_000 {
            meet(&mut meeting, &keys, "much@example.org", 1);
            meet(&mut meeting, &keys, &format!("{round}@example.org"), 1);
            if round % 7 == 0 {
                kept.take_in(&meeting.hand_over());
            }
        }
        kept.take_in(&meeting.hand_over());
        let kept = kept.finish();
        assert!(kept.slots.len() <= 100 && kept.slots.capacity() <= 1024, "{}", kept.slots.len());
        let much = messages(&kept, "much@example.org");
        assert!(much <= 10_000 && much + kept.may_lack >= 10_000, "{much} and {}", kept.may_lack);
        assert!(kept.may_lack < 250, "{}", kept.may_lack);
        let all: u64 = kept.all().map(|(_, fared)| fared.messages).sum();
        assert_eq!(all + kept.dropped.messages, 20_000);
    }

    #[test]
    fn a_table_that_was_never_full_is_exact_however_the_lines_are_cut() {
        let keys = KeyHasher::new(RandomState::default());
        let sorted = |cut: u32| {
            let (mut kept, mut meeting) = (kept(100), RoleNames::default());
            for number in 0..300 {
                meet(&mut meeting, &keys, &format!("{}@Example.org", number % 70), 1 + number);
                if number % cut == 0 {
                    kept.take_in(&meeting.hand_over());
                }
            }
            kept.take_in(&meeting.hand_over());
            let kept = kept.finish();
            assert_eq!((kept.may_lack, kept.dropped), (0, MailCounts::default()));
            let mut rows: Vec<_> = kept.all().map(|(name, fared)| (name.to_vec(), fared.messages)).collect();
            rows.sort();
            rows
        };
        assert_eq!(sorted(1), sorted(300));
        assert_eq!(sorted(1), sorted(7));
        assert_eq!(sorted(7).len(), 70);
        assert_eq!(sorted(7)[0], (b"0@example.org".to_vec(), 1 + 71 + 141 + 211 + 281));
    }

    #[test]
    fn what_was_let_go_of_before_its_message_ended_is_with_the_others() {
        let keys = KeyHasher::new(RandomState::default());
        let (mut kept, mut meeting) = (kept(10), RoleNames::default());
        let early = meeting.note(Some(b"early@example.org"), &keys);
        for number in 0..20 {
            meet(&mut meeting, &keys, &format!("{number}@example.org"), 1);
            kept.take_in(&meeting.hand_over());
        }
        meeting.add(early, &counts(7, [0; 4]));
        kept.take_in(&meeting.hand_over());
        let kept = kept.finish();
        assert_eq!(messages(&kept, "early@example.org"), 0);
        assert!(kept.may_lack >= 7 && kept.dropped.messages >= 7);
    }
}
