//! Estimates the usual rate of one view of the events, hour by hour, as it would be without storms.
//!
//! The usual rate is a weighted sum of three shapes: a constant rate, the number of deliveries in the hour (so that day and
//! night, weekends and a newsletter are no storm), and the same hour of the other days. The weights maximise the likelihood
//! of the hourly counts under a Poisson model (expectation–maximisation: Shepp and Vardi, "Maximum likelihood reconstruction
//! for emission tomography", 1982). Hours that stand out are excluded and the fit is repeated, like the Hampel
//! identifier (Davies and Gather, "The identification of multiple outliers", 1993) with the standard deviation of a Poisson count.

use crate::storm::sample::points::WeightedEvent;

/// The hours of the log, and the number of deliveries in each.
#[derive(Clone, Debug)]
pub(crate) struct Hours {
    /// The first and the last minute of the log, since 1970-01-01T00:00Z.
    pub first: i32,
    pub last: i32,
    /// The number of minutes of each hour that the log covers, at least 1.
    minutes: Vec<f64>,
    /// Deliveries a minute in each hour, divided by their mean over all hours.
    shape: Vec<f64>,
}

/// The usual rate of one view.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedRate {
    /// Hours since 1970-01-01T00:00Z.
    first_hour: i32,
    /// Events a minute, for each hour.
    rates: Vec<f64>,
    /// The expected number of events in all hours before each hour; each counts as 60 minutes.
    sums: Vec<f64>,
    /// Variance over mean of the counts of five minutes; at least 1, which is a Poisson process.
    pub spread: f64,
    /// The number of events in the hours that were not excluded.
    pub total: f64,
    /// The log is long enough to compare an hour with the same hour of other days.
    pub is_by_day: bool,
}

/// The lowest usual rate, in events a minute: one in 25 minutes. Otherwise the first events of a new kind would be a storm
/// at once.
const LEAST_RATE: f64 = 0.04;
/// The largest number of fits, each without the hours that stood out in the one before.
const ROUNDS: usize = 6;
/// The largest number of steps of the expectation–maximisation.
const STEPS: usize = 25;
/// The same hour of other days counts if the log has at least this many days.
const DAYS: usize = 2;

impl Hours {
    /// `served` are minutes and weights of the deliveries; `first` and `last` are the log's minutes.
    pub(crate) fn new(first: i32, last: i32, served: impl Iterator<Item = (i32, f64)>) -> Self {
        let (begin, end) = (first.div_euclid(60), last.div_euclid(60));
        let count = usize::try_from(end - begin).unwrap_or(0) + 1;
        let minutes: Vec<f64> = (0..count)
            .map(|at| {
                let start = (begin + at as i32) * 60;
                f64::from((last + 1).min(start + 60) - first.max(start)).max(1.0)
            })
            .collect();
        let mut volume = vec![0.0; count];
        for (minute, weight) in served {
            if let Some(sum) = volume.get_mut(slot(minute, begin)) {
                *sum += weight;
            }
        }
        let rates: Vec<f64> =
            volume.iter().zip(&minutes).map(|(sum, minutes)| sum / minutes.max(20.0)).collect();
        // The neighbouring hours count half: mail that fails was received some time before.
        let at = |hour: usize| rates.get(hour).copied();
        let smooth = |hour: usize| {
            let here = at(hour).unwrap_or_default();
            let before = hour.checked_sub(1).and_then(at).unwrap_or(here);
            (before + 2.0 * here + at(hour + 1).unwrap_or(here)) / 4.0
        };
        let shape: Vec<f64> = (0..count).map(smooth).collect();
        let mean = (shape.iter().sum::<f64>() / count as f64).max(1e-9);
        let shape =
            shape.iter().map(|rate| if mean > 1e-6 { (rate / mean).max(0.05) } else { 1.0 }).collect();
        Self { first, last, minutes, shape }
    }

    /// The first hour, since 1970-01-01T00:00Z.
    fn begin(&self) -> i32 {
        self.first.div_euclid(60)
    }
}

/// The index of a minute's hour. `usize::MAX`: it is before the log.
fn slot(minute: i32, begin: i32) -> usize {
    usize::try_from(minute.div_euclid(60) - begin).unwrap_or(usize::MAX)
}

impl ExpectedRate {
    /// Estimates the rate from `points`: minutes and weights in the order of time.
    pub(crate) fn of(points: &[(i32, f64)], hours: &Hours) -> Self {
        let count = hours.minutes.len();
        let mut counts = vec![0.0; count];
        for &(minute, weight) in points {
            if let Some(sum) = counts.get_mut(slot(minute, hours.begin())) {
                *sum += weight;
            }
        }
        let mut rates = first_guess(&counts, hours);
        let mut spread: f64 = 1.0;
        let mut kept = vec![true; count];
        for round in 0..ROUNDS {
            let is_kept = |at: usize| {
                let expected = get(&rates, at) * get(&hours.minutes, at);
                // Three standard deviations; two more events are never an outlier.
                get(&counts, at) <= expected + 3.0 * (spread * expected).sqrt() + 2.0
            };
            let before = std::mem::replace(&mut kept, (0..count).map(is_kept).collect());
            if round > 0 && before == kept {
                break;
            }
            rates = fit(&counts, hours, &kept);
            spread = spread_of(points, &rates, hours, &kept);
        }
        for rate in &mut rates {
            *rate = rate.max(LEAST_RATE);
        }
        let sums = std::iter::once(0.0).chain(rates.iter().scan(0.0, |sum, rate| {
            *sum += rate * 60.0;
            Some(*sum)
        }));
        let total = (0..count).filter(|&at| kept.get(at) == Some(&true)).map(|at| get(&counts, at)).sum();
        Self {
            first_hour: hours.begin(),
            sums: sums.collect(),
            rates,
            spread,
            total,
            is_by_day: count >= DAYS * 24,
        }
    }

    /// The expected number of events in the minutes from `from` on and before `to`.
    pub(crate) fn expected(&self, from: i32, to: i32) -> f64 {
        (self.before(to) - self.before(from)).max(0.0)
    }

    /// Events a minute.
    pub(crate) fn rate(&self, minute: i32) -> f64 {
        let at = slot(minute, self.first_hour).min(self.rates.len().saturating_sub(1));
        get(&self.rates, at).max(LEAST_RATE)
    }

    /// The expected number of events from the first hour up to a minute.
    fn before(&self, minute: i32) -> f64 {
        let at = slot(minute, self.first_hour);
        if at >= self.rates.len() {
            let beyond = f64::from(minute - (self.first_hour + self.rates.len() as i32) * 60);
            return self.sums.last().copied().unwrap_or_default() + beyond * LEAST_RATE;
        }
        get(&self.sums, at) + get(&self.rates, at) * f64::from(minute.rem_euclid(60))
    }
}

fn get(values: &[f64], at: usize) -> f64 {
    values.get(at).copied().unwrap_or_default()
}

/// For each hour the larger of two estimates: the median rate, and the median ratio to the deliveries of the hour.
fn first_guess(counts: &[f64], hours: &Hours) -> Vec<f64> {
    let whole = |at: &usize| get(&hours.minutes, *at) >= 20.0 || counts.len() == 1;
    let rate = |at: usize| get(counts, at) / get(&hours.minutes, at).max(1.0);
    let flat = median((0..counts.len()).filter(whole).map(rate).collect());
    let part = median((0..counts.len()).filter(whole).map(|at| rate(at) / get(&hours.shape, at)).collect());
    (0..counts.len()).map(|at| flat.max(part * get(&hours.shape, at))).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The rates of the most likely mixture of shapes, fitted to the hours that are kept (expectation–maximisation).
fn fit(counts: &[f64], hours: &Hours, kept: &[bool]) -> Vec<f64> {
    let count = counts.len();
    let by_day = same_hours(counts, hours, kept);
    let shapes: Vec<Vec<f64>> = if by_day.iter().any(|&rate| rate > 0.0) {
        vec![vec![1.0; count], hours.shape.clone(), by_day]
    } else {
        vec![vec![1.0; count], hours.shape.clone()]
    };
    let used: Vec<usize> = (0..count).filter(|&at| kept.get(at) == Some(&true)).collect();
    let sum: f64 = used.iter().map(|&at| get(counts, at)).sum();
    let minutes = |shape: &Vec<f64>| -> f64 {
        used.iter().map(|&at| get(shape, at) * get(&hours.minutes, at)).sum::<f64>().max(1e-9)
    };
    let totals: Vec<f64> = shapes.iter().map(minutes).collect();
    let mut weights: Vec<f64> = totals.iter().map(|total| sum / total / shapes.len() as f64).collect();
    let mix = |weights: &[f64], at: usize| -> f64 {
        weights.iter().zip(&shapes).map(|(weight, shape)| weight * get(shape, at)).sum()
    };
    for _ in 0..STEPS {
        let mut shares = vec![0.0; shapes.len()];
        for &at in &used {
            let (rate, observed) = (mix(&weights, at), get(counts, at));
            if rate <= 0.0 || observed <= 0.0 {
                continue;
            }
            for (share, (weight, shape)) in shares.iter_mut().zip(weights.iter().zip(&shapes)) {
                *share += observed * weight * get(shape, at) / rate;
            }
        }
        let mut change: f64 = 0.0;
        for (weight, (share, total)) in weights.iter_mut().zip(shares.iter().zip(&totals)) {
            change = change.max((share / total - *weight).abs());
            *weight = share / total;
        }
        if change < 1e-4 * sum / f64::from(hours.last - hours.first + 1) {
            break;
        }
    }
    (0..count).map(|at| mix(&weights, at)).collect()
}

/// The mean rate of the same hour on the other days, among the hours that are kept; all 0 if the log has fewer than
/// [`DAYS`].
fn same_hours(counts: &[f64], hours: &Hours, kept: &[bool]) -> Vec<f64> {
    let count = counts.len();
    if count < DAYS * 24 {
        return vec![0.0; count];
    }
    let mut sums = [(0.0, 0.0); 24];
    for at in (0..count).filter(|&at| kept.get(at) == Some(&true)) {
        if let Some(sum) = sums.get_mut(at % 24) {
            sum.0 += get(counts, at);
            sum.1 += get(&hours.minutes, at);
        }
    }
    let other = |at: usize| {
        let (mut observed, mut minutes) = sums.get(at % 24).copied().unwrap_or_default();
        if kept.get(at) == Some(&true) {
            (observed, minutes) = (observed - get(counts, at), minutes - get(&hours.minutes, at));
        }
        if minutes > 0.5 { (observed / minutes).max(0.0) } else { 0.0 }
    };
    (0..count).map(other).collect()
}

/// Variance over mean of the counts of five minutes, in the hours that are kept.
fn spread_of(points: &[(i32, f64)], rates: &[f64], hours: &Hours, kept: &[bool]) -> f64 {
    let is_kept = |at: usize| kept.get(at) == Some(&true);
    let (mut squares, mut sum, mut bins) = (0.0, 0.0, 0.0);
    for at in (0..rates.len()).filter(|&at| is_kept(at)) {
        let (expected, count) = (get(rates, at) * 5.0, get(&hours.minutes, at) / 5.0);
        squares += count * expected * expected;
        sum += count * expected;
        bins += count;
    }
    let mut excesses: Vec<f64> = Vec::new();
    for bin in points.chunk_by(|a, b| a.0.div_euclid(5) == b.0.div_euclid(5)) {
        let Some(&(minute, _)) = bin.first() else { continue };
        let at = slot(minute, hours.begin());
        if is_kept(at) {
            let expected = get(rates, at) * 5.0;
            let observed: f64 = bin.iter().map(|(_, weight)| weight).sum();
            excesses.push((observed - expected).powi(2) - expected * expected);
        }
    }
    // The largest deviations are left out: a small storm, or the edge of a large one, must not make its like usual.
    excesses.sort_by(f64::total_cmp);
    let trimmed = excesses.len().saturating_sub(2 + (bins * 0.003) as usize);
    squares += excesses.iter().take(trimmed).sum::<f64>();
    // Too few events say nothing about the spread.
    if sum < 5.0 { 1.0 } else { (squares / sum).clamp(1.0, 20.0) }
}

/// Minutes and weights of the points that are no retries, since retries of old mail are not a new failure.
pub(crate) fn weights<'p>(points: impl Iterator<Item = &'p WeightedEvent>) -> Vec<(i32, f64)> {
    points.filter(|point| !point.is_retry).map(|point| (point.sample.minute, point.weight)).collect()
}
