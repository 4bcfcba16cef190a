//! Checks delivery times: crafted logs against percentiles computed by hand, and recordings against their own lines.

use std::fmt::Write;
use std::fs;

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::support;

fn log_of(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

fn delays(args: &[&str]) -> Vec<Value> {
    let report = support::report(&[&["--delays"], args].concat());
    report["delays"].as_array().unwrap().clone()
}

#[track_caller]
fn took(row: &Value, phase: &str, count: u64, wanted: [f64; 3]) {
    let phases = row["phases"].as_array().unwrap();
    let found =
        phases.iter().find(|found| found["phase"] == phase).unwrap_or_else(|| panic!("no {phase} in {row}"));
    assert_eq!(found["count"], count, "{phase}");
    for (field, wanted) in ["median_seconds", "p95_seconds", "max_seconds"].iter().zip(wanted) {
        let seconds = found[*field].as_f64().unwrap();
        assert!((seconds - wanted).abs() <= wanted * 0.01, "{field} of {phase} is {seconds}, not {wanted}");
    }
}

/// Twenty to Google of 1 to 20 seconds, which were spent in the active queue, and one to nobody known.
fn postfix() -> String {
    let mut log = String::new();
    for seconds in 1..=20 {
        writeln!(
            log,
            "Nov 22 05:32:27 mx1 postfix/smtp[3]: 4{seconds:010X}: to=<\"x, delay=99, y\"@example.net>, orig_to=<b>, \
            relay=aspmx.l.google.com[192.0.2.7]:25, delay={seconds}.5, delays=0.1/{seconds}/0.3/0.1, dsn=2.0.0, \
            status=sent (250 ok, delay=77, delays=7/7/7/7)"
        )
        .unwrap();
    }
    log.push_str(
        "Nov 22 05:32:28 mx1 postfix/smtp[3]: 5AAAAAAAAA: to=<a@example.net>, relay=mx.example.net[192.0.2.8]:25, \
        delay=432000, delays=431990/0/5/5, dsn=2.0.0, status=sent (250 ok)\n\
        Nov 22 05:32:29 mx1 postfix/smtp[3]: 5AAAAAAAAB: to=<a@example.net>, relay=mx.example.net[192.0.2.8]:25, \
        delay=9, delays=9/0/0/0, dsn=4.2.2, status=deferred (host mx.example.net[192.0.2.8] said: 452 4.2.2 full)\n",
    );
    log
}

#[test]
fn the_percentiles_are_those_made_by_hand() {
    let file = log_of(&postfix());
    let rows = delays(&[file.path().to_str().unwrap()]);
    assert_eq!(rows.len(), 2, "{rows:?}");
    let (google, other) = (&rows[0], &rows[1]);
    assert_eq!((&google["provider"], &google["direction"]), (&"google".into(), &"outbound".into()));
    assert_eq!(google["deliveries"], 20);
    took(google, "total", 20, [10.5, 19.5, 20.5]);
    took(google, "before-active", 20, [0.1, 0.1, 0.1]);
    took(google, "active", 20, [10.0, 19.0, 20.0]);
    took(google, "connect", 20, [0.3, 0.3, 0.3]);
    took(google, "transmit", 20, [0.1, 0.1, 0.1]);
    assert_eq!(google["slowest"], "active");
    assert!(google["advice"].as_str().unwrap().contains("qshape active"), "{google}");
    // Five days; what was deferred is not counted.
    took(other, "total", 1, [432_000.0; 3]);
    assert_eq!(other["slowest"], "before-active");
    assert!(other["provider"].is_null());
}

#[test]
fn exim_times_are_read_from_the_end_of_the_line() {
    let mut log = String::new();
    for (at, times) in ["QT=1h2m3s DT=3s", "QT=0.523s DT=0.123s", "QT=10s DT=2s"].iter().enumerate() {
        writeln!(
            log,
            "2026-11-22 02:51:48 1xUxgC-00002{at}-1C => a@example.net R=dnslookup T=remote_smtp \
            H=mx.example.net [192.0.2.7] C=\"250 OK QT=9d DT=9d\" {times}"
        )
        .unwrap();
    }
    // Without the selectors, what the other side writes is no time of ours.
    log.push_str(
        "2026-11-22 02:51:49 1xUxgC-000029-1C => a@example.net R=dnslookup T=remote_smtp H=mx.example.net [192.0.2.7] \
        C=\"250 OK QT=9d DT=9d\"\n\
        2026-11-22 02:51:50 1xUxgC-000030-1C <= b@example.org H=(RT=9d) [192.0.2.9] P=esmtp S=4 RT=2.500s T=\"RT=8d\"\n",
    );
    let file = log_of(&log);
    let rows = delays(&[file.path().to_str().unwrap()]);
    took(&rows[0], "total", 3, [10.0, 3723.0, 3723.0]);
    took(&rows[0], "queued", 3, [8.0, 3720.0, 3720.0]);
    took(&rows[0], "deliver", 3, [2.0, 3.0, 3.0]);
    assert_eq!(rows[0]["slowest"], "queued");
    let inbound = rows.iter().find(|row| row["direction"] == "inbound").unwrap();
    took(inbound, "receive", 1, [2.5, 2.5, 2.5]);
}

#[test]
fn the_recordings_take_as_long_as_their_lines_say() {
    let log = support::fixture("postfix/retry.log");
    let text = fs::read_to_string(&log).unwrap();
    let sent = text.lines().filter(|line| line.contains("status=sent") && !line.contains("relay=127.0.0.1"));
    let mut longest: Vec<f64> = sent
        .map(|line| line.split("delay=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap())
        .collect();
    longest.sort_by(f64::total_cmp);
    let rows = delays(&[&log]);
    let total = |row: &Value, field: &str| row["phases"][0][field].as_f64().unwrap();
    let max = rows.iter().map(|row| total(row, "max_seconds")).fold(0.0, f64::max);
    let count: u64 = rows.iter().map(|row| row["deliveries"].as_u64().unwrap()).sum();
    assert_eq!(count, longest.len() as u64);
    assert!((max - longest.last().unwrap()).abs() < 0.001, "{max}");
}

#[test]
fn delays_are_the_same_however_the_log_is_read() {
    for log in [support::fixture("postfix/out.log"), support::fixture("exim/out-all.log")] {
        let whole = delays(&["-j", "1", &log]);
        assert!(!whole.is_empty(), "{log}");
        for (threads, size) in [("2", "777"), ("4", "100"), ("3", "9999")] {
            assert_eq!(
                delays(&["-j", threads, "--block-size", size, &log]),
                whole,
                "{log}: {threads} threads"
            );
        }
        // By another way through the lines.
        let report = support::report(&["--delays", "--by", "sender", &log]);
        assert_eq!(report["delays"].as_array().unwrap(), &whole, "{log} by sender");
    }
}

#[test]
fn delays_are_shown_only_on_request() {
    let log = support::fixture("postfix/out.log");
    assert!(support::report(&[&log]).get("delays").is_none());
    for (format, word) in
        [("text", "DELAYS in seconds"), ("markdown", "DELAYS in seconds"), ("html", "DELAYS in seconds")]
    {
        let with = support::answer(&["scan", "--lang", "en", "--format", format, "--delays", &log]).0;
        let without = support::answer(&["scan", "--lang", "en", "--format", format, &log]).0;
        assert!(with.contains(word) && !without.contains(word), "{format}");
    }
}
