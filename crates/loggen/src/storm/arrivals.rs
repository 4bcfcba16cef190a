//! Draws random times and quantities.

use super::rhythm::SECOND;
use crate::log::rng::Rng;

/// Uniform between 0 and 1, both excluded.
pub(crate) fn unit(rng: &mut Rng) -> f64 {
    (rng.below(1 << 31) as f64 + 0.5) / (1_u64 << 31) as f64
}

/// An exponentially distributed time with this mean.
pub(crate) fn wait(rng: &mut Rng, mean: u64) -> u64 {
    (-unit(rng).ln() * mean as f64) as u64
}

/// Log-uniform between `low` and `high`.
pub(crate) fn spread(rng: &mut Rng, low: f64, high: f64) -> f64 {
    low * (high / low).powf(unit(rng))
}

/// A rank below `length`; rank n has a probability proportional to 1 / (n + 1).
pub(crate) fn rank(rng: &mut Rng, length: usize) -> usize {
    let most = (length as f64).max(1.);
    ((most + 1.).powf(unit(rng)) - 1.).min(most - 1.) as usize
}

/// Poisson arrivals from `from` to `until`, `mean` in all; some are followed by a small burst.
pub(crate) fn arrivals(rng: &mut Rng, from: u64, until: u64, mean: f64) -> Vec<u64> {
    let mut times = Vec::new();
    if mean <= 0. || until <= from {
        return times;
    }
    let gap = (until - from) as f64 / (mean / 1.13);
    let mut at = from as f64;
    loop {
        at += -unit(rng).ln() * gap;
        if at >= until as f64 {
            return times;
        }
        times.push(at as u64);
        if rng.chance(70) {
            let company = 1 + rng.below(3);
            times.extend((0..company).map(|_| at as u64 + wait(rng, 20 * SECOND)));
        }
    }
}

/// Poisson arrivals with a varying rate (by thinning): `shape` maps the elapsed share of the time to a share of `per_minute`.
pub(crate) fn shaped(
    rng: &mut Rng,
    from: u64,
    until: u64,
    per_minute: f64,
    shape: fn(f64) -> f64,
) -> Vec<u64> {
    let length = (until - from) as f64;
    let gap = 60_000. / per_minute;
    let mut times = Vec::new();
    let mut at = from as f64;
    loop {
        at += -unit(rng).ln() * gap;
        if at >= until as f64 {
            return times;
        }
        if unit(rng) <= shape((at - from as f64) / length) {
            times.push(at as u64);
        }
    }
}

pub(crate) const fn step(_: f64) -> f64 {
    1.
}

pub(crate) fn ramp(passed: f64) -> f64 {
    (0.08 + passed * 2.).min(1.)
}

pub(crate) fn hill(passed: f64) -> f64 {
    (0.1 + 3. * passed * (1. - passed) * 1.4).min(1.)
}

pub(crate) fn fading(passed: f64) -> f64 {
    (1.05 - passed).clamp(0.05, 1.)
}
