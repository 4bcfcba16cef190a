//! Builds the report of `scan` from a tally: joins rows, adds totals, names and advice.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use jiff::Timestamp;

use super::delays;
use super::groups::table;
use super::messages::messages;
use super::names::NameTables;
use super::notes::{ReadSummary, on_estimates, on_limits, on_messages, on_names, on_time};
use crate::catalog::classify::{Reason, Retry};
use crate::catalog::provider::{Provider, Providers};
use crate::catalog::{self, ReasonRow};
use crate::collections::interner::Symbol;
use crate::messages::MessageSummary;
use crate::parse::log_text::LogText;
use crate::parse::timestamp::LogTime;
use crate::pipeline::filter::Filter;
use crate::report::{
    Full, Hour, HourRefused, HourSent, Input, Messages, NameCount, Range, Refused, Report, Row, SCHEMA, Sent,
    SortBy, StageCount, Totals,
};
use crate::smtp::event::{Direction, Mta, Outcome, Stage};
use crate::smtp::reply::{Class, Code, EnhancedCode};
use crate::tally::{FinishedTally, Tally, TallyCount, TallyKey};

/// What a report is made of besides the tally.
pub(crate) struct ReportOptions<'a> {
    pub heard: ReadSummary<'a>,
    pub providers: &'a Providers,
    pub with_advice: bool,
    /// Everything that the book says about each reason, too.
    pub in_full: bool,
    pub filter: &'a Filter,
    /// What else is to be said.
    pub notes: Vec<String>,
    pub sort: SortBy,
    pub reverse: bool,
    /// How many lines are shown of each row.
    pub examples: usize,
}

/// How many hosts are named; all are counted.
const HOSTS_SHOWN: usize = 50;
const WHERES_SHOWN: usize = 3;

pub(crate) fn report(tally: Tally, ledger: &MessageSummary, frame: &ReportOptions) -> Report {
    let mut tally = tally.finish();
    let full_advice = if frame.in_full { full_advice(&tally) } else { Vec::new() };
    let messages = messages(ledger, frame.heard.coverage.minutes, catalog::reasons());
    let totals = totals(&tally, messages);
    let limits = on_limits(&tally);
    let joined = joined(std::mem::take(&mut tally.rows), frame.examples.max(1));
    let groups = tally.groups.take();
    let tally = &tally;
    let mut rows: Vec<(Option<LogTime>, Row)> =
        joined.into_iter().map(|(key, joint)| (joint.count.last, row(&key, joint, tally, frame))).collect();
    match frame.sort {
        SortBy::Count => rows.sort_by_key(|(_, row)| Reverse(row.attempts)),
        SortBy::Recent => rows.sort_by_key(|(last, _)| Reverse(*last)),
        SortBy::Name => {
            rows.sort_by(|(_, a), (_, b)| {
                (a.code, a.enhanced, &a.title).cmp(&(b.code, b.enhanced, &b.title))
            });
        }
    }
    if frame.reverse {
        rows.reverse();
    }
    let estimated = on_estimates(&rows.iter().map(|(_, row)| row.recipients_exact).collect::<Vec<_>>());
    let tables = NameTables::new(tally, ledger, &totals, frame.providers);
    let rests = tables.rests();
    let groups = groups.map(|groups| table(groups, frame.providers, frame.sort, frame.reverse));
    Report {
        schema: SCHEMA,
        range: range(&frame.heard),
        hosts: hosts(tally),
        input: input(&frame.heard, frame.filter),
        totals,
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        groups,
        rest: rests,
        senders: tables.senders.rows,
        users: tables.users.rows,
        clients: tables.clients.rows,
        domains: tables.domains.rows,
        providers: tables.providers.rows,
        relays: tables.relays.rows,
        instances: tables.instances.rows,
        delays: tally.delays.as_ref().map(|delays| delays::rows(delays, frame.providers)),
        timeline: timeline(tally, frame),
        full_advice,
        baseline: None,
        failed: None,
        storms: None,
        verdict: None,
        notes: [
            limits,
            on_names(&rests),
            estimated,
            on_messages(ledger),
            on_time(&frame.heard),
            frame.notes.clone(),
        ]
        .concat(),
    }
}

/// The full advice for each reason and side of the rows, the most frequent first; two where a 4xx and a 5xx want
/// different things.
fn full_advice(tally: &FinishedTally) -> Vec<Full> {
    let mut counts: BTreeMap<(Reason, Direction, Mta, Option<Class>), u64> = BTreeMap::new();
    for (key, count) in &tally.rows {
        if let (Some(reason), true) = (key.reason, is_shown(key.outcome)) {
            let class = key.class.filter(|_| catalog::is_softened(reason, key.direction, key.class));
            *counts.entry((reason, key.direction, key.mta, class)).or_default() += count.attempts;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let entry = |((reason, direction, mta, class), _)| {
        let advice = catalog::advice_for(reason, direction, class)?.for_mta(mta);
        let row = catalog::reason_row(reason);
        Some(Full {
            reason,
            title: row.title.clone(),
            side: match direction {
                Direction::Outbound => "they said it to us",
                Direction::Inbound => "we said it to a client",
                Direction::Local => "local",
            },
            meaning: row.meaning.clone(),
            line: advice.line,
            check: advice.check,
            act: advice.act,
            stop: advice.stop,
            sources: advice.sources,
        })
    };
    counts.into_iter().filter_map(entry).collect()
}

/// It has a row in the text.
fn is_shown(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Delivered | Outcome::Attempt | Outcome::Probe)
}

/// What makes a row of the report: less than what makes one of the tally. Rows with as many attempts stand in its order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct RowKey {
    direction: Direction,
    outcome: Outcome,
    code: Option<Code>,
    enhanced: Option<EnhancedCode>,
    reason: Option<Reason>,
    class: Option<Class>,
    retry: Option<Retry>,
}

#[derive(Default)]
struct RowBuilder {
    count: TallyCount,
    stages: BTreeMap<Stage, u64>,
    providers: BTreeMap<Provider, u64>,
    mtas: BTreeMap<Mta, u64>,
}

fn joined(counts: Vec<(TallyKey, TallyCount)>, examples: usize) -> BTreeMap<RowKey, RowBuilder> {
    let mut rows: BTreeMap<RowKey, RowBuilder> = BTreeMap::new();
    for (key, count) in counts {
        let TallyKey { direction, outcome, class, code, enhanced, reason, retry, .. } = key;
        let joint =
            rows.entry(RowKey { direction, outcome, code, enhanced, reason, class, retry }).or_default();
        if let Some(stage) = key.stage {
            *joint.stages.entry(stage).or_default() += count.attempts;
        }
        if let Some(provider) = key.provider {
            *joint.providers.entry(provider).or_default() += count.attempts;
        }
        *joint.mtas.entry(key.mta).or_default() += count.attempts;
        joint.count.merge(count, examples, |id| id);
    }
    rows
}

fn row(key: &RowKey, joint: RowBuilder, tally: &FinishedTally, frame: &ReportOptions) -> Row {
    let count = joint.count;
    let recipients = count.recipients.finish();
    let places = count.wheres.finish();
    let &RowKey { direction, outcome, class, code, enhanced, reason, retry } = key;
    let known = reason.map(catalog::reason_row);
    let retryable = retry.or_else(|| known.map(|row| row.retry(class)));
    let mta = joint.mtas.iter().max_by_key(|&(_, count)| count).map(|(&mta, _)| mta).unwrap_or_default();
    let advice = reason.filter(|_| frame.with_advice);
    let advice = advice.and_then(|reason| catalog::advice_line(reason, direction, class, Some(mta)));
    let providers = joint.providers.iter().map(|(&id, &attempts)| NameCount {
        name: frame.providers.row(id).map(|row| row.id.clone()).unwrap_or_default(),
        attempts,
    });
    let lines = count.examples.lines.iter().map(|(_, line)| String::from(LogText(line)));
    let lines: Vec<String> = lines.collect();
    Row {
        direction,
        outcome,
        code,
        enhanced,
        class,
        reason,
        title: title(key, known),
        retryable,
        conflict: conflict(outcome, class, reason, retryable, retry.is_some()),
        attempts: count.attempts,
        recipients: recipients.count,
        recipients_exact: recipients.is_exact,
        first: count.first.and_then(LogTime::rfc3339),
        last: count.last.and_then(LogTime::rfc3339),
        stages: joint.stages.iter().map(|(&stage, &attempts)| StageCount { stage, attempts }).collect(),
        providers: most(providers.collect(), WHERES_SHOWN),
        wheres: wheres(tally, &places),
        where_count: places.len() as u64,
        advice,
        example: lines.first().cloned(),
        examples: lines.into_iter().take(frame.examples).collect(),
        change: None,
    }
}

/// The reason's title; where the reason is not known, the code's.
fn title(key: &RowKey, known: Option<&ReasonRow>) -> String {
    let code = || key.code.and_then(catalog::find_code).map(|row| row.name.to_lowercase());
    match (known, key.outcome) {
        (None, Outcome::Delivered) => "delivered".to_owned(),
        (None, _) => code().unwrap_or_else(|| "no reason given".to_owned()),
        (Some(row), _) if row.id == Reason::Unknown => code().unwrap_or_else(|| row.title.clone()),
        (Some(row), _) => row.title.clone(),
    }
}

/// Where the number alone would mislead.
fn conflict(
    outcome: Outcome,
    class: Option<Class>,
    reason: Option<Reason>,
    retryable: Option<Retry>,
    by_words: bool,
) -> Option<&'static str> {
    let later = matches!(retryable, Some(Retry::Retry | Retry::SlowDown | Retry::Wait));
    let contested = reason.is_some_and(Reason::is_contested);
    match (class, outcome) {
        (Some(Class::Permanent), Outcome::Deferred) => Some("5xx, but kept in the queue"),
        (Some(Class::Transient), Outcome::Bounced) => Some("4xx, but given up"),
        (Some(Class::Permanent), _) if later || contested => Some("5xx, but retryable"),
        (Some(Class::Transient), _)
            if matches!(retryable, Some(Retry::Suppress | Retry::ChangeMessage))
                || by_words && retryable == Some(Retry::Ask) =>
        {
            Some("4xx, but a retry will not help")
        }
        _ => None,
    }
}

fn most(mut counts: Vec<NameCount>, shown: usize) -> Vec<NameCount> {
    counts.sort_by(|a, b| b.attempts.cmp(&a.attempts).then_with(|| a.name.cmp(&b.name)));
    counts.truncate(shown);
    counts
}

/// Those with the most; names are made into text for these alone, since there may be many.
fn wheres(tally: &FinishedTally, places: &[(Symbol, u64)]) -> Vec<NameCount> {
    let all = places.iter().map(|&(id, attempts)| (name(tally, id), attempts));
    let mut all: Vec<(&[u8], u64)> = all.collect();
    let in_order = |a: &(&[u8], u64), b: &(&[u8], u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0));
    if all.len() > WHERES_SHOWN {
        all.select_nth_unstable_by(WHERES_SHOWN, in_order);
        all.truncate(WHERES_SHOWN);
    }
    all.sort_by(in_order);
    all.into_iter().map(|(name, attempts)| NameCount { name: LogText(name).into(), attempts }).collect()
}

fn name(tally: &FinishedTally, id: Symbol) -> &[u8] {
    if id == Symbol::OVERFLOW { b"(others)" } else { tally.names.name(id) }
}

fn totals(tally: &FinishedTally, messages: Messages) -> Totals {
    let mut totals = Totals {
        outbound: Sent::default(),
        local: Sent::default(),
        inbound: Refused::default(),
        host_attempts: 0,
        probes: 0,
        hops: tally.hops,
        messages,
    };
    for (key, count) in &tally.rows {
        let attempts = count.attempts;
        match (key.outcome, key.direction) {
            (Outcome::Attempt, _) => totals.host_attempts += attempts,
            (Outcome::Probe, _) => totals.probes += attempts,
            (_, Direction::Outbound) => totals.outbound.add(key, attempts),
            (_, Direction::Local) => totals.local.add(key, attempts),
            (_, Direction::Inbound) => totals.inbound.add(key, attempts),
        }
    }
    totals
}

impl Sent {
    fn add(&mut self, key: &TallyKey, attempts: u64) {
        match key.outcome {
            Outcome::Delivered => self.delivered += attempts,
            Outcome::Deferred => self.deferred += attempts,
            Outcome::Bounced => self.bounced += attempts,
            Outcome::Expired => self.expired += attempts,
            Outcome::Rejected
            | Outcome::Attempt
            | Outcome::Warned
            | Outcome::Held
            | Outcome::Discarded
            | Outcome::Probe => {
                self.discarded += attempts;
                return;
            }
        }
        self.attempts += attempts;
        match key.code.map(Code::class) {
            Some(Class::Positive) => self.positive += attempts,
            Some(Class::Intermediate) => self.intermediate += attempts,
            Some(Class::Transient) => self.transient += attempts,
            Some(Class::Permanent) => self.permanent += attempts,
            None => self.no_reply += attempts,
        }
    }
}

impl Refused {
    fn add(&mut self, key: &TallyKey, attempts: u64) {
        match key.outcome {
            Outcome::Warned => self.warned += attempts,
            Outcome::Held => self.held += attempts,
            Outcome::Discarded => self.discarded += attempts,
            Outcome::Rejected
            | Outcome::Delivered
            | Outcome::Deferred
            | Outcome::Bounced
            | Outcome::Expired
            | Outcome::Attempt
            | Outcome::Probe => {
                self.refused += attempts;
                match key.class {
                    Some(Class::Transient) => self.transient += attempts,
                    Some(Class::Permanent) => self.permanent += attempts,
                    Some(Class::Positive | Class::Intermediate) | None => self.unspecified += attempts,
                }
            }
        }
    }
}

/// What was read.
pub(crate) fn input(heard: &ReadSummary, filter: &Filter) -> Input {
    let coverage = heard.coverage;
    Input {
        files: heard.sources.iter().map(|source| source.path.to_string_lossy().into_owned()).collect(),
        bytes: coverage.bytes,
        lines: coverage.lines,
        mail: coverage.mail(),
        other: coverage.foreign,
        understood: coverage.event + coverage.routine,
        not_understood: coverage.unread,
        not_understood_lines: coverage.unread_lines.iter().map(|(_, line)| LogText(line).into()).collect(),
        filter: filter.words.clone(),
        filtered: coverage.filtered,
    }
}

/// None: no mail line has a stamp.
pub(crate) fn range(heard: &ReadSummary) -> Option<Range> {
    let (first, last) = heard.coverage.minutes?;
    let zoned =
        |minute: i64| Some(Timestamp::from_second(minute * 60).ok()?.to_zoned(heard.calendar.zone.clone()));
    Some(Range { first: zoned(first)?, last: zoned(last)? })
}

/// The hours that a calendar has, as the zone of the report shows them.
fn timeline(tally: &FinishedTally, frame: &ReportOptions) -> Vec<Hour> {
    let sent = |[delivered, deferred, bounced, expired]: [u64; 4]| HourSent {
        delivered,
        deferred,
        bounced,
        expired,
    };
    let hours = tally.timeline.hours.iter().filter_map(|(&hour, counts)| {
        let start = Timestamp::from_second(hour * 3600).ok()?.to_zoned(frame.heard.calendar.zone.clone());
        let [transient, permanent, unspecified] = counts.inbound;
        Some(Hour {
            start,
            outbound: sent(counts.outbound),
            local: sent(counts.local),
            inbound: HourRefused { transient, permanent, unspecified },
        })
    });
    hours.collect()
}

fn hosts(tally: &FinishedTally) -> Vec<String> {
    let counts = tally.hosts.iter();
    let counts = counts.map(|&(id, ref outcomes)| NameCount {
        name: LogText(name(tally, id)).into(),
        attempts: outcomes.sum(),
    });
    let named = counts.filter(|host| !host.name.is_empty()).collect();
    most(named, HOSTS_SHOWN).into_iter().map(|host| host.name).collect()
}

/// The seed that all threads of a run share.
pub fn seed() -> RandomState {
    RandomState::default()
}
