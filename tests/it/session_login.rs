//! Checks that a message has the login of its session, and that the bounces of this server are no mail of others, where other
//! lines of the session say so.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};

use crate::support::answer;

const OPENSMTPD: [&str; 9] = [
    "smtpd[9]: aa00000000000001 smtp connected address=203.0.113.9 host=x.example.com",
    "smtpd[9]: aa00000000000001 smtp authentication user=karin result=ok",
    "smtpd[9]: aa00000000000001 smtp message msgid=11111111 size=9 nrcpt=1 proto=ESMTP",
    "smtpd[9]: aa00000000000001 smtp envelope evpid=1111111122222222 from=<karin@example.org> to=<b@example.net>",
    "smtpd[9]: bb00000000000001 mta delivery evpid=1111111122222222 from=<karin@example.org> to=<b@example.net> rcpt=<-> \
     source=\"192.0.2.1\" relay=\"198.51.100.1 (mx.example.net)\" delay=1s result=\"PermFail\" stat=\"550 5.1.1 no\"",
    "smtpd[9]: cc00000000000001 smtp connected address=local host=mx1.example.org",
    "smtpd[9]: cc00000000000001 smtp message msgid=33333333 size=9 nrcpt=1 proto=ESMTP",
    "smtpd[9]: cc00000000000001 smtp envelope evpid=3333333344444444 from=<> to=<karin@example.org>",
    "smtpd[9]: dd00000000000001 mda delivery evpid=3333333344444444 from=<> to=<karin@example.org> rcpt=<karin@example.org> \
     user=karin delay=0s result=Ok stat=Delivered",
];

const SENDMAIL: [&str; 3] = [
    "sm-mta[9]: AUTH=server, relay=x.example.com [203.0.113.9], authid=karin, mech=PLAIN, bits=0",
    "sm-mta[9]: 6KJ902aa000009: from=<karin@example.org>, size=9, class=0, nrcpts=1, msgid=<a@example.org>, proto=ESMTPSA, \
     daemon=MTA, relay=x.example.com [203.0.113.9]",
    "sm-mta[11]: 6KJ902aa000009: to=<b@example.net>, delay=00:00:01, mailer=esmtp, pri=1, relay=mx.example.net. \
     [198.51.100.1], dsn=5.1.1, reply=550 5.1.1 no, stat=User unknown",
];

/// The report of these lines, which is the same however the log is read; and what `trace` tells of the message.
#[track_caller]
fn read(lines: &[String]) -> (Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    let mut text = String::new();
    for line in lines {
        writeln!(text, "Nov 22 09:00:00 mx1 {line}").unwrap();
    }
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let scan = |more: &[&str]| {
        let arguments = [&["scan", "--format", "json", "--utc"], more, &[path]].concat();
        serde_json::from_str::<Value>(&answer(&arguments).0).unwrap()
    };
    let report = scan(&[]);
    let own = |report: &Value| [report["users"].clone(), report["totals"]["messages"].clone()];
    for size in ["1", "64", "300", "4096"] {
        for more in [&["-j", "2", "--block-size", size][..], &["--by", "sender", "--block-size", size]] {
            assert_eq!(own(&scan(more)), own(&report), "{more:?}");
        }
    }
    (report, answer(&["trace", "--utc", "karin@example.org", path]).0)
}

fn users(report: &Value) -> Vec<Value> {
    report["users"].as_array().unwrap().iter().map(|row| json!([row["name"], row["bounced"]])).collect()
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

/// The same lines with one replaced text.
fn with(lines: &[&str], old: &str, new: &str) -> Vec<String> {
    assert!(lines.iter().any(|line| line.contains(old)), "{old}");
    lines.iter().map(|line| line.replace(old, new)).collect()
}

#[test]
fn a_message_has_the_login_of_its_session() {
    for lines in [&OPENSMTPD[..], &SENDMAIL] {
        let (report, trace) = read(&owned(lines));
        assert_eq!(users(&report), [json!(["karin", 1])], "{report:#}");
        assert!(trace.contains("login karin"), "{trace}");
    }
}

#[test]
fn a_message_has_no_login_of_another_session() {
    let other_session = with(&OPENSMTPD, "aa00000000000001 smtp auth", "aa00000000000002 smtp auth");
    let failed = with(&OPENSMTPD, "result=ok", "result=permfail");
    let other_process = with(&SENDMAIL, "sm-mta[9]: AUTH", "sm-mta[8]: AUTH");
    let other_client = with(&SENDMAIL, "[203.0.113.9], authid", "[203.0.113.8], authid");
    let plain = with(&SENDMAIL, "proto=ESMTPSA", "proto=SMTP");
    for lines in [other_session, failed, other_process, other_client, plain] {
        let (report, trace) = read(&lines);
        assert_eq!(users(&report), [] as [Value; 0], "{lines:#?}");
        assert!(!trace.contains("login"), "{trace}");
    }
    let by_id = with(&SENDMAIL, "sm-mta[9]: AUTH", "sm-mta[8]: 6KJ902aa000009: AUTH");
    assert_eq!(users(&read(&by_id).0).len(), 1);
}

#[test]
fn a_bounce_that_opensmtpd_writes_itself_is_a_notice() {
    let messages = |lines: &[String]| {
        let messages = read(lines).0["totals"]["messages"].take();
        ["received", "notices"]
            .map(|name| messages[name].as_u64().unwrap())
            .into_iter()
            .chain([messages["local"]["messages"].as_u64().unwrap()])
    };
    assert!(messages(&owned(&OPENSMTPD)).eq([1, 1, 0]));
    let from_outside = with(&OPENSMTPD, "address=local", "address=198.51.100.7");
    assert!(messages(&from_outside).eq([2, 0, 1]));
    let of_a_program = with(&OPENSMTPD, "from=<>", "from=<root@example.org>");
    assert!(messages(&of_a_program).eq([2, 0, 1]));
}
