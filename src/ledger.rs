//! What needs more than one line: what each block could not settle comes in, in order; what became of messages goes out.
//!
//! A [`desk::Desk`] follows the messages within a block, one desk a thread. Most come and go within one; only what
//! began before the block, or does not end in it, is handed over and put together here. What an act does to a
//! message hangs on nothing but the acts before it, so the sums are the same for any cut.

pub mod act;
pub mod context;
pub mod desk;
pub mod key;
pub mod message;
pub mod sums;
pub mod who;

use hashbrown::HashMap;

use self::desk::{Track, Tracks};
use self::key::Plain;
use self::message::{Message, supersede};
use self::sums::{Fate, Sums};

/// Messages, and recipients put off, that are kept at a time: some 140 MiB. A log without the lines that end a
/// message would fill any memory.
/// 450,000 of one recipient each just fit into a table of 2^19.
const LIMIT: usize = 900_000;

/// After a sweep that found no room, so many blocks go by before the next.
const PATIENCE: u32 = 256;

/// The messages that are open between two blocks.
pub struct Ledger {
    open: HashMap<u64, Message, Plain>,
    sums: Sums,
    /// Open messages and their recipients put off.
    kept: usize,
    limit: usize,
    /// Blocks until a sweep is worth trying.
    wait: u32,
    /// No filter is in force: every message is wanted.
    all: bool,
}

/// What became of all messages of the logs.
pub struct Closed {
    pub sums: Sums,
    pub queue: Queue,
}

/// What is in the queue when the logs end.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Queue {
    /// A recipient at least was put off, and not served since.
    pub deferred: u64,
    pub held: u64,
    /// Some of their recipients were not tried yet.
    pub waiting: u64,
    /// When the oldest of these was seen first, in seconds since 1970. None: none of them has a date.
    pub oldest: Option<i64>,
}

impl Ledger {
    /// `all`: no filter is in force.
    pub fn new(all: bool) -> Self {
        Self { open: HashMap::default(), sums: Sums::default(), kept: 0, limit: LIMIT, wait: 0, all }
    }

    /// To be told what each block handed over, in the order of the blocks.
    pub fn fold(&mut self, tracks: Tracks) {
        if self.kept > self.limit {
            self.make_room();
        }
        for (key, track) in tracks.open {
            self.add(key, track);
        }
        for (key, act) in tracks.passed {
            if let Some(old) = self.open.remove(&key) {
                self.kept -= old.weight();
                supersede(&mut Some(old), act, &mut self.sums);
            }
        }
    }

    fn add(&mut self, key: u64, track: Track) {
        let found = self.open.remove(&key);
        let is_new = found.is_none();
        self.kept -= found.as_ref().map_or(0, Message::weight);
        let Some(message) = track.follow(found, self.all, &mut self.sums) else { return };
        if is_new && self.kept > self.limit {
            self.sums.who.add(&message, 0);
            self.sums.forgotten += 1;
            return;
        }
        self.kept += message.weight();
        self.open.insert(key, message);
    }

    /// Lets go of what never got to a queue, and of what looks done.
    fn make_room(&mut self) {
        if self.wait > 0 {
            self.wait -= 1;
            return;
        }
        let (sums, kept) = (&mut self.sums, &mut self.kept);
        self.open.retain(|_, message| {
            let stays = message.fate(false).is_some_and(Fate::is_in_queue);
            if !stays {
                *kept -= message.weight();
                sums.count(message, false);
            }
            stays
        });
        self.wait = if self.kept > self.limit / 8 * 7 { PATIENCE } else { 0 };
    }

    /// The end of the logs; `settled` is what the desks settled themselves.
    pub fn close(self, settled: impl IntoIterator<Item = Sums>) -> Closed {
        let Self { open, mut sums, .. } = self;
        settled.into_iter().for_each(|other| sums.merge(other));
        let mut queue = Queue::default();
        for message in open.values() {
            sums.count(message, false);
            let Some(fate) = message.fate(false).filter(|_| message.wanted) else { continue };
            match fate {
                Fate::Deferred => queue.deferred += 1,
                Fate::Held => queue.held += 1,
                Fate::Waiting => queue.waiting += 1,
                Fate::Delivered | Fate::Bounced | Fate::Expired | Fate::Discarded | Fate::HandedOn => {}
            }
            if fate.is_in_queue() {
                queue.oldest = match (queue.oldest, message.since) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
        }
        sums.who.settle();
        Closed { sums, queue }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::act::{Act, Op};
    use crate::ledger::desk::Desk;
    use crate::ledger::who::Origin;

    fn op(act: Act) -> Op {
        Op { act, recipient: 7, at: Some(0), reason: None, wanted: true, origin: Origin::default() }
    }

    fn told(ledger: &mut Ledger, keys: std::ops::Range<u64>, act: Act) {
        for key in keys {
            let mut desk = Desk::new(foldhash::fast::RandomState::default(), true);
            desk.take(key, &op(act));
            ledger.fold(desk.hand_over());
        }
    }

    #[test]
    fn what_looks_done_makes_room_for_what_comes() {
        let mut ledger = Ledger { limit: 100, ..Ledger::new(true) };
        told(&mut ledger, 0..1000, Act::Delivered);
        assert!(ledger.open.len() <= 101, "{}", ledger.open.len());
        let closed = ledger.close([]);
        assert_eq!((closed.sums.delivered, closed.sums.forgotten), (1000, 0));
    }

    #[test]
    fn what_cannot_be_kept_is_counted_as_forgotten() {
        let mut ledger = Ledger { limit: 100, ..Ledger::new(true) };
        told(&mut ledger, 0..1000, Act::Deferred);
        // A message and its recipient are two.
        assert_eq!(ledger.open.len(), 51);
        told(&mut ledger, 0..51, Act::Delivered);
        let Closed { sums, queue } = ledger.close([]);
        assert_eq!((sums.delivered, sums.forgotten, queue.deferred), (51, 949, 0));
    }

    #[test]
    fn room_is_counted_right() {
        let mut ledger = Ledger::new(true);
        told(&mut ledger, 0..10, Act::Deferred);
        told(&mut ledger, 5..20, Act::Delivered);
        told(&mut ledger, 0..15, Act::Gone);
        let kept: usize = ledger.open.values().map(Message::weight).sum();
        assert_eq!((ledger.kept, kept), (5, 5));
    }
}
