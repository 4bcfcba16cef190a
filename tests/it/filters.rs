//! Checks filters, time ranges, groups, order, and the lines that were not understood.

use std::fs;

use crate::support::{fixture, run};
use serde_json::Value;

fn report(args: &[&str]) -> Value {
    let (status, out, err) = run(&[&["scan", "--format", "json", "--no-advice"], args].concat());
    assert_eq!((status, err.as_str()), (0, ""), "{args:?}");
    serde_json::from_str(&out).unwrap()
}

fn events(args: &[&str]) -> Vec<Value> {
    let (_, out, _) = run(&[&["events"], args].concat());
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The events that `args` let through are those of the whole log that `fits` says.
#[track_caller]
fn keeps(log: &str, args: &[&str], fits: impl Fn(&Value) -> bool) {
    let log = fixture(log);
    let all = events(&[&log]);
    let wanted: Vec<&Value> = all.iter().filter(|event| fits(event)).collect();
    assert!(!wanted.is_empty() && wanted.len() < all.len(), "{args:?} is to take some of {}", all.len());
    let kept = events(&[args, &[&log]].concat());
    let line = |event: &Value| event["line"].as_u64().unwrap();
    let wanted_lines: Vec<u64> = wanted.iter().map(|event| line(event)).collect();
    assert_eq!(kept.iter().map(line).collect::<Vec<_>>(), wanted_lines, "{args:?}");
    let report = report(&[args, &[&log]].concat());
    let filtered = report["input"]["filtered"].as_u64().unwrap();
    assert_eq!(filtered as usize, all.len() - wanted.len(), "{args:?}");
    let rows = report["rows"].as_array().unwrap().iter();
    let counted: u64 = rows.map(|row| row["attempts"].as_u64().unwrap()).sum();
    assert_eq!(counted as usize, wanted.len(), "{args:?}");
}

fn text<'a>(event: &'a Value, key: &str) -> &'a str {
    event[key].as_str().unwrap_or("")
}

#[test]
fn each_filter_keeps_what_fits_and_no_more() {
    let out = "postfix/out.log";
    keeps(out, &["--code", "552"], |e| e["code"] == 552);
    keeps(out, &["--code", "4xx"], |e| e["code"].as_u64().is_some_and(|code| code / 100 == 4));
    keeps(out, &["--code", "5.7.*"], |e| text(e, "enhanced").starts_with("5.7."));
    keeps(out, &["--code", "none"], |e| e["code"].is_null());
    keeps(out, &["--class", "5xx"], |e| e["class"] == "permanent");
    keeps(out, &["--reason", "mailbox-full"], |e| e["reason"] == "mailbox-full");
    keeps(out, &["--direction", "local"], |e| e["direction"] == "local");
    keeps(out, &["--outcome", "deferred"], |e| e["outcome"] == "deferred");
    keeps(out, &["--to", "*552@*"], |e| text(e, "recipient").contains("552@"));
    keeps(out, &["--to", "@rcpt552.example.net"], |e| text(e, "recipient").ends_with("@rcpt552.example.net"));
    keeps(out, &["--domain", "rcpt55?.example.net"], |e| {
        text(e, "recipient").contains("@rcpt55") && !text(e, "recipient").contains("@rcpt550b")
    });
    keeps(out, &["--relay", "mx1.rcpt*"], |e| text(e, "peer_host").starts_with("mx1.rcpt"));
    keeps(out, &["--relay", "198.51.100.32/28"], |e| {
        let last = text(e, "peer_ip").strip_prefix("198.51.100.").and_then(|last| last.parse::<u8>().ok());
        e["direction"] != "inbound" && last.is_some_and(|last| (32..48).contains(&last))
    });
    let inbound = "postfix/in.log";
    keeps(inbound, &["--from", "@*.example.com"], |e| {
        text(e, "sender").contains('@') && text(e, "sender").contains(".example.com")
    });
    keeps(inbound, &["--class", "transient"], |e| e["class"] == "transient");
}

#[test]
fn values_of_one_option_are_or_and_options_are_and() {
    let out = "postfix/out.log";
    keeps(out, &["--code", "552,452", "--code", "550"], |e| {
        [552, 452, 550].iter().any(|code| e["code"] == *code)
    });
    keeps(out, &["--code", "5xx", "--outcome", "deferred"], |e| {
        e["code"].as_u64().is_some_and(|code| code / 100 == 5) && e["outcome"] == "deferred"
    });
}

#[test]
fn a_filter_that_fits_nothing_says_what_there_was() {
    let log = fixture("postfix/out.log");
    let report = report(&["--code", "599", "--reason", "mailbox-full", &log]);
    let note = report["notes"][0].as_str().unwrap();
    assert!(
        note.starts_with("no event matches --code 599 --reason mailbox-full; the logs have code: 250 ("),
        "{note}"
    );
    assert!(note.contains("reason: ") && note.contains("user-unknown ("), "{note}");
    let (status, out, err) = run(&["events", "--code", "599", &log]);
    assert_eq!((status, out.as_str()), (0, ""));
    assert!(err.contains("no event matches --code 599; the logs have code: 250 ("), "{err}");
}

#[test]
fn what_is_no_code_or_provider_or_time_is_an_error() {
    let log = fixture("postfix/out.log");
    for (args, said) in [
        (&["--code", "abc"][..], "is no code; write 552, 4xx, 5.7.1"),
        (&["--provider", "gogle"], "unknown provider \"gogle\"; known ones include google"),
        (&["--since", "soon"], "--since \"soon\" is not a time; use 2h, "),
        (&["--since", "2026-11-22", "--until", "2026-11-21"], "the time range is empty"),
        (&["--tz", "Mars/Olympus"], "unknown time zone"),
    ] {
        let (status, out, err) = run(&[&["scan"], args, &[&log]].concat());
        assert_eq!((status, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains(said), "{args:?}: {err}");
    }
}

const HOURS: [&str; 4] = ["01:30:00", "02:00:00", "02:59:59", "03:00:00"];

/// A line at each of [`HOURS`], and one without a stamp.
fn hours() -> (tempfile::TempDir, String) {
    let line = |time: &&str| {
        format!(
            "2026-11-21T{time}+00:00 mx1 postfix/smtp[12]: 4F1A2B3C4D: to=<a@example.org>, relay=none, delay=1, \
             delays=0/0/0/1, dsn=4.4.1, status=deferred (connect to mx.example.org[192.0.2.1]:25: Connection timed out)\n"
        )
    };
    let text: String = HOURS.iter().map(line).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, text + "no stamp\n").unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

#[test]
fn a_window_is_half_open() {
    let (_folder, log) = hours();
    let lines = |args: &[&str]| {
        let now = &["--utc", "--now", "2026-11-21T04:00:00Z"][..];
        let report = report(&[now, args, &[&log]].concat());
        assert_eq!(report["totals"]["outbound"]["deferred"], report["input"]["lines"], "{args:?}");
        report["input"]["lines"].as_u64().unwrap()
    };
    assert_eq!(lines(&["--since", "02:00", "--until", "03:00"]), 2);
    assert_eq!(lines(&["--since", "2026-11-21 02:00:01"]), 2);
    assert_eq!(lines(&["--until", "2026-11-21T02:00:00Z"]), 1);
    assert_eq!(lines(&["--since", "-1h"]), 1);
    assert_eq!(lines(&["--since", "today"]), 4);
    assert_eq!(lines(&["--since", "yesterday", "--until", "today"]), 0);
}

#[test]
fn a_window_in_which_nothing_lies_says_where_the_log_is() {
    let (_folder, log) = hours();
    let report = report(&["--utc", "--since", "2026-11-22", &log]);
    let notes = report["notes"].to_string();
    assert!(notes.contains("the log covers 2026-11-21 01:30 +00:00 to 2026-11-21 03:00 +00:00"), "{notes}");
}

#[test]
fn a_window_over_lines_without_a_time_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("mail.log");
    fs::write(&log, "postfix/smtpd[1]: NOQUEUE: reject: x\n").unwrap();
    let (status, out, err) = run(&["scan", "--since", "today", log.to_str().unwrap()]);
    assert_eq!((status, out.as_str()), (3, ""));
    assert!(err.contains("the only line has no time"), "{err}");
}

#[test]
fn groups_add_up_to_the_whole() {
    for (log, by) in [
        ("postfix/out.log", "domain,code"),
        ("postfix/out.log", "hour"),
        ("postfix/out.log", "relay,stage,provider,day"),
        ("postfix/in.log", "client,class"),
        ("exim/out.log", "reason,enhanced,outcome,mta,host,instance,direction"),
        ("exim/in.log", "sender,recipient"),
    ] {
        let log = fixture(log);
        let all = report(&[&log]);
        for threads in ["1", "3"] {
            let grouped = report(&["--by", by, "-j", threads, "--block-size", "5000", &log]);
            let rows = grouped["groups"]["rows"].as_array().unwrap();
            let sum = |key: &str| rows.iter().map(|row| row[key].as_u64().unwrap()).sum::<u64>();
            let whole = |outcome: &str| {
                let rows = all["rows"].as_array().unwrap().iter().filter(|row| row["outcome"] == outcome);
                rows.map(|row| row["attempts"].as_u64().unwrap()).sum::<u64>()
            };
            for outcome in
                ["delivered", "deferred", "bounced", "expired", "rejected", "warned", "held", "discarded"]
            {
                assert_eq!(sum(outcome), whole(outcome), "{log} {by} {outcome}");
            }
            let keys: Vec<&str> = by.split(',').collect();
            assert!(rows.iter().all(|row| keys.iter().all(|key| row["keys"].get(key).is_some())));
        }
    }
}

#[test]
fn groups_say_what_the_events_say() {
    let log = fixture("postfix/out.log");
    let grouped = report(&["--by", "domain,code", &log]);
    let events = events(&[&log]);
    for row in grouped["groups"]["rows"].as_array().unwrap() {
        let same = |event: &&Value| {
            let domain = text(event, "recipient").rsplit_once('@').map(|(_, domain)| domain.to_lowercase());
            let code = event["code"].as_u64().map(|code| code.to_string());
            row["keys"]["domain"].as_str().map(str::to_owned) == domain
                && row["keys"]["code"].as_str().map(str::to_owned) == code
                && event["outcome"] != "attempt"
                && event["outcome"] != "probe"
        };
        assert_eq!(events.iter().filter(same).count() as u64, row["events"].as_u64().unwrap(), "{row}");
    }
}

#[test]
fn order_is_as_asked() {
    let log = fixture("postfix/out.log");
    let order = |args: &[&str], key: &str| {
        let report = report(&[args, &[&log]].concat());
        report["rows"].as_array().unwrap().iter().map(|row| row[key].to_string()).collect::<Vec<_>>()
    };
    let by_name = order(&["--sort", "name"], "code");
    let mut sorted = by_name.clone();
    // null is before any number.
    sorted.sort_by_key(|code| code.parse::<u64>().unwrap_or(0));
    assert_eq!(by_name, sorted);
    let mut turned = order(&["--sort", "name", "--reverse"], "code");
    turned.reverse();
    assert_eq!(turned, by_name);
    let recent = order(&["--sort", "recent"], "last");
    assert!(recent.is_sorted_by(|a, b| a >= b), "{recent:?}");
}

#[test]
fn the_worst_stands_last_when_turned_around() {
    let log = fixture("postfix/out.log");
    let codes = |out: &str| {
        let lines = out.lines().filter(|line| line.starts_with("  5") || line.starts_with("  4"));
        lines.map(|line| line.get(..14).unwrap().trim().to_owned()).collect::<Vec<_>>()
    };
    let usual = codes(&run(&["scan", "--codes", "-n", "3", "--no-advice", &log]).1);
    let mut turned = codes(&run(&["scan", "--codes", "-n", "3", "--no-advice", "-r", &log]).1);
    turned.reverse();
    assert!(!usual.is_empty());
    assert_eq!(usual, turned);
}

#[test]
fn the_first_screen_can_be_turned_around_too() {
    let log = fixture("postfix/out.log");
    let titles = |args: &[&str]| -> Vec<String> {
        let out = run(&[&["scan", "-n", "0", "--no-advice"], args, &[&log]].concat()).1;
        let rows = out.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        rows.map(str::to_owned).collect()
    };
    let mut turned = titles(&["-r"]);
    turned.reverse();
    assert!(turned.len() > 20);
    assert_eq!(turned, titles(&[]));
    let named = titles(&["--sort", "name"]);
    assert!(named != turned && named.len() == turned.len());
}

#[test]
fn examples_are_the_latest_lines_of_their_kind() {
    let log = fixture("postfix/out.log");
    let report = report(&["--examples", "2", "--code", "550", "-j", "3", "--block-size", "4096", &log]);
    let text = fs::read_to_string(&log).unwrap();
    let mut seen = 0;
    for row in report["rows"].as_array().unwrap() {
        let examples: Vec<&str> =
            row["examples"].as_array().unwrap().iter().map(|e| e.as_str().unwrap()).collect();
        assert_eq!(examples.len() as u64, row["attempts"].as_u64().unwrap().min(2));
        assert_eq!(examples[examples.len() - 1], row["example"]);
        let places: Vec<usize> = examples.iter().map(|line| text.find(line).unwrap()).collect();
        assert!(places.is_sorted());
        seen += examples.len();
    }
    assert!(seen > 3);
    assert!(run(&["scan", "--examples", "1", &log]).1.contains("    Nov 22 "));
}

#[test]
fn the_latest_lines_are_the_same_for_any_cut_into_blocks_and_files() {
    let line = |number: u32| {
        format!(
            "Nov 22 05:{:02}:{:02} mx1 postfix/smtp[7]: 4F{number:08X}: to=<u{number}@example.net>, relay=mx.example.net[192.0.2.1]:25, \
             delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.net[192.0.2.1] said: 550 5.1.1 No such user \
             (in reply to RCPT TO command))\n",
            number / 60,
            number % 60
        )
    };
    let lines: Vec<String> = (0..600).map(line).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (whole, first, second) = (path("whole.log"), path("a.log"), path("b.log"));
    fs::write(&whole, lines.concat()).unwrap();
    fs::write(&first, lines[..311].concat()).unwrap();
    fs::write(&second, lines[311..].concat()).unwrap();
    for options in [vec!["-j", "1"], vec!["-j", "3", "--block-size", "4096"]] {
        for files in [vec![whole.as_str()], vec![first.as_str(), second.as_str()]] {
            let report = report(&[&options[..], &["--examples", "3"], &files].concat());
            let want: Vec<&str> = lines[597..].iter().map(|line| line.trim_end()).collect();
            for row in [&report["rows"][0], &report["sections"][0]["rows"][0]] {
                assert_eq!(row["examples"], serde_json::json!(want), "{options:?} {files:?}");
            }
            assert_eq!(report["sections"][0]["rows"][0]["recipient"], "u599@example.net");
        }
    }
}

#[test]
fn an_expiry_without_a_recipient_counts_for_its_domain() {
    let log = concat!(
        "Nov 22 05:00:00 mx1 postfix/qmgr[7]: 4F1A2B3C41: from=<a@example.org>, size=9, nrcpt=1 (queue active)\n",
        "Nov 22 05:00:01 mx1 postfix/smtp[7]: 4F1A2B3C41: to=<b@Example.net>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, \
         status=deferred (connect to mx.example.net[192.0.2.1]:25: Connection timed out)\n",
        "Nov 27 05:00:01 mx1 postfix/qmgr[7]: 4F1A2B3C41: from=<a@example.org>, status=expired, returned to sender\n",
        "Nov 27 05:00:01 mx1 postfix/qmgr[7]: 4F1A2B3C41: removed\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, log).unwrap();
    let report = report(&[path.to_str().unwrap()]);
    let row = &report["domains"][0];
    assert_eq!(
        (&row["name"], &row["deferred"], &row["expired"]),
        (&"example.net".into(), &1.into(), &1.into())
    );
    assert_eq!(report["rest"]["domains"]["unnamed"]["expired"], 0);
    assert_eq!(report["failing_domains"][0]["senders"][0]["name"], "a@example.org");
}

/// Understood, and one mail line that is not.
fn half_read() -> (tempfile::TempDir, String, &'static str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    let odd = "Nov 22 03:04:06 mx1 postfix/smtp[12]: 4F1A2B3C4D: to=<a@example.org>, \x1b[2J status=";
    fs::write(&path, format!("Nov 22 03:04:05 mx1 postfix/qmgr[9]: 4F1A2B3C4D: removed\n{odd}\n")).unwrap();
    (folder, path.to_str().unwrap().to_owned(), odd)
}

#[test]
fn lines_not_understood_can_be_had() {
    let (folder, log, odd) = half_read();
    let unparsed = folder.path().join("odd.txt");
    for command in ["scan", "events"] {
        let (status, _, _) = run(&[command, "--unparsed", unparsed.to_str().unwrap(), &log]);
        assert_eq!(status, 0);
        assert_eq!(fs::read_to_string(&unparsed).unwrap(), format!("{odd}\n"));
    }
    let (_, _, err) = run(&["scan", "--unparsed", "-", &log]);
    assert_eq!(err, format!("{}\n", odd.replace('\x1b', "\\x1b")));
}

#[test]
fn strict_wants_nearly_all_understood() {
    let (_folder, log, _) = half_read();
    let (status, out, err) = run(&["scan", "--strict", &log]);
    assert_eq!(status, 3);
    assert!(out.contains("1 of 2 mail lines not understood"), "{out}");
    assert!(err.contains("only 50.0% of 2 mail lines were understood; --strict requires 99%"), "{err}");
    assert_eq!(run(&["scan", "--strict", &fixture("postfix/out.log")]).0, 0);
}

#[test]
fn a_filter_never_makes_a_bad_log_look_well() {
    for format in ["text", "markdown", "html"] {
        let shown = |filter: &str| {
            run(&["scan", "--format", format, "--code", filter, &fixture("postfix/out.log")]).1
        };
        assert!(shown("599").contains("No event matches the filter."), "{format}");
        for filter in ["599", "2xx"] {
            let shown = shown(filter);
            for well in ["No deliveries or rejections", "Nothing was deferred", "\nOK "] {
                assert!(!shown.contains(well), "{format} --code {filter} says: {well}");
            }
        }
    }
}

#[test]
fn names_from_the_log_reach_no_terminal_raw_when_nothing_fits() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("mail\u{202e}gol.log");
    let text = "Nov 22 03:04:05 mx\u{9b}1 postfix/smtp[12]: 4F1A2B3C41: to=<a@x\x1b[2J\u{9b}31m\u{202e}>, relay=none, delay=1, \
        dsn=4.4.1, status=deferred (connect to x\x1b[2J\u{9b}1m\x7f\u{61c}[192.0.2.1]:25: Connection timed out)\n";
    fs::write(&log, text).unwrap();
    let log = log.to_str().unwrap();
    let hostile = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{61c}');
    let nothing = ["--to", "b@example.org"];
    for format in ["text", "json", "ndjson", "csv", "markdown", "html", "prometheus"] {
        for filter in [&[][..], &nothing[..], &["--by", "recipient,host"]] {
            let args = ["scan", "--format", format, "--color", "never", log];
            let (_, out, err) = run(&[&args, filter].concat());
            assert!(!out.contains(hostile) && !err.contains(hostile), "{format} {filter:?}: {out:?} {err:?}");
        }
    }
    for format in ["text", "ndjson", "csv"] {
        for filter in [&[][..], &nothing[..]] {
            let (_, out, err) = run(&[&["events", "--format", format, log], filter].concat());
            assert!(!out.contains(hostile) && !err.contains(hostile), "{format} {filter:?}: {out:?} {err:?}");
        }
    }
    let (_, _, err) = run(&["scan", "\u{202e}nothing"]);
    assert!(err.contains("\\u{202e}nothing"), "{err:?}");
}

/// A message to three recipients, of which one is delivered, one is deferred, and one is bounced.
const THREE: &str = "\
Nov 22 10:00:00 mx1 postfix/smtpd[10]: 4A00000001: client=c.example.org[192.0.2.10]
Nov 22 10:00:00 mx1 postfix/qmgr[11]: 4A00000001: from=<s@example.org>, size=500, nrcpt=3 (queue active)
Nov 22 10:00:01 mx1 postfix/smtp[12]: 4A00000001: to=<a@example.net>, relay=mx.example.net[198.51.100.5]:25, delay=1, \
dsn=2.0.0, status=sent (250 2.0.0 Ok)
Nov 22 10:00:01 mx1 postfix/smtp[13]: 4A00000001: to=<b@example.com>, relay=mx.example.com[198.51.100.6]:25, delay=1, \
dsn=4.7.1, status=deferred (host mx.example.com[198.51.100.6] said: 451 4.7.1 Greylisted, try again later)
Nov 22 10:00:01 mx1 postfix/smtp[14]: 4A00000001: to=<c@b.example.net>, relay=mx.b.example.net[198.51.100.7]:25, delay=1, \
dsn=5.1.1, status=bounced (host mx.b.example.net[198.51.100.7] said: 550 5.1.1 User unknown)
";

const EXPIRED: &str = "\
Nov 23 10:00:00 mx1 postfix/qmgr[11]: 4A00000001: from=<s@example.org>, status=expired, returned to sender
Nov 23 10:00:00 mx1 postfix/qmgr[11]: 4A00000001: removed
";

const DELETED: &str = "Nov 23 10:00:00 mx1 postfix/postsuper[11]: 4A00000001: removed\n";

/// How many messages are outgoing, delivered, waiting, bounced, expired, discarded and not tried yet, and the reasons of the
/// sections with their messages.
fn counted(log: &str, args: &[&str]) -> ([u64; 7], Vec<(String, u64)>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mail.log");
    fs::write(&file, log).unwrap();
    let args = [&["--tz", "UTC", "--now", "2026-11-24T00:00:00Z", file.to_str().unwrap()], args].concat();
    let report = report(&args);
    let outgoing = &report["totals"]["messages"]["outgoing"];
    let states = ["messages", "delivered", "waiting", "bounced", "expired", "discarded", "untried"];
    let sections = report["sections"].as_array().unwrap().iter();
    let rows = sections.flat_map(|section| section["rows"].as_array().unwrap());
    let number = |row: &Value, key: &str| row[key].as_u64().unwrap();
    let rows = rows.map(|row| {
        let all = ["waiting", "held", "delayed", "bounced", "expired"].map(|fate| number(row, fate));
        (row["reason"].as_str().unwrap().to_owned(), all.iter().sum())
    });
    (states.map(|state| number(outgoing, state)), rows.collect())
}

#[test]
fn under_a_filter_on_recipients_a_message_is_what_became_of_them() {
    let (delivered, waiting) = ([1, 1, 0, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0, 0]);
    let (bounced, expired) = ([1, 0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 1, 0, 0]);
    // Of a deleted message no direction is remembered.
    let discarded = [0; 7];
    for (end, at_last) in [("", waiting), (EXPIRED, expired), (DELETED, discarded)] {
        let log = format!("{THREE}{end}");
        for filter in [["--domain", "example.net"], ["--to", "a@example.net"], ["--relay", "mx.example.net"]]
        {
            assert_eq!(counted(&log, &filter), (delivered, Vec::new()), "{filter:?} {end}");
        }
        let dead = ("user-unknown".to_owned(), 1);
        assert_eq!(counted(&log, &["--domain", "b.example.net"]), (bounced, vec![dead]), "{end}");
        assert_eq!(counted(&log, &["--domain", "example.com"]).0, at_last, "{end}");
    }
}

#[test]
fn a_recipient_that_was_deferred_at_a_relay_and_bounced_by_another_is_bounced() {
    let log = format!(
        "{THREE}Nov 22 11:00:01 mx1 postfix/smtp[14]: 4A00000001: to=<b@example.com>, relay=mx2.example.com[198.51.100.8]:25, \
        delay=1, dsn=5.1.1, status=bounced (host mx2.example.com[198.51.100.8] said: 550 5.1.1 User unknown)\n"
    );
    assert_eq!(counted(&log, &["--relay", "mx.example.com"]).0, [1, 0, 0, 1, 0, 0, 0]);
}

#[test]
fn a_recipient_that_was_lost_decides_the_row_of_a_message_that_waits() {
    let waiting = [1, 0, 1, 0, 0, 0, 0];
    assert_eq!(counted(THREE, &[]), (waiting, vec![("user-unknown".to_owned(), 1)]));
    assert_eq!(counted(THREE, &["--reason", "greylisted"]), (waiting, vec![("greylisted".to_owned(), 1)]));
    let expired = [1, 0, 0, 0, 1, 0, 0];
    assert_eq!(counted(&format!("{THREE}{EXPIRED}"), &[]), (expired, vec![("user-unknown".to_owned(), 1)]));
}
