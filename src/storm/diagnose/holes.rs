//! Finds the holes of a log that are worth a finding: the server or its syslog was down, or a log is missing.
//!
//! A hole is a span without lines of any kind where many are usual. A server with little mail has such spans every night; only
//! one that is longer than the others of the log, or that other days do not have, is told.

use jiff::tz::TimeZone;

use crate::storm::detect::living_time::LivingTime;
use crate::storm::detect::weekend::weekend_share;
use crate::storm::sample::line_minutes::{DAY, LineMinutes};

/// No shorter hole is told, in minutes.
const SHORTEST: i32 = 60;
/// No longer one is, either: such logs do not belong together.
const LONGEST: i32 = 14 * DAY;
/// A longer hole at a weekend needs another weekend to compare with: many servers rest then.
const WEEKEND: i32 = DAY / 2;
/// Without another day to compare with, at most this many spans without lines may be half as long, itself included.
const MOST_SPANS: usize = 2;
/// Minutes with lines that show what is usual, at least: at the same time of another weekend; and without another day, in this
/// many minutes before and after the hole.
const LINES: u32 = 12;
const AROUND: i32 = 360;

/// The first and the last minute of each hole that is told, the longest first.
pub(crate) fn holes(
    lines: &LineMinutes,
    living: &LivingTime,
    (first, last): (i32, i32),
    zone: &TimeZone,
) -> Vec<(i32, i32)> {
    let length = |(from, to): (i32, i32)| to - from + 1;
    let spans = silent_spans(lines, (first, last));
    let is_inside = |(from, to): (i32, i32), days: i32| {
        [-days * DAY, days * DAY].into_iter().filter(move |shift| from + shift >= first && to + shift <= last)
    };
    let is_told = |hole: &(i32, i32)| {
        let minutes = length(*hole);
        if !(SHORTEST..LONGEST).contains(&minutes) {
            return false;
        }
        if minutes > WEEKEND && weekend_share(zone, hole.0, hole.1) >= 0.5 {
            let mut weeks = (1..=4).flat_map(|week| is_inside(*hole, 7 * week));
            return weeks.any(|shift| lines.count(hole.0 + shift, hole.1 + 1 + shift) >= LINES);
        }
        // What is usual at this time of day is known where there is another day: no living time is missing there.
        let is_known = (1..=7).any(|day| is_inside(*hole, day).next().is_some());
        let is_busy = |from: i32, to: i32| lines.count(from, to) >= LINES;
        is_known
            || is_busy(hole.0 - AROUND, hole.0)
                && is_busy(hole.1 + 1, hole.1 + 1 + AROUND)
                && spans.iter().filter(|span| 2 * length(**span) >= minutes).count() <= MOST_SPANS
    };
    let mut holes: Vec<(i32, i32)> = living.gaps().filter(is_told).collect();
    holes.sort_by_key(|hole| (-length(*hole), hole.0));
    holes
}

/// The spans between two minutes with lines, if they are not much shorter than a hole that is told.
fn silent_spans(lines: &LineMinutes, (first, last): (i32, i32)) -> Vec<(i32, i32)> {
    let mut spans = Vec::new();
    let mut seen = first - 1;
    for minute in lines.iter().filter(|minute| (first..=last).contains(minute)).chain([last + 1]) {
        if minute - seen > SHORTEST / 2 {
            spans.push((seen + 1, minute - 1));
        }
        seen = minute;
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The holes of a log with lines in these minutes from Monday, 16 November 2026, on.
    fn holes_of(days: i32, has_line: impl Fn(i32) -> bool) -> Vec<(i32, i32)> {
        let monday = 1_794_787_200 / 60;
        let last = days * DAY - 1;
        let mut lines = LineMinutes::default();
        (0..=last).filter(|minute| has_line(*minute)).for_each(|minute| lines.add(monday + minute));
        let span = (monday, monday + last);
        let living = LivingTime::new(&lines, span.0, span.1);
        let holes = holes(&lines, &living, span, &TimeZone::UTC);
        holes.into_iter().map(|(from, to)| (from - monday, to - monday)).collect()
    }

    #[test]
    fn a_day_without_lines_at_its_busy_time_has_a_hole() {
        assert_eq!(holes_of(1, |minute| !(420..900).contains(&minute)), [(420, 899)]);
        assert_eq!(holes_of(1, |minute| !(420..450).contains(&minute)), []);
    }

    #[test]
    fn a_few_messages_a_day_show_no_hole() {
        assert_eq!(holes_of(1, |minute| minute % 90 == 0 && !(500..1200).contains(&minute)), []);
        // Two messages in two weeks.
        assert_eq!(holes_of(6, |minute| !(5..=6 * DAY - 5).contains(&minute)), []);
    }

    #[test]
    fn bursts_and_nights_leave_no_hole() {
        // A script sends for a quarter of an hour, five times a day.
        assert_eq!(holes_of(1, |minute| minute.rem_euclid(300) < 15), []);
        assert_eq!(holes_of(5, |minute| minute.rem_euclid(DAY) >= 300), []);
    }

    #[test]
    fn a_weekend_is_compared_with_weekends() {
        let is_work = |minute: i32| minute.rem_euclid(7 * DAY) < 5 * DAY;
        assert_eq!(holes_of(12, is_work), []);
        let rests_once = |minute: i32| minute < 7 * DAY || is_work(minute);
        assert_eq!(holes_of(15, rests_once), [(12 * DAY, 14 * DAY - 1)]);
    }
}
