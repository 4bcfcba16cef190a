//! Finds bursts: spans of time in which one view of the events has many more than usual.
//!
//! The spans come from a cumulative sum (CUSUM: Page, "Continuous inspection schemes", 1954): each event adds to it, each
//! minute subtracts the share that a rate of `ratio` times the usual one would explain. The score of a span is the log
//! likelihood ratio of Kulldorff's scan statistic ("A spatial scan statistic", 1997), divided by the view's overdispersion
//! against a Poisson process.

use super::expected_rate::ExpectedRate;

/// A span of time with more events than usual.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Burst {
    /// The first and the last minute, both with events, since 1970-01-01T00:00Z.
    pub first: i32,
    pub last: i32,
    pub count: f64,
    pub expected: f64,
    /// Variance of the count over that of a Poisson process; at least 1.
    pub spread: f64,
    /// The log likelihood ratio of a burst against the usual rate, in nats.
    pub score: f64,
}

/// Bursts have at least this many times the usual rate.
pub(crate) const RATIO: f64 = 3.0;
/// A burst has at least this many events within [`VISIBLE_MINUTES`].
const LEAST_EVENTS: f64 = 5.0;
const VISIBLE_MINUTES: i32 = 5;
/// A span ends when the sum has fallen this far below its maximum: after about half an hour without an event where
/// hardly any are usual.
const MAX_FALL: f64 = 5.0;

/// The bursts among `points`, which are minutes and weights in the order of time.
pub(crate) fn bursts(points: &[(i32, f64)], usual: &ExpectedRate) -> Vec<Burst> {
    spans(points, usual, 2.2)
        .into_iter()
        .filter_map(|(first, last)| {
            let burst = span(points, usual, first, last)?;
            is_visible(points, usual, first, last).then_some(burst)
        })
        .collect()
}

/// The span as a burst, with its count and score. `None`: it has too few points.
fn span(points: &[(i32, f64)], usual: &ExpectedRate, first: i32, last: i32) -> Option<Burst> {
    let inside = within(points, first, last);
    let count: f64 = inside.iter().map(|(_, weight)| weight).sum();
    // A few points with large weights carry little information (effective sample size: Kish, "Survey sampling", 1965).
    let squares: f64 = inside.iter().map(|(_, weight)| weight * weight).sum();
    let spread = usual.spread * (squares / count.max(1e-9)).max(1.0);
    let expected = usual.expected(first, last + 1);
    (inside.len() >= LEAST_EVENTS as usize).then(|| Burst {
        first,
        last,
        count,
        expected,
        spread,
        score: score(count, expected) / spread,
    })
}

/// The log likelihood ratio of a Poisson count; 0 if the count is not above the expected one.
pub(crate) fn score(count: f64, expected: f64) -> f64 {
    let expected = expected.max(1e-6);
    if count <= expected { 0.0 } else { count * (count / expected).ln() - (count - expected) }
}

/// The points from the first to the last minute, both included.
pub(crate) fn within(points: &[(i32, f64)], first: i32, last: i32) -> &[(i32, f64)] {
    let from = points.partition_point(|(minute, _)| *minute < first);
    let to = points.partition_point(|(minute, _)| *minute <= last);
    points.get(from..to).unwrap_or_default()
}

/// Whether some five minutes of the span have enough events and nearly [`RATIO`] times the usual rate.
fn is_visible(points: &[(i32, f64)], usual: &ExpectedRate, first: i32, last: i32) -> bool {
    first_visible_minute(within(points, first, last), usual, RATIO * 0.85).is_some()
}

/// The first minute that completes five minutes with five events and `ratio` times the usual rate.
pub(crate) fn first_visible_minute(points: &[(i32, f64)], usual: &ExpectedRate, ratio: f64) -> Option<i32> {
    let (mut from, mut sum) = (0, 0.0);
    for &(minute, weight) in points {
        sum += weight;
        while let Some(&(old, weight)) = points.get(from)
            && old <= minute - VISIBLE_MINUTES
        {
            sum -= weight;
            from += 1;
        }
        if sum + 1e-6 >= LEAST_EVENTS && sum >= ratio * usual.rate(minute) * f64::from(VISIBLE_MINUTES) {
            return Some(minute);
        }
    }
    None
}

/// Spans in which the rate is above the middle between the usual one and `ratio` times as much, in the order of time
/// (CUSUM).
pub(crate) fn spans(points: &[(i32, f64)], usual: &ExpectedRate, ratio: f64) -> Vec<(i32, i32)> {
    let gain = ratio.ln();
    let mut spans = Vec::new();
    let mut run: Option<BurstRun> = None;
    for minute in points.chunk_by(|a, b| a.0 == b.0) {
        let Some(&(at, _)) = minute.first() else { continue };
        let count: f64 = minute.iter().map(|(_, weight)| weight).sum();
        if let Some(open) = &mut run {
            open.sum -= (ratio - 1.0) * usual.expected(open.latest + 1, at) / usual.spread;
            if open.sum <= 0.0 || open.best - open.sum > MAX_FALL {
                spans.extend(run.take().map(|run| (run.first, run.last)));
            }
        }
        let added = (count * gain - (ratio - 1.0) * usual.rate(at)) / usual.spread;
        let open = run.get_or_insert(BurstRun { first: at, last: at, latest: at, sum: 0.0, best: 0.0 });
        open.latest = at;
        open.sum += added;
        if open.sum > open.best {
            (open.best, open.last) = (open.sum, at);
        }
        if open.sum <= 0.0 || open.best - open.sum > MAX_FALL {
            spans.extend(run.take().filter(|run| run.best > 0.0).map(|run| (run.first, run.last)));
        }
    }
    spans.extend(run.map(|run| (run.first, run.last)));
    spans
}

/// A span that may still grow.
struct BurstRun {
    first: i32,
    /// The minute in which the sum was largest.
    last: i32,
    /// The latest minute with events.
    latest: i32,
    sum: f64,
    /// The largest value of the sum.
    best: f64,
}
