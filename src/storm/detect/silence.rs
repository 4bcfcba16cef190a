//! Finds silences: spans of time without the mail that usually comes.
//!
//! The expected number of events in a span is the least of three estimates: from the rate of the two hours before it, from
//! that of the two hours after it, and the median of the same time on other days. So neither a quiet night nor the end of a
//! working day is a silence.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, WeightedEvent};

/// A view without events for a while.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Silence {
    /// `None`: all mail of the log.
    pub view: Option<(Dimension, FactorValue)>,
    /// The first and the last minute without an event, since 1970-01-01T00:00Z.
    pub first: i32,
    pub last: i32,
    /// The number of events that the span usually has.
    pub expected: f64,
}

/// A gap is a silence if its probability is at most e to the power of minus this number.
const LEAST_SCORE: f64 = 16.0;
/// A gap between two events is longer than this.
const LEAST_MINUTES: i32 = 5;
/// The least share of all mail for which a single value is watched.
const LEAST_SHARE: f64 = 0.1;
/// The largest share of the expected events that may still come in a silence.
const RESIDUE: f64 = 0.1;
/// The least usual rate, in events a minute: less mail than that is never missed.
const LEAST_RATE: f64 = 0.1;
/// Minutes before and after a gap that show the usual rate.
const AROUND: i32 = 120;
const DAY: i32 = 24 * 60;

/// The silences of all mail, of each host, direction, instance, relay and client; one that overlaps an earlier one of this
/// list is left out. `first` and `last` are the log's minutes.
pub(crate) fn silences(points: &[WeightedEvent], first: i32, last: i32) -> Vec<Silence> {
    let views = [
        None,
        Some(Dimension::Host),
        Some(Dimension::Direction),
        Some(Dimension::Instance),
        Some(Dimension::Relay),
        Some(Dimension::Client),
    ];
    let all: f64 = points.iter().map(|point| point.weight).sum();
    let mut silences: Vec<Silence> = Vec::new();
    for dimension in views {
        let mut groups: HashMap<FactorValue, Vec<(i32, f64)>, FixedState> = HashMap::default();
        // Relays and clients that only fail come and go.
        let is_name = matches!(dimension, Some(Dimension::Relay | Dimension::Client));
        for point in points.iter().filter(|point| !is_name || !point.is_failure) {
            let value = dimension.map_or(1, |dimension| point.value(dimension));
            if value > 0 {
                groups.entry(value).or_default().push((point.sample.minute, point.weight));
            }
        }
        let mut groups: Vec<(FactorValue, Vec<(i32, f64)>)> = groups.into_iter().collect();
        groups.sort_unstable_by_key(|(value, _)| *value);
        for (value, points) in groups {
            // A small part of the mail pauses without a fault.
            if dimension.is_some() && points.iter().map(|(_, weight)| weight).sum::<f64>() < LEAST_SHARE * all
            {
                continue;
            }
            let view = dimension.map(|dimension| (dimension, value));
            for silence in of_view(&points, view, first, last) {
                let overlaps = |other: &Silence| silence.first < other.last && other.first < silence.last;
                if !silences.iter().any(overlaps) {
                    silences.push(silence);
                }
            }
        }
    }
    silences
}

/// The silences among the points of one view.
fn of_view(
    points: &[(i32, f64)],
    view: Option<(Dimension, FactorValue)>,
    first: i32,
    last: i32,
) -> Vec<Silence> {
    let total: f64 = points.iter().map(|(_, weight)| weight).sum();
    if total < 3.0 * LEAST_SCORE {
        return Vec::new();
    }
    let spread = spread(points, first, last);
    let events = |from: i32, to: i32| -> f64 {
        super::burst::within(points, from, to - 1).iter().map(|(_, weight)| weight).sum()
    };
    let mut gaps = Vec::new();
    let mut before = first;
    for &(minute, _) in points {
        if minute - before > LEAST_MINUTES {
            gaps.push((before + 1, minute - 1));
        }
        before = minute;
    }
    if last - before > LEAST_MINUTES {
        gaps.push((before + 1, last));
    }
    let silence_of = |from: i32, to: i32| {
        let length = f64::from(to - from + 1);
        let rate = |start: i32, end: i32| {
            let (start, end) = (start.max(first), end.min(last + 1));
            (end - start >= 30).then(|| events(start, end) / f64::from(end - start))
        };
        let around = [rate(from - AROUND, from), rate(to + 1, to + 1 + AROUND)];
        let days = (1..=14).flat_map(|day| [-day * DAY, day * DAY]);
        let mut same: Vec<f64> = days
            .filter(|shift| from + shift >= first && to + shift <= last)
            .map(|shift| events(from + shift, to + 1 + shift) / length)
            .collect();
        same.sort_by(f64::total_cmp);
        let of_days = same.get(same.len().saturating_sub(1) / 2).copied();
        // A gap at the beginning of the log has nothing to be compared with.
        around.first().copied().flatten()?;
        let least = around.into_iter().flatten().chain(of_days).fold(f64::INFINITY, f64::min);
        let expected = least * length;
        let is_silent = least >= LEAST_RATE
            && expected / spread >= LEAST_SCORE
            && events(from, to + 1) <= RESIDUE * expected;
        is_silent.then_some(Silence { view, first: from, last: to, expected })
    };
    // A single event does not end a silence: gaps with hardly any events between them are tried as one first.
    let mut silences = Vec::new();
    let between = |a: &(i32, i32), b: &(i32, i32)| b.0 - a.1 <= 4 && events(a.1 + 1, b.0) <= 4.0;
    for gaps in gaps.chunk_by(between) {
        let whole = gaps.first().zip(gaps.last()).and_then(|(first, last)| silence_of(first.0, last.1));
        match whole {
            Some(silence) => silences.push(silence),
            None => silences.extend(gaps.iter().filter_map(|&(from, to)| silence_of(from, to))),
        }
    }
    silences
}

/// Variance over mean of the counts of ten minutes, 1 to 6, by the differences of neighbours (von Neumann, "Distribution
/// of the ratio of the mean square successive difference to the variance", 1941).
fn spread(points: &[(i32, f64)], first: i32, last: i32) -> f64 {
    let bins = usize::try_from((last - first) / 10).unwrap_or(0) + 1;
    let mut counts = vec![0.0; bins];
    for &(minute, weight) in points {
        if let Some(sum) = usize::try_from((minute - first) / 10).ok().and_then(|at| counts.get_mut(at)) {
            *sum += weight;
        }
    }
    let (mut squares, mut sum) = (0.0, 0.0);
    for window in counts.windows(2) {
        let [a, b]: [f64; 2] = window.try_into().unwrap_or_default();
        // Neighbours have nearly the same mean, so their difference has twice the variance.
        if a > 0.0 && b > 0.0 {
            squares += (a - b).powi(2) / 2.0;
            sum += f64::midpoint(a, b);
        }
    }
    if sum < 20.0 { 1.0 } else { (squares / sum).clamp(1.0, 6.0) }
}
