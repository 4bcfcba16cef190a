//! A tally as a part keeps it, section by section, and the tally that a part gives back.

use serde::{Deserialize, Serialize, Serializer};

use super::by_name::NameCounts;
use super::by_provider::ProviderCounts;
use super::delays::{Delays, LONGEST};
use super::group_by::{Examples, Group, GroupBy, KeyPart};
use super::kept_counts::{KeptHours, KeptOutcomes};
use super::kept_hourly::{HourTable, KeptHourly, hourly};
use super::kept_row::KeptRow;
use super::kept_warnings::KeptWarnings;
use super::part_options::TallyOptions;
use super::rows::Rank;
use super::timeline::{FinishedTimeline, Timeline};
use super::{FinishedTally, Tally};
use crate::catalog::provider::Provider;
use crate::collections::distinct::DistinctCounter;
use crate::collections::texts::Texts;
use crate::collections::wire::{ByteText, RecordedValues, record_all, recorded};
use crate::parse::mta::delay::Phase;
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::LineOffset;
use crate::smtp::event::{By, ByOutcome, Direction};

/// The sections of a tally.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptTally {
    /// The names by their index, from 1 on. Index 0 stands for names beyond the limit.
    pub names: Texts,
    pub rows: Vec<KeptRow>,
    pub tables: KeptTables,
    pub timeline: KeptTimeline,
    pub hourly: Option<KeptHourly>,
    pub delays: Option<Vec<KeptDelays>>,
    pub warnings: KeptWarnings,
    pub groups: Option<KeptGroups>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptTables {
    hops: u64,
    /// Rows from this rank on are coarse; see the rows of a tally. Null: none is.
    first_folded: Option<Rank>,
    domains: KeptOutcomes,
    relays: KeptOutcomes,
    instances: KeptOutcomes,
    hosts: KeptOutcomes,
    /// By the provider's number in the list of the head, plus 1.
    providers: Vec<ByOutcome<u64>>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptTimeline {
    hours: KeptHours,
    is_cut: bool,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct KeptDelays {
    direction: Direction,
    provider: Option<Provider>,
    phase: Phase,
    /// In milliseconds.
    max: u64,
    values: RecordedValues,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct KeptGroups {
    pub by: Vec<By>,
    names: Texts,
    groups: Vec<KeptGroup>,
    others: u64,
}

#[derive(Serialize, Deserialize)]
struct KeptGroup {
    key: Vec<KeyPart>,
    outcomes: ByOutcome<u64>,
    recipients: DistinctCounter,
    first: Option<LogTime>,
    last: Option<LogTime>,
    examples: Vec<(LineOffset, ByteText)>,
}

fn kept_lines(examples: Examples) -> Vec<(LineOffset, ByteText)> {
    examples.lines.into_iter().map(|(place, line)| (place, ByteText(line))).collect()
}

impl KeptTally {
    /// `change` is applied to the tally first.
    pub(crate) fn of(mut tally: Tally, change: impl FnOnce(FinishedTally) -> FinishedTally) -> Self {
        let hours = tally.hourly.take().map(|hourly| KeptHourly::Map(HourTable::of(&hourly.finish())));
        tally.rows.fold();
        let first_folded = tally.rows.first_folded;
        let tally = change(tally.finish());
        let mut rows = tally.rows;
        rows.sort_by_key(|(key, _)| *key);
        Self {
            names: tally.names.names().collect(),
            rows: rows.into_iter().map(KeptRow::of).collect(),
            tables: KeptTables {
                hops: tally.hops,
                first_folded,
                domains: KeptOutcomes::of(tally.domains),
                relays: KeptOutcomes::of(tally.relays),
                instances: KeptOutcomes::of(tally.instances),
                hosts: KeptOutcomes::of(tally.hosts),
                providers: tally.providers.counts,
            },
            timeline: KeptTimeline {
                hours: KeptHours::of(tally.timeline.hours.into_iter()),
                is_cut: tally.timeline.is_cut,
            },
            hourly: hours,
            delays: tally.delays.map(KeptDelays::all_of),
            warnings: KeptWarnings::of(tally.warnings),
            groups: tally.groups.map(KeptGroups::of),
        }
    }

    /// Gives each row its recipients. `None`: there are more or fewer.
    pub(crate) fn set_recipients(&mut self, recipients: Vec<DistinctCounter>) -> Option<()> {
        let are_all = self.rows.len() == recipients.len();
        self.rows.iter_mut().zip(recipients).for_each(|(row, recipients)| row.set_recipients(recipients));
        are_all.then_some(())
    }

    /// The tally again. `None`: a value is damaged.
    pub(crate) fn tally(self, options: &TallyOptions) -> Option<Tally> {
        let groups = match self.groups {
            Some(groups) => Some(groups.group_by(options)?),
            None => None,
        };
        let mut tally = Tally::new(options.hasher.clone(), options.examples, groups);
        self.names.each(|name| {
            tally.names.intern(name);
            Some(())
        })?;
        tally.rows.first_folded = self.tables.first_folded;
        for row in self.rows {
            let (key, count) = row.count(options);
            if let Some(last) = count.places.last() {
                tally.names.symbol_at(last.index())?;
            }
            let row = tally.rows.row(&key);
            if row.attempts == 0 {
                *row = count;
            } else {
                row.merge(count, options.examples.max(1), |name| name);
            }
        }
        let KeptTables { hops, first_folded: _, domains, relays, instances, hosts, providers } = self.tables;
        for (table, counts) in [
            (&mut tally.domains, domains),
            (&mut tally.relays, relays),
            (&mut tally.instances, instances),
            (&mut tally.hosts, hosts),
        ] {
            *table = NameCounts::default();
            for (name, counts) in counts.counts()? {
                // The index of a damaged name could ask for any memory.
                tally.names.symbol_at(name.index())?;
                table.add(name, &counts);
            }
        }
        tally.hops = hops;
        tally.providers = ProviderCounts { counts: providers };
        let KeptTimeline { hours, is_cut } = self.timeline;
        let hours = hours.hours()?.into_iter().collect();
        tally.timeline = Timeline::of(FinishedTimeline { hours, is_cut });
        tally.hourly = match self.hourly {
            Some(kept) => Some(hourly(kept)?),
            None => None,
        };
        tally.delays = match self.delays {
            Some(kept) => Some(KeptDelays::delays(kept)?),
            None => None,
        };
        tally.warnings = self.warnings.counts(|place| options.place(place))?;
        Some(tally)
    }
}

/// The distinct recipients of each row.
pub(crate) struct RowRecipients<'a>(pub &'a [KeptRow]);

impl Serialize for RowRecipients<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(KeptRow::recipients))
    }
}

impl KeptDelays {
    fn all_of(delays: Delays) -> Vec<Self> {
        let all = delays.0.into_iter().flat_map(|((direction, provider), phases)| {
            phases.into_iter().map(move |(phase, times)| {
                let values = recorded(&times.histogram);
                Self { direction, provider, phase, max: times.max, values }
            })
        });
        all.collect()
    }

    fn delays(all: Vec<Self>) -> Option<Delays> {
        let mut delays = Delays::default();
        for Self { direction, provider, phase, max, values } in all {
            let times = delays.times(direction, provider, phase);
            record_all(&mut times.histogram, &values, LONGEST)?;
            times.max = times.max.max(max);
        }
        Some(delays)
    }
}

impl KeptGroups {
    fn of(groups: GroupBy) -> Self {
        let names = groups.names.names().collect();
        let kept = groups.groups.into_iter().map(|(key, group)| {
            let Group { outcomes, recipients, first, last, examples } = group;
            KeptGroup { key, outcomes, recipients, first, last, examples: kept_lines(examples) }
        });
        let mut kept: Vec<KeptGroup> = kept.collect();
        kept.sort_by(|a, b| a.key.cmp(&b.key));
        Self { by: groups.by, names, groups: kept, others: groups.others }
    }

    fn group_by(self, options: &TallyOptions) -> Option<GroupBy> {
        let mut groups =
            GroupBy::new(&self.by, options.examples, options.zone.clone(), options.hasher.clone());
        groups.others = self.others;
        self.names.each(|name| {
            groups.names.intern(name);
            Some(())
        })?;
        for KeptGroup { key, outcomes, recipients, first, last, examples } in self.groups {
            let lines = examples.into_iter().map(|(place, line)| (place, line.0)).collect();
            let examples = options.examples(Examples { lines }, options.examples);
            let group = Group { outcomes, recipients, first, last, examples };
            groups.groups.insert(key, group);
        }
        Some(groups)
    }
}
