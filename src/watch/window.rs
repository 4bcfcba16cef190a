//! The last hour, minute by minute: events and facts come in, in the order of the log; rows, rates and sums go out.

use std::collections::{BTreeMap, VecDeque};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::minute::{MailTotals, MinuteCounts, tally};
use crate::messages::context::MetadataTable;
use crate::messages::hop::{self, HandOff};
use crate::messages::key::{KeyHasher, PrehashedState};
use crate::messages::metadata::MessageMetadata;
use crate::messages::recent_ids::{IdHash, IdWindow};
use crate::messages::transition::Transition;
use crate::parse::mta::queue_record::QueueStep;
use crate::parse::timestamp::LogTime;
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::{LoggedEvent, LoggedQueueRecord};
use crate::smtp::event::{Direction, Event, Outcome};
use crate::tally::{Tally, TallyKey};

/// So many minutes are shown.
pub(crate) const HOUR: i64 = 60;
/// So many are kept: lines come late, and somebody's clock may be ahead.
const KEPT: usize = 90;
/// Kinds that are counted from the beginning on.
const KINDS: usize = 1 << 14;
/// Deliveries that may turn out to be hand-overs.
const AWAITED: usize = 1 << 14;

/// One for a log that is followed.
pub struct RollingWindow<'a> {
    filter: &'a Filter,
    keys: KeyHasher,
    hasher: RandomState,
    contexts: MetadataTable,
    seen: IdWindow,
    /// Deliveries that named a queue id which no line had so far, by that id.
    awaited: HashMap<IdHash, Vec<(Option<i64>, TallyKey)>, PrehashedState>,
    /// The first one first.
    order: VecDeque<IdHash>,
    minutes: BTreeMap<i64, MinuteCounts>,
    /// All that was counted from the beginning on.
    pub totals: HashMap<TallyKey, u64>,
    /// Messages that came in, from the beginning on.
    pub came: u64,
    /// Hand-overs to who gave the message back; in no other sum.
    pub hops: u64,
    /// Events whose sender the filter does not admit.
    pub left_out: u64,
    /// No line is taken for one of a later minute.
    pub latest: i64,
}

impl<'a> RollingWindow<'a> {
    pub fn new(hasher: RandomState, filter: &'a Filter) -> Self {
        Self {
            filter,
            keys: KeyHasher::new(hasher.clone()),
            hasher,
            contexts: MetadataTable::default(),
            seen: IdWindow::default(),
            awaited: HashMap::default(),
            order: VecDeque::new(),
            minutes: BTreeMap::new(),
            totals: HashMap::new(),
            came: 0,
            hops: 0,
            left_out: 0,
            latest: i64::MAX,
        }
    }

    /// `wanted`: by all that the filter asks but the sender.
    pub fn event(&mut self, told: &LoggedEvent, wanted: bool) {
        let event = told.event;
        let copy = hop::next_queue_id(event, told.line.host).map(|id| self.keys.id(id));
        let is_hop = copy.is_some_and(|copy| self.seen.contains(copy));
        let named = event.queue_id.map(|id| self.keys.key_and_id(event.mta, told.line, id));
        let hop = match copy {
            Some(copy) if !is_hop => HandOff::Pending(copy),
            Some(_) => HandOff::Yes,
            None => HandOff::No,
        };
        if let (Some((_, id)), Some(_)) = (named, Transition::of_event(event, hop)) {
            self.see(id);
        }
        if !wanted || !self.admits(event, named.map(|(key, _)| key)) {
            self.left_out += u64::from(wanted);
            return;
        }
        let minute = told.moment.map(LogTime::minute).filter(|minute| *minute <= self.latest);
        if is_hop {
            self.hop(minute);
            return;
        }
        let key = TallyKey::of(told);
        if self.totals.len() < KINDS || self.totals.contains_key(&key) {
            *self.totals.entry(key).or_default() += 1;
        }
        if let (Some(minute), Some(moment)) = (minute, told.moment)
            && let Some(minute) = self.minute(minute)
        {
            minute.count(key, event, moment, told.raw);
        }
        if let Some(copy) = copy {
            self.wait(copy, minute, key);
        }
    }

    pub fn queue_record(&mut self, noted: &LoggedQueueRecord) {
        let fact = noted.record;
        let (key, id) = self.keys.key_and_id(fact.mta, noted.line, fact.queue_id);
        self.see(id);
        if self.filter.asks_for_sender() {
            self.contexts.update(key, Transition::of_record(fact), MessageMetadata::of(fact));
        }
        if fact.step == QueueStep::Received && self.filter.is_empty() {
            self.came += 1;
            let minute = noted.minute.filter(|minute| *minute <= self.latest);
            if let Some(minute) = minute.and_then(|minute| self.minute(minute)) {
                minute.came();
            }
        }
    }

    fn admits(&self, event: &Event, key: Option<u64>) -> bool {
        if !self.filter.asks_for_sender() {
            return true;
        }
        let known = key.and_then(|key| self.contexts.get(key));
        let sender = event.sender.or_else(|| Some(known?.sender.as_deref()?.as_bytes()));
        self.filter.admits_sender(sender)
    }

    /// A message came back as another, which was counted when it came.
    fn hop(&mut self, minute: Option<i64>) {
        self.hops += 1;
        self.came = self.came.saturating_sub(1);
        if let Some(minute) = minute.and_then(|minute| self.minute(minute)) {
            minute.did_not_come();
        }
    }

    /// A line has this queue id: what was handed over under it was no delivery.
    fn see(&mut self, id: IdHash) {
        self.seen.add(id);
        for (minute, key) in self.awaited.remove(&id).unwrap_or_default() {
            if let Some(total) = self.totals.get_mut(&key) {
                *total = total.saturating_sub(1);
            }
            if let Some(minute) = minute.and_then(|minute| self.minutes.get_mut(&minute)) {
                minute.take_back(&key);
            }
            self.hop(minute);
        }
    }

    fn wait(&mut self, copy: IdHash, minute: Option<i64>, key: TallyKey) {
        self.awaited.entry(copy).or_default().push((minute, key));
        self.order.push_back(copy);
        if self.order.len() > AWAITED
            && let Some(first) = self.order.pop_front()
        {
            self.awaited.remove(&first);
        }
    }

    /// None: it is long past.
    fn minute(&mut self, minute: i64) -> Option<&mut MinuteCounts> {
        if self.minutes.len() >= KEPT && !self.minutes.contains_key(&minute) {
            if self.minutes.first_key_value().is_some_and(|(first, _)| *first > minute) {
                return None;
            }
            self.minutes.pop_first();
        }
        Some(self.minutes.entry(minute).or_default())
    }

    /// The last minute of which anything is known.
    pub fn last_minute(&self) -> Option<i64> {
        self.minutes.last_key_value().map(|(minute, _)| *minute)
    }

    /// The rows of these minutes, both ends among them.
    pub fn rows(&self, first: i64, last: i64) -> Tally {
        tally(self.between(first, last).map(|(_, minute)| minute), &self.hasher)
    }

    /// What there was in each minute of an hour, the last one being `last`.
    pub fn hour(&self, last: i64) -> [MailTotals; HOUR as usize] {
        let mut hour = [MailTotals::default(); HOUR as usize];
        let first = last - HOUR + 1;
        for (at, minute) in self.between(first, last) {
            if let Some(place) = hour.get_mut((at - first) as usize) {
                *place = minute.flow();
            }
        }
        hour
    }

    fn between(&self, first: i64, last: i64) -> impl Iterator<Item = (i64, &MinuteCounts)> {
        let range = if first <= last { first..last + 1 } else { last..last };
        self.minutes.range(range).map(|(at, minute)| (*at, minute))
    }

    /// From the beginning on.
    pub fn flow(&self) -> MailTotals {
        let mut flow = MailTotals { came: self.came, ..MailTotals::default() };
        for (key, count) in &self.totals {
            let sent = key.kind.direction != Direction::Inbound || key.kind.outcome == Outcome::Rejected;
            if sent {
                flow.count(key.kind.outcome, *count);
            }
        }
        flow
    }
}
