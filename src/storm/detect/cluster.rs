//! Clusters failures into storms: finds the bursts of many views of the points and assigns each point to one of them.
//!
//! The views are all failures, those of one reason, of one provider, of one sender and so on. The algorithm is greedy: the
//! burst with the highest score becomes a storm and takes its points away from all other views; a view in which the rest is
//! still a burst is another storm. So each storm is found in the view that describes it best, and two storms at the same
//! time are kept apart.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use rayon::prelude::*;

use super::burst::{self, Burst};
use super::dataset::{Cluster, Dataset};
use super::expected_rate::ExpectedRate;
use super::mail_loop::{answered, exchanges};
use super::merge::merge_clusters;
use crate::report::storm::Dimension;
use crate::smtp::event::Outcome;
use crate::storm::sample::points::{FactorValue, MailFlow, WeightedEvent};

/// The views in which bursts are searched. `None`: all failures.
const VIEWS: [Option<Dimension>; 12] = [
    None,
    Some(Dimension::Reason),
    Some(Dimension::Code),
    Some(Dimension::Provider),
    Some(Dimension::Domain),
    Some(Dimension::Relay),
    Some(Dimension::Recipient),
    Some(Dimension::Sender),
    Some(Dimension::User),
    Some(Dimension::Client),
    Some(Dimension::Instance),
    Some(Dimension::Host),
];

/// The least score of a burst in one of the common views. Chosen on generated logs: about one in a hundred clean days
/// reaches it by chance.
const LEAST_SCORE: f64 = 14.0;
/// The least score in views with many values, such as senders.
const LEAST_SCORE_OF_NAMES: f64 = 18.0;
/// The least score of rejections to clients: a single client tries many times, all day long.
const LEAST_SCORE_INBOUND: f64 = 22.0;
/// Failures of a mailing come up to this many minutes after its deliveries, since connections to dead sites time out
/// slowly.
const MAILING_MINUTES: i32 = 120;
/// Failures for each delivery that are ordinary in a mailing; mailing providers object from about twice as many on.
const MAILING_FAILURES: f64 = 0.04;
/// A burst as a whole has at least this many times the usual count.
const LEAST_RATIO: f64 = 2.2;

/// A burst of one view, before overlapping ones are removed.
struct Candidate {
    view: Option<(Dimension, FactorValue)>,
    flow: MailFlow,
    burst: Burst,
    usual: ExpectedRate,
    /// Indices of the view's points, in the order of time.
    members: Vec<usize>,
    /// The usual number of failures for each delivery in this view.
    failure_ratio: f64,
}

/// All storms except silences, in no order. `null_sender` is the value of the null sender; 0: no event has it.
pub(crate) fn storms(dataset: &Dataset, null_sender: FactorValue) -> Vec<Cluster> {
    let mut candidates: Vec<Candidate> = [MailFlow::Out, MailFlow::In]
        .into_par_iter()
        .flat_map_iter(|flow| failure_bursts(dataset, flow))
        .collect();
    candidates.extend(bounce_bursts(dataset, null_sender));
    candidates
        .extend(exchanges(dataset.points).into_iter().flat_map(|members| reply_bursts(dataset, &members)));
    // A coarse view holds all storms of its time, so it comes last, for failures that no other view explains.
    let is_coarse = |view: Option<(Dimension, FactorValue)>| {
        matches!(view, None | Some((Dimension::Host | Dimension::Instance, _)))
    };
    candidates.sort_by(|a, b| {
        let by_view = is_coarse(a.view).cmp(&is_coarse(b.view));
        by_view
            .then(b.burst.score.total_cmp(&a.burst.score))
            .then_with(|| (a.flow, a.view).cmp(&(b.flow, b.view)))
    });
    let mut assigned = vec![false; dataset.points.len()];
    let mut clusters: Vec<Cluster> = Vec::new();
    for candidate in candidates {
        let left: Vec<usize> =
            candidate.members.iter().copied().filter(|&at| assigned.get(at) == Some(&false)).collect();
        let points = dataset.weights(&left);
        let Candidate { view, flow, burst, usual, failure_ratio, .. } = candidate;
        // Without the points that other storms have, the burst may be shorter or gone.
        let spans = burst::bursts(&points, &usual);
        for burst in spans.into_iter().filter(|span| span.last >= burst.first && span.first <= burst.last) {
            let Some(burst) = significant(dataset, view, flow, burst, (&left, failure_ratio)) else {
                continue;
            };
            let minute = |at: &usize| dataset.points.get(*at).map_or(0, |point| point.sample.minute);
            let members: Vec<usize> =
                left.iter().copied().filter(|at| (burst.first..=burst.last).contains(&minute(at))).collect();
            for &at in &members {
                if let Some(assigned) = assigned.get_mut(at) {
                    *assigned = true;
                }
            }
            clusters.push(Cluster {
                flow,
                members,
                first: burst.first,
                last: burst.last,
                usual: usual.clone(),
                score: burst.score,
                view,
            });
        }
    }
    merge_clusters(dataset, clusters)
}

/// The bursts of bounces that were delivered: nothing failed, and yet there are too many. Bounces that this server itself
/// wrote count as expected, since they belong to the failures.
fn bounce_bursts(dataset: &Dataset, null_sender: FactorValue) -> Vec<Candidate> {
    let minute = |at: &usize| dataset.points.get(*at).map_or(0, |point| point.sample.minute);
    let of_flow = |at: &usize, test: fn(&WeightedEvent) -> bool| {
        dataset.points.get(*at).is_some_and(|point| point.flow == MailFlow::Out && test(point))
    };
    let is_bounce = |at: &usize| {
        of_flow(at, |point| !point.is_retry)
            && dataset.points.get(*at).is_some_and(|point| point.value(Dimension::Sender) == null_sender)
    };
    let members: Vec<usize> = (0..dataset.points.len()).filter(is_bounce).collect();
    let is_bounced = |at: &usize| of_flow(at, |point| point.series.outcome == Outcome::Bounced);
    let bounced: Vec<usize> = (0..dataset.points.len()).filter(is_bounced).collect();
    let points = dataset.weights(&members);
    if null_sender == 0 || !may_have_burst(&points) {
        return Vec::new();
    }
    let usual = ExpectedRate::of(&points, &dataset.hours);
    let view = Some((Dimension::Sender, null_sender));
    let significant = |burst: Burst| {
        let inside = bounced.iter().filter(|at| (burst.first - 2..=burst.last).contains(&minute(at)));
        let own: f64 = inside.filter_map(|&at| dataset.points.get(at)).map(|point| point.weight).sum();
        let expected = burst.expected + 1.2 * own;
        let score = burst::score(burst.count, expected) / burst.spread;
        (score >= LEAST_SCORE_OF_NAMES && burst.count >= LEAST_RATIO * expected)
            .then_some(Burst { score, ..burst })
    };
    let bursts = burst::bursts(&points, &usual).into_iter().filter_map(significant);
    let candidate = |burst| Candidate {
        view,
        flow: MailFlow::Out,
        burst,
        usual: usual.clone(),
        members: members.clone(),
        failure_ratio: 0.0,
    };
    bursts.map(candidate).collect()
}

/// The bursts of mail between two addresses that answer each other.
fn reply_bursts(dataset: &Dataset, members: &[usize]) -> Vec<Candidate> {
    let points = dataset.weights(members);
    if !may_have_burst(&points) {
        return Vec::new();
    }
    let usual = ExpectedRate::of(&points, &dataset.hours);
    let inside = |burst: &Burst| -> Vec<&WeightedEvent> {
        let points = members.iter().filter_map(|&at| dataset.points.get(at));
        points.filter(|point| (burst.first..=burst.last).contains(&point.sample.minute)).collect()
    };
    let mut bursts = burst::bursts(&points, &usual);
    for burst in &mut bursts {
        burst.score = burst::score(burst.count, burst.expected) / burst.spread;
    }
    bursts.retain(|burst| {
        burst.score >= LEAST_SCORE_OF_NAMES
            && burst.count >= LEAST_RATIO * burst.expected
            && answered(&inside(burst)) > 0.9
    });
    let view =
        |burst: &Burst| Some((Dimension::Recipient, inside(burst).first()?.value(Dimension::Recipient)));
    let candidate = |burst| Candidate {
        view: view(&burst),
        flow: MailFlow::Out,
        burst,
        usual: usual.clone(),
        members: members.to_vec(),
        failure_ratio: 0.0,
    };
    bursts.into_iter().map(candidate).collect()
}

/// The bursts of failures in all views of one flow.
fn failure_bursts(dataset: &Dataset, flow: MailFlow) -> Vec<Candidate> {
    let failed =
        |at: &usize| dataset.points.get(*at).is_some_and(|point| point.flow == flow && point.is_failure);
    let failures: Vec<usize> = (0..dataset.points.len()).filter(failed).collect();
    let whole = ExpectedRate::of(&dataset.weights(&failures), &dataset.hours);
    let deliveries = dataset.volume(flow, None, i32::MIN, i32::MAX).max(1.0);
    let of_group = |view: Option<Dimension>, (value, members): (FactorValue, Vec<usize>)| {
        let points = dataset.weights(&members);
        if !may_have_burst(&points) {
            return Vec::new();
        }
        let view = view.map(|view| (view, value));
        let usual = ExpectedRate::of(&points, &dataset.hours);
        let failure_ratio = match view {
            Some((Dimension::Reason | Dimension::Code, _)) | None => usual.total / deliveries,
            // A single sender has too few deliveries of its own to estimate the ratio.
            Some(_) => (whole.total / deliveries).min(0.3),
        };
        let bursts = burst::bursts(&points, &usual).into_iter();
        let bursts =
            bursts.filter_map(|burst| significant(dataset, view, flow, burst, (&members, failure_ratio)));
        let candidate = |burst| {
            let (usual, members) = (usual.clone(), members.clone());
            Candidate { view, flow, burst, usual, members, failure_ratio }
        };
        bursts.map(candidate).collect()
    };
    let of_view = |&view: &Option<Dimension>| {
        let groups = group_by_value(dataset, &failures, view);
        groups.into_par_iter().flat_map_iter(move |group| of_group(view, group))
    };
    VIEWS.par_iter().flat_map(of_view).collect()
}

/// Groups the points by their value in the view; values with fewer points than a burst needs are left out.
fn group_by_value(
    dataset: &Dataset,
    failures: &[usize],
    view: Option<Dimension>,
) -> Vec<(FactorValue, Vec<usize>)> {
    let value =
        |at: usize| view.map_or(1, |view| dataset.points.get(at).map_or(0, |point| point.value(view)));
    let mut counts: HashMap<FactorValue, u32, FixedState> = HashMap::default();
    for &at in failures {
        *counts.entry(value(at)).or_default() += 1;
    }
    let mut groups: HashMap<FactorValue, Vec<usize>, FixedState> = HashMap::default();
    for &at in failures {
        let value = value(at);
        if value > 0 && counts.get(&value).is_some_and(|&count| count >= 5) {
            groups.entry(value).or_default().push(at);
        }
    }
    let mut groups: Vec<(FactorValue, Vec<usize>)> = groups.into_iter().collect();
    groups.sort_unstable_by_key(|(value, _)| *value);
    groups
}

/// Whether some five minutes have five events. Checked first, since most views have none and need no usual rate.
fn may_have_burst(points: &[(i32, f64)]) -> bool {
    let (mut from, mut sum) = (0, 0.0);
    points.iter().any(|&(minute, weight)| {
        sum += weight;
        while let Some(&(old, weight)) = points.get(from)
            && old + 5 <= minute
        {
            sum -= weight;
            from += 1;
        }
        sum + 1e-6 >= 5.0
    })
}

/// The burst with the failures that the volume of mail explains counted as expected. `members` are the points of the view;
/// `failure_ratio` is the usual number of failures for each delivery. `None`: the burst is chance, or ordinary.
fn significant(
    dataset: &Dataset,
    view: Option<(Dimension, FactorValue)>,
    flow: MailFlow,
    burst: Burst,
    (members, failure_ratio): (&[usize], f64),
) -> Option<Burst> {
    let of_value = view.filter(|(dimension, _)| !matches!(dimension, Dimension::Reason | Dimension::Code));
    let by_author = matches!(of_value, Some((Dimension::Sender | Dimension::User | Dimension::Client, _)));
    let before = match of_value {
        Some(_) if by_author => MAILING_MINUTES,
        Some(_) => 2,
        None => 15,
    };
    let volume = dataset.volume(flow, of_value, burst.first - before, burst.last + 1);
    let is_mailing = by_author && flow == MailFlow::Out;
    let ordinary = if is_mailing { failure_ratio.max(MAILING_FAILURES) } else { failure_ratio };
    let mut expected = burst.expected.max(ordinary * volume);
    if let (None, Some(sender)) = (of_value, main_sender(dataset, members, burst)) {
        let volume = dataset.volume(
            flow,
            Some((Dimension::Sender, sender)),
            burst.first - MAILING_MINUTES,
            burst.last + 1,
        );
        expected = expected.max(burst.expected + failure_ratio.max(MAILING_FAILURES) * volume);
    }
    let score = burst::score(burst.count, expected) / burst.spread;
    let least_score = match view {
        _ if flow == MailFlow::In => LEAST_SCORE_INBOUND,
        None | Some((Dimension::Reason | Dimension::Code | Dimension::Provider, _)) => LEAST_SCORE,
        Some(_) => LEAST_SCORE_OF_NAMES,
    };
    (score >= least_score && burst.count >= LEAST_RATIO * expected).then_some(Burst {
        expected,
        score,
        ..burst
    })
}

/// The sender of at least 40 % of the burst. `None`: no sender has so much.
fn main_sender(dataset: &Dataset, members: &[usize], burst: Burst) -> Option<FactorValue> {
    let mut sums: HashMap<FactorValue, f64, FixedState> = HashMap::default();
    let mut whole = 0.0;
    for point in members.iter().filter_map(|&at| dataset.points.get(at)) {
        if (burst.first..=burst.last).contains(&point.sample.minute) && !point.is_retry {
            whole += point.weight;
            *sums.entry(point.value(Dimension::Sender)).or_default() += point.weight;
        }
    }
    let most = sums.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    most.filter(|(sender, weight)| *sender > 0 && *weight >= 0.4 * whole).map(|(sender, _)| sender)
}
