//! Counts that add up in any order: events come in, rows, names and sums go out.

pub mod delays;
mod served;
mod table;
mod wheres;

use std::hash::{Hash, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::distinct::Distinct;
use crate::event::{Direction, Mta, Outcome, Stage};
use crate::group::{Examples, Groups, recipient};
use crate::hourly::Hourly;
use crate::lanes::same;
use crate::mta::reading::domain;
use crate::names::{NameId, Names};
use crate::provider::Provider;
use crate::reason::{Reason, Retry};
use crate::reply::{Class, Code, EnhancedCode};
use crate::time::Moment;
use crate::timeline::Timeline;
use crate::walk::{Listener, Noted, Told};

use self::delays::Delays;
pub use self::served::Outcomes;
use self::served::Served;
pub use self::table::Table;
pub use self::wheres::Wheres;

/// What makes two events the same row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key {
    pub direction: Direction,
    pub outcome: Outcome,
    pub class: Option<Class>,
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub stage: Option<Stage>,
    pub reason: Option<Reason>,
    pub provider: Option<Provider>,
    /// What helps, where the words say more than the reason does.
    pub retry: Option<Retry>,
    pub mta: Mta,
    pub suspended: bool,
}

impl Hash for Key {
    /// All of it in one word: ten fields hashed one by one cost as much as reading the line.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let enhanced = self.enhanced.map_or(0, EnhancedCode::packed);
        let code = self.code.map_or(0, |code| u64::from(code.number()));
        let reason = self.reason.map_or(0, |reason| reason as u64 + 1);
        let provider = self.provider.map_or(0, |provider| provider.index() as u64 + 1);
        let stage = self.stage.map_or(0, |stage| stage as u64 + 1);
        let class = self.class.map_or(0, |class| class as u64 + 1);
        let line = (self.outcome as u64) << 4 | (self.direction as u64) << 2 | self.mta as u64;
        let packed = enhanced << 41
            | code << 31
            | reason << 25
            | provider << 17
            | stage << 13
            | class << 10
            | line << 1;
        state.write_u64(packed | u64::from(self.suspended));
    }
}

/// What was counted for one key.
#[derive(Clone, Default, Debug)]
pub struct Count {
    /// Lines.
    pub attempts: u64,
    /// Of queue id and recipient, so that a retry is not another recipient. Empty for delivered mail.
    pub recipients: Distinct,
    pub first: Option<Moment>,
    pub last: Option<Moment>,
    /// The first lines of its kind.
    pub examples: Examples,
    /// Whom it concerned: recipient domains of mail that left, addresses of clients. Empty for delivered mail.
    pub wheres: Wheres,
}

/// Everything `scan` counts. Merging is in any order: the names' numbers differ, what is counted does not.
pub struct Tally {
    pub rows: HashMap<Key, Count, RandomState>,
    pub names: Names,
    pub domains: Table,
    pub relays: Table,
    pub instances: Table,
    pub hosts: Table,
    pub providers: Served,
    /// None: nobody asked for them.
    pub groups: Option<Groups>,
    /// None: nobody compares hours.
    pub hourly: Option<Hourly>,
    /// None: nobody asked for them.
    pub delays: Option<Delays>,
    /// Hand-overs to who gives the message back; in nothing else here.
    pub hops: u64,
    /// Examples kept of each row, at least one.
    examples: usize,
    pub timeline: Timeline,
    last_host: Last,
    last_instance: Last,
}

impl Tally {
    /// `hasher` is one for a process; `examples` lines are kept of each row, at least one.
    pub fn new(hasher: RandomState, examples: usize, groups: Option<Groups>) -> Self {
        Self {
            groups,
            hourly: None,
            delays: None,
            hops: 0,
            examples: examples.max(1),
            names: Names::new(hasher.clone()),
            rows: HashMap::with_hasher(hasher),
            domains: Table::default(),
            relays: Table::default(),
            instances: Table::default(),
            hosts: Table::default(),
            providers: Served::default(),
            timeline: Timeline::default(),
            last_host: Last::default(),
            last_instance: Last::default(),
        }
    }

    /// Puts into the tables what the last names still hold; after it no more is to be counted.
    pub fn settle(&mut self) {
        self.last_instance.settle(&mut self.instances);
        self.last_host.settle(&mut self.hosts);
        [&mut self.domains, &mut self.relays].into_iter().for_each(Table::settle);
        self.timeline.settle();
        for count in self.rows.values_mut() {
            count.recipients.settle();
            count.wheres.settle();
        }
        self.groups.iter_mut().for_each(Groups::settle);
    }

    pub fn merge(&mut self, mut other: Self) {
        other.settle();
        self.hops += other.hops;
        self.timeline.merge(other.timeline);
        self.providers.merge(&other.providers);
        let ids = self.names.merge(&other.names);
        let renamed = |id: NameId| ids.get(id.index()).copied().unwrap_or(NameId::OTHERS);
        for (key, count) in other.rows {
            self.rows.entry(key).or_default().merge(count, self.examples, renamed);
        }
        if let (Some(mine), Some(theirs)) = (&mut self.groups, other.groups) {
            mine.merge(theirs);
        }
        if let (Some(mine), Some(theirs)) = (&mut self.hourly, other.hourly) {
            mine.merge(theirs);
        }
        if let (Some(mine), Some(theirs)) = (&mut self.delays, other.delays) {
            mine.merge(theirs);
        }
        for (mine, theirs) in [
            (&mut self.domains, other.domains),
            (&mut self.relays, other.relays),
            (&mut self.instances, other.instances),
            (&mut self.hosts, other.hosts),
        ] {
            theirs.iter().for_each(|(id, counts)| mine.add(renamed(id), counts));
        }
    }

    pub fn key(told: &Told) -> Key {
        let (event, verdict) = (told.event, told.verdict);
        Key {
            direction: event.direction,
            outcome: event.outcome,
            class: event.class(),
            code: event.code,
            enhanced: event.enhanced,
            stage: event.stage,
            reason: verdict.map(|verdict| verdict.reason),
            provider: verdict.and_then(|verdict| verdict.provider),
            retry: verdict.and_then(|verdict| verdict.retry),
            mta: event.mta,
            suspended: event.suspended,
        }
    }

    /// Counts whom and what it concerned, and gives back the recipient's domain.
    fn names(&mut self, outcome: Outcome, told: &Told) -> Option<NameId> {
        let (event, names) = (told.event, &mut self.names);
        let domain = event.recipient.and_then(domain).map(|domain| names.id(domain));
        if outcome == Outcome::Attempt {
            return domain;
        }
        let mut relay = None;
        if event.direction != Direction::Inbound {
            if let Some(domain) = domain {
                self.domains.count(domain, outcome);
            }
            if let Some(host) = event.peer.host.or(event.peer.ip) {
                let id = names.id(host);
                self.relays.count(id, outcome);
                relay = Some(id);
            }
        }
        self.providers.count(told, relay, domain);
        let instance = told.line.instance_or_program();
        self.last_instance.count(instance, outcome, names, &mut self.instances);
        self.last_host.count(told.line.host, outcome, names, &mut self.hosts);
        domain
    }
}

/// The name counted last, and what is not in its table yet. Hosts and instances change seldom from line to line.
#[derive(Default)]
struct Last {
    name: Vec<u8>,
    id: Option<NameId>,
    counts: Outcomes,
}

impl Last {
    fn count(&mut self, name: &[u8], outcome: Outcome, names: &mut Names, table: &mut Table) {
        if self.id.is_none() || !same(&self.name, name) {
            self.settle(table);
            self.id = Some(names.id(name));
            self.name.clear();
            self.name.extend_from_slice(name);
        }
        if let Some(count) = self.counts.get_mut(outcome as usize) {
            *count += 1;
        }
    }

    /// Puts into the table what is not there yet.
    fn settle(&mut self, table: &mut Table) {
        if let Some(id) = self.id.take() {
            table.add(id, &std::mem::take(&mut self.counts));
        }
    }
}

impl Listener for Tally {
    type Handover = ();

    fn event(&mut self, told: &Told) {
        let event = told.event;
        let key = Self::key(told);
        let delivered = key.outcome == Outcome::Delivered;
        let domain = self.names(key.outcome, told);
        self.timeline.count(told.moment, key.direction, key.outcome, key.class);
        let place = match event.direction {
            _ if delivered => None,
            Direction::Inbound => event.peer.ip.or(event.peer.host).map(|client| self.names.id(client)),
            Direction::Outbound | Direction::Local => {
                domain.or_else(|| Some(self.names.id(event.peer.host?)))
            }
        };
        let count = self.rows.entry(key).or_default();
        count.attempts += 1;
        if !delivered {
            count.recipients.insert(recipient(event));
        }
        if let Some(place) = place {
            count.wheres.count(place);
        }
        count.see(told.moment);
        count.examples.see(told.place, told.raw, self.examples);
        if let Some(groups) = &mut self.groups {
            groups.count(told);
        }
        if let Some(hourly) = &mut self.hourly {
            hourly.count(told);
        }
        if let Some(delays) = &mut self.delays {
            delays.event(told);
        }
    }

    fn fact(&mut self, noted: &Noted) {
        if let Some(delays) = &mut self.delays {
            delays.fact(noted);
        }
    }

    fn end_of_block(&mut self, _file: usize, _lines: u64) {}
}

impl Count {
    fn see(&mut self, moment: Option<Moment>) {
        if let Some(moment) = moment {
            self.first = Some(self.first.map_or(moment, |first| first.min(moment)));
            self.last = Some(self.last.map_or(moment, |last| last.max(moment)));
        }
    }

    /// Takes in what was counted elsewhere; `renamed` gives our number of its names.
    /// `examples` are kept.
    pub fn merge(&mut self, other: Self, examples: usize, renamed: impl Fn(NameId) -> NameId) {
        self.attempts += other.attempts;
        self.recipients.merge(other.recipients);
        self.see(other.first);
        self.see(other.last);
        self.examples.merge(other.examples, examples);
        self.wheres.merge(other.wheres, renamed);
    }
}
