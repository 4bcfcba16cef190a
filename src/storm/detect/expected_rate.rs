//! What is usual: the points of one view come in; how many of them any span of time should have, without a storm, goes out.
//!
//! The usual rate is a sum of three shapes, each with a weight: an even rate, the amount of mail that went well in the hour
//! (so night and day, weekends and a newsletter are no storm), and the same hour of the other days. The weights are those
//! that make the hours most likely if counts are Poisson's (expectation–maximisation, as Shepp and Vardi 1982 have it).
//! Hours that stand out are left out, and it is done anew: the Hampel identifier's way, with a Poisson count's own spread.

use crate::storm::sample::points::WeightedEvent;

/// The hours of the log, and how much mail went well in each.
#[derive(Clone, Debug)]
pub(crate) struct Hours {
    /// The first and the last minute, counted from 1970-01-01T00:00Z.
    pub first: i32,
    pub last: i32,
    /// Minutes of the log in each hour.
    minutes: Vec<f64>,
    /// Mail that went well, a minute, over its mean.
    shape: Vec<f64>,
}

/// The usual rate of one view.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedRate {
    first_hour: i32,
    /// A minute, by the hour.
    rates: Vec<f64>,
    /// What all hours before each should have, had they 60 minutes of the log.
    sums: Vec<f64>,
    /// Variance over mean of five-minute counts; 1 is Poisson's, and it is never less.
    pub spread: f64,
    /// All that is usual, and nothing that stood out, in the hours that were not left out.
    pub total: f64,
    pub is_by_day: bool,
}

/// What is less is taken for this, events a minute: one in 25 minutes. A kind of event that was never seen before would
/// else be a storm at once.
const LEAST: f64 = 0.04;
const ROUNDS: usize = 6;
const STEPS: usize = 25;
/// Days of log from which on the same hour of other days counts.
const DAYS: usize = 2;

impl Hours {
    /// `served` are points that went well, `first` and `last` the log's.
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
        // The hours beside it count half: mail that fails was handed over some time before.
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

    fn begin(&self) -> i32 {
        self.first.div_euclid(60)
    }
}

fn slot(minute: i32, begin: i32) -> usize {
    usize::try_from(minute.div_euclid(60) - begin).unwrap_or(usize::MAX)
}

impl ExpectedRate {
    /// `points` in the order of time: minute and weight.
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
                // Three deviations, as Hampel's; two more events are never an outlier.
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
            *rate = rate.max(LEAST);
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

    /// In the minutes from `from` on and before `to`.
    pub(crate) fn expected(&self, from: i32, to: i32) -> f64 {
        (self.before(to) - self.before(from)).max(0.0)
    }

    pub(crate) fn rate(&self, minute: i32) -> f64 {
        let at = slot(minute, self.first_hour).min(self.rates.len().saturating_sub(1));
        get(&self.rates, at).max(LEAST)
    }

    fn before(&self, minute: i32) -> f64 {
        let at = slot(minute, self.first_hour);
        if at >= self.rates.len() {
            let beyond = f64::from(minute - (self.first_hour + self.rates.len() as i32) * 60);
            return self.sums.last().copied().unwrap_or_default() + beyond * LEAST;
        }
        get(&self.sums, at) + get(&self.rates, at) * f64::from(minute.rem_euclid(60))
    }
}

fn get(values: &[f64], at: usize) -> f64 {
    values.get(at).copied().unwrap_or_default()
}

/// The larger of two medians: of the rates, and of the rates as parts of the mail that went well.
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

/// The rates of the most likely mixture of shapes, by the hours that are kept.
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
            let (rate, seen) = (mix(&weights, at), get(counts, at));
            if rate <= 0.0 || seen <= 0.0 {
                continue;
            }
            for (share, (weight, shape)) in shares.iter_mut().zip(weights.iter().zip(&shapes)) {
                *share += seen * weight * get(shape, at) / rate;
            }
        }
        let mut moved: f64 = 0.0;
        for (weight, (share, total)) in weights.iter_mut().zip(shares.iter().zip(&totals)) {
            moved = moved.max((share / total - *weight).abs());
            *weight = share / total;
        }
        if moved < 1e-4 * sum / f64::from(hours.last - hours.first + 1) {
            break;
        }
    }
    (0..count).map(|at| mix(&weights, at)).collect()
}

/// The mean rate of the same hour of the other days, as far as they are kept; all 0 for a log of less than two days.
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
        let (mut seen, mut minutes) = sums.get(at % 24).copied().unwrap_or_default();
        if kept.get(at) == Some(&true) {
            (seen, minutes) = (seen - get(counts, at), minutes - get(&hours.minutes, at));
        }
        if minutes > 0.5 { (seen / minutes).max(0.0) } else { 0.0 }
    };
    (0..count).map(other).collect()
}

/// Variance over mean of what five minutes have, in the hours that are kept.
fn spread_of(points: &[(i32, f64)], rates: &[f64], hours: &Hours, kept: &[bool]) -> f64 {
    let is_kept = |at: usize| kept.get(at) == Some(&true);
    let (mut squares, mut sum, mut bins) = (0.0, 0.0, 0.0);
    for at in (0..rates.len()).filter(|&at| is_kept(at)) {
        let (expected, count) = (get(rates, at) * 5.0, get(&hours.minutes, at) / 5.0);
        squares += count * expected * expected;
        sum += count * expected;
        bins += count;
    }
    let mut beyond: Vec<f64> = Vec::new();
    for bin in points.chunk_by(|a, b| a.0.div_euclid(5) == b.0.div_euclid(5)) {
        let Some(&(minute, _)) = bin.first() else { continue };
        let at = slot(minute, hours.begin());
        if is_kept(at) {
            let expected = get(rates, at) * 5.0;
            let seen: f64 = bin.iter().map(|(_, weight)| weight).sum();
            beyond.push((seen - expected).powi(2) - expected * expected);
        }
    }
    // A small storm, or the edge of a large one, must not make all that is like it usual.
    beyond.sort_by(f64::total_cmp);
    let trimmed = beyond.len().saturating_sub(2 + (bins * 0.003) as usize);
    squares += beyond.iter().take(trimmed).sum::<f64>();
    // Of few events the spread is not known.
    if sum < 5.0 { 1.0 } else { (squares / sum).clamp(1.0, 20.0) }
}

/// Minute and weight of the points that are no retries: a queue full of old mail that nobody takes is no news.
pub(crate) fn weights<'p>(points: impl Iterator<Item = &'p WeightedEvent>) -> Vec<(i32, f64)> {
    points.filter(|point| !point.is_retry).map(|point| (point.sample.minute, point.weight)).collect()
}
