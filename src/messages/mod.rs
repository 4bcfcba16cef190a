//! Follows messages over many lines and blocks, and counts what became of them.
//!
//! [`block_tracker::BlockTracker`] follows the messages within a block, one tracker a thread. Most begin and end within one;
//! only those that began before the block, or do not end in it, are handed over and put together here.
//!
//! Promises: what a line does to a message depends only on the lines before it, so the sums are the same for any cut into
//! blocks; memory is bounded, and what is forgotten is counted.
//! May use: pipeline and what lies below it.

pub(crate) mod block_names;
pub(crate) mod block_tracker;
pub(crate) mod context;
pub(crate) mod deferred;
pub(crate) mod hop;
pub(crate) mod key;
pub(crate) mod mail_counts;
pub(crate) mod message;
pub(crate) mod metadata;
pub(crate) mod names;
pub(crate) mod origin;
pub(crate) mod recent_ids;
pub(crate) mod totals;
pub(crate) mod transition;

use hashbrown::{HashMap, HashSet};

use self::block_tracker::{PartialMessage, PartialMessages};
use self::key::PrehashedState;
use self::message::{Message, supersede};
use self::names::{FinishedWho, NameCountsByRole};
use self::recent_ids::{IdHash, SeenIds};
use self::totals::{FinalState, MessageTotals, PendingHandOff};

/// Open messages and their deferred recipients that are kept at a time: about 140 MiB. A log without the lines that end
/// a message would fill any memory.
/// 450,000 of one recipient each just fit into a table of 2^19.
const LIMIT: usize = 900_000;

/// Blocks between two sweeps, after one that found no room.
const PATIENCE: u32 = 256;

/// The messages that are open between two blocks.
pub(crate) struct MessageTracker {
    open: HashMap<u64, Message, PrehashedState>,
    sums: MessageTotals,
    who: NameCountsByRole,
    pub seen: SeenIds,
    /// What hangs on whether an id will be seen.
    unsure: Vec<PendingHandOff>,
    /// Open messages and their recipients put off.
    kept: usize,
    limit: usize,
    /// Blocks until a sweep is worth trying.
    wait: u32,
    /// No filter is in force: every message is wanted.
    all: bool,
}

/// The totals of all messages of the logs.
pub struct MessageSummary {
    pub sums: MessageTotals,
    /// Mail by sender, client and login, also of messages that are in no total.
    pub who: FinishedWho,
    pub queue: QueuedMessages,
}

/// What is in the queue when the logs end.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct QueuedMessages {
    /// A recipient at least was put off, and not served since.
    pub deferred: u64,
    pub held: u64,
    /// Some of their recipients were not tried yet.
    pub waiting: u64,
    /// When the oldest of these was seen first, in seconds since 1970. None: none of them has a date.
    pub oldest: Option<i64>,
}

impl MessageTracker {
    /// `all`: no filter is in force.
    pub(crate) fn new(all: bool) -> Self {
        Self {
            open: HashMap::default(),
            sums: MessageTotals::default(),
            who: NameCountsByRole::default(),
            seen: SeenIds::default(),
            unsure: Vec::new(),
            kept: 0,
            limit: LIMIT,
            wait: 0,
            all,
        }
    }

    /// Adds what a block handed over; blocks come in their order.
    pub(crate) fn fold(&mut self, tracks: PartialMessages) {
        if self.kept > self.limit {
            self.make_room();
        }
        self.seen.add(&tracks.seen);
        self.who.take_in(&tracks.met);
        self.unsure.extend(tracks.unsure);
        for (key, track) in tracks.open {
            self.add(key, track);
        }
        for (key, act) in tracks.passed {
            if let Some(old) = self.open.remove(&key) {
                self.kept -= old.weight();
                supersede(&mut Some(old), act, &mut self.sums);
            }
        }
        self.unsure.append(&mut self.sums.unsure);
        self.who.take_in(&self.sums.met.hand_over());
    }

    /// What is not settled yet.
    pub(crate) fn unsure(&self) -> impl ExactSizeIterator<Item = IdHash> {
        self.unsure.iter().map(|unsure| unsure.id)
    }

    /// Resolves what waits for an id that was `found`; with `all` the rest too, as ids that are never seen.
    pub(crate) fn resolve(&mut self, found: &HashSet<IdHash, PrehashedState>, all: bool) {
        let sums = &mut self.sums;
        self.unsure.retain(|unsure| {
            let seen = found.contains(&unsure.id);
            if seen || all {
                sums.resolve(&unsure.what, seen);
            }
            !(seen || all)
        });
    }

    fn add(&mut self, key: u64, track: PartialMessage) {
        let found = self.open.remove(&key);
        let is_new = found.is_none();
        self.kept -= found.as_ref().map_or(0, Message::weight);
        let Some(message) = track.follow(found, self.all, &mut self.sums) else { return };
        if is_new && self.kept > self.limit {
            self.sums.met.add(message.origin, message.attempts, 0);
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
            let stays = message.fate(false).is_some_and(FinalState::is_in_queue);
            if !stays {
                *kept -= message.weight();
                message.count_into(false, sums);
            }
            stays
        });
        self.wait = if self.kept > self.limit / 8 * 7 { PATIENCE } else { 0 };
    }

    /// The end of the logs; `settled` is what the desks settled themselves.
    pub(crate) fn finish(mut self, settled: impl IntoIterator<Item = MessageTotals>) -> MessageSummary {
        let mut sums = std::mem::take(&mut self.sums);
        settled.into_iter().for_each(|other| sums.merge(other));
        let queue = self.queue(&mut sums);
        self.sums = sums;
        self.unsure.append(&mut self.sums.unsure);
        let found = self.seen.among(self.unsure());
        self.resolve(&found, true);
        self.who.take_in(&self.sums.met.hand_over());
        MessageSummary { sums: self.sums, who: self.who.finish(), queue }
    }

    /// What Postfix put on hold before it had a queue id: its header was read, and no line says more of it. Nor does one
    /// where the client went away, so there are no more of these than there were such holds.
    fn held_silently(&self, sums: &mut MessageTotals) -> QueuedMessages {
        let mut queue = QueuedMessages::default();
        if sums.silent_holds.is_empty() {
            return queue;
        }
        let open = self.open.values().filter(|message| message.came && message.named && !message.queued);
        let mut since: Vec<i64> = open.filter_map(|message| message.since).collect();
        since.sort_unstable();
        for at in since {
            if sums.take_hold(at.div_euclid(60)) {
                queue.held += 1;
                queue.see(Some(at));
                sums.received += 1;
            }
        }
        queue
    }

    /// Counts what is still open; it stays.
    fn queue(&self, sums: &mut MessageTotals) -> QueuedMessages {
        let mut queue = self.held_silently(sums);
        for message in self.open.values() {
            message.count_into(false, sums);
            let Some(fate) = message.fate(false).filter(|_| message.wanted) else { continue };
            match fate {
                FinalState::Deferred => queue.deferred += 1,
                FinalState::Held => queue.held += 1,
                FinalState::Waiting => queue.waiting += 1,
                FinalState::Delivered
                | FinalState::Bounced
                | FinalState::Expired
                | FinalState::Discarded
                | FinalState::HandedOn => {}
            }
            if fate.is_in_queue() {
                queue.see(message.since);
            }
        }
        queue
    }
}

impl QueuedMessages {
    fn see(&mut self, since: Option<i64>) {
        self.oldest = match (self.oldest, since) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::block_tracker::BlockTracker;
    use crate::messages::origin::SenderIds;
    use crate::messages::transition::{Transition, Update};

    fn op(act: Transition) -> Update {
        let (at, reason, origin) = (Some(0), None, SenderIds::default());
        Update { act, recipient: 7, recipients: 1, at, reason, wanted: true, counts: true, origin }
    }

    fn told(ledger: &mut MessageTracker, keys: std::ops::Range<u64>, act: Transition) {
        for key in keys {
            let mut desk = BlockTracker::new(foldhash::fast::RandomState::default(), true, false);
            desk.take(key, std::num::NonZeroU64::MIN, &op(act));
            ledger.fold(desk.hand_over());
        }
    }

    #[test]
    fn what_looks_done_makes_room_for_what_comes() {
        let mut ledger = MessageTracker { limit: 100, ..MessageTracker::new(true) };
        told(&mut ledger, 0..1000, Transition::Delivered);
        assert!(ledger.open.len() <= 101, "{}", ledger.open.len());
        let closed = ledger.finish([]);
        assert_eq!((closed.sums.delivered, closed.sums.forgotten), (1000, 0));
    }

    #[test]
    fn what_cannot_be_kept_is_counted_as_forgotten() {
        let mut ledger = MessageTracker { limit: 100, ..MessageTracker::new(true) };
        told(&mut ledger, 0..1000, Transition::Deferred);
        // A message and its recipient are two.
        assert_eq!(ledger.open.len(), 51);
        told(&mut ledger, 0..51, Transition::Delivered);
        let MessageSummary { sums, queue, .. } = ledger.finish([]);
        assert_eq!((sums.delivered, sums.forgotten, queue.deferred), (51, 949, 0));
    }

    #[test]
    fn room_is_counted_right() {
        let mut ledger = MessageTracker::new(true);
        told(&mut ledger, 0..10, Transition::Deferred);
        told(&mut ledger, 5..20, Transition::Delivered);
        told(&mut ledger, 0..15, Transition::Gone);
        let kept: usize = ledger.open.values().map(Message::weight).sum();
        assert_eq!((ledger.kept, kept), (5, 5));
    }
}
