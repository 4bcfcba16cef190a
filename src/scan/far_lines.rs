//! Finds the few lines that are dated far from all others: those of a clock that was wrong for a while.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::pipeline::coverage::Coverage;
use crate::tally::Tally;

/// Hours without any event on both sides of lines that are far from all others: two weeks.
const FAR: i64 = 14 * 24;
/// From this share of the events on, in percent, lines belong to the log, wherever they are dated.
const SHARE: u64 = 1;

/// The coverage without the time of lines that are far from all others, and a note that says so. They are counted nevertheless.
pub(crate) fn without_far_lines(
    coverage: &Coverage,
    tally: &mut Tally,
    zone: &TimeZone,
) -> (Coverage, Option<String>) {
    let mut living = coverage.clone();
    let Some((minutes, note)) = coverage.minutes.and_then(|minutes| near(minutes, tally, zone)) else {
        return (living, None);
    };
    living.minutes = Some(minutes);
    (living, Some(note))
}

/// The first and the last minute without the lines that are far off, and a note. `None`: there are none.
fn near((first, last): (i64, i64), tally: &mut Tally, zone: &TimeZone) -> Option<((i64, i64), String)> {
    if last - first <= FAR * 60 {
        return None;
    }
    let hours: Vec<(i64, u64)> = tally.events_by_hour();
    let groups = hours.chunk_by(|(earlier, _), (later, _)| later - earlier <= FAR);
    let sum = |group: &[(i64, u64)]| group.iter().map(|(_, events)| events).sum::<u64>();
    let largest = groups.max_by_key(|group| sum(group))?;
    let (all, within) = (sum(&hours), sum(largest));
    if (all - within) * 100 > all * SHARE {
        return None;
    }
    let (begin, end) = (largest.first()?.0 * 60, largest.last()?.0 * 60 + 59);
    let from = if begin - first > FAR * 60 { begin } else { first };
    let until = if last - end > FAR * 60 { end } else { last };
    let other = if until < last { last } else { first };
    ((from, until) != (first, last)).then(|| ((from, until), note(other, zone)))
}

fn note(minute: i64, zone: &TimeZone) -> String {
    let at = Timestamp::from_second(minute * 60).map(|at| at.to_zoned(zone.clone()));
    let at = at.map_or_else(|_| "another age".to_owned(), |at| at.strftime("%F %H:%M").to_string());
    format!(
        "a few lines are dated weeks before or after all events ({at}): they are counted, but their time is left out; look at \
         that host's clock"
    )
}
