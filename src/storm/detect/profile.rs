//! Profiles a set of points: for each dimension, the values with the largest shares inside and outside of it.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, MailFlow, WeightedEvent};

/// The dimensions of a profile.
pub(crate) const DIMENSIONS: [Dimension; 13] = [
    Dimension::User,
    Dimension::Sender,
    Dimension::Client,
    Dimension::Recipient,
    Dimension::Relay,
    Dimension::Domain,
    Dimension::Provider,
    Dimension::Instance,
    Dimension::Host,
    Dimension::Reason,
    Dimension::Code,
    Dimension::Stage,
    Dimension::Direction,
];

/// A value's share of a set of points, and of the points outside of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct FactorShare {
    pub dimension: Dimension,
    pub value: FactorValue,
    /// The share of the set that has the value, 0 to 1.
    pub inside: f64,
    /// The same for the events of the same flow outside of the set.
    pub outside: f64,
    /// The number of events in the set that have the value.
    pub count: f64,
}

impl FactorShare {
    /// The value is clearly more frequent inside. The share outside is smoothed, so a rare value does not stand out by
    /// chance.
    pub(crate) fn stands_out(&self) -> bool {
        self.inside >= 1.5 * self.outside && self.inside - self.outside >= 0.1
    }

    /// The value's part of the Kullback–Leibler divergence of the set from the rest, in nats.
    pub(crate) fn information(&self) -> f64 {
        self.inside * (self.inside / self.outside.max(1e-4)).ln()
    }
}

/// Sums of weights by value.
type ValueWeights = HashMap<FactorValue, f64, FixedState>;

/// The most frequent values of a set of points in each dimension.
pub(crate) struct Profile {
    /// The number of events that the points stand for.
    pub weight: f64,
    /// For each of [`DIMENSIONS`], the largest shares, in descending order.
    shares: Vec<Vec<FactorShare>>,
    /// The number of values in each dimension.
    distinct: Vec<usize>,
}

/// Sums by value, for many values: small values index a vector, large ones, which only codes have, a hash table.
#[derive(Clone, Default)]
struct DenseWeights {
    small: Vec<f64>,
    large: ValueWeights,
}

impl DenseWeights {
    /// Values below this one index the vector; names, reasons and providers do.
    const LIMIT: FactorValue = 1 << 20;

    fn add(&mut self, value: FactorValue, weight: f64) {
        if value >= Self::LIMIT {
            *self.large.entry(value).or_default() += weight;
            return;
        }
        let at = value as usize;
        if at >= self.small.len() {
            let length = (at + 1).max(self.small.len() * 5 / 4);
            self.small.resize(length, 0.0);
        }
        if let Some(sum) = self.small.get_mut(at) {
            *sum += weight;
        }
    }

    fn get(&self, value: FactorValue) -> f64 {
        let large = || self.large.get(&value).copied();
        self.small.get(value as usize).copied().or_else(large).unwrap_or_default()
    }
}

/// The sums by value of all events of one flow, from which the share outside of a storm is computed.
pub(crate) struct Background {
    /// Sums of the failures, and of all events, by dimension.
    failed: Vec<DenseWeights>,
    all: Vec<DenseWeights>,
    failed_weight: f64,
    all_weight: f64,
}

/// The largest number of values kept for each dimension.
const KEPT: usize = 8;

fn index(dimension: Dimension) -> usize {
    DIMENSIONS.iter().position(|&other| other == dimension).unwrap_or_default()
}

/// Deliveries have no value in these dimensions, or one that means something else.
fn is_of_failures(dimension: Dimension) -> bool {
    match dimension {
        Dimension::Reason | Dimension::Code | Dimension::Stage | Dimension::Direction => true,
        Dimension::Provider
        | Dimension::Domain
        | Dimension::Recipient
        | Dimension::Relay
        | Dimension::Instance
        | Dimension::Host
        | Dimension::Sender
        | Dimension::User
        | Dimension::Client => false,
    }
}

fn sums<'p>(points: impl Iterator<Item = &'p WeightedEvent>) -> (Vec<ValueWeights>, f64) {
    let mut sums: Vec<ValueWeights> = vec![ValueWeights::default(); DIMENSIONS.len()];
    let mut weight = 0.0;
    for point in points {
        weight += point.weight;
        for (sums, dimension) in sums.iter_mut().zip(DIMENSIONS) {
            let value = point.value(dimension);
            if value > 0 {
                *sums.entry(value).or_default() += point.weight;
            }
        }
    }
    (sums, weight)
}

impl Background {
    pub(crate) fn new(points: &[WeightedEvent], flow: MailFlow) -> Self {
        let mut failed: Vec<DenseWeights> = vec![DenseWeights::default(); DIMENSIONS.len()];
        let mut all = failed.clone();
        let (mut failed_weight, mut all_weight) = (0.0, 0.0);
        for point in points.iter().filter(|point| point.flow == flow) {
            all_weight += point.weight;
            failed_weight += if point.is_failure { point.weight } else { 0.0 };
            for ((failed, all), dimension) in failed.iter_mut().zip(&mut all).zip(DIMENSIONS) {
                match is_of_failures(dimension) {
                    true if point.is_failure => failed.add(point.value(dimension), point.weight),
                    true => {}
                    false => all.add(point.value(dimension), point.weight),
                }
            }
        }
        Self { failed, all, failed_weight, all_weight }
    }

    /// The smoothed share of a value outside of a set with `weight` events, `inside` of which have the value.
    fn outside(&self, dimension: Dimension, value: FactorValue, inside: f64, weight: f64) -> f64 {
        let (sums, whole) = if is_of_failures(dimension) {
            (&self.failed, self.failed_weight)
        } else {
            (&self.all, self.all_weight)
        };
        let sum = sums.get(index(dimension)).map_or(0.0, |sums| sums.get(value));
        // Additive smoothing: one more event outside, which has this value with a probability of 1/50.
        ((sum - inside).max(0.0) + 0.02) / ((whole - weight).max(0.0) + 1.0)
    }
}

impl Profile {
    pub(crate) fn new<'p>(points: impl Iterator<Item = &'p WeightedEvent>, background: &Background) -> Self {
        let (sums, weight) = sums(points);
        let mut distinct = Vec::new();
        let shares = sums.iter().zip(DIMENSIONS).map(|(sums, dimension)| {
            distinct.push(sums.len());
            let mut shares: Vec<FactorShare> = sums
                .iter()
                .map(|(&value, &count)| FactorShare {
                    dimension,
                    value,
                    inside: count / weight.max(1e-9),
                    outside: background.outside(dimension, value, count, weight),
                    count,
                })
                .collect();
            shares.sort_by(|a, b| b.count.total_cmp(&a.count).then(a.value.cmp(&b.value)));
            shares.truncate(KEPT);
            shares
        });
        let shares = shares.collect();
        Self { weight, shares, distinct }
    }

    /// The value with the largest share. `None`: no event has one.
    pub(crate) fn top(&self, dimension: Dimension) -> Option<FactorShare> {
        self.shares.get(index(dimension))?.first().copied()
    }

    /// The values with the largest shares, in descending order.
    pub(crate) fn shares(&self, dimension: Dimension) -> &[FactorShare] {
        self.shares.get(index(dimension)).map_or(&[], Vec::as_slice)
    }

    /// The largest share if it stands out; else 0.
    pub(crate) fn strength(&self, dimension: Dimension) -> f64 {
        self.top(dimension).filter(FactorShare::stands_out).map_or(0.0, |share| share.inside)
    }

    /// The number of values of a dimension.
    pub(crate) fn distinct(&self, dimension: Dimension) -> usize {
        self.distinct.get(index(dimension)).copied().unwrap_or_default()
    }
}
