//! Checks that an Exim failure whose own line does not tell the cause has the reason that an earlier line tells.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::support::answer;

/// The reason and the cause of the last event of a log, as `events` prints them, and as `scan` and `trace` count it.
#[track_caller]
fn last(lines: &[&str]) -> (Value, Value) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mainlog");
    let mut text = String::new();
    for (line, at) in lines.iter().zip(10..) {
        writeln!(text, "2026-11-22 02:40:{at} {line}").unwrap();
    }
    fs::write(&path, &text).unwrap();
    let path = path.to_str().unwrap();
    let events = answer(&["events", "--utc", path]).0;
    let event: Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    let reason = event["reason"].as_str().unwrap();
    for size in ["1", "64", "4096"] {
        for threads in ["1", "2", "7"] {
            let arguments = ["events", "--utc", "-j", threads, "--block-size", size, path];
            assert_eq!(answer(&arguments).0, events, "{size} {threads}");
        }
    }
    let of_reason = answer(&["events", "--utc", "--reason", reason, path]).0;
    assert_eq!(of_reason.lines().last(), events.lines().last());
    let scan: Value = serde_json::from_str(&answer(&["scan", "--format", "json", "--utc", path]).0).unwrap();
    let is_its = |row: &Value| row["reason"] == reason && row["cause"] == event["cause"];
    assert!(scan["rows"].as_array().unwrap().iter().any(is_its), "{scan:#}");
    let id = event["queue_id"].as_str().unwrap();
    let trace = answer(&["trace", "--format", "json", "--utc", id, path]).0;
    assert!(trace.contains(&format!("\"{reason}\"")), "{trace}");
    (event["reason"].clone(), event["cause"].clone())
}

#[test]
fn mail_over_a_hosting_limit_is_no_mail_to_a_domain_without_mail() {
    let id = "1wuCbr-00000004YPU-3U2V";
    let limit = format!(
        "{id} failed to expand condition \"${{perl{{check_limits}}}}\" for lookuphost router: You (anna) have reached your \
         daily email limit of 200 emails"
    );
    let bounce =
        |id: &str| format!("{id} ** b@example.net F=<a@example.org> P=<a@example.org>: Unrouteable address");
    let (reason, cause) = last(&[&limit, &bounce(id)]);
    assert_eq!((reason, cause), ("rate-limited".into(), "hosting-limit".into()));
    assert_eq!(last(&[&limit, &bounce("1wuCbr-00000004YPU-3U2W")]).0, "bad-domain");
    let other = limit.replace("daily email limit", "wits' end");
    assert_eq!(last(&[&other, &bounce(id)]).0, "bad-domain");
}

#[test]
fn a_refused_login_has_the_reply_of_the_relay() {
    let id = "1tABCd-000001-2x";
    let told = |id: &str, reply: &str| {
        format!("{id} login authenticator failed H=relay.example.net [198.51.100.25] {reply}")
    };
    let waits = |words: &str| {
        format!(
            "{id} == b@example.com R=smarthost T=smarthost_smtp defer (-42): authentication required but {words}"
        )
    };
    let failed = waits("authentication attempt(s) failed");
    for (line, cause) in [
        (told(id, "535 5.7.8 Error: authentication failed"), "wrong-password"),
        (told(id, "454 4.7.0 Temporary authentication failure"), "login-backend"),
        (told(id, "534 5.7.9 Application-specific password required"), "app-password"),
        (told("1tABCd-000001-2y", "454 4.7.0 Temporary authentication failure"), "wrong-password"),
    ] {
        assert_eq!(last(&[&line, &failed]), ("smtp-auth".into(), cause.into()), "{line}");
    }
    for words in ["no common mechanisms were found", "server did not advertise AUTH support"] {
        assert_eq!(last(&[&waits(words)]), ("smtp-auth".into(), "no-mechanism".into()), "{words}");
    }
}

#[test]
fn a_message_keeps_its_reason_when_its_failure_is_far_away() {
    let id = "1tABCd-000001-2x";
    let full = format!(
        "{id} == a@example.net R=dnslookup T=remote_smtp defer (-44) H=mx.example.net [192.0.2.1]: SMTP error from \
         remote mail server after RCPT TO:<a@example.net>: 452 4.2.2 Mailbox full\n"
    );
    let retry = format!("{id} == a@example.net routing defer (-51): retry time not reached\n");
    let noise = "SMTP connection from mx.example.org [192.0.2.9]:25 closed by QUIT\n";
    let lines: Vec<&str> = [&*full].into_iter().chain([noise; 400]).chain([&*retry]).collect();
    let text: String = lines.iter().flat_map(|line| ["2026-11-22 02:40:10 ", line]).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mainlog");
    fs::write(&path, text).unwrap();
    for size in ["100", "100000"] {
        let arguments = ["scan", "--format", "json", "--utc", "--block-size", size, path.to_str().unwrap()];
        let report: Value = serde_json::from_str(&answer(&arguments).0).unwrap();
        let rows = report["sections"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|section| section["rows"].as_array().unwrap());
        let waiting: Vec<&Value> = rows.filter(|row| row["waiting"] == 1).map(|row| &row["reason"]).collect();
        assert_eq!(waiting, ["mailbox-full"], "{report:#}");
    }
}
