//! Counts the events of a scan: rows, names, hours and groups.
//!
//! Promises: tallies of blocks merge in any order to the same sums; memory is bounded, and what was too much to keep is
//! counted as others.
//! May use: catalog, collections, parse, pipeline, simd, smtp, and the extent of a report.

pub(crate) mod by_hour;
pub(crate) mod by_name;
pub(crate) mod by_provider;
pub(crate) mod delays;
pub(crate) mod event_kind;
pub(crate) mod group_by;
mod kept_counts;
pub(crate) mod kept_hourly;
mod kept_key;
mod kept_row;
mod kept_warnings;
pub(crate) mod part_options;
pub(crate) mod row;
pub(crate) mod rows;
pub(crate) mod timeline;
pub(crate) mod warnings;
pub(crate) mod wire;

use std::collections::BTreeMap;

use foldhash::fast::RandomState;

use self::by_hour::Hourly;
use self::group_by::{GroupBy, recipient};
use self::timeline::{FinishedTimeline, Timeline};
use crate::catalog::classify::find_provider;
use crate::catalog::provider::Provider;
use crate::collections::hash_secret::HashSecret;
use crate::collections::interner::{Interner, Symbol};
use crate::parse::mta::parsed::domain;
use crate::pipeline::sink::{EventSink, LoggedEvent, LoggedQueueRecord};
use crate::report::ReportExtent;
use crate::simd::bytes_eq;
use crate::smtp::event::{ByOutcome, Direction, Outcome};

use self::by_name::NameCounts;
pub(crate) use self::by_name::OutcomesByName;
use self::by_provider::ProviderCounts;
use self::delays::Delays;
pub(crate) use self::row::{TallyCount, TallyKey};
pub(crate) use self::rows::TallyRows;
use self::warnings::WarningCounts;

/// Adds the counts of equal names.
pub(crate) fn sum_by_name(counts: impl Iterator<Item = (Symbol, ByOutcome<u64>)>) -> OutcomesByName {
    let mut sum = NameCounts::default();
    counts.for_each(|(name, counts)| sum.add(name, &counts));
    sum.finish()
}

/// All counts of `scan`. Merging in another order changes the numbers of the names, but no count.
pub struct Tally {
    pub rows: TallyRows,
    pub names: Interner,
    domains: NameCounts,
    relays: NameCounts,
    instances: NameCounts,
    hosts: NameCounts,
    providers: ProviderCounts,
    /// None: not requested (`--by`).
    pub groups: Option<GroupBy>,
    /// None: no baseline was requested.
    pub hourly: Option<Hourly>,
    /// None: not requested (`--delays`).
    pub delays: Option<Delays>,
    /// Hand-offs to a filter or relay that returns the message. No other count includes them.
    pub hops: u64,
    pub warnings: WarningCounts,
    /// Number of example lines of each row, at least one.
    examples: usize,
    extent: ReportExtent,
    secret: Option<HashSecret>,
    timeline: Timeline,
    last_host: LastName,
    last_instance: LastName,
}

/// The counts of a tally, once all events are in.
pub struct FinishedTally {
    /// In arbitrary order.
    pub rows: Vec<(TallyKey, TallyCount)>,
    /// There were more rows than are kept; the others are counted without details.
    pub is_folded: bool,
    pub names: Interner,
    pub domains: OutcomesByName,
    pub relays: OutcomesByName,
    pub instances: OutcomesByName,
    pub hosts: OutcomesByName,
    pub providers: ProviderCounts,
    pub groups: Option<GroupBy>,
    pub delays: Option<Delays>,
    pub hops: u64,
    pub warnings: WarningCounts,
    pub timeline: FinishedTimeline,
}

/// The number of rejections of each client in these rows, by its address, or else its name. Clients beyond the limit of names share
/// [`Symbol::OVERFLOW`].
pub(crate) fn refused_clients(rows: &[(TallyKey, TallyCount)]) -> BTreeMap<Symbol, u64> {
    let mut clients = BTreeMap::new();
    let is_refusal =
        |key: &TallyKey| (key.kind.direction, key.kind.outcome) == (Direction::Inbound, Outcome::Rejected);
    for (_, count) in rows.iter().filter(|(key, _)| is_refusal(key)) {
        for (client, count) in count.places.clone().finish() {
            *clients.entry(client).or_default() += count;
        }
    }
    clients
}

impl Tally {
    /// `hasher` is the same for all threads of a run. `examples` is the number of example lines of each row, at
    /// least one.
    pub fn new(hasher: RandomState, examples: usize, groups: Option<GroupBy>) -> Self {
        Self {
            groups,
            hourly: None,
            delays: None,
            hops: 0,
            warnings: WarningCounts::default(),
            examples: examples.max(1),
            extent: ReportExtent::Whole,
            secret: None,
            names: Interner::new(hasher.clone()),
            rows: TallyRows::new(hasher, examples.max(1)),
            domains: NameCounts::default(),
            relays: NameCounts::default(),
            instances: NameCounts::default(),
            hosts: NameCounts::default(),
            providers: ProviderCounts::default(),
            timeline: Timeline::default(),
            last_host: LastName::default(),
            last_instance: LastName::default(),
        }
    }

    /// See [`recipient`].
    #[must_use]
    pub(crate) fn with_secret(self, secret: Option<HashSecret>) -> Self {
        Self { secret, ..self }
    }

    /// The tally counts what a report of this extent asks for.
    #[must_use]
    pub(crate) fn with_extent(self, extent: ReportExtent) -> Self {
        Self { extent, ..self }
    }

    pub fn finish(mut self) -> FinishedTally {
        self.flush();
        let rows = self.rows.finish();
        FinishedTally {
            is_folded: rows.is_folded(),
            rows: rows.counts,
            names: self.names,
            domains: self.domains.finish(),
            relays: self.relays.finish(),
            instances: self.instances.finish(),
            hosts: self.hosts.finish(),
            providers: self.providers,
            groups: self.groups,
            delays: self.delays,
            hops: self.hops,
            warnings: self.warnings,
            timeline: self.timeline.finish(),
        }
    }

    /// The hours with events, counted from 1970-01-01T00:00Z, in rising order, and how many each has.
    pub(crate) fn events_by_hour(&mut self) -> Vec<(i64, u64)> {
        self.timeline.events_by_hour()
    }

    /// Adds the counts of the cached names to their tables.
    fn flush(&mut self) {
        self.last_instance.flush(&mut self.instances);
        self.last_host.flush(&mut self.hosts);
    }

    /// The other tally, instead of this one, in which nothing was counted: no name is copied. What the other one did not
    /// count, it may count from now on.
    #[must_use]
    pub(crate) fn replaced_by(self, other: Self) -> Self {
        let (groups, hourly) = (other.groups.or(self.groups), other.hourly.or(self.hourly));
        let (delays, secret) = (other.delays.or(self.delays), self.secret);
        Self { groups, hourly, delays, secret, ..other }
    }

    pub fn merge(&mut self, mut other: Self) {
        other.flush();
        self.hops += other.hops;
        self.warnings.merge(other.warnings);
        self.timeline.merge(other.timeline);
        self.providers.merge(&other.providers);
        let ids = self.names.merge(&other.names);
        drop(other.names);
        let renamed = |id: Symbol| ids.get(id.index()).copied().unwrap_or(Symbol::OVERFLOW);
        let examples = self.examples;
        self.rows.merge(other.rows, |mine, theirs| mine.merge(theirs, examples, renamed));
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

    /// Counts the names of an event.
    fn count_names(&mut self, outcome: Outcome, logged: &LoggedEvent) -> EventNames {
        let (event, names) = (logged.event, &mut self.names);
        if outcome != Outcome::Attempt {
            self.last_host.count(logged.line.named_host(), outcome, names, &mut self.hosts);
        }
        let has_tables = self.extent == ReportExtent::Whole;
        if !has_tables && outcome == Outcome::Delivered {
            return EventNames { domain: None, provider: None };
        }
        let domain = match event.direction {
            Direction::Inbound => None,
            Direction::Outbound | Direction::Local => event.recipient.and_then(domain),
        };
        if !has_tables || outcome == Outcome::Attempt {
            return EventNames { domain: domain.map(|domain| names.intern(domain)), provider: None };
        }
        let domain = domain.map(|domain| self.domains.count(domain, outcome, names, |_| None).id);
        let mut relay_provider = None;
        if event.direction != Direction::Inbound
            && let Some(host) = event.peer.host.or(event.peer.ip)
        {
            let providers = &logged.book.providers;
            relay_provider = self.relays.count(host, outcome, names, |host| providers.of_host(host)).provider;
        }
        let provider = match (logged.verdict, event.direction, event.peer.host) {
            // The classification looked it up already.
            (Some(verdict), ..) => verdict.provider,
            (None, Direction::Outbound, Some(_)) => relay_provider,
            (None, Direction::Outbound | Direction::Inbound | Direction::Local, _) => {
                find_provider(event, logged.book)
            }
        };
        self.providers.count(provider, outcome);
        let instance = logged.line.instance_or_program();
        self.last_instance.count(instance, outcome, names, &mut self.instances);
        EventNames { domain, provider }
    }
}

/// What the names of an event are to other tables.
struct EventNames {
    /// The domain of its recipient. None: the event is inbound, the line states none, or nobody asks for it.
    domain: Option<Symbol>,
    /// The provider of the other server. None: it has none, the event is an attempt, or nobody asks for it.
    provider: Option<Provider>,
}

/// The last name, with counts that are not in its table yet. Hosts and instances seldom change from line to line; looking
/// them up for each event would add 2 % to the instructions of a scan.
#[derive(Default)]
struct LastName {
    name: Vec<u8>,
    id: Option<Symbol>,
    counts: ByOutcome<u64>,
}

impl LastName {
    #[inline]
    fn count(&mut self, name: &[u8], outcome: Outcome, names: &mut Interner, table: &mut NameCounts) {
        if self.id.is_none() || !bytes_eq(&self.name, name) {
            self.change(name, names, table);
        }
        self.counts[outcome] += 1;
    }

    #[cold]
    fn change(&mut self, name: &[u8], names: &mut Interner, table: &mut NameCounts) {
        self.flush(table);
        self.id = Some(names.intern(name));
        self.name.clear();
        self.name.extend_from_slice(name);
    }

    fn flush(&mut self, table: &mut NameCounts) {
        if let Some(id) = self.id.take() {
            table.add(id, &std::mem::take(&mut self.counts));
        }
    }
}

impl EventSink for Tally {
    type BlockOutput = ();

    fn event(&mut self, logged: &LoggedEvent) {
        let event = logged.event;
        let key = TallyKey::of(logged);
        let kind = key.kind;
        let delivered = kind.outcome == Outcome::Delivered;
        let EventNames { domain, provider } = self.count_names(kind.outcome, logged);
        self.timeline.count(logged.moment, kind.direction, kind.outcome, kind.class);
        let place = match event.direction {
            _ if delivered => None,
            Direction::Inbound => event.peer.ip.or(event.peer.host).map(|client| self.names.intern(client)),
            Direction::Outbound | Direction::Local => {
                domain.or_else(|| Some(self.names.intern(event.peer.host?)))
            }
        };
        let count = self.rows.row(&key);
        count.attempts += 1;
        let is_whole = self.extent == ReportExtent::Whole;
        if is_whole && !delivered {
            count.recipients.insert(recipient(event, self.secret));
        }
        if let Some(place) = place {
            count.places.count(place);
        }
        count.extend_period(logged.moment);
        if is_whole || !delivered {
            count.examples.add(logged.place, logged.raw, self.examples);
        }
        if let Some(groups) = &mut self.groups {
            groups.count(logged);
        }
        if let Some(hourly) = &mut self.hourly {
            hourly.count(logged.moment, kind);
        }
        if let Some(delays) = &mut self.delays {
            delays.event(logged, provider);
        }
    }

    fn queue_record(&mut self, logged: &LoggedQueueRecord) {
        if let Some(delays) = &mut self.delays {
            delays.queue_record(logged);
        }
    }

    fn end_of_block(&mut self, _file: usize, _lines: u64) {}
}
