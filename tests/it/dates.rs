//! Checks the time of lines whose timestamp is incomplete: years, zones, and hours that occur twice or never.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use crate::support::run;
use jiff::Timestamp;
use serde_json::Value;

/// A log: its name, when it was last written, and the stamps of its lines.
type Log<'a> = (&'a str, &'a str, &'a [&'a str]);

/// What a case is about, the options, the logs, and the time of each line, `-` where it has none.
type Case<'a> = (&'a str, &'a [&'a str], &'a [Log<'a>], &'a [&'a str]);

const NOW: &str = "2026-11-22T12:00:00Z";

fn line(stamp: &str) -> String {
    let text = "to=<a@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, \
        status=sent (250 2.0.0 Ok)";
    match stamp.strip_prefix("exim ") {
        Some(stamp) => format!(
            "{stamp} 1wKx5l-00000000014-2Abc => a@example.org R=dns T=smtp H=mx.example.org [192.0.2.1] C=\"250 OK\"\n"
        ),
        None => format!("{stamp} mx1 postfix/smtp[12]: 4F1A2B3C4D: {text}\n"),
    }
}

fn write(folder: &tempfile::TempDir, (name, written, stamps): &Log) -> String {
    let path = folder.path().join(name);
    fs::write(&path, stamps.iter().map(|stamp| line(stamp)).collect::<String>()).unwrap();
    let written: Timestamp = written.parse().unwrap();
    let written =
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(written.as_second() as u64)).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
    path.to_str().unwrap().to_owned()
}

fn times(args: &[&str]) -> Vec<String> {
    let (status, out, err) = run(args);
    assert_eq!(status, 0, "{args:?}: {err}");
    let events = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.map(|event| event["time"].as_str().unwrap_or("-").to_owned()).collect()
}

#[track_caller]
fn all(cases: &[Case]) {
    for (what, options, logs, wanted) in cases {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<String> = logs.iter().map(|log| write(&folder, log)).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let now: &[&str] = if options.contains(&"--now") { &[] } else { &["--now", NOW] };
        // Small blocks, so that what belongs together lies in many.
        for block in ["200", "262144"] {
            let common = ["events", "--block-size", block, "-j", "3"];
            assert_eq!(times(&[&common, now, options, &files].concat()), *wanted, "{what}");
        }
        // The report of the same lines begins and ends with them.
        let dated: Vec<Timestamp> = wanted.iter().filter_map(|time| time.parse().ok()).collect();
        let common = ["scan", "--format", "json"];
        let report: Value = serde_json::from_str(&run(&[&common, now, options, &files].concat()).1).unwrap();
        let minute = |key: &str| report["range"][key].as_str().map(|time| time.parse::<Timestamp>().unwrap());
        let truncated =
            |at: Option<&Timestamp>| at.map(|at| Timestamp::from_second(at.as_second() / 60 * 60).unwrap());
        assert_eq!(minute("first"), truncated(dated.iter().min()), "{what}: {}", report["range"]);
        assert_eq!(minute("last"), truncated(dated.iter().max()), "{what}: {}", report["range"]);
    }
}

const BERLIN: &[&str] = &["--tz", "Europe/Berlin"];
const UTC: &[&str] = &["--utc"];

#[test]
fn a_year_that_is_missing_is_found() {
    all(&[
        (
            "this morning",
            UTC,
            &[("mail.log", "2026-11-22T06:00:00Z", &["Nov 22 05:00:00"])],
            &["2026-11-22T05:00:00+00:00"],
        ),
        (
            "last December, read in January",
            &["--utc", "--now", "2027-01-03T08:00:00Z"],
            &[("mail.log", "2026-12-31T23:00:00Z", &["Dec 30 05:00:00", "Dec 31 22:59:00"])],
            &["2026-12-30T05:00:00+00:00", "2026-12-31T22:59:00+00:00"],
        ),
        (
            "last December, written to until January",
            &["--utc", "--now", "2027-01-03T08:00:00Z"],
            &[("mail.log", "2027-01-03T07:00:00Z", &["Dec 30 05:00:00", "Jan  3 07:00:00"])],
            &["2026-12-30T05:00:00+00:00", "2027-01-03T07:00:00+00:00"],
        ),
        (
            "2021, read today",
            UTC,
            &[("mail.log", "2021-06-10T12:00:00Z", &["Jun  9 12:00:00", "Jun 10 12:00:00"])],
            &["2021-06-09T12:00:00+00:00", "2021-06-10T12:00:00+00:00"],
        ),
        (
            "2021, copied today, with --year",
            &["--utc", "--year", "2021"],
            &[("mail.log", "2026-11-22T06:00:00Z", &["Jun  9 12:00:00", "Dec 10 12:00:00"])],
            &["2021-06-09T12:00:00+00:00", "2021-12-10T12:00:00+00:00"],
        ),
        (
            "--year is that of the last line",
            &["--utc", "--year", "2020"],
            &[("mail.log", "2026-11-22T06:00:00Z", &["Dec 31 23:59:59", "Jan  1 00:00:00"])],
            &["2019-12-31T23:59:59+00:00", "2020-01-01T00:00:00+00:00"],
        ),
        (
            "over New Year",
            UTC,
            &[("mail.log", "2026-01-01T00:10:00Z", &["Dec 31 23:59:59", "Jan  1 00:00:00"])],
            &["2025-12-31T23:59:59+00:00", "2026-01-01T00:00:00+00:00"],
        ),
        (
            "over New Year, touched in June",
            UTC,
            &[("mail.log", "2026-06-01T00:00:00Z", &["Dec 31 23:59:59", "Jan  1 00:00:00"])],
            &["2025-12-31T23:59:59+00:00", "2026-01-01T00:00:00+00:00"],
        ),
        (
            "over New Year, touched in the next December",
            &["--utc", "--now", "2026-12-30T00:00:00Z"],
            &[(
                "mail.log",
                "2026-12-25T00:00:00Z",
                &["Dec 18 01:00:00", "Dec 31 23:59:59", "Jan  2 00:00:00"],
            )],
            &["2025-12-18T01:00:00+00:00", "2025-12-31T23:59:59+00:00", "2026-01-02T00:00:00+00:00"],
        ),
        (
            "never rotated for two years",
            UTC,
            &[(
                "mail.log",
                "2026-11-21T12:00:00Z",
                &[
                    "Nov 20 01:00:00",
                    "Mar  3 01:00:00",
                    "Nov 10 01:00:00",
                    "Mar  5 01:00:00",
                    "Nov 21 01:00:00",
                ],
            )],
            &[
                "2024-11-20T01:00:00+00:00",
                "2025-03-03T01:00:00+00:00",
                "2025-11-10T01:00:00+00:00",
                "2026-03-05T01:00:00+00:00",
                "2026-11-21T01:00:00+00:00",
            ],
        ),
        (
            "a year and a bit, so that each stamp alone fits this year",
            UTC,
            &[(
                "mail.log",
                "2026-11-21T12:00:00Z",
                &["Oct  1 01:00:00", "Jan 31 01:00:00", "Nov 20 01:00:00"],
            )],
            &["2025-10-01T01:00:00+00:00", "2026-01-31T01:00:00+00:00", "2026-11-20T01:00:00+00:00"],
        ),
        (
            "lines that come late over New Year",
            UTC,
            &[(
                "mail.log",
                "2026-01-01T06:00:00Z",
                &["Dec 31 23:59:58", "Jan  1 00:00:01", "Dec 31 23:59:59", "Jan  1 00:00:02"],
            )],
            &[
                "2025-12-31T23:59:58+00:00",
                "2026-01-01T00:00:01+00:00",
                "2025-12-31T23:59:59+00:00",
                "2026-01-01T00:00:02+00:00",
            ],
        ),
        (
            "days in a wrong order are of one year",
            UTC,
            &[(
                "mail.log",
                "2026-11-22T06:00:00Z",
                &["Nov 20 01:00:00", "Nov 13 01:00:00", "Nov 21 01:00:00"],
            )],
            &["2026-11-20T01:00:00+00:00", "2026-11-13T01:00:00+00:00", "2026-11-21T01:00:00+00:00"],
        ),
        (
            "a clock a little ahead of the file's",
            UTC,
            &[("mail.log", "2026-11-22T06:00:00Z", &["Nov 22 07:30:00"])],
            &["2026-11-22T07:30:00+00:00"],
        ),
        (
            "the day after tomorrow was last year",
            UTC,
            &[("mail.log", "2026-11-22T06:00:00Z", &["Nov 24 07:30:00"])],
            &["2025-11-24T07:30:00+00:00"],
        ),
        (
            "a file of 1970",
            UTC,
            &[("mail.log", "1970-01-01T00:00:01Z", &["Nov 21 07:30:00"])],
            &["2026-11-21T07:30:00+00:00"],
        ),
        (
            "a file of the future",
            UTC,
            &[("mail.log", "2031-05-01T00:00:00Z", &["Nov 21 07:30:00", "Jun  1 00:00:00"])],
            &["2026-11-21T07:30:00+00:00", "2026-06-01T00:00:00+00:00"],
        ),
        (
            "a year on the stamp is believed",
            UTC,
            &[("mail.log", "2026-11-22T06:00:00Z", &["2013 Jun 10 06:27:30", "Nov 22 2024 03:04:05"])],
            &["2013-06-10T06:27:30+00:00", "2024-11-22T03:04:05+00:00"],
        ),
        (
            "months of other languages",
            UTC,
            &[("mail.log", "2026-03-09T06:00:00Z", &["Dez 24 06:27:30", "Mär 08 20:48:47"])],
            &["2025-12-24T06:27:30+00:00", "2026-03-08T20:48:47+00:00"],
        ),
        (
            "what is no date",
            UTC,
            &[(
                "mail.log",
                "2026-11-22T06:00:00Z",
                &["Feb 30 06:27:30", "Nov 22 25:48:47", "Nov 22 05:00:00"],
            )],
            &["-", "-", "2026-11-22T05:00:00+00:00"],
        ),
        (
            "fractions and the second that is put in",
            UTC,
            &[("mail.log", "2026-11-22T06:00:00Z", &["Nov 22 05:00:00.25", "Nov 22 05:00:60"])],
            &["2026-11-22T05:00:00.25+00:00", "2026-11-22T05:00:59+00:00"],
        ),
    ]);
}

#[test]
fn a_leap_day_is_in_a_leap_year() {
    all(&[
        (
            "read in its year",
            UTC,
            &[("mail.log", "2024-03-01T06:00:00Z", &["Feb 29 12:00:00", "Mar  1 01:00:00"])],
            &["2024-02-29T12:00:00+00:00", "2024-03-01T01:00:00+00:00"],
        ),
        (
            "alone, read later",
            UTC,
            &[("mail.log", "2026-11-22T06:00:00Z", &["Feb 29 12:00:00"])],
            &["2024-02-29T12:00:00+00:00"],
        ),
        (
            "takes the days around it along",
            UTC,
            &[(
                "mail.log",
                "2026-11-22T06:00:00Z",
                &["Feb 28 12:00:00", "Feb 29 12:00:00", "Mar  1 01:00:00"],
            )],
            &["2024-02-28T12:00:00+00:00", "2024-02-29T12:00:00+00:00", "2024-03-01T01:00:00+00:00"],
        ),
        (
            "and the New Year before it",
            UTC,
            &[("mail.log", "2026-11-22T06:00:00Z", &["Dec 30 12:00:00", "Feb 29 12:00:00"])],
            &["2023-12-30T12:00:00+00:00", "2024-02-29T12:00:00+00:00"],
        ),
    ]);
}

#[test]
fn zones_and_offsets_are_respected() {
    all(&[
        (
            "an offset on the stamp is believed",
            BERLIN,
            &[(
                "mail.log",
                "2026-11-22T06:00:00Z",
                &["2026-11-22T02:40:41+05:30", "2026-11-22T02:40:41Z", "2026-07-01T02:40:41.5-0330"],
            )],
            &["2026-11-22T02:40:41+05:30", "2026-11-22T02:40:41+00:00", "2026-07-01T02:40:41.5-03:30"],
        ),
        (
            "Berlin, winter and summer",
            BERLIN,
            &[("mail.log", "2026-11-22T06:00:00Z", &["Jan 10 12:00:00", "Jul 10 12:00:00"])],
            &["2026-01-10T12:00:00+01:00", "2026-07-10T12:00:00+02:00"],
        ),
        (
            "Kolkata",
            &["--tz", "Asia/Kolkata"],
            &[("mail.log", "2026-11-22T06:00:00Z", &["Nov 22 11:00:00"])],
            &["2026-11-22T11:00:00+05:30"],
        ),
        (
            "St. John's",
            &["--tz", "America/St_Johns"],
            &[("mail.log", "2026-11-22T06:00:00Z", &["Nov 22 02:00:00"])],
            &["2026-11-22T02:00:00-03:30"],
        ),
        (
            "Auckland has summer in January",
            &["--tz", "Pacific/Auckland"],
            &[("mail.log", "2026-11-22T06:00:00Z", &["Jan 22 02:00:00", "Jul 22 02:00:00"])],
            &["2026-01-22T02:00:00+13:00", "2026-07-22T02:00:00+12:00"],
        ),
        (
            "New Year comes early on Kiritimati",
            &["--tz", "Pacific/Kiritimati", "--now", "2026-12-31T10:01:00Z"],
            &[("mail.log", "2026-12-31T10:00:30Z", &["Dec 31 23:59:59", "Jan  1 00:00:30"])],
            &["2026-12-31T23:59:59+14:00", "2027-01-01T00:00:30+14:00"],
        ),
        (
            "Exim without a zone, and with one",
            BERLIN,
            &[(
                "mainlog",
                "2026-11-22T06:00:00Z",
                &["exim 2026-11-22 02:51:48", "exim 2026-07-22 02:51:48.374 +0530"],
            )],
            &["2026-11-22T02:51:48+01:00", "2026-07-22T02:51:48.374+05:30"],
        ),
    ]);
}

#[test]
fn an_hour_that_never_was_is_read_as_the_one_after() {
    all(&[
        (
            "Berlin, 29 March",
            BERLIN,
            &[(
                "mail.log",
                "2026-03-30T06:00:00Z",
                &["Mar 29 01:59:59", "Mar 29 02:30:00", "Mar 29 03:00:00"],
            )],
            &["2026-03-29T01:59:59+01:00", "2026-03-29T03:30:00+02:00", "2026-03-29T03:00:00+02:00"],
        ),
        (
            "Santiago, at midnight",
            &["--tz", "America/Santiago"],
            &[(
                "mail.log",
                "2026-09-07T06:00:00Z",
                &["Sep  5 23:59:00", "Sep  6 00:30:00", "Sep  6 01:00:00"],
            )],
            &["2026-09-05T23:59:00-04:00", "2026-09-06T01:30:00-03:00", "2026-09-06T01:00:00-03:00"],
        ),
    ]);
}

#[test]
fn the_order_of_lines_resolves_an_hour_that_occurs_twice() {
    all(&[
        (
            "alone it is the first",
            BERLIN,
            &[("mail.log", "2026-10-26T06:00:00Z", &["Oct 25 02:30:00"])],
            &["2026-10-25T02:30:00+02:00"],
        ),
        (
            "Berlin, 25 October",
            BERLIN,
            &[(
                "mail.log",
                "2026-10-26T06:00:00Z",
                &[
                    "Oct 25 01:59:00",
                    "Oct 25 02:30:00",
                    "Oct 25 02:59:00",
                    "Oct 25 02:00:00",
                    "Oct 25 02:30:00",
                    "Oct 25 03:00:00",
                ],
            )],
            &[
                "2026-10-25T01:59:00+02:00",
                "2026-10-25T02:30:00+02:00",
                "2026-10-25T02:59:00+02:00",
                "2026-10-25T02:00:00+01:00",
                "2026-10-25T02:30:00+01:00",
                "2026-10-25T03:00:00+01:00",
            ],
        ),
        (
            "a line that comes late is no second hour",
            BERLIN,
            &[(
                "mail.log",
                "2026-10-26T06:00:00Z",
                &["Oct 25 02:30:00", "Oct 25 02:29:55", "Oct 25 02:31:00"],
            )],
            &["2026-10-25T02:30:00+02:00", "2026-10-25T02:29:55+02:00", "2026-10-25T02:31:00+02:00"],
        ),
        (
            "Exim without a zone",
            BERLIN,
            &[(
                "mainlog",
                "2026-10-26T06:00:00Z",
                &["exim 2026-10-25 02:50:00", "exim 2026-10-25 02:10:00", "exim 2026-10-25 03:10:00"],
            )],
            &["2026-10-25T02:50:00+02:00", "2026-10-25T02:10:00+01:00", "2026-10-25T03:10:00+01:00"],
        ),
        (
            "Lord Howe turns back half an hour",
            &["--tz", "Australia/Lord_Howe"],
            &[(
                "mail.log",
                "2026-04-06T06:00:00Z",
                &["Apr  5 01:50:00", "Apr  5 01:32:00", "Apr  5 02:00:00"],
            )],
            &["2026-04-05T01:50:00+11:00", "2026-04-05T01:32:00+10:30", "2026-04-05T02:00:00+10:30"],
        ),
        (
            "two years in one file, each with its own",
            BERLIN,
            &[(
                "mail.log",
                "2026-10-26T06:00:00Z",
                &[
                    "Oct 26 02:50:00",
                    "Oct 26 02:10:00",
                    "Mar  1 12:00:00",
                    "Oct 25 02:50:00",
                    "Oct 25 02:10:00",
                    "Oct 25 04:00:00",
                ],
            )],
            &[
                "2025-10-26T02:50:00+02:00",
                "2025-10-26T02:10:00+01:00",
                "2026-03-01T12:00:00+01:00",
                "2026-10-25T02:50:00+02:00",
                "2026-10-25T02:10:00+01:00",
                "2026-10-25T04:00:00+01:00",
            ],
        ),
        (
            "stamps with an offset need no order",
            BERLIN,
            &[(
                "mail.log",
                "2026-10-26T06:00:00Z",
                &["2026-10-25T02:50:00+02:00", "2026-10-25T02:10:00+01:00"],
            )],
            &["2026-10-25T02:50:00+02:00", "2026-10-25T02:10:00+01:00"],
        ),
    ]);
}

#[test]
fn a_doubtful_time_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let notes = |args: &[&str], log: Log| {
        let file = write(&folder, &log);
        let (_, out, _) = run(&[&["scan", "--utc", "--format", "json"], args, &[&file]].concat());
        serde_json::from_str::<Value>(&out).unwrap()["notes"].to_string()
    };
    let now = &["--now", NOW][..];
    let old = notes(now, ("old.log", "2021-06-10T12:00:00Z", &["Jun 10 12:00:00"]));
    assert!(old.contains("the last line is dated 2021-06-10 12:00 +00:00, more than a year ago"), "{old}");
    let ahead = notes(now, ("new.log", "2026-11-22T06:00:00Z", &["2027-11-22T02:40:41Z"]));
    assert!(ahead.contains("2027-11-22 02:40 +00:00, which is still to come"), "{ahead}");
    let fine = notes(now, ("fine.log", "2026-11-22T06:00:00Z", &["Nov 22 05:00:00"]));
    assert_eq!(fine, "[]");
}

/// Fourteen weeks over New Year, the newest first in the list as `ls -t` gives them: names, stamps, and their times.
fn weeks() -> Vec<(String, [String; 2], [String; 2])> {
    let newest: jiff::civil::Date = "2026-02-15".parse().unwrap();
    let week = |number: i64| {
        let name = if number == 0 { "mail.log".to_owned() } else { format!("mail.log.{number}") };
        let last = newest.saturating_sub(jiff::Span::new().days(number * 7));
        let days = [last.saturating_sub(jiff::Span::new().days(6)), last];
        let stamps = days.map(|day| format!("{} 12:00:00", day.strftime("%b %e")));
        (name, stamps, days.map(|day| format!("{day}T12:00:00+00:00")))
    };
    (0..14).map(week).collect()
}

#[test]
fn a_set_of_rotated_files_over_new_year_is_one_log() {
    let weeks = weeks();
    let wanted: Vec<String> = weeks.iter().rev().flat_map(|(_, _, times)| times.clone()).collect();
    assert!(
        wanted.iter().any(|time| time.starts_with("2025-11"))
            && wanted.last().unwrap().starts_with("2026-02")
    );
    // Each as it was rotated; all of them copied in June; all copied in the next December.
    for (now, written) in [
        ("2026-02-16T00:00:00Z", None),
        ("2026-06-02T00:00:00Z", Some("2026-06-01T00:00:00Z")),
        ("2026-12-30T00:00:00Z", Some("2026-12-29T00:00:00Z")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Vec::new();
        for (name, stamps, times) in &weeks {
            let last: Timestamp = times[1].parse().unwrap();
            let written = written.map_or_else(|| last.to_string(), str::to_owned);
            files.push(write(&folder, &(name, &written, &[&stamps[0], &stamps[1]])));
        }
        // In any order: the names say which is older.
        files.rotate_left(5);
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let common = ["events", "--utc", "--now", now];
        assert_eq!(times(&[&common[..], &files].concat()), wanted, "{written:?}");
        let alone = folder.path().join("mail.log");
        let rotated = ["events", "--utc", "--now", now, "--rotated", alone.to_str().unwrap()];
        assert_eq!(times(&rotated), wanted, "{written:?}, --rotated");
    }
}

#[test]
fn an_hour_that_comes_twice_may_be_cut_by_a_rotation() {
    all(&[(
        "the second file goes on where the first ended",
        BERLIN,
        &[
            ("mail.log", "2026-10-25T06:00:00Z", &["Oct 25 02:20:00", "Oct 25 03:00:00"]),
            ("mail.log.1", "2026-10-25T00:50:00Z", &["Oct 25 02:00:00", "Oct 25 02:50:00"]),
        ],
        &[
            "2026-10-25T02:00:00+02:00",
            "2026-10-25T02:50:00+02:00",
            "2026-10-25T02:20:00+01:00",
            "2026-10-25T03:00:00+01:00",
        ],
    )]);
}

#[test]
fn the_date_in_a_name_and_in_a_gzip_header_give_the_year() {
    let folder = tempfile::tempdir().unwrap();
    let day = write(&folder, &("mail.log-20231205", "2026-11-20T00:00:00Z", &["Dec  4 12:00:00"]));
    assert_eq!(times(&["events", "--utc", "--now", NOW, &day]), ["2023-12-04T12:00:00+00:00"]);
    let header: Timestamp = "2022-12-05T00:00:00Z".parse().unwrap();
    let packed = folder.path().join("old.gz");
    let mut gz = flate2::GzBuilder::new()
        .mtime(header.as_second() as u32)
        .write(File::create(&packed).unwrap(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, line("Dec  4 12:00:00").as_bytes()).unwrap();
    gz.finish().unwrap();
    let wanted = ["2022-12-04T12:00:00+00:00"];
    assert_eq!(times(&["events", "--utc", "--now", NOW, packed.to_str().unwrap()]), wanted);
}

#[test]
fn standard_input_is_as_old_as_the_run() {
    let fed = |now: &str, stamps: &[&str], command: &str| {
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("smtplog"))
            .args([command, "--utc", "--now", now, "-"])
            .env("SMTPLOG_NO_CONFIG", "1")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let text: String = stamps.iter().map(|stamp| line(stamp)).collect();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    let out = fed("2027-01-03T08:00:00Z", &["Dec 30 05:00:00", "Jan  2 05:00:00"], "events");
    assert!(out.contains("2026-12-30T05:00:00+00:00") && out.contains("2027-01-02T05:00:00+00:00"), "{out}");
    // What goes past a year cannot be read again, so it is said.
    let out = fed(NOW, &["Oct  1 05:00:00", "Jan  2 05:00:00", "Nov  2 05:00:00"], "scan");
    assert!(out.contains("their dates may be wrong"), "{out}");
}

/// A line a second, for a day and a half: about 20 MB.
fn long(folder: &tempfile::TempDir) -> (String, u64) {
    let begin: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let lines = 36 * 3600;
    let text: String = (0..lines)
        .map(|second| line(&Timestamp::from_second(begin.as_second() + second).unwrap().to_string()))
        .collect();
    let path = folder.path().join("mail.log");
    fs::write(&path, &text).unwrap();
    (path.to_str().unwrap().to_owned(), text.len() as u64)
}

#[test]
fn a_window_of_a_sorted_file_is_found_without_reading_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (log, size) = long(&folder);
    let report = |args: &[&str]| {
        let common = ["scan", "--format", "json", "--utc", "--now", "2026-11-22T00:00:00Z"];
        let (status, out, err) = run(&[&common, args, &[&log]].concat());
        assert_eq!((status, err.as_str()), (0, ""));
        serde_json::from_str::<Value>(&out).unwrap()
    };
    for (args, seconds) in [
        (&["--since", "-1h"][..], 3600),
        (&["--since", "2026-11-21 00:00", "--until", "2026-11-21 00:30"], 1800),
        (&["--until", "2026-11-20 12:10"], 600),
    ] {
        let found = report(args);
        assert_eq!(found["input"]["lines"], seconds, "{args:?}");
        assert_eq!(found["totals"]["outbound"]["delivered"], seconds, "{args:?}");
        let read = found["input"]["bytes"].as_u64().unwrap();
        assert!(read * 20 < size, "{args:?} reads {read} of {size} bytes");
    }
    // Out of order, it is read whole, and the answer is the same.
    let text = fs::read_to_string(&log).unwrap();
    let (first, second) = text.split_at(text.len() / 2);
    let cut = second.find('\n').unwrap() + 1;
    fs::write(&log, [&second[cut..], first, &second[..cut]].concat()).unwrap();
    let found = report(&["--since", "2026-11-21 00:00", "--until", "2026-11-21 00:30"]);
    assert_eq!(found["input"]["lines"], 1800);
    assert_eq!(found["input"]["bytes"], size);
}
