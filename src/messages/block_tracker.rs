//! Follows the messages of one block, and hands over at its end what needs other blocks.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::block_names::{NameSet, PerRole};
use super::hop::{HandOff, named};
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
use crate::pipeline::sink::{LoggedEvent, LoggedQueueRecord};
use crate::smtp::event::{Direction, Event, Outcome};

/// One a thread.
pub(crate) struct BlockTracker {
    keys: KeyHasher,
    tracks: HashMap<u64, PartialMessage, PrehashedState>,
    /// Queue ids of the block.
    seen: Vec<IdHash>,
    lately: RecentIds,
    /// Totals of messages that are done; they only have to be added up.
    pub sums: MessageTotals,
    /// No filter is in force: every message is wanted.
    all: bool,
    /// Hops count like any other delivery.
    hops: bool,
}

/// The acts and the message of one queue id in a block.
#[derive(Default)]
pub(crate) struct PartialMessage {
    /// What happened before the first act that needs nothing of what was before the block.
    before: Vec<Update>,
    /// The act that began a message after these.
    began: Option<Transition>,
    /// From some act on, the block alone knows all of it.
    is_known: bool,
    /// If it is known. None: the last act ended it.
    message: Option<Message>,
}

/// What a block hands over: the messages that need other blocks, by key; each key once, in no order.
#[derive(Default)]
pub(crate) struct PartialMessages {
    pub open: Vec<(u64, PartialMessage)>,
    /// Messages that began and ended in the block, by what began them: an older one of the same queue id, if there is
    /// one without an end, ended too.
    pub passed: Vec<(u64, Transition)>,
    /// Queue ids of the block.
    pub seen: Vec<IdHash>,
    pub unsure: Vec<PendingHandOff>,
    pub met: PerRole<NameSet>,
}

impl HeapSize for PartialMessages {
    fn held_bytes(&self) -> usize {
        let inside = |track: &PartialMessage| {
            let deferred = track.message.as_ref().map_or(0, Message::weight);
            (track.before.capacity() + deferred) * size_of::<Update>()
        };
        let rest: usize = self.open.iter().map(|(_, track)| inside(track)).sum();
        let passed = self.passed.capacity() * size_of::<(u64, Transition)>();
        let ids =
            self.seen.capacity() * size_of::<IdHash>() + self.unsure.capacity() * size_of::<PendingHandOff>();
        self.open.capacity() * size_of::<(u64, PartialMessage)>() + passed + ids + rest + self.met.held()
    }
}

impl BlockTracker {
    /// `hasher` is the same for all threads of a run; `all`: no filter is in force; `hops` count like any other delivery.
    pub(crate) fn new(hasher: RandomState, all: bool, hops: bool) -> Self {
        Self {
            keys: KeyHasher::new(hasher),
            tracks: HashMap::default(),
            seen: Vec::new(),
            lately: RecentIds::default(),
            sums: MessageTotals::default(),
            all,
            hops,
        }
    }

    pub(crate) fn fact(&mut self, noted: &LoggedQueueRecord) {
        let fact = noted.record;
        let (key, id) = self.keys.key_and_id(fact.mta, noted.line, fact.queue_id);
        let at = noted.minute.map(|minute| minute * 60);
        let origin = match fact.step {
            QueueStep::Received | QueueStep::Queued | QueueStep::Notice => {
                self.sums.met.learn(&mta::origin(fact), &self.keys)
            }
            QueueStep::MessageIdAssigned
            | QueueStep::Held
            | QueueStep::Released
            | QueueStep::Deleted
            | QueueStep::Returned
            | QueueStep::Requeued
            | QueueStep::Removed => SenderIds::default(),
        };
        let (act, reason, wanted, counts) = (Transition::of_fact(fact), None, false, false);
        self.take(key, id, &Update { act, recipient: 0, recipients: 0, at, reason, wanted, counts, origin });
    }

    /// `wanted`: the filter admits it.
    pub(crate) fn event(&mut self, told: &LoggedEvent, wanted: bool) -> HandOff {
        let event = told.event;
        if wanted && (event.outcome, event.direction) == (Outcome::Rejected, Direction::Inbound) {
            self.sums.met.refuse(event, &self.keys);
        }
        let hop = self.hop(event, told.line);
        let (Some(act), Some(queue_id)) = (Transition::of_event(event, hop), event.queue_id) else {
            if event.outcome == Outcome::Held && wanted {
                self.hold(told.moment);
            }
            return hop;
        };
        let (key, id) = self.keys.key_and_id(event.mta, told.line, queue_id);
        // Its first line said it, as a rule.
        let is_known =
            |track: &PartialMessage| track.message.as_ref().is_some_and(|message| message.origin.sender != 0);
        let sender = event.sender.filter(|_| !self.tracks.get(&key).is_some_and(is_known));
        let op = Update {
            act,
            recipient: self.keys.recipient(event.recipient),
            recipients: mta::reported_recipients(event, told.line),
            at: told.moment.map(|moment| moment.micros.div_euclid(1_000_000)),
            reason: told.verdict.map(|verdict| verdict.reason),
            wanted,
            counts: wanted && (self.hops || hop == HandOff::No),
            origin: SenderIds {
                sender: self.sums.met.senders.sender(sender, &self.keys),
                ..SenderIds::default()
            },
        };
        self.take(key, id, &op);
        hop
    }

    /// A message that has no queue id yet.
    fn hold(&mut self, moment: Option<LogTime>) {
        if let Some(moment) = moment {
            self.sums.hold(moment.minute(), 1);
        }
    }

    fn hop(&self, event: &Event, line: &LogLine) -> HandOff {
        let Some(copy) = named(event, line.host) else { return HandOff::No };
        let copy = self.keys.id(copy);
        if self.lately.holds(copy) { HandOff::Yes } else { HandOff::Unsure(copy) }
    }

    /// Applies an act; acts come in the order of the lines.
    pub(crate) fn take(&mut self, key: u64, id: IdHash, op: &Update) {
        let track = match self.tracks.entry(key) {
            Entry::Occupied(track) => track.into_mut(),
            Entry::Vacant(place) => {
                self.seen.push(id);
                self.lately.add(id);
                place.insert(PartialMessage::default())
            }
        };
        if !track.is_known {
            if !op.act.begins() {
                track.before.push(*op);
                track.is_known = op.act.ends();
                return;
            }
            (track.is_known, track.began) = (true, Some(op.act));
        }
        apply(&mut track.message, op, self.all, &mut self.sums);
    }

    /// Ends the block: returns what needs other blocks. Messages that began and ended in it are in the totals.
    pub(crate) fn hand_over(&mut self) -> PartialMessages {
        let (seen, unsure) = (std::mem::take(&mut self.seen), std::mem::take(&mut self.sums.unsure));
        // Tracks are large: room is made once, and those that are done with are looked at where they are.
        let passed = self.tracks.iter().filter_map(|(&key, track)| Some((key, track.passed()?)));
        let passed: Vec<(u64, Transition)> = passed.collect();
        let mut open = Vec::with_capacity(self.tracks.len() - passed.len());
        open.extend(self.tracks.extract_if(|_, track| track.passed().is_none()));
        self.tracks.clear();
        PartialMessages { open, passed, seen, unsure, met: self.sums.met.hand_over() }
    }
}

impl PartialMessage {
    /// What began its message, if it ended too and nothing of it is left to be settled.
    fn passed(&self) -> Option<Transition> {
        self.began.filter(|_| self.before.is_empty() && self.message.is_none())
    }

    /// Goes on with the message as it was before the block.
    pub(crate) fn follow(
        self,
        found: Option<Message>,
        all: bool,
        sums: &mut MessageTotals,
    ) -> Option<Message> {
        let mut message = found;
        for op in &self.before {
            apply(&mut message, op, all, sums);
        }
        if let Some(act) = self.began {
            supersede(&mut message, act, sums);
        }
        if self.is_known { self.message } else { message }
    }
}
