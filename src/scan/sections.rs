//! Builds the sections of a report: failed messages by who must act, one row for each reason and cause.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::failing_domains::top_senders;
use super::fault_lines::{FaultLines, latest, main_place};
use super::options::ReportOptions;
use super::own_network::DeadHours;
use super::trend::TrendHours;
use crate::catalog::{self, Action, Cause, Reason};
use crate::messages::MessageSummary;
use crate::messages::failure::{FailedMessages, FailureKind, FlowTotals};
use crate::messages::failure_tables::SenderCounts;
use crate::report::time::minute_rfc3339;
use crate::report::{ActionSection, DirectionTotals, FaultRow, FaultTotals, ReportExtent, SortBy, TrendAxis};
use crate::smtp::event::{Direction, Outcome};
use crate::tally::{FinishedTally, TallyCount, TallyKey};

/// From this share of all failed messages, in percent, a cause has a row of its own.
const LARGE_CAUSE: u64 = 5;

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
    let mut joined = blame_own_network(&mut failed, &mut lines, (tally, options));
    joined.extend(merge_small_causes(&mut failed, &mut lines, &rejected));
    let senders = senders(messages, joined);
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
        let own = lines.get(&key);
        let of_lines = own.or_else(|| lines.get(lines.keys().find(near)?));
        let mut row = fault(key, totals, failed.get(&key), of_lines, hours, tally, options);
        if own.is_none() && totals.expired > 0 {
            row.advice = of_lines.and_then(|lines| most_frequent(&lines.expiry_advice));
        }
        row.senders = senders.get(&key).map(|senders| top_senders(senders, messages)).unwrap_or_default();
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
    BuiltSections { sections, trend: hours.and_then(|hours| hours.axis(&options.read.calendar.zone)) }
}

/// Where this server reaches nobody, waiting does not help, and no other server is to blame: such rows are for its administrator
/// to fix. Returns which row became part of which.
fn blame_own_network(
    failed: &mut BTreeMap<FaultKey, FailedMessages>,
    lines: &mut BTreeMap<FaultKey, FaultLines>,
    (tally, options): (&FinishedTally, &ReportOptions),
) -> Vec<(FaultKey, FaultKey)> {
    let is_network = |key: &FaultKey| {
        let is_out = key.direction == Direction::Outbound && key.reason.is_network();
        is_out && matches!(key.action, Action::JustWait | Action::AskOrChange)
    };
    let rows = failed.iter().filter(|(key, _)| is_network(key));
    let dead = DeadHours::new(rows.map(|(_, count)| count), tally, options);
    let keys: Vec<FaultKey> = failed.keys().filter(|key| is_network(key)).copied().collect();
    let mut moved = Vec::new();
    for key in keys {
        // Lost messages have the lines of those that waited.
        let near = FaultKey { action: Action::JustWait, ..key };
        let of_lines = lines.get(&key).or_else(|| lines.get(&near));
        let is_ours =
            failed.get(&key).zip(of_lines).is_some_and(|(failed, lines)| dead.explain(failed, lines));
        if is_ours {
            moved.push((key, FaultKey { action: Action::FixHere, ..key }));
        }
    }
    join(failed, lines, &moved);
    moved
}

/// Makes rows part of others.
fn join(
    failed: &mut BTreeMap<FaultKey, FailedMessages>,
    lines: &mut BTreeMap<FaultKey, FaultLines>,
    moved: &[(FaultKey, FaultKey)],
) {
    for (key, joined) in moved {
        if let Some(count) = failed.remove(key) {
            failed.entry(*joined).or_default().merge(&count);
        }
        if let Some(of_cause) = lines.remove(key) {
            lines.entry(*joined).or_default().merge(of_cause);
        }
    }
}

/// Joins the causes of a reason that have few messages each: one row for "TLS failed" says more than five with one message.
/// A cause that is alone, or has a large share of all failed messages, keeps its row. Returns which row became part of which.
fn merge_small_causes(
    failed: &mut BTreeMap<FaultKey, FailedMessages>,
    lines: &mut BTreeMap<FaultKey, FaultLines>,
    rejected: &BTreeMap<FaultKey, u64>,
) -> Vec<(FaultKey, FaultKey)> {
    let mut merged = Vec::new();
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
        merged.extend(keys.into_iter().filter(|key| *key != joined).map(|key| (key, joined)));
    }
    join(failed, lines, &merged);
    merged
}

/// The senders of the messages of each row. `merged` says which row became part of which.
fn senders(messages: &MessageSummary, merged: Vec<(FaultKey, FaultKey)>) -> BTreeMap<FaultKey, SenderCounts> {
    let mut senders: BTreeMap<FaultKey, SenderCounts> = BTreeMap::new();
    for (action, kind, counts) in messages.details.kinds() {
        let FailureKind { direction, reason, cause, .. } = kind;
        let all = senders.entry(FaultKey { action, direction, reason, cause }).or_default();
        for (sender, count) in counts {
            *all.entry(*sender).or_default() += count;
        }
    }
    for (from, into) in merged {
        for (sender, count) in senders.remove(&from).into_iter().flatten() {
            *senders.entry(into).or_default().entry(sender).or_default() += count;
        }
    }
    senders
}

fn totals(failed: &FailedMessages) -> FaultTotals {
    let &FailedMessages { waiting, held, delayed, bounced, expired, .. } = failed;
    FaultTotals { waiting, held, delayed, bounced, expired, rejected: 0 }
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

fn most_frequent(advice: &BTreeMap<&'static str, u64>) -> Option<String> {
    advice.iter().max_by_key(|(line, count)| (**count, Reverse(*line))).map(|(line, _)| (*line).to_owned())
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
    let places = lines.map(FaultLines::places).unwrap_or_default();
    let (codes, code_count) = lines.map(FaultLines::top_codes).unwrap_or_default();
    let trend = hours.zip(failed).map(|(hours, failed)| hours.trend(&failed.hours)).unwrap_or_default();
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
        since: period.zip(hours).and_then(|((first, _), hours)| {
            let first = failed.map_or(first, |failed| bulk_start(first, &failed.hours));
            hours.since(first, zone)
        }),
        last_day: hours.zip(failed).and_then(|(hours, failed)| hours.last_day(&failed.hours)),
        place: lines.and_then(|lines| main_place(lines, &places, key.direction, tally)),
        places: places.len() as u64,
        wheres: match options.extent {
            ReportExtent::FirstScreen => Vec::new(),
            ReportExtent::Whole => FaultLines::top_places(&places, tally),
        },
        senders: Vec::new(),
        advice: lines.and_then(|lines| most_frequent(&lines.advice)),
        recipient: lines.and_then(|lines| Some(lines.recipient.as_ref()?.1.clone())),
        examples: lines.map(|lines| latest(lines.examples.clone(), options.examples)).unwrap_or_default(),
    }
}

/// The minute when a fault began: its first minute, or, if there is up to a twentieth of its messages before, the first hour after
/// these. A stray message of an earlier day is not the beginning of an outage.
fn bulk_start(first: i64, by_hour: &BTreeMap<i64, u64>) -> i64 {
    let all: u64 = by_hour.values().sum();
    let mut seen = 0;
    let bulk = by_hour.iter().find(|(_, count)| {
        seen += *count;
        seen * 20 > all
    });
    bulk.map_or(first, |(hour, _)| first.max(hour * 60))
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
