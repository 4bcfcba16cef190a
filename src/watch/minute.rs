//! What happened in one minute: events come in, counts for each kind go out; minutes are let go of one by one.

use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::parse::mta::parsed::domain;
use crate::parse::timestamp::LogTime;
use crate::smtp::event::{Direction, Event, Outcome};
use crate::tally::{Tally, TallyCount, TallyKey};

/// Names kept of one kind in one minute; strangers choose them. What comes beyond is in the count alone.
const PLACES: usize = 256;
/// Kinds kept in one minute.
const KINDS: usize = 1 << 12;
/// Of a line kept as an example, in bytes.
const EXAMPLE_LIMIT: usize = 400;

/// One minute.
#[derive(Default)]
pub(crate) struct MinuteCounts {
    kinds: HashMap<TallyKey, MinuteKind>,
    /// Messages that came.
    came: u64,
}

/// The events of one kind in one minute.
#[derive(Default)]
struct MinuteKind {
    count: u64,
    first: Option<LogTime>,
    last: Option<LogTime>,
    /// Whom it concerned, as in a row of the tally.
    places: HashMap<Box<[u8]>, u64>,
    example: Vec<u8>,
}

/// Messages in and out, and failures: of one minute, or of many.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct MailTotals {
    /// Messages that came in, from a client or a program.
    pub came: u64,
    /// Deliveries, to others and on this machine.
    pub delivered: u64,
    /// What was deferred, bounced, expired, or refused by us.
    pub failed: u64,
}

impl MailTotals {
    pub fn add(&mut self, other: Self) {
        self.came += other.came;
        self.delivered += other.delivered;
        self.failed += other.failed;
    }

    pub fn count(&mut self, outcome: Outcome, count: u64) {
        match outcome {
            Outcome::Delivered => self.delivered += count,
            Outcome::Deferred | Outcome::Bounced | Outcome::Expired | Outcome::Rejected => {
                self.failed += count;
            }
            Outcome::Attempt | Outcome::Warned | Outcome::Held | Outcome::Discarded | Outcome::Probe => {}
        }
    }
}

impl MinuteCounts {
    pub(crate) fn came(&mut self) {
        self.came += 1;
    }

    /// A message that seemed to come had been here before.
    pub(crate) fn did_not_come(&mut self) {
        self.came = self.came.saturating_sub(1);
    }

    pub(crate) fn count(&mut self, key: TallyKey, event: &Event, moment: LogTime, raw: &[u8]) {
        if self.kinds.len() >= KINDS && !self.kinds.contains_key(&key) {
            return;
        }
        let kind = self.kinds.entry(key).or_default();
        kind.count += 1;
        kind.first = Some(kind.first.map_or(moment, |first| first.min(moment)));
        kind.last = Some(kind.last.map_or(moment, |last| last.max(moment)));
        if key.kind.outcome == Outcome::Delivered {
            return;
        }
        let peer = event.peer;
        let place = match event.direction {
            Direction::Inbound => peer.ip.or(peer.host),
            Direction::Outbound | Direction::Local => event.recipient.and_then(domain).or(peer.host),
        };
        if let Some(place) = place {
            if let Some(count) = kind.places.get_mut(place) {
                *count += 1;
            } else if kind.places.len() < PLACES {
                kind.places.insert(place.into(), 1);
            }
        }
        kind.example.clear();
        kind.example.extend_from_slice(raw.get(..EXAMPLE_LIMIT).unwrap_or(raw));
    }

    /// It was a hop after all.
    pub(crate) fn take_back(&mut self, key: &TallyKey) {
        if let Some(kind) = self.kinds.get_mut(key) {
            kind.count = kind.count.saturating_sub(1);
        }
    }

    pub(crate) fn flow(&self) -> MailTotals {
        let mut flow = MailTotals { came: self.came, ..MailTotals::default() };
        self.kinds.iter().for_each(|(key, kind)| flow.count(key.kind.outcome, kind.count));
        flow
    }
}

/// The minutes' rows together, as a tally of them would have them; recipients are not told apart.
pub(crate) fn tally<'m>(minutes: impl Iterator<Item = &'m MinuteCounts>, hasher: &RandomState) -> Tally {
    let mut tally = Tally::new(hasher.clone(), 1, None);
    let mut examples: BTreeMap<TallyKey, (LogTime, &[u8])> = BTreeMap::new();
    for (key, kind) in minutes.flat_map(|minute| &minute.kinds).filter(|(_, kind)| kind.count > 0) {
        let count: &mut TallyCount = tally.rows.row(key);
        count.attempts += kind.count;
        count.first = count.first.into_iter().chain(kind.first).min();
        count.last = count.last.into_iter().chain(kind.last).max();
        for (place, number) in &kind.places {
            count.places.add(tally.names.intern(place), *number);
        }
        if let Some(last) = kind.last.filter(|_| !kind.example.is_empty()) {
            let example = examples.entry(*key).or_insert((last, &kind.example));
            *example = (*example).max((last, &kind.example));
        }
    }
    for (key, (moment, line)) in examples {
        let place = crate::pipeline::sink::LineOffset { file: 0, offset: moment.micros.unsigned_abs() };
        tally.rows.row(&key).examples.add(place, line, 1);
    }
    tally
}
