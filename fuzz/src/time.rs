//! Any bytes as timestamps of a log and as a word of `--since`: a parser that remembers reads what a new one reads, and a
//! moment that is shown reads back as itself.

use jiff::{Timestamp, Zoned, tz::TimeZone};
use smtplog::internals::parse::header::LogLine;
use smtplog::internals::parse::timestamp::TimestampParser;
use smtplog::internals::parse::year::{FileTimeResolution, LatestPossible};
use smtplog::internals::pipeline::time_range;

/// Reads every line of the bytes as a line of a log, and the first as an option's value.
pub fn check(bytes: &[u8]) {
    let now: Zoned = "2026-11-22T03:00:00[UTC]".parse().expect("a moment");
    stamps(bytes, now.timestamp());
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if let Ok(text) = std::str::from_utf8(first) {
        word(text, &now);
    }
}

fn stamps(bytes: &[u8], newest: Timestamp) {
    let parser = || {
        TimestampParser::new(TimeZone::UTC, LatestPossible::written(newest), FileTimeResolution::default())
    };
    let mut remembers = parser();
    for line in bytes.split(|&byte| byte == b'\n') {
        let stamp = LogLine::read(line).stamp;
        let time = parser().read(stamp, 0);
        assert_eq!(remembers.read(stamp, 0), time, "{}", String::from_utf8_lossy(line));
        if let Some(shown) = time.and_then(|time| Some((time.micros, time.rfc3339()?))) {
            let read: Timestamp = shown.1.parse().expect("RFC 3339 is read");
            assert_eq!(read.as_microsecond(), shown.0, "{}", shown.1);
        }
    }
}

fn word(text: &str, now: &Zoned) {
    let read = time_range::read(text, now);
    assert_eq!(time_range::read(&format!(" {text}\t"), now), read, "blanks around {text:?}");
    if let Some(moment) = read {
        assert_eq!(time_range::read(&moment.to_string(), now), Some(moment), "{text:?} is {moment}");
    }
}
