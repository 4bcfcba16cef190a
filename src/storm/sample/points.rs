//! Turns the sample into weighted points in time, which stand for all events.

use std::cmp::Reverse;

use clap::ValueEnum;
use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};

use super::merge::{Sample, SampleKind, Samples};
use super::series::CountSeries;
use crate::catalog::classify::Reason;
use crate::catalog::provider::{Provider, Providers};
use crate::catalog::value_name;
use crate::collections::interner::Symbol;
use crate::parse::log_text::LogText;
use crate::report::storm::Dimension;
use crate::smtp::event::{Direction, Stage};
use crate::smtp::reply::{Code, EnhancedCode};

/// Whose failure: that of mail we send or deliver, or that of clients.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum MailFlow {
    Out,
    In,
}

/// An event of the sample, and how many events it stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WeightedEvent {
    pub sample: Sample,
    pub series: CountSeries,
    pub way: MailFlow,
    pub weight: f64,
    /// Whether it counts as a failure. Greylisting is none: it is there to be repeated.
    pub is_failure: bool,
    /// The same recipient of the same message failed for the same reason before: it tells nothing new. The log may begin
    /// with a full queue, so the first failure of a message that is older than the log is none.
    pub is_retry: bool,
}

/// The value of a point in one dimension. 0: none. Equal values mean the same thing.
pub(crate) type FactorValue = u64;

/// What the log itself tells of recipient domains: with whom their mail is, and which are served here.
struct DomainNames {
    providers: HashMap<Symbol, Provider, FixedState>,
    ours: HashSet<Symbol, FixedState>,
}

impl DomainNames {
    /// By most of the mail that went well, and for providers by any answer that names a server.
    fn learn(gathered: &Samples) -> Self {
        let mut counts: HashMap<(Symbol, Provider), u32, FixedState> = HashMap::default();
        let mut here: HashMap<Symbol, (u32, u32), FixedState> = HashMap::default();
        for sample in gathered.samples.iter().filter(|sample| sample.domain != Symbol::OVERFLOW) {
            let Some(series) = gathered.kinds.get(sample.kind as usize) else { continue };
            if series.direction == Direction::Inbound {
                continue;
            }
            if let Some(provider) = series.provider.or(sample.provider) {
                *counts.entry((sample.domain, provider)).or_default() += 1;
            }
            if series.is_served() {
                let (near, all) = here.entry(sample.domain).or_default();
                *near += u32::from(sample.is_near);
                *all += 1;
            }
        }
        let mut counts: Vec<((Symbol, Provider), u32)> = counts.into_iter().collect();
        counts.sort_unstable_by_key(|&((_, provider), count)| (Reverse(count), provider));
        let mut providers = HashMap::default();
        for ((domain, provider), _) in counts {
            providers.entry(domain).or_insert(provider);
        }
        let ours = here.into_iter().filter(|(_, (near, all))| near * 2 > *all).map(|(domain, _)| domain);
        Self { providers, ours: ours.collect() }
    }
}

/// In the order of time, and for one minute in an order that hangs on the events alone.
pub(crate) fn points(gathered: &Samples) -> Vec<WeightedEvent> {
    let domains = DomainNames::learn(gathered);
    let shows_arrivals = shows_arrivals(gathered);
    let mut points: Vec<WeightedEvent> = Vec::with_capacity(gathered.samples.len());
    let mut seen: HashSet<(u64, Symbol, Option<Reason>), FixedState> = HashSet::default();
    for cell in gathered.samples.chunk_by(|a, b| (a.minute, a.kind) == (b.minute, b.kind)) {
        let Some(first) = cell.first() else { continue };
        let Some(&series) = gathered.kinds.get(first.kind as usize) else { continue };
        let count = gathered.counts.get(&(first.minute, first.kind)).copied().unwrap_or_default();
        let weight = f64::from(count) / cell.len() as f64;
        let way = if series.direction == Direction::Inbound { MailFlow::In } else { MailFlow::Out };
        let is_failure = !series.is_served() && series.reason != Some(Reason::Greylisted);
        points.extend(cell.iter().map(|&sample| {
            let known = (sample.message, sample.recipient, series.reason);
            let mut series = series;
            let mut sample = sample;
            if way == MailFlow::Out {
                series.provider = series
                    .provider
                    .or(sample.provider)
                    .or_else(|| domains.providers.get(&sample.domain).copied());
                sample.is_near |= domains.ours.contains(&sample.domain);
            }
            let is_first = seen.insert(known) && !(shows_arrivals && sample.is_older);
            let is_retry = is_failure && sample.message != 0 && !is_first;
            WeightedEvent { sample, series, way, weight, is_failure, is_retry }
        }));
    }
    points
}

/// Whether the log tells how messages come: of most that went well it does. A part of a log may not, as one of smtp's
/// lines alone.
fn shows_arrivals(gathered: &Samples) -> bool {
    let is_served = |kind: SampleKind| gathered.kinds.get(kind as usize).is_some_and(CountSeries::is_served);
    let served = gathered.samples.iter().filter(|sample| sample.message != 0 && is_served(sample.kind));
    let (older, all) =
        served.fold((0, 0), |(older, all), sample| (older + u64::from(sample.is_older), all + 1));
    older * 2 < all
}

/// The reason that a value of [`Dimension::Reason`] stands for.
pub(crate) fn reason_of(value: FactorValue) -> Option<Reason> {
    let at = value.checked_sub(1)? as usize;
    Reason::value_variants().get(at).copied()
}

/// The word for it: where it is one of the book's, by the book.
pub(crate) fn shown(
    dimension: Dimension,
    value: FactorValue,
    gathered: &Samples,
    providers: &Providers,
) -> Option<String> {
    let at = value.checked_sub(1)? as usize;
    match dimension {
        Dimension::Provider => providers.all().nth(at).map(|(_, row)| row.id.clone()),
        Dimension::Reason => reason_of(value).map(value_name),
        Dimension::Direction => Direction::value_variants().get(at).map(|&direction| value_name(direction)),
        Dimension::Stage => Stage::value_variants().get(at).map(|&stage| value_name(stage)),
        Dimension::Code => {
            let code = Code::new((value >> 32) as u16).map(|code| code.number().to_string());
            let enhanced = EnhancedCode::unpacked(value & 0xffff_ffff).map(|code| code.to_string());
            let parts: Vec<String> = code.into_iter().chain(enhanced).collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        }
        Dimension::Domain
        | Dimension::Recipient
        | Dimension::Relay
        | Dimension::Instance
        | Dimension::Host
        | Dimension::Sender
        | Dimension::User
        | Dimension::Client => {
            let id = gathered.names.symbol_at(value as usize).filter(|&id| id != Symbol::OVERFLOW)?;
            Some(LogText(gathered.names.name(id)).into())
        }
    }
}

impl WeightedEvent {
    pub(crate) fn value(&self, dimension: Dimension) -> FactorValue {
        let name = |id: Symbol| id.index() as u64;
        let Self { sample, series, .. } = self;
        match dimension {
            Dimension::Provider => series.provider.map_or(0, |provider| provider.index() as u64 + 1),
            Dimension::Domain => name(sample.domain),
            Dimension::Recipient => name(sample.recipient),
            Dimension::Relay if self.way == MailFlow::Out => name(sample.peer),
            Dimension::Relay => 0,
            Dimension::Instance => name(sample.instance),
            Dimension::Host => name(sample.host),
            Dimension::Sender => name(sample.sender),
            Dimension::User => name(sample.user),
            Dimension::Client if self.way == MailFlow::In => name(sample.peer),
            Dimension::Client => name(sample.client),
            Dimension::Reason => series.reason.map_or(0, |reason| reason as u64 + 1),
            Dimension::Code => {
                let code = series.code.map_or(0, |code| u64::from(code.number()));
                code << 32 | series.enhanced.map_or(0, EnhancedCode::packed)
            }
            Dimension::Direction => series.direction as u64 + 1,
            Dimension::Stage => sample.stage.map_or(0, |stage| stage as u64 + 1),
        }
    }
}
