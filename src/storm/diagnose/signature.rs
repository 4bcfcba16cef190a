//! What a storm is called, and why: readings of its shares come in; a pattern with its causes goes out.

use crate::catalog::classify::Reason;
use crate::report::storm::{Confidence, Dimension, StormPattern};
use crate::storm::detect::profile::{FactorShare, Profile};
use crate::storm::sample::points::reason_of;

/// A pattern and why.
#[derive(Clone, Debug)]
pub(crate) struct Diagnosis {
    pub pattern: StormPattern,
    pub confidence: Confidence,
    /// Which dimension names the cause, the best first.
    pub causes: &'static [Dimension],
    /// What speaks for it.
    pub because: Vec<Finding>,
    pub not: Vec<(StormPattern, Finding)>,
}

/// A sentence before it has words.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Finding {
    /// So much of it shares one value.
    Share(FactorShare),
    /// So much of it has reasons of this kind.
    Reasons(&'static str, f64),
    /// It spreads over so many values.
    Spread(Dimension, usize),
    /// No value of it stands out.
    NoCommon(Dimension),
    /// The other side is a part of this server.
    Near(f64),
    /// With so much of it two addresses answer each other.
    Answered(f64),
    /// No more than so much of it has reasons of this kind.
    Few(&'static str, f64),
}

/// What storms are told by besides shares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signals {
    /// The share whose other side is a part of this server's own mail system.
    pub near: f64,
    /// The share with the null sender.
    pub null_sender: f64,
    /// The share with which two addresses answer each other.
    pub answered: f64,
}

/// A storm that is being named.
#[must_use]
pub(crate) struct Evidence<'l> {
    look: &'l Profile,
    because: Vec<Finding>,
    not: Vec<(StormPattern, Finding)>,
}

impl<'l> Evidence<'l> {
    pub(crate) fn new(look: &'l Profile) -> Self {
        Self { look, because: Vec::new(), not: Vec::new() }
    }

    /// The share of events whose reason is in this group.
    pub(crate) fn part(&self, group: impl Fn(Reason) -> bool) -> f64 {
        let in_group = |share: &&FactorShare| reason_of(share.value).is_some_and(&group);
        self.look.shares(Dimension::Reason).iter().filter(in_group).map(|share| share.inside).sum()
    }

    pub(crate) fn say(mut self, reading: Finding) -> Self {
        self.because.push(reading);
        self
    }

    pub(crate) fn say_top(mut self, dimension: Dimension) -> Self {
        self.because.extend(self.look.top(dimension).filter(FactorShare::stands_out).map(Finding::Share));
        self
    }

    pub(crate) fn spread(self, dimension: Dimension) -> Self {
        let distinct = self.look.distinct(dimension);
        if distinct > 2 { self.say(Finding::Spread(dimension, distinct)) } else { self }
    }

    pub(crate) fn not(mut self, pattern: StormPattern, reading: Finding) -> Self {
        self.not.push((pattern, reading));
        self
    }

    /// `share` is what the signature rests on.
    pub(crate) fn is(self, pattern: StormPattern, share: f64, causes: &'static [Dimension]) -> Diagnosis {
        let confidence = match share {
            share if share >= 0.85 && self.look.weight >= 20.0 => Confidence::Sure,
            share if share >= 0.6 => Confidence::Likely,
            _ => Confidence::Unsure,
        };
        Diagnosis { pattern, confidence, causes, because: self.because, not: self.not }
    }
}

/// It looks like nothing that is known.
pub(crate) fn unknown(case: Evidence) -> Diagnosis {
    const CAUSES: &[Dimension] = &[
        Dimension::User,
        Dimension::Sender,
        Dimension::Client,
        Dimension::Provider,
        Dimension::Domain,
        Dimension::Relay,
        Dimension::Reason,
        Dimension::Code,
    ];
    let case = case.say_top(Dimension::Reason).say_top(Dimension::Code);
    Diagnosis { confidence: Confidence::Unsure, ..case.is(StormPattern::Unknown, 0.0, CAUSES) }
}

/// The value that has most, if only a share of 0.
pub(crate) fn most(look: &Profile, dimension: Dimension) -> FactorShare {
    let none = FactorShare { dimension, value: 0, inside: 0.0, outside: 0.0, count: 0.0 };
    look.top(dimension).unwrap_or(none)
}

/// What is common to the storm: the main factor first, then what else stands out, the most telling first.
pub(crate) fn factors(look: &Profile, named: &Diagnosis) -> Vec<FactorShare> {
    let tops: Vec<FactorShare> = crate::storm::detect::profile::DIMENSIONS
        .iter()
        .filter_map(|&dimension| look.top(dimension))
        .collect();
    let of = |dimension: Dimension| tops.iter().find(|share| share.dimension == dimension).copied();
    let clear = named.causes.iter().filter_map(|&cause| of(cause)).find(|share| {
        let few = share.dimension == Dimension::Client && is_few(look);
        share.inside >= 0.5 && (share.stands_out() || is_kind(share.dimension)) || few
    });
    let any =
        || named.causes.iter().filter_map(|&cause| of(cause)).max_by(|a, b| a.inside.total_cmp(&b.inside));
    let main = clear.or_else(any);
    let mut others: Vec<FactorShare> = tops
        .into_iter()
        .filter(|share| share.inside >= 0.3 && share.stands_out())
        .filter(|share| main.is_none_or(|main| main.dimension != share.dimension))
        .collect();
    others.sort_by(|a, b| b.tells().total_cmp(&a.tells()).then(a.dimension.cmp(&b.dimension)));
    main.into_iter().chain(others).collect()
}

/// A handful of clients does most of it.
fn is_few(look: &Profile) -> bool {
    let first: Vec<&FactorShare> =
        look.shares(Dimension::Client).iter().take(5).filter(|share| share.stands_out()).collect();
    first.first().is_some_and(|share| share.inside >= 0.12)
        && first.iter().map(|share| share.inside).sum::<f64>() >= 0.6
}

/// What kind of failure it is, and not whose: it is a cause also where all failures are of this kind.
fn is_kind(dimension: Dimension) -> bool {
    matches!(dimension, Dimension::Reason | Dimension::Code | Dimension::Stage)
}
