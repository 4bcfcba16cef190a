//! Follows the messages of one block, and hands over at its end what needs other blocks.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::block_names::{NameSet, PerRole};
use super::hop::{HandOff, next_queue_id};
use super::key::{KeyHasher, PrehashedState};
use super::message::{Message, apply, supersede};
use super::origin::SenderIds;
use super::recent_ids::{IdHash, RecentIds};
use super::totals::{MessageTotals, PendingHandOff};
use super::transition::{Transition, Update};
use crate::input::read::HeapSize;
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::mta::queue_record::QueueStep;
use crate::parse::timestamp::LogTime;
use crate::pipeline::walk::{LoggedEvent, LoggedQueueRecord};
use crate::smtp::event::{Direction, Event, Outcome};

/// One a thread.
pub(crate) struct BlockTracker {
    keys: KeyHasher,
    partials: HashMap<u64, PartialMessage, PrehashedState>,
    /// Queue ids of the block.
    queue_ids: Vec<IdHash>,
    recent: RecentIds,
    /// Totals of messages that are done; they only have to be added up.
    pub totals: MessageTotals,
    /// No filter is in force: every message is wanted.
    all: bool,
    /// Hops count like any other delivery.
    hops: bool,
}

/// The transitions and the message of one queue id in a block.
#[derive(Default)]
pub(crate) struct PartialMessage {
    /// What happened earlier the first transition that needs nothing of what was earlier the block.
    earlier: Vec<Update>,
    /// The transition that begun_by a message after these.
    begun_by: Option<Transition>,
    /// From some transition on, the block alone knows all of it.
    is_known: bool,
    /// If it is known. None: the last transition ended it.
    message: Option<Message>,
}

/// What a block hands over: the messages that need other blocks, by key; each key once, in no order.
#[derive(Default)]
pub(crate) struct PartialMessages {
    pub open: Vec<(u64, PartialMessage)>,
    /// Messages that begun_by and ended in the block, by what begun_by them: an older one of the same queue id, if there is
    /// one without an end, ended too.
    pub completed: Vec<(u64, Transition)>,
    /// Queue ids of the block.
    pub queue_ids: Vec<IdHash>,
    pub pending: Vec<PendingHandOff>,
    pub names: PerRole<NameSet>,
}

impl HeapSize for PartialMessages {
    fn held(&self) -> usize {
        let inside = |partial: &PartialMessage| {
            let deferred = partial.message.as_ref().map_or(0, Message::weight);
            (partial.earlier.capacity() + deferred) * size_of::<Update>()
        };
        let rest: usize = self.open.iter().map(|(_, partial)| inside(partial)).sum();
        let completed = self.completed.capacity() * size_of::<(u64, Transition)>();
        let ids = self.queue_ids.capacity() * size_of::<IdHash>()
            + self.pending.capacity() * size_of::<PendingHandOff>();
        self.open.capacity() * size_of::<(u64, PartialMessage)>() + completed + ids + rest + self.names.held()
    }
}

impl BlockTracker {
    /// `hasher` is the same for all threads of a run; `all`: no filter is in force; `hops` count like any other delivery.
    pub(crate) fn new(hasher: RandomState, all: bool, hops: bool) -> Self {
        Self {
            keys: KeyHasher::new(hasher),
            partials: HashMap::default(),
            queue_ids: Vec::new(),
            recent: RecentIds::default(),
            totals: MessageTotals::default(),
            all,
            hops,
        }
    }

    pub(crate) fn fact(&mut self, logged: &LoggedQueueRecord) {
        let fact = logged.fact;
        let (key, id) = self.keys.key_and_id(fact.mta, logged.line, fact.queue_id);
        let at = logged.minute.map(|minute| minute * 60);
        let origin = match fact.step {
            QueueStep::Came | QueueStep::Queued | QueueStep::Notice => {
                self.totals.names.add_names(&mta::origin(fact), &self.keys)
            }
            QueueStep::Named
            | QueueStep::Held
            | QueueStep::Released
            | QueueStep::Deleted
            | QueueStep::Returned
            | QueueStep::Renamed
            | QueueStep::Gone => SenderIds::default(),
        };
        let (transition, reason, wanted, counts) = (Transition::of_record(fact), None, false, false);
        self.apply(
            key,
            id,
            &Update { transition, recipient: 0, recipients: 0, at, reason, wanted, counts, origin },
        );
    }

    /// `wanted`: the filter admits it.
    pub(crate) fn event(&mut self, logged: &LoggedEvent, wanted: bool) -> HandOff {
        let event = logged.event;
        if wanted && (event.outcome, event.direction) == (Outcome::Rejected, Direction::Inbound) {
            self.totals.names.count_rejection(event, &self.keys);
        }
        let hop = self.hand_off(event, logged.line);
        let (Some(transition), Some(queue_id)) = (Transition::of_event(event, hop), event.queue_id) else {
            if event.outcome == Outcome::Held && wanted {
                self.hold(logged.moment);
            }
            return hop;
        };
        let (key, id) = self.keys.key_and_id(event.mta, logged.line, queue_id);
        // Its first line said it, as a rule.
        let is_known = |partial: &PartialMessage| {
            partial.message.as_ref().is_some_and(|message| message.origin.sender != 0)
        };
        let sender = event.sender.filter(|_| !self.partials.get(&key).is_some_and(is_known));
        let update = Update {
            transition,
            recipient: self.keys.recipient(event.recipient),
            recipients: mta::served(event, logged.line),
            at: logged.moment.map(|moment| moment.micros.div_euclid(1_000_000)),
            reason: logged.verdict.map(|verdict| verdict.reason),
            wanted,
            counts: wanted && (self.hops || hop == HandOff::No),
            origin: SenderIds {
                sender: self.totals.names.senders.intern_sender(sender, &self.keys),
                ..SenderIds::default()
            },
        };
        self.apply(key, id, &update);
        hop
    }

    /// A message that has no queue id yet.
    fn hold(&mut self, moment: Option<LogTime>) {
        if let Some(moment) = moment {
            self.totals.add_holds(moment.minute(), 1);
        }
    }

    fn hand_off(&self, event: &Event, line: &LogLine) -> HandOff {
        let Some(copy) = next_queue_id(event, line.host) else { return HandOff::No };
        let copy = self.keys.id(copy);
        if self.recent.contains(copy) { HandOff::Yes } else { HandOff::Pending(copy) }
    }

    /// Applies an transition; transitions come in the order of the lines.
    pub(crate) fn apply(&mut self, key: u64, id: IdHash, update: &Update) {
        let partial = match self.partials.entry(key) {
            Entry::Occupied(partial) => partial.into_mut(),
            Entry::Vacant(place) => {
                self.queue_ids.push(id);
                self.recent.add(id);
                place.insert(PartialMessage::default())
            }
        };
        if !partial.is_known {
            if !update.transition.begins() {
                partial.earlier.push(*update);
                partial.is_known = update.transition.ends();
                return;
            }
            (partial.is_known, partial.begun_by) = (true, Some(update.transition));
        }
        apply(&mut partial.message, update, self.all, &mut self.totals);
    }

    /// Ends the block: returns what needs other blocks. Messages that begun_by and ended in it are in the totals.
    pub(crate) fn hand_over(&mut self) -> PartialMessages {
        let (queue_ids, pending) =
            (std::mem::take(&mut self.queue_ids), std::mem::take(&mut self.totals.pending));
        // Tracks are large: room is made once, and those that are done with are looked at where they are.
        let completed = self.partials.iter().filter_map(|(&key, partial)| Some((key, partial.completed()?)));
        let completed: Vec<(u64, Transition)> = completed.collect();
        let mut open = Vec::with_capacity(self.partials.len() - completed.len());
        open.extend(self.partials.extract_if(|_, partial| partial.completed().is_none()));
        self.partials.clear();
        PartialMessages { open, completed, queue_ids, pending, names: self.totals.names.hand_over() }
    }
}

impl PartialMessage {
    /// What begun_by its message, if it ended too and nothing of it is left to be settled.
    fn completed(&self) -> Option<Transition> {
        self.begun_by.filter(|_| self.earlier.is_empty() && self.message.is_none())
    }

    /// Goes on with the message as it was earlier the block.
    pub(crate) fn resume(
        self,
        found: Option<Message>,
        all: bool,
        totals: &mut MessageTotals,
    ) -> Option<Message> {
        let mut message = found;
        for update in &self.earlier {
            apply(&mut message, update, all, totals);
        }
        if let Some(transition) = self.begun_by {
            supersede(&mut message, transition, totals);
        }
        if self.is_known { self.message } else { message }
    }
}
