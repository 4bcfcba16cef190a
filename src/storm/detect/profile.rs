//! What the events of a storm have in common: points come in; for each dimension the values with the largest shares go out.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, MailFlow, WeightedEvent};

/// What storms are told apart by.
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

/// A value and what speaks for it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct FactorShare {
    pub dimension: Dimension,
    pub value: FactorValue,
    /// Of the storm, 0 to 1.
    pub inside: f64,
    /// Of the same way's events outside.
    pub outside: f64,
    pub count: f64,
}

impl FactorShare {
    /// It is more frequent inside, and not by chance: the outside is smoothed.
    pub(crate) fn stands_out(&self) -> bool {
        self.inside >= 1.5 * self.outside && self.inside - self.outside >= 0.1
    }

    /// How much is known by it, in nats.
    pub(crate) fn tells(&self) -> f64 {
        self.inside * (self.inside / self.outside.max(1e-4)).ln()
    }
}

/// Sums of weights by value.
pub(crate) type ValueWeights = HashMap<FactorValue, f64, FixedState>;

/// All that is to be known of a set of points.
pub(crate) struct Profile {
    pub weight: f64,
    /// For each of [`DIMENSIONS`], the values, most first.
    shares: Vec<Vec<FactorShare>>,
    /// How many values each dimension has.
    distinct: Vec<usize>,
}

/// Sums by value where there are many values: names are numbered from 0 on, codes are not.
#[derive(Clone, Default)]
struct DenseWeights {
    near: Vec<f64>,
    far: ValueWeights,
}

impl DenseWeights {
    /// Values below are names and words of ours.
    const LIMIT: FactorValue = 1 << 20;

    fn add(&mut self, value: FactorValue, weight: f64) {
        if value >= Self::LIMIT {
            *self.far.entry(value).or_default() += weight;
            return;
        }
        let at = value as usize;
        if at >= self.near.len() {
            self.near.resize((at + 1).next_power_of_two(), 0.0);
        }
        if let Some(sum) = self.near.get_mut(at) {
            *sum += weight;
        }
    }

    fn get(&self, value: FactorValue) -> f64 {
        let far = || self.far.get(&value).copied();
        self.near.get(value as usize).copied().or_else(far).unwrap_or_default()
    }
}

/// The sums of one way outside of a storm are nearly those of the whole log.
pub(crate) struct Background {
    /// Of all failures, and of all events, by dimension.
    failed: Vec<DenseWeights>,
    all: Vec<DenseWeights>,
    failed_weight: f64,
    all_weight: f64,
}

const KEPT: usize = 8;

fn index(dimension: Dimension) -> usize {
    DIMENSIONS.iter().position(|&other| other == dimension).unwrap_or_default()
}

/// Of what went well these are not said, or mean something else.
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
    pub(crate) fn new(points: &[WeightedEvent], way: MailFlow) -> Self {
        let mut failed: Vec<DenseWeights> = vec![DenseWeights::default(); DIMENSIONS.len()];
        let mut all = failed.clone();
        let (mut failed_weight, mut all_weight) = (0.0, 0.0);
        for point in points.iter().filter(|point| point.way == way) {
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

    /// The share outside of a storm that has `inside` of it, of `weight` in all.
    fn outside(&self, dimension: Dimension, value: FactorValue, inside: f64, weight: f64) -> f64 {
        let (sums, whole) = if is_of_failures(dimension) {
            (&self.failed, self.failed_weight)
        } else {
            (&self.all, self.all_weight)
        };
        let sum = sums.get(index(dimension)).map_or(0.0, |sums| sums.get(value));
        // As if one more event stood outside, of which nothing is known but that values are many.
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

    /// The value with the largest share. None: no event says any.
    pub(crate) fn top(&self, dimension: Dimension) -> Option<FactorShare> {
        self.shares.get(index(dimension))?.first().copied()
    }

    pub(crate) fn shares(&self, dimension: Dimension) -> &[FactorShare] {
        self.shares.get(index(dimension)).map_or(&[], Vec::as_slice)
    }

    /// The share of the value that has most of it, where that stands out; else 0.
    pub(crate) fn strength(&self, dimension: Dimension) -> f64 {
        self.top(dimension).filter(FactorShare::stands_out).map_or(0.0, |share| share.inside)
    }

    /// How many values it has.
    pub(crate) fn distinct(&self, dimension: Dimension) -> usize {
        self.distinct.get(index(dimension)).copied().unwrap_or_default()
    }
}
