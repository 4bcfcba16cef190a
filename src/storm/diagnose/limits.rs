//! Sets events aside whose time is far off, and says where a log has holes.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::storm::detect::living_time::LivingTime;
use crate::storm::sample::line_minutes::{DAY, LineMinutes};
use crate::storm::sample::points::WeightedEvent;

/// A group of lines that is weeks away from the rest is set aside if it has at most this many minutes, or this share of all.
const FEW_MINUTES: u32 = 3;
const FEW_SHARE: u32 = 1000;
/// Holes that are told at most, the longest first.
const HOLES_TOLD: usize = 3;

/// The time that a log covers, without lines whose timestamps cannot be right.
pub(crate) struct LogSpan {
    /// Since 1970-01-01T00:00Z.
    pub first: i32,
    pub last: i32,
    /// The spans that are set aside, and the number of their events.
    aside: Vec<(i32, i32)>,
    events: u64,
}

impl LogSpan {
    /// `minutes` are the first and the last minute of all lines. `None`: no line has a time that can be right.
    pub(crate) fn of(lines: &LineMinutes, minutes: (i64, i64)) -> Option<Self> {
        let groups = lines.groups();
        let all: u32 = groups.iter().map(|(_, _, count)| count).sum();
        let is_few = |count: u32| count <= FEW_MINUTES.max(all / FEW_SHARE) && count * 2 < all;
        let (aside, kept): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(_, _, count)| is_few(*count));
        let aside: Vec<(i32, i32)> = aside.into_iter().map(|(first, last, _)| (first, last)).collect();
        let (first, _, _) = *kept.first()?;
        let (_, last, _) = *kept.last()?;
        // The log may have been watched for longer than its last line.
        let watched = i32::try_from(minutes.1).unwrap_or(last);
        let last = if aside.is_empty() { last.max(watched) } else { last };
        let first = first.max(i32::try_from(minutes.0).unwrap_or(first));
        Some(Self { first, last, aside, events: 0 })
    }

    /// Sets events aside whose time cannot be right, and counts them.
    pub(crate) fn restrict(&mut self, points: &mut Vec<WeightedEvent>) {
        let is_aside =
            |minute: i32| self.aside.iter().any(|(first, last)| (*first..=*last).contains(&minute));
        let aside = points.iter().filter(|point| is_aside(point.sample.minute));
        self.events = aside.map(|point| point.weight).sum::<f64>().round() as u64;
        points.retain(|point| self.contains(point.sample.minute));
    }

    fn contains(&self, minute: i32) -> bool {
        (self.first..=self.last).contains(&minute)
            && !self.aside.iter().any(|(first, last)| (*first..=*last).contains(&minute))
    }

    /// A note about what was set aside. `None`: nothing was.
    pub(crate) fn note(&self, zone: &TimeZone) -> Option<String> {
        let (first, _) = self.aside.first()?;
        let (events, word) = (self.events, if self.events == 1 { "event" } else { "events" });
        let from = shown(*first, zone)?;
        Some(format!(
            "{events} {word} with timestamps weeks away from all others were set aside, the first at {from}"
        ))
    }
}

/// Notes about the longest spans in which the log has no line of any kind although many are usual.
pub(crate) fn hole_notes(living: &LivingTime, span: &LogSpan, zone: &TimeZone) -> Vec<String> {
    let is_inside = |gap: &(i32, i32)| {
        gap.1 - gap.0 < 14 * DAY
            && !span.aside.iter().any(|(first, last)| gap.0 <= *last + 1 && *first <= gap.1 + 1)
    };
    let mut gaps: Vec<(i32, i32)> = living.gaps().filter(is_inside).collect();
    gaps.sort_by_key(|(first, last)| (first - last, *first));
    let more = gaps.len().saturating_sub(HOLES_TOLD);
    let hole = |&(first, last): &(i32, i32)| {
        let (from, to) = (shown(first, zone)?, shown(last + 1, zone)?);
        Some(format!(
            "the log has no lines of any kind from {from} to {to}: storms and silences cannot be seen there"
        ))
    };
    let mut notes: Vec<String> = gaps.iter().take(HOLES_TOLD).filter_map(hole).collect();
    if more > 0 {
        notes.push(format!("the log has {more} more such holes, which are shorter"));
    }
    notes
}

/// `2026-11-22 02:40`. `None`: no calendar has this minute.
fn shown(minute: i32, zone: &TimeZone) -> Option<String> {
    let stamp = Timestamp::from_second(i64::from(minute) * 60).ok()?;
    Some(stamp.to_zoned(zone.clone()).strftime("%F %H:%M").to_string())
}
