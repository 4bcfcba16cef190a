//! Bursts of one view: points and what is usual come in; spans of time with too many go out, with how unlikely they are.
//!
//! A span is one that a cumulative sum finds (Page 1954): each event adds, each minute takes away what would be right if
//! the rate were `ratio` times the usual. How unlikely a span is, is told by Kulldorff's likelihood ratio of a
//! scan (1997), divided by how much more than Poisson's the view spreads.

use super::expected_rate::ExpectedRate;

/// A span of time with more than usual.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Burst {
    /// Its first and its last minute, each with events.
    pub first: i32,
    pub last: i32,
    pub count: f64,
    pub expected: f64,
    /// How much more than Poisson's its count spreads.
    pub spread: f64,
    /// The logarithm of how much likelier it is as a burst.
    pub score: f64,
}

/// Rates from so many times the usual on are looked for.
pub(crate) const RATIO: f64 = 3.0;
/// A burst has five minutes with so many events.
const SEEN: f64 = 5.0;
const SPAN: i32 = 5;
/// So far the sum falls before a span ends: about half an hour without an event where hardly any are usual.
const FALL: f64 = 5.0;

/// `points` in the order of time: minute and weight.
pub(crate) fn bursts(points: &[(i32, f64)], usual: &ExpectedRate) -> Vec<Burst> {
    spans(points, usual, 2.2)
        .into_iter()
        .filter_map(|(first, last)| {
            let found = span(points, usual, first, last)?;
            is_visible(points, usual, first, last).then_some(found)
        })
        .collect()
}

/// What the span has, and how unlikely that is.
pub(crate) fn span(points: &[(i32, f64)], usual: &ExpectedRate, first: i32, last: i32) -> Option<Burst> {
    let inside = within(points, first, last);
    let count: f64 = inside.iter().map(|(_, weight)| weight).sum();
    // A few points that stand for many are no more than a few (Kish's effective size of a sample).
    let squares: f64 = inside.iter().map(|(_, weight)| weight * weight).sum();
    let spread = usual.spread * (squares / count.max(1e-9)).max(1.0);
    let expected = usual.expected(first, last + 1);
    (inside.len() >= SEEN as usize).then(|| Burst {
        first,
        last,
        count,
        expected,
        spread,
        score: score(count, expected) / spread,
    })
}

/// 0 where no more came than expected.
pub(crate) fn score(count: f64, expected: f64) -> f64 {
    let expected = expected.max(1e-6);
    if count <= expected { 0.0 } else { count * (count / expected).ln() - (count - expected) }
}

/// Those from the first to the last minute.
pub(crate) fn within(points: &[(i32, f64)], first: i32, last: i32) -> &[(i32, f64)] {
    let from = points.partition_point(|(minute, _)| *minute < first);
    let to = points.partition_point(|(minute, _)| *minute <= last);
    points.get(from..to).unwrap_or_default()
}

/// Five minutes have five events and three times the usual.
fn is_visible(points: &[(i32, f64)], usual: &ExpectedRate, first: i32, last: i32) -> bool {
    visible(within(points, first, last), usual, RATIO * 0.85).is_some()
}

/// The first minute at which the five up to it have five events and `ratio` times the usual.
pub(crate) fn visible(points: &[(i32, f64)], usual: &ExpectedRate, ratio: f64) -> Option<i32> {
    let (mut from, mut sum) = (0, 0.0);
    for &(minute, weight) in points {
        sum += weight;
        while let Some(&(old, weight)) = points.get(from)
            && old <= minute - SPAN
        {
            sum -= weight;
            from += 1;
        }
        if sum + 1e-6 >= SEEN && sum >= ratio * usual.rate(minute) * f64::from(SPAN) {
            return Some(minute);
        }
    }
    None
}

/// Spans in which the rate is above the middle between the usual and `ratio` times as much, in the order of time.
pub(crate) fn spans(points: &[(i32, f64)], usual: &ExpectedRate, ratio: f64) -> Vec<(i32, i32)> {
    let gain = ratio.ln();
    let mut found = Vec::new();
    let mut run: Option<BurstRun> = None;
    for minute in points.chunk_by(|a, b| a.0 == b.0) {
        let Some(&(at, _)) = minute.first() else { continue };
        let count: f64 = minute.iter().map(|(_, weight)| weight).sum();
        if let Some(open) = &mut run {
            open.sum -= (ratio - 1.0) * usual.expected(open.at + 1, at) / usual.spread;
            if open.sum <= 0.0 || open.best - open.sum > FALL {
                found.extend(run.take().map(|run| (run.first, run.last)));
            }
        }
        let added = (count * gain - (ratio - 1.0) * usual.rate(at)) / usual.spread;
        let open = run.get_or_insert(BurstRun { first: at, last: at, at, sum: 0.0, best: 0.0 });
        open.at = at;
        open.sum += added;
        if open.sum > open.best {
            (open.best, open.last) = (open.sum, at);
        }
        if open.sum <= 0.0 || open.best - open.sum > FALL {
            found.extend(run.take().filter(|run| run.best > 0.0).map(|run| (run.first, run.last)));
        }
    }
    found.extend(run.map(|run| (run.first, run.last)));
    found
}

struct BurstRun {
    first: i32,
    last: i32,
    /// The minute looked at last.
    at: i32,
    sum: f64,
    best: f64,
}
