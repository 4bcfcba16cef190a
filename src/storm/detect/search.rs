//! Searches all views for storms, and assigns each event to one of them.
//!
//! The algorithm is greedy: the least probable window of all views becomes a storm and takes its events away from all other
//! views. So each storm is found in the view that describes it best, and two storms at the same time are kept apart. Then
//! what is usual is estimated once more without the storms, and everything is searched a second time.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use rayon::prelude::*;

use super::curve::Curve;
use super::dataset::{Cluster, Dataset, UsualCount};
use super::edges::edges;
use super::grid::{LEAST_WEIGHT, Sensitivity};
use super::likelihood::{LEAST_RATIO, against_volume};
use super::mail_loop::answered;
use super::merge::merge_clusters;
use super::model::{BOUNCES_OF_FAILURE, Model, bounced};
use super::recurrence::recurs;
use super::view::{EvidenceUnit, Groups, INBOUND, Networks, OUTBOUND, ViewDimension, ViewKey, units};
use super::views::{View, ViewSource};
use super::volume::{MAILING_SHARE, OrdinaryShare};
use super::window::{UnitSeries, Window, WindowContent};
use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, MailFlow, NumberedNames, WeightedEvent};

/// The volume test may also count events with at least this clump instead of weighing units, whichever is less probable: so
/// few messages with many recipients are not lost where the volume is known.
const LEAST_EVENT_CLUMP: f64 = 0.3;
/// Windows of one view that are explained before it is left alone.
const MOST_EXPLAINED: usize = 40;
/// Storms that are found at most.
const MOST_STORMS: usize = 400;
/// A sender with this share of a window explains it by their mailing.
const MAIN_SENDER: f64 = 0.4;

/// A window that became a storm's candidate.
#[derive(Clone, Debug)]
struct Candidate {
    window: Window,
    first: i32,
    last: i32,
    usual: UsualCount,
}

/// Searches the views of one log.
struct Search<'a> {
    dataset: &'a Dataset<'a>,
    views: &'a [View],
    index: HashMap<ViewKey, usize, FixedState>,
    networks: &'a Networks,
    groups: &'a Groups,
    null_sender: FactorValue,
    bounced: Curve,
    sensitivity: Sensitivity,
    model: Model,
    /// Events of storms that an earlier search found; they do not show what is usual.
    known: Vec<bool>,
    /// Events of storms that this search found.
    taken: Vec<bool>,
}

/// The share of failures that a mailing usually has. It is not raised again: it is the upper end of what is ordinary.
fn mailing_share(content: &WindowContent) -> OrdinaryShare {
    let events = MAILING_SHARE / LEAST_RATIO;
    OrdinaryShare { weight: events * (content.counts.inside / content.events.max(1e-9)).min(1.0), events }
}

/// All storms except silences, in no order. `null_sender` is the value of the null sender; 0: no event has it.
pub(crate) fn storms(
    dataset: &Dataset,
    names: &NumberedNames,
    null_sender: FactorValue,
    sensitivity: Sensitivity,
) -> Vec<Cluster> {
    let (networks, groups) = (Networks::new(dataset.points, names), Groups::new(dataset.points));
    let source = ViewSource { dataset, networks: &networks, groups: &groups, null_sender };
    let mut known = vec![false; dataset.points.len()];
    let mut clusters = Vec::new();
    for _ in 0..2 {
        let views = source.views(&known);
        let model = Model::new(dataset, &views);
        let mut search = Search {
            dataset,
            views: &views.all,
            index: views.all.iter().enumerate().map(|(at, view)| (view.key, at)).collect(),
            networks: &networks,
            groups: &groups,
            null_sender,
            bounced: bounced(dataset.points),
            sensitivity,
            model,
            taken: vec![false; known.len()],
            known,
        };
        clusters = search.run();
        known = search.taken;
        if clusters.is_empty() {
            break;
        }
    }
    merge_clusters(dataset, clusters)
}

fn dimensions(flow: MailFlow) -> &'static [ViewDimension] {
    match flow {
        MailFlow::Out => &OUTBOUND,
        MailFlow::In => &INBOUND,
    }
}

impl Search<'_> {
    fn run(&mut self) -> Vec<Cluster> {
        let mut best: Vec<Option<Candidate>> =
            (0..self.views.len()).into_par_iter().map(|at| self.candidate(at)).collect();
        let mut clusters = Vec::new();
        while clusters.len() < MOST_STORMS {
            let score = |at: &usize| best.get(*at).and_then(Option::as_ref).map(|found| found.window.score);
            let found = (0..best.len()).filter(|at| score(at).is_some()).max_by(|a, b| {
                score(a).unwrap_or_default().total_cmp(&score(b).unwrap_or_default()).then(b.cmp(a))
            });
            let Some(at) = found else { break };
            let Some(candidate) = best.get_mut(at).and_then(Option::take) else { break };
            let (cluster, touched) = self.claim(at, &candidate);
            if let Some(cluster) = cluster {
                clusters.push(cluster);
            }
            let again: Vec<(usize, Option<Candidate>)> =
                touched.into_par_iter().map(|at| (at, self.candidate(at))).collect();
            for (at, candidate) in again {
                if let Some(place) = best.get_mut(at) {
                    *place = candidate;
                }
            }
        }
        clusters
    }

    /// The units of a view that no storm has yet.
    fn series(&self, at: usize) -> Option<UnitSeries> {
        let view = self.views.get(at)?;
        let is_free = |at: &u32| self.taken.get(*at as usize) == Some(&false);
        let is_usual = |unit: &EvidenceUnit| self.known.get(unit.at as usize) != Some(&true);
        let points = self.dataset.points;
        let units = if view.members.iter().all(is_free) {
            let weighed = view.members.iter().zip(&view.weights);
            let unit = |(&at, &weight): (&u32, &f64)| {
                let point = points.get(at as usize)?;
                Some(EvidenceUnit { minute: point.sample.minute, weight, events: point.weight, at })
            };
            weighed.filter_map(unit).collect()
        } else {
            let members: Vec<u32> = view.members.iter().copied().filter(is_free).collect();
            if (members.len() as f64) < LEAST_WEIGHT / 8.0 {
                return None;
            }
            units(points, self.groups, &members)
        };
        let series = UnitSeries::new(units, is_usual);
        (series.weight() >= LEAST_WEIGHT).then_some(series)
    }

    /// The best window of a view that nothing explains.
    fn candidate(&self, at: usize) -> Option<Candidate> {
        let key = self.views.get(at)?.key;
        let mut series = self.series(at)?;
        let living = &self.dataset.living;
        let count = self.model.windows(key);
        let clump = self.model.views.get(at)?.clump;
        let critical = |minutes: f64| self.sensitivity.critical_value(count, minutes);
        for _ in 0..MOST_EXPLAINED {
            let window = series
                .best(living, clump, critical, |content, least| self.exponent(at, content, 0.0, least))?;
            let range = series.range(window.from, window.to);
            let content = series.content((window.from, window.to), range, living);
            if let Some(found) = self.unexplained(at, &series, &window, &content) {
                return Some(found);
            }
            let is_outside = |minute: i32| !(window.from..window.to).contains(&minute);
            let left = series.units().iter().copied().filter(|unit| is_outside(unit.minute)).collect();
            series = UnitSeries::new(left, |unit| self.known.get(unit.at as usize) != Some(&true));
        }
        None
    }

    /// The exponent of a window, from which the volume test is left out if the time test is below `least` already. `mailing`
    /// is the number of failures that a mailing explains besides.
    fn exponent(&self, at: usize, content: &WindowContent, mailing: f64, least: f64) -> f64 {
        let clump = self.model.views.get(at).copied().unwrap_or_default().clump;
        let is_counted = self.views.get(at).is_some_and(|view| view.key.dimension.is_counted());
        let spread = if is_counted && self.dataset.is_by_minute { 1.0 } else { content.spread };
        let by_time = content.counts.against_time(clump, spread);
        if by_time <= least {
            return by_time;
        }
        let Some((weight, events)) = self.expected(at, content) else { return by_time };
        let weighed = against_volume(content.counts.inside, weight + mailing, clump, spread);
        let counted = against_volume(content.events, events + mailing, clump.max(LEAST_EVENT_CLUMP), spread);
        by_time.min(weighed.max(counted))
    }

    /// The weight and the events that as much mail usually brings. `None`: the view has no volume.
    fn expected(&self, at: usize, content: &WindowContent) -> Option<(f64, f64)> {
        let key = self.views.get(at)?.key;
        let share = self.model.views.get(at)?.share;
        let volume = self.model.volumes.of(key)?;
        if key.dimension == ViewDimension::Bounces {
            let own = BOUNCES_OF_FAILURE * self.bounced.between(content.from - 2, content.to);
            let all = volume.between(content.from - 2, content.to);
            return Some((own.max(share.weight * all), own.max(share.events * all)));
        }
        match key.flow {
            MailFlow::Out if !share.shows_volume() => None,
            MailFlow::Out => {
                let share = if key.dimension.is_author() { share.max(mailing_share(content)) } else { share };
                let volume = volume.between(content.from - key.dimension.lead(), content.to);
                Some((share.weight * volume, share.events * volume))
            }
            MailFlow::In => {
                let others = (volume.between(content.from, content.to) - content.events).max(0.0);
                Some((share.weight * others, share.events * others))
            }
        }
    }

    /// The candidate, unless the window recurs on other days or is a mailing.
    fn unexplained(
        &self,
        at: usize,
        series: &UnitSeries,
        window: &Window,
        content: &WindowContent,
    ) -> Option<Candidate> {
        let key = self.views.get(at)?.key;
        let by_time = content.counts.outside_rate() * content.counts.inside_minutes;
        let expected = self.expected(at, content).map_or(by_time, |(weight, _)| by_time.max(weight));
        if recurs(series, window, expected) {
            return None;
        }
        let (start, end) = series.range(window.from, window.to);
        let members = series.units().get(start..end)?;
        let inside: Vec<&WeightedEvent> =
            members.iter().filter_map(|unit| self.dataset.points.get(unit.at as usize)).collect();
        if key.dimension == ViewDimension::Exchange && answered(&inside) <= 0.9 {
            return None;
        }
        let mailing = self.mailing(key, &inside, content);
        if mailing > 0.0 {
            let needed =
                self.sensitivity.critical_value(self.model.windows(key), f64::from(window.to - window.from));
            if self.exponent(at, content, mailing, needed) <= needed {
                return None;
            }
        }
        let living = &self.dataset.living;
        let minutes = living.between(window.first, window.last + 1).max(1.0);
        let (rate, usual) = (content.counts.inside / minutes, expected / content.counts.inside_minutes);
        let per_unit = series.events() / series.weight().max(1e-9);
        let (first, last) = edges(series, (window.from, window.to), (rate, usual), living);
        Some(Candidate {
            window: *window,
            first,
            last,
            usual: UsualCount { per_minute: usual * per_unit, is_by_day: living.total() >= 2.0 * 1440.0 },
        })
    }

    /// The failures that the mail of the window's main sender explains. 0: no sender has so much of it, or the view is
    /// that of authors, whose volume is judged already.
    fn mailing(&self, key: ViewKey, inside: &[&WeightedEvent], content: &WindowContent) -> f64 {
        if key.flow == MailFlow::In || key.dimension.is_author() || key.dimension == ViewDimension::Bounces {
            return 0.0;
        }
        let mut sums: HashMap<FactorValue, f64, FixedState> = HashMap::default();
        let mut whole = 0.0;
        for point in inside {
            whole += point.weight;
            *sums.entry(point.value(Dimension::Sender)).or_default() += point.weight;
        }
        let most = sums.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let main = most.filter(|(sender, weight)| *sender > 0 && *weight >= MAIN_SENDER * whole);
        let Some((sender, _)) = main else { return 0.0 };
        let span = (content.from - ViewDimension::Sender.lead(), content.to);
        let share = self.model.overall_share().max(mailing_share(content)).weight;
        share * self.model.volumes.of_sender(self.dataset.points, sender, span)
    }

    /// Makes a candidate a storm. Returns it, and the views that lost events.
    fn claim(&mut self, at: usize, candidate: &Candidate) -> (Option<Cluster>, Vec<usize>) {
        let Some(key) = self.views.get(at).map(|view| view.key) else { return (None, Vec::new()) };
        let span = candidate.first..=candidate.last;
        let mut members: Vec<usize> = Vec::new();
        let start = self.dataset.points.partition_point(|point| point.sample.minute < candidate.first);
        let special =
            |view: &View| matches!(view.key.dimension, ViewDimension::Bounces | ViewDimension::Exchange);
        let of_view = self.views.get(at).filter(|view| special(view));
        if let Some(view) = of_view {
            let is_inside = |at: &usize| {
                self.dataset.points.get(*at).is_some_and(|point| span.contains(&point.sample.minute))
            };
            members.extend(view.members.iter().map(|&at| at as usize).filter(is_inside));
        } else {
            let later = self.dataset.points.iter().enumerate().skip(start);
            for (at, point) in later.take_while(|(_, point)| span.contains(&point.sample.minute)) {
                let counts = point.flow == key.flow && point.is_failure && (point.is_retry || point.is_unit);
                if counts && ViewKey::of(point, key.dimension, self.networks, self.null_sender) == Some(key) {
                    members.push(at);
                }
            }
        }
        members.retain(|&at| self.taken.get(at) == Some(&false));
        let mut touched: Vec<usize> = vec![at];
        for &member in &members {
            if let Some(taken) = self.taken.get_mut(member) {
                *taken = true;
            }
            let Some(point) = self.dataset.points.get(member) else { continue };
            for &dimension in dimensions(point.flow) {
                let key = ViewKey::of(point, dimension, self.networks, self.null_sender);
                touched.extend(key.and_then(|key| self.index.get(&key).copied()));
            }
        }
        touched.extend((0..self.views.len()).filter(|&at| self.views.get(at).is_some_and(&special)));
        touched.sort_unstable();
        touched.dedup();
        let cluster = (!members.is_empty()).then_some(Cluster {
            flow: key.flow,
            members,
            first: candidate.first,
            last: candidate.last,
            usual: candidate.usual,
            score: candidate.window.score,
            view: key,
        });
        (cluster, touched)
    }
}
