//! What befell the mail of each sender, client and login: names that blocks met come in, in order; tables go out.
//!
//! The tables are bounded: one that is full lets go of the names with the least in it, and says how much any name may
//! lack since. A sweep takes from a name what it had and no more than the cut, so the cuts together are the bound (as
//! in Manku and Motwani, "Approximate Frequency Counts over Data Streams", 2002).

use std::hint::black_box;

use super::fared::{Counts, Fared, add, weight};
use super::met::{Entry, Kinds, Names};

/// Names kept of one kind, some 3 MiB. There may be more until all that were handed over together are in.
const LIMIT: usize = 1 << 15;

/// So many are looked for at once: their slots take 16 KiB, and stay at hand until they are counted.
const AT_ONCE: usize = 1 << 8;

/// Where what each name's mail met is kept, to be told of blocks in their order. Nothing hangs on who read them.
pub type Who = Kinds<Kept>;

/// The names of one kind, by their hashes.
#[derive(Clone, Debug)]
pub struct Kept {
    /// A power of two; a name stands in the first free one from the one that its hash tells.
    slots: Vec<Slot>,
    /// Where in the text the name of each slot begins.
    starts: Vec<u32>,
    /// In small letters, one behind the other, and before each how many it has.
    text: Vec<u8>,
    /// Slots that are taken.
    held: usize,
    /// What befell names that were let go of.
    pub dropped: Fared,
    /// Any count of any name may be so much too low.
    pub may_lack: u64,
    limit: usize,
}

/// Half a cache line, and in no two of them: each has to be fetched from far memory.
#[derive(Clone, Copy, Default, Debug)]
#[repr(align(32))]
struct Slot {
    /// The hash, whose last bit says that the name is known too. 0: nobody is here.
    key: u64,
    counts: Counts,
}

/// The bit of a slot's key; a name's hash has none there.
const NAMED: u64 = 1;

impl Who {
    pub fn take_in(&mut self, names: &Kinds<Names>) {
        self.senders.take_in(&names.senders);
        self.clients.take_in(&names.clients);
        self.users.take_in(&names.users);
    }

    /// After it no more is to be counted.
    pub fn settle(&mut self) {
        [&mut self.senders, &mut self.clients, &mut self.users].into_iter().for_each(Kept::settle);
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            starts: Vec::new(),
            text: Vec::new(),
            held: 0,
            dropped: Fared::default(),
            may_lack: 0,
            limit: LIMIT,
        }
    }
}

impl Kept {
    fn take_in(&mut self, names: &Names) {
        // A block has far fewer, so whether there is room is asked when all of it is in: then the answer hangs neither on
        // their order nor on who has two entries.
        for some in names.entries.chunks((self.limit / 4).max(1)) {
            for few in some.chunks(AT_ONCE) {
                self.make_slots(few.len());
                self.fetch(few);
                for entry in few {
                    self.add(entry, names.name(entry));
                }
            }
            if self.held > self.limit {
                self.make_room();
            }
        }
    }

    /// Looks at where each is to be, and at nothing else: so the processor fetches them all at once, where to count one
    /// it has to wait until it is there.
    fn fetch(&self, few: &[Entry]) {
        let key = |entry: &Entry| self.slots.get(self.begin(entry.hash)).map_or(0, |slot| slot.key);
        black_box(few.iter().fold(0, |keys, entry| keys ^ key(entry)));
    }

    /// `name` is empty where only its hash is known.
    fn add(&mut self, entry: &Entry, name: &[u8]) {
        let at = self.place(entry.hash);
        let slot = self.slot(at);
        add(&mut slot.counts, &entry.counts);
        let was = slot.key;
        slot.key |= entry.hash | u64::from(!name.is_empty());
        if slot.key != was {
            self.held += usize::from(was == 0);
            let start = write(&mut self.text, name);
            self.begins(at, start);
        }
    }

    /// The slot that has the hash, or that it is to have.
    fn place(&self, hash: u64) -> usize {
        let mut at = self.begin(hash);
        while self.slots.get(at).is_some_and(|slot| slot.key != 0 && slot.key & !NAMED != hash) {
            at = (at + 1) & (self.slots.len() - 1);
        }
        at
    }

    fn begin(&self, hash: u64) -> usize {
        (hash >> 32) as usize & self.slots.len().wrapping_sub(1)
    }

    fn slot(&mut self, at: usize) -> &mut Slot {
        self.slots.get_mut(at).expect("there are free slots")
    }

    fn begins(&mut self, at: usize, start: u32) {
        *self.starts.get_mut(at).expect("each slot has one") = start;
    }

    /// For so many more. A quarter of them at least stay free, so that few have to be gone by. There are soon many more
    /// where there are some: to double their number each time takes longer, and leaves more holes in the memory.
    fn make_slots(&mut self, more: usize) {
        let wanted = ((self.held + more) * 4 / 3 + 1).next_power_of_two();
        if wanted > self.slots.len() {
            let many = (self.slots.len() * 16).min(LIMIT * 2);
            self.arrange(wanted.max(many), |_| true);
        }
    }

    /// Lets go of the half with the least in it; of all that have as much as the cut, so that what stays does not hang
    /// on the order of the table.
    fn make_room(&mut self) {
        let mut weights: Vec<u64> = self.taken().map(|(slot, _)| weight(&slot.counts)).collect();
        let half = weights.len() / 2;
        if half == 0 {
            return;
        }
        let (_, &mut cut, _) = weights.select_nth_unstable(half);
        self.arrange(self.slots.len(), |counts| weight(counts) > cut);
        self.may_lack += cut;
        // As long as it was, since as many will come: so it never grows piece by piece.
        let room = Vec::with_capacity(self.text.len());
        let text = std::mem::replace(&mut self.text, room);
        let named = self.slots.iter().zip(&mut self.starts).filter(|(slot, _)| slot.key & NAMED != 0);
        for (_, start) in named {
            let name = name(&text, *start);
            *start = write(&mut self.text, name);
        }
    }

    /// Anew in so many slots, without what does not stay.
    fn arrange(&mut self, slots: usize, stays: impl Fn(&Counts) -> bool) {
        let mut staying = Vec::with_capacity(self.held / 2);
        let mut dropped = self.dropped;
        for (slot, start) in self.taken() {
            if stays(&slot.counts) {
                staying.push((*slot, start));
            } else {
                dropped.add(&Fared::from(&slot.counts));
            }
        }
        self.dropped = dropped;
        self.slots.clear();
        self.slots.resize(slots, Slot::default());
        self.starts.clear();
        self.starts.resize(slots, 0);
        self.held = staying.len();
        for (slot, start) in staying {
            let at = self.place(slot.key & !NAMED);
            *self.slot(at) = slot;
            self.begins(at, start);
        }
    }

    /// With where the name of each begins.
    fn taken(&self) -> impl Iterator<Item = (&Slot, u32)> + Clone {
        self.slots.iter().zip(self.starts.iter().copied()).filter(|(slot, _)| slot.key != 0)
    }

    /// Lets go of what has no name, and of names that nothing befell.
    fn settle(&mut self) {
        let mut most = 0;
        for slot in &mut self.slots {
            if slot.key & NAMED == 0 {
                self.dropped.add(&Fared::from(&slot.counts));
                most = most.max(weight(&slot.counts));
            }
            if slot.key & NAMED == 0 || slot.counts == Counts::default() {
                *slot = Slot::default();
            }
        }
        self.may_lack += most;
    }

    /// In no order; to be asked when all is settled.
    pub fn all(&self) -> impl Iterator<Item = (&[u8], Fared)> + Clone {
        self.taken().map(|(slot, start)| (name(&self.text, start), Fared::from(&slot.counts)))
    }
}

/// Where it begins.
fn write(text: &mut Vec<u8>, name: &[u8]) -> u32 {
    let start = text.len() as u32;
    text.push(name.len() as u8);
    text.extend_from_slice(name);
    start
}

/// What was written there.
fn name(text: &[u8], start: u32) -> &[u8] {
    let written = text.get(start as usize..).and_then(<[u8]>::split_first);
    written.and_then(|(&length, rest)| rest.get(..usize::from(length))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use foldhash::fast::RandomState;

    use super::*;
    use crate::ledger::fared::counts;
    use crate::ledger::key::Keys;
    use crate::ledger::met::Meeting;

    fn kept(limit: usize) -> Kept {
        Kept { limit, ..Kept::default() }
    }

    fn meet(meeting: &mut Meeting, keys: &Keys, name: &str, times: u32) {
        let hash = meeting.note(Some(name.as_bytes()), keys);
        meeting.add(hash, &counts(times, [0; 4]));
    }

    fn messages(kept: &Kept, name: &str) -> u64 {
        kept.all().find(|(other, _)| *other == name.as_bytes()).map_or(0, |(_, fared)| fared.messages)
    }

    #[test]
    fn a_full_table_keeps_who_has_most_and_says_what_it_may_lack() {
        let keys = Keys::new(RandomState::default());
        let (mut kept, mut meeting) = (kept(100), Meeting::default());
        for round in 0..10_000 {
            meet(&mut meeting, &keys, "much@example.org", 1);
            meet(&mut meeting, &keys, &format!("{round}@example.org"), 1);
            if round % 7 == 0 {
                kept.take_in(&meeting.hand_over());
            }
        }
        kept.take_in(&meeting.hand_over());
        kept.settle();
        assert!(kept.held <= 100 && kept.slots.len() <= 1024, "{} of {}", kept.held, kept.slots.len());
        let much = messages(&kept, "much@example.org");
        assert!(much <= 10_000 && much + kept.may_lack >= 10_000, "{much} and {}", kept.may_lack);
        assert!(kept.may_lack < 250, "{}", kept.may_lack);
        let all: u64 = kept.all().map(|(_, fared)| fared.messages).sum();
        assert_eq!(all + kept.dropped.messages, 20_000);
    }

    #[test]
    fn a_table_that_was_never_full_is_exact_however_the_lines_are_cut() {
        let keys = Keys::new(RandomState::default());
        let sorted = |cut: u32| {
            let (mut kept, mut meeting) = (kept(100), Meeting::default());
            for number in 0..300 {
                meet(&mut meeting, &keys, &format!("{}@Example.org", number % 70), 1 + number);
                if number % cut == 0 {
                    kept.take_in(&meeting.hand_over());
                }
            }
            kept.take_in(&meeting.hand_over());
            kept.settle();
            assert_eq!((kept.may_lack, kept.dropped), (0, Fared::default()));
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
        let keys = Keys::new(RandomState::default());
        let (mut kept, mut meeting) = (kept(10), Meeting::default());
        let early = meeting.note(Some(b"early@example.org"), &keys);
        for number in 0..20 {
            meet(&mut meeting, &keys, &format!("{number}@example.org"), 1);
            kept.take_in(&meeting.hand_over());
        }
        meeting.add(early, &counts(7, [0; 4]));
        kept.take_in(&meeting.hand_over());
        kept.settle();
        assert_eq!(messages(&kept, "early@example.org"), 0);
        assert!(kept.may_lack >= 7 && kept.dropped.messages >= 7);
    }
}
