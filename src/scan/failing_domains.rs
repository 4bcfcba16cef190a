//! Tells why deliveries to the domains with the most failures failed, since when and for whom.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::fault_lines::{advice, latest, recipient};
use super::options::ReportOptions;
use super::trend::TrendHours;
use crate::catalog::{self, Cause, Reason};
use crate::collections::interner::Symbol;
use crate::messages::MessageSummary;
use crate::messages::failure_tables::SenderCounts;
use crate::messages::key::domain_hash;
use crate::parse::log_text::LogText;
use crate::pipeline::sink::LineOffset;
use crate::report::{CodeCount, DomainFault, FailingDomain, NameRow, SenderCount};
use crate::smtp::event::{By, Direction, Outcome};
use crate::smtp::reply::{Code, EnhancedCode};
use crate::tally::group_by::GroupBy;
use crate::tally::{FinishedTally, TallyCount, TallyKey};

/// Number of domains.
const DOMAINS: usize = 20;

/// Number of reasons and of codes of a domain.
const SHOWN: usize = 8;

/// Number of senders of a row or a domain.
const SENDERS: usize = 5;

/// What the lines about one domain say.
#[derive(Default)]
struct DomainLines {
    faults: BTreeMap<(Direction, Reason, Option<Cause>), DomainReason>,
    codes: BTreeMap<(Option<Code>, Option<EnhancedCode>), u64>,
    examples: Vec<(LineOffset, String)>,
}

#[derive(Default)]
struct DomainReason {
    attempts: u64,
    advice: BTreeMap<&'static str, u64>,
}

/// `domains` are the rows of the table of domains, those with most failures first.
pub(super) fn failing_domains(
    tally: &FinishedTally,
    counts: &[(TallyKey, TallyCount)],
    messages: &MessageSummary,
    domains: &[NameRow],
    options: &ReportOptions,
) -> Vec<FailingDomain> {
    let failing = domains.iter().filter(|row| row.failures() > 0).take(DOMAINS);
    let mut named: Vec<(&str, Option<Symbol>, DomainLines)> = failing
        .map(|row| (row.name.as_str(), tally.names.find(row.name.as_bytes()), DomainLines::default()))
        .collect();
    for (key, count) in counts.iter().filter(|(key, _)| is_failure(key)) {
        let mut line = None;
        for (_, symbol, lines) in &mut named {
            let attempts = symbol.map_or(0, |symbol| count.places.count_of(symbol));
            if attempts > 0 {
                let line = *line.get_or_insert_with(|| advice(key, options, key.kind.outcome));
                lines.add(key, attempts, line);
            }
        }
        if options.examples > 0 {
            examples(count, &mut named);
        }
    }
    let hours = options.read.coverage.minutes.map(TrendHours::new);
    let made = named.into_iter().map(|(name, _, lines)| {
        let failed = messages.details.domain(name.as_bytes());
        FailingDomain {
            name: name.to_owned(),
            trend: hours.zip(failed).map(|(hours, failed)| hours.trend(&failed.hours)).unwrap_or_default(),
            faults: lines.faults(),
            codes: lines.codes(),
            senders: failed.map(|failed| top_senders(&failed.senders, messages)).unwrap_or_default(),
            examples: latest(lines.examples, options.examples),
        }
    });
    made.collect()
}

fn is_failure(key: &TallyKey) -> bool {
    match key.kind.outcome {
        Outcome::Deferred | Outcome::Bounced | Outcome::Expired => key.kind.direction != Direction::Inbound,
        Outcome::Rejected
        | Outcome::Delivered
        | Outcome::Attempt
        | Outcome::Probe
        | Outcome::Warned
        | Outcome::Held
        | Outcome::Discarded => false,
    }
}

/// Gives each line that is kept to the domain of its recipient.
fn examples(count: &TallyCount, named: &mut [(&str, Option<Symbol>, DomainLines)]) {
    for (place, raw) in &count.examples.lines {
        let Some(recipient) = recipient(raw) else { continue };
        let Some((_, domain)) = recipient.rsplit_once('@') else { continue };
        if let Some((.., lines)) = named.iter_mut().find(|(name, ..)| name.eq_ignore_ascii_case(domain)) {
            lines.examples.push((*place, LogText::string(raw)));
        }
    }
}

/// The senders with the most messages, each at least a fiftieth of them: fewer tell nothing. Names that no line spells out are
/// left out.
pub(super) fn top_senders(senders: &SenderCounts, messages: &MessageSummary) -> Vec<SenderCount> {
    let known = &messages.names.senders;
    let least = senders.values().sum::<u64>().div_ceil(50);
    let large = senders.iter().filter(|(_, count)| **count >= least);
    let named = large.filter_map(|(&hash, &count)| Some((known.name_of(hash)?, count)));
    let mut named: Vec<(&[u8], u64)> = named.filter(|(name, _)| !name.is_empty()).collect();
    named.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    named.truncate(SENDERS);
    named.into_iter().map(|(name, messages)| SenderCount { name: LogText::string(name), messages }).collect()
}

/// Counts the lines that say only that a message expired for the domain of its recipient, which earlier lines name.
pub(super) fn name_expiries(tally: &mut FinishedTally, expired: &BTreeMap<u64, u64>) {
    if expired.is_empty() {
        return;
    }
    for (symbol, counts) in &mut tally.domains {
        let hash = domain_hash(tally.names.name(*symbol));
        counts[Outcome::Expired] += expired.get(&hash).copied().unwrap_or_default();
    }
    if let Some(groups) = tally.groups.as_mut().filter(|groups| groups.by == [By::Domain]) {
        name_group_expiries(groups, expired);
    }
}

/// The same for the groups of `--by domain`.
fn name_group_expiries(groups: &mut GroupBy, expired: &BTreeMap<u64, u64>) {
    let GroupBy { groups, names, .. } = groups;
    let mut sum = 0;
    for (key, group) in groups.iter_mut() {
        let at = key.first().and_then(|part| usize::try_from(part.checked_sub(1)?).ok());
        let Some(symbol) = at.and_then(|at| names.symbol_at(at)) else { continue };
        let count = expired.get(&domain_hash(names.name(symbol))).copied().unwrap_or_default();
        group.outcomes[Outcome::Expired] += count;
        sum += count;
    }
    // The group of events whose lines name no domain.
    let unnamed = vec![0];
    if let Some(group) = groups.get_mut(&unnamed) {
        let left = group.outcomes[Outcome::Expired].saturating_sub(sum);
        group.outcomes[Outcome::Expired] = left;
        if group.outcomes.sum() == 0 {
            groups.remove(&unnamed);
        }
    }
}

impl DomainLines {
    fn add(&mut self, key: &TallyKey, attempts: u64, advice: Option<&'static str>) {
        let kind = key.kind;
        let reason = kind.reason.unwrap_or(Reason::Unknown);
        let fault = self.faults.entry((kind.direction, reason, key.cause)).or_default();
        fault.attempts += attempts;
        if let Some(line) = advice {
            *fault.advice.entry(line).or_default() += attempts;
        }
        *self.codes.entry((kind.code, kind.enhanced)).or_default() += attempts;
    }

    fn faults(&self) -> Vec<DomainFault> {
        let faults = self.faults.iter().map(|(&(direction, reason, cause), lines)| {
            let advice = lines.advice.iter().max_by_key(|(line, count)| (**count, Reverse(*line)));
            let reason_row = catalog::reason_row(reason);
            let title = cause.map_or(&reason_row.title, |cause| &catalog::cause_row(cause).title).clone();
            let (attempts, advice) = (lines.attempts, advice.map(|(line, _)| (*line).to_owned()));
            DomainFault { direction, reason, cause, title, attempts, advice }
        });
        let mut faults: Vec<DomainFault> = faults.collect();
        faults.sort_by_key(|fault| Reverse(fault.attempts));
        faults.truncate(SHOWN);
        faults
    }

    fn codes(&self) -> Vec<CodeCount> {
        let codes = self.codes.iter();
        let codes = codes.map(|(&(code, enhanced), &attempts)| CodeCount { code, enhanced, attempts });
        let mut codes: Vec<CodeCount> = codes.collect();
        codes.sort_by_key(|code| Reverse(code.attempts));
        codes.truncate(SHOWN);
        codes
    }
}
