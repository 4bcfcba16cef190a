//! Chooses the pattern of a storm by the table of signatures, and ranks what its events have in common.

use super::evidence::{Finding, Measures};
use super::signature::{SIGNATURES, Signature, UNKNOWN};
use crate::report::storm::{Confidence, Dimension, StormPattern};
use crate::storm::detect::profile::{DIMENSIONS, FactorShare, Profile};
use crate::storm::sample::points::MailFlow;

/// The pattern of a storm, and why.
#[derive(Clone, Debug)]
pub(crate) struct Diagnosis {
    pub pattern: StormPattern,
    pub confidence: Confidence,
    /// The dimensions that name the cause, the best first.
    pub causes: &'static [Dimension],
    /// The evidence for the pattern.
    pub because: Vec<Finding>,
    /// Patterns that the storm might be mistaken for, with the evidence against each.
    pub not: Vec<(StormPattern, Finding)>,
}

/// The diagnosis by the first signature of the flow that matches.
pub(crate) fn diagnose(flow: MailFlow, measures: &Measures) -> Diagnosis {
    let of_flow = |signature: &&Signature| {
        signature.flow == flow && measures.has(signature.needs) && (signature.matches)(measures)
    };
    let signature = SIGNATURES.iter().find(of_flow).unwrap_or(&UNKNOWN);
    let finding = |&evidence| measures.finding(evidence);
    let not = signature.not.iter().filter_map(|(pattern, evidence)| Some((*pattern, finding(evidence)?)));
    Diagnosis {
        pattern: signature.pattern,
        confidence: confidence((signature.share)(measures), measures.profile.weight),
        causes: signature.causes,
        because: signature.because.iter().filter_map(finding).collect(),
        not: not.collect(),
    }
}

/// `share` is what the diagnosis rests on, `events` the size of the storm.
fn confidence(share: f64, events: f64) -> Confidence {
    match share {
        share if share >= 0.85 && events >= 20.0 => Confidence::Sure,
        share if share >= 0.6 => Confidence::Likely,
        _ => Confidence::Unsure,
    }
}

/// The values that the storm's events have in common: the cause first, then others that stand out, by their information.
pub(crate) fn factors(profile: &Profile, diagnosis: &Diagnosis) -> Vec<FactorShare> {
    let tops: Vec<FactorShare> = DIMENSIONS.iter().filter_map(|&dimension| profile.top(dimension)).collect();
    let causes = || {
        let top = |cause: &Dimension| tops.iter().find(|share| share.dimension == *cause).copied();
        diagnosis.causes.iter().filter_map(top)
    };
    let clear = causes().find(|share| {
        let is_common = share.inside >= 0.5 && (share.stands_out() || is_kind_of_failure(share.dimension));
        is_common || share.dimension == Dimension::Client && comes_from_few_clients(profile)
    });
    let main = clear.or_else(|| causes().max_by(|a, b| a.inside.total_cmp(&b.inside)));
    let is_main = |share: &FactorShare| main.is_some_and(|main| main.dimension == share.dimension);
    let mut others: Vec<FactorShare> = tops
        .iter()
        .filter(|share| share.inside >= 0.3 && share.stands_out() && !is_main(share))
        .copied()
        .collect();
    others.sort_by(|a, b| b.information().total_cmp(&a.information()).then(a.dimension.cmp(&b.dimension)));
    main.into_iter().chain(others).collect()
}

/// At most five clients cause 60 % of the storm.
fn comes_from_few_clients(profile: &Profile) -> bool {
    let largest: Vec<&FactorShare> =
        profile.shares(Dimension::Client).iter().take(5).filter(|share| share.stands_out()).collect();
    largest.first().is_some_and(|share| share.inside >= 0.12)
        && largest.iter().map(|share| share.inside).sum::<f64>() >= 0.6
}

/// The dimension describes the failure rather than those involved. Such a value is a cause even where it is as frequent
/// outside of the storm.
fn is_kind_of_failure(dimension: Dimension) -> bool {
    match dimension {
        Dimension::Reason | Dimension::Code | Dimension::Stage => true,
        Dimension::Provider
        | Dimension::Domain
        | Dimension::Recipient
        | Dimension::Relay
        | Dimension::Instance
        | Dimension::Host
        | Dimension::Sender
        | Dimension::User
        | Dimension::Client
        | Dimension::Direction => false,
    }
}
