//! Compares the counts of a run with the median of the same hours on earlier days.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use statrs::distribution::{DiscreteCDF, Poisson};

use super::history::{History, HistoryHour, ReadSpan};
use crate::report::{Change, Compared, MissingRow, Report, Row};
use crate::smtp::event::{Direction, Outcome};
use crate::tally::by_hour::Hourly;
use crate::tally::event_kind::EventKind;

/// Minimum number of samples for a comparison.
const SAMPLES_NEEDED: usize = 3;
/// How far back samples are taken, in weeks and in days.
const WEEKS: i64 = 12;
const DAYS: i64 = 28;

/// The modified z-score from which a count is an outlier: Iglewicz and Hoaglin, "How to Detect and Handle Outliers"
/// (1993).
const OUTLIER_SCORE: f64 = 3.5;
/// Converts the median absolute deviation to a standard deviation, for a normal distribution.
const MAD_TO_SIGMA: f64 = 1.4826;
/// The probability below which a count is not chance, if the usual count is the mean of a Poisson distribution. It
/// matters for small counts: their deviation is often zero, and any change would be an outlier.
const CHANCE: f64 = 0.001;
/// Minimum difference from the usual count, in events.
const MIN_DIFFERENCE: f64 = 10.0;
/// Minimum usual count of a kind that is reported as missing.
const MIN_MISSING: f64 = 10.0;
const MISSING_SHOWN: usize = 10;

type KindCounts = BTreeMap<EventKind, f64>;

/// Adds to the report how it differs from the usual counts of these hours. `None`: too little history, and nothing is
/// added.
pub(crate) fn compare(
    report: &mut Report,
    history: &History,
    span: ReadSpan,
    hourly: &Hourly,
    zone: &TimeZone,
) -> Option<()> {
    let now = now(hourly, span);
    let (samples, same_weekday) = samples(history, span, zone)?;
    let usual = |kinds: &dyn Fn(&EventKind) -> bool| -> Vec<f64> {
        let of_sample =
            |sample: &KindCounts| sum(sample.iter().filter(|(kind, _)| kinds(kind)).map(|(_, count)| count));
        samples.iter().map(of_sample).collect()
    };
    let few = few_recipients(&report.rows);
    for row in &mut report.rows {
        if matches!(row.outcome, Outcome::Attempt | Outcome::Probe) {
            continue;
        }
        let own = kind(row);
        // Rows that differ only in their retry advice are one kind.
        let now = now.get(&own).copied().unwrap_or_default();
        let change = change(now, &usual(&|kind| *kind == own), Deviation::More);
        row.change = Some(Change { unusual: change.unusual && !few.contains(&own), ..change });
    }
    let total = |outcomes: Outcome, inbound: bool, side: Deviation| {
        let wanted =
            |kind: &EventKind| kind.outcome == outcomes && (kind.direction == Direction::Inbound) == inbound;
        let usual = usual(&wanted);
        let counts = || now.iter().filter(|(kind, _)| wanted(kind));
        let whole = change(sum(counts().map(|(_, count)| count)), &usual, side);
        let without = sum(counts().filter(|(kind, _)| !few.contains(kind)).map(|(_, count)| count));
        let is_less = side == Deviation::Both;
        Change { unusual: whole.unusual && (is_less || change(without, &usual, side).unusual), ..whole }
    };
    report.baseline = Some(Compared {
        samples: samples.len(),
        same_weekday,
        // Too few deliveries are as bad a sign as too many, but not in comparison with another weekday.
        delivered: total(
            Outcome::Delivered,
            false,
            if same_weekday { Deviation::Both } else { Deviation::More },
        ),
        deferred: total(Outcome::Deferred, false, Deviation::More),
        bounced: total(Outcome::Bounced, false, Deviation::More),
        expired: total(Outcome::Expired, false, Deviation::More),
        refused: total(Outcome::Rejected, true, Deviation::More),
        gone: missing_rows(&now, &samples),
    });
    Some(())
}

/// Kinds of deferrals of fewer than [`MIN_DIFFERENCE`] recipients: a few messages that are tried again and again are no flood.
fn few_recipients(rows: &[Row]) -> BTreeSet<EventKind> {
    let mut recipients: BTreeMap<EventKind, u64> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.outcome == Outcome::Deferred) {
        *recipients.entry(kind(row)).or_default() += row.recipients;
    }
    recipients.retain(|_, number| (*number as f64) < MIN_DIFFERENCE);
    recipients.into_keys().collect()
}

/// The sum of counts. That of no counts is 0; `Iterator::sum` makes it −0.
fn sum<'a>(counts: impl Iterator<Item = &'a f64>) -> f64 {
    counts.fold(0.0, |sum, count| sum + count)
}

fn kind(row: &Row) -> EventKind {
    let &Row { direction, outcome, class, code, enhanced, reason, .. } = row;
    EventKind { direction, outcome, class, code, enhanced, reason }
}

/// The counts of the run within the span.
fn now(hourly: &Hourly, span: ReadSpan) -> KindCounts {
    let mut now = KindCounts::new();
    let hours: BTreeSet<i64> = span.hours().map(|(hour, _)| hour).collect();
    for (_, counts) in hourly.hours().iter().filter(|(hour, _)| hours.contains(hour)) {
        for (kind, count) in counts {
            *now.entry(*kind).or_default() += *count as f64;
        }
    }
    now
}

/// The counts of the same hours whole weeks earlier, or, if there are too few of these, whole days earlier. `true`: of
/// the same weekday.
fn samples(history: &History, span: ReadSpan, zone: &TimeZone) -> Option<(Vec<KindCounts>, bool)> {
    let hours: Vec<(i64, (u8, u8))> = span.hours().collect();
    let length = hours.len() as i64;
    let back = |days: i64, most: i64| -> Vec<KindCounts> {
        // A step is at least as long as the span, so that samples overlap neither the span nor each other.
        let step = (length + days * 24 - 1) / (days * 24) * days;
        (1..=most).filter_map(|times| sample(history, &hours, step * times, zone)).collect()
    };
    let weeks = back(7, WEEKS);
    if weeks.len() >= SAMPLES_NEEDED {
        return Some((weeks, true));
    }
    let days = back(1, DAYS);
    (days.len() >= SAMPLES_NEEDED).then_some((days, false))
}

/// The counts of the same hours of the clock `days` earlier. `None`: less than three quarters of these hours were
/// read.
fn sample(history: &History, hours: &[(i64, (u8, u8))], days: i64, zone: &TimeZone) -> Option<KindCounts> {
    let mut counts = KindCounts::new();
    let mut read = 0;
    for &(hour, (from, until)) in hours {
        let Some(earlier) = earlier(hour, days, zone).and_then(|hour| history.hours.get(&hour)) else {
            continue;
        };
        read += 1;
        let part = read_share(earlier, until.saturating_sub(from));
        for (kind, count) in &earlier.counts {
            *counts.entry(*kind).or_default() += *count as f64 * part;
        }
    }
    (read * 4 >= hours.len() * 3 && read > 0).then_some(counts)
}

/// The share of an earlier hour's counts that corresponds to the minutes read of this hour.
fn read_share(earlier: &HistoryHour, minutes: u8) -> f64 {
    let read = f64::from(earlier.minutes().max(1));
    (f64::from(minutes) / read).min(1.0)
}

fn earlier(hour: i64, days: i64, zone: &TimeZone) -> Option<i64> {
    let at = Timestamp::from_second(hour * 3600).ok()?.to_zoned(zone.clone());
    let at = at.checked_sub(Span::new().try_days(days).ok()?).ok()?;
    Some(at.timestamp().as_second().div_euclid(3600))
}

/// The direction in which a count may be unusual.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deviation {
    More,
    Both,
}

/// How far a count is above the usual one.
pub(crate) fn increase(now: f64, samples: &[f64]) -> Change {
    change(now, samples, Deviation::More)
}

fn change(now: f64, samples: &[f64], side: Deviation) -> Change {
    let usual = median(samples.to_vec());
    let percent = (usual > 0.0).then(|| ((now - usual) / usual * 100.0).round() as i64);
    let less = side == Deviation::Both && is_less(now, usual, samples);
    Change { usual, percent, unusual: is_more(now, usual, samples) || less }
}

/// At least twice the usual count, at least [`MIN_DIFFERENCE`] more, an outlier among the samples, and not by chance.
fn is_more(now: f64, usual: f64, samples: &[f64]) -> bool {
    let by_chance = || poisson(usual).map_or(1.0, |poisson| poisson.sf((now - 1.0).max(0.0) as u64));
    now >= usual * 2.0
        && now - usual >= MIN_DIFFERENCE
        && is_outlier(now, usual, samples)
        && by_chance() < CHANCE
}

/// At most half the usual count, by the same measures.
fn is_less(now: f64, usual: f64, samples: &[f64]) -> bool {
    let by_chance = || poisson(usual).map_or(1.0, |poisson| poisson.cdf(now as u64));
    now <= usual / 2.0
        && usual - now >= MIN_DIFFERENCE
        && is_outlier(now, usual, samples)
        && by_chance() < CHANCE
}

fn is_outlier(now: f64, usual: f64, samples: &[f64]) -> bool {
    let deviation = median(samples.iter().map(|sample| (sample - usual).abs()).collect());
    (now - usual).abs() > OUTLIER_SCORE * MAD_TO_SIGMA * deviation
}

/// The distribution of chance, with a mean of at least 1: an event that never occurred may still occur once by chance.
fn poisson(usual: f64) -> Option<Poisson> {
    Poisson::new(usual.max(1.0)).ok()
}

/// The median; 0 for no values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2).copied().unwrap_or_default();
    let lower = values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default();
    f64::midpoint(lower, upper)
}

fn missing_rows(now: &KindCounts, samples: &[KindCounts]) -> Vec<MissingRow> {
    let kinds: BTreeSet<EventKind> = samples.iter().flat_map(KindCounts::keys).copied().collect();
    let missing =
        kinds.into_iter().filter(|kind| !now.contains_key(kind) && kind.outcome != Outcome::Delivered);
    let mut rows: Vec<MissingRow> = missing
        .map(|kind| {
            let counts = samples.iter().map(|sample| sample.get(&kind).copied().unwrap_or_default());
            let EventKind { direction, outcome, code, enhanced, reason, .. } = kind;
            MissingRow { direction, outcome, code, enhanced, reason, usual: median(counts.collect()) }
        })
        .filter(|row| row.usual >= MIN_MISSING)
        .collect();
    rows.sort_by(|a, b| b.usual.total_cmp(&a.usual));
    rows.truncate(MISSING_SHOWN);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn judges(now: f64, samples: &[f64], unusual: bool) {
        assert_eq!(change(now, samples, Deviation::Both).unusual, unusual, "{now} after {samples:?}");
    }

    #[test]
    fn the_median_is_that_of_the_two_in_the_middle() {
        let is_median = |values: &[f64], wanted: f64| (median(values.to_vec()) - wanted).abs() < 1e-9;
        assert!(
            is_median(&[], 0.0)
                && is_median(&[3.0], 3.0)
                && is_median(&[9.0, 1.0], 5.0)
                && is_median(&[100.0, 1.0, 2.0], 2.0)
        );
    }

    #[test]
    fn a_burst_is_unusual_and_noise_is_not() {
        judges(18_204.0, &[0.0, 0.0, 0.0], true);
        judges(4_120.0, &[1_000.0, 990.0, 1_040.0, 1_010.0], true);
        judges(1_060.0, &[1_000.0, 990.0, 1_040.0, 1_010.0], false);
        judges(9.0, &[0.0, 0.0, 0.0], false);
        judges(10.0, &[0.0, 0.0, 0.0], true);
        judges(12.0, &[8.0, 1.0, 3.0], false);
        judges(13.0, &[3.0, 3.0, 3.0], true);
        judges(0.0, &[0.0, 0.0, 0.0], false);
    }

    #[test]
    fn one_bad_day_among_the_earlier_ones_hides_nothing() {
        judges(5_000.0, &[100.0, 110.0, 90.0, 6_000.0, 105.0], true);
    }

    #[test]
    fn what_always_jumps_is_not_unusual_when_it_does() {
        judges(900.0, &[100.0, 800.0, 20.0, 500.0, 850.0], false);
    }

    #[test]
    fn silence_is_unusual() {
        judges(0.0, &[1_000.0, 990.0, 1_040.0], true);
        judges(700.0, &[1_000.0, 990.0, 1_040.0], false);
        assert!(!change(0.0, &[1_000.0, 990.0, 1_040.0], Deviation::More).unusual);
    }

    #[test]
    fn a_change_is_in_hundredths_of_the_usual() {
        let percent = |now, usual| change(now, &[usual], Deviation::More).percent;
        assert_eq!(
            [percent(410.0, 100.0), percent(96.0, 100.0), percent(5.0, 0.0)],
            [Some(310), Some(-4), None]
        );
    }

    #[test]
    fn a_sum_of_nothing_has_no_sign() {
        let usual = change(sum([].iter()), &[sum([].iter()); 3], Deviation::More).usual;
        assert!(usual.is_sign_positive() && sum([1.5, 2.0].iter()) > 3.4);
    }

    #[test]
    fn the_same_hour_of_the_clock_is_found_across_summer_time() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let hour = |text: &str| text.parse::<Timestamp>().unwrap().as_second() / 3600;
        let back = earlier(hour("2026-03-30T06:00:00Z"), 7, &zone);
        assert_eq!(back, Some(hour("2026-03-23T07:00:00Z")), "08:00 on the clock both times");
    }
}
