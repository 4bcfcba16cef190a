//! Which bursts are one storm: points come in, storms as sets of points go out.
//!
//! Bursts are looked for in many views of the same points: all failures, those of one reason, one provider, one sender and so
//! on. The unlikeliest burst comes first, and takes its points away from all others; what is then still a burst is another
//! storm. So the view that tells most of a storm finds it, and two at the same time are told apart.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use rayon::prelude::*;

use super::burst::{self, Burst};
use super::dataset::{Cluster, Dataset};
use super::expected_rate::ExpectedRate;
use super::mail_loop::{answered, exchanges};
use super::merge::joined;
use crate::report::storm::Dimension;
use crate::smtp::event::Outcome;
use crate::storm::sample::points::{FactorValue, MailFlow, WeightedEvent};

/// What bursts are looked for in.
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

/// A score below is chance: with it one in some hundred clean days has a burst in one of the common views.
const CHANCE: f64 = 14.0;
/// The same for views that have a value for each stranger.
const CHANCE_OF_NAMES: f64 = 18.0;
/// The same for what clients are refused: a single stranger tries many times, all day long.
const CHANCE_OF_STRANGERS: f64 = 22.0;
/// The failures of a mailing come late, since sites that do not answer take their time: so many minutes.
const MAILING: i32 = 120;
/// Of a mailing so many fail for each that goes well, and nobody wonders: providers of mailings ask for a word from about
/// twice as many on.
const ORDINARY: f64 = 0.04;
/// So many times the usual a burst has at least, as a whole.
const TIMES: f64 = 2.2;

struct Candidate {
    view: Option<(Dimension, FactorValue)>,
    way: MailFlow,
    burst: Burst,
    usual: ExpectedRate,
    members: Vec<usize>,
    /// How many fail usually for each that goes well, of this view.
    part: f64,
}

/// All storms but silences, in no order.
/// `null_sender` is the value of bounces' sender; 0: there are none.
pub(crate) fn storms(field: &Dataset, null_sender: FactorValue) -> Vec<Cluster> {
    let mut candidates: Vec<Candidate> =
        [MailFlow::Out, MailFlow::In].into_par_iter().flat_map_iter(|way| candidates(field, way)).collect();
    candidates.extend(bounces(field, null_sender));
    candidates.extend(exchanges(field.points).into_iter().flat_map(|members| mutual(field, &members)));
    // What tells nothing apart holds all storms of its time: it is asked last, for what nothing else explains.
    let is_coarse = |view: Option<(Dimension, FactorValue)>| {
        matches!(view, None | Some((Dimension::Host | Dimension::Instance, _)))
    };
    candidates.sort_by(|a, b| {
        let by_view = is_coarse(a.view).cmp(&is_coarse(b.view));
        by_view
            .then(b.burst.score.total_cmp(&a.burst.score))
            .then_with(|| (a.way, a.view).cmp(&(b.way, b.view)))
    });
    let mut taken = vec![false; field.points.len()];
    let mut found: Vec<Cluster> = Vec::new();
    for candidate in candidates {
        let left: Vec<usize> =
            candidate.members.iter().copied().filter(|&at| taken.get(at) == Some(&false)).collect();
        let points = field.weights(&left);
        let Candidate { view, way, burst, usual, part, .. } = candidate;
        // What is left of it may be shorter.
        let spans = burst::bursts(&points, &usual);
        for burst in spans.into_iter().filter(|span| span.last >= burst.first && span.first <= burst.last) {
            let Some(burst) = real(field, view, way, burst, (&left, part)) else { continue };
            let minute = |at: &usize| field.points.get(*at).map_or(0, |point| point.sample.minute);
            let members: Vec<usize> =
                left.iter().copied().filter(|at| (burst.first..=burst.last).contains(&minute(at))).collect();
            for &at in &members {
                if let Some(taken) = taken.get_mut(at) {
                    *taken = true;
                }
            }
            found.push(Cluster {
                way,
                members,
                first: burst.first,
                last: burst.last,
                usual: usual.clone(),
                score: burst.score,
                view,
            });
        }
    }
    joined(field, found)
}

/// The bursts of bounces that were taken and delivered: nothing failed, and yet there is too much of it. Bounces that
/// this server itself had to write belong to what failed.
fn bounces(field: &Dataset, null_sender: FactorValue) -> Vec<Candidate> {
    let minute = |at: &usize| field.points.get(*at).map_or(0, |point| point.sample.minute);
    let of_way = |at: &usize, test: fn(&WeightedEvent) -> bool| {
        field.points.get(*at).is_some_and(|point| point.way == MailFlow::Out && test(point))
    };
    let is_bounce = |at: &usize| {
        of_way(at, |point| !point.is_retry)
            && field.points.get(*at).is_some_and(|point| point.value(Dimension::Sender) == null_sender)
    };
    let members: Vec<usize> = (0..field.points.len()).filter(is_bounce).collect();
    let given_up = |at: &usize| of_way(at, |point| point.series.outcome == Outcome::Bounced);
    let given_up: Vec<usize> = (0..field.points.len()).filter(given_up).collect();
    let points = field.weights(&members);
    if null_sender == 0 || !has_five(&points) {
        return Vec::new();
    }
    let usual = ExpectedRate::of(&points, &field.hours);
    let view = Some((Dimension::Sender, null_sender));
    let real = |burst: Burst| {
        let inside = given_up.iter().filter(|at| (burst.first - 2..=burst.last).contains(&minute(at)));
        let own: f64 = inside.filter_map(|&at| field.points.get(at)).map(|point| point.weight).sum();
        let expected = burst.expected + 1.2 * own;
        let score = burst::score(burst.count, expected) / burst.spread;
        (score >= CHANCE_OF_NAMES && burst.count >= TIMES * expected).then_some(Burst { score, ..burst })
    };
    let found: Vec<Burst> = burst::bursts(&points, &usual).into_iter().filter_map(real).collect();
    let candidate = |burst| Candidate {
        view,
        way: MailFlow::Out,
        burst,
        usual: usual.clone(),
        members: members.clone(),
        part: 0.0,
    };
    found.into_iter().map(candidate).collect()
}

/// The bursts of what two addresses write to each other.
fn mutual(field: &Dataset, members: &[usize]) -> Vec<Candidate> {
    let points = field.weights(members);
    if !has_five(&points) {
        return Vec::new();
    }
    let usual = ExpectedRate::of(&points, &field.hours);
    let inside = |burst: &Burst| -> Vec<&WeightedEvent> {
        let points = members.iter().filter_map(|&at| field.points.get(at));
        points.filter(|point| (burst.first..=burst.last).contains(&point.sample.minute)).collect()
    };
    let mut found = burst::bursts(&points, &usual);
    for burst in &mut found {
        burst.score = burst::score(burst.count, burst.expected) / burst.spread;
    }
    found.retain(|burst| {
        burst.score >= CHANCE_OF_NAMES
            && burst.count >= TIMES * burst.expected
            && answered(&inside(burst)) > 0.9
    });
    let view =
        |burst: &Burst| Some((Dimension::Recipient, inside(burst).first()?.value(Dimension::Recipient)));
    let candidate = |burst| Candidate {
        view: view(&burst),
        way: MailFlow::Out,
        burst,
        usual: usual.clone(),
        members: members.to_vec(),
        part: 0.0,
    };
    found.into_iter().map(candidate).collect()
}

/// The bursts of all views of one way.
fn candidates(field: &Dataset, way: MailFlow) -> Vec<Candidate> {
    let failed = |at: &usize| field.points.get(*at).is_some_and(|point| point.way == way && point.is_failure);
    let failures: Vec<usize> = (0..field.points.len()).filter(failed).collect();
    let whole = ExpectedRate::of(&field.weights(&failures), &field.hours);
    let went_well = field.volume(way, None, i32::MIN, i32::MAX).max(1.0);
    let of_group = |view: Option<Dimension>, (value, members): (FactorValue, Vec<usize>)| {
        let points = field.weights(&members);
        if !has_five(&points) {
            return Vec::new();
        }
        let view = view.map(|view| (view, value));
        let usual = ExpectedRate::of(&points, &field.hours);
        let part = match view {
            Some((Dimension::Reason | Dimension::Code, _)) | None => usual.total / went_well,
            // A sender's own failures are told by how much he sends.
            Some(_) => (whole.total / went_well).min(0.3),
        };
        let found = burst::bursts(&points, &usual).into_iter();
        let real = found.filter_map(|burst| real(field, view, way, burst, (&members, part)));
        let candidate = |burst| {
            let (usual, members) = (usual.clone(), members.clone());
            Candidate { view, way, burst, usual, members, part }
        };
        real.map(candidate).collect()
    };
    let of_view = |&view: &Option<Dimension>| {
        let groups = groups(field, &failures, view);
        groups.into_par_iter().flat_map_iter(move |group| of_group(view, group))
    };
    VIEWS.par_iter().flat_map(of_view).collect()
}

/// The points by what they say of the view; values with fewer points than a burst has are left out.
fn groups(field: &Dataset, failures: &[usize], view: Option<Dimension>) -> Vec<(FactorValue, Vec<usize>)> {
    let value = |at: usize| view.map_or(1, |view| field.points.get(at).map_or(0, |point| point.value(view)));
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

/// Some five minutes have five events; asked first, since most views have not.
fn has_five(points: &[(i32, f64)]) -> bool {
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

/// The burst with what as much mail as there was would usually bring. `members` are the points of the view; `part` is how many
/// fail usually for each that goes well. None: it is chance, or as it should be.
fn real(
    field: &Dataset,
    view: Option<(Dimension, FactorValue)>,
    way: MailFlow,
    burst: Burst,
    (members, part): (&[usize], f64),
) -> Option<Burst> {
    let of_value = view.filter(|(dimension, _)| !matches!(dimension, Dimension::Reason | Dimension::Code));
    let by_author = matches!(of_value, Some((Dimension::Sender | Dimension::User | Dimension::Client, _)));
    let before = match of_value {
        Some(_) if by_author => MAILING,
        Some(_) => 2,
        None => 15,
    };
    let volume = field.volume(way, of_value, burst.first - before, burst.last + 1);
    let ordinary = if by_author && way == MailFlow::Out { part.max(ORDINARY) } else { part };
    let mut expected = burst.expected.max(ordinary * volume);
    if let (None, Some(sender)) = (of_value, main_sender(field, members, burst)) {
        let volume =
            field.volume(way, Some((Dimension::Sender, sender)), burst.first - MAILING, burst.last + 1);
        expected = expected.max(burst.expected + part.max(ORDINARY) * volume);
    }
    let score = burst::score(burst.count, expected) / burst.spread;
    let chance = match view {
        _ if way == MailFlow::In => CHANCE_OF_STRANGERS,
        None | Some((Dimension::Reason | Dimension::Code | Dimension::Provider, _)) => CHANCE,
        Some(_) => CHANCE_OF_NAMES,
    };
    (score >= chance && burst.count >= TIMES * expected).then_some(Burst { expected, score, ..burst })
}

/// Who sent much of what is in the burst. None: nobody did.
fn main_sender(field: &Dataset, members: &[usize], burst: Burst) -> Option<FactorValue> {
    let mut sums: HashMap<FactorValue, f64, FixedState> = HashMap::default();
    let mut whole = 0.0;
    for point in members.iter().filter_map(|&at| field.points.get(at)) {
        if (burst.first..=burst.last).contains(&point.sample.minute) && !point.is_retry {
            whole += point.weight;
            *sums.entry(point.value(Dimension::Sender)).or_default() += point.weight;
        }
    }
    let most = sums.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    most.filter(|(sender, weight)| *sender > 0 && *weight >= 0.4 * whole).map(|(sender, _)| sender)
}
