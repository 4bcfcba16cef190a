//! Parses the timestamps of wrappers, in all their notations, and writes them as RFC 3339.

use std::borrow::Cow;
use std::io::Write;

use jiff::Timestamp;
use memchr::memchr;

use super::line_start::begins_a_line;
use crate::parse::stamp_length::clock_length;

/// The time of a wrapper.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum WrapperTime<'a> {
    /// A timestamp that `header.rs` parses, with or without a zone.
    Stamp(Cow<'a, str>),
    /// Microseconds since 1970-01-01T00:00Z; shown in UTC.
    Micros(i64),
}

impl<'a> WrapperTime<'a> {
    /// Parses `2026-11-22T03:04:05.123Z`, `2026-11-22 03:04:05,123 +0100` and `2026-11-22 03:04:05 UTC`.
    pub(crate) fn iso(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let [
            _,
            _,
            _,
            _,
            b'-',
            _,
            _,
            b'-',
            _,
            _,
            between @ (b'T' | b't' | b' '),
            _,
            _,
            b':',
            _,
            _,
            b':',
            _,
            _,
            ..,
        ] = bytes
        else {
            return None;
        };
        let numbers = [0..4, 5..7, 8..10, 11..13, 14..16, 17..19];
        if !numbers.into_iter().all(|range| bytes.get(range).is_some_and(all_digits)) {
            return None;
        }
        let (second, rest) = text.split_at_checked(19)?;
        let digits = rest
            .strip_prefix(['.', ','])
            .map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
        // Nothing writes more than nanoseconds, and a longer timestamp would not be found in a header.
        if digits > 9 {
            return None;
        }
        let (fraction, rest) = rest.split_at_checked(if digits > 0 { digits + 1 } else { 0 })?;
        let zone = match rest.strip_prefix(' ').unwrap_or(rest) {
            "Z" | "z" | "UTC" => "Z",
            zone if is_offset(zone.as_bytes()) => zone,
            _ => return None,
        };
        if *between == b'T' && !fraction.starts_with(',') && zone == rest {
            return Some(Self::Stamp(Cow::Borrowed(text)));
        }
        let (date, clock) = (second.get(..10)?, second.get(11..)?);
        let point = if digits > 0 { "." } else { "" };
        let fraction = fraction.get(point.len()..)?;
        Some(Self::Stamp(Cow::Owned(format!("{date}T{clock}{point}{fraction}{zone}"))))
    }

    /// Parses `Nov 22 03:04:05`, which shows neither a year nor a zone.
    pub(crate) fn bsd(text: &'a str) -> Option<Self> {
        let is_stamp = match text.as_bytes() {
            [_, _, _, b' ', _, b'0'..=b'9', b' ', rest @ ..] => clock_length(rest) == Some(rest.len()),
            _ => false,
        };
        (is_stamp && begins_a_line(text.as_bytes())).then_some(Self::Stamp(Cow::Borrowed(text)))
    }

    /// Parses a number since 1970. Its length tells seconds, milli-, micro- and nanoseconds apart until the year 2286.
    pub(crate) fn integer(number: u64) -> Option<Self> {
        let micros = match number.checked_ilog10()? + 1 {
            9 | 10 => number * 1_000_000,
            12 | 13 => number * 1000,
            15 | 16 => number,
            18 | 19 => number / 1000,
            _ => return None,
        };
        i64::try_from(micros).ok().map(Self::Micros)
    }

    /// Parses seconds since 1970: `1763780645.123456`.
    pub(crate) fn seconds(number: f64) -> Option<Self> {
        // A double holds microseconds exactly enough until the year 2100 and later.
        (1e8..1e10).contains(&number).then(|| Self::Micros((number * 1e6).round() as i64))
    }

    /// Writes the time as in the log files that Exim writes itself, with a blank between date and clock (Exim spec ch. 52),
    /// and a blank behind it. False: the time is not in UTC, and nothing was written. Container runtimes nearly always
    /// write UTC.
    pub(crate) fn write_with_blank(&self, header: &mut Vec<u8>) -> bool {
        let mut own = Vec::new();
        if !self.write(&mut own) {
            return false;
        }
        let utc = own.strip_suffix(b"Z ").and_then(|own| own.split_at_checked(10));
        let Some((date, clock)) = utc else { return false };
        header.extend_from_slice(date);
        header.push(b' ');
        header.extend_from_slice(clock.get(1..).unwrap_or_default());
        header.extend_from_slice(b" +0000 ");
        true
    }

    /// Whether a timestamp without a zone can be this time in some time zone. Zones differ by quarters of an hour, and a
    /// wrapper is written within seconds of its line.
    pub(crate) fn is_moment_of(&self, stamp: &[u8]) -> bool {
        const QUARTER: i64 = 15 * 60;
        const SECONDS: i64 = 5;
        let mut own = Vec::new();
        if !self.write(&mut own) {
            return false;
        }
        let (Some((day, second)), Some((own_day, own_second))) =
            (unzoned_clock(stamp), unzoned_clock(&own).or_else(|| zoned_clock(&own)))
        else {
            return false;
        };
        let away = (second - own_second).rem_euclid(QUARTER);
        let neighbours = day.abs_diff(own_day) <= 1 || day.min(own_day) == 1 && day.max(own_day) >= 28;
        neighbours && (away <= SECONDS || away >= QUARTER - SECONDS)
    }

    /// Writes the time and a blank. False: the year is out of range, and nothing was written.
    pub(crate) fn write(&self, header: &mut Vec<u8>) -> bool {
        match self {
            Self::Stamp(text) => header.extend_from_slice(text.as_bytes()),
            Self::Micros(micros) => {
                let Ok(stamp) = Timestamp::from_microsecond(*micros) else { return false };
                // Writing to memory does not fail.
                let _ = write!(header, "{stamp}");
            }
        }
        header.push(b' ');
        true
    }
}

/// The day of the month and the second of the day, of a timestamp without a zone. `None`: it has a zone.
fn unzoned_clock(stamp: &[u8]) -> Option<(i64, i64)> {
    let (shown, rest) = day_and_second(stamp)?;
    let fraction =
        rest.strip_prefix(b".").map_or(0, |rest| 1 + rest.iter().take_while(|b| b.is_ascii_digit()).count());
    rest.get(fraction..).is_some_and(|rest| rest.trim_ascii().is_empty()).then_some(shown)
}

/// The same for a timestamp with a zone.
fn zoned_clock(stamp: &[u8]) -> Option<(i64, i64)> {
    day_and_second(stamp).map(|(shown, _)| shown)
}

/// The day of the month and the second of the day in `Nov 22 03:04:05` or `2026-11-22T03:04:05`, and the rest.
fn day_and_second(stamp: &[u8]) -> Option<((i64, i64), &[u8])> {
    let colon = memchr(b':', stamp)?;
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        std::str::from_utf8(stamp.get(range)?).ok()?.trim_start().parse().ok()
    };
    let hour = colon.checked_sub(2)?;
    let day = number(hour.checked_sub(3)?..hour.checked_sub(1)?)?;
    let second =
        (number(hour..colon)? * 60 + number(colon + 1..colon + 3)?) * 60 + number(colon + 4..colon + 6)?;
    Some(((day, second), stamp.get(colon + 6..)?))
}

/// Whether the text is `+01:00`, `+0100`, `+01`, or empty, which means local time.
fn is_offset(zone: &[u8]) -> bool {
    match zone {
        [] => true,
        [b'+' | b'-', hours @ ..] => match hours {
            [a, b] => all_digits(&[*a, *b]),
            [a, b, b':', c, d] | [a, b, c, d] => all_digits(&[*a, *b, *c, *d]),
            _ => false,
        },
        _ => false,
    }
}

fn all_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn writes(when: Option<WrapperTime>, want: &str) {
        let mut stamp = Vec::new();
        let written = when.is_some_and(|when| when.write(&mut stamp));
        assert_eq!((String::from_utf8(stamp).unwrap().trim(), written), (want, !want.is_empty()));
    }

    #[track_caller]
    fn is_moment(stamp: &str, wanted: bool) {
        let when = WrapperTime::iso("2026-11-22T23:04:05.9Z").unwrap();
        assert_eq!(when.is_moment_of(stamp.as_bytes()), wanted, "{stamp}");
    }

    #[test]
    fn knows_its_moment_by_the_clock_of_any_zone() {
        is_moment("Nov 22 23:04:05", true);
        is_moment("Nov 22 23:04:02.123", true);
        is_moment("Nov 23 00:04:06", true);
        is_moment("Nov 23 04:34:06", true);
        is_moment("2026-11-23 00:04:06", true);
        // Another minute, another day, or a stamp that names its zone.
        is_moment("Nov 22 23:05:05", false);
        is_moment("Nov 12 23:04:05", false);
        is_moment("2026-11-23 00:04:06 +0100", false);
        is_moment("2026-11-23T00:04:06+01:00", false);
        is_moment("x", false);
    }

    #[test]
    fn writes_every_spelling_as_a_stamp() {
        for text in [
            "2026-11-22T03:04:05Z",
            "2026-11-22T03:04:05.123456789+01:00",
            "2026-11-22T03:04:05-0330",
            "2026-11-22T03:04:05",
        ] {
            writes(WrapperTime::iso(text), text);
        }
        writes(WrapperTime::iso("2026-11-22 03:04:05 UTC"), "2026-11-22T03:04:05Z");
        writes(WrapperTime::iso("2026-11-22 03:04:05,123"), "2026-11-22T03:04:05.123");
        writes(WrapperTime::iso("2026-11-22 03:04:05.1 +0100"), "2026-11-22T03:04:05.1+0100");
        for number in [1_795_316_645, 1_795_316_645_000, 1_795_316_645_000_000, 1_795_316_645_000_000_000] {
            writes(WrapperTime::integer(number), "2026-11-22T03:04:05Z");
        }
        writes(WrapperTime::seconds(1_795_316_645.123_456), "2026-11-22T03:04:05.123456Z");
    }

    #[test]
    fn takes_a_stamp_without_a_year() {
        writes(WrapperTime::bsd("Nov  2 03:04:05"), "Nov  2 03:04:05");
        for text in ["Nov  2 03:04", "Nov  2 03:04:05 x", "Nov  2 33:04:05", "2026-11-22 03:04:05"] {
            assert_eq!(WrapperTime::bsd(text), None, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "Nov 22 03:04:05",
            "2026-11-22",
            "2026-11-22T03:04",
            "2026-11-22T03:04:05 CET",
            "2026-11-22T03:04:05.1234567890Z",
            "2026-11-22T03:04:05Z x",
            "2026-1x-22T03:04:05Z",
            "2026-11-22X03:04:05Z",
            "2026-11-22T03:04:05+1",
        ] {
            assert_eq!(WrapperTime::iso(text), None, "{text}");
        }
        for number in [0, 1, 99_999_999, 17_953_166_451, u64::MAX] {
            assert_eq!(WrapperTime::integer(number), None, "{number}");
        }
        for number in [0.0, -1.0, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(WrapperTime::seconds(number), None, "{number}");
        }
    }
}
