//! Follows the messages of one block, and hands over at its end what needs other blocks.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::block_names::{Kinds, Names};
use super::hop::{Hop, named};
use super::key::{Keys, Plain};
use super::message::{Message, apply, supersede};
use super::origin::Origin;
use super::recent_ids::{IdHash, Lately};
use super::totals::{Sums, Unsure};
use super::transition::{Act, Op};
use crate::input::read::Held;
use crate::parse::header::Line;
use crate::parse::mta;
use crate::parse::mta::queue_record::Step;
use crate::parse::timestamp::Moment;
use crate::pipeline::walk::{Noted, Told};
use crate::smtp::event::{Direction, Event, Outcome};

/// One a thread.
pub struct Desk {
    keys: Keys,
    tracks: HashMap<u64, Track, Plain>,
    /// Queue ids of the block.
    seen: Vec<IdHash>,
    lately: Lately,
    /// Totals of messages that are done; they only have to be added up.
    pub sums: Sums,
    /// No filter is in force: every message is wanted.
    all: bool,
    /// Hops count like any other delivery.
    hops: bool,
}

/// The acts and the message of one queue id in a block.
#[derive(Default)]
pub struct Track {
    /// What happened before the first act that needs nothing of what was before the block.
    before: Vec<Op>,
    /// The act that began a message after these.
    began: Option<Act>,
    /// From some act on, the block alone knows all of it.
    is_known: bool,
    /// If it is known. None: the last act ended it.
    message: Option<Message>,
}

/// What a block hands over: the messages that need other blocks, by key; each key once, in no order.
#[derive(Default)]
pub struct Tracks {
    pub open: Vec<(u64, Track)>,
    /// Messages that began and ended in the block, by what began them: an older one of the same queue id, if there is
    /// one without an end, ended too.
    pub passed: Vec<(u64, Act)>,
    /// Queue ids of the block.
    pub seen: Vec<IdHash>,
    pub unsure: Vec<Unsure>,
    pub met: Kinds<Names>,
}

impl Held for Tracks {
    fn held(&self) -> usize {
        let inside = |track: &Track| {
            let deferred = track.message.as_ref().map_or(0, Message::weight);
            (track.before.capacity() + deferred) * size_of::<Op>()
        };
        let rest: usize = self.open.iter().map(|(_, track)| inside(track)).sum();
        let passed = self.passed.capacity() * size_of::<(u64, Act)>();
        let ids = self.seen.capacity() * size_of::<IdHash>() + self.unsure.capacity() * size_of::<Unsure>();
        self.open.capacity() * size_of::<(u64, Track)>() + passed + ids + rest + self.met.held()
    }
}

impl Desk {
    /// `hasher` is the same for all threads of a run; `all`: no filter is in force; `hops` count like any other delivery.
    pub fn new(hasher: RandomState, all: bool, hops: bool) -> Self {
        Self {
            keys: Keys::new(hasher),
            tracks: HashMap::default(),
            seen: Vec::new(),
            lately: Lately::default(),
            sums: Sums::default(),
            all,
            hops,
        }
    }

    pub fn fact(&mut self, noted: &Noted) {
        let fact = noted.fact;
        let (key, id) = self.keys.key_and_id(fact.mta, noted.line, fact.queue_id);
        let at = noted.minute.map(|minute| minute * 60);
        let origin = match fact.step {
            Step::Came | Step::Queued | Step::Notice => self.sums.met.learn(&mta::origin(fact), &self.keys),
            Step::Named
            | Step::Held
            | Step::Released
            | Step::Deleted
            | Step::Returned
            | Step::Renamed
            | Step::Gone => Origin::default(),
        };
        let (act, reason, wanted, counts) = (Act::of_fact(fact), None, false, false);
        self.take(key, id, &Op { act, recipient: 0, recipients: 0, at, reason, wanted, counts, origin });
    }

    /// `wanted`: the filter admits it.
    pub fn event(&mut self, told: &Told, wanted: bool) -> Hop {
        let event = told.event;
        if wanted && (event.outcome, event.direction) == (Outcome::Rejected, Direction::Inbound) {
            self.sums.met.refuse(event, &self.keys);
        }
        let hop = self.hop(event, told.line);
        let (Some(act), Some(queue_id)) = (Act::of_event(event, hop), event.queue_id) else {
            if event.outcome == Outcome::Held && wanted {
                self.hold(told.moment);
            }
            return hop;
        };
        let (key, id) = self.keys.key_and_id(event.mta, told.line, queue_id);
        // Its first line said it, as a rule.
        let is_known =
            |track: &Track| track.message.as_ref().is_some_and(|message| message.origin.sender != 0);
        let sender = event.sender.filter(|_| !self.tracks.get(&key).is_some_and(is_known));
        let op = Op {
            act,
            recipient: self.keys.recipient(event.recipient),
            recipients: mta::served(event, told.line),
            at: told.moment.map(|moment| moment.micros.div_euclid(1_000_000)),
            reason: told.verdict.map(|verdict| verdict.reason),
            wanted,
            counts: wanted && (self.hops || hop == Hop::No),
            origin: Origin { sender: self.sums.met.senders.sender(sender, &self.keys), ..Origin::default() },
        };
        self.take(key, id, &op);
        hop
    }

    /// A message that has no queue id yet.
    fn hold(&mut self, moment: Option<Moment>) {
        if let Some(moment) = moment {
            self.sums.hold(moment.minute(), 1);
        }
    }

    fn hop(&self, event: &Event, line: &Line) -> Hop {
        let Some(copy) = named(event, line.host) else { return Hop::No };
        let copy = self.keys.id(copy);
        if self.lately.holds(copy) { Hop::Yes } else { Hop::Unsure(copy) }
    }

    /// Applies an act; acts come in the order of the lines.
    pub fn take(&mut self, key: u64, id: IdHash, op: &Op) {
        let track = match self.tracks.entry(key) {
            Entry::Occupied(track) => track.into_mut(),
            Entry::Vacant(place) => {
                self.seen.push(id);
                self.lately.add(id);
                place.insert(Track::default())
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
    pub fn hand_over(&mut self) -> Tracks {
        let (seen, unsure) = (std::mem::take(&mut self.seen), std::mem::take(&mut self.sums.unsure));
        // Tracks are large: room is made once, and those that are done with are looked at where they are.
        let passed = self.tracks.iter().filter_map(|(&key, track)| Some((key, track.passed()?)));
        let passed: Vec<(u64, Act)> = passed.collect();
        let mut open = Vec::with_capacity(self.tracks.len() - passed.len());
        open.extend(self.tracks.extract_if(|_, track| track.passed().is_none()));
        self.tracks.clear();
        Tracks { open, passed, seen, unsure, met: self.sums.met.hand_over() }
    }
}

impl Track {
    /// What began its message, if it ended too and nothing of it is left to be settled.
    fn passed(&self) -> Option<Act> {
        self.began.filter(|_| self.before.is_empty() && self.message.is_none())
    }

    /// Goes on with the message as it was before the block.
    pub fn follow(self, found: Option<Message>, all: bool, sums: &mut Sums) -> Option<Message> {
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
