//! Turns the sample into weighted points in time, which stand for all events of the log.

use std::cmp::Reverse;

use clap::ValueEnum;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::samples::{Sample, Samples};
use crate::catalog::ReasonKin;
use crate::catalog::classify::Reason;
use crate::catalog::provider::{Provider, Providers};
use crate::catalog::value_name;
use crate::collections::interner::{Interner, Symbol};
use crate::parse::log_text::LogText;
use crate::report::storm::Dimension;
use crate::smtp::event::{Direction, Stage};
use crate::smtp::reply::{Code, EnhancedCode};

/// The direction of the mail as storms see it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum MailFlow {
    /// Mail that this server sends or delivers.
    Out,
    /// Mail that clients hand to this server.
    In,
}

/// An event of the sample, and how many events it stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WeightedEvent {
    /// Its names are numbers of a [`NumberedNames`].
    pub sample: Sample,
    /// Its provider, or that of other mail for the domain.
    pub provider: Option<Provider>,
    pub flow: MailFlow,
    /// The number of events that it stands for.
    pub weight: f64,
    /// Whether it counts as a failure. Greylisting does not: the client is meant to try again.
    pub is_failure: bool,
    /// The same recipient of the same message failed for the same reason before. Because a log may begin with a full
    /// queue, the first failure of a message that is older than the log is a retry too. So is a delivery after all that.
    pub is_retry: bool,
    /// It is evidence of a storm: the first failure of a recipient of a message, or a rejection that an administrator may have
    /// to act on. Strangers that are rejected as they should be are none.
    pub is_unit: bool,
    /// The cause that its reason shares with others. `None`: it has no reason, or one that tells nothing new.
    pub kin: Option<ReasonKin>,
}

/// The value of a point in one dimension, as a number; 0: it has none. Equal numbers are equal values.
pub(crate) type FactorValue = u64;

/// The names of a log's events, numbered by their first event: the numbers depend on the events alone, not on the order in
/// which blocks named them.
pub(crate) struct NumberedNames<'a> {
    interner: &'a Interner,
    /// The interner's symbols, by number from 1 on.
    order: Vec<Symbol>,
}

impl<'a> NumberedNames<'a> {
    /// Gives the events their numbers.
    fn number(events: &mut [Sample], interner: &'a Interner) -> Self {
        let mut numbers = vec![Symbol::OVERFLOW; interner.count()];
        let mut order = Vec::new();
        for event in events {
            for name in event.names_mut().into_iter().filter(|name| **name != Symbol::OVERFLOW) {
                let Some(number) = numbers.get_mut(name.index()) else { continue };
                if *number == Symbol::OVERFLOW {
                    order.push(*name);
                    *number = Symbol::at(order.len());
                }
                *name = *number;
            }
        }
        Self { interner, order }
    }

    /// The name, in lower case. Empty: there is none.
    pub(crate) fn name(&self, number: Symbol) -> &'a [u8] {
        let symbol = number.index().checked_sub(1).and_then(|at| self.order.get(at));
        symbol.map_or(b"", |&symbol| self.interner.name(symbol))
    }
}

/// What the log shows about recipient domains, by the number of their names.
struct DomainNames {
    /// The provider that receives mail for each domain.
    providers: Vec<Option<Provider>>,
    /// Whether this server delivers its mail itself.
    ours: Vec<bool>,
}

impl DomainNames {
    /// Learns the domains of this server from most of the deliveries, and providers from all replies that name a server.
    fn learn(events: &[Sample], names: &NumberedNames) -> Self {
        let mut counts: HashMap<(Symbol, Provider), u32, FixedState> = HashMap::default();
        let mut here: Vec<(u32, u32)> = vec![(0, 0); names.order.len() + 1];
        let has_domain = |sample: &&Sample| {
            sample.domain != Symbol::OVERFLOW && sample.series.direction != Direction::Inbound
        };
        for sample in events.iter().filter(has_domain) {
            let series = sample.series;
            if let Some(provider) = series.provider {
                *counts.entry((sample.domain, provider)).or_default() += 1;
            }
            if series.is_served()
                && let Some((near, all)) = here.get_mut(sample.domain.index())
            {
                *near += u32::from(sample.marks.is_near);
                *all += 1;
            }
        }
        let mut counts: Vec<((Symbol, Provider), u32)> = counts.into_iter().collect();
        counts.sort_unstable_by_key(|&((_, provider), count)| (Reverse(count), provider));
        let mut providers = vec![None; names.order.len() + 1];
        for ((domain, provider), _) in counts {
            if let Some(of_domain) = providers.get_mut(domain.index()) {
                of_domain.get_or_insert(provider);
            }
        }
        Self { providers, ours: here.into_iter().map(|(near, all)| near * 2 > all).collect() }
    }

    fn provider(&self, domain: Symbol) -> Option<Provider> {
        self.providers.get(domain.index()).copied().flatten()
    }

    fn is_ours(&self, domain: Symbol) -> bool {
        self.ours.get(domain.index()) == Some(&true)
    }
}

/// The recipients of messages that failed, each with its kins of reasons as bits; the lowest one is for no kin.
struct FailedRecipients(HashMap<(u64, Symbol), u32, FixedState>);

impl FailedRecipients {
    /// Whether it is the first failure of this kin.
    fn add(&mut self, recipient: (u64, Symbol), kin: Option<ReasonKin>) -> bool {
        let bit = 1 << kin.map_or(0, |kin| kin as u32 + 1);
        let kins = self.0.entry(recipient).or_default();
        let is_first = *kins & bit == 0;
        *kins |= bit;
        is_first
    }
}

/// The points in the order of time, and their names; the order within a minute depends on the events alone. `events` are
/// those of the sample. `with_greylisting` makes greylisting a failure.
pub(crate) fn points(
    samples: &Samples,
    mut events: Vec<Sample>,
    with_greylisting: bool,
) -> (Vec<WeightedEvent>, NumberedNames<'_>) {
    let weights = samples.weights(&events);
    let names = NumberedNames::number(&mut events, &samples.names);
    let domains = DomainNames::learn(&events, &names);
    let shows_arrivals = shows_arrivals(&events);
    let failures = events.iter().filter(|event| !event.series.is_served()).count();
    let mut failed = FailedRecipients(HashMap::with_capacity_and_hasher(failures, FixedState::default()));
    let point = |(mut sample, weight): (Sample, f64)| {
        let series = sample.series;
        let flow = if series.direction == Direction::Inbound { MailFlow::In } else { MailFlow::Out };
        let is_greylisted = series.reason == Some(Reason::Greylisted);
        let is_failure = !series.is_served() && (with_greylisting || !is_greylisted);
        let kin = if is_greylisted && with_greylisting {
            Some(ReasonKin::Greylisting)
        } else {
            series.reason.and_then(Reason::kin)
        };
        let mut provider = series.provider;
        if flow == MailFlow::Out {
            provider = provider.or_else(|| domains.provider(sample.domain));
            sample.marks.is_near |= domains.is_ours(sample.domain);
        }
        let known = (sample.message, sample.recipient);
        let has_message = flow == MailFlow::Out && sample.message != 0;
        let is_older = shows_arrivals && sample.is_older && !sample.marks.is_fresh;
        let is_retry = has_message
            && if is_failure {
                !failed.add(known, kin) || is_older
            } else {
                // Mail that failed before, or is older than the log, is no new mail when it is delivered at last.
                series.is_served() && (is_older || failed.0.contains_key(&known))
            };
        let is_stranger = || flow == MailFlow::In && series.reason.is_some_and(Reason::turns_strangers_away);
        let is_unit = is_failure && !is_retry && kin.is_some() && !is_stranger();
        WeightedEvent { sample, provider, flow, weight, is_failure, is_retry, is_unit, kin }
    };
    let points = events.into_iter().zip(weights).map(point).collect();
    (points, names)
}

/// Whether the log shows the arrival of most messages that were delivered. Some logs do not, for example one with the
/// lines of Postfix's smtp only.
fn shows_arrivals(events: &[Sample]) -> bool {
    let served = events.iter().filter(|event| event.message != 0 && event.series.is_served());
    let (older, all) =
        served.fold((0, 0), |(older, all), sample| (older + u64::from(sample.is_older), all + 1));
    older * 2 < all
}

/// The reason that a value of [`Dimension::Reason`] stands for. `None`: it is 0.
pub(crate) fn reason_of(value: FactorValue) -> Option<Reason> {
    let at = value.checked_sub(1)? as usize;
    Reason::value_variants().get(at).copied()
}

/// The value as text: a provider's or reason's name in the catalogue, or a name of the log. `None`: the point has none.
pub(crate) fn shown(
    dimension: Dimension,
    value: FactorValue,
    names: &NumberedNames,
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
            let name = names.name(Symbol::at(value as usize));
            (!name.is_empty()).then(|| LogText::string(name))
        }
    }
}

impl WeightedEvent {
    /// The point's value in a dimension. 0: it has none.
    #[inline]
    pub(crate) fn value(&self, dimension: Dimension) -> FactorValue {
        let name = |id: Symbol| id.index() as u64;
        let sample = &self.sample;
        let series = &sample.series;
        match dimension {
            Dimension::Provider => self.provider.map_or(0, |provider| provider.index() as u64 + 1),
            Dimension::Domain => name(sample.domain),
            Dimension::Recipient => name(sample.recipient),
            Dimension::Relay if self.flow == MailFlow::Out => name(sample.peer),
            Dimension::Relay => 0,
            Dimension::Instance => name(sample.instance),
            Dimension::Host => name(sample.host),
            Dimension::Sender => name(sample.sender),
            Dimension::User => name(sample.user),
            Dimension::Client if self.flow == MailFlow::In => name(sample.peer),
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
