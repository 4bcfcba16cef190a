//! Follows messages across lines and blocks, and counts their final states.
//!
//! A [`block_tracker::BlockTracker`] in each thread follows the messages within a block. Most begin and end within one;
//! [`MessageTracker`] joins the parts of the others, block by block in their order.
//!
//! Promises: what a line does to a message depends only on the lines before it, so the sums are the same for any cut into
//! blocks; memory is bounded, and what is forgotten is counted.
//! May use: pipeline and what lies below it, and the extent of a report.

pub(crate) mod block_names;
pub(crate) mod block_tracker;
pub(crate) mod compose;
pub(crate) mod context;
pub(crate) mod deferred;
pub(crate) mod direction_count;
pub(crate) mod failure;
pub(crate) mod failure_details;
pub(crate) mod failure_tables;
pub(crate) mod final_state;
pub(crate) mod hop;
pub(crate) mod host_spans;
mod kept_details;
pub(crate) mod kept_names;
pub(crate) mod key;
mod key_set;
pub(crate) mod mail_counts;
pub(crate) mod message;
pub(crate) mod metadata;
pub(crate) mod names;
pub(crate) mod open_messages;
pub(crate) mod origin;
pub(crate) mod packed_updates;
pub(crate) mod part;
pub(crate) mod placed_id;
pub(crate) mod recent_ids;
pub(crate) mod selection;
pub(crate) mod totals;
pub(crate) mod transition;

use hashbrown::{HashMap, HashSet};

use self::block_tracker::{PartialMessage, PartialMessages};
use self::compose::OpenParts;
use self::failure_details::FailureDetails;
use self::host_spans::CountedHost;
use self::key::PrehashedState;
use self::message::{Message, supersede};
use self::names::{FinishedNamesByRole, NameCountsByRole};
use self::recent_ids::{IdHash, SeenIds, is_among};
use self::selection::Selection;
use self::totals::{FinalState, MessageTotals, PendingHandOff};
use self::transition::Transition;
use crate::report::ReportExtent;

/// Maximum number of open messages and their deferred recipients: about 140 MiB. A log without the lines that end
/// messages would fill any memory. 450,000 messages with one recipient each just fit into a table of 2^19 slots.
const LIMIT: usize = 900_000;

/// Blocks between two sweeps, if the last sweep freed too little.
const SWEEP_PAUSE: u32 = 256;

/// The messages that are open between two blocks.
pub(crate) struct MessageTracker {
    open: HashMap<u64, Message, PrehashedState>,
    /// For a part: what depends on lines before it, instead of `open`.
    composed: Option<Box<OpenParts>>,
    totals: MessageTotals,
    names: NameCountsByRole,
    details: FailureDetails,
    pub seen_ids: SeenIds,
    /// Counts that depend on whether a queue id will be seen.
    pending: Vec<PendingHandOff>,
    /// Number of open messages and their deferred recipients.
    open_weight: usize,
    limit: usize,
    /// Blocks to wait before the next sweep.
    sweep_pause: u32,
    selection: Selection,
}

/// The totals of all messages of the logs.
pub struct MessageSummary {
    pub totals: MessageTotals,
    /// Mail by sender, client and login. It includes messages that no total counts.
    pub names: FinishedNamesByRole,
    /// Who sent the failed messages, and when those to each domain failed.
    pub details: FailureDetails,
    pub queue: QueuedMessages,
    /// The hosts that wrote the lines, by name. Whoever counts lines fills it.
    pub hosts: Vec<CountedHost>,
}

/// The state of the queue when the logs end.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct QueuedMessages {
    /// Messages with at least one deferred recipient.
    pub deferred: u64,
    pub held: u64,
    /// Messages with recipients that have not been tried yet.
    pub waiting: u64,
    /// When the oldest of these messages was first seen, in seconds since 1970. None: none of them has a date.
    pub oldest: Option<i64>,
}

impl MessageTracker {
    pub(crate) fn new(selection: Selection) -> Self {
        Self {
            open: HashMap::default(),
            composed: None,
            totals: MessageTotals::default(),
            names: NameCountsByRole::default(),
            details: FailureDetails::default(),
            seen_ids: SeenIds::default(),
            pending: Vec::new(),
            open_weight: 0,
            limit: LIMIT,
            sweep_pause: 0,
            selection,
        }
    }

    /// The tracker counts what a report of this extent asks for.
    #[must_use]
    pub(crate) fn with_extent(mut self, extent: ReportExtent) -> Self {
        if extent == ReportExtent::FirstScreen {
            self.totals.count_failures_only();
        }
        Self { details: FailureDetails::new(extent), ..self }
    }

    /// For a part, which does not know what its first lines go on from.
    pub(crate) fn of_part(selection: Selection) -> Self {
        Self { composed: Some(Box::default()), ..Self::new(selection) }
    }

    /// Adds the result of a block. Blocks must come in their order.
    pub(crate) fn fold(&mut self, partials: PartialMessages) {
        if self.open_weight > self.limit {
            self.make_room();
        }
        self.seen_ids.add(&partials.queue_ids);
        self.names.merge_names(&partials.names);
        self.pending.extend(partials.pending);
        for (key, partial) in partials.open {
            self.add(key, partial);
        }
        for (key, transition) in partials.completed {
            self.complete(key, transition);
        }
        self.pending.append(&mut self.totals.pending);
        self.names.merge_names(&self.totals.names.take_block());
        self.details.add(partials.failed);
        self.details.add(std::mem::take(&mut self.totals.failed));
        self.details.make_room();
    }

    /// The queue ids that pending counts wait for.
    pub(crate) fn pending(&self) -> impl ExactSizeIterator<Item = IdHash> {
        self.pending.iter().map(|pending| pending.id)
    }

    /// Resolves pending counts whose id was `found`. With `all` it also resolves the rest, as ids that never
    /// appear.
    pub(crate) fn resolve(&mut self, found: &HashSet<IdHash, PrehashedState>, all: bool) {
        let totals = &mut self.totals;
        self.pending.retain(|pending| {
            let seen = is_among(pending.id, found);
            if seen || all {
                totals.resolve(&pending.kind, seen);
            }
            !(seen || all)
        });
    }

    /// A message began and ended under this key.
    fn complete(&mut self, key: u64, transition: Transition) {
        if let Some(composed) = &mut self.composed {
            composed.complete(key, transition, &mut self.totals);
        } else if let Some(old) = self.open.remove(&key) {
            self.open_weight -= old.weight();
            supersede(&mut Some(old), transition, &mut self.totals);
        }
    }

    fn add(&mut self, key: u64, partial: PartialMessage) {
        if let Some(composed) = &mut self.composed {
            composed.add(key, partial, self.selection, &mut self.totals);
            return;
        }
        let found = self.open.remove(&key);
        let is_new = found.is_none();
        self.open_weight -= found.as_ref().map_or(0, Message::weight);
        let Some(message) = partial.resume(found, self.selection, &mut self.totals) else { return };
        if is_new && self.open_weight > self.limit {
            self.totals.names.count_message(message.origin, message.attempts, 0);
            self.totals.forgotten += 1;
            return;
        }
        self.open_weight += message.weight();
        self.open.insert(key, message);
    }

    /// Removes messages that never got into a queue and messages that look done.
    fn make_room(&mut self) {
        if self.sweep_pause > 0 {
            self.sweep_pause -= 1;
            return;
        }
        let (totals, open_weight) = (&mut self.totals, &mut self.open_weight);
        self.open.retain(|_, message| {
            let stays = message.may_go_on();
            if !stays {
                *open_weight -= message.weight();
                message.count_into(false, totals);
            }
            stays
        });
        self.sweep_pause = if self.open_weight > self.limit / 8 * 7 { SWEEP_PAUSE } else { 0 };
    }

    /// Ends the logs. `settled` are the totals that the block trackers counted themselves.
    pub(crate) fn finish(mut self, settled: impl IntoIterator<Item = MessageTotals>) -> MessageSummary {
        let mut totals = std::mem::take(&mut self.totals);
        settled.into_iter().for_each(|other| totals.merge(other));
        let mut details = std::mem::take(&mut self.details);
        let queue = self.count_open(&mut totals, &mut details);
        self.totals = totals;
        self.pending.append(&mut self.totals.pending);
        let found = self.seen_ids.among(self.pending());
        self.resolve(&found, true);
        self.names.merge_names(&self.totals.names.take_block());
        details.add(std::mem::take(&mut self.totals.failed));
        details.make_room();
        let (totals, names) = (self.totals, self.names.finish());
        MessageSummary { totals, names, details, queue, hosts: Vec::new() }
    }

    /// Counts messages that Postfix put on hold before they had a queue id: their header was read, and no later
    /// line is about them. Messages whose client disconnected look the same, so at most as many are counted as
    /// there were such holds.
    fn held_silently(&self, totals: &mut MessageTotals) -> QueuedMessages {
        let mut queue = QueuedMessages::default();
        if totals.silent_holds.is_empty() {
            return queue;
        }
        let open =
            self.open.values().filter(|message| message.received && message.header_read && !message.queued);
        let mut since: Vec<i64> = open.filter_map(|message| message.since).collect();
        since.sort_unstable();
        for at in since {
            if totals.take_hold(at.div_euclid(60)) {
                queue.held += 1;
                queue.update_oldest(Some(at));
                totals.received += 1;
            }
        }
        queue
    }

    /// Counts the messages that are still open.
    fn count_open(&self, totals: &mut MessageTotals, details: &mut FailureDetails) -> QueuedMessages {
        let mut queue = self.held_silently(totals);
        for message in self.open.values() {
            message.count_into(false, totals);
            details.add(totals.failed.drain(..));
            let Some(state) = message.final_state(false).filter(|_| message.wanted) else { continue };
            match state {
                FinalState::Deferred => queue.deferred += 1,
                FinalState::Held => queue.held += 1,
                FinalState::Waiting => queue.waiting += 1,
                FinalState::Delivered
                | FinalState::Bounced
                | FinalState::Expired
                | FinalState::Discarded
                | FinalState::HandedOn => {}
            }
            if state.is_in_queue() {
                queue.update_oldest(message.since);
            }
        }
        queue
    }
}

impl QueuedMessages {
    fn update_oldest(&mut self, since: Option<i64>) {
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
    use crate::messages::key::KeyHasher;
    use crate::messages::origin::SenderIds;
    use crate::messages::transition::Update;

    fn update(transition: Transition) -> Update {
        let (at, failure, direction, origin) = (Some(0), None, None, SenderIds::default());
        let (wanted, concerns, counts, domain, host) = (true, true, true, 0, 0);
        Update {
            host,
            transition,
            recipient: 7,
            at,
            failure,
            domain,
            direction,
            wanted,
            concerns,
            counts,
            origin,
        }
    }

    fn apply_to_each(tracker: &mut MessageTracker, keys: std::ops::Range<u64>, transition: Transition) {
        for key in keys {
            let mut block = BlockTracker::new(KeyHasher::for_parts(), Selection::All, false);
            block.apply(key, std::num::NonZeroU64::MIN, &update(transition));
            tracker.fold(block.take_block());
        }
    }

    #[test]
    fn what_looks_done_makes_room_for_what_comes() {
        let mut tracker = MessageTracker { limit: 100, ..MessageTracker::new(Selection::All) };
        apply_to_each(&mut tracker, 0..1000, Transition::Delivered);
        assert!(tracker.open.len() <= 101, "{}", tracker.open.len());
        let closed = tracker.finish([]);
        assert_eq!((closed.totals.delivered, closed.totals.forgotten), (1000, 0));
    }

    #[test]
    fn what_cannot_be_kept_is_counted_as_forgotten() {
        let mut tracker = MessageTracker { limit: 100, ..MessageTracker::new(Selection::All) };
        apply_to_each(&mut tracker, 0..1000, Transition::Deferred);
        // A message and its recipient count as two.
        assert_eq!(tracker.open.len(), 51);
        apply_to_each(&mut tracker, 0..51, Transition::Delivered);
        let MessageSummary { totals, queue, .. } = tracker.finish([]);
        assert_eq!((totals.delivered, totals.forgotten, queue.deferred), (51, 949, 0));
    }

    #[test]
    fn room_is_counted_right() {
        let mut tracker = MessageTracker::new(Selection::All);
        apply_to_each(&mut tracker, 0..10, Transition::Deferred);
        apply_to_each(&mut tracker, 5..20, Transition::Delivered);
        apply_to_each(&mut tracker, 0..15, Transition::Removed);
        let open_weight: usize = tracker.open.values().map(Message::weight).sum();
        assert_eq!((tracker.open_weight, open_weight), (5, 5));
    }
}
