//! Failures over time on one line: the hours of a report come in, a row of bars and the worst hour go out.

use indicatif::HumanCount;

use super::page::TextStyle;
use crate::render::words::hours::{Bucket, buckets};
use crate::report::Hour;

/// From the lowest to the highest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Fewer bars show nothing that a number does not.
const LEAST: usize = 3;
/// Columns for what stands around the bars.
const FRAME: usize = 56;

/// `▁▁▃█▆▅▃▁  failures by the hour, most 7,104: Sun 22 Nov 03:00`. None: there is too little to show, or no sign to show it.
pub(crate) fn spark(hours: &[Hour], look: &TextStyle) -> Option<String> {
    let (buckets, mut length) = buckets(hours);
    let mut bars: Vec<(Bucket, u64)> = buckets
        .into_iter()
        .map(|bucket| {
            let failures = failures(&bucket);
            (bucket, failures)
        })
        .collect();
    while bars.len() > look.width.saturating_sub(FRAME).max(8) {
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
    if !look.unicode || bars.len() < LEAST || *most == 0 {
        return None;
    }
    let bar = |&(_, failures): &(Bucket, u64)| {
        let level = failures * (BARS.len() as u64 - 1);
        BARS.get(level.div_ceil(*most) as usize).copied().unwrap_or('█')
    };
    let shown: String = bars.iter().map(bar).collect();
    let say = |english| look.words.translate(english);
    let unit = if length == 1 {
        say("failures by the hour").to_owned()
    } else {
        format!("{} {length} h", say("failures by"))
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
        let look = TextStyle {
            width: 80,
            color: false,
            unicode: true,
            words: Translations::of(Language::En),
            tag: String::new(),
            top: 0,
            reverse: false,
            who: false,
            took: None,
        };
        spark(&hours(deferred), &look)
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
}
