//! Silences: points come in; spans in which what usually goes on does not, go out.
//!
//! How much a span should have is the least of three: the rate of the two hours before it, that of the two hours after it, and
//! the median of the same time on other days. So a quiet night is no silence, nor is the end of a working day.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::report::storm::Dimension;
use crate::storm::sample::points::{FactorValue, WeightedEvent};

/// A view that fell silent.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Silence {
    /// None: all of the log.
    pub view: Option<(Dimension, FactorValue)>,
    /// The first and the last minute without an event.
    pub first: i32,
    pub last: i32,
    pub expected: f64,
}

/// A gap this unlikely (e to the power of minus so many) is a silence.
const CHANCE: f64 = 16.0;
const LEAST_MINUTES: i32 = 5;
/// What is less of all mail is not looked at alone.
const PART: f64 = 0.1;
/// So much of the usual may still come in a silence.
const RESIDUE: f64 = 0.1;
/// What is usually less, a minute, is never silent: nobody would miss it.
const LEAST_RATE: f64 = 0.1;
const AROUND: i32 = 120;
const DAY: i32 = 24 * 60;

/// Silences of all mail, of a direction, an instance, a host, a relay or a client; one that is part of a larger one is left
/// out. `first` and `last` are the log's minutes.
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
    let mut found: Vec<Silence> = Vec::new();
    for dimension in views {
        let mut groups: HashMap<FactorValue, Vec<(i32, f64)>, FixedState> = HashMap::default();
        // That who only fails comes and goes is as it should be.
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
            // What is a small part of the mail comes and goes as it likes.
            if dimension.is_some() && points.iter().map(|(_, weight)| weight).sum::<f64>() < PART * all {
                continue;
            }
            let view = dimension.map(|dimension| (dimension, value));
            for silence in of_view(&points, view, first, last) {
                let is_part = |other: &Silence| silence.first < other.last && other.first < silence.last;
                if !found.iter().any(is_part) {
                    found.push(silence);
                }
            }
        }
    }
    found
}

fn of_view(
    points: &[(i32, f64)],
    view: Option<(Dimension, FactorValue)>,
    first: i32,
    last: i32,
) -> Vec<Silence> {
    let total: f64 = points.iter().map(|(_, weight)| weight).sum();
    if total < 3.0 * CHANCE {
        return Vec::new();
    }
    let spread = spread(points, first, last);
    let seen = |from: i32, to: i32| -> f64 {
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
    let judge = |from: i32, to: i32| {
        let length = f64::from(to - from + 1);
        let rate = |start: i32, end: i32| {
            let (start, end) = (start.max(first), end.min(last + 1));
            (end - start >= 30).then(|| seen(start, end) / f64::from(end - start))
        };
        let around = [rate(from - AROUND, from), rate(to + 1, to + 1 + AROUND)];
        let days = (1..=14).flat_map(|day| [-day * DAY, day * DAY]);
        let mut same: Vec<f64> = days
            .filter(|shift| from + shift >= first && to + shift <= last)
            .map(|shift| seen(from + shift, to + 1 + shift) / length)
            .collect();
        same.sort_by(f64::total_cmp);
        let of_days = same.get(same.len().saturating_sub(1) / 2).copied();
        // Without the time before it there is nothing to be silent against.
        around.first().copied().flatten()?;
        let least = around.into_iter().flatten().chain(of_days).fold(f64::INFINITY, f64::min);
        let expected = least * length;
        let is_silent =
            least >= LEAST_RATE && expected / spread >= CHANCE && seen(from, to + 1) <= RESIDUE * expected;
        is_silent.then_some(Silence { view, first: from, last: to, expected })
    };
    // A single event breaks no silence: gaps with hardly anything between them are tried as one first.
    let mut found = Vec::new();
    let between = |a: &(i32, i32), b: &(i32, i32)| b.0 - a.1 <= 4 && seen(a.1 + 1, b.0) <= 4.0;
    for gaps in gaps.chunk_by(between) {
        let whole = gaps.first().zip(gaps.last()).and_then(|(first, last)| judge(first.0, last.1));
        match whole {
            Some(silence) => found.push(silence),
            None => found.extend(gaps.iter().filter_map(|&(from, to)| judge(from, to))),
        }
    }
    found
}

/// Variance over mean of what ten minutes have against the hour around them.
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
        // Two that follow each other have nearly the same mean, so their difference has twice the variance.
        if a > 0.0 && b > 0.0 {
            squares += (a - b).powi(2) / 2.0;
            sum += f64::midpoint(a, b);
        }
    }
    if sum < 20.0 { 1.0 } else { (squares / sum).clamp(1.0, 6.0) }
}
