//! Determines the course of a storm: its peak and its trend.

use crate::report::storm::Trend;
use crate::storm::detect::dataset::within;

/// The minute with the largest weight, and that weight.
pub(crate) fn peak(weights: &[(i32, f64)]) -> (i32, f64) {
    let minutes = weights.chunk_by(|a, b| a.0 == b.0);
    let sums = minutes.filter_map(|minute| Some((minute.first()?.0, minute.iter().map(|(_, w)| w).sum())));
    sums.max_by(|a: &(i32, f64), b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).unwrap_or_default()
}

/// Compares the last third of a storm with the third before it.
pub(crate) fn trend(weights: &[(i32, f64)], start: i32, last: i32) -> Trend {
    let third = ((last - start + 1) / 3).max(1);
    let sum = |from: i32, to: i32| -> f64 { within(weights, from, to).iter().map(|(_, w)| w).sum() };
    let (before, now) = (sum(last - 2 * third + 1, last - third), sum(last - third + 1, last));
    if now > 1.3 * before {
        Trend::Growing
    } else if now * 1.3 < before {
        Trend::Falling
    } else {
        Trend::Steady
    }
}
