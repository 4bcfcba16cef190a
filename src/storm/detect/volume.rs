//! Measures the volume of mail, against which failures are judged: a mailing brings failures, and is no storm.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::curve::Curve;
use super::living_time::LivingTime;
use super::view::{ViewDimension, ViewKey};
use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, MailFlow, WeightedEvent};

/// The log is cut into this many parts of equal living time; the median of their shares is the ordinary one, so that a storm
/// does not count.
const PARTS: usize = 24;
/// A part with less mail than this shows no share.
const LEAST_IN_PART: f64 = 5.0;
/// If more than this share of the mail fails ordinarily, the log does not show deliveries, and volume says nothing.
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

/// The first handling of each recipient of each message, good or bad; and the rejections.
pub(crate) struct Volumes {
    out: Curve,
    rejected: Curve,
    by_value: HashMap<(Dimension, FactorValue), Curve, FixedState>,
}

impl Volumes {
    /// The volumes of all mail, and of each value of a unit.
    pub(crate) fn new(points: &[WeightedEvent]) -> Self {
        let is_trial = |point: &&WeightedEvent| {
            point.flow == MailFlow::Out && (point.series.is_served() || point.is_failure && !point.is_retry)
        };
        let mut by_value = HashMap::default();
        for dimension in DIMENSIONS {
            let mut weights: HashMap<FactorValue, Vec<(i32, f32)>, FixedState> = HashMap::default();
            for point in points.iter().filter(|point| point.flow == MailFlow::Out && point.is_unit()) {
                weights.entry(point.value(dimension)).or_default();
            }
            weights.remove(&0);
            for point in points.iter().filter(is_trial) {
                if let Some(weights) = weights.get_mut(&point.value(dimension)) {
                    weights.push((point.sample.minute, point.weight as f32));
                }
            }
            by_value.extend(weights.into_iter().map(|(value, weights)| {
                let weights = weights.into_iter().map(|(minute, weight)| (minute, f64::from(weight)));
                ((dimension, value), Curve::new(weights))
            }));
        }
        let weight = |point: &WeightedEvent| (point.sample.minute, point.weight);
        let is_rejected = |point: &&WeightedEvent| point.flow == MailFlow::In && !point.series.is_served();
        Self {
            out: Curve::new(points.iter().filter(is_trial).map(weight)),
            rejected: Curve::new(points.iter().filter(is_rejected).map(weight)),
            by_value,
        }
    }

    /// The mail of which a view's failures are a part: for deliveries that of its value, for rejections all rejections.
    /// `None`: the view has no volume.
    pub(crate) fn of(&self, key: ViewKey) -> Option<&Curve> {
        match (key.flow, key.dimension) {
            (_, ViewDimension::Exchange) => None,
            (_, ViewDimension::Bounces) => Some(&self.out),
            (MailFlow::In, _) => Some(&self.rejected),
            (MailFlow::Out, dimension) => match dimension.of_values() {
                Some(values) => self.by_value.get(&(values, key.value)),
                None => Some(&self.out),
            },
        }
    }

    /// The mail of one sender.
    pub(crate) fn of_sender(&self, sender: FactorValue) -> Option<&Curve> {
        self.by_value.get(&(Dimension::Sender, sender))
    }
}

/// The usual number of failures for each recipient of the volume.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub(crate) struct OrdinaryShare {
    /// As weights of evidence, and as events.
    pub weight: f64,
    pub events: f64,
}

impl OrdinaryShare {
    /// The median share over the parts of the log. `failures` are minutes, weights and events. For rejections the volume is
    /// that of the other rejections, so it comes without the view's own.
    pub(crate) fn of(
        failures: &[(i32, f64, f64)],
        volume: &Curve,
        flow: MailFlow,
        living: &LivingTime,
    ) -> Self {
        let mut sums = [(0.0, 0.0, 0.0); PARTS];
        for (minute, weight) in volume.entries() {
            if let Some(sum) = sums.get_mut(living.part(minute, PARTS)) {
                sum.0 += weight;
            }
        }
        for &(minute, weight, events) in failures {
            if let Some(sum) = sums.get_mut(living.part(minute, PARTS)) {
                sum.1 += weight;
                sum.2 += events;
            }
        }
        let others = |sum: &(f64, f64, f64)| match flow {
            MailFlow::Out => sum.0,
            MailFlow::In => sum.0 - sum.2,
        };
        let full: Vec<_> = sums.iter().filter(|sum| others(sum) >= LEAST_IN_PART).collect();
        let share = |of: fn(&(f64, f64, f64)) -> f64| {
            let mut shares: Vec<f64> = full.iter().map(|sum| of(sum) / others(sum)).collect();
            shares.sort_by(f64::total_cmp);
            shares.get(shares.len() / 2).copied().unwrap_or_default()
        };
        Self { weight: share(|sum| sum.1), events: share(|sum| sum.2) }
    }

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
        let mut failures: Vec<(i32, f64, f64)> =
            (0..2400).step_by(20).map(|minute| (minute, 1.0, 1.0)).collect();
        failures.extend((1000..1200).map(|minute| (minute, 0.5, 2.0)));
        let share = OrdinaryShare::of(&failures, &volume, MailFlow::Out, &living);
        assert!((share.weight - 0.025).abs() < 1e-9 && (share.events - 0.025).abs() < 1e-9, "{share:?}");
    }
}
