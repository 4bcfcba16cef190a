//! Follows the messages of one block, and returns at its end what depends on other blocks.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::block_names::{NameSet, PerRole};
use super::failure::FailureKind;
use super::failure_details::FailedMessage;
use super::hop::{HandOff, host_of_copy, next_queue_id};
use super::key::{KeyHasher, PrehashedState, domain_hash};
use super::message::{Message, apply, supersede};
use super::origin::SenderIds;
use super::recent_ids::{IdHash, RecentIds};
use super::selection::Selection;
use super::totals::{MessageTotals, PendingHandOff};
use super::transition::{Transition, Update};
use crate::input::read::HeapSize;
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::mta::parsed::domain;
use crate::parse::mta::queue_record::QueueStep;
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::{LoggedEvent, LoggedQueueRecord};
use crate::report::ReportExtent;
use crate::smtp::event::{Direction, Event, Outcome};

/// Follows the messages of one block after another. Each thread has one.
pub(crate) struct BlockTracker {
    keys: KeyHasher,
    partials: HashMap<u64, PartialMessage, PrehashedState>,
    /// The hashes of the block's queue ids.
    queue_ids: Vec<IdHash>,
    recent: RecentIds,
    /// Totals of messages that ended within a block. They need no other block.
    pub totals: MessageTotals,
    selection: Selection,
    /// Hand-offs count like any other delivery (`--hops`).
    hops: bool,
    hidden_domain: Option<HiddenDomain>,
    extent: ReportExtent,
}

/// What a report with `--redact` calls a domain.
pub(crate) type HiddenDomain = Box<dyn Fn(&[u8]) -> Vec<u8> + Send>;

/// The transitions of one queue id in one block.
#[derive(Default)]
pub(crate) struct PartialMessage {
    /// The updates before the first one that begins a message: they belong to a message of an earlier block.
    pub(super) earlier: Vec<Update>,
    /// The transition that began a message after these updates. None: no message began in the block.
    pub(super) begun_by: Option<Transition>,
    /// A message began or ended in the block, so its state no longer depends on earlier blocks.
    pub(super) is_known: bool,
    /// The state, if `is_known`. None: the last transition ended the message.
    pub(super) message: Option<Message>,
    /// The queue id with its half day, as it was added last.
    pub(super) named: Option<IdHash>,
}

/// The result of a block: the messages that depend on other blocks, by key. Each key occurs once; the order is
/// arbitrary.
#[derive(Default)]
pub(crate) struct PartialMessages {
    pub open: Vec<(u64, PartialMessage)>,
    /// Messages that began and ended in the block, with the transition that began them. If an older message with
    /// the same queue id is still open, it ended too.
    pub completed: Vec<(u64, Transition)>,
    /// The hashes of the block's queue ids.
    pub queue_ids: Vec<IdHash>,
    pub pending: Vec<PendingHandOff>,
    pub names: PerRole<NameSet>,
    /// The failed messages among those that began and ended in the block.
    pub failed: Vec<FailedMessage>,
}

impl HeapSize for PartialMessages {
    fn held_bytes(&self) -> usize {
        let inside = |partial: &PartialMessage| {
            let deferred = partial.message.as_ref().map_or(0, Message::weight);
            (partial.earlier.capacity() + deferred) * size_of::<Update>()
        };
        let rest: usize = self.open.iter().map(|(_, partial)| inside(partial)).sum();
        let completed = self.completed.capacity() * size_of::<(u64, Transition)>();
        let ids = self.queue_ids.capacity() * size_of::<IdHash>()
            + self.pending.capacity() * size_of::<PendingHandOff>()
            + self.failed.capacity() * size_of::<FailedMessage>();
        self.open.capacity() * size_of::<(u64, PartialMessage)>()
            + completed
            + ids
            + rest
            + self.names.held_bytes()
    }
}

impl BlockTracker {
    /// `keys` has the same seed in all threads of a run. `hops`: hand-offs count like any
    /// other delivery.
    pub(crate) fn new(keys: KeyHasher, selection: Selection, hops: bool) -> Self {
        Self {
            keys,
            partials: HashMap::default(),
            queue_ids: Vec::new(),
            recent: RecentIds::default(),
            totals: MessageTotals::default(),
            selection,
            hops,
            hidden_domain: None,
            extent: ReportExtent::Whole,
        }
    }

    /// Domains are told apart by what the report calls them.
    #[must_use]
    pub(crate) fn with_hidden_domains(self, hidden_domain: Option<HiddenDomain>) -> Self {
        Self { hidden_domain, ..self }
    }

    /// The tracker counts what a report of this extent asks for.
    #[must_use]
    pub(crate) fn with_extent(mut self, extent: ReportExtent) -> Self {
        if extent == ReportExtent::FirstScreen {
            self.totals.count_failures_only();
        }
        Self { extent, ..self }
    }

    pub(crate) fn queue_record(&mut self, logged: &LoggedQueueRecord) {
        let fact = logged.record;
        let at = logged.minute.map(|minute| minute * 60);
        let (key, id) = self.keys.key_and_placed_id(fact.mta, logged.line, fact.queue_id, at);
        if fact.step == QueueStep::PassedOn {
            // The id is the filter's own, so it names no message of a queue.
            self.queue_ids.push(id);
            self.recent.add(id);
            return;
        }
        let origin = match fact.step {
            QueueStep::Received | QueueStep::Queued | QueueStep::Notice => {
                self.totals.names.add_names(logged.origin(), &self.keys)
            }
            QueueStep::MessageIdAssigned
            | QueueStep::Held
            | QueueStep::Released
            | QueueStep::Deleted
            | QueueStep::Returned
            | QueueStep::Requeued
            | QueueStep::PassedOn
            | QueueStep::Canceled
            | QueueStep::Dropped
            | QueueStep::Removed => SenderIds::default(),
        };
        let update = Update {
            transition: Transition::of_record(fact),
            recipient: 0,
            at,
            failure: None,
            domain: 0,
            direction: None,
            wanted: false,
            concerns: true,
            counts: false,
            origin,
            host: self.keys.last_host(),
        };
        self.apply(key, id, &update);
        if fact.step == QueueStep::Requeued
            && let Some((_, new_id)) = mta::related_queue_id(fact.mta, fact.text)
        {
            let (key, id) = self.keys.key_and_id(fact.mta, logged.line, new_id);
            self.apply(key, id, &Update { transition: Transition::Continued, ..update });
        }
    }

    /// Applies an event to its message. `wanted`: the filter admits the event. `concerns`: it admits the recipient.
    pub(crate) fn event(&mut self, logged: &LoggedEvent, wanted: bool, concerns: bool) -> HandOff {
        let event = logged.event;
        if wanted && (event.outcome, event.direction) == (Outcome::Rejected, Direction::Inbound) {
            self.totals.names.count_rejection(event, &self.keys);
        }
        let at = logged.moment.map(LogTime::second);
        let hop = self.hand_off(event, logged.line, at);
        let (Some(transition), Some(queue_id)) = (Transition::of_event(event, hop), event.queue_id) else {
            if event.outcome == Outcome::Held && wanted {
                self.hold(logged.moment);
            }
            return hop;
        };
        let transition = match transition {
            Transition::Bounced if mta::is_never_queued(event, logged.line) => Transition::BouncedUnqueued,
            transition => transition,
        };
        let (key, id) = self.keys.key_and_placed_id(event.mta, logged.line, queue_id, at);
        // Usually the first line of the message stated the sender.
        let is_known = |partial: &PartialMessage| {
            partial.message.as_ref().is_some_and(|message| message.origin.sender != 0)
        };
        let sender = event.sender.filter(|_| !self.partials.get(&key).is_some_and(is_known));
        let update = Update {
            transition,
            recipient: self.keys.recipient(event.recipient),
            at,
            failure: logged.verdict.map(|verdict| FailureKind::of(event, verdict)),
            domain: self.failed_domain(logged),
            direction: transition.result().map(|_| event.direction),
            wanted,
            concerns: wanted || concerns,
            counts: wanted && (self.hops || hop == HandOff::No),
            origin: SenderIds {
                sender: self.totals.names.senders.intern_sender(sender, &self.keys),
                ..SenderIds::default()
            },
            host: self.keys.last_host(),
        };
        self.apply(key, id, &update);
        hop
    }

    /// Notes a hold of a message that has no queue id yet.
    fn hold(&mut self, moment: Option<LogTime>) {
        if let Some(moment) = moment {
            self.totals.add_holds(moment.minute(), 1);
        }
    }

    fn hand_off(&self, event: &Event, line: &LogLine, at: Option<i64>) -> HandOff {
        let Some(copy) = next_queue_id(event, line.host) else { return HandOff::No };
        let copy = self.keys.copy_id(copy, host_of_copy(event, line.host), at);
        if self.recent.contains(copy) { HandOff::Yes } else { HandOff::Pending(copy) }
    }

    /// Applies an update to the message with this key. Updates must come in the order of the lines.
    pub(crate) fn apply(&mut self, key: u64, id: IdHash, update: &Update) {
        let partial = match self.partials.entry(key) {
            Entry::Occupied(partial) => partial.into_mut(),
            Entry::Vacant(place) => place.insert(PartialMessage::default()),
        };
        // In a quiet log, one block may hold messages of several days with the same id.
        if partial.named != Some(id) {
            partial.named = Some(id);
            self.queue_ids.push(id);
            self.recent.add(id);
        }
        if !partial.is_known {
            if !update.transition.begins() {
                partial.earlier.push(*update);
                partial.is_known = update.transition.ends();
                return;
            }
            (partial.is_known, partial.begun_by) = (true, Some(update.transition));
        }
        apply(&mut partial.message, update, self.selection, &mut self.totals);
    }

    /// The hash of the recipient's domain, if the delivery failed and details are asked for; else 0.
    fn failed_domain(&self, logged: &LoggedEvent) -> u64 {
        if self.extent == ReportExtent::FirstScreen {
            return 0;
        }
        let is_failure = logged.verdict.is_some() && logged.event.direction != Direction::Inbound;
        let domain = logged.event.recipient.filter(|_| is_failure).and_then(domain);
        domain.map_or(0, |domain| match &self.hidden_domain {
            Some(hidden) => domain_hash(&hidden(domain)),
            None => domain_hash(domain),
        })
    }

    /// Ends the block and returns what depends on other blocks. Messages that began and ended in it are in the
    /// totals.
    pub(crate) fn take_block(&mut self) -> PartialMessages {
        let (queue_ids, pending) =
            (std::mem::take(&mut self.queue_ids), std::mem::take(&mut self.totals.pending));
        // Partial messages are large: allocate once, and inspect completed ones where they are.
        let completed = self.partials.iter().filter_map(|(&key, partial)| Some((key, partial.completed()?)));
        let completed: Vec<(u64, Transition)> = completed.collect();
        let mut open = Vec::with_capacity(self.partials.len() - completed.len());
        open.extend(self.partials.extract_if(|_, partial| partial.completed().is_none()));
        self.partials.clear();
        let origins = open.iter().flat_map(|(_, partial): &(u64, PartialMessage)| partial.origins());
        self.totals.names.drop_delivered(origins);
        let (names, failed) = (self.totals.names.take_block(), std::mem::take(&mut self.totals.failed));
        PartialMessages { open, completed, queue_ids, pending, names, failed }
    }
}

impl PartialMessage {
    /// The transition that began the message, if the message also ended in the block and no update precedes it.
    pub(super) fn completed(&self) -> Option<Transition> {
        self.begun_by.filter(|_| self.earlier.is_empty() && self.message.is_none())
    }

    /// The names that the updates of the message state.
    fn origins(&self) -> impl Iterator<Item = SenderIds> {
        let earlier = self.earlier.iter().map(|update| update.origin);
        earlier.chain(self.message.as_ref().map(|message| message.origin))
    }

    /// Continues the message that earlier blocks left open. Returns the message that is open after this block.
    pub(crate) fn resume(
        self,
        found: Option<Message>,
        selection: Selection,
        totals: &mut MessageTotals,
    ) -> Option<Message> {
        let mut message = found;
        for update in &self.earlier {
            apply(&mut message, update, selection, totals);
        }
        if let Some(transition) = self.begun_by {
            supersede(&mut message, transition, totals);
        }
        if self.is_known { self.message } else { message }
    }
}
