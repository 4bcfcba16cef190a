//! Follows the messages of one block: lines come in, and at its end what the block alone could not settle goes out.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::act::{Act, Op};
use super::key::{Keys, Plain};
use super::message::{Message, apply, supersede};
use super::sums::Sums;
use super::who::Origin;
use crate::event::{Direction, Outcome};
use crate::input::set::Held;
use crate::mta;
use crate::mta::fact::Step;
use crate::walk::{Noted, Told};

/// One a thread.
pub struct Desk {
    keys: Keys,
    tracks: HashMap<u64, Track, Plain>,
    /// What was settled; only to be added up.
    pub sums: Sums,
    /// No filter is in force: every message is wanted.
    all: bool,
}

/// What a block has of one queue id.
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

/// What a block hands over, by key; each key once, in no order.
#[derive(Default)]
pub struct Tracks {
    pub open: Vec<(u64, Track)>,
    /// Messages that began and ended in the block, by what began them: an older one of the same queue id, if there is
    /// one without an end, ended too.
    pub passed: Vec<(u64, Act)>,
}

impl Held for Tracks {
    fn held(&self) -> usize {
        let inside = |track: &Track| {
            let deferred = track.message.as_ref().map_or(0, Message::weight);
            (track.before.capacity() + deferred) * size_of::<Op>()
        };
        let rest: usize = self.open.iter().map(|(_, track)| inside(track)).sum();
        let passed = self.passed.capacity() * size_of::<(u64, Act)>();
        self.open.capacity() * size_of::<(u64, Track)>() + passed + rest
    }
}

impl Desk {
    /// `hasher` is the same for all threads of a run; `all`: no filter is in force.
    pub fn new(hasher: RandomState, all: bool) -> Self {
        Self { keys: Keys::new(hasher), tracks: HashMap::default(), sums: Sums::default(), all }
    }

    pub fn fact(&mut self, noted: &Noted) {
        let fact = &noted.fact;
        let key = self.keys.key(fact.mta, noted.line, fact.queue_id);
        let at = noted.minute.map(|minute| minute * 60);
        let origin = match fact.step {
            Step::Came | Step::Queued => self.sums.who.learn(&mta::origin(fact), &self.keys),
            Step::Named | Step::Held | Step::Released | Step::Deleted | Step::Renamed | Step::Gone => {
                Origin::default()
            }
        };
        self.take(
            key,
            &Op { act: Act::of_fact(fact), recipient: 0, at, reason: None, wanted: false, origin },
        );
    }

    /// `wanted`: the filter admits it.
    pub fn event(&mut self, told: &Told, wanted: bool) {
        let event = told.event;
        if wanted && (event.outcome, event.direction) == (Outcome::Rejected, Direction::Inbound) {
            self.sums.who.refuse(event, &self.keys);
        }
        let (Some(act), Some(queue_id)) = (Act::of_event(event), event.queue_id) else { return };
        let key = self.keys.key(event.mta, told.line, queue_id);
        // Its first line said it, as a rule.
        let is_known =
            |track: &Track| track.message.as_ref().is_some_and(|message| message.origin.sender != 0);
        let sender = event.sender.filter(|_| !self.tracks.get(&key).is_some_and(is_known));
        let op = Op {
            act,
            recipient: self.keys.recipient(event.recipient),
            at: told.moment.map(|moment| moment.micros.div_euclid(1_000_000)),
            reason: told.verdict.map(|verdict| verdict.reason),
            wanted,
            origin: Origin { sender: self.sums.who.senders.sender(sender, &self.keys), ..Origin::default() },
        };
        self.take(key, &op);
    }

    /// To be told in the order of the lines.
    pub fn take(&mut self, key: u64, op: &Op) {
        let track = self.tracks.entry(key).or_default();
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

    /// What the block could not settle. What began and ended in it is in the sums.
    pub fn hand_over(&mut self) -> Tracks {
        let mut tracks = Tracks::default();
        for (key, track) in self.tracks.drain() {
            match track.began {
                Some(act) if track.before.is_empty() && track.message.is_none() => {
                    tracks.passed.push((key, act));
                }
                _ => tracks.open.push((key, track)),
            }
        }
        tracks
    }
}

impl Track {
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
