//! Counts the mail of each sender, client and login in tables of limited size by lossy counting (Manku and Motwani,
//! "Approximate Frequency Counts over Data Streams", 2002).
//!
//! A full table drops the names with the lowest counts. A sweep drops no name with more than its cut, so the sum of
//! the cuts is an upper bound on how far any count may be too low.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry::{Occupied, Vacant};

use super::block_names::{FewNames, NameEntry, NameSet, PerRole};
use super::kept_names::KeptNames;
use super::key::KeyHasher;
use super::mail_counts::{CompactMailCounts, MailCounts};

/// Maximum number of names of one role, about 3 MiB. A table may exceed it while the names of one block are added.
const LIMIT: usize = 1 << 15;

/// Longest name, in bytes.
const LONGEST: usize = u8::MAX as usize;

/// Maximum number of names of one role while tables of parts are added, about 50 MiB: their sum is exact up to here.
const SUM_LIMIT: usize = 1 << 19;

/// The tables of all roles. Blocks are added in their order, so the number of threads changes nothing.
pub(crate) type NameCountsByRole = PerRole<HeavyHitters>;

/// The tables of all roles, once all blocks are in.
pub(crate) type FinishedNamesByRole = PerRole<FinishedHeavyHitters>;

/// The names of one role, by their hashes.
#[derive(Clone, Debug)]
pub struct HeavyHitters {
    slots: HashTable<Slot>,
    text: NameText,
    /// The sum of the counts of dropped names.
    dropped: MailCounts,
    /// Upper bound on how far the count of any name may be too low.
    max_undercount: u64,
    limit: usize,
    sending: FewNames,
    seen: FewNames,
}

/// The names of one role, once all blocks are in.
#[derive(Clone, Debug)]
pub struct FinishedHeavyHitters {
    slots: HashTable<Slot>,
    text: NameText,
    /// The sum of the counts of dropped names, and of names that no line spelt out.
    pub dropped: MailCounts,
    /// Upper bound on how far the count of any name may be too low.
    pub max_undercount: u64,
    /// Some of the names with messages, and some of all names, if only failures were counted.
    sending: FewNames,
    seen: FewNames,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u64,
    /// Where the name begins in the text. 0: only its hash is known.
    start: u32,
    counts: CompactMailCounts,
}

/// Rotates the hash: its lowest bit is always 0, and the table chooses a slot by the lowest bits.
fn spread(hash: u64) -> u64 {
    hash.rotate_left(32)
}

impl NameCountsByRole {
    pub fn merge_names(&mut self, names: &PerRole<NameSet>) {
        self.senders.merge_names(&names.senders);
        self.clients.merge_names(&names.clients);
        self.users.merge_names(&names.users);
    }

    /// For tables of parts: they are added whole, and cut once at the end.
    pub(crate) fn for_parts() -> Self {
        let table = || HeavyHitters { limit: SUM_LIMIT, ..HeavyHitters::default() };
        Self { senders: table(), clients: table(), users: table() }
    }

    /// Adds the tables of a part. `None`: they are damaged.
    pub(crate) fn add_kept(&mut self, names: &PerRole<KeptNames>) -> Option<()> {
        let keys = KeyHasher::for_parts();
        self.senders.add_kept(&names.senders, &keys)?;
        self.clients.add_kept(&names.clients, &keys)?;
        self.users.add_kept(&names.users, &keys)
    }

    /// The tables for a part, each cut to the limit.
    pub(crate) fn into_kept(self) -> PerRole<KeptNames> {
        let Self { senders, clients, users } = self;
        PerRole { senders: senders.into_kept(), clients: clients.into_kept(), users: users.into_kept() }
    }

    pub fn finish(self) -> FinishedNamesByRole {
        PerRole { senders: self.senders.finish(), clients: self.clients.finish(), users: self.users.finish() }
    }
}

impl Default for HeavyHitters {
    fn default() -> Self {
        Self {
            slots: HashTable::new(),
            text: NameText::default(),
            dropped: MailCounts::default(),
            max_undercount: 0,
            limit: LIMIT,
            sending: FewNames::default(),
            seen: FewNames::default(),
        }
    }
}

impl HeavyHitters {
    fn merge_names(&mut self, names: &NameSet) {
        self.sending.merge(&names.sending);
        self.seen.merge(&names.seen);
        // A block has far fewer names than the limit. The size is checked once all of them are in, so that
        // neither their order nor a name with two entries changes the result.
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
                slot.counts.add(&entry.counts);
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

    /// Adds a table of a part. The order of its names makes no difference: all are added before any is dropped. `None`: the table
    /// is damaged.
    fn add_kept(&mut self, kept: &KeptNames, keys: &KeyHasher) -> Option<()> {
        self.dropped.add(&kept.dropped);
        self.max_undercount = self.max_undercount.saturating_add(kept.max_undercount);
        kept.each(keys, |(hash, name, counts)| {
            let entry = NameEntry::of_hash(hash, counts);
            self.add(&entry, name.get(..LONGEST).unwrap_or(name));
        })?;
        if self.slots.len() > self.limit {
            self.make_room();
        }
        Some(())
    }

    fn into_kept(mut self) -> KeptNames {
        self.cut(LIMIT);
        let Self { slots, text, dropped, max_undercount, .. } = self;
        let mut slots: Vec<Slot> = slots.into_iter().collect();
        slots.sort_unstable_by_key(|slot| slot.hash);
        let (mut kept, keys) = (KeptNames::new(dropped, max_undercount), KeyHasher::for_parts());
        for Slot { hash, start, counts } in slots {
            kept.push((hash, text.name(start), counts), &keys);
        }
        kept
    }

    /// Drops the names with the lowest counts, so that at most `most` stay.
    fn cut(&mut self, most: usize) {
        if self.slots.len() > most {
            let mut weights: Vec<u64> = self.slots.iter().map(|slot| slot.counts.weight()).collect();
            let at = weights.len() - most - 1;
            let (_, &mut cut, _) = weights.select_nth_unstable(at);
            self.drop_up_to(cut);
        }
    }

    /// Drops the half with the lowest counts, and all names with exactly the cut, so that the order of the table
    /// does not change which names stay.
    fn make_room(&mut self) {
        let mut weights: Vec<u64> = self.slots.iter().map(|slot| slot.counts.weight()).collect();
        let half = weights.len() / 2;
        if half == 0 {
            return;
        }
        let (_, &mut cut, _) = weights.select_nth_unstable(half);
        self.drop_up_to(cut);
    }

    fn drop_up_to(&mut self, cut: u64) {
        let dropped = &mut self.dropped;
        self.slots.retain(|slot| {
            let stays = slot.counts.weight() > cut;
            if !stays {
                dropped.add(&MailCounts::from(&slot.counts));
            }
            stays
        });
        self.max_undercount += cut;
        let text = self.text.replace();
        for slot in &mut self.slots {
            slot.start = self.text.push(text.name(slot.start));
        }
    }

    /// Drops names that no line spelt out, and names without mail.
    fn finish(mut self) -> FinishedHeavyHitters {
        self.cut(LIMIT);
        let Self { mut slots, text, mut dropped, max_undercount, sending, seen, .. } = self;
        let mut most = 0;
        slots.retain(|slot| {
            if slot.start == 0 {
                dropped.add(&MailCounts::from(&slot.counts));
                most = most.max(slot.counts.weight());
            }
            slot.start != 0 && slot.counts != CompactMailCounts::default()
        });
        FinishedHeavyHitters { slots, text, dropped, max_undercount: max_undercount + most, sending, seen }
    }
}

impl FinishedHeavyHitters {
    /// The name with this hash. None: no line spells it out, or it was dropped.
    pub(crate) fn name_of(&self, hash: u64) -> Option<&[u8]> {
        let slot = self.slots.find(spread(hash), |slot| slot.hash == hash)?;
        Some(self.text.name(slot.start))
    }

    /// The number of names with messages, and of all names, as far as it matters, if only failures were counted. `None`: all mail
    /// was counted.
    pub(crate) fn few(&self) -> Option<(u64, u64)> {
        let few = (self.sending.count(), self.seen.count());
        (few.1 > 0).then_some(few)
    }

    /// The table with other names.
    #[must_use]
    pub(crate) fn renamed(mut self, name: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let text = self.text.replace();
        for slot in &mut self.slots {
            let new = name(text.name(slot.start));
            slot.start = self.text.push(new.get(..LONGEST).unwrap_or(&new));
        }
        self
    }

    /// All names with their counts, in arbitrary order.
    pub fn all(&self) -> impl Iterator<Item = (&[u8], MailCounts)> + Clone {
        self.slots.iter().map(|slot| (self.text.name(slot.start), MailCounts::from(&slot.counts)))
    }
}

/// Names in lower case, each after a byte with its length.
#[derive(Clone, Default, Debug)]
struct NameText(Vec<u8>);

impl NameText {
    /// Appends a name and returns where it begins. 0 for the empty name, which is not stored.
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

    /// The name that begins at `start`. Empty for 0.
    fn name(&self, start: u32) -> &[u8] {
        let table = self.0.get(start as usize..).and_then(<[u8]>::split_first);
        table.and_then(|(&length, rest)| rest.get(..usize::from(length))).unwrap_or_default()
    }

    /// Starts an empty text of the same capacity and returns the old one. The same capacity avoids reallocations.
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
    use crate::messages::origin::Attempts;

    fn table(limit: usize) -> HeavyHitters {
        HeavyHitters { limit, ..HeavyHitters::default() }
    }

    fn count(block: &mut RoleNames, keys: &KeyHasher, name: &str, times: u32) {
        let hash = block.intern(Some(name.as_bytes()), keys);
        block.add(hash, &CompactMailCounts::new(times, Attempts::ZERO));
    }

    fn messages(table: &FinishedHeavyHitters, name: &str) -> u64 {
        table.all().find(|(other, _)| *other == name.as_bytes()).map_or(0, |(_, counts)| counts.messages)
    }

    #[test]
    fn a_full_table_keeps_who_has_most_and_says_what_it_may_lack() {
        let keys = KeyHasher::new(RandomState::default());
        let (mut table, mut block) = (table(100), RoleNames::default());
        for round in 0..10_000 {
            count(&mut block, &keys, "much@example.org", 1);
            count(&mut block, &keys, &format!("{round}@example.org"), 1);
            if round % 7 == 0 {
                table.merge_names(&block.take_block());
            }
        }
        table.merge_names(&block.take_block());
        let table = table.finish();
        assert!(table.slots.len() <= 100 && table.slots.capacity() <= 1024, "{}", table.slots.len());
        let much = messages(&table, "much@example.org");
        assert!(
            much <= 10_000 && much + table.max_undercount >= 10_000,
            "{much} and {}",
            table.max_undercount
        );
        assert!(table.max_undercount < 250, "{}", table.max_undercount);
        let all: u64 = table.all().map(|(_, counts)| counts.messages).sum();
        assert_eq!(all + table.dropped.messages, 20_000);
    }

    #[test]
    fn a_table_that_was_never_full_is_exact_however_the_lines_are_cut() {
        let keys = KeyHasher::new(RandomState::default());
        let sorted = |cut: u32| {
            let (mut table, mut block) = (table(100), RoleNames::default());
            for number in 0..300 {
                count(&mut block, &keys, &format!("{}@Example.org", number % 70), 1 + number);
                if number % cut == 0 {
                    table.merge_names(&block.take_block());
                }
            }
            table.merge_names(&block.take_block());
            let table = table.finish();
            assert_eq!((table.max_undercount, table.dropped), (0, MailCounts::default()));
            let mut rows: Vec<_> =
                table.all().map(|(name, counts)| (name.to_vec(), counts.messages)).collect();
            rows.sort();
            rows
        };
        assert_eq!(sorted(1), sorted(300));
        assert_eq!(sorted(1), sorted(7));
        assert_eq!(sorted(7).len(), 70);
        assert_eq!(sorted(7)[0], (b"0@example.org".to_vec(), 1 + 71 + 141 + 211 + 281));
    }

    #[test]
    fn parts_are_added_before_names_are_dropped_whatever_their_order() {
        let keys = KeyHasher::for_parts();
        let part = |from: u32| {
            let mut block = RoleNames::default();
            (0..60).for_each(|number| count(&mut block, &keys, &format!("{}@example.org", from + number), 1));
            count(&mut block, &keys, "much@example.org", 50);
            let mut table = table(100);
            table.merge_names(&block.take_block());
            table.into_kept()
        };
        let parts: Vec<KeptNames> = (0..8).map(|number| part(number * 40)).collect();
        let sum = |order: &[usize]| {
            let mut all = table(100_000);
            for at in order {
                all.add_kept(&parts[*at], &keys).unwrap();
            }
            all.cut(100);
            let all = all.finish();
            let mut rows: Vec<_> = all.all().map(|(name, counts)| (name.to_vec(), counts.messages)).collect();
            rows.sort();
            (rows, all.max_undercount, all.dropped)
        };
        let (rows, may_lack, dropped) = sum(&[0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(sum(&[5, 2, 7, 0, 1, 6, 3, 4]), (rows.clone(), may_lack, dropped));
        // Names that are in one part only go first; nobody lacks more than they had.
        assert!(rows.len() <= 100 && rows.contains(&(b"much@example.org".to_vec(), 400)), "{rows:?}");
        assert!(may_lack <= 2, "{may_lack}");
        // The names of a part stand in the order of their hashes. Added like the lines of a log, they would push each other out
        // of a table that is too small, whatever their counts.
        let mut trap = table(100);
        for part in &parts {
            trap.add_kept(part, &keys).unwrap();
        }
        assert!(trap.finish().max_undercount >= may_lack);
    }

    #[test]
    fn what_was_let_go_of_before_its_message_ended_is_with_the_others() {
        let keys = KeyHasher::new(RandomState::default());
        let (mut table, mut block) = (table(10), RoleNames::default());
        let early = block.intern(Some(b"early@example.org"), &keys);
        for number in 0..20 {
            count(&mut block, &keys, &format!("{number}@example.org"), 1);
            table.merge_names(&block.take_block());
        }
        block.add(early, &CompactMailCounts::new(7, Attempts::ZERO));
        table.merge_names(&block.take_block());
        let table = table.finish();
        assert_eq!(messages(&table, "early@example.org"), 0);
        assert!(table.max_undercount >= 7 && table.dropped.messages >= 7);
    }
}
