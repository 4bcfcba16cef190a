//! Keeps the counts of the last hour minute by minute, and the totals since the beginning of the watch.

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

/// The number of minutes that are shown.
pub(crate) const HOUR: i64 = 60;
/// The number of minutes that are kept: lines may come late, and a host's clock may be ahead.
const MINUTES_LIMIT: usize = 90;
/// The largest number of kinds in the totals.
const KINDS_LIMIT: usize = 1 << 14;
/// The largest number of deliveries that may turn out to be hand-offs within this mail system.
const AWAITED_LIMIT: usize = 1 << 14;

/// Counts the events of the logs that are followed.
pub struct RollingWindow<'a> {
    filter: &'a Filter,
    keys: KeyHasher,
    hasher: RandomState,
    contexts: MetadataTable,
    seen: IdWindow,
    /// Deliveries whose reply named a queue id that no line has had so far, by that id.
    awaited: HashMap<IdHash, Vec<(Option<i64>, TallyKey)>, PrehashedState>,
    /// The ids in `awaited`, the oldest first.
    order: VecDeque<IdHash>,
    minutes: BTreeMap<i64, MinuteCounts>,
    /// Events by kind, since the beginning of the watch.
    pub totals: HashMap<TallyKey, u64>,
    /// Messages received since the beginning of the watch.
    pub received: u64,
    /// Hand-overs within this mail system; no other count includes them.
    pub hops: u64,
    /// Events whose sender the filter does not admit.
    pub left_out: u64,
    /// Lines of later minutes are not counted by minute.
    pub latest: i64,
    /// The latest second with an event, since 1970-01-01T00:00Z.
    last_second: Option<i64>,
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
            received: 0,
            hops: 0,
            left_out: 0,
            latest: i64::MAX,
            last_second: None,
        }
    }

    /// Counts an event. `admitted`: the filter admits it, the sender aside.
    pub fn event(&mut self, logged: &LoggedEvent, admitted: bool) {
        let event = logged.event;
        let second = logged.moment.map(|moment| moment.micros.div_euclid(1_000_000));
        self.last_second = self.last_second.max(second.filter(|second| second.div_euclid(60) <= self.latest));
        let copy = hop::next_queue_id(event, logged.line.host).map(|id| self.keys.id(id));
        let is_hop = copy.is_some_and(|copy| self.seen.contains(copy));
        let named = event.queue_id.map(|id| self.keys.key_and_id(event.mta, logged.line, id));
        let hop = match copy {
            Some(copy) if !is_hop => HandOff::Pending(copy),
            Some(_) => HandOff::Yes,
            None => HandOff::No,
        };
        if let (Some((_, id)), Some(_)) = (named, Transition::of_event(event, hop)) {
            self.add_id(id);
        }
        if !admitted || !self.admits(event, named.map(|(key, _)| key)) {
            self.left_out += u64::from(admitted);
            return;
        }
        let minute = logged.moment.map(LogTime::minute).filter(|minute| *minute <= self.latest);
        if is_hop {
            self.hop(minute);
            return;
        }
        let key = TallyKey::of(logged);
        if self.totals.len() < KINDS_LIMIT || self.totals.contains_key(&key) {
            *self.totals.entry(key).or_default() += 1;
        }
        if let (Some(minute), Some(moment)) = (minute, logged.moment)
            && let Some(minute) = self.minute(minute)
        {
            minute.count(key, event, moment, logged.raw);
        }
        if let Some(copy) = copy {
            self.await_copy(copy, minute, key);
        }
    }

    /// Counts a message that arrives, and learns its metadata.
    pub fn queue_record(&mut self, logged: &LoggedQueueRecord) {
        let fact = logged.record;
        let (key, id) = self.keys.key_and_id(fact.mta, logged.line, fact.queue_id);
        self.add_id(id);
        if self.filter.asks_for_sender() {
            self.contexts.update(key, Transition::of_record(fact), MessageMetadata::of(fact));
        }
        if fact.step == QueueStep::Received && self.filter.is_empty() {
            self.received += 1;
            let minute = logged.minute.filter(|minute| *minute <= self.latest);
            if let Some(minute) = minute.and_then(|minute| self.minute(minute)) {
                minute.received();
            }
        }
    }

    /// The filter admits the sender of the event's message.
    fn admits(&self, event: &Event, key: Option<u64>) -> bool {
        if !self.filter.asks_for_sender() {
            return true;
        }
        let known = key.and_then(|key| self.contexts.get(key));
        let sender = event.sender.or_else(|| Some(known?.sender.as_deref()?.as_bytes()));
        self.filter.admits_sender(sender)
    }

    /// Counts a hand-off: its message was received a second time, under another queue id, so it is taken back.
    fn hop(&mut self, minute: Option<i64>) {
        self.hops += 1;
        self.received = self.received.saturating_sub(1);
        if let Some(minute) = minute.and_then(|minute| self.minute(minute)) {
            minute.take_back_message();
        }
    }

    /// Notes that a line has this queue id: a delivery whose reply named it was a hand-off.
    fn add_id(&mut self, id: IdHash) {
        self.seen.add(id);
        for (minute, key) in self.awaited.remove(&id).unwrap_or_default() {
            if let Some(total) = self.totals.get_mut(&key) {
                *total = total.saturating_sub(1);
            }
            if let Some(minute) = minute.and_then(|minute| self.minutes.get_mut(&minute)) {
                minute.take_back_event(&key);
            }
            self.hop(minute);
        }
    }

    fn await_copy(&mut self, copy: IdHash, minute: Option<i64>, key: TallyKey) {
        self.awaited.entry(copy).or_default().push((minute, key));
        self.order.push_back(copy);
        if self.order.len() > AWAITED_LIMIT
            && let Some(first) = self.order.pop_front()
        {
            self.awaited.remove(&first);
        }
    }

    /// The counts of a minute. `None`: it is older than all that are kept.
    fn minute(&mut self, minute: i64) -> Option<&mut MinuteCounts> {
        if self.minutes.len() >= MINUTES_LIMIT && !self.minutes.contains_key(&minute) {
            if self.minutes.first_key_value().is_some_and(|(first, _)| *first > minute) {
                return None;
            }
            self.minutes.pop_first();
        }
        Some(self.minutes.entry(minute).or_default())
    }

    /// The seconds of the minute that are over by the last event, from 1 to 60. A minute without events has just begun.
    pub fn elapsed_seconds(&self, minute: i64) -> u8 {
        match self.last_second {
            Some(second) if second.div_euclid(60) == minute => second.rem_euclid(60) as u8 + 1,
            _ => 1,
        }
    }

    /// The last minute with events.
    pub fn last_minute(&self) -> Option<i64> {
        self.minutes.last_key_value().map(|(minute, _)| *minute)
    }

    /// The tally of the minutes from `first` to `last`, both included.
    pub fn rows(&self, first: i64, last: i64) -> Tally {
        tally(self.between(first, last).map(|(_, minute)| minute), &self.hasher)
    }

    /// The totals of each minute of the hour that ends with `last`.
    pub fn hour(&self, last: i64) -> [MailTotals; HOUR as usize] {
        let mut hour = [MailTotals::default(); HOUR as usize];
        let first = last - HOUR + 1;
        for (at, minute) in self.between(first, last) {
            if let Some(place) = hour.get_mut((at - first) as usize) {
                *place = minute.totals();
            }
        }
        hour
    }

    fn between(&self, first: i64, last: i64) -> impl Iterator<Item = (i64, &MinuteCounts)> {
        let range = if first <= last { first..last + 1 } else { last..last };
        self.minutes.range(range).map(|(at, minute)| (*at, minute))
    }

    /// The totals since the beginning of the watch.
    pub fn whole(&self) -> MailTotals {
        let mut totals = MailTotals { received: self.received, ..MailTotals::default() };
        for (key, count) in &self.totals {
            let sent = key.kind.direction != Direction::Inbound || key.kind.outcome == Outcome::Rejected;
            if sent {
                totals.count(key.kind.outcome, *count);
            }
        }
        totals
    }
}
