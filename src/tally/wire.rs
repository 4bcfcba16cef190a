//! A tally as a part keeps it, section by section, and the tally that a part gives back.

use foldhash::fast::RandomState;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::by_name::{NameCounts, OutcomesByName};
use super::by_provider::ProviderCounts;
use super::delays::{Delays, LONGEST};
use super::group_by::{EXAMPLE_LIMIT, Examples, Group, GroupBy, KeyPart};
use super::kept_hourly::{HourTable, KeptHourly, hourly};
use super::kept_key::{KeptKey, kept_key, key};
use super::rows::Rank;
use super::timeline::{FinishedTimeline, HourCounts, Timeline};
use super::warnings::{WarningCount, WarningCounts, WarningKey};
use super::{FinishedTally, Tally, TallyCount, TallyKey};
use crate::catalog::provider::Provider;
use crate::collections::counter::SymbolCounts;
use crate::collections::distinct::DistinctCounter;
use crate::collections::wire::{ByteText, RecordedValues, record_all, recorded};
use crate::parse::mta::delay::Phase;
use crate::parse::mta::server_warning::Severity;
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::LineOffset;
use crate::smtp::event::{By, ByOutcome, Direction, Mta};

/// The sections of a tally.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptTally {
    /// The names by their index, from 1 on. Index 0 stands for names beyond the limit.
    pub names: Vec<ByteText>,
    pub rows: Vec<KeptRow>,
    pub tables: KeptTables,
    pub timeline: KeptTimeline,
    pub hourly: Option<KeptHourly>,
    pub delays: Option<Vec<KeptDelays>>,
    pub warnings: KeptWarnings,
    pub groups: Option<KeptGroups>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct KeptRow {
    key: KeptKey,
    attempts: u64,
    recipients: DistinctCounter,
    first: Option<LogTime>,
    last: Option<LogTime>,
    examples: Vec<(LineOffset, ByteText)>,
    places: SymbolCounts,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptTables {
    hops: u64,
    /// Rows from this rank on are coarse; see the rows of a tally. Null: none is.
    first_folded: Option<Rank>,
    domains: OutcomesByName,
    relays: OutcomesByName,
    instances: OutcomesByName,
    pub hosts: OutcomesByName,
    /// By the provider's number in the list of the head, plus 1.
    providers: Vec<ByOutcome<u64>>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptTimeline {
    hours: Vec<(i64, HourCounts)>,
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

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptWarnings {
    texts: Vec<KeptWarning>,
    others: u64,
}

#[derive(Serialize, Deserialize)]
struct KeptWarning {
    mta: Mta,
    severity: Severity,
    text: ByteText,
    lines: u64,
    minutes: Option<(i64, i64)>,
    place: LineOffset,
    example: ByteText,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct KeptGroups {
    pub by: Vec<By>,
    names: Vec<ByteText>,
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

/// What the tally of a part is read for.
#[derive(Clone)]
pub(crate) struct TallyOptions {
    pub hasher: RandomState,
    /// Number of example lines of each row.
    pub examples: usize,
    pub zone: TimeZone,
    /// Number of the first file of the part among those of all parts.
    pub files_before: usize,
}

/// A pseudonym is longer than a name, so a redacted line may be longer than a line of a log.
const LONGEST_EXAMPLE: usize = 8 * EXAMPLE_LIMIT;

fn kept_lines(examples: Examples) -> Vec<(LineOffset, ByteText)> {
    examples.lines.into_iter().map(|(place, line)| (place, ByteText(line))).collect()
}

impl TallyOptions {
    fn place(&self, place: LineOffset) -> LineOffset {
        LineOffset { file: place.file.saturating_add(self.files_before), ..place }
    }

    fn examples(&self, lines: Vec<(LineOffset, ByteText)>, limit: usize) -> Examples {
        let lines = lines.into_iter().map(|(place, mut line)| {
            line.0.truncate(LONGEST_EXAMPLE);
            (self.place(place), line.0)
        });
        Examples::latest_of(lines.collect(), limit)
    }
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
        let sorted = |mut counts: OutcomesByName| {
            counts.sort_unstable_by_key(|(name, _)| *name);
            counts
        };
        Self {
            names: tally.names.names().map(ByteText::from).collect(),
            rows: rows.into_iter().map(KeptRow::of).collect(),
            tables: KeptTables {
                hops: tally.hops,
                first_folded,
                domains: sorted(tally.domains),
                relays: sorted(tally.relays),
                instances: sorted(tally.instances),
                hosts: sorted(tally.hosts),
                providers: tally.providers.counts,
            },
            timeline: KeptTimeline {
                hours: tally.timeline.hours.into_iter().collect(),
                is_cut: tally.timeline.is_cut,
            },
            hourly: hours,
            delays: tally.delays.map(KeptDelays::all_of),
            warnings: KeptWarnings::of(tally.warnings),
            groups: tally.groups.map(KeptGroups::of),
        }
    }

    /// The tally again. `None`: a value is damaged.
    pub(crate) fn tally(self, options: &TallyOptions) -> Option<Tally> {
        let groups = self.groups.map(|groups| groups.group_by(options));
        let mut tally = Tally::new(options.hasher.clone(), options.examples, groups);
        for name in &self.names {
            tally.names.intern(&name.0);
        }
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
            for (name, counts) in &counts {
                // The index of a damaged name could ask for any memory.
                tally.names.symbol_at(name.index())?;
                table.add(*name, counts);
            }
        }
        tally.hops = hops;
        tally.providers = ProviderCounts { counts: providers };
        let KeptTimeline { hours, is_cut } = self.timeline;
        let hours = hours.into_iter().collect();
        tally.timeline = Timeline::of(FinishedTimeline { hours, is_cut });
        tally.hourly = match self.hourly {
            Some(kept) => Some(hourly(kept)?),
            None => None,
        };
        tally.delays = match self.delays {
            Some(kept) => Some(KeptDelays::delays(kept)?),
            None => None,
        };
        tally.warnings = self.warnings.counts(options);
        Some(tally)
    }
}

/// Whether the rows are nearly all hashes of recipients, of about six bytes each. A row takes about 300 bytes besides these and its
/// lines.
pub(crate) fn are_mostly_hashes(rows: &[KeptRow]) -> bool {
    let hashes: usize = rows.iter().map(|row| row.recipients.held() * 6).sum();
    let lines = |row: &KeptRow| row.examples.iter().map(|(_, line)| line.0.len()).sum::<usize>();
    let others: usize = rows.iter().map(|row| 300 + lines(row)).sum();
    hashes > 4 * others
}

impl KeptRow {
    fn of((key, count): (TallyKey, TallyCount)) -> Self {
        let TallyCount { attempts, recipients, first, last, examples, places } = count;
        Self { key: kept_key(key), attempts, recipients, first, last, examples: kept_lines(examples), places }
    }

    fn count(self, options: &TallyOptions) -> (TallyKey, TallyCount) {
        let Self { key, attempts, recipients, first, last, examples, places } = self;
        let examples = options.examples(examples, options.examples.max(1));
        (self::key(key), TallyCount { attempts, recipients, first, last, examples, places })
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

impl KeptWarnings {
    fn of(counts: WarningCounts) -> Self {
        let others = counts.others;
        let texts = counts.by_text.into_iter().map(|(key, count)| {
            let WarningCount { lines, minutes, place, example } = count;
            let text = ByteText(key.text.into_vec());
            KeptWarning {
                mta: key.mta,
                severity: key.severity,
                text,
                lines,
                minutes,
                place,
                example: ByteText(example),
            }
        });
        Self { texts: texts.collect(), others }
    }

    fn counts(self, options: &TallyOptions) -> WarningCounts {
        let mut counts = WarningCounts { others: self.others, ..WarningCounts::default() };
        for warning in self.texts {
            let KeptWarning { mta, severity, text, lines, minutes, place, example } = warning;
            let count = WarningCount { lines, minutes, place: options.place(place), example: example.0 };
            counts.add(WarningKey::new(mta, severity, &text.0), count);
        }
        counts
    }
}

impl KeptGroups {
    fn of(groups: GroupBy) -> Self {
        let names = groups.names.names().map(ByteText::from).collect();
        let kept = groups.groups.into_iter().map(|(key, group)| {
            let Group { outcomes, recipients, first, last, examples } = group;
            KeptGroup { key, outcomes, recipients, first, last, examples: kept_lines(examples) }
        });
        let mut kept: Vec<KeptGroup> = kept.collect();
        kept.sort_by(|a, b| a.key.cmp(&b.key));
        Self { by: groups.by, names, groups: kept, others: groups.others }
    }

    fn group_by(self, options: &TallyOptions) -> GroupBy {
        let mut groups =
            GroupBy::new(&self.by, options.examples, options.zone.clone(), options.hasher.clone());
        groups.others = self.others;
        for name in &self.names {
            groups.names.intern(&name.0);
        }
        for KeptGroup { key, outcomes, recipients, first, last, examples } in self.groups {
            let examples = options.examples(examples, options.examples);
            let group = Group { outcomes, recipients, first, last, examples };
            groups.groups.insert(key, group);
        }
        groups
    }
}
