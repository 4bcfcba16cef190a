//! Builds the sections of a report: failed messages by who must act, one row for each reason and cause.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::baseline::compare::increase;
use super::options::ReportOptions;
use super::rows::{name, situation, text};
use crate::catalog::{self, Action, Cause, Fate, Reason, find_advice};
use crate::collections::counter::SymbolCounts;
use crate::collections::interner::Symbol;
use crate::messages::MessageSummary;
use crate::messages::failure::{FailedMessages, FailureKind, FlowTotals};
use crate::parse::header::LogLine;
use crate::parse::log_text::LogText;
use crate::parse::mta::{self, parsed::ParsedLine};
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::LineOffset;
use crate::report::SortBy;
use crate::report::time::minute_rfc3339;
use crate::report::{
    ActionSection, CodeCount, DirectionTotals, FaultRow, FaultTotals, LastDay, MainPlace, PlaceKind,
    TrendAxis,
};
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::{Code, EnhancedCode};
use crate::tally::{FinishedTally, TallyCount, TallyKey};

/// Number of codes in a row.
const CODES: usize = 8;

/// Number of parts of a trend, at most: the days of a week.
const PARTS: i64 = 7;

/// A place is named if it has at least this share of the attempts, in percent.
const MAIN_PLACE: u64 = 20;

/// From this share of all failed messages, in percent, a cause has a row of its own.
const LARGE_CAUSE: u64 = 5;

/// A domain that no provider runs is named only if the row has at least this number of attempts.
const ATTEMPTS_FOR_PLACE: u64 = 20;

/// Most places of a row that are compared. The sum of more is not worth the time.
const PLACES: usize = 100_000;

/// The sections, and what their trends count.
pub(crate) struct BuiltSections {
    pub sections: Vec<ActionSection>,
    pub trend: Option<TrendAxis>,
}

/// Rows with the same key are one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct FaultKey {
    action: Action,
    direction: Direction,
    reason: Reason,
    cause: Option<Cause>,
}

/// What the lines of a row have in common.
#[derive(Default)]
struct FaultLines {
    attempts: u64,
    codes: BTreeMap<(Option<Code>, Option<EnhancedCode>), u64>,
    providers: BTreeMap<String, u64>,
    places: SymbolCounts,
    advice: BTreeMap<&'static str, u64>,
    period: Option<(LogTime, LogTime)>,
    /// The recipient that the first line with one names.
    recipient: Option<(LineOffset, String)>,
    /// The first lines, in the order of the logs.
    examples: Vec<(LineOffset, String)>,
}

/// The hours that the trends cover.
#[derive(Clone, Copy)]
struct TrendHours {
    first: i64,
    /// The first minute of the logs, counted from 1970-01-01T00:00Z.
    start_minute: i64,
    /// The last minute of the logs, counted from 1970-01-01T00:00Z.
    end_minute: i64,
    length: i64,
    parts: i64,
}

impl TrendHours {
    fn new((first, last): (i64, i64)) -> Self {
        let (from, to) = (first.div_euclid(60), last.div_euclid(60));
        let hours = to - from + 1;
        let length = (hours + PARTS - 1) / PARTS;
        let parts = (hours + length - 1) / length;
        Self { first: from, start_minute: first, end_minute: last, length, parts }
    }

    /// The last 24 hours against the days before. None: fewer than three days are before.
    fn last_day(&self, failed: &FailedMessages) -> Option<LastDay> {
        let end = self.end_minute.div_euclid(60) + 1;
        let days = (end - self.first) / 24;
        let day = |back: i64| -> u64 {
            failed.hours.range(end - (back + 1) * 24..end - back * 24).map(|(_, count)| count).sum()
        };
        let earlier: Vec<f64> = (1..days).map(|back| day(back) as f64).collect();
        (earlier.len() >= 3).then(|| LastDay { messages: day(0), change: increase(day(0) as f64, &earlier) })
    }

    fn trend(&self, failed: &FailedMessages) -> Vec<u64> {
        let mut parts = vec![0; usize::try_from(self.parts).unwrap_or(1)];
        let last = parts.len() - 1;
        for (&hour, &count) in &failed.hours {
            let at = usize::try_from((hour - self.first).div_euclid(self.length)).unwrap_or(0).min(last);
            parts[at] += count;
        }
        parts
    }
}

/// Builds the sections. Rejections of clients that need nothing are in the last one.
pub(crate) fn sections(
    tally: &FinishedTally,
    counts: &[(TallyKey, TallyCount)],
    messages: &MessageSummary,
    options: &ReportOptions,
) -> BuiltSections {
    let hours = options.read.coverage.minutes.map(TrendHours::new);
    let mut failed: BTreeMap<FaultKey, FailedMessages> = BTreeMap::new();
    for (&(action, kind), count) in &messages.totals.failures.by_kind {
        let FailureKind { direction, reason, cause, .. } = kind;
        failed.entry(FaultKey { action, direction, reason, cause }).or_default().merge(count);
    }
    let mut lines: BTreeMap<FaultKey, FaultLines> = BTreeMap::new();
    let mut rejected: BTreeMap<FaultKey, u64> = BTreeMap::new();
    for (key, count) in counts {
        let Some((fault, is_rejection)) = fault_of(key) else { continue };
        if is_rejection {
            *rejected.entry(fault).or_default() += count.attempts;
        }
        lines.entry(fault).or_default().add(key, count, options);
    }
    merge_small_causes(&mut failed, &mut lines, &mut rejected);
    let keys = failed.keys().chain(rejected.keys()).copied();
    let keys: std::collections::BTreeSet<FaultKey> = keys.collect();
    let mut sections: Vec<ActionSection> = Action::ALL
        .iter()
        .map(|&action| ActionSection {
            action,
            title: action.title(),
            meaning: action.meaning(),
            totals: FaultTotals::default(),
            rows: Vec::new(),
        })
        .collect();
    for key in keys {
        let totals = FaultTotals {
            rejected: rejected.get(&key).copied().unwrap_or_default(),
            ..failed.get(&key).map(totals).unwrap_or_default()
        };
        // The same reply in another section: an expiry has the codes of the deferrals before it.
        let near = |other: &&FaultKey| {
            (other.direction, other.reason, other.cause) == (key.direction, key.reason, key.cause)
        };
        let of_lines = lines.get(&key).or_else(|| lines.get(lines.keys().find(near)?));
        let row = fault(key, totals, failed.get(&key), of_lines, hours, tally, options);
        if let Some(section) = sections.iter_mut().find(|section| section.action == key.action) {
            section.totals.add(&totals);
            section.rows.push(row);
        }
    }
    for section in &mut sections {
        let weight = |row: &FaultRow| row.totals.failed() + row.totals.rejected;
        match options.sort {
            SortBy::Count => section.rows.sort_by_key(|row| Reverse(weight(row))),
            SortBy::Recent => section.rows.sort_by(|a, b| b.last.cmp(&a.last)),
            SortBy::Name => section.rows.sort_by(|a, b| a.title.cmp(&b.title)),
        }
    }
    sections.retain(|section| !section.rows.is_empty());
    BuiltSections { sections, trend: hours.and_then(|hours| axis(hours, options)) }
}

/// Joins the causes of a reason that have few messages each: one row for "TLS failed" says more than five with one message.
/// A cause that is alone, or has a large share of all failed messages, keeps its row.
fn merge_small_causes(
    failed: &mut BTreeMap<FaultKey, FailedMessages>,
    lines: &mut BTreeMap<FaultKey, FaultLines>,
    rejected: &mut BTreeMap<FaultKey, u64>,
) {
    let whole: u64 = failed.values().map(|count| totals(count).failed()).sum();
    let is_small = |key: &FaultKey| {
        let messages = failed.get(key).map_or(0, |count| totals(count).failed());
        messages * 100 < whole * LARGE_CAUSE && !rejected.contains_key(key)
    };
    let mut causes: BTreeMap<FaultKey, Vec<FaultKey>> = BTreeMap::new();
    for key in failed.keys().filter(|key| is_small(key)) {
        causes.entry(FaultKey { cause: None, ..*key }).or_default().push(*key);
    }
    for (joined, keys) in causes.into_iter().filter(|(_, keys)| keys.len() > 1) {
        for key in keys.into_iter().filter(|key| *key != joined) {
            if let Some(count) = failed.remove(&key) {
                failed.entry(joined).or_default().merge(&count);
            }
            if let Some(of_cause) = lines.remove(&key) {
                lines.entry(joined).or_default().merge(of_cause);
            }
        }
    }
}

fn totals(failed: &FailedMessages) -> FaultTotals {
    let &FailedMessages { waiting, delayed, bounced, expired, .. } = failed;
    FaultTotals { waiting, delayed, bounced, expired, rejected: 0 }
}

/// The row that the lines belong to, and whether they are rejections of clients. None: they are no failures.
fn fault_of(key: &TallyKey) -> Option<(FaultKey, bool)> {
    let kind = key.kind;
    let is_rejection = match kind.outcome {
        Outcome::Rejected => kind.direction == Direction::Inbound,
        Outcome::Deferred | Outcome::Bounced | Outcome::Expired => false,
        Outcome::Delivered
        | Outcome::Attempt
        | Outcome::Probe
        | Outcome::Warned
        | Outcome::Held
        | Outcome::Discarded => return None,
    };
    let failure = FailureKind {
        direction: kind.direction,
        reason: kind.reason.unwrap_or(Reason::Unknown),
        cause: key.cause,
        class: kind.class,
        retry: key.retry,
        side: key.side,
    };
    let lost = matches!(kind.outcome, Outcome::Bounced | Outcome::Expired);
    let (action, reason) = (failure.action(lost), failure.reason);
    // Refused clients are counted by reason alone: their causes are many, and nobody has to act.
    let cause = key.cause.filter(|_| action != Action::Nothing);
    Some((FaultKey { action, direction: kind.direction, reason, cause }, is_rejection))
}

impl FaultLines {
    fn add(&mut self, key: &TallyKey, count: &TallyCount, options: &ReportOptions) {
        self.attempts += count.attempts;
        *self.codes.entry((key.kind.code, key.kind.enhanced)).or_default() += count.attempts;
        if let Some(row) = key.provider.and_then(|provider| options.providers.row(provider)) {
            *self.providers.entry(row.id.clone()).or_default() += count.attempts;
        }
        let mut places = count.places.clone().finish();
        places.truncate(PLACES);
        self.places.merge(places.into(), |place| place);
        if let Some(line) = advice(key, options) {
            *self.advice.entry(line).or_default() += count.attempts;
        }
        for at in [count.first, count.last].into_iter().flatten() {
            let (first, last) = self.period.unwrap_or((at, at));
            self.period = Some((first.min(at), last.max(at)));
        }
        let lines = count.examples.lines.iter().take(options.examples);
        self.examples.extend(lines.map(|(place, line)| (*place, LogText::string(line))));
        // The rows come in arbitrary order. A line behind the known one is not parsed.
        let known = self.recipient.as_ref().map(|(place, _)| *place);
        let lines = count.examples.lines.iter();
        let mut earlier = lines.take_while(|(place, _)| known.is_none_or(|known| *place <= known));
        let found = earlier.find_map(|(place, line)| Some((*place, recipient(line)?)));
        self.recipient = self.recipient.take().into_iter().chain(found).min();
    }
}

impl FaultLines {
    fn merge(&mut self, other: Self) {
        self.attempts += other.attempts;
        other.codes.into_iter().for_each(|(code, count)| *self.codes.entry(code).or_default() += count);
        other
            .providers
            .into_iter()
            .for_each(|(name, count)| *self.providers.entry(name).or_default() += count);
        self.places.merge(other.places, |place| place);
        other.advice.into_iter().for_each(|(line, count)| *self.advice.entry(line).or_default() += count);
        if let Some((first, last)) = other.period {
            let (from, to) = self.period.unwrap_or((first, last));
            self.period = Some((from.min(first), to.max(last)));
        }
        self.examples.extend(other.examples);
        self.recipient = self.recipient.take().into_iter().chain(other.recipient).min();
    }
}

fn advice(key: &TallyKey, options: &ReportOptions) -> Option<&'static str> {
    if !options.with_advice {
        return None;
    }
    let found = situation(key, options.providers)?;
    let fate = Fate::of(key.kind.direction, key.kind.class, Some(key.kind.outcome), key.retry);
    let line = find_advice(&found)?.row().line_for_mta(key.mta, fate);
    (!line.is_empty()).then_some(line)
}

/// The recipient that a line names.
fn recipient(raw: &[u8]) -> Option<String> {
    let line = LogLine::read(raw);
    let ParsedLine::Event(event) = mta::read(&line) else { return None };
    let recipient = event.recipient.filter(|recipient| recipient.contains(&b'@'))?;
    Some(LogText::string(recipient))
}

fn fault(
    key: FaultKey,
    totals: FaultTotals,
    failed: Option<&FailedMessages>,
    lines: Option<&FaultLines>,
    hours: Option<TrendHours>,
    tally: &FinishedTally,
    options: &ReportOptions,
) -> FaultRow {
    let reason_row = catalog::reason_row(key.reason);
    let title = key.cause.map_or(&reason_row.title, |cause| &catalog::cause_row(cause).title).clone();
    let zone = &options.read.calendar.zone;
    let seconds = failed.and_then(|failed| failed.period);
    let of_lines = lines.and_then(|lines| lines.period);
    let period = seconds
        .map(|(first, last)| (first.div_euclid(60), last.div_euclid(60)))
        .or_else(|| of_lines.map(|(first, last)| (first.minute(), last.minute())));
    let mut codes: Vec<CodeCount> = lines
        .iter()
        .flat_map(|lines| &lines.codes)
        .map(|(&(code, enhanced), &attempts)| CodeCount { code, enhanced, attempts })
        .collect();
    codes.sort_by_key(|code| Reverse(code.attempts));
    let code_count = codes.len() as u64;
    codes.truncate(CODES);
    let places = lines.map(|lines| lines.places.clone().finish()).unwrap_or_default();
    let advice =
        lines.and_then(|lines| lines.advice.iter().max_by_key(|(line, count)| (**count, Reverse(*line))));
    let trend = hours.zip(failed).map(|(hours, failed)| hours.trend(failed)).unwrap_or_default();
    FaultRow {
        direction: key.direction,
        reason: key.reason,
        cause: key.cause,
        title,
        totals,
        codes,
        code_count,
        trend,
        first: period.and_then(|(first, _)| minute_rfc3339(first, zone)),
        last: period.and_then(|(_, last)| minute_rfc3339(last, zone)),
        since: period.zip(hours).and_then(|((first, _), hours)| since(first, hours, zone)),
        last_day: hours.zip(failed).and_then(|(hours, failed)| hours.last_day(failed)),
        place: lines.and_then(|lines| main_place(lines, &places, key.direction, tally)),
        places: places.len() as u64,
        advice: advice.map(|(line, _)| (*line).to_owned()),
        recipient: lines.and_then(|lines| Some(lines.recipient.as_ref()?.1.clone())),
        examples: lines.map(|lines| first_lines(lines, options.examples)).unwrap_or_default(),
    }
}

/// The first lines of a row, in the order of the logs.
fn first_lines(lines: &FaultLines, count: usize) -> Vec<String> {
    let mut all: Vec<&(LineOffset, String)> = lines.examples.iter().collect();
    all.sort();
    all.into_iter().take(count).map(|(_, line)| line.clone()).collect()
}

/// The first minute, if at least a tenth of the log and ten minutes lie before it.
fn since(first: i64, hours: TrendHours, zone: &jiff::tz::TimeZone) -> Option<String> {
    let before = first - hours.start_minute;
    (before >= 10 && before * 10 >= hours.end_minute - hours.start_minute)
        .then(|| minute_rfc3339(first, zone))?
}

/// The provider, else the domain or client, with the largest share of the attempts.
fn main_place(
    lines: &FaultLines,
    places: &[(Symbol, u64)],
    direction: Direction,
    tally: &FinishedTally,
) -> Option<MainPlace> {
    let percent = |count: u64| (count * 100).checked_div(lines.attempts).unwrap_or(0);
    let &(first, most) = places.iter().max_by_key(|&&(place, count)| (count, Reverse(name(tally, place))))?;
    let named = MainPlace {
        kind: if direction == Direction::Inbound { PlaceKind::Client } else { PlaceKind::Domain },
        name: text(name(tally, first)),
        percent: percent(most),
    };
    let provider = lines.providers.iter().max_by_key(|&(name, &count)| (count, Reverse(name)));
    let provider = provider.filter(|_| direction != Direction::Inbound).map(|(name, &count)| MainPlace {
        kind: PlaceKind::Provider,
        name: name.clone(),
        percent: percent(count),
    });
    // A domain of its own says more than the provider that runs it.
    let place = match provider {
        Some(provider) if provider.percent > named.percent => provider,
        _ => named,
    };
    let is_much = place.kind == PlaceKind::Provider || lines.attempts >= ATTEMPTS_FOR_PLACE;
    let least = if is_much { MAIN_PLACE } else { 50 };
    let is_named = places.len() == 1 || place.percent >= least && (is_much || places.len() < 3);
    is_named.then_some(place)
}

fn axis(hours: TrendHours, options: &ReportOptions) -> Option<TrendAxis> {
    let start = Timestamp::from_second(hours.first * 3600).ok()?.to_zoned(options.read.calendar.zone.clone());
    Some(TrendAxis { start, hours: hours.length.cast_unsigned(), parts: hours.parts.cast_unsigned() })
}

/// The messages of one direction.
pub(crate) fn flow(counts: &FlowTotals) -> DirectionTotals {
    let &FlowTotals { delivered, delayed, bounced, expired, discarded, deferred, held, untried } = counts;
    DirectionTotals {
        messages: delivered + bounced + expired + discarded + deferred + held + untried,
        delivered,
        delayed,
        bounced,
        expired,
        discarded,
        waiting: deferred,
        held,
        untried,
    }
}
