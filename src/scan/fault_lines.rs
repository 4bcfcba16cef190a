//! Joins the lines of a row of failed messages: its replies, places, advice and examples.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::options::ReportOptions;
use super::rows::{name, situation, text};
use crate::catalog::{Fate, Situation, find_advice};
use crate::collections::counter::SymbolCounts;
use crate::collections::interner::Symbol;
use crate::parse::header::LogLine;
use crate::parse::log_text::LogText;
use crate::parse::mta::{self, parsed::ParsedLine};
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::LineOffset;
use crate::report::{CodeCount, MainPlace, NameCount, PlaceKind};
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::{Code, EnhancedCode};
use crate::tally::{FinishedTally, TallyCount, TallyKey};

/// Number of codes in a row.
const CODES: usize = 8;

/// Number of domains or clients in a row.
const WHERE: usize = 5;

/// Most places of a row that are compared. The sum of more is not worth the time.
const PLACES: usize = 100_000;

/// A domain that no provider runs is named only if the row has at least this number of attempts.
const ATTEMPTS_FOR_PLACE: u64 = 20;

/// A place is named if it has at least this share of the attempts, in percent.
const MAIN_PLACE: u64 = 20;

/// What the lines of a row have in common.
#[derive(Default)]
pub(super) struct FaultLines {
    pub(super) attempts: u64,
    codes: BTreeMap<(Option<Code>, Option<EnhancedCode>), u64>,
    providers: BTreeMap<String, u64>,
    places: SymbolCounts,
    pub(super) advice: BTreeMap<&'static str, u64>,
    /// What to do about messages that expired after these lines.
    pub(super) expiry_advice: BTreeMap<&'static str, u64>,
    pub(super) period: Option<(LogTime, LogTime)>,
    /// The recipient that the latest line with one names.
    pub(super) recipient: Option<(LineOffset, String)>,
    /// The latest lines of each kind of reply, in arbitrary order.
    pub(super) examples: Vec<(LineOffset, String)>,
}

impl FaultLines {
    pub(super) fn add(&mut self, key: &TallyKey, count: &TallyCount, options: &ReportOptions) {
        self.attempts += count.attempts;
        *self.codes.entry((key.kind.code, key.kind.enhanced)).or_default() += count.attempts;
        if let Some(row) = key.provider.and_then(|provider| options.providers.row(provider)) {
            *self.providers.entry(row.id.clone()).or_default() += count.attempts;
        }
        self.places.merge(count.places.first(PLACES), |place| place);
        if let Some(line) = advice(key, options, key.kind.outcome) {
            *self.advice.entry(line).or_default() += count.attempts;
        }
        if key.kind.outcome == Outcome::Deferred
            && let Some(line) = advice(key, options, Outcome::Expired)
        {
            *self.expiry_advice.entry(line).or_default() += count.attempts;
        }
        for at in [count.first, count.last].into_iter().flatten() {
            let (first, last) = self.period.unwrap_or((at, at));
            self.period = Some((first.min(at), last.max(at)));
        }
        let lines = count.examples.lines.iter().rev().take(options.examples);
        self.examples.extend(lines.map(|(place, line)| (*place, LogText::string(line))));
        // The rows come in arbitrary order. A line before the known one is not parsed.
        let known = self.recipient.as_ref().map(|(place, _)| *place);
        let lines = count.examples.lines.iter().rev();
        let mut latest = lines.take_while(|(place, _)| known.is_none_or(|known| *place >= known));
        let found = latest.find_map(|(place, line)| Some((*place, recipient(line)?)));
        self.recipient = self.recipient.take().into_iter().chain(found).max();
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.attempts += other.attempts;
        other.codes.into_iter().for_each(|(code, count)| *self.codes.entry(code).or_default() += count);
        other
            .providers
            .into_iter()
            .for_each(|(name, count)| *self.providers.entry(name).or_default() += count);
        self.places.merge(other.places, |place| place);
        for (mine, theirs) in
            [(&mut self.advice, other.advice), (&mut self.expiry_advice, other.expiry_advice)]
        {
            for (line, count) in theirs {
                *mine.entry(line).or_default() += count;
            }
        }
        if let Some((first, last)) = other.period {
            let (from, to) = self.period.unwrap_or((first, last));
            self.period = Some((from.min(first), to.max(last)));
        }
        self.examples.extend(other.examples);
        self.recipient = self.recipient.take().into_iter().chain(other.recipient).max();
    }

    /// The most frequent replies, and the number of different ones.
    pub(super) fn top_codes(&self) -> (Vec<CodeCount>, u64) {
        let mut codes: Vec<CodeCount> = self
            .codes
            .iter()
            .map(|(&(code, enhanced), &attempts)| CodeCount { code, enhanced, attempts })
            .collect();
        codes.sort_by_key(|code| Reverse(code.attempts));
        let count = codes.len() as u64;
        codes.truncate(CODES);
        (codes, count)
    }

    /// The attempts at the provider that has most of them; 0: none was at a provider that the catalog knows.
    pub(super) fn largest_provider(&self) -> u64 {
        self.providers.values().copied().max().unwrap_or(0)
    }

    /// The domains or clients, each once.
    pub(super) fn places(&self) -> Vec<(Symbol, u64)> {
        self.places.clone().finish()
    }

    /// The domains or clients with the most attempts. There may be many: only the names of those that could be among the first
    /// ones are compared.
    pub(super) fn top_places(places: &[(Symbol, u64)], tally: &FinishedTally) -> Vec<NameCount> {
        let mut top: Vec<(u64, &[u8])> = Vec::with_capacity(WHERE + 1);
        for &(place, attempts) in places {
            if top.len() == WHERE && top.last().is_some_and(|(least, _)| attempts < *least) {
                continue;
            }
            let name = name(tally, place);
            let at =
                top.partition_point(|(count, other)| (Reverse(*count), *other) < (Reverse(attempts), name));
            top.insert(at, (attempts, name));
            top.truncate(WHERE);
        }
        top.into_iter().map(|(attempts, name)| NameCount { name: text(name), attempts }).collect()
    }
}

/// What to do about the events of a row of the tally, or of another row with this outcome. None: nothing, or it is not wanted.
pub(super) fn advice(key: &TallyKey, options: &ReportOptions, outcome: Outcome) -> Option<&'static str> {
    if !options.with_advice {
        return None;
    }
    let found = situation(key, options.providers)?;
    let fate = Fate::of(key.kind.direction, key.kind.class, Some(outcome), key.retry);
    let found = Situation { fate, ..found };
    let line = find_advice(&found)?.row().line_for_mta(key.mta, fate);
    (!line.is_empty()).then_some(line)
}

/// The recipient that a line names.
pub(super) fn recipient(raw: &[u8]) -> Option<String> {
    let line = LogLine::read(raw);
    let ParsedLine::Event(event) = mta::read(&line) else { return None };
    let recipient = event.recipient.filter(|recipient| recipient.contains(&b'@'))?;
    Some(LogText::string(recipient))
}

/// The latest of some lines, in the order of the logs.
pub(super) fn latest(mut lines: Vec<(LineOffset, String)>, count: usize) -> Vec<String> {
    lines.sort();
    lines.dedup_by_key(|(place, _)| *place);
    lines.drain(..lines.len().saturating_sub(count));
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The provider, else the domain or client, with the largest share of the attempts.
pub(super) fn main_place(
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
