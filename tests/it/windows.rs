//! Checks `--since` and `--until` on files that are too large to be read whole.

use std::fmt::Write;
use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use crate::support::run;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The number of lines of mail that makes a file larger than 4 MiB.
const LINES: i32 = 40_000;

/// A log in Berlin of evenly spread lines: when each was, and its text. `junk` stands in front of every 4,000th line.
fn log(first: &str, last: &str, form: &str, junk: &str) -> (Vec<Timestamp>, String) {
    let [first, last] = [first, last].map(|end| end.parse::<Timestamp>().unwrap());
    let step = last.duration_since(first) / LINES;
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let (mut times, mut text) = (Vec::new(), String::new());
    for number in 0..LINES {
        let seconds = (step * number).as_secs();
        let at = first + SignedDuration::from_secs(seconds);
        let stamp = at.to_zoned(zone.clone()).strftime(form).to_string();
        if number % 4_000 == 3_999 {
            text.push_str(junk);
        }
        let _ = writeln!(
            text,
            "{stamp} mx1 postfix/smtp[12]: 4F1A2B3C4D: to=<a@example.org>, relay=none, delay=1, delays=0/0/0/1, \
            dsn=4.4.1, status=deferred (connect to mx.example.org[192.0.2.1]:25: Connection timed out)"
        );
        times.push(at);
    }
    (times, text)
}

/// Each window gives as many events as lie in it.
#[track_caller]
fn holds(times: &[Timestamp], text: &str, windows: &[[&str; 2]]) {
    assert!(text.len() > 4 << 20, "it would be read whole");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, text).unwrap();
    let written = Duration::from_secs(times.last().unwrap().as_second() as u64);
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + written).unwrap();
    for [since, until] in windows {
        let [from, to] = [since, until].map(|end| end.parse::<Timestamp>().unwrap());
        let wanted = times.iter().filter(|at| (from..to).contains(*at)).count() as u64;
        let options =
            ["scan", "--format", "json", "--tz", "Europe/Berlin", "--since", since, "--until", until];
        let (_, out, _) = run(&[&options[..], &[path.to_str().unwrap()]].concat());
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(report["totals"]["outbound"]["deferred"], wanted, "{since} to {until}");
    }
}

const SYSLOG: &str = "%b %e %H:%M:%S";

#[test]
fn a_window_is_found_in_a_log_of_many_years() {
    let (times, text) = log("2023-11-02T00:00:00Z", "2026-11-20T00:00:00Z", SYSLOG, "");
    holds(
        &times,
        &text,
        &[
            ["2026-11-01T00:00:00Z", "2026-11-21T00:00:00Z"],
            ["2024-05-01T00:00:00Z", "2024-06-01T00:00:00Z"],
            ["2024-12-24T00:00:00Z", "2025-01-07T00:00:00Z"],
            ["2023-01-01T00:00:00Z", "2026-01-01T00:00:00Z"],
        ],
    );
}

#[test]
fn a_window_may_begin_or_end_where_an_hour_comes_twice() {
    // At 01:00Z the clocks of Berlin go back from 3 to 2.
    for (first, last) in [
        ("2026-10-24T22:00:00Z", "2026-10-25T03:00:00Z"),
        ("2026-10-20T00:00:00Z", "2026-10-28T00:00:00Z"),
        ("2026-03-01T00:00:00Z", "2026-11-20T00:00:00Z"),
    ] {
        let (times, text) = log(first, last, "%Y-%m-%dT%H:%M:%S", "");
        holds(
            &times,
            &text,
            &[
                ["2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"],
                ["2026-10-25T00:15:00Z", "2026-10-25T01:45:00Z"],
                ["2026-10-23T00:00:00Z", "2026-10-25T00:45:00Z"],
            ],
        );
    }
}

#[test]
fn many_lines_without_a_time_hide_nothing() {
    let junk = "a line of some other program, with no time in it\n".repeat(500);
    let (times, text) = log("2026-11-01T00:00:00Z", "2026-11-11T00:00:00Z", SYSLOG, &junk);
    let first = times.first().unwrap();
    let ends: Vec<String> =
        (1..20).map(|half| (*first + SignedDuration::from_hours(12 * half)).to_string()).collect();
    let windows: Vec<[&str; 2]> = ends.iter().map(|end| ["2026-11-01T00:00:00Z", end]).collect();
    holds(&times, &text, &windows);
}

#[test]
fn beside_a_window_without_lines_stands_what_the_whole_log_covers() {
    let (_, text) = log("2026-11-01T00:00:00Z", "2026-11-11T00:00:00Z", "%Y-%m-%dT%H:%M:%S", "");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, text).unwrap();
    for window in [["--since", "2026-11-20"], ["--until", "2026-10-20"]] {
        let (_, out, _) = run(&[&["scan", "--tz", "UTC"][..], &window, &[path.to_str().unwrap()]].concat());
        let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(out.contains("the log covers 2026-11-01 01:00 +00:00 to 2026-11-11 00:5"), "{out}");
    }
}
