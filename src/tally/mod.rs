//! Counts the events of a scan: rows, names and sums, which add up in any order.

pub mod by_hour;
pub mod by_name;
pub mod by_provider;
pub mod delays;
pub mod group_by;
pub mod row;
mod rows;
pub mod timeline;

use foldhash::fast::RandomState;

use self::by_hour::Hourly;
use self::group_by::{Groups, recipient};
use self::timeline::{FinishedTimeline, Timeline};
use crate::catalog::classify::provider;
use crate::collections::interner::{NameId, Names};
use crate::parse::mta::parsed::domain;
use crate::pipeline::walk::{Listener, Noted, Told};
use crate::simd::same;
use crate::smtp::event::{ByOutcome, Direction, Outcome};

pub use self::by_name::NameTotals;
use self::by_name::Table;
use self::by_provider::Served;
use self::delays::Delays;
pub use self::row::{Count, Key};
pub use self::rows::Rows;

/// Everything `scan` counts. Tallies are merged in any order: the names' numbers differ then, the counts do not.
pub struct Tally {
    pub rows: Rows,
    pub names: Names,
    domains: Table,
    relays: Table,
    instances: Table,
    hosts: Table,
    providers: Served,
    /// None: not asked for.
    pub groups: Option<Groups>,
    /// None: hours are not compared.
    pub hourly: Option<Hourly>,
    /// None: not asked for.
    pub delays: Option<Delays>,
    /// Hand-overs to a filter or relay that gives the message back; no other count includes them.
    pub hops: u64,
    /// Examples kept of each row, at least one.
    examples: usize,
    timeline: Timeline,
    last_host: Last,
    last_instance: Last,
}

/// What a tally counted, once all is in.
pub struct FinishedTally {
    /// In no order.
    pub rows: Vec<(Key, Count)>,
    pub names: Names,
    pub domains: NameTotals,
    pub relays: NameTotals,
    pub instances: NameTotals,
    pub hosts: NameTotals,
    pub providers: Served,
    pub groups: Option<Groups>,
    pub delays: Option<Delays>,
    pub hops: u64,
    pub timeline: FinishedTimeline,
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
            rows: Rows::new(hasher),
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

    pub fn finish(mut self) -> FinishedTally {
        self.flush();
        FinishedTally {
            rows: self.rows.into_counts(),
            names: self.names,
            domains: self.domains.finish(),
            relays: self.relays.finish(),
            instances: self.instances.finish(),
            hosts: self.hosts.finish(),
            providers: self.providers,
            groups: self.groups,
            delays: self.delays,
            hops: self.hops,
            timeline: self.timeline.finish(),
        }
    }

    /// Adds the counts of the last names to their tables.
    fn flush(&mut self) {
        self.last_instance.flush(&mut self.instances);
        self.last_host.flush(&mut self.hosts);
    }

    pub fn merge(&mut self, mut other: Self) {
        other.flush();
        self.hops += other.hops;
        self.timeline.merge(other.timeline);
        self.providers.merge(&other.providers);
        let ids = self.names.merge(&other.names);
        drop(other.names);
        let renamed = |id: NameId| ids.get(id.index()).copied().unwrap_or(NameId::OTHERS);
        for (key, count) in other.rows.into_counts() {
            self.rows.of(&key).merge(count, self.examples, renamed);
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
            theirs.finish().iter().for_each(|(id, counts)| mine.add(renamed(*id), counts));
        }
    }

    /// Counts the names of an event, and returns the domain of a recipient that is not ours.
    fn names(&mut self, outcome: Outcome, told: &Told) -> Option<NameId> {
        let (event, names) = (told.event, &mut self.names);
        let domain = match event.direction {
            Direction::Inbound => None,
            Direction::Outbound | Direction::Local => event.recipient.and_then(domain),
        };
        if outcome == Outcome::Attempt {
            return domain.map(|domain| names.id(domain));
        }
        let domain = domain.map(|domain| self.domains.count(domain, outcome, names, |_| None).id);
        let mut runs_it = None;
        if event.direction != Direction::Inbound
            && let Some(host) = event.peer.host.or(event.peer.ip)
        {
            let providers = &told.book.providers;
            runs_it = self.relays.count(host, outcome, names, |host| providers.of_host(host)).provider;
        }
        let provider = match (told.verdict, event.direction, event.peer.host) {
            // The verdict was asked for it already.
            (Some(verdict), ..) => verdict.provider,
            (None, Direction::Outbound, Some(_)) => runs_it,
            (None, Direction::Outbound | Direction::Inbound | Direction::Local, _) => {
                provider(event, told.book)
            }
        };
        self.providers.count(provider, outcome);
        let instance = told.line.instance_or_program();
        self.last_instance.count(instance, outcome, names, &mut self.instances);
        self.last_host.count(told.line.host, outcome, names, &mut self.hosts);
        domain
    }
}

/// The name counted last, and its counts that are not in its table yet. Hosts and instances seldom change from line to
/// line.
#[derive(Default)]
struct Last {
    name: Vec<u8>,
    id: Option<NameId>,
    counts: ByOutcome<u64>,
}

impl Last {
    fn count(&mut self, name: &[u8], outcome: Outcome, names: &mut Names, table: &mut Table) {
        if self.id.is_none() || !same(&self.name, name) {
            self.flush(table);
            self.id = Some(names.id(name));
            self.name.clear();
            self.name.extend_from_slice(name);
        }
        self.counts[outcome] += 1;
    }

    fn flush(&mut self, table: &mut Table) {
        if let Some(id) = self.id.take() {
            table.add(id, &std::mem::take(&mut self.counts));
        }
    }
}

impl Listener for Tally {
    type Handover = ();

    fn event(&mut self, told: &Told) {
        let event = told.event;
        let key = Key::of(told);
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
        let count = self.rows.of(&key);
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
