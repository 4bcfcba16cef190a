//! Checks unattended runs: conditions, silence, the baseline of earlier runs, the line of a plugin, and mail.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::support::{answer, command, fixture, report, run, taken_apart};
use mail_parser::{MessageParser, MimeHeaders};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// A day of mail, each hour with this many sent, deferred for greylisting, and bounced for their size.
fn day(date: &str, hours: std::ops::Range<u32>, [sent, deferred, bounced]: [u32; 3]) -> String {
    let mut log = String::new();
    for hour in hours {
        let kinds = [
            (sent, "sent", "2.0.0", "250 2.0.0 OK"),
            (
                deferred,
                "deferred",
                "4.2.0",
                "host mx.example.org[198.51.100.7] said: 450 4.2.0 <b@example.org>: Recipient address rejected: Greylisted \
                (in reply to RCPT TO command)",
            ),
            (
                bounced,
                "bounced",
                "5.3.4",
                "host mx.example.org[198.51.100.7] said: 552 5.3.4 Message size exceeds fixed limit (in reply to MAIL FROM \
                command)",
            ),
        ];
        let mut number = 0;
        for (count, status, dsn, said) in kinds {
            for _ in 0..count {
                let _ = writeln!(
                    log,
                    "{date}T{hour:02}:{:02}:00+00:00 mx1 postfix/smtp[7]: {hour:02}AB{number:06}: to=<b{number}@example.org>, \
                    relay=mx.example.org[198.51.100.7]:25, delay=1, delays=0/0/0/1, dsn={dsn}, status={status} ({said})",
                    number * 59 / (sent + deferred + bounced).max(2)
                );
                number += 1;
            }
        }
    }
    log
}

/// Saturdays and the days after them, beginning with one in September 2026.
fn date(day: i64) -> String {
    let first = jiff::civil::date(2026, 9, 5);
    (first + jiff::Span::new().days(day)).to_string()
}

fn written(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A baseline of so many days, each of 24 hours with 10 sent, 2 deferred and 1 bounced.
fn learned(folder: &TempDir, days: i64) -> String {
    let base = folder.path().join("base.json").to_str().unwrap().to_owned();
    for number in 0..days {
        let log = written(folder, "day.log", &day(&date(number), 0..24, [10, 2, 1]));
        report(&["--baseline", &base, &log]);
    }
    base
}

#[test]
fn a_condition_that_is_true_ends_with_1_and_is_named_in_every_format() {
    let log = fixture("postfix/out.log");
    let args =
        ["scan", "--tz", "UTC", "--year", "2026", "--fail-on", "bounced>2%", "--fail-on", "expired>0", &log];
    for format in ["text", "json", "markdown", "html"] {
        let (text, status) = answer(&[&args[..], &["--format", format]].concat());
        assert_eq!(status, 1, "{format}");
        let shown = text.replace("&gt;", ">").replace('\\', "");
        assert!(shown.contains("bounced>2%") && !shown.contains("expired>0"), "{format}: {text}");
    }
    let report = report(&["--fail-on", "bounced>2%", "--fail-on", "expired>0", &log]);
    let failed = report["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["condition"], "bounced>2%");
    assert_eq!(report["verdict"]["state"], "bad");
    let messages = &report["totals"]["messages"];
    let (out, local) = (&messages["outgoing"], &messages["local"]);
    let count = |sent: &Value, name: &str| sent[name].as_f64().unwrap();
    let share = (count(out, "bounced") + count(local, "bounced")) * 100.0
        / (count(out, "messages") + count(local, "messages"));
    assert!((failed[0]["value"].as_f64().unwrap() - share).abs() < 0.01, "{failed:?} is not {share}");
}

#[test]
fn each_subject_is_compared_with_what_the_report_says() {
    let log = fixture("postfix/out.log");
    let now = ["--now", "2026-11-22T06:00:00Z"];
    let status = |expr: &str| {
        run(&[&["scan", "--tz", "UTC", "--year", "2026", "--fail-on", expr, &log], &now[..]].concat()).0
    };
    let whole = report(&[&log]);
    let out = |name: &str| whole["totals"]["outbound"][name].as_u64().unwrap();
    let rows = whole["rows"].as_array().unwrap();
    let of = |wanted: &dyn Fn(&Value) -> bool| -> u64 {
        let rows =
            rows.iter().filter(|row| !["attempt", "probe"].contains(&row["outcome"].as_str().unwrap()));
        rows.filter(|row| wanted(row)).map(|row| row["attempts"].as_u64().unwrap()).sum()
    };
    let counts = [
        ("deferred".to_owned(), out("deferred")),
        ("bounced".to_owned(), out("bounced")),
        ("in_queue".to_owned(), whole["totals"]["messages"]["in_queue"].as_u64().unwrap()),
        ("code:5.7.1".to_owned(), of(&|row| row["enhanced"] == "5.7.1")),
        ("code:4xx".to_owned(), of(&|row| row["code"].as_u64().is_some_and(|code| code / 100 == 4))),
        ("reason:mailbox-full".to_owned(), of(&|row| row["reason"] == "mailbox-full")),
        ("unread".to_owned(), 0),
        ("unusual".to_owned(), 0),
    ];
    for (subject, count) in counts {
        assert_eq!(status(&format!("{subject}>{count}")), 0, "{subject}>{count}");
        assert_eq!(status(&format!("{subject}>={count}")), 1, "{subject}>={count}");
        assert_eq!(status(&format!("{subject}<{}", count + 1)), 1, "{subject}<{}", count + 1);
    }
    // All of it lies in one hour.
    assert_eq!((status("bounced>49/h"), status("bounced>50/h")), (1, 0));
}

#[test]
fn a_share_of_zero_events_is_no_failure() {
    let folder = tempdir().unwrap();
    let log = written(&folder, "quiet.log", "Nov 22 05:32:27 mx1 postfix/qmgr[1]: 12F14DC03F: removed\n");
    for expr in ["bounced>0%", "bounced<=100%", "refused>0%", "code:4xx>0%", "oldest>0s", "deferred>0/h"] {
        let args = ["scan", "--tz", "UTC", "--now", "2026-11-22T06:00:00Z", "--fail-on", expr, &log];
        assert_eq!(run(&args).0, 0, "{expr}");
    }
}

#[test]
fn a_wrong_condition_is_a_mistake_of_usage() {
    for (expr, wanted) in [("bounced", "write bounced>10"), ("spam>3", "there are delivered")] {
        let (status, out, err) = run(&["scan", "--fail-on", expr, "x.log"]);
        assert!(status == 2 && out.is_empty() && err.contains(wanted), "{status} {out} {err}");
    }
}

/// The morning after the day of these tests.
const NOW: &str = "2026-11-22T00:30:00Z";

#[test]
fn quiet_is_quiet_only_if_all_is_well_and_could_be_read() {
    let folder = tempdir().unwrap();
    let good = written(&folder, "good.log", &day("2026-11-21", 0..24, [10, 1, 0]));
    let bad = written(&folder, "bad.log", &day("2026-11-21", 0..24, [2, 9, 9]));
    assert_eq!(
        run(&["scan", "--now", NOW, "--tz", "UTC", "--quiet-ok", &good]),
        (0, String::new(), String::new())
    );
    let (status, out, _) = run(&["scan", "--now", NOW, "--tz", "UTC", "--quiet-ok", &bad]);
    assert!(status == 0 && out.contains("BAD   45% of outgoing messages bounced (alarm at 20%)"), "{out}");
    // The user's own conditions replace the default ones.
    assert_eq!(
        run(&["scan", "--now", NOW, "--tz", "UTC", "--quiet-ok", "--fail-on", "bounced>99%", &bad]).1,
        ""
    );
    let (status, out, _) =
        run(&["scan", "--now", NOW, "--tz", "UTC", "--quiet-ok", "--warn-on", "bounced>1%", &bad]);
    assert!(status == 0 && out.contains("WATCH   bounced>1%"), "{out}");
    let (status, _, err) = run(&["scan", "--now", NOW, "--tz", "UTC", "--quiet-ok", &good, "not-there.log"]);
    assert!(status == 2 && err.contains("not-there.log"), "{status} {err}");
    let foreign = written(&folder, "foreign.log", "hello\n");
    let (status, _, err) = run(&["scan", "--now", NOW, "--tz", "UTC", "--quiet-ok", &foreign]);
    assert!(status == 3 && !err.is_empty());
    // A file is written whatever there is to say.
    let page = folder.path().join("page.html");
    assert_eq!(
        run(&["scan", "--now", NOW, "--tz", "UTC", "--quiet-ok", "-o", page.to_str().unwrap(), &good]).0,
        0
    );
    assert!(page.exists());
}

#[test]
fn a_plugin_answers_with_one_line_and_a_status_of_its_own() {
    let folder = tempdir().unwrap();
    let log = written(&folder, "a.log", &day("2026-11-21", 0..24, [10, 1, 1]));
    let foreign = written(&folder, "foreign.log", "hello\n");
    for (args, status, word) in [
        (&["--fail-on", "bounced>50%", log.as_str()][..], 0, "OK"),
        (&["--warn-on", "bounced>1%", "--fail-on", "bounced>50%", &log], 1, "WARNING"),
        (&["--warn-on", "bounced>1%", "--fail-on", "bounced>2%", &log], 2, "CRITICAL"),
        (&["not-there.log"], 3, "UNKNOWN"),
        (&["--baseline", foreign.as_str(), &log], 3, "UNKNOWN"),
        (&[foreign.as_str()], 3, "UNKNOWN"),
    ] {
        let (got, out, _) = run(&[&["scan", "--now", NOW, "--tz", "UTC", "--nagios"], args].concat());
        assert!(got == status && out.starts_with(&format!("SMTPLOG {word} - ")), "{args:?}: {got} {out}");
        assert_eq!(out.lines().count(), 1, "{out}");
    }
    let (_, out, _) = run(&["scan", "--now", NOW, "--tz", "UTC", "--nagios", &log]);
    let (_, data) = out.split_once(" | ").unwrap();
    let data: Vec<(&str, &str)> = data.split_whitespace().map(|pair| pair.split_once('=').unwrap()).collect();
    assert_eq!(data[..3], [("delivered", "240;;;0"), ("deferred", "24;;;0"), ("bounced", "24;;;0")]);
    // The line is a format too, and then the status is ours.
    let (status, out, _) = run(&["scan", "--format", "line", "--fail-on", "bounced>2%", &log]);
    assert!(status == 1 && out.starts_with("SMTPLOG CRITICAL"), "{out}");
}

fn of<'r>(report: &'r Value, code: &str) -> &'r Value {
    let row = report["rows"].as_array().unwrap().iter().find(|row| row["enhanced"] == code);
    &row.unwrap_or_else(|| panic!("no row {code}: {report}"))["change"]
}

#[test]
fn nothing_is_compared_with_less_than_three_days() {
    let folder = tempdir().unwrap();
    let base = learned(&folder, 2);
    let log = written(&folder, "day.log", &day(&date(2), 0..24, [10, 90, 1]));
    let two = report(&["--baseline", &base, &log]);
    assert!(two["baseline"].is_null() && of(&two, "4.2.0").is_null());
    assert!(two["notes"][0].as_str().unwrap().contains("fewer than three"));
    let log = written(&folder, "day.log", &day(&date(3), 0..24, [10, 90, 1]));
    let three = report(&["--baseline", &base, &log]);
    assert_eq!(
        (&three["baseline"]["samples"], &three["baseline"]["same_weekday"]),
        (&3.into(), &false.into())
    );
    assert_eq!(of(&three, "4.2.0")["usual"], 48.0);
}

#[test]
fn what_is_far_from_the_usual_is_flagged_and_the_rest_is_not() {
    let folder = tempdir().unwrap();
    let base = learned(&folder, 28);
    let log = written(&folder, "day.log", &day(&date(28), 0..24, [10, 40, 1]));
    let args = ["--baseline", &base, "--baseline-read-only", &log];
    let compared = report(&args);
    assert_eq!(
        (&compared["baseline"]["samples"], &compared["baseline"]["same_weekday"]),
        (&4.into(), &true.into())
    );
    let change = of(&compared, "4.2.0");
    assert_eq!(
        (&change["usual"], &change["percent"], &change["unusual"]),
        (&48.0.into(), &1900.into(), &true.into())
    );
    assert_eq!(of(&compared, "5.3.4")["unusual"], false);
    assert_eq!(compared["baseline"]["deferred"]["unusual"], true);
    let (text, _) = answer(&[&["scan", "--codes", "--tz", "UTC"], &args[..]].concat());
    assert!(text.contains("+1900% !") && text.contains("earlier weeks"), "{text}");
    let (csv, _) = answer(&[&["scan", "--tz", "UTC", "--format", "csv"], &args[..]].concat());
    assert!(csv.lines().next().unwrap().ends_with(",usual,change_percent,unusual"), "{csv}");
    assert!(csv.lines().any(|line| line.ends_with(",48,1900,true")), "{csv}");
    // Part of the hours is compared with the same part.
    let log = written(&folder, "day.log", &day(&date(28), 3..6, [10, 2, 0]));
    let part = report(&["--baseline", &base, "--baseline-read-only", &log]);
    let percent = of(&part, "4.2.0")["percent"].as_i64().unwrap();
    assert!(percent.abs() < 5, "{percent}: but for what is missing of the last hour, the same");
    assert_eq!(part["baseline"]["gone"], serde_json::json!([]), "three are not missed");
    let log = written(&folder, "day.log", &day(&date(28), 0..24, [10, 2, 0]));
    let gone = report(&["--baseline", &base, "--baseline-read-only", &log]);
    assert_eq!(gone["baseline"]["gone"][0]["enhanced"], "5.3.4");
    // Silence is bad news.
    let log = written(&folder, "day.log", &day(&date(28), 0..24, [1, 2, 1]));
    let silent = report(&["--baseline", &base, "--baseline-read-only", &log]);
    assert_eq!(silent["verdict"]["state"], "bad");
    let (status, _, _) = run(&["scan", "--tz", "UTC", "--baseline", &base, "--fail-on", "unusual", &log]);
    assert_eq!(status, 1);
}

/// Lines of deferrals or bounces beside those of a day: how many messages, each so often, with a status and what was said.
fn more(log: &mut String, (messages, times): (u32, u32), status: &str, dsn: &str, said: &str) {
    for number in 0..messages {
        for time in 0..times {
            let (hour, minute) = (time / 60 % 24, time % 60);
            let _ = writeln!(
                log,
                "{}T{hour:02}:{minute:02}:00+00:00 mx1 postfix/smtp[7]: CDEF{number:06}: to=<c{number}@example.net>, \
                relay=mx.example.net[198.51.100.8]:25, delay=1, delays=0/0/0/1, dsn={dsn}, status={status} ({said})",
                date(28)
            );
        }
    }
}

#[test]
fn the_lines_of_a_wrong_clock_do_not_stretch_the_period() {
    let folder = tempdir().unwrap();
    let usual = day(&date(28), 0..24, [10, 2, 1]);
    let few = day("1970-01-01", 3..4, [2, 1, 0]);
    for wrong in
        [few.clone(), few.replace("1970-01-01", "2027-12-28"), few.replace("1970-01-01", "0001-01-01")]
    {
        let log = written(&folder, "day.log", &format!("{usual}{wrong}"));
        let whole = report(&[&log]);
        assert_eq!(whole["range"]["first"], format!("{}T00:00:00+00:00", date(28)), "{}", whole["range"]);
        let last = whole["range"]["last"].as_str().unwrap();
        assert!(last.starts_with(&format!("{}T23:", date(28))), "{last}");
        assert_eq!(whole["trend"]["hours"], 4, "{}", whole["trend"]);
        let notes = whole["notes"].to_string();
        assert!(notes.contains("their time is left out"), "{notes}");
        assert_eq!(whole["totals"]["outbound"]["delivered"], 242, "they are counted");
        // A part says the same.
        let part = folder.path().join("a.part").to_str().unwrap().to_owned();
        run(&["scan", "--tz", "UTC", "--part", &part, &log]);
        let (text, _) = answer(&["merge", "--format", "json", "--tz", "UTC", &part]);
        let merged: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&merged["range"], &merged["trend"]), (&whole["range"], &whole["trend"]));
    }
    // A log of another year is no wrong clock.
    let log = written(&folder, "day.log", &format!("{}{usual}", day("2025-01-01", 3..10, [10, 2, 1])));
    let both = report(&[&log]);
    assert!(both["range"]["first"].as_str().unwrap().starts_with("2025-01-01T03:00"), "{}", both["range"]);
}

/// What the verdict says with a baseline of four weeks.
fn compared(folder: &TempDir, log: &str) -> Value {
    let base = learned(folder, 28);
    let log = written(folder, "day.log", log);
    let now = format!("{}T00:00:00Z", date(29));
    let when = ["scan", "--no-storms", "--format", "json", "--tz", "UTC", "--now", &now];
    let (text, _) = answer(&[&when[..], &["--baseline", &base, "--baseline-read-only", &log]].concat());
    serde_json::from_str::<Value>(&text).unwrap()["verdict"].clone()
}

#[test]
fn a_few_messages_that_are_tried_again_and_again_are_not_unusual() {
    let folder = tempdir().unwrap();
    let full = "host mx.example.net[198.51.100.8] said: 452 4.2.2 Mailbox full (in reply to RCPT TO command)";
    let mut log = day(&date(28), 0..24, [10, 2, 1]);
    more(&mut log, (5, 60), "deferred", "4.2.2", full);
    let verdict = compared(&folder, &log);
    assert_eq!(verdict["state"], "ok", "{verdict}");
    more(&mut log, (60, 5), "deferred", "4.2.2", full);
    assert_eq!(compared(&folder, &log)["state"], "watch");
}

#[test]
fn what_the_baseline_counts_as_one_is_one_finding() {
    let folder = tempdir().unwrap();
    let mut log = day(&date(28), 0..24, [10, 2, 1]);
    let refused = "connect to mx.example.net[198.51.100.8]:25: Connection refused";
    let lost =
        "lost connection with mx.example.net[198.51.100.8] while receiving the initial server greeting";
    more(&mut log, (60, 1), "deferred", "4.4.1", refused);
    more(&mut log, (3, 1), "deferred", "4.4.1", lost);
    let verdict = compared(&folder, &log);
    let network = verdict["findings"].as_array().unwrap().iter().filter(|finding| finding["usual"] == "0");
    let found: Vec<&str> = network.map(|finding| finding["value"].as_str().unwrap()).collect();
    assert_eq!(found, ["63"], "{verdict}");
}

#[test]
fn strangers_that_are_refused_more_often_than_usual_are_not_bad() {
    let folder = tempdir().unwrap();
    let mut log = day(&date(28), 0..24, [10, 2, 1]);
    for number in 0..300 {
        let _ = writeln!(
            log,
            "{}T{:02}:30:00+00:00 mx1 postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[203.0.113.{}]: 554 5.7.1 Service \
            unavailable; Client host [203.0.113.{}] blocked using zen.spamhaus.org; from=<a@example.com> to=<b@example.org> \
            proto=ESMTP helo=<c>",
            date(28),
            number % 24,
            number % 200,
            number % 200
        );
    }
    let verdict = compared(&folder, &log);
    assert_eq!(verdict["state"], "watch", "{verdict}");
    assert!(verdict["findings"].to_string().contains("block list"), "{verdict}");
}

#[test]
fn faults_to_fix_here_count_together_and_by_direction() {
    let folder = tempdir().unwrap();
    // Much local mail hides no outgoing fault, and one fault may have several replies.
    let mut log = String::new();
    for number in 0..900 {
        let _ = writeln!(
            log,
            "{}T{:02}:30:00+00:00 mx1 postfix/lmtp[9]: AAAA{number:06}: to=<b{number}@example.org>, \
            relay=mx1[private/dovecot-lmtp], delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 saved)",
            date(28),
            number % 24
        );
    }
    log.push_str(&day(&date(28), 0..24, [9, 0, 0]));
    let said = |words: &str| {
        format!("host mx.example.net[198.51.100.8] said: {words} (in reply to MAIL FROM command)")
    };
    let listed =
        said("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org");
    let nameless = said("550 5.7.25 The IP address sending this message does not have a PTR record setup");
    for (at, words) in [listed, nameless].iter().enumerate() {
        let mut part = String::new();
        more(&mut part, (12, 1), "bounced", "5.7.1", words);
        log.push_str(&part.replace("CDEF", &format!("CDE{at}")));
    }
    let verdict = report(&[&written(&folder, "day.log", &log)])["verdict"].clone();
    assert_eq!(verdict["state"], "bad", "{verdict}");
}

#[test]
fn a_run_that_is_repeated_or_goes_further_adds_nothing_twice() {
    let folder = tempdir().unwrap();
    let base = folder.path().join("base.json").to_str().unwrap().to_owned();
    let text = day(&date(0), 0..24, [10, 2, 1]);
    let whole = written(&folder, "whole.log", &text);
    let lines: Vec<&str> = text.lines().collect();
    let half = written(&folder, "half.log", &(lines[..lines.len() / 2 + 4].join("\n") + "\n"));
    report(&["--baseline", &base, &whole]);
    let once = fs::read(&base).unwrap();
    report(&["--baseline", &base, &whole]);
    assert!(once == fs::read(&base).unwrap(), "the same log twice");
    report(&["--baseline", &base, &half]);
    assert!(once == fs::read(&base).unwrap(), "half of it after it");
    fs::remove_file(&base).unwrap();
    report(&["--baseline", &base, &half]);
    assert!(once != fs::read(&base).unwrap());
    report(&["--baseline", &base, &whole]);
    assert!(once == fs::read(&base).unwrap(), "half of it before it");
}

#[test]
fn a_line_with_a_stamp_far_from_all_others_changes_no_baseline() {
    let folder = tempdir().unwrap();
    let text = day(&date(0), 0..24, [10, 2, 1]);
    let learned = |name: &str, text: &str| {
        let base = folder.path().join(name);
        report(&["--baseline", base.to_str().unwrap(), &written(&folder, "day.log", text)]);
        let found: Value = serde_json::from_slice(&fs::read(base).unwrap()).unwrap();
        // The minutes of the first and the last hour may be said to be read that have no line.
        let hours = found["hours"].as_array().unwrap().iter();
        hours.map(|hour| (hour["start"].to_string(), hour["counts"].to_string())).collect::<Vec<_>>()
    };
    let wanted = learned("base", &text);
    assert_eq!(wanted.len(), 24);
    for stamp in ["0001-01-01T00:00:00", "1970-01-01T00:00:07", "3000-02-03T04:05:06", "5999-12-31T23:59:59"]
    {
        let far = format!(
            "{stamp}+00:00 mx1 postfix/smtp[7]: 4F1A2B3C41: to=<a@example.org>, relay=none, delay=1, delays=0/0/1/0, \
             dsn=4.4.1, status=deferred (connect to mx.example.org[192.0.2.1]:25: Connection timed out)\n"
        );
        let name = |end: &str| format!("base{}{end}", &stamp[..4]);
        assert_eq!(learned(&name("a"), &format!("{far}{text}")), wanted, "{stamp} before it");
        assert_eq!(learned(&name("z"), &format!("{text}{far}")), wanted, "{stamp} behind it");
        // What was learned stays.
        let base = folder.path().join("base");
        let before: Value = serde_json::from_slice(&fs::read(&base).unwrap()).unwrap();
        report(&["--baseline", base.to_str().unwrap(), &written(&folder, "far.log", &far)]);
        let now: Value = serde_json::from_slice(&fs::read(&base).unwrap()).unwrap();
        let kept = |found: &Value| found["hours"].as_array().unwrap().clone();
        assert!(kept(&before).iter().all(|hour| kept(&now).contains(hour)), "{stamp}: {now}");
    }
}

#[test]
fn any_threads_and_any_blocks_make_the_same_baseline() {
    let folder = tempdir().unwrap();
    let log = written(&folder, "day.log", &day(&date(0), 0..24, [10, 2, 1]));
    let made: Vec<Vec<u8>> = ["1", "4"]
        .iter()
        .map(|threads| {
            let base = folder.path().join(format!("base{threads}"));
            report(&["-j", threads, "--block-size", "999", "--baseline", base.to_str().unwrap(), &log]);
            fs::read(base).unwrap()
        })
        .collect();
    assert!(made[0] == made[1]);
}

#[test]
fn a_file_that_is_not_ours_stays_as_it_is() {
    let folder = tempdir().unwrap();
    let log = written(&folder, "day.log", &day(&date(0), 0..2, [10, 2, 1]));
    let good = learned(&folder, 1);
    let cut = fs::read_to_string(&good).unwrap();
    for (text, wanted) in [
        (&cut[..cut.len() / 2], "damaged"),
        ("", "damaged"),
        ("hello\n", "damaged"),
        ("{\"schema\":\"smtplog.baseline/2\",\"x\":1}", "later version"),
        ("{\"schema\":\"smtplog.report/1\"}", "not a baseline of smtplog"),
        (&cut.replace("T01:00:00Z", "T01:00:01Z"), "damaged"),
        (&cut.replace("[[0,", "[[99,"), "damaged"),
        (&cut.replace("\"filter\":[]", "\"filter\":[\"--code 4xx\"]"), "made with --code 4xx"),
    ] {
        let base = written(&folder, "other.json", text);
        let (status, out, err) = run(&["scan", "--baseline", &base, &log]);
        assert!(status == 2 && out.is_empty() && err.contains(wanted), "{wanted}: {status} {out} {err}");
        assert_eq!(fs::read_to_string(&base).unwrap(), text, "{wanted}");
    }
}

#[test]
fn a_second_run_does_not_wait_and_says_so() {
    let folder = tempdir().unwrap();
    let base = learned(&folder, 1);
    let log = written(&folder, "day.log", &day(&date(1), 0..2, [10, 2, 1]));
    let held = smtplog::internals::scan::baseline::open(Path::new(&base), &[], false).unwrap();
    let (status, _, err) = run(&["scan", "--baseline", &base, &log]);
    assert!(status == 2 && err.contains("another smtplog process is using it"), "{err}");
    assert_eq!(run(&["scan", "--baseline", &base, "--baseline-read-only", &log]).0, 0);
    drop(held);
    assert_eq!(run(&["scan", "--baseline", &base, &log]).0, 0);
}

#[test]
fn what_could_not_all_be_read_is_not_learned() {
    let folder = tempdir().unwrap();
    let base = learned(&folder, 1);
    let before = fs::read(&base).unwrap();
    let log = written(&folder, "day.log", &day(&date(1), 0..2, [10, 2, 1]));
    let (status, out, _) = run(&["scan", "--baseline", &base, &log, "not-there.log"]);
    assert!(status == 2 && out.contains("nothing was added to the baseline"), "{out}");
    assert!(before == fs::read(&base).unwrap());
}

#[test]
fn a_mail_parser_accepts_the_mail() {
    let folder = tempdir().unwrap();
    let base = learned(&folder, 28);
    let log = written(&folder, "day.log", &day(&date(28), 0..24, [10, 40, 1]));
    let args = [
        "scan",
        "--tz",
        "UTC",
        "--now",
        "2026-10-04T00:30:00Z",
        "--baseline",
        &base,
        "--baseline-read-only",
        "--mail-headers",
    ];
    let to = ["--mail-to", "postmaster@example.org", "--mail-to", "anna", "--mail-from", "cron@example.org"];
    let (text, status) = answer(&[&args[..], &to, &[&log]].concat());
    assert_eq!(status, 0);
    assert_eq!(answer(&[&args[..], &to, &[&log]].concat()).0, text, "the same at the same moment");
    assert!(text.is_ascii() && !text.contains('\r'));
    assert!(text.lines().all(|line| line.len() <= 998));
    let mail = MessageParser::default().parse(text.as_bytes()).unwrap();
    let subject = mail.subject().unwrap();
    assert!(
        subject.starts_with("[mx1] mail WATCH: 450 4.2.0") && subject.contains("960 (usual 48)"),
        "{subject}"
    );
    assert_eq!(mail.from().unwrap().first().unwrap().address(), Some("cron@example.org"));
    assert_eq!(mail.to().unwrap().iter().count(), 2);
    assert_eq!(mail.date().unwrap().to_rfc3339(), "2026-10-04T00:30:00Z");
    assert!(mail.message_id().unwrap().ends_with("@mx1"));
    assert_eq!(mail.header("Auto-Submitted").unwrap().as_text(), Some("auto-generated"));
    let body = mail.body_text(0).unwrap();
    for wanted in [
        "WATCH 450 4.2.0",
        "usual 48",
        "JUST WAIT",
        "sent 240 (+0%)",
        "Do first: smtplog scan --code 4.2.0",
        "Read: 1 file",
    ] {
        assert!(body.contains(wanted), "{wanted}: {body}");
    }
    let wide = body.lines().filter(|line| line.len() > 72 && !line.starts_with("Do first:"));
    assert_eq!(wide.collect::<Vec<_>>(), Vec::<&str>::new());
    assert_eq!(mail.attachment_count(), 0);
}

#[test]
fn the_page_goes_with_the_mail_and_no_line_of_it_stands_there_as_it_is() {
    let log = fixture("postfix/in.log");
    let (text, _) =
        answer(&["scan", "--tz", "UTC", "--year", "2026", "--mail-headers", "--format", "html", &log]);
    let mail = MessageParser::default().parse(text.as_bytes()).unwrap();
    assert_eq!(mail.content_type().unwrap().subtype(), Some("alternative"));
    assert!(mail.body_html(0).unwrap().starts_with("<!DOCTYPE html>"));
    assert!(mail.body_text(0).unwrap().contains("INCOMING"));
    assert!(!text.contains("<!DOCTYPE") && text.lines().all(|line| line.len() <= 998));
    let (status, _, err) = run(&["scan", "--mail-headers", "--format", "json", &log]);
    assert!(status == 2 && err.contains("--format text or html"), "{err}");
}

#[test]
fn nothing_from_a_log_or_an_option_becomes_a_header() {
    let folder = tempdir().unwrap();
    let host = "mx1\u{202e}%0d%0aBcc:evil@example.com";
    let text = day("2026-11-21", 0..3, [1, 9, 0]).replace(" mx1 ", &format!(" {host} "));
    let log = written(&folder, "a.log", &text.replace("Greylisted", "x\rBcc: evil@example.com\x1b[2J"));
    let (text, _) = answer(&["scan", "--mail-headers", &log]);
    let (head, _) = text.split_once("\n\n").unwrap();
    let names: Vec<&str> = head
        .lines()
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    let known = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ];
    assert!(names.iter().all(|name| known.contains(name)), "{head}");
    assert!(text.is_ascii() && !text.contains(['\r', '\x1b']));
    for address in
        ["a@example.org\nBcc: b@example.org", "a b", "a,b@example.org", "", "<a@example.org>", "a@b@c"]
    {
        assert_eq!(run(&["scan", "--mail-headers", "--mail-to", address, &log]).0, 2, "{address:?}");
    }
    let mailed = |to: &str| {
        let output = command(&["scan", "--mail-headers", &log]).env("MAILTO", to).output().unwrap();
        let text = taken_apart(&output).1;
        let to = text.lines().find(|line| line.starts_with("To:")).unwrap().to_owned();
        assert!(!text.contains("\nBcc"), "{text}");
        to
    };
    assert_eq!(mailed("postmaster@example.org"), "To: <postmaster@example.org>");
    assert_eq!(mailed("x@example.org>\nBcc: <evil@example.com"), "To: <root>");
}

#[test]
fn a_broken_run_is_mailed_as_such() {
    let folder = tempdir().unwrap();
    let foreign = written(&folder, "foreign.log", "hello\n");
    let (status, out, err) = run(&["scan", "--mail-headers", "--quiet-ok", &foreign]);
    assert!(status == 3 && err.contains("the only line is no line of a mail"), "{status} {err}");
    assert!(out.contains("Subject: mail BAD: the only line is no line of a mail"), "{out}");
}

#[test]
fn shares_of_results_mean_nothing_under_a_filter_by_results() {
    let log = fixture("postfix/out.log");
    let (all, _) = answer(&["scan", "--tz", "UTC", &log]);
    assert!(all.contains("(alarm at 20%)") && all.contains("nothing refused"), "{all}");
    for filter in
        [["--outcome", "bounced"], ["--class", "4xx"], ["--code", "none"], ["--reason", "tls-failure"]]
    {
        let (some, _) = answer(&[&["scan", "--tz", "UTC", &log], &filter[..]].concat());
        assert!(some.contains("OUTGOING") && !some.contains("alarm at"), "{some}");
        assert!(some.contains("accepted") && !some.contains("nothing refused"), "{some}");
    }
}

#[test]
fn a_log_of_which_nothing_is_understood_is_bad_beside_a_good_one() {
    let folder = tempdir().unwrap();
    let good = written(&folder, "mail.log", &day("2026-11-20", 0..24, [5, 0, 0]));
    // A part of the good log, an empty log, and one of another program.
    let part = written(&folder, "mail.log.1", "Nov 19 23:59:59 mx1 newsyslog[9]: logfile turned over\n");
    let empty = written(&folder, "empty.log", "");
    let other = written(&folder, "other.log", "hello\nworld\n");
    let told = |logs: &[&str]| {
        let report = report(logs);
        let states = report["verdict"]["findings"].as_array().unwrap().clone();
        let named = |text: &Value| text.as_str().is_some_and(|text| text.contains("nothing in "));
        let notes = report["notes"].as_array().unwrap().iter().filter(|note| named(note)).count();
        let findings: Vec<Value> = states.into_iter().filter(|finding| named(&finding["what"])).collect();
        (notes, findings)
    };
    assert_eq!(told(&[&good, &part, &empty]), (0, Vec::new()));
    let (notes, findings) = told(&[&good, &part, &empty, &other]);
    assert_eq!((notes, findings.len()), (1, 1));
    let what = findings[0]["what"].as_str().unwrap();
    assert!(
        findings[0]["state"] == "bad" && what.contains("other.log") && what.contains("(2 lines)"),
        "{what}"
    );
}

#[test]
fn one_is_not_several() {
    let folder = tempdir().unwrap();
    let log = "Nov 20 10:00:00 mx1 postfix/smtpd[9]: NOQUEUE: reject: RCPT from c.example.com[192.0.2.9]: 554 5.7.1 \
        <a@example.org>: Relay access denied; from=<b@example.com> to=<a@example.org> proto=ESMTP helo=<c>\n";
    let log = written(&folder, "mail.log", log);
    let (text, _) = answer(&["scan", "--for", "customer", &log]);
    assert!(text.contains("1 attempt to send mail here was refused"), "{text}");
}

#[test]
fn a_wrong_option_of_the_plugin_is_unknown() {
    let (status, out, err) = run(&["scan", "--nagios", "--nosuch", &fixture("postfix/out.log")]);
    assert_eq!(status, 3, "{err}");
    assert!(out.starts_with("SMTPLOG UNKNOWN - ") && out.contains("--nosuch"), "{out}");
    let (status, out, _) = run(&["--nagios", "--format", "json", &fixture("postfix/out.log")]);
    assert!(status == 3 && out.contains("cannot be used with"), "{out}");
}

#[test]
fn the_first_screen_of_many_files_has_forty_lines() {
    let logs: Vec<String> =
        crate::support::logs().iter().map(|log| log.to_str().unwrap().to_owned()).collect();
    let options = ["scan", "--lang", "en", "--tz", "UTC", "--year", "2026"];
    let args: Vec<&str> = options.into_iter().chain(logs.iter().map(String::as_str)).collect();
    let (_, text, _) = run(&args);
    assert!(text.lines().count() <= 40, "{}: {text}", text.lines().count());
    assert!(text.contains("FILES"), "{text}");
}
