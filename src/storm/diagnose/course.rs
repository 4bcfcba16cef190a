//! Determines the course of a storm: its first minute, its peak and its trend.

use crate::report::storm::Trend;
use crate::storm::detect::burst;
use crate::storm::detect::dataset::Cluster;
use crate::storm::detect::expected_rate::weights;
use crate::storm::sample::points::WeightedEvent;

/// The first event of a storm is at most this many minutes before the one in which the storm becomes visible.
const BEFORE_MINUTES: i32 = 2;

/// A rise that holds this share of all events belongs to the storm; a smaller one before it is chance.
const LARGE_SHARE: f64 = 0.15;

impl Cluster {
    /// The usual rate of the storm's view, in events a minute.
    pub(crate) fn usual_rate(&self) -> f64 {
        self.usual.expected(self.first, self.last + 1) / f64::from(self.last - self.first + 1)
    }
}

/// The minute in which a storm began: the first event shortly before the storm is visible, but not before the rate
/// rises.
pub(crate) fn start(cluster: &Cluster, members: &[&WeightedEvent]) -> i32 {
    let points = weights(members.iter().copied());
    let count: f64 = points.iter().map(|(_, weight)| weight).sum();
    let expected = cluster.usual.expected(cluster.first, cluster.last + 1);
    let ratio = (count / expected.max(1e-6)).sqrt().clamp(2.2, 30.0);
    let sum = |span: &(i32, i32)| -> f64 {
        burst::within(&points, span.0, span.1).iter().map(|(_, weight)| weight).sum()
    };
    let rises = burst::spans(&points, &cluster.usual, ratio);
    let rise =
        rises.iter().find(|span| sum(span) >= LARGE_SHARE * count).map_or(cluster.first, |(first, _)| *first);
    let risen = burst::within(&points, rise, cluster.last);
    let Some(visible) = burst::first_visible_minute(risen, &cluster.usual, burst::RATIO) else { return rise };
    let first = risen.iter().map(|(minute, _)| *minute).find(|minute| *minute > visible - BEFORE_MINUTES);
    rise.max(first.unwrap_or(rise)).min(visible)
}

/// The minute with the largest weight, and that weight.
pub(crate) fn peak(weights: &[(i32, f64)]) -> (i32, f64) {
    let minutes = weights.chunk_by(|a, b| a.0 == b.0);
    let sums = minutes.filter_map(|minute| Some((minute.first()?.0, minute.iter().map(|(_, w)| w).sum())));
    sums.max_by(|a: &(i32, f64), b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).unwrap_or_default()
}

/// Compares the last third of a storm with the third before it.
pub(crate) fn trend(weights: &[(i32, f64)], start: i32, last: i32) -> Trend {
    let third = ((last - start + 1) / 3).max(1);
    let sum = |from: i32, to: i32| -> f64 { burst::within(weights, from, to).iter().map(|(_, w)| w).sum() };
    let (before, now) = (sum(last - 2 * third + 1, last - third), sum(last - third + 1, last));
    if now > 1.3 * before {
        Trend::Growing
    } else if now * 1.3 < before {
        Trend::Falling
    } else {
        Trend::Steady
    }
}
