//! Measures what the events of a storm have in common, and phrases each measure as a finding.

use crate::catalog::classify::Reason;
use crate::report::storm::Dimension;
use crate::storm::detect::profile::{FactorShare, Profile};
use crate::storm::sample::points::reason_of;

/// A group of reasons, and the words for it in a sentence.
#[derive(Clone, Copy)]
pub(crate) struct ReasonSet {
    pub contains: fn(Reason) -> bool,
    /// Completes "94% of the replies are about …".
    pub phrase: &'static str,
}

/// The measures of one storm that the signatures compare. Shares are between 0 and 1.
#[derive(Clone, Copy)]
pub(crate) struct Measures<'p> {
    pub profile: &'p Profile,
    /// The share whose other side is a part of this server's own mail system.
    pub near: f64,
    /// The share with the null sender.
    pub null_sender: f64,
    /// The share of bounces that leave for a recipient who sends mail from here: they are about its own messages.
    pub own_notices: f64,
    /// The share with which two addresses answer each other.
    pub answered: f64,
    /// The share that the other side may accept later.
    pub temporary: f64,
    /// The share that only a change to this server, its DNS or its accounts ends.
    pub ours: f64,
    /// The share in which the service that checks passwords does not answer.
    pub no_backend: f64,
    /// The number of messages in the sample.
    pub messages: usize,
}

/// The independent pieces of evidence that a pattern needs: below that number, another pattern is tried.
#[derive(Clone, Copy)]
pub(crate) enum Needs {
    /// Messages; the recipients of one message are one piece, and so are its retries.
    Messages(usize),
    /// Values of a dimension: ten addresses, three sites.
    Values(Dimension, usize),
    /// Attempts, of any message and client.
    Attempts(usize),
}

/// A sentence about a storm, before it has words.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Finding {
    /// One value has this share of the storm.
    Share(FactorShare),
    /// This share of the storm has reasons of the group with this phrase.
    Reasons(&'static str, f64),
    /// The storm has at least this many values of the dimension.
    Spread(Dimension, usize),
    /// No value of the dimension stands out.
    NoCommon(Dimension),
    /// In this share of the storm the other side is a part of this server.
    Near(f64),
    /// In this share of the storm two addresses answer each other.
    Answered(f64),
    /// Only this share of the storm has reasons of the group with this phrase.
    Few(&'static str, f64),
    /// This share of the storm was deferred.
    Temporary(f64),
    /// In this share of the storm the login service does not answer.
    NoBackend(f64),
}

/// A sentence that a signature asks for; the measures of the storm fill it in.
#[derive(Clone, Copy)]
pub(crate) enum Evidence {
    /// The share of a group of reasons.
    Reasons(ReasonSet),
    /// The share of a group of reasons, which is small.
    Few(ReasonSet),
    /// The most frequent value of a dimension, if it stands out.
    Top(Dimension),
    /// The most frequent value of the first of these dimensions in which one value has 60 %, else of the last one.
    Main(&'static [Dimension]),
    /// The number of values of a dimension, if there are more than two.
    Spread(Dimension),
    /// No value of the dimension stands out.
    NoCommon(Dimension),
    Near,
    Answered,
    Temporary,
    NoBackend,
}

/// Share from which on a value is common to a storm.
const COMMON_SHARE: f64 = 0.5;
/// Share from which on [`Evidence::Main`] names a value.
const MAIN_SHARE: f64 = 0.6;

impl Measures<'_> {
    /// The share of events whose reason is in the group.
    pub(crate) fn share(&self, group: ReasonSet) -> f64 {
        let in_group = |share: &&FactorShare| reason_of(share.value).is_some_and(group.contains);
        self.profile.shares(Dimension::Reason).iter().filter(in_group).map(|share| share.inside).sum()
    }

    /// The share of the most frequent value of a dimension if it stands out; else 0.
    pub(crate) fn strength(&self, dimension: Dimension) -> f64 {
        self.profile.strength(dimension)
    }

    /// The number of values of a dimension.
    pub(crate) fn distinct(&self, dimension: Dimension) -> usize {
        self.profile.distinct(dimension)
    }

    /// The share of the receiving site that stands out most, by provider, domain or relay.
    pub(crate) fn site(&self) -> f64 {
        let strength = |dimension| self.strength(dimension);
        strength(Dimension::Provider).max(strength(Dimension::Domain)).max(strength(Dimension::Relay))
    }

    /// The share of the login or sender address that stands out most.
    pub(crate) fn author(&self) -> f64 {
        self.strength(Dimension::User).max(self.strength(Dimension::Sender))
    }

    /// The finding for one piece of evidence. `None`: it does not stand out.
    pub(crate) fn finding(&self, evidence: Evidence) -> Option<Finding> {
        match evidence {
            Evidence::Reasons(group) => Some(Finding::Reasons(group.phrase, self.share(group))),
            Evidence::Few(group) => Some(Finding::Few(group.phrase, self.share(group))),
            Evidence::Top(dimension) => {
                self.profile.top(dimension).filter(FactorShare::stands_out).map(Finding::Share)
            }
            Evidence::Main(dimensions) => {
                let tops = || dimensions.iter().map(|&dimension| self.top(dimension));
                let main = tops().find(|share| share.inside >= MAIN_SHARE);
                main.or_else(|| tops().next_back()).filter(|share| share.inside > 0.0).map(Finding::Share)
            }
            Evidence::Spread(dimension) => {
                let distinct = self.distinct(dimension);
                (distinct > 2).then_some(Finding::Spread(dimension, distinct))
            }
            Evidence::NoCommon(dimension) => {
                // A login and a sender address both name the author: neither may have most of the storm.
                let same: &[Dimension] = match dimension {
                    Dimension::User | Dimension::Sender => &[Dimension::User, Dimension::Sender],
                    _ => &[dimension],
                };
                let is_common = same.iter().any(|&dimension| self.top(dimension).inside >= COMMON_SHARE);
                (!is_common).then_some(Finding::NoCommon(dimension))
            }
            Evidence::Near => Some(Finding::Near(self.near)),
            Evidence::Answered => Some(Finding::Answered(self.answered)),
            Evidence::Temporary => Some(Finding::Temporary(self.temporary)),
            Evidence::NoBackend => Some(Finding::NoBackend(self.no_backend)),
        }
    }

    /// Whether the storm has as many pieces of evidence as a pattern needs.
    pub(crate) fn has(&self, needs: Needs) -> bool {
        match needs {
            Needs::Messages(least) => self.messages >= least,
            Needs::Values(dimension, least) => self.distinct(dimension) >= least,
            Needs::Attempts(least) => self.profile.weight.round() as usize >= least,
        }
    }

    /// The most frequent value of a dimension; value 0 with a share of 0 if no event has one.
    fn top(&self, dimension: Dimension) -> FactorShare {
        let none = FactorShare { dimension, value: 0, inside: 0.0, outside: 0.0, count: 0.0 };
        self.profile.top(dimension).unwrap_or(none)
    }
}
