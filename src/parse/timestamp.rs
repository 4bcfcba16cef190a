//! Parses timestamps into moments, with the year and the time zone that the line does not show.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::header::RawTimestamp;
use super::year::{FileTimeResolution, LatestPossible, MonthMinute, StampObservations};

/// A point in time, and the UTC offset of the clock that showed it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct LogTime {
    /// Microseconds since 1970-01-01T00:00Z.
    pub micros: i64,
    /// Seconds east of UTC.
    pub offset: i32,
}

impl LogTime {
    /// The minute it falls into, counted from 1970-01-01T00:00Z.
    pub fn minute(self) -> i64 {
        self.micros.div_euclid(60_000_000)
    }

    /// The second, counted from 1970-01-01T00:00Z.
    pub(crate) fn second(self) -> i64 {
        self.micros.div_euclid(1_000_000)
    }

    /// The time with its own offset. `None`: the year is out of range.
    pub fn zoned(self) -> Option<Zoned> {
        let stamp = Timestamp::from_microsecond(self.micros).ok()?;
        Some(stamp.to_zoned(TimeZone::fixed(Offset::from_seconds(self.offset).ok()?)))
    }

    /// RFC 3339, without trailing zeros in the fraction. `None`: the year is out of range.
    pub fn rfc3339(self) -> Option<String> {
        let (stamp, offset) =
            (Timestamp::from_microsecond(self.micros).ok()?, Offset::from_seconds(self.offset).ok()?);
        Some(rfc3339(stamp, offset))
    }
}

/// A time in RFC 3339 with this offset, without trailing zeros in the fraction. Jiff's own printer of such times takes a fifth
/// of the instructions of strftime, but leaves out the seconds of an offset, and writes years before 0 in another way.
pub(crate) fn rfc3339(stamp: Timestamp, offset: Offset) -> String {
    if offset.seconds() % 60 == 0 && stamp.as_second() > 0 {
        return stamp.display_with_offset(offset).to_string();
    }
    stamp.to_zoned(TimeZone::fixed(offset)).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
}

/// Parses timestamps. It caches the last minute, and records what only the order of lines resolves, so each thread has
/// its own.
#[derive(Clone)]
pub struct TimestampParser {
    zone: TimeZone,
    bound: LatestPossible,
    resolution: FileTimeResolution,
    last: CachedMinute,
    /// The cached minute holds for lines before this offset: from it on, the order of the lines gives another year or hour.
    turn: u64,
    hour: Option<SteadyHour>,
    observations: StampObservations,
}

/// An hour whose minutes all have the same offset and the same year, so that they need no calendar. It saves 5 % of the
/// instructions of a scan where every fifth line begins a minute.
#[derive(Clone, Copy)]
struct SteadyHour {
    first: CachedMinute,
    /// `None`: the timestamps show their year.
    assumed: Option<AssumedYear>,
}

/// The year of a timestamp that shows none.
#[derive(Clone, Copy)]
struct AssumedYear {
    year: i16,
    at: MonthMinute,
    /// It is the latest possible year; else it follows from the order of the lines.
    is_latest: bool,
}

/// A minute: its text without the seconds, its zone as written, and its time.
#[derive(Clone, Copy, Default)]
struct CachedMinute {
    text: [u8; 24],
    length: usize,
    zone: [u8; 8],
    zone_length: usize,
    start: i64,
    offset: i32,
}

impl CachedMinute {
    /// Whether it has this text. Common lengths are compared as arrays, since this runs for every line.
    fn is(&self, text: &[u8], zone: &[u8]) -> bool {
        let same = match self.length {
            12 => text.len() == 12 && text.first_chunk::<12>() == self.text.first_chunk::<12>(),
            16 => text.len() == 16 && text.first_chunk::<16>() == self.text.first_chunk::<16>(),
            length => self.text.get(..length) == Some(text),
        };
        same && self.zone_length == zone.len()
            && (zone.is_empty() || self.zone.get(..zone.len()) == Some(zone))
    }
}

impl TimestampParser {
    /// `zone` applies to timestamps without one; `bound` and `resolution` to those without a year.
    pub fn new(zone: TimeZone, bound: LatestPossible, turns: FileTimeResolution) -> Self {
        Self {
            zone,
            bound,
            resolution: turns,
            last: CachedMinute::default(),
            turn: 0,
            hour: None,
            observations: StampObservations::default(),
        }
    }

    /// Starts another part of the file: clears the cached minute and hour, whose year may differ there.
    pub fn begin(&mut self) {
        self.last = CachedMinute::default();
        self.hour = None;
    }

    /// Returns and clears the observations.
    pub fn take_observations(&mut self) -> StampObservations {
        std::mem::take(&mut self.observations)
    }

    /// Whether the timestamp is in the cached minute; false when in doubt. Cheaper than parsing.
    pub fn is_same_minute(&self, stamp: RawTimestamp) -> bool {
        match (stamp, self.last.length) {
            (RawTimestamp::Bsd(text), 12) => text.first_chunk::<12>() == self.last.text.first_chunk::<12>(),
            // A zone behind the seconds could differ.
            (RawTimestamp::Iso(text), 16) => {
                text.len() == 19
                    && self.last.zone_length == 0
                    && text.first_chunk::<16>() == self.last.text.first_chunk::<16>()
            }
            _ => false,
        }
    }

    /// Parses only the seconds of a timestamp in the cached minute. `None`: it is not in that minute.
    #[inline]
    fn same_minute(&self, stamp: RawTimestamp) -> Option<LogTime> {
        let (RawTimestamp::Bsd(text) | RawTimestamp::Iso(text)) = stamp else { return None };
        if text.len() != self.last.length + 3 || !self.is_same_minute(stamp) {
            return None;
        }
        let seconds = i64::from(number(text.get(text.len() - 2..)?)?).min(59);
        Some(LogTime { micros: self.last.start + seconds * 1_000_000, offset: self.last.offset })
    }

    /// Whether this is a timestamp with a valid date. It counts for no observation.
    pub(crate) fn is_valid(&self, stamp: RawTimestamp) -> bool {
        self.clone().read(stamp, 0).is_some()
    }

    /// Parses a timestamp. `offset` is where the line begins in its file, in bytes. `None`: there is no timestamp, or it
    /// is not a valid date (`Feb 30`). A leap second counts as second 59.
    #[inline]
    pub fn read(&mut self, stamp: RawTimestamp, offset: u64) -> Option<LogTime> {
        let known = if offset < self.turn { self.same_minute(stamp) } else { None };
        known.or_else(|| self.read_any(stamp, offset))
    }

    /// Parses a timestamp that may be in another minute than the last one.
    #[inline(never)]
    fn read_any(&mut self, stamp: RawTimestamp, offset: u64) -> Option<LogTime> {
        let text = match stamp {
            RawTimestamp::Missing => return None,
            RawTimestamp::Unix(text) => return self.unix_time(text),
            RawTimestamp::Bsd(text) | RawTimestamp::YearFirst(text) | RawTimestamp::Iso(text) => text,
        };
        // `…:MM:SS`: the second colon ends the minute. The first colon mostly has a fixed place.
        let usual = if let RawTimestamp::Iso(_) = stamp { 13 } else { 9 };
        let hour = if text.get(usual) == Some(&b':') { usual } else { memchr::memchr(b':', text)? };
        let minute = text.get(..hour + 3)?;
        let (seconds, rest) = text.get(hour + 4..)?.split_at_checked(2)?;
        let (micros, zone) = fraction(rest);
        if offset >= self.turn || !self.last.is(minute, zone) {
            self.last = match self.minute_of_hour(minute, zone, offset) {
                Some(minute) => minute,
                None => self.minute(stamp, minute, zone, offset)?,
            };
            self.turn = self.resolution.next_turn(offset);
        }
        let seconds = i64::from(number(seconds)?).min(59);
        Some(LogTime { micros: self.last.start + seconds * 1_000_000 + micros, offset: self.last.offset })
    }

    fn unix_time(&self, text: &[u8]) -> Option<LogTime> {
        let (seconds, rest) = text.split_at_checked(10)?;
        let seconds: i64 = std::str::from_utf8(seconds).ok()?.parse().ok()?;
        let micros = seconds * 1_000_000 + fraction(rest).0;
        let offset = self.zone.to_offset(Timestamp::from_microsecond(micros).ok()?);
        Some(LogTime { micros, offset: offset.seconds() })
    }

    /// A minute of the cached hour. `None`: it is in another one, or its year may be another.
    fn minute_of_hour(&mut self, text: &[u8], zone: &[u8], offset: u64) -> Option<CachedMinute> {
        let SteadyHour { first, assumed } = self.hour.as_ref()?;
        let (front, min) = text.split_at_checked(text.len().checked_sub(2)?)?;
        let is_same = first.length == text.len()
            && first.text.get(..front.len()) == Some(front)
            && first.zone.get(..first.zone_length) == Some(zone);
        let number = number(min).filter(|number| is_same && *number < 60)?;
        if let Some(AssumedYear { year, at, is_latest }) = *assumed {
            let is_same_year = self.resolution.year(offset).map_or(is_latest, |resolved| resolved == year);
            if !is_same_year {
                return None;
            }
            self.observations.observe(offset, at.with_minute(number as i8));
        }
        let mut minute = *first;
        minute.text.get_mut(front.len()..text.len())?.copy_from_slice(min);
        minute.start += i64::from(number) * 60_000_000;
        Some(minute)
    }

    /// The hour of a minute. `None`: the offset or the year changes in it.
    fn steady_hour(
        &self,
        minute: CachedMinute,
        civil: DateTime,
        has_zone: bool,
        assumed: Option<AssumedYear>,
    ) -> Option<SteadyHour> {
        let is_steady = |min: i8| {
            let at = DateTime::new(civil.year(), civil.month(), civil.day(), civil.hour(), min, 0, 0).ok();
            let offset = at.map(|at| self.zone.to_ambiguous_zoned(at).offset());
            matches!(offset, Some(AmbiguousOffset::Unambiguous { offset }) if offset.seconds() == minute.offset)
        };
        let is_latest = |AssumedYear { year, at, .. }: &AssumedYear, min| {
            self.bound.latest_year(at.with_minute(min), &self.zone) == Some(*year)
        };
        // What holds for the first and for the last minute holds for all between them.
        let fits = [0, 59].into_iter().all(|min| {
            (has_zone || is_steady(min))
                && assumed.as_ref().is_none_or(|assumed| !assumed.is_latest || is_latest(assumed, min))
        });
        let start = minute.start - i64::from(civil.minute()) * 60_000_000;
        fits.then_some(SteadyHour { first: CachedMinute { start, ..minute }, assumed })
    }

    fn minute(&mut self, stamp: RawTimestamp, text: &[u8], zone: &[u8], offset: u64) -> Option<CachedMinute> {
        let mut minute =
            CachedMinute { length: text.len(), zone_length: zone.len(), ..CachedMinute::default() };
        minute.text.get_mut(..text.len())?.copy_from_slice(text);
        minute.zone.get_mut(..zone.len())?.copy_from_slice(zone);
        let (date, clock) = text.split_at_checked(text.len() - 5)?;
        let (hour, min) = (number(clock.get(..2)?)?, number(clock.get(3..)?)?);
        let at =
            |year: i16, month: i8, day: i8| DateTime::new(year, month, day, hour as i8, min as i8, 0, 0).ok();
        let (mut has_zone, mut assumed) = (false, None);
        let (zoned, civil) = match stamp {
            RawTimestamp::Missing | RawTimestamp::Unix(_) => return None,
            RawTimestamp::Iso(_) => {
                let civil = at(
                    number(date.get(..4)?)? as i16,
                    number(date.get(5..7)?)? as i8,
                    number(date.get(8..10)?)? as i8,
                )?;
                let zoned = match zone_offset(zone) {
                    Some(offset) => {
                        has_zone = true;
                        TimeZone::fixed(offset).to_ambiguous_zoned(civil).compatible().ok()?
                    }
                    None => self.local(civil, offset)?,
                };
                (zoned, civil)
            }
            RawTimestamp::YearFirst(_) | RawTimestamp::Bsd(_) => {
                let mut words = date.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
                let mut word = words.next()?;
                let mut year = None;
                if let RawTimestamp::YearFirst(_) = stamp {
                    year = Some(number(word)? as i16);
                    word = words.next()?;
                }
                let month = month(word)?;
                let day = number(words.next()?)? as i8;
                // `Nov  2 2026 03:04:05`, or `Nov  2 03:04:05 2026`, where the year stands in the place of a zone.
                if let Some(word) = words.next().or((!zone.is_empty()).then_some(zone)) {
                    year = Some(number(word)? as i16);
                }
                let year = match year {
                    Some(year) => year,
                    None => {
                        // A leap year, so that only a date that exists in no year is rejected.
                        at(2000, month, day)?;
                        let at = MonthMinute::new(month, day, hour as i8, min as i8);
                        let resolved = self.resolution.year(offset);
                        let year = resolved.or_else(|| self.bound.latest_year(at, &self.zone))?;
                        assumed = Some(AssumedYear { year, at, is_latest: resolved.is_none() });
                        self.observations.observe(offset, at);
                        year
                    }
                };
                let civil = at(year, month, day)?;
                (self.local(civil, offset)?, civil)
            }
        };
        minute.start = zoned.timestamp().as_microsecond();
        minute.offset = zoned.offset().seconds();
        self.hour = self.steady_hour(minute, civil, has_zone, assumed);
        Some(minute)
    }

    /// The time in the local zone. An hour that is skipped when summer time begins counts as if clocks had not changed.
    fn local(&mut self, civil: DateTime, offset: u64) -> Option<Zoned> {
        let ambiguous = self.zone.to_ambiguous_zoned(civil);
        if let AmbiguousOffset::Fold { .. } = ambiguous.offset() {
            let first = ambiguous.clone().earlier().ok()?;
            self.observations.repeated.push((offset, first.timestamp().as_second() / 60));
            return if self.resolution.is_second_occurrence(offset) {
                ambiguous.later().ok()
            } else {
                Some(first)
            };
        }
        ambiguous.compatible().ok()
    }
}

/// Splits `.904904+00:00` into 904904 microseconds and the zone, which is empty if there is none.
fn fraction(text: &[u8]) -> (i64, &[u8]) {
    let (micros, rest) = match text {
        [b'.' | b',', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, rest) = rest.split_at(digits);
            let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(6);
            (padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')), rest)
        }
        _ => (0, text),
    };
    (micros, rest.strip_prefix(b" ").unwrap_or(rest))
}

/// Parses `Z`, `UTC`, `+01:00`, `+0100` and `+01`. `None`: no zone, or an ambiguous abbreviation such as `CST`.
fn zone_offset(zone: &[u8]) -> Option<Offset> {
    let (sign, rest) = match zone {
        [b'Z' | b'z'] | b"UTC" => return Some(Offset::UTC),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let hours = number(rest.get(..2)?)?;
    let minutes = match rest.get(2..)? {
        [] => 0,
        [b':', rest @ ..] | rest => number(rest)?,
    };
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60) as i32).ok()
}

fn number(text: &[u8]) -> Option<u32> {
    let digits = !text.is_empty() && text.len() <= 4 && text.iter().all(u8::is_ascii_digit);
    digits.then(|| text.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

/// English, and what `journalctl` shows under other locales (glibc's localedata, `abmon`): German, French, Spanish, Italian,
/// Portuguese, Dutch, Swedish, Danish, Norwegian, Finnish, Polish, Czech, Hungarian, Romanian, Turkish, Indonesian, Russian
/// and Ukrainian. In Chinese, Japanese and Korean the month is a number.
const MONTHS: [&[&str]; 12] = [
    &["jan", "janv", "ene", "gen", "ian", "oca", "sty", "led", "tammi", "янв", "січ"],
    &["feb", "fév", "févr", "fev", "şub", "lut", "úno", "helmi", "фев", "лют"],
    &["mar", "mär", "mrz", "mars", "mrt", "márc", "maalis", "bře", "мар", "бер"],
    &["apr", "avr", "avril", "abr", "ápr", "nis", "kwi", "dub", "huhti", "апр", "кві"],
    &["may", "mai", "mag", "mei", "maj", "máj", "kvě", "touko", "мая", "май", "тра"],
    &["jun", "juin", "juni", "giu", "iun", "jún", "haz", "cze", "čen", "kesä", "июн", "чер"],
    &["jul", "juil", "juli", "lug", "iul", "júl", "tem", "lip", "čec", "heinä", "июл", "лип"],
    &["aug", "aoû", "août", "ago", "ağu", "agu", "agt", "sie", "srp", "elo", "авг", "сер"],
    &["sep", "sept", "set", "szept", "eyl", "wrz", "zář", "syys", "сен", "вер"],
    &["oct", "okt", "ott", "out", "eki", "paź", "říj", "loka", "окт", "жов"],
    &["nov", "noi", "kas", "lis", "marras", "ноя", "лис"],
    &["dec", "dez", "déc", "dic", "des", "ara", "gru", "pro", "joulu", "дек", "гру"],
];

fn month(word: &[u8]) -> Option<i8> {
    // `11月`, `11월`
    if let Some(digits) = word.strip_suffix("月".as_bytes()).or_else(|| word.strip_suffix("월".as_bytes()))
    {
        return number(digits).filter(|month| (1..=12).contains(month)).map(|month| month as i8);
    }
    let word = word.strip_suffix(b".").unwrap_or(word);
    let known = |names: &&[&str]| names.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(word));
    MONTHS.iter().position(known).map(|index| index as i8 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::header::LogLine;

    #[track_caller]
    fn reads(raw: &str, want: &str) {
        let newest: Timestamp = "2026-11-22T04:00:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let mut clock =
            TimestampParser::new(zone, LatestPossible::written(newest), FileTimeResolution::default());
        let line = format!("{raw} mx1 postfix/smtp[1]: x");
        let moment = clock.read(LogLine::read(line.as_bytes()).stamp, 0);
        assert_eq!(moment.and_then(LogTime::rfc3339).unwrap_or_default(), want, "{raw}");
    }

    #[test]
    fn writes_times_as_strftime_does() {
        let seconds = [-99_999_999_999_i64, -1, 0, 1, 59, 1_795_316_645, 253_000_000_000];
        let micros =
            seconds.into_iter().flat_map(|at| [0, 1, 120_000, 999_999].map(|more| at * 1_000_000 + more));
        for micros in micros {
            for offset in [0, 3600, -12_600, 34_200, 93_599, -28_378, 1] {
                let moment = LogTime { micros, offset };
                let whole = moment.zoned().map(|zoned| zoned.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string());
                assert_eq!(moment.rfc3339(), whole, "{micros} {offset}");
            }
        }
    }

    #[test]
    fn gives_every_stamp_its_offset() {
        reads("2026-11-22T02:40:41.904904+00:00", "2026-11-22T02:40:41.904904+00:00");
        reads("2026-11-22T02:40:41,904+00:00", "2026-11-22T02:40:41.904+00:00");
        reads("2026-11-22T02:40:41Z", "2026-11-22T02:40:41+00:00");
        reads("2026-11-22T02:40:41-0330", "2026-11-22T02:40:41-03:30");
        reads("2013 Jun 10 06:27:30.123", "2013-06-10T06:27:30.123+02:00");
        reads("Mon Nov  2 03:04:05 2015 mail.info", "2015-11-02T03:04:05+01:00");
        reads("Sun 2026-11-22 03:04:05 CET", "2026-11-22T03:04:05+01:00");
        reads("Sun 2026-11-22 03:04:05 UTC", "2026-11-22T03:04:05+00:00");
        reads("1795316645.123456", "2026-11-22T04:04:05.123456+01:00");
    }

    #[test]
    fn a_minute_is_another_one_behind_a_turn_of_the_year_even_if_lines_between_were_not_read() {
        let newest: Timestamp = "2026-11-22T04:00:00Z".parse().unwrap();
        let turns = FileTimeResolution { years: vec![(0, 2024), (500, 2025)], second_occurrence: Vec::new() };
        let mut clock = TimestampParser::new(TimeZone::UTC, LatestPossible::written(newest), turns);
        let stamp = LogLine::read(b"Nov 22 03:04:05 mx1 postfix/smtp[1]: x").stamp;
        for (offset, year) in [(0, 2024), (499, 2024), (500, 2025), (900, 2025)] {
            let shown = clock.read(stamp, offset).and_then(LogTime::rfc3339).unwrap();
            assert_eq!(shown, format!("{year}-11-22T03:04:05+00:00"));
        }
    }

    #[test]
    fn puts_a_stamp_without_a_year_before_the_file_was_last_written() {
        reads("Nov 22 05:00:00", "2026-11-22T05:00:00+01:00");
        reads("Nov 24 05:00:00", "2025-11-24T05:00:00+01:00");
        reads("Dec 31 23:59:59", "2025-12-31T23:59:59+01:00");
        reads("Feb 29 12:00:00", "2024-02-29T12:00:00+01:00");
        reads("Mär 08 20:48:47", "2026-03-08T20:48:47+01:00");
        for month in ["nov.", "ноя", "Kas", "lis", "marras", "11月", "11월"] {
            reads(&format!("{month} 22 03:04:05"), "2026-11-22T03:04:05+01:00");
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        reads("Feb 30 12:00:00", "");
        reads("Nov 22 25:00:00", "");
        reads("Foo 22 05:00:00", "");
        reads("13月 22 05:00:00", "");
    }
}
