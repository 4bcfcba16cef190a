//! Checks the fields of an event that come from other lines of its message: sender, size, number of the attempt.

use std::fs;

use serde_json::{Value, json};

use crate::support;

const POSTFIX: &str = "\
Nov 22 02:50:16 mx1 postfix/submission/smtpd[7]: 3F1A20C4B7D: client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=anna
Nov 22 02:50:16 mx1 postfix/cleanup[7]: 3F1A20C4B7D: message-id=<1@example.org>
Nov 22 02:50:16 mx1 postfix/qmgr[7]: 3F1A20C4B7D: from=<anna@example.org>, size=4521, nrcpt=1 (queue active)
Nov 22 02:50:18 mx1 postfix/smtp[7]: 3F1A20C4B7D: to=<b@example.com>, relay=mx.example.com[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=4.7.1, status=deferred (host mx.example.com[192.0.2.9] said: 451 4.7.1 later (in reply to RCPT TO command))
Nov 22 02:55:16 mx1 postfix/qmgr[7]: 3F1A20C4B7D: from=<anna@example.org>, size=4521, nrcpt=1 (queue active)
Nov 22 02:55:18 mx1 postfix/smtp[7]: 3F1A20C4B7D: to=<b@example.com>, relay=mx.example.com[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 Ok \",\"sender\":null)
Nov 22 02:55:18 mx1 postfix/qmgr[7]: 3F1A20C4B7D: removed
Nov 22 02:55:19 mx1 postfix/cleanup[7]: 3F1A20C4B7D: message-id=<2@example.org>
Nov 22 02:55:19 mx1 postfix/qmgr[7]: 3F1A20C4B7D: from=<>, size=9, nrcpt=1 (queue active)
Nov 22 02:55:19 mx1 postfix/local[7]: 3F1A20C4B7D: to=<c@example.org>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)
";

const EXIM: &str = "\
2026-11-22 02:51:48 1xUxgC-000022-1C <= \"=a, b\"@example.org H=(x) [192.0.2.1] P=esmtpsa A=plain:anna S=421 id=1@example.org
2026-11-22 02:51:48 1xUxgC-000022-1C == b@example.com R=dnslookup T=remote_smtp defer (-44) H=mx.example.com [192.0.2.9]: SMTP error from remote mail server after RCPT TO:<b@example.com>: 451 later
2026-11-22 02:52:48 1xUxgC-000022-1C == b@example.com R=dnslookup T=remote_smtp defer (-44) H=mx.example.com [192.0.2.9]: SMTP error from remote mail server after RCPT TO:<b@example.com>: 451 later
";

/// The answer to a log.
fn answer(log: &str, args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, log).unwrap();
    let path = path.to_str().unwrap();
    support::answer(&[&["events", "--tz", "UTC"], args, &[path]].concat()).0
}

fn events(log: &str, args: &[&str]) -> Vec<Value> {
    answer(log, args).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn says(log: &str, wanted: &[Value]) {
    for size in ["1000000", "300", "40"] {
        let events = events(log, &["-j", "2", "--block-size", size]);
        assert_eq!(events.len(), wanted.len());
        for (event, wanted) in events.iter().zip(wanted) {
            for (name, value) in wanted.as_object().unwrap() {
                assert_eq!(event[name], *value, "{name} of {event}, blocks of {size} bytes");
            }
        }
    }
}

#[test]
fn an_event_has_what_the_other_lines_of_its_message_say() {
    let message = json!({
        "sender": "anna@example.org", "size": 4521, "client": "192.0.2.1", "user": "anna", "message_id": "1@example.org",
    });
    let attempt = |number: u64| {
        let mut message = message.clone();
        message["attempt_no"] = number.into();
        message
    };
    let bounce = json!({
        "sender": "", "size": 9, "client": null, "user": null, "message_id": "2@example.org", "attempt_no": 1,
    });
    says(POSTFIX, &[attempt(1), attempt(2), bounce]);
    let message = |number: u64| {
        json!({
            "sender": "\"=a, b\"@example.org", "size": 421, "client": "192.0.2.1", "user": "anna",
            "message_id": "1@example.org", "attempt_no": number,
        })
    };
    says(EXIM, &[message(1), message(2)]);
}

#[test]
fn what_no_line_says_is_null() {
    let alone: String = POSTFIX.lines().skip(9).collect();
    let nothing = json!({"sender": null, "size": null, "client": null, "user": null, "message_id": null, "attempt_no": 1});
    says(&alone, &[nothing]);
}

#[test]
fn the_filter_of_senders_asks_the_whole_message() {
    let count = |from: &[&str]| events(POSTFIX, from).len();
    assert_eq!(count(&["--from", "anna@example.org"]), 2);
    assert_eq!(count(&["--from", "@example.org", "--block-size", "100"]), 2);
    assert_eq!(count(&["--from", ""]), 1);
    assert_eq!(count(&["--from", "b@example.com"]), 0);
    // The attempt that was left out counts.
    assert_eq!(events(POSTFIX, &["--code", "250"])[0]["attempt_no"], 2);
}

#[test]
fn a_report_asks_the_whole_message_for_its_sender() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, POSTFIX).unwrap();
    for size in ["1000000", "300", "40"] {
        let report = |args: &[&str]| {
            let path = path.to_str().unwrap();
            support::report(&[&["-j", "2", "--block-size", size], args, &[path]].concat())
        };
        let anna = report(&["--from", "anna@example.org"]);
        assert_eq!(anna["totals"]["outbound"]["attempts"], 2, "blocks of {size} bytes");
        assert_eq!(anna["totals"]["local"]["attempts"], 0);
        assert_eq!(anna["totals"]["messages"]["messages"], 1);
        assert_eq!(anna["totals"]["messages"]["delivered"], 1);
        assert_eq!(anna["totals"]["messages"]["delivered_later"][0]["recipients"], 1);
        assert_eq!(anna["input"]["filtered"], 1);
        let by_sender = report(&["--by", "sender"]);
        let rows = by_sender["groups"]["rows"].as_array().unwrap();
        let rows: Vec<_> =
            rows.iter().map(|row| (row["keys"]["sender"].as_str(), row["events"].as_u64())).collect();
        assert_eq!(rows, [(Some("anna@example.org"), Some(2)), (Some("<>"), Some(1))]);
        let by_user = report(&["--by", "user"]);
        assert_eq!(by_user["groups"]["rows"][0]["keys"]["user"], "anna");
        assert_eq!(by_user["groups"]["rows"][1]["keys"]["user"], Value::Null);
    }
}

#[test]
fn grouping_by_sender_changes_nothing_else() {
    for log in support::logs() {
        let name = log.to_str().unwrap();
        let mut whole = support::report(&[name]);
        whole["groups"] = Value::Null;
        for size in ["1000000", "3000"] {
            let mut grouped = support::report(&["-j", "2", "--block-size", size, "--by", "sender", name]);
            assert!(grouped["groups"].is_object());
            grouped["groups"] = Value::Null;
            assert_eq!(grouped, whole, "{name}, blocks of {size} bytes");
        }
    }
}

#[test]
fn a_table_has_the_same_and_no_formulas() {
    let table = answer(EXIM, &["--format", "csv"]);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let names = reader.headers().unwrap().clone();
    let column = |name: &str| names.iter().position(|other| other == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(&rows[1][column("attempt_no")], "2");
    assert_eq!(&rows[1][column("size")], "421");
    let formula = EXIM.replace("\"=a, b\"@", "=a@");
    let table = answer(&formula, &["--format", "csv"]);
    let row = csv::Reader::from_reader(table.as_bytes()).into_records().next().unwrap().unwrap();
    assert_eq!(&row[column("sender")], "'=a@example.org");
}

/// The queue file keeps one sender, so another one under the same queue id is another message; the line that ended the
/// first one is missing.
const REUSED_ID: &str = "\
Nov 22 02:50:16 mx1 postfix/qmgr[7]: 3F1A20C4B7D: from=<old@example.org>, size=4521, nrcpt=1 (queue active)
Nov 22 02:50:18 mx1 postfix/smtp[7]: 3F1A20C4B7D: to=<b@example.com>, relay=mx.example.com[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=4.7.1, status=deferred (host mx.example.com[192.0.2.9] said: 451 4.7.1 later (in reply to RCPT TO command))
Nov 22 02:55:16 mx1 postfix/qmgr[7]: 3F1A20C4B7D: from=<new@example.org>, size=9, nrcpt=1 (queue active)
Nov 22 02:55:18 mx1 postfix/smtp[7]: 3F1A20C4B7D: to=<b@example.com>, relay=mx.example.com[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 Ok)
Nov 22 02:55:18 mx1 postfix/qmgr[7]: 3F1A20C4B7D: removed
";

#[test]
fn events_scan_and_trace_agree_on_who_sent_a_message() {
    says(
        REUSED_ID,
        &[
            json!({ "sender": "old@example.org", "size": 4521, "attempt_no": 1 }),
            json!({ "sender": "new@example.org", "size": 9, "attempt_no": 1 }),
        ],
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, REUSED_ID).unwrap();
    let path = path.to_str().unwrap();
    let json = |args: &[&str]| -> Value {
        serde_json::from_str(&support::answer(&[args, &["--tz", "UTC", path]].concat()).0).unwrap()
    };
    for size in ["1000000", "300", "40"] {
        let cut = ["-j", "2", "--block-size", size, "--format", "json"];
        let report = json(&[&["scan", "--by", "sender"], &cut[..]].concat());
        let rows = |table: &Value, name: fn(&Value) -> &Value| -> Vec<(String, u64, u64)> {
            let number = |row: &Value, column: &str| row[column].as_u64().unwrap();
            let rows = table.as_array().unwrap().iter();
            let mut rows: Vec<_> = rows
                .map(|row| {
                    (
                        name(row).as_str().unwrap().to_owned(),
                        number(row, "delivered"),
                        number(row, "deferred"),
                    )
                })
                .collect();
            rows.sort();
            rows
        };
        let wanted = [("new@example.org".to_owned(), 1, 0), ("old@example.org".to_owned(), 0, 1)];
        assert_eq!(rows(&report["senders"], |row| &row["name"]), wanted, "{size}");
        assert_eq!(rows(&report["groups"]["rows"], |row| &row["keys"]["sender"]), wanted, "{size}");
        assert_eq!(report["totals"]["messages"]["messages"], 2, "{size}");
        let trace = json(&[&["trace", "b@example.com"], &cut[..]].concat());
        let mut senders = Vec::new();
        for story in trace["stories"].as_array().unwrap() {
            for hop in story["hops"].as_array().unwrap() {
                senders.push((hop["sender"].clone(), hop["steps"].as_array().unwrap().len()));
            }
        }
        assert_eq!(senders, [(json!("old@example.org"), 1), (json!("new@example.org"), 1)], "{size}");
    }
}
