//! Counts the events of one minute by kind, and adds up minutes as a tally.

use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::parse::mta::parsed::domain;
use crate::parse::timestamp::LogTime;
use crate::smtp::event::{Direction, Event, Outcome};
use crate::tally::{Tally, TallyCount, TallyKey};

/// The largest number of names kept of one kind and minute, since clients choose them. Further ones are only counted.
const NAMES_LIMIT: usize = 256;
/// The largest number of kinds in one minute.
const KINDS_LIMIT: usize = 1 << 12;
/// The length to which an example line is cut, in bytes.
const EXAMPLE_LIMIT: usize = 400;

/// The counts of one minute.
#[derive(Default)]
pub(crate) struct MinuteCounts {
    kinds: HashMap<TallyKey, MinuteKind>,
    /// The number of messages received.
    received: u64,
}

/// The events of one kind in one minute.
#[derive(Default)]
struct MinuteKind {
    count: u64,
    first: Option<LogTime>,
    last: Option<LogTime>,
    /// Clients, domains or servers and their counts, as in a row of the tally.
    names: HashMap<Box<[u8]>, u64>,
    example: Vec<u8>,
}

/// Messages in and out, and failures: of one minute, or of several.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct MailTotals {
    /// Messages from clients and local programs.
    pub received: u64,
    /// Deliveries, to other servers and on this one.
    pub delivered: u64,
    /// Events that were deferred, bounced, expired or rejected.
    pub failed: u64,
}

impl MailTotals {
    pub fn add(&mut self, other: Self) {
        self.received += other.received;
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
    pub(crate) fn received(&mut self) {
        self.received += 1;
    }

    /// Takes a message back: it had been received before.
    pub(crate) fn take_back_message(&mut self) {
        self.received = self.received.saturating_sub(1);
    }

    pub(crate) fn count(&mut self, key: TallyKey, event: &Event, moment: LogTime, raw: &[u8]) {
        if self.kinds.len() >= KINDS_LIMIT && !self.kinds.contains_key(&key) {
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
        let name = match event.direction {
            Direction::Inbound => peer.ip.or(peer.host),
            Direction::Outbound | Direction::Local => event.recipient.and_then(domain).or(peer.host),
        };
        if let Some(name) = name {
            if let Some(count) = kind.names.get_mut(name) {
                *count += 1;
            } else if kind.names.len() < NAMES_LIMIT {
                kind.names.insert(name.into(), 1);
            }
        }
        kind.example.clear();
        kind.example.extend_from_slice(raw.get(..EXAMPLE_LIMIT).unwrap_or(raw));
    }

    /// Takes an event back: the delivery was a hand-off within this mail system.
    pub(crate) fn take_back_event(&mut self, key: &TallyKey) {
        if let Some(kind) = self.kinds.get_mut(key) {
            kind.count = kind.count.saturating_sub(1);
        }
    }

    pub(crate) fn totals(&self) -> MailTotals {
        let mut totals = MailTotals { received: self.received, ..MailTotals::default() };
        self.kinds.iter().for_each(|(key, kind)| totals.count(key.kind.outcome, kind.count));
        totals
    }
}

/// The tally of several minutes. Recipients are not counted.
pub(crate) fn tally<'m>(minutes: impl Iterator<Item = &'m MinuteCounts>, hasher: &RandomState) -> Tally {
    let mut tally = Tally::new(hasher.clone(), 1, None);
    let mut examples: BTreeMap<TallyKey, (LogTime, &[u8])> = BTreeMap::new();
    for (key, kind) in minutes.flat_map(|minute| &minute.kinds).filter(|(_, kind)| kind.count > 0) {
        let count: &mut TallyCount = tally.rows.row(key);
        count.attempts += kind.count;
        count.first = count.first.into_iter().chain(kind.first).min();
        count.last = count.last.into_iter().chain(kind.last).max();
        for (name, number) in &kind.names {
            count.places.add(tally.names.intern(name), *number);
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
