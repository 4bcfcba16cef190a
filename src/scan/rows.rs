//! Builds the rows of a report: merges the rows of the tally, and adds titles, advice and conflicts.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use super::options::ReportOptions;
use crate::catalog::classify::{Reason, Retry};
use crate::catalog::provider::{Provider, Providers};
use crate::catalog::tables::code_name;
use crate::catalog::{self, AdviceId, Cause, Fate, ReasonRow, Situation, find_advice};
use crate::collections::interner::Symbol;
use crate::parse::log_text::LogText;
use crate::parse::timestamp::LogTime;
use crate::report::{NameCount, Row, SortBy, StageCount};
use crate::smtp::event::{Mta, Outcome, Stage};
use crate::smtp::reply::Class;
use crate::tally::event_kind::EventKind;
use crate::tally::{FinishedTally, TallyCount, TallyKey};

/// Number of places that a row names.
const PLACES_SHOWN: usize = 3;

/// The rows of the report, in the requested order.
pub(crate) fn rows(
    counts: Vec<(TallyKey, TallyCount)>,
    tally: &FinishedTally,
    options: &ReportOptions,
) -> Vec<Row> {
    let merged = merge_rows(counts, options);
    let mut rows: Vec<(Option<LogTime>, Row)> = merged
        .into_iter()
        .map(|(key, builder)| (builder.count.last, row(&key, builder, tally, options)))
        .collect();
    match options.sort {
        SortBy::Count => rows.sort_by_key(|(_, row)| Reverse(row.attempts)),
        SortBy::Recent => rows.sort_by_key(|(last, _)| Reverse(*last)),
        SortBy::Name => {
            rows.sort_by(|(_, a), (_, b)| {
                (a.code, a.enhanced, &a.title).cmp(&(b.code, b.enhanced, &b.title))
            });
        }
    }
    if options.reverse {
        rows.reverse();
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The situation of the events of a tally row. `None`: they are no failures.
pub(crate) fn situation<'a>(key: &TallyKey, providers: &'a Providers) -> Option<Situation<'a>> {
    let kind = key.kind;
    let provider = key.provider.and_then(|provider| providers.row(provider));
    Some(Situation {
        reason: kind.reason?,
        cause: key.cause,
        direction: kind.direction,
        side: key.side,
        fate: Fate::of(kind.direction, kind.class, Some(kind.outcome), key.retry),
        provider: provider.map(|row| row.id.as_str()),
    })
}

/// The key of a report row. It has fewer fields than the key of a tally row. Rows with equal counts are sorted by this
/// key.
#[derive(Clone, Copy, PartialEq, Eq)]
struct RowKey {
    kind: EventKind,
    retry: Option<Retry>,
    cause: Option<Cause>,
    /// Rows with different advice are not merged.
    advice: Option<AdviceId>,
}

impl RowKey {
    /// The sort key: the code comes before the reason and the class.
    fn order(&self) -> impl Ord {
        let EventKind { direction, outcome, class, code, enhanced, reason } = self.kind;
        (direction, outcome, code, enhanced, reason, class, self.retry, self.cause, self.advice)
    }
}

impl PartialOrd for RowKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RowKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

#[derive(Default)]
struct RowBuilder {
    count: TallyCount,
    stages: BTreeMap<Stage, u64>,
    providers: BTreeMap<Provider, u64>,
    mtas: BTreeMap<Mta, u64>,
}

fn merge_rows(counts: Vec<(TallyKey, TallyCount)>, options: &ReportOptions) -> BTreeMap<RowKey, RowBuilder> {
    let examples = options.examples.max(1);
    let mut rows: BTreeMap<RowKey, RowBuilder> = BTreeMap::new();
    for (key, count) in counts {
        let advice = situation(&key, options.providers).and_then(|found| find_advice(&found));
        let row_key = RowKey { kind: key.kind, retry: key.retry, cause: key.cause, advice };
        let builder = rows.entry(row_key).or_default();
        let is_first = builder.mtas.is_empty();
        if let Some(stage) = key.stage {
            *builder.stages.entry(stage).or_default() += count.attempts;
        }
        if let Some(provider) = key.provider {
            *builder.providers.entry(provider).or_default() += count.attempts;
        }
        *builder.mtas.entry(key.mta).or_default() += count.attempts;
        if is_first {
            builder.count = count;
        } else {
            builder.count.merge(count, examples, |id| id);
        }
    }
    rows
}

fn row(key: &RowKey, builder: RowBuilder, tally: &FinishedTally, options: &ReportOptions) -> Row {
    let count = builder.count;
    let recipients = count.recipients.finish();
    let places = count.places.finish();
    let &RowKey { kind, retry, cause, advice } = key;
    let EventKind { direction, outcome, class, code, enhanced, reason } = kind;
    let reason_row = reason.map(catalog::reason_row);
    let retryable = retry.or_else(|| reason_row.map(|row| row.retry(class)));
    let mta = builder.mtas.iter().max_by_key(|&(_, count)| count).map(|(&mta, _)| mta).unwrap_or_default();
    let fate = Fate::of(direction, class, Some(outcome), retry);
    let advice = advice.filter(|_| options.with_advice).map(|id| id.row().line_for_mta(mta, fate));
    let providers = builder.providers.iter().map(|(&id, &attempts)| NameCount {
        name: options.providers.row(id).map(|row| row.id.clone()).unwrap_or_default(),
        attempts,
    });
    let lines = count.examples.lines.iter().map(|(_, line)| LogText::string(line));
    let lines: Vec<String> = lines.collect();
    Row {
        direction,
        outcome,
        code,
        enhanced,
        class,
        reason,
        cause,
        title: title(kind, cause, reason_row),
        retryable,
        conflict: conflict(outcome, class, reason, retryable, retry.is_some()),
        attempts: count.attempts,
        recipients: recipients.count,
        recipients_exact: recipients.is_exact,
        first: count.first.and_then(LogTime::rfc3339),
        last: count.last.and_then(LogTime::rfc3339),
        stages: builder.stages.iter().map(|(&stage, &attempts)| StageCount { stage, attempts }).collect(),
        providers: top_names(providers.collect(), PLACES_SHOWN),
        wheres: top_places(tally, &places),
        where_count: places.len() as u64,
        advice: advice.filter(|line| !line.is_empty()).map(str::to_owned),
        example: lines.last().cloned(),
        examples: lines.into_iter().rev().take(options.examples).rev().collect(),
        change: None,
    }
}

/// The title of the cause, else of the reason; for an unknown reason, the name of the code.
fn title(kind: EventKind, cause: Option<Cause>, reason_row: Option<&ReasonRow>) -> String {
    if let Some(cause) = cause {
        return catalog::cause_row(cause).title.clone();
    }
    let code = || kind.code.and_then(code_name).map(str::to_lowercase);
    match (reason_row, kind.outcome) {
        (None, Outcome::Delivered) => "delivered".to_owned(),
        (None, _) => code().unwrap_or_else(|| "no reason given".to_owned()),
        (Some(row), _) if row.id == Reason::Unknown => code().unwrap_or_else(|| row.title.clone()),
        (Some(row), _) => row.title.clone(),
    }
}

/// Explains why the code alone would mislead. None: it does not mislead.
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

pub(crate) fn top_names(mut counts: Vec<NameCount>, shown: usize) -> Vec<NameCount> {
    counts.sort_by(|a, b| b.attempts.cmp(&a.attempts).then_with(|| a.name.cmp(&b.name)));
    counts.truncate(shown);
    counts
}

/// The places with the most events. Only these are converted to text, since there may be many.
fn top_places(tally: &FinishedTally, places: &[(Symbol, u64)]) -> Vec<NameCount> {
    let all = places.iter().map(|&(id, attempts)| (name(tally, id), attempts));
    let mut all: Vec<(&[u8], u64)> = all.collect();
    let in_order = |a: &(&[u8], u64), b: &(&[u8], u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0));
    if all.len() > PLACES_SHOWN {
        all.select_nth_unstable_by(PLACES_SHOWN, in_order);
        all.truncate(PLACES_SHOWN);
    }
    all.sort_by(in_order);
    all.into_iter().map(|(name, attempts)| NameCount { name: text(name), attempts }).collect()
}

pub(crate) fn name(tally: &FinishedTally, id: Symbol) -> &[u8] {
    if id == Symbol::OVERFLOW { b"(others)" } else { tally.names.name(id) }
}

pub(crate) fn text(name: &[u8]) -> String {
    LogText::string(name)
}
