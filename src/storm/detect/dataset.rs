//! Holds the points of a log for detection, and computes profiles of subsets of them.

use std::sync::OnceLock;

use super::evidence_table::EvidenceUnit;
use super::living_time::LivingTime;
use super::profile::{Background, Profile};
use super::view::ViewKey;
use crate::storm::sample::points::{MailFlow, WeightedEvent};

/// What a storm's view usually has.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct UsualCount {
    /// Events a minute.
    pub per_minute: f64,
    /// The log is long enough to compare with the same hour of other days.
    pub is_by_day: bool,
}

/// A storm as a set of points.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub flow: MailFlow,
    /// Indices of its points, in ascending order.
    pub members: Vec<usize>,
    /// The first and the last minute, since 1970-01-01T00:00Z.
    pub first: i32,
    pub last: i32,
    pub usual: UsualCount,
    /// How far its exponent is above the critical value, in nats.
    pub score: f64,
    /// The view that it was found in.
    pub view: ViewKey,
}

/// All points of a log, with what detection needs of them repeatedly.
pub(crate) struct Dataset<'p> {
    pub points: &'p [WeightedEvent],
    pub living: LivingTime,
    /// The counts of all kinds are exact in each minute.
    pub is_by_minute: bool,
    /// Only storms need them, and most logs have none.
    backgrounds: OnceLock<[Background; 2]>,
}

impl<'p> Dataset<'p> {
    pub(crate) fn new(points: &'p [WeightedEvent], living: LivingTime, is_by_minute: bool) -> Self {
        Self { points, living, is_by_minute, backgrounds: OnceLock::new() }
    }

    pub(crate) fn profile(&self, members: &[usize], flow: MailFlow) -> Profile {
        let points = members.iter().filter_map(|&at| self.points.get(at));
        Profile::new(points, self.background(flow))
    }

    /// The [`spread`] of units where a sample is thinned; 1 where counts are exact.
    pub(crate) fn spread(&self, units: &[EvidenceUnit]) -> f64 {
        if self.is_by_minute { 1.0 } else { spread(units) }
    }

    fn background(&self, flow: MailFlow) -> &Background {
        let [out, inbound] = self
            .backgrounds
            .get_or_init(|| [MailFlow::Out, MailFlow::In].map(|flow| Background::new(self.points, flow)));
        match flow {
            MailFlow::Out => out,
            MailFlow::In => inbound,
        }
    }
}

/// The weight that one independent unit stands for, at least 1 (effective sample size: Kish, "Survey sampling", 1965).
pub(crate) fn spread(units: &[EvidenceUnit]) -> f64 {
    let (weight, squares) = units.iter().fold((0.0, 0.0), |(weight, squares), unit| {
        (weight + unit.weight, squares + unit.weight * unit.weight)
    });
    (squares / f64::max(weight, 1e-9)).max(1.0)
}

/// Minutes and weights of the points that are no retries, since retries of old mail are not a new failure.
pub(crate) fn weights<'p>(points: impl Iterator<Item = &'p WeightedEvent>) -> Vec<(i32, f64)> {
    points.filter(|point| !point.is_retry).map(|point| (point.sample.minute, point.weight)).collect()
}

/// The entries from the first to the last minute, both included.
pub(crate) fn within(weights: &[(i32, f64)], first: i32, last: i32) -> &[(i32, f64)] {
    let from = weights.partition_point(|(minute, _)| *minute < first);
    let to = weights.partition_point(|(minute, _)| *minute <= last);
    weights.get(from..to).unwrap_or_default()
}
