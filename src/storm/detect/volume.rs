//! Measures the volume of mail, against which failures are judged: a mailing brings failures, and is no storm.

use std::sync::OnceLock;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::curve::Curve;
use super::evidence_table::EvidenceUnit;
use super::living_time::LivingTime;
use super::view::{ViewDimension, ViewKey};
use crate::report::storm::Dimension;
use crate::smtp::event::Outcome;
use crate::storm::sample::points::{FactorValue, MailFlow, WeightedEvent};

/// The log is cut into this many parts of equal living time; the median of their shares is the ordinary one, so that a storm
/// does not count.
const PARTS: usize = 24;
/// A part with less mail than this shows no share.
const LEAST_IN_PART: f64 = 5.0;
/// If more than this share of all mail fails ordinarily, the log does not show deliveries, and volume says nothing.
const LARGEST_SHARE: f64 = 0.6;
/// Failures for each recipient that are ordinary in a mailing; mailing providers object from about twice as many on.
pub(crate) const MAILING_SHARE: f64 = 0.04;

/// The dimensions in which the volume of single values is known.
const DIMENSIONS: [Dimension; 8] = [
    Dimension::Provider,
    Dimension::Domain,
    Dimension::Relay,
    Dimension::Recipient,
    Dimension::Sender,
    Dimension::User,
    Dimension::Client,
    Dimension::Instance,
];

/// The place of a dimension in [`DIMENSIONS`].
fn index(dimension: Dimension) -> Option<usize> {
    DIMENSIONS.iter().position(|&other| other == dimension)
}

/// The first handling of each recipient of each message, good or bad; and the rejections. Few windows are judged by their
/// volume, so each curve is drawn when it is needed first.
pub(crate) struct Volumes<'a> {
    points: &'a [WeightedEvent],
    /// Events of storms that are known. Empty: no storm is known.
    known: &'a [bool],
    /// The values of each of [`DIMENSIONS`] that views are about, in ascending order.
    values: [Vec<FactorValue>; DIMENSIONS.len()],
    by_value: [OnceLock<HashMap<FactorValue, Curve, FixedState>>; DIMENSIONS.len()],
    out: OnceLock<Curve>,
    rejected: OnceLock<Curve>,
    bounced: OnceLock<Curve>,
}

/// The first handling of a recipient of a message: its delivery at last is a second one.
pub(crate) fn is_trial(point: &WeightedEvent) -> bool {
    point.flow == MailFlow::Out && !point.is_retry && (point.sample.series.is_served() || point.is_failure)
}

/// The curve of some of the points.
fn curve(points: &[WeightedEvent], is_inside: impl Fn(&WeightedEvent) -> bool) -> Curve {
    let inside = points.iter().filter(|point| is_inside(point));
    Curve::new(inside.map(|point| (point.sample.minute, point.weight)))
}

impl<'a> Volumes<'a> {
    /// The volumes of all mail, and of each value that one of these views is about.
    pub(crate) fn new(
        points: &'a [WeightedEvent],
        views: impl Iterator<Item = ViewKey>,
        known: &'a [bool],
    ) -> Self {
        let mut values: [Vec<FactorValue>; DIMENSIONS.len()] = Default::default();
        for view in views.filter(|view| view.flow == MailFlow::Out) {
            let values = view.dimension.of_values().and_then(|dimension| values.get_mut(index(dimension)?));
            if let Some(values) = values {
                values.push(view.value);
            }
        }
        for values in &mut values {
            values.sort_unstable();
            values.dedup();
        }
        Self {
            points,
            known,
            values,
            by_value: Default::default(),
            out: OnceLock::new(),
            rejected: OnceLock::new(),
            bounced: OnceLock::new(),
        }
    }

    /// The volume of a value that a view is about.
    fn of_value(&self, dimension: Dimension, value: FactorValue) -> Option<&Curve> {
        let at = index(dimension)?;
        let curves = self.by_value.get(at)?.get_or_init(|| self.curves(dimension, self.values.get(at)));
        curves.get(&value)
    }

    fn curves(
        &self,
        dimension: Dimension,
        values: Option<&Vec<FactorValue>>,
    ) -> HashMap<FactorValue, Curve, FixedState> {
        let values = values.map(Vec::as_slice).unwrap_or_default();
        let Some(largest) = values.last() else { return HashMap::default() };
        // Names and providers are small numbers.
        let mut index = vec![u32::MAX; *largest as usize + 1];
        for (at, value) in (0..).zip(values) {
            if let Some(index) = index.get_mut(*value as usize) {
                *index = at;
            }
        }
        let mut curves = vec![Curve::default(); values.len()];
        for point in self.points.iter().filter(|point| is_trial(point)) {
            let at = index.get(point.value(dimension) as usize).copied().unwrap_or(u32::MAX);
            if let Some(curve) = curves.get_mut(at as usize) {
                curve.push(point.sample.minute, point.weight);
            }
        }
        values.iter().copied().zip(curves).collect()
    }

    /// The first handling of all deliveries.
    pub(crate) fn out(&self) -> &Curve {
        self.out.get_or_init(|| curve(self.points, is_trial))
    }

    /// The bounced deliveries of the log.
    pub(crate) fn bounced(&self) -> &Curve {
        let is_bounced = |point: &WeightedEvent| {
            point.flow == MailFlow::Out && point.sample.series.outcome == Outcome::Bounced
        };
        self.bounced.get_or_init(|| curve(self.points, is_bounced))
    }

    /// The rejections that belong to no known storm: what one storm rejects does not explain another.
    fn rejected(&self) -> &Curve {
        let all = || {
            let is_known = |at: usize| self.known.get(at) == Some(&true);
            let rejected = self.points.iter().enumerate().filter(|(at, point)| {
                point.flow == MailFlow::In && !point.sample.series.is_served() && !is_known(*at)
            });
            Curve::new(rejected.map(|(_, point)| (point.sample.minute, point.weight)))
        };
        self.rejected.get_or_init(all)
    }

    /// The mail of which a view's failures are a part: for deliveries that of its value, for rejections all rejections.
    /// `None`: the view has no volume.
    pub(crate) fn of(&self, key: ViewKey) -> Option<&Curve> {
        match (key.flow, key.dimension) {
            (_, ViewDimension::Exchange) => None,
            (_, ViewDimension::Bounces) => Some(self.out()),
            (MailFlow::In, _) => Some(self.rejected()),
            (MailFlow::Out, dimension) => match dimension.of_values() {
                Some(values) => self.of_value(values, key.value),
                None => Some(self.out()),
            },
        }
    }

    /// The mail of one sender from minute `from` on and before `to`, to `site` if that is given.
    pub(crate) fn of_sender(
        &self,
        sender: FactorValue,
        (from, to): (i32, i32),
        site: Option<(Dimension, FactorValue)>,
    ) -> f64 {
        if let (None, Some(curve)) = (site, self.of_value(Dimension::Sender, sender)) {
            return curve.between(from, to);
        }
        let start = self.points.partition_point(|point| point.sample.minute < from);
        let inside = self.points.iter().skip(start).take_while(|point| point.sample.minute < to);
        let own = inside.filter(|point| {
            is_trial(point)
                && point.value(Dimension::Sender) == sender
                && site.is_none_or(|(dimension, value)| point.value(dimension) == value)
        });
        own.map(|point| point.weight).sum()
    }

    /// The minutes of the mail of each recipient, in the order of time.
    pub(crate) fn by_recipient(&self) -> Vec<Vec<i32>> {
        let mail = |point: &&WeightedEvent| is_trial(point) && point.value(Dimension::Recipient) != 0;
        let mut places: HashMap<FactorValue, usize, FixedState> = HashMap::default();
        let mut mails: Vec<Vec<i32>> = Vec::new();
        for point in self.points.iter().filter(mail) {
            let place = *places.entry(point.value(Dimension::Recipient)).or_insert(mails.len());
            if place == mails.len() {
                mails.push(Vec::new());
            }
            if let Some(mail) = mails.get_mut(place) {
                mail.push(point.sample.minute);
            }
        }
        mails
    }

    /// Whether any mail with this value was delivered.
    pub(crate) fn is_alive(&self, (dimension, value): (Dimension, FactorValue)) -> bool {
        let is_delivered =
            |point: &WeightedEvent| point.flow == MailFlow::Out && point.sample.series.is_served();
        self.points.iter().any(|point| is_delivered(point) && point.value(dimension) == value)
    }
}

/// The part of the log that a minute belongs to.
pub(crate) fn part_of(living: &LivingTime, minute: i32) -> usize {
    living.part(minute, PARTS)
}

/// The usual number of failures for each recipient of the volume.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub(crate) struct OrdinaryShare {
    /// As weights of evidence, and as events.
    pub weight: f64,
    pub events: f64,
}

/// The weights of evidence and the events of a view in each part of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartSums([(f64, f64); PARTS]);

impl PartSums {
    pub(crate) fn of(units: &[EvidenceUnit], living: &LivingTime) -> Self {
        let mut sums = [(0.0, 0.0); PARTS];
        for unit in units {
            if let Some((weight, events)) = sums.get_mut(living.part(unit.minute, PARTS)) {
                *weight += unit.weight;
                *events += unit.events;
            }
        }
        Self(sums)
    }
}

/// The first minute of each part of the log, and the minute after the last part.
pub(crate) fn part_bounds(living: &LivingTime) -> Vec<i32> {
    living.bounds(PARTS)
}

/// The share of a view in each part of the log.
#[derive(Clone, Debug)]
pub(crate) struct PartShares {
    /// Volume, weights of evidence and events.
    parts: [(f64, f64, f64); PARTS],
    /// Indices of the parts with enough mail, by their share of events, and by that of weights: windows are many, and each
    /// leaves out a few parts.
    by_events: Vec<usize>,
    by_weight: Vec<usize>,
    /// The share of the whole log.
    whole: Option<OrdinaryShare>,
}

/// The share of all these parts together. `None`: they have too little mail.
fn pooled(parts: impl Iterator<Item = (f64, f64, f64)>) -> Option<OrdinaryShare> {
    let sum = parts.fold((0.0, 0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
    let share = OrdinaryShare { weight: sum.1 / sum.0, events: sum.2 / sum.0 };
    (sum.0 >= LEAST_IN_PART).then_some(share)
}

impl PartShares {
    /// The parts begin at `bounds`. For rejections the volume is that of the other rejections, so it comes without the
    /// view's own.
    pub(crate) fn new(failures: &PartSums, volume: &Curve, flow: MailFlow, bounds: &[i32]) -> Self {
        let mut parts = [(0.0, 0.0, 0.0); PARTS];
        let sums = volume.between_each(bounds).into_iter().zip(failures.0);
        for (part, (whole, (weight, events))) in parts.iter_mut().zip(sums) {
            let volume = match flow {
                MailFlow::Out => whole,
                MailFlow::In => whole - events,
            };
            *part = (volume.max(0.0), weight, events);
        }
        Self::of(&parts)
    }

    fn of(parts: &[(f64, f64, f64); PARTS]) -> Self {
        let part = |at: &usize| parts.get(*at).copied().unwrap_or_default();
        let events = |at: &usize| part(at).2 / part(at).0;
        let weight = |at: &usize| part(at).1 / part(at).0;
        let full = (0..PARTS).filter(|at| part(at).0 >= LEAST_IN_PART);
        let mut by_events: Vec<usize> = full.collect();
        let mut by_weight = by_events.clone();
        by_events.sort_by(|a, b| events(a).total_cmp(&events(b)).then(part(a).1.total_cmp(&part(b).1)));
        by_weight.sort_by(|a, b| weight(a).total_cmp(&weight(b)));
        let shares = Self { parts: *parts, by_events, by_weight, whole: None };
        Self { whole: shares.without(|_| false), ..shares }
    }

    /// The median share over the parts of the log, without the first to the last part of the window that is judged, so that
    /// it does not explain itself. If all parts have little mail, it is the share of all of them together, and if most have no
    /// failures, that of the three quarters with the fewest. `None`: there is too little mail.
    pub(crate) fn outside(&self, window: Option<(usize, usize)>) -> Option<OrdinaryShare> {
        match window {
            Some((first, last)) => self.without(|at| (first..=last).contains(&at)),
            None => self.whole,
        }
    }

    fn without(&self, is_inside: impl Fn(usize) -> bool) -> Option<OrdinaryShare> {
        let outside = |at: &usize| if is_inside(*at) { None } else { self.parts.get(*at).copied() };
        let count = self.by_events.iter().filter_map(outside).count();
        let Some(middle) = self.by_events.iter().filter_map(outside).nth(count / 2) else {
            return pooled((0..PARTS).filter_map(|at| outside(&at)));
        };
        if middle.2 == 0.0 {
            // Failures are so rare that most parts have none; the parts with the most may be a storm.
            return pooled(self.by_events.iter().filter_map(outside).take(count - count / 4));
        }
        let by_weight = self.by_weight.iter().filter_map(outside).nth(count / 2)?;
        Some(OrdinaryShare { weight: by_weight.1 / by_weight.0, events: middle.2 / middle.0 })
    }
}

impl OrdinaryShare {
    pub(crate) fn max(self, other: Self) -> Self {
        Self { weight: self.weight.max(other.weight), events: self.events.max(other.events) }
    }

    /// Whether failures can be judged by the volume at all.
    pub(crate) fn shows_volume(self) -> bool {
        self.events <= LARGEST_SHARE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::sample::line_minutes::LineMinutes;

    #[test]
    fn the_share_of_a_storm_is_not_the_ordinary_one() {
        let mut lines = LineMinutes::default();
        (0..2400).for_each(|minute| lines.add(minute));
        let living = LivingTime::new(&lines, 0, 2399);
        let volume = Curve::new((0..2400).map(|minute| (minute, 2.0)));
        let unit = |minute, weight, events| EvidenceUnit { minute, weight, events, at: 0 };
        let mut failures: Vec<EvidenceUnit> =
            (0..2400).step_by(20).map(|minute| unit(minute, 1.0, 1.0)).collect();
        failures.extend((1000..1200).map(|minute| unit(minute, 0.5, 2.0)));
        let failures = PartSums::of(&failures, &living);
        let parts = PartShares::new(&failures, &volume, MailFlow::Out, &part_bounds(&living));
        let share = parts.outside(None).unwrap();
        assert!((share.weight - 0.025).abs() < 1e-9 && (share.events - 0.025).abs() < 1e-9, "{share:?}");
    }

    #[test]
    fn a_value_with_mail_in_the_window_only_has_no_share_of_its_own() {
        let mut parts = [(0.0, 0.0, 0.0); PARTS];
        parts[7] = (40.0, 40.0, 40.0);
        assert_eq!(PartShares::of(&parts).outside(Some((7, 7))), None);
        parts[2] = (3.0, 3.0, 3.0);
        parts[20] = (3.0, 3.0, 3.0);
        let share = PartShares::of(&parts).outside(Some((7, 7))).unwrap();
        assert!((share.events - 1.0).abs() < 1e-9, "a site that is always dead: {share:?}");
    }
}
