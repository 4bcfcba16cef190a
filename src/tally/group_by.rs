//! Counts events by any combination of keys: `--by domain,code`.

use clap::ValueEnum;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use jiff::tz::TimeZone;
use jiff::{RoundMode, Timestamp, Unit, Zoned, ZonedRound};

use crate::catalog::classify::Reason;
use crate::catalog::provider::Providers;
use crate::catalog::value_name;
use crate::collections::distinct::{self, DistinctCounter};
use crate::collections::hash_secret::HashSecret;
use crate::collections::interner::{Interner, Symbol};
use crate::parse::log_text::LogText;
use crate::parse::mta::parsed::domain;
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::{EventSink, LineOffset, LoggedEvent};
use crate::smtp::event::{By, ByOutcome, Direction, Event, Mta, Outcome, Stage};
use crate::smtp::reply::{Class, EnhancedCode};

/// The value of one key as a number, which its [`By`] interprets. 0: the line does not state the value.
pub(crate) type KeyPart = u64;

/// The hash that identifies a recipient; equal for the same queue id and recipient. With a secret, nobody can test addresses
/// against it.
pub(crate) fn recipient(event: &Event, secret: Option<HashSecret>) -> u64 {
    let hash = distinct::hash().maybe(event.queue_id).maybe(event.recipient);
    let hash = if event.queue_id.is_none() { hash.maybe(event.peer.ip).maybe(event.sender) } else { hash };
    secret.map_or(hash.finish(), |secret| secret.hash(hash.finish()))
}

/// Longest example line, in bytes; the rest is cut off.
pub(crate) const EXAMPLE_LIMIT: usize = 600;

/// The latest lines of a group, in the order of the logs.
#[derive(Clone, Default, Debug)]
pub struct Examples {
    pub lines: Vec<(LineOffset, Vec<u8>)>,
}

impl Examples {
    #[inline]
    pub fn add(&mut self, place: LineOffset, raw: &[u8], limit: usize) {
        if self.lines.len() < limit || self.lines.first().is_some_and(|(first, _)| place > *first) {
            match self.lines.as_mut_slice() {
                // Mostly one line is kept.
                [kept] if limit == 1 => replace(kept, place, raw),
                _ => self.insert(place, raw, limit),
            }
        }
    }

    fn insert(&mut self, place: LineOffset, raw: &[u8], limit: usize) {
        let at = self.lines.partition_point(|(other, _)| *other < place);
        // A line with several recipients has several events.
        if self.lines.get(at).is_some_and(|(other, _)| *other == place) {
            return;
        }
        if self.lines.len() < limit {
            self.lines.insert(at, (place, shown(raw).to_vec()));
        } else if let Some(moved) = self.lines.get_mut(..at) {
            moved.rotate_left(1);
            if let Some(oldest) = moved.last_mut() {
                replace(oldest, place, raw);
            }
        }
    }

    /// The latest of these lines.
    pub(super) fn latest_of(lines: Vec<(LineOffset, Vec<u8>)>, limit: usize) -> Self {
        let mut examples = Self::default();
        examples.merge(Self { lines }, limit);
        examples
    }

    pub fn merge(&mut self, other: Self, limit: usize) {
        self.lines.extend(other.lines);
        self.lines.sort();
        self.lines.dedup_by_key(|(place, _)| *place);
        self.lines.drain(..self.lines.len().saturating_sub(limit));
    }
}

/// Keeps another line in the memory of one: most events replace a line.
fn replace((kept, line): &mut (LineOffset, Vec<u8>), place: LineOffset, raw: &[u8]) {
    *kept = place;
    line.clear();
    line.extend_from_slice(shown(raw));
}

fn shown(raw: &[u8]) -> &[u8] {
    raw.get(..EXAMPLE_LIMIT).unwrap_or(raw)
}

/// The counts of one group.
#[derive(Clone, Default, Debug)]
pub struct Group {
    pub outcomes: ByOutcome<u64>,
    pub recipients: DistinctCounter,
    pub first: Option<LogTime>,
    pub last: Option<LogTime>,
    pub examples: Examples,
}

impl Group {
    fn merge(&mut self, other: Self, examples: usize) {
        self.outcomes += &other.outcomes;
        self.recipients.merge(other.recipients);
        self.first = earlier(self.first, other.first);
        self.last = self.last.max(other.last);
        self.examples.merge(other.examples, examples);
    }
}

/// Maximum number of groups. Senders choose the names, so there has to be a limit.
const LIMIT: usize = 1 << 17;

/// The counts of each group. They can be merged in any order.
pub struct GroupBy {
    pub by: Vec<By>,
    pub names: Interner,
    pub groups: HashMap<Vec<KeyPart>, Group, RandomState>,
    /// Events of groups that came after the limit was reached.
    pub others: u64,
    examples: usize,
    zone: TimeZone,
    secret: Option<HashSecret>,
    key: Vec<KeyPart>,
    last: Option<HourStart>,
}

impl GroupBy {
    /// `hasher` is the same for all threads of a run. `zone` determines hours and days. `examples` is the number
    /// of example lines of each group.
    pub fn new(by: &[By], examples: usize, zone: TimeZone, hasher: RandomState) -> Self {
        Self {
            by: by.to_vec(),
            names: Interner::new(hasher.clone()),
            groups: HashMap::with_hasher(hasher),
            others: 0,
            examples,
            zone,
            secret: None,
            key: Vec::new(),
            last: None,
        }
    }

    /// See [`recipient`].
    #[must_use]
    pub(crate) fn with_secret(self, secret: Option<HashSecret>) -> Self {
        Self { secret, ..self }
    }

    pub fn merge(&mut self, other: Self) {
        let ids = self.names.merge(&other.names);
        self.others += other.others;
        for (mut key, group) in other.groups {
            for (part, by) in key.iter_mut().zip(&self.by) {
                if by.is_name() && *part > 0 {
                    let id = ids.get(*part as usize - 1).copied().unwrap_or(Symbol::OVERFLOW);
                    *part = id.index() as u64 + 1;
                }
            }
            self.groups.entry(key).or_default().merge(group, self.examples);
        }
    }

    /// The groups with other names and examples. Groups whose names become the same are added.
    pub(crate) fn renamed(self, name: impl Fn(By, &[u8]) -> Vec<u8>, change: impl Fn(&mut Examples)) -> Self {
        let (by, limit) = (self.by.clone(), self.examples);
        let mut names = self.names.empty();
        let mut groups: HashMap<_, Group, _> = HashMap::with_hasher(self.groups.hasher().clone());
        for (mut key, mut group) in self.groups {
            for (part, by) in key.iter_mut().zip(&by) {
                // 1 stands for names that came after the table was full.
                if by.is_name() && *part > 1 {
                    let old = self.names.name(Symbol::at(*part as usize - 1));
                    *part = names.intern(&name(*by, old)).index() as u64 + 1;
                }
            }
            change(&mut group.examples);
            groups.entry(key).or_default().merge(group, limit);
        }
        Self { names, groups, ..self }
    }

    /// Drops the groups with the fewest events beyond the limit, and counts their events as those of others.
    pub(crate) fn cut(&mut self) {
        let Some(excess) = self.groups.len().checked_sub(LIMIT + 1) else { return };
        let mut events: Vec<u64> = self.groups.values().map(|group| group.outcomes.sum()).collect();
        let (_, &mut cut, _) = events.select_nth_unstable(excess);
        let others = &mut self.others;
        self.groups.retain(|_, group| {
            let sum = group.outcomes.sum();
            *others += if sum > cut { 0 } else { sum };
            sum > cut
        });
    }

    /// Counts an event. Attempts of single hosts and probes are not counted in totals, so no group counts them either.
    pub fn count(&mut self, logged: &LoggedEvent) {
        let event = logged.event;
        if matches!(event.outcome, Outcome::Attempt | Outcome::Probe) {
            return;
        }
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        for at in 0..self.by.len() {
            if let Some(&by) = self.by.get(at) {
                key.push(self.part(by, logged));
            }
        }
        if self.groups.len() >= LIMIT && !self.groups.contains_key(&key) {
            self.others += 1;
        } else {
            let group = match self.groups.get_mut(&key) {
                Some(group) => group,
                None => self.groups.entry(key.clone()).or_default(),
            };
            group.outcomes[event.outcome] += 1;
            if event.outcome != Outcome::Delivered {
                group.recipients.insert(recipient(event, self.secret));
            }
            group.first = earlier(group.first, logged.moment);
            group.last = group.last.max(logged.moment);
            group.examples.add(logged.place, logged.raw, self.examples);
        }
        self.key = key;
    }

    fn part(&mut self, by: By, logged: &LoggedEvent) -> KeyPart {
        let (event, line) = (logged.event, logged.line);
        let (out, inbound) = (event.direction != Direction::Inbound, event.direction == Direction::Inbound);
        let mut named =
            |name: Option<&[u8]>| name.map_or(0, |name| self.names.intern(name).index() as u64 + 1);
        match by {
            By::Code => event.code.map_or(0, |code| u64::from(code.number())),
            By::Enhanced => event.enhanced.map_or(0, EnhancedCode::packed),
            By::Class => event.class().map_or(0, |class| class as u64 + 1),
            By::Reason => logged.verdict.map_or(0, |verdict| verdict.reason as u64 + 1),
            By::Outcome => event.outcome as u64 + 1,
            By::Direction => event.direction as u64 + 1,
            By::Stage => event.stage.map_or(0, |stage| stage as u64 + 1),
            By::Mta => event.mta as u64 + 1,
            By::Provider => logged.provider().map_or(0, |provider| provider.index() as u64 + 1),
            By::Domain => named(event.recipient.and_then(domain)),
            By::Recipient => named(event.recipient),
            By::Sender => named(event.sender.map(|sender| if sender.is_empty() { b"<>" } else { sender })),
            By::User => named(logged.user),
            By::Relay => named(event.peer.host.or(event.peer.ip).filter(|_| out)),
            By::Client if inbound => named(event.peer.ip.or(event.peer.host)),
            By::Client => named(logged.client),
            By::Instance => named(Some(line.instance_or_program()).filter(|name| !name.is_empty())),
            By::Host => named(Some(line.named_host()).filter(|host| !host.is_empty())),
            By::Hour => self.hour_start(logged.moment).map_or(0, |start| start.hour),
            By::Day => self.hour_start(logged.moment).map_or(0, |start| start.day),
        }
    }

    /// The beginning of the hour and of the day of a moment. Most events have the same minute as the previous one,
    /// which is cached.
    fn hour_start(&mut self, moment: Option<LogTime>) -> Option<HourStart> {
        let minute = moment?.minute();
        if let Some(last) = self.last.filter(|last| last.minute == minute) {
            return Some(last);
        }
        let zoned = Timestamp::from_second(minute * 60).ok()?.to_zoned(self.zone.clone());
        let seconds = |zoned: &Zoned| u64::try_from(zoned.timestamp().as_second()).unwrap_or(0);
        let hour = zoned.round(ZonedRound::new().smallest(Unit::Hour).mode(RoundMode::Trunc)).ok()?;
        let start = HourStart { minute, hour: seconds(&hour), day: seconds(&zoned.start_of_day().ok()?) };
        self.last = Some(start);
        Some(start)
    }

    /// The value of a part as text. None: the line did not state it.
    pub fn part_text(&self, by: By, part: KeyPart, providers: &Providers) -> Option<String> {
        let at = part.checked_sub(1)? as usize;
        let time = |form: &str| {
            let zoned = Timestamp::from_second(part as i64).ok()?.to_zoned(self.zone.clone());
            Some(zoned.strftime(form).to_string())
        };
        match by {
            By::Code => Some(part.to_string()),
            By::Enhanced => EnhancedCode::unpacked(part).map(|code| code.to_string()),
            By::Class => word::<Class>(at),
            By::Reason => word::<Reason>(at),
            By::Outcome => word::<Outcome>(at),
            By::Direction => word::<Direction>(at),
            By::Stage => word::<Stage>(at),
            By::Mta => word::<Mta>(at),
            By::Provider => providers.all().nth(at).map(|(_, row)| row.id.clone()),
            By::Domain
            | By::Recipient
            | By::Sender
            | By::User
            | By::Relay
            | By::Client
            | By::Instance
            | By::Host => {
                let name = self.names.name(self.names.symbol_at(at)?);
                Some(if at == 0 { "(others)".to_owned() } else { LogText(name).into() })
            }
            By::Hour => time("%F %H:%M"),
            By::Day => time("%F"),
        }
    }
}

/// A minute, and the beginning of its hour and day in seconds since 1970.
#[derive(Clone, Copy)]
struct HourStart {
    minute: i64,
    hour: u64,
    day: u64,
}

fn word<W: ValueEnum + Copy>(at: usize) -> Option<String> {
    W::value_variants().get(at).map(|&word| value_name(word))
}

fn earlier(a: Option<LogTime>, b: Option<LogTime>) -> Option<LogTime> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl EventSink for GroupBy {
    type BlockOutput = ();

    fn event(&mut self, logged: &LoggedEvent) {
        self.count(logged);
    }

    fn end_of_block(&mut self, _file: usize, _lines: u64) {}
}
