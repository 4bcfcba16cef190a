//! Searches all views for storms, and assigns each event to one of them.
//!
//! The algorithm is greedy: the least probable window of all views becomes a storm and takes its events away from all other
//! views. So each storm is found in the view that describes it best, and two storms at the same time are kept apart. Then
//! what is usual is estimated once more without the storms, and everything is searched a second time.

use std::cell::OnceCell;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use rayon::prelude::*;

use super::curve::Curve;
use super::dataset::{Cluster, Dataset, UsualCount};
use super::edges::edges;
use super::evidence_table::{EvidenceTable, EvidenceUnit, Weigher};
use super::grid::{LEAST_WEIGHT, Sensitivity};
use super::likelihood::{LEAST_RATIO, WindowCounts, against_volume};
use super::listing::join_listings;
use super::mail_loop::answered;
use super::merge::merge_clusters;
use super::model::{BOUNCES_OF_FAILURE, Model, ViewShare};
use super::recurrence::recurs;
use super::view::{INBOUND, Networks, OUTBOUND, ViewDimension, ViewKey};
use super::views::{View, ViewSource, Views};
use super::volume::{MAILING_SHARE, OrdinaryShare};
use super::window::{UnitSeries, Window, WindowContent};
use crate::catalog::ReasonKin;
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
    source: &'a ViewSource<'a>,
    views: &'a Views,
    model: Model<'a>,
    /// Events of storms that an earlier search found; they do not show what is usual. Empty: there are none.
    known: &'a [bool],
    /// Events of storms that this search found.
    taken: Vec<bool>,
}

/// Memory that is used for one view after another.
struct Scratch<'a> {
    weigher: Weigher<'a>,
    series: UnitSeries,
}

/// A view whose windows are judged.
struct ViewWindows<'a> {
    at: usize,
    view: &'a View,
    /// Looked up for the first window that needs it.
    mail: OnceCell<Option<ViewMail<'a>>>,
}

/// The mail by which the failures of a view are judged.
struct ViewMail<'a> {
    volume: &'a Curve,
    share: ViewShare<'a>,
    /// The bounces of all mail. `None`: the view is not that of bounces.
    bounced: Option<&'a Curve>,
}

/// The share of failures that a mailing usually has. It is not raised again: it is the upper end of what is ordinary.
fn mailing_share(content: &WindowContent) -> OrdinaryShare {
    let events = MAILING_SHARE / LEAST_RATIO;
    OrdinaryShare { weight: events * (content.counts.inside / content.events.max(1e-9)).min(1.0), events }
}

/// Whether a mailing brings failures of this kin besides those of all mail: lists hold addresses and sites that are gone. `None`
/// stands for all kins.
fn brings_failures(kin: Option<ReasonKin>) -> bool {
    kin.is_none_or(|kin| match kin {
        ReasonKin::DeadAddress
        | ReasonKin::FullMailbox
        | ReasonKin::Network
        | ReasonKin::Dns
        | ReasonKin::ServerTrouble
        | ReasonKin::Unclear => true,
        ReasonKin::Listing
        | ReasonKin::OwnIdentity
        | ReasonKin::FullDisk
        | ReasonKin::Limit
        | ReasonKin::Tls
        | ReasonKin::Loop
        | ReasonKin::Content
        | ReasonKin::Login
        | ReasonKin::Greylisting => false,
    })
}

/// All storms except silences, in no order. `null_sender` is the value of the null sender; 0: no event has it.
pub(crate) fn storms(
    dataset: &Dataset,
    names: &NumberedNames,
    null_sender: FactorValue,
    sensitivity: Sensitivity,
) -> Vec<Cluster> {
    let (networks, table) = (Networks::new(dataset.points, names), EvidenceTable::new(dataset.points));
    let source = ViewSource::new(dataset, &networks, &table, null_sender);
    let (mut clusters, known) = pass(&source, &[], sensitivity);
    if !clusters.is_empty() {
        (clusters, _) = pass(&source, &known, sensitivity);
    }
    merge_clusters(dataset, join_listings(dataset, clusters))
}

/// One search of all views. Returns the storms, and which events are theirs.
fn pass(source: &ViewSource, known: &[bool], sensitivity: Sensitivity) -> (Vec<Cluster>, Vec<bool>) {
    let views = source.views(known);
    let mut search = Search {
        dataset: source.dataset,
        source,
        views: &views,
        model: Model::new(source, &views, known, sensitivity),
        known,
        taken: vec![false; source.dataset.points.len()],
    };
    let clusters = search.run();
    (clusters, search.taken)
}

fn dimensions(flow: MailFlow) -> &'static [ViewDimension] {
    match flow {
        MailFlow::Out => &OUTBOUND,
        MailFlow::In => &INBOUND,
    }
}

impl Search<'_> {
    fn run(&mut self) -> Vec<Cluster> {
        let scratch = || Scratch { weigher: Weigher::new(self.source.table), series: UnitSeries::default() };
        let all = 0..self.views.all.len();
        let mut best: Vec<Option<Candidate>> =
            all.into_par_iter().map_init(scratch, |scratch, at| self.candidate(at, scratch)).collect();
        let mut clusters = Vec::new();
        while clusters.len() < MOST_STORMS {
            let score = |at: &usize| best.get(*at).and_then(Option::as_ref).map(|found| found.window.score);
            let found = (0..best.len()).filter(|at| score(at).is_some()).max_by(|a, b| {
                score(a).unwrap_or_default().total_cmp(&score(b).unwrap_or_default()).then(b.cmp(a))
            });
            let Some(at) = found.map(|at| self.without_mixture(at, &best)) else { break };
            let Some(candidate) = best.get_mut(at).and_then(Option::take) else { break };
            let (cluster, touched) = self.claim(at, &candidate);
            if let Some(cluster) = cluster {
                clusters.push(cluster);
            }
            let candidate = |scratch: &mut Scratch, at| (at, self.candidate(at, scratch));
            let again = touched.into_par_iter().map_init(scratch, candidate);
            let again: Vec<(usize, Option<Candidate>)> = again.collect();
            for (at, candidate) in again {
                if let Some(place) = best.get_mut(at) {
                    *place = candidate;
                }
            }
        }
        clusters
    }

    /// The view whose candidate is taken where that of `at` is the best one. A candidate of all failures may be two storms at
    /// once: if the kins of reasons explain its events better one by one, the best other view is taken first.
    fn without_mixture(&self, at: usize, best: &[Option<Candidate>]) -> usize {
        let key = |at: usize| self.views.all.get(at).map(|view| view.key);
        let is_of = |at: usize, dimension| {
            key(at).is_some_and(|key| key.flow == MailFlow::Out && key.dimension == dimension)
        };
        let Some(all) = best.get(at).and_then(Option::as_ref).filter(|_| is_of(at, ViewDimension::All))
        else {
            return at;
        };
        let others = || {
            let candidates = best.iter().enumerate().filter(|(other, _)| *other != at);
            candidates.filter_map(|(other, found)| {
                let found =
                    found.as_ref().filter(|found| found.first <= all.last && all.first <= found.last)?;
                Some((other, found.window.score))
            })
        };
        let kins: f64 =
            others().filter(|(other, _)| is_of(*other, ViewDimension::Kin)).map(|(_, score)| score).sum();
        let best = others().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        best.filter(|_| kins > all.window.score).map_or(at, |(other, _)| other)
    }

    /// Gathers the units of a view that no storm has yet. `None`: they are too few.
    fn gather(&self, view: &View, scratch: &mut Scratch) -> Option<()> {
        let is_free = |at: &u32| self.taken.get(*at as usize) == Some(&false);
        let Scratch { weigher, series } = scratch;
        let free = view.members.iter().filter(|at| is_free(at)).count();
        if free == view.members.len() {
            let weighed = |units: &mut Vec<EvidenceUnit>| {
                units.clear();
                units.reserve(view.members.len());
                for (&at, &weight) in view.members.iter().zip(&view.weights) {
                    let Some(row) = self.source.table.row(at) else { continue };
                    units.push(EvidenceUnit { minute: row.minute, weight, events: row.weight, at });
                }
            };
            series.change_units(weighed, |unit| self.is_usual(unit));
        } else {
            if (free as f64) < LEAST_WEIGHT / 8.0 {
                return None;
            }
            let free = view.members.iter().copied().filter(is_free);
            series.change_units(|units| weigher.weigh(free, units), |unit| self.is_usual(unit));
        }
        (series.weight() >= LEAST_WEIGHT * self.dataset.spread(series.units())).then_some(())
    }

    fn is_usual(&self, unit: &EvidenceUnit) -> bool {
        self.known.get(unit.at as usize) != Some(&true)
    }

    /// The best window of a view that nothing explains.
    fn candidate(&self, at: usize, scratch: &mut Scratch) -> Option<Candidate> {
        let view = self.views.all.get(at)?;
        self.gather(view, scratch)?;
        let series = &mut scratch.series;
        let of = ViewWindows { at, view, mail: OnceCell::new() };
        let living = &self.dataset.living;
        let critical = self.model.critical_values(view.key);
        let is_exact = view.key.dimension.is_counted() && self.dataset.is_by_minute;
        for _ in 0..MOST_EXPLAINED {
            let exponent = |content: &WindowContent, least: f64| self.exponent(&of, content, 0.0, least);
            let least_spread = if is_exact { 1.0 } else { series.least_spread() };
            let window = series.best(living, (view.clump, least_spread), critical, exponent)?;
            let content = series.content((window.from, window.to), living);
            if let Some(found) = self.unexplained(&of, series, &window, &content) {
                return Some(found);
            }
            let is_outside = |unit: &EvidenceUnit| !(window.from..window.to).contains(&unit.minute);
            series.change_units(|units| units.retain(is_outside), |unit| self.is_usual(unit));
        }
        None
    }

    /// The exponent of a window, from which the volume test is left out if the time test is below `least` already. `mailing`
    /// is the number of failures that a mailing explains besides.
    fn exponent<'s>(
        &'s self,
        of: &ViewWindows<'s>,
        content: &WindowContent,
        mailing: f64,
        least: f64,
    ) -> f64 {
        let View { key, clump, .. } = *of.view;
        let spread =
            if key.dimension.is_counted() && self.dataset.is_by_minute { 1.0 } else { content.spread };
        let by_time = content.counts.against_time(clump, spread);
        if by_time <= least {
            return by_time;
        }
        let Some((weight, events)) = self.expected(of, content) else { return by_time };
        let weighed = against_volume(content.counts.inside, weight + mailing, clump, spread);
        let counted = against_volume(content.events, events + mailing, clump.max(LEAST_EVENT_CLUMP), spread);
        by_time.min(weighed.max(counted))
    }

    /// The weight and the events that as much mail usually brings. `None`: the view has no volume.
    fn expected<'s>(&'s self, of: &ViewWindows<'s>, content: &WindowContent) -> Option<(f64, f64)> {
        let ViewMail { volume, share, bounced } = of.mail.get_or_init(|| self.mail(of.at)).as_ref()?;
        let (key, from, to) = (of.view.key, content.from, content.to);
        let share = share.for_window((from, to));
        if let Some(bounced) = bounced {
            let own = BOUNCES_OF_FAILURE * bounced.between(from - 2, to);
            let all = volume.between(from - 2, to);
            return Some((own.max(share.weight * all), own.max(share.events * all)));
        }
        match key.flow {
            MailFlow::Out => {
                let share = if key.dimension.is_author() { share.max(mailing_share(content)) } else { share };
                let volume = volume.between(from - key.dimension.lead(), to);
                Some((share.weight * volume, share.events * volume))
            }
            MailFlow::In => {
                let others = (volume.between(from, to) - content.usual_events).max(0.0);
                Some((share.weight * others, share.events * others))
            }
        }
    }

    /// The mail by which the failures of a view are judged. `None`: the view has no volume.
    fn mail(&self, at: usize) -> Option<ViewMail<'_>> {
        let key = self.views.all.get(at)?.key;
        let volume = self.model.volumes.of(key)?;
        let is_of_bounces = key.dimension == ViewDimension::Bounces;
        let is_judged =
            is_of_bounces || key.flow == MailFlow::In || self.model.general_share(None).shows_volume();
        let bounced = is_of_bounces.then(|| self.model.volumes.bounced());
        is_judged.then_some(ViewMail { volume, share: self.model.share(at)?, bounced })
    }

    /// The candidate, unless the window recurs on other days or is a mailing.
    fn unexplained<'s>(
        &'s self,
        of: &ViewWindows<'s>,
        series: &UnitSeries,
        window: &Window,
        content: &WindowContent,
    ) -> Option<Candidate> {
        let key = of.view.key;
        let by_time = content.counts.outside_rate() * content.counts.inside_minutes;
        let expected = self.expected(of, content).map_or(by_time, |(weight, _)| by_time.max(weight));
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
        let needed = self.model.critical_values(key).of(window.to - window.from);
        let mailing = self.mailing(key, &inside, content);
        if mailing > 0.0 && self.exponent(of, content, mailing, needed) <= needed {
            return None;
        }
        if self.mail_to_full_mailbox(of.view, &inside, content).is_some_and(|exponent| exponent <= needed) {
            return None;
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
        let ordinary = self.model.general_share(key.kin);
        let share = if brings_failures(key.kin) { ordinary.max(mailing_share(content)) } else { ordinary };
        // Mail to other sites does not explain why one fails that takes mail at other times.
        let site = key.dimension.of_values().map(|dimension| (dimension, key.value));
        let site = site.filter(|site| self.model.volumes.is_alive(*site));
        share.weight * self.model.volumes.of_sender(sender, span, site)
    }

    /// The exponent of the amount of mail to the mailbox of a view, if most of the window is about its being full. `None`: it
    /// is about something else.
    fn mail_to_full_mailbox(
        &self,
        view: &View,
        inside: &[&WeightedEvent],
        content: &WindowContent,
    ) -> Option<f64> {
        if view.key.dimension != ViewDimension::Recipient {
            return None;
        }
        let weight = |is_counted: fn(&WeightedEvent) -> bool| -> f64 {
            inside.iter().filter(|point| is_counted(point)).map(|point| point.weight).sum()
        };
        if weight(|point| point.kin == Some(ReasonKin::FullMailbox)) * 2.0 < weight(|_| true) {
            return None;
        }
        let (mail, all) = (self.model.volumes.of(view.key)?, self.model.volumes.out());
        let WindowContent { from, to, counts, spread, .. } = *content;
        let (inside, all_inside) = (mail.between(from, to), all.between(from, to));
        let counts = WindowCounts { inside, outside: mail.total() - inside, ..counts };
        let share = (counts.outside + 1.0) / (all.total() - all_inside).max(1.0);
        let clump = view.clump.max(self.model.mail_clump());
        let by_volume = against_volume(inside, share * (all_inside - inside), clump, spread);
        Some(by_volume.min(counts.against_time(clump, spread)))
    }

    /// The view of a dimension to which an event belongs.
    fn key(&self, point: &WeightedEvent, dimension: ViewDimension) -> Option<ViewKey> {
        ViewKey::of(point, dimension, self.source.networks, self.source.null_sender)
    }

    /// Makes a candidate a storm. Returns it, and the views that lost events.
    fn claim(&mut self, at: usize, candidate: &Candidate) -> (Option<Cluster>, Vec<usize>) {
        let Some(key) = self.views.all.get(at).map(|view| view.key) else { return (None, Vec::new()) };
        let span = candidate.first..=candidate.last;
        let mut members: Vec<usize> = Vec::new();
        let start = self.dataset.points.partition_point(|point| point.sample.minute < candidate.first);
        let special =
            |view: &View| matches!(view.key.dimension, ViewDimension::Bounces | ViewDimension::Exchange);
        let of_view = self.views.all.get(at).filter(|view| special(view));
        if let Some(view) = of_view {
            let is_inside = |at: &usize| {
                self.dataset.points.get(*at).is_some_and(|point| span.contains(&point.sample.minute))
            };
            members.extend(view.members.iter().map(|&at| at as usize).filter(is_inside));
        } else {
            let later = self.dataset.points.iter().enumerate().skip(start);
            for (at, point) in later.take_while(|(_, point)| span.contains(&point.sample.minute)) {
                let counts = point.flow == key.flow && point.is_failure && (point.is_retry || point.is_unit);
                if counts && self.key(point, key.dimension) == Some(key) {
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
                touched.extend(self.key(point, dimension).and_then(|key| self.views.find(key)));
            }
        }
        touched.extend((0..self.views.all.len()).filter(|&at| self.views.all.get(at).is_some_and(&special)));
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
