//! Draws counts over time as a row of small bars: a report's failures by the hour, and the minutes on the screen of `watch`.

use indicatif::HumanCount;

use super::page::TextStyle;
use crate::render::words::hours::{Bucket, buckets};
use crate::report::Hour;

/// From 0 to the highest count.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same in ASCII.
const ASCII_BARS: [char; 9] = [' ', '.', '.', ':', ':', '+', '+', '#', '#'];
/// With fewer bars the sparkline is left out: it would show no more than a number does.
const FEWEST_BARS: usize = 3;
/// Columns of the text beside the bars.
const TEXT_COLUMNS: usize = 56;

/// One bar per count, scaled to the highest count. A count of 0 is a blank; any other count is visible.
pub(crate) fn bars(counts: &[u64], unicode: bool) -> String {
    let bars = if unicode { &BARS } else { &ASCII_BARS };
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |count: &u64| {
        let height = (u128::from(*count) * 8).div_ceil(u128::from(most)) as usize;
        bars.get(height).copied().unwrap_or(' ')
    };
    counts.iter().map(bar).collect()
}

/// `▁▁▃█▆▅▃▁  failures by the hour, most 7,104: Sun 22 Nov 03:00`. `None`: fewer than three
/// bars, no failure, or a terminal without Unicode.
pub(crate) fn spark(hours: &[Hour], style: &TextStyle) -> Option<String> {
    let (buckets, mut length) = buckets(hours);
    let mut bars: Vec<(Bucket, u64)> = buckets
        .into_iter()
        .map(|bucket| {
            let failures = failures(&bucket);
            (bucket, failures)
        })
        .collect();
    while bars.len() > style.width.saturating_sub(TEXT_COLUMNS).max(8) {
        length *= 2;
        let mut pairs = Vec::new();
        let mut rest = bars.into_iter();
        while let Some((bucket, failures)) = rest.next() {
            let more = rest.next().map_or(0, |(_, failures)| failures);
            pairs.push((bucket, failures + more));
        }
        bars = pairs;
    }
    let (worst, most) = bars.iter().rev().max_by_key(|(_, failures)| *failures)?;
    if !style.unicode || bars.len() < FEWEST_BARS || *most == 0 {
        return None;
    }
    let bar = |&(_, failures): &(Bucket, u64)| {
        // From 1 to 8: here an hour without failures has the lowest bar, so that the row has no gaps.
        let level = (failures * 7).div_ceil(*most) as usize;
        BARS.get(1 + level).copied().unwrap_or('█')
    };
    let shown: String = bars.iter().map(bar).collect();
    let say = |english| style.words.translate(english);
    let unit = match length {
        1 => say("failures by the hour").to_owned(),
        hours if hours >= 336 && hours % 168 == 0 => {
            format!("{} {} {}", say("failures by"), hours / 168, say("weeks"))
        }
        hours if hours >= 48 && hours % 24 == 0 => {
            format!("{} {} {}", say("failures by"), hours / 24, say("days"))
        }
        hours => format!("{} {hours} h", say("failures by")),
    };
    let when = worst.start.strftime("%a %-d %b %H:%M");
    Some(format!("{shown}  {unit}, {} {}: {when}", say("most"), HumanCount(*most)))
}

fn failures(bucket: &Bucket) -> u64 {
    let sent = bucket.deferred + bucket.bounced + bucket.expired;
    sent + bucket.transient + bucket.permanent + bucket.unspecified
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::translation::{Language, Translations};
    use crate::report::{HourRefused, HourSent};

    fn hours(deferred: &[u64]) -> Vec<Hour> {
        let hour = |(at, &deferred): (usize, &u64)| {
            let start = jiff::Timestamp::from_second(at as i64 * 3600).unwrap();
            Hour {
                start: start.to_zoned(jiff::tz::TimeZone::UTC),
                outbound: HourSent { deferred, ..HourSent::default() },
                local: HourSent::default(),
                inbound: HourRefused::default(),
            }
        };
        deferred.iter().enumerate().map(hour).collect()
    }

    fn shown(deferred: &[u64]) -> Option<String> {
        let style = TextStyle {
            width: 80,
            color: false,
            unicode: true,
            words: Translations::of(Language::En),
            tag: String::new(),
            top: 0,
            rows: None,
            codes: false,
            input: String::new(),
            reverse: false,
            who: false,
            took: None,
        };
        spark(&hours(deferred), &style)
    }

    #[test]
    fn the_worst_hour_is_the_highest_and_is_named() {
        let line = shown(&[0, 1, 700, 350]).unwrap();
        assert_eq!(line, "▁▂█▅  failures by the hour, most 700: Thu 1 Jan 02:00");
    }

    #[test]
    fn many_hours_share_bars_and_none_is_lost() {
        let line = shown(&[1; 40]).unwrap();
        assert!(line.starts_with("████████████████████  failures by 2 h, most 2:"), "{line}");
    }

    #[test]
    fn nothing_is_shown_where_nothing_is_to_be_seen() {
        for few in [&[][..], &[5], &[5, 6], &[0, 0, 0, 0]] {
            assert_eq!(shown(few), None, "{few:?}");
        }
    }

    #[test]
    fn the_most_is_the_highest_and_the_least_can_be_seen() {
        assert_eq!(bars(&[0, 1, 400, 800], true), " ▁▄█");
        assert_eq!(bars(&[0, 1, 400, 800], false), " .:#");
        assert_eq!(bars(&[0, 0], true), "  ");
        assert_eq!(bars(&[u64::MAX], true), "█");
    }
}
