//! How a storm went: its points come in; when it began, its peak and where it is heading go out.

use crate::report::storm::Trend;
use crate::storm::detect::burst;
use crate::storm::detect::dataset::Cluster;
use crate::storm::detect::expected_rate::weights;
use crate::storm::sample::points::WeightedEvent;

/// The first event of a storm is one of the minutes up to the one that shows it, so many.
const BEFORE: i32 = 2;

/// A part of a storm from which on it is one.
const LARGE: f64 = 0.15;

impl Cluster {
    /// Usual, a minute, of the view it was found in.
    pub(crate) fn usual_rate(&self) -> f64 {
        self.usual.expected(self.first, self.last + 1) / f64::from(self.last - self.first + 1)
    }
}

/// The minute in which it began: the first event of the minutes that show it first, but none of before the rate rose.
pub(crate) fn start(found: &Cluster, members: &[&WeightedEvent]) -> i32 {
    let points = weights(members.iter().copied());
    let count: f64 = points.iter().map(|(_, weight)| weight).sum();
    let expected = found.usual.expected(found.first, found.last + 1);
    let ratio = (count / expected.max(1e-6)).sqrt().clamp(2.2, 30.0);
    let sum = |span: &(i32, i32)| -> f64 {
        burst::within(&points, span.0, span.1).iter().map(|(_, weight)| weight).sum()
    };
    // What comes before the first large part of it is chance.
    let rises = burst::spans(&points, &found.usual, ratio);
    let rise = rises.iter().find(|span| sum(span) >= LARGE * count).map_or(found.first, |(first, _)| *first);
    let risen = burst::within(&points, rise, found.last);
    let Some(shown) = burst::visible(risen, &found.usual, burst::RATIO) else { return rise };
    let first = risen.iter().map(|(minute, _)| *minute).find(|minute| *minute > shown - BEFORE);
    rise.max(first.unwrap_or(rise)).min(shown)
}

/// The minute with most, and how much it has.
pub(crate) fn peak(weights: &[(i32, f64)]) -> (i32, f64) {
    let minutes = weights.chunk_by(|a, b| a.0 == b.0);
    let sums = minutes.filter_map(|minute| Some((minute.first()?.0, minute.iter().map(|(_, w)| w).sum())));
    sums.max_by(|a: &(i32, f64), b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).unwrap_or_default()
}

/// The last third against the one before.
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
