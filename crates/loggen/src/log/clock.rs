//! Computes the time of the next line from the size written so far, and formats time stamps.

use std::io::Write;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::spec::Stamp;

/// Relative traffic in each hour of the day.
const HOURS: [u32; 24] =
    [12, 9, 8, 8, 10, 14, 22, 38, 62, 80, 84, 82, 76, 78, 80, 78, 70, 60, 48, 40, 34, 28, 22, 16];

pub(crate) const SECOND: u64 = 1000;
pub(crate) const HOUR: u64 = 3600 * SECOND;
pub(crate) const DAY: u64 = 24 * HOUR;

/// Maps bytes written to time, so that a log of any size covers its days evenly.
pub(crate) struct TrafficClock {
    bytes: u64,
    days: u32,
}

impl TrafficClock {
    pub(crate) const fn new(bytes: u64, days: u32) -> Self {
        Self { bytes, days }
    }

    /// Milliseconds since the first midnight; monotonic in `written`.
    pub(crate) fn at(&self, written: u64) -> u64 {
        let days = written as f64 / self.bytes.max(1) as f64 * f64::from(self.days);
        let all = f64::from(HOURS.iter().sum::<u32>());
        let mut share = days.fract() * all;
        for (hour, &weight) in HOURS.iter().enumerate() {
            let weight = f64::from(weight);
            if share < weight {
                return days as u64 * DAY + ((hour as f64 + share / weight) * HOUR as f64) as u64;
            }
            share -= weight;
        }
        (days as u64 + 1) * DAY
    }
}

/// Formats time stamps; the text of the last second is cached, because most lines share it.
pub(crate) struct Stamps {
    form: Stamp,
    start: i64,
    second: i64,
    text: String,
    /// Time of the last line, and the number of earlier lines in the same millisecond.
    last: (u64, u64),
}

impl Stamps {
    pub(crate) fn new(form: Stamp, start: Date) -> Self {
        let midnight = TimeZone::UTC.to_timestamp(start.at(0, 0, 0, 0)).map_or(0, Timestamp::as_second);
        Self { form, start: midnight, second: -1, text: String::new(), last: (0, 0) }
    }

    pub(crate) fn second_of(&self, at: u64) -> i64 {
        self.start + (at / SECOND) as i64
    }

    /// `2026-03-02 09:15`.
    pub(crate) fn minute(&self, at: u64) -> String {
        format_second(self.second_of(at), "%Y-%m-%d %H:%M")
    }

    pub(crate) fn write(&mut self, at: u64, line: &mut Vec<u8>) {
        let second = self.second_of(at);
        if second != self.second {
            self.second = second;
            self.text = format_second(
                second,
                match self.form {
                    Stamp::Bsd => "%b %e %H:%M:%S",
                    Stamp::Rfc3339 => "%Y-%m-%dT%H:%M:%S",
                    Stamp::Exim => "%Y-%m-%d %H:%M:%S",
                },
            );
        }
        line.extend_from_slice(self.text.as_bytes());
        if self.form == Stamp::Rfc3339 {
            self.last = (at, if self.last.0 == at { self.last.1 + 1 } else { 0 });
            let micros = at % SECOND * 1000 + (self.last.1 * 37).min(999);
            write!(line, ".{micros:06}+00:00").expect("a Vec takes all");
        }
    }
}

fn format_second(second: i64, form: &str) -> String {
    Timestamp::from_second(second).unwrap_or_default().to_zoned(TimeZone::UTC).strftime(form).to_string()
}
