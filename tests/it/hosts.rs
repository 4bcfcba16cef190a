//! Checks how logs of several hosts are told apart, and that hand-offs are matched by host and time.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support;

fn write(path: &Path, text: &str) -> String {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    let evening = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_384_800);
    File::options().append(true).open(path).unwrap().set_modified(evening).unwrap();
    path.to_str().unwrap().to_owned()
}

fn scan(arguments: &[&str]) -> Value {
    let arguments = [&["scan", "--format", "json", "--utc"], arguments].concat();
    serde_json::from_str(&support::answer(&arguments).0).unwrap()
}

/// A message that arrives and is deferred, and one that is delivered, under the same ids on every host.
fn mainlog(recipient: &str, delivers: bool) -> String {
    let result = if delivers { "=>" } else { "==" };
    let end = if delivers {
        "2026-11-22 03:04:09 1tABCd-000001-2x Completed\n"
    } else {
        "2026-11-22 03:04:09 SMTP connection from x [192.0.2.9] closed by QUIT\n"
    };
    format!(
        "2026-11-22 03:04:05 1tABCd-000001-2x <= a@example.org H=x [192.0.2.9] P=esmtp S=700\n\
         2026-11-22 03:04:07 1tABCd-000001-2x {result} {recipient} R=dnslookup T=remote_smtp defer (0): \
         H=mx.example.net [192.0.2.1]: 451 4.3.0 later\n{end}"
    )
}

#[test]
fn logs_without_a_host_that_overlap_are_of_different_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let deferring = write(&folder.path().join("logs/mx1/mainlog"), &mainlog("b@example.net", false));
    let delivering = write(&folder.path().join("logs/mx2/mainlog"), &mainlog("b@example.com", true));
    let report = scan(&[&deferring, &delivering]);
    assert_eq!(report["totals"]["messages"]["delivered"], 1, "{report}");
    assert_eq!(report["totals"]["messages"]["deferred"], 1, "{report}");
    assert_eq!(report["hosts"], json!([]));
    assert!(report["notes"].to_string().contains("--host-from"), "{}", report["notes"]);
    let named = scan(&["--host-from", "logs/{host}/*", &deferring, &delivering]);
    assert_eq!(named["totals"], report["totals"]);
    assert_eq!(named["hosts"], json!(["mx1", "mx2"]));
    assert!(!named["notes"].to_string().contains("--host-from"), "{}", named["notes"]);
    for by in [&["--by", "sender"][..], &["--by", "host"], &[]] {
        let both = [&["--host-from", "logs/{host}/*"], by, &[&deferring, &delivering]].concat();
        assert_eq!(scan(&both)["totals"], report["totals"], "{by:?}");
    }
    let one = scan(&["--host", "mx9", &deferring, &delivering]);
    assert_eq!(one["hosts"], json!(["mx9"]));
    let events =
        support::answer(&["events", "--utc", "--host-from", "logs/{host}/*", &deferring, &delivering]).0;
    let hosts: Vec<Value> =
        events.lines().map(|event| serde_json::from_str::<Value>(event).unwrap()["host"].clone()).collect();
    assert_eq!(hosts, ["mx1", "mx2"]);
    for more in [&[][..], &["--host-from", "logs/{host}/*"]] {
        let arguments =
            [&["trace", "--format", "json", "--utc"], more, &["1tABCd-000001-2x", &deferring, &delivering]];
        let trace: Value = serde_json::from_str(&support::answer(&arguments.concat()).0).unwrap();
        assert_eq!(trace["found"], 2, "{trace}");
        assert_eq!(trace["notes"].to_string().contains("--host-from"), more.is_empty());
    }
}

#[test]
fn the_parts_of_one_log_are_of_one_host() {
    let folder = tempfile::tempdir().unwrap();
    let whole = mainlog("b@example.net", true);
    let (first, rest) = whole.split_at(whole.find('\n').unwrap() + 1);
    for (one, other) in [("mainlog.1", "mainlog"), ("part-1", "part-2"), ("old/mainlog", "new/mainlog")] {
        let one = write(&folder.path().join(one), first);
        let other = write(&folder.path().join(other), rest);
        let report = scan(&[&one, &other]);
        assert_eq!(report["totals"]["messages"]["delivered"], 1, "{report}");
        assert!(!report["notes"].to_string().contains("--host"), "{}", report["notes"]);
    }
}

#[test]
fn a_pattern_that_cannot_name_hosts_is_refused() {
    for arguments in
        [&["--host-from", "logs/*"][..], &["--host", "a b"], &["--host", "a", "--host-from", "{host}/*"]]
    {
        let (status, _, error) = support::run(&[&["scan"], arguments, &["x.log"]].concat());
        assert_eq!(status, 2, "{error}");
    }
}

#[test]
fn a_queue_id_that_comes_again_days_later_swallows_no_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let handed = |day: u32, relay: &str, reply: &str| {
        format!(
            "2026-11-{day:02}T03:04:05+00:00 mx1 postfix/smtp[7]: A1B2C3D4E5: to=<b@example.org>, relay={relay}, delay=1, \
             delays=0/0/0/1, dsn=2.0.0, status=sent ({reply})\n"
        )
    };
    let later = |day: u32, host: &str| {
        format!("2026-11-{day:02}T03:05:00+00:00 {host} postfix/smtpd[8]: F1F2F3F4F5: client=x[192.0.2.9]\n")
    };
    let reply = "250 2.0.0 Ok: queued as F1F2F3F4F5";
    for (relay, day, host, hops) in [
        ("in.example.org[10.0.0.2]:25", 10, "mx2", 1),
        ("in.example.org[10.0.0.2]:25", 16, "mx2", 0),
        ("127.0.0.1[127.0.0.1]:10024", 10, "mx1", 1),
        ("127.0.0.1[127.0.0.1]:10024", 10, "mx2", 0),
    ] {
        let log = write(&folder.path().join("mail.log"), &(handed(10, relay, reply) + &later(day, host)));
        for more in [&[][..], &["--by", "sender"], &["-j", "2", "--block-size", "64"]] {
            let report = scan(&[more, &[&log]].concat());
            assert_eq!(report["totals"]["hops"], hops, "{relay} {day} {host} {more:?}");
            // What a program on this host took is local.
            let direction = if relay.starts_with("127.") { "local" } else { "outbound" };
            assert_eq!(report["totals"][direction]["delivered"], 1 - hops, "{relay} {day} {host}");
        }
    }
}

#[test]
fn the_list_of_hosts_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let line = |host: u32| {
        format!(
            "2026-11-22T03:04:05+00:00 mx{host}.example.org postfix/smtp[7]: A1B2C3D4E5: to=<b@example.org>, \
             relay=mx.example.net[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n"
        )
    };
    let log = write(&folder.path().join("mail.log"), &(0..2000).map(line).collect::<String>());
    assert_eq!(scan(&[&log])["hosts"].as_array().unwrap().len(), 2000);
    let text = support::answer(&["scan", "--utc", &log]).0;
    assert!(text.lines().next().unwrap().contains("and 1999 more"), "{text}");
}

#[test]
fn a_log_that_is_not_understood_is_described() {
    let folder = tempfile::tempdir().unwrap();
    for (text, looks, hint) in [
        ("{\"level\":\"info\",\"text\":\"x\u{202e}y\"}\n", "JSON objects", "jq"),
        ("22.11.2026 03:04:05 mail sent\n", "unknown form", "RSYSLOG_FileFormat"),
        ("Nov 22 03:04:05 mx1 dovecot: imap-login: Login\n", "other programs", "maillog"),
    ] {
        let log = write(&folder.path().join("x.log"), text);
        for command in [&["scan"][..], &["events"], &["storm"], &["trace", "b@example.org"]] {
            let (_, _, error) = support::run(&[command, &["--utc", &log]].concat());
            assert!(error.contains(looks) && error.contains(hint), "{command:?}: {error}");
            assert!(!error.contains('\u{202e}'), "{error}");
        }
    }
    let long = write(&folder.path().join("x.log"), &format!("{} secret\n", "x".repeat(300)));
    let (_, _, error) = support::run(&["scan", &long]);
    assert!(error.contains('…') && !error.contains("secret"), "{error}");
}

/// A mainlog from 06:00 to 17:00: a message every minute, and this many deferred ones a minute in the last hour.
fn busy_mainlog(result: &str, deferred: u32) -> String {
    const LATER: &str = "SMTP error from remote mail server after RCPT TO:<b@example.net>: 451 4.3.0 later";
    let mut text = String::new();
    for minute in 0..660_u32 {
        let clock = format!("2026-11-22 {:02}:{:02}", 6 + minute / 60, minute % 60);
        let mut mail = |at: u32, flag: &str, end: &str| {
            let id = format!("1tA{minute:03}-{at:06}-2x");
            let host = "R=dnslookup T=remote_smtp H=mx.example.net [192.0.2.1]";
            writeln!(text, "{clock}:00 {id} <= a{at}@example.org H=x [192.0.2.9] P=esmtp S=700").unwrap();
            writeln!(text, "{clock}:01 {id} {flag} b@example.net {host}{end}").unwrap();
        };
        mail(
            0,
            result,
            ": SMTP error from remote mail server after RCPT TO:<b@example.net>: 550 5.1.1 User unknown",
        );
        for at in 1..=(if minute < 600 { 0 } else { deferred }) {
            mail(at, "==", &format!(" defer (-44): {LATER}"));
        }
    }
    text
}

#[test]
fn watch_names_the_host_of_a_log_that_names_none() {
    let folder = tempfile::tempdir().unwrap();
    let stormy = write(&folder.path().join("logs/mx1/mainlog"), &busy_mainlog("=>", 20));
    let quiet = write(&folder.path().join("logs/mx2/mainlog"), &busy_mainlog("**", 0));
    let watch = |more: &[&str]| {
        let arguments = [
            &["watch", "--until-idle", "--format", "ndjson", "--utc", "--since", "2026-11-22T06:00:00Z"][..],
            &["--now", "2026-11-22T17:01:00Z"],
            more,
            &[&stormy, &quiet],
        ];
        support::answer(&arguments.concat()).0
    };
    let of_host = "\"dimension\":\"host\",\"value\":\"mx1\"";
    let unnamed = watch(&[]);
    assert!(unnamed.contains("began") && !unnamed.contains(of_host), "{unnamed}");
    let named = watch(&["--host-from", "logs/{host}/*"]);
    assert!(named.contains(of_host), "{named}");
    assert!(!watch(&["--host", "mx9"]).contains(of_host));
}
