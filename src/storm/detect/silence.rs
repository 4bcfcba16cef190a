//! Finds silences: spans of time without the deliveries or arrivals that are usual, while the log goes on.
//!
//! The usual number of events in a span is the least of several estimates: from the hours before it, from those after it,
//! and the median of the same time on other days. So neither a quiet night nor the end of a working day is a silence, and
//! after a mailing the usual is what it was before. Where the log has no other day at that time, nothing tells whether the
//! hour is a quiet one, so a silence needs a sharp edge: much mail up to its first minute, then hardly any. Only mail that
//! was served counts: failures come and go. A weekend is compared with other weekends; without any, it may be very quiet, and is
//! no sure silence. A gap in all lines is dead time of the log, not a silence.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::curve::Curve;
use super::grid::Sensitivity;
use super::likelihood::exponent;
use super::living_time::LivingTime;
use super::weekend::weekend_share;
use crate::report::storm::Dimension;
use crate::storm::sample::line_minutes::DAY;
use crate::storm::sample::points::{FactorValue, WeightedEvent};
use crate::storm::sample::served_minutes::{ServedMinute, ServedMinutes};

/// A view without events for a while.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Silence {
    /// `None`: all mail of the log.
    pub view: Option<(Dimension, FactorValue)>,
    /// The first and the last minute, since 1970-01-01T00:00Z; neither of them has an event.
    pub first: i32,
    pub last: i32,
    /// The number of events that came nevertheless.
    pub came: f64,
    /// The number of events that the span usually has in its first `known` minutes. What is usual later is not known.
    pub expected: f64,
    pub known: i32,
    /// It is a weekend, and the log has no other one to compare with.
    pub is_lone_weekend: bool,
    /// How improbable it is, in nats.
    score: f64,
}

/// A gap between two events is longer than this.
const LEAST_MINUTES: i32 = 5;
/// The least share of all mail for which a single value is watched: a small part pauses without a fault.
const LEAST_SHARE: f64 = 0.1;
/// The largest share of the expected events that may still come in a silence.
const RESIDUE: f64 = 0.1;
/// The least usual rate, in events a minute: less mail than that is never missed.
const LEAST_RATE: f64 = 0.1;
/// Minutes of each stretch before and after a gap that shows the usual rate. A mailing lasts less than two of them.
const AROUND: i32 = 120;
/// Minutes right before a gap that must be as busy as the hours before, if no other day shows what is usual: two lengths.
const EDGES: [i32; 2] = [30, 60];
/// Stretches before and after a gap.
const STRETCHES: i32 = 3;
/// A view with fewer events is never missed.
const LEAST_EVENTS: f64 = 48.0;
/// A silence has the same exponent as a storm, and this much more: the usual rate is less certain than in a window, because it
/// changes with the hour.
const UNCERTAINTY: f64 = 2.5;

/// What was served in each minute: of one host, direction or instance, or of everything.
type ServedView = (Option<(Dimension, FactorValue)>, Vec<(i32, f64)>);

/// A weekend is one if at least this share of a gap lies in it.
const WEEKEND: f64 = 0.5;
/// The share of the mail of a working day that a quiet weekend has at least.
const WEEKEND_MAIL: f64 = 0.02;

/// The silences of all mail, of each host, direction and instance; of those that overlap, the least probable one. `first`
/// and `last` are the log's minutes. Weekends are those of `zone`.
pub(crate) fn silences(
    points: &[WeightedEvent],
    minutes: &ServedMinutes,
    living: &LivingTime,
    (first, last): (i32, i32),
    sensitivity: Sensitivity,
    zone: &TimeZone,
) -> Vec<Silence> {
    // A single server or client pauses without a fault, and after a mailing to it nothing comes.
    let served: Vec<&WeightedEvent> = points.iter().filter(|point| point.sample.series.is_served()).collect();
    let minutes: Vec<ServedMinute> =
        minutes.iter().filter(|served| (first..=last).contains(&served.minute)).collect();
    let all: f64 = minutes.iter().map(|served| f64::from(served.count)).sum();
    let mut views: Vec<ServedView> = Vec::new();
    // The counts of all mail and of each direction are exact. They are sorted by hour, then by direction.
    let count = |served: &ServedMinute| (served.minute, f64::from(served.count));
    let hours = minutes.chunk_by(|a, b| a.minute.div_euclid(60) == b.minute.div_euclid(60));
    views.push((None, hours.flat_map(by_minute).collect()));
    for dimension in [Dimension::Host, Dimension::Direction, Dimension::Instance] {
        let mut groups: BTreeMap<FactorValue, Vec<(i32, f64)>> = BTreeMap::new();
        if dimension == Dimension::Direction {
            for served in &minutes {
                groups.entry(served.direction as u64 + 1).or_default().push(count(served));
            }
        } else {
            for point in &served {
                let value = point.value(dimension);
                if value > 0 {
                    groups.entry(value).or_default().push((point.sample.minute, point.weight));
                }
            }
        }
        views.extend(groups.into_iter().map(|(value, weights)| (Some((dimension, value)), weights)));
    }
    let mut found: Vec<Silence> = Vec::new();
    for (view, weights) in views {
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        if view.is_some() && total < LEAST_SHARE * all {
            continue;
        }
        let is_sampled = view.is_some_and(|(dimension, _)| dimension != Dimension::Direction);
        // The weight that one event of the sample stands for (Kish, "Survey sampling", 1965).
        let squares: f64 = weights.iter().map(|(_, weight)| weight * weight).sum();
        let spread = if is_sampled { (squares / total.max(1e-9)).max(1.0) } else { 1.0 };
        let served = Curve::new(weights.into_iter());
        let series = ServedSeries { served, living, first, last, sensitivity, zone, view, spread };
        found.extend(series.silences());
    }
    // Of equal ones the widest view: it comes first.
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut silences: Vec<Silence> = Vec::new();
    for silence in found {
        let overlaps =
            |other: &Silence| silence.first <= other.last + AROUND && other.first <= silence.last + AROUND;
        if !silences.iter().any(overlaps) {
            silences.push(silence);
        }
    }
    silences
}

/// The counts of an hour's minutes in the order of time.
fn by_minute(hour: &[ServedMinute]) -> impl Iterator<Item = (i32, f64)> {
    let mut sums = [0.0; 60];
    for served in hour {
        if let Some(sum) = sums.get_mut(served.minute.rem_euclid(60) as usize) {
            *sum += f64::from(served.count);
        }
    }
    let first = hour.first().map_or(0, |served| served.minute - served.minute.rem_euclid(60));
    (first..).zip(sums).filter(|(_, sum)| *sum > 0.0)
}

/// What is usual in a gap.
#[derive(Clone, Copy)]
struct Usual {
    /// In events a minute.
    rate: f64,
    /// The minutes of the gap, from its first on, for which that is known. The hours beside a gap tell nothing about those
    /// that are farther away.
    known: i32,
    /// It is a guess: the gap is a weekend, and the log has no other one to compare with.
    is_lone_weekend: bool,
}

/// The served mail of one view.
struct ServedSeries<'a> {
    served: Curve,
    living: &'a LivingTime,
    first: i32,
    last: i32,
    sensitivity: Sensitivity,
    zone: &'a TimeZone,
    view: Option<(Dimension, FactorValue)>,
    /// The number of events that one event of the sample stands for; 1: all are there.
    spread: f64,
}

impl ServedSeries<'_> {
    fn silences(&self) -> Vec<Silence> {
        if self.served.total() < LEAST_EVENTS {
            return Vec::new();
        }
        let clump = self.clump();
        let mut gaps = Vec::new();
        let mut before = self.first;
        for (minute, _) in self.served.entries() {
            if minute - before > LEAST_MINUTES {
                gaps.push((before + 1, minute - 1));
            }
            before = minute;
        }
        if self.last - before > LEAST_MINUTES {
            gaps.push((before + 1, self.last));
        }
        // A single event does not end a silence: gaps with hardly any events between them are tried as one first.
        let mut silences = Vec::new();
        let is_near =
            |a: &(i32, i32), b: &(i32, i32)| b.0 - a.1 <= 4 && self.served.between(a.1 + 1, b.0 + 1) <= 4.0;
        for gaps in gaps.chunk_by(is_near) {
            let whole = gaps.first().zip(gaps.last());
            let whole = whole.and_then(|(first, last)| self.silence(first.0, last.1, clump));
            match whole {
                Some(silence) => silences.push(silence),
                None => silences.extend(gaps.iter().filter_map(|&(from, to)| self.silence(from, to, clump))),
            }
        }
        silences
    }

    /// The gap from minute `from` to `to`, if it is a silence.
    fn silence(&self, from: i32, to: i32, clump: f64) -> Option<Silence> {
        // Dead time is no silence, and a silence ends where the log does.
        if self.living.between(from, to + 1) < 0.5 * f64::from(to - from + 1) {
            return None;
        }
        // Nearly all gaps are too short for the rate of the two hours before them.
        if let Some(rate) = self.rate(from - AROUND, from) {
            let usual = Usual { rate, known: i32::MAX, is_lone_weekend: false };
            self.score((from, to), usual, clump)?;
        }
        let usual = self.usual(from, to)?;
        let score = self.score((from, to), usual, clump)?;
        let (first, last) = self.unserved(self.widened((from, to), usual.rate), from);
        let expected = self.expected((first, last), usual);
        let came = self.served.between(first, last + 1);
        let known = usual.known.min(last - first + 1);
        let is_lone_weekend = usual.is_lone_weekend;
        Some(Silence { view: self.view, first, last, came, expected, known, is_lone_weekend, score })
    }

    /// The score of a span if it is a silence; with a lower usual rate it is lower.
    fn score(&self, (from, to): (i32, i32), usual: Usual, clump: f64) -> Option<f64> {
        let needed = self.sensitivity.critical_silence(f64::from((to - from + 1).min(usual.known)));
        let came = self.served.between(from, to + 1);
        let expected = self.expected((from, to), usual);
        let least = if usual.is_lone_weekend { LEAST_RATE * WEEKEND_MAIL } else { LEAST_RATE };
        let is_low = usual.rate >= least && came <= RESIDUE * expected;
        let improbable = exponent(came / self.spread, expected / self.spread, clump) / UNCERTAINTY;
        (is_low && improbable >= needed).then_some(improbable)
    }

    /// The usual number of events from minute `from` to `to`, as far as it is known.
    fn expected(&self, (from, to): (i32, i32), usual: Usual) -> f64 {
        usual.rate * self.living.between(from, (to + 1).min(from.saturating_add(usual.known)))
    }

    /// The rate from minute `start` on and before `end`, in events a minute. `None`: too little of that is living time.
    fn rate(&self, start: i32, end: i32) -> Option<f64> {
        let (start, end) = (start.max(self.first), end.min(self.last + 1));
        let alive = if start < end { self.living.between(start, end) } else { 0.0 };
        (alive >= 30.0).then(|| self.served.between(start, end) / alive)
    }

    /// The gap with the minutes before and after it that have hardly any events: mail that is in the queue already, or comes
    /// by another way, may go on for a while. The log likelihood ratio of [`RESIDUE`] times the rate against the rate is
    /// largest for this span.
    fn widened(&self, (from, to): (i32, i32), rate: f64) -> (i32, i32) {
        let gain = |minute: i32| {
            let alive = self.living.between(minute, minute + 1);
            let came = self.served.between(minute, minute + 1);
            (1.0 - RESIDUE) * rate * alive - (1.0 / RESIDUE).ln() * came
        };
        let reach = |minutes: &mut dyn Iterator<Item = i32>, edge: i32| {
            let (mut sum, mut best, mut reached) = (0.0, 0.0, edge);
            for minute in minutes {
                sum += gain(minute);
                if sum > best {
                    (best, reached) = (sum, minute);
                }
                if sum < best - 3.0 * (1.0 / RESIDUE).ln() {
                    break;
                }
            }
            reached
        };
        let earliest = self.first.max(from - AROUND);
        let latest = self.last.min(to + AROUND);
        let first = reach(&mut (earliest..from).rev(), from);
        (first, reach(&mut (to + 1..latest + 1), to))
    }

    /// The span without the minutes with events at its ends. `inside` is a minute without one.
    fn unserved(&self, (first, last): (i32, i32), inside: i32) -> (i32, i32) {
        let is_served = |minute: &i32| self.served.between(*minute, minute + 1) > 0.0;
        let first = (first..inside).find(|minute| !is_served(minute)).unwrap_or(inside);
        let last = (inside..=last).rev().find(|minute| !is_served(minute)).unwrap_or(inside);
        (first, last)
    }

    /// What is usual in a gap. `None`: nothing before it shows that.
    fn usual(&self, from: i32, to: i32) -> Option<Usual> {
        let before = |stretch: i32| self.rate(from - (stretch + 1) * AROUND, from - stretch * AROUND);
        let after = |stretch: i32| self.rate(to + 1 + stretch * AROUND, to + 1 + (stretch + 1) * AROUND);
        let median = |mut rates: Vec<f64>| {
            rates.sort_by(f64::total_cmp);
            rates.get(rates.len().saturating_sub(1) / 2).copied()
        };
        // The lower middle of the stretches: one of them may hold a mailing.
        let earlier = median((0..STRETCHES).filter_map(before).collect())?.min(before(0).unwrap_or(f64::MAX));
        let later = median((0..STRETCHES).filter_map(after).collect());
        let later = later.map(|rate| after(0).unwrap_or(rate).min(rate));
        let is_weekend = weekend_share(self.zone, from, to) >= WEEKEND;
        let of_days = median(self.on_other_days((from, to), if is_weekend { 7 } else { 1 }));
        let least = [later, of_days].into_iter().flatten().fold(earlier, f64::min);
        if of_days.is_some() {
            return Some(Usual { rate: least, known: i32::MAX, is_lone_weekend: false });
        }
        if is_weekend && weekend_share(self.zone, from - STRETCHES * AROUND, from - 1) < WEEKEND {
            let rate = least * WEEKEND_MAIL;
            return Some(Usual { rate, known: i32::MAX, is_lone_weekend: true });
        }
        let edges = EDGES.into_iter().filter_map(|length| self.rate(from - length, from));
        let known = if later.is_some() { 2 * AROUND } else { AROUND };
        // A log of one day knows no working days either: its weekend is all there is to compare with.
        let is_lone_weekend = is_weekend && !self.on_other_days((from, to), 1).is_empty();
        Some(Usual { rate: edges.fold(least, f64::min), known, is_lone_weekend })
    }

    /// The rates at the same time of the days before and after, each so many days apart; a weekend is like other weekends only.
    fn on_other_days(&self, (from, to): (i32, i32), apart: i32) -> Vec<f64> {
        let days = (1..=28 / apart).map(|day| day * apart).filter(|day| apart > 1 || *day <= 14);
        let is_inside = |shift: &i32| from + shift >= self.first && to + shift <= self.last;
        let shifts = days.flat_map(|day| [-day * DAY, day * DAY]).filter(is_inside);
        let rates = shifts.filter_map(|shift| {
            let alive = self.living.between(from + shift, to + 1 + shift);
            (alive >= 0.5 * f64::from(to - from + 1))
                .then(|| self.served.between(from + shift, to + 1 + shift) / alive)
        });
        rates.collect()
    }

    /// The clumps of the deliveries, from the differences of neighbouring counts.
    fn clump(&self) -> f64 {
        let weights: Vec<(i32, f64)> = self.served.entries().collect();
        let mut clumps = super::clump::Clumps::default();
        clumps.add(&weights, self.living, false);
        clumps.finish().whole()
    }
}
