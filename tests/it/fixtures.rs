//! Compares the events of recorded logs with what the servers said, and the output with the golden files.

use std::fs;
use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;

use crate::support;

/// What truth and event are compared in. A key that truth leaves out is not known to it.
const KEYS: [&str; 7] = ["mta", "direction", "outcome", "code", "enhanced", "dsn", "stage"];
/// Of these, null in truth means that it does not say.
const NAMES: [&str; 3] = ["recipient", "peer_ip", "peer_host"];

/// Whether truth says outbound of a delivery to a program on this host, which is local: truth goes by the protocol alone.
fn is_on_this_host(want: &Value, event: &Value) -> bool {
    let ip = event["peer_ip"].as_str();
    let is_near = ip.is_none_or(|ip| ip.starts_with("127.") || ip == "::1");
    *want == "outbound" && event["direction"] == "local" && is_near && event["peer_host"].is_string()
}

fn same(truth: &Value, event: &Value) -> bool {
    let lower =
        |value: &Value| value.as_str().map_or_else(|| value.clone(), |text| text.to_lowercase().into());
    let fits =
        |key: &str, want: &Value| *want == event[key] || key == "direction" && is_on_this_host(want, event);
    let keys = KEYS.iter().all(|key| truth.get(key).is_none_or(|want| fits(key, want)));
    let said = |key: &str| truth.get(key).is_some_and(|want| !want.is_null());
    let also = |key: &str| key == "recipient" && truth.get("recipient_also") == Some(&event[key]);
    let names = NAMES
        .iter()
        .filter(|key| said(key))
        .all(|&key| lower(&truth[key]) == lower(&event[key]) || also(key));
    let sender = event["sender"].is_null() || truth["sender"].is_null() || truth["sender"] == event["sender"];
    // An entry without a recipient is told apart by its sender.
    let is_of_sender = truth["direction"] == "inbound" || truth.get("recipient").is_none();
    keys && names && (sender || !is_of_sender)
}

/// Takes out of `events` what fits, as often as truth says.
fn missing(truth: &Value, events: &mut Vec<Value>) -> bool {
    let least = truth.get("at_least").and_then(Value::as_u64);
    let want = least.or_else(|| truth.get("count").and_then(Value::as_u64)).unwrap_or(1);
    let mut found = 0;
    events.retain(|event| {
        let take = (least.is_some() || found < want) && same(truth, event);
        found += u64::from(take);
        !take
    });
    found < want && truth.get("optional") != Some(&Value::Bool(true))
}

#[test]
fn finds_everything_that_was_said_in_the_recordings() {
    let mut wrong = Vec::new();
    let mut known = 0;
    for log in support::logs() {
        let Ok(text) = fs::read_to_string(log.with_extension("truth.ndjson")) else { continue };
        let mut truths: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // What knows most is matched first.
        let compared =
            |truth: &Value| KEYS.iter().chain(&NAMES).filter(|key| truth.get(**key).is_some()).count();
        truths.sort_by_key(|truth| {
            let any_recipient = truth.get("recipient").is_none();
            (truth.get("optional").is_some(), any_recipient, std::cmp::Reverse(compared(truth)))
        });
        known += truths.len();
        let mut events = support::events(&log);
        wrong.extend(
            truths
                .iter()
                .filter(|truth| missing(truth, &mut events))
                .map(|truth| format!("{log:?}: {truth}")),
        );
    }
    assert!(known > 300, "only {known} results are known");
    assert!(wrong.is_empty(), "{} of {known} are not found:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn understands_every_line_of_the_recordings() {
    for log in support::logs() {
        let report = support::report(&[log.to_str().unwrap()]);
        // An ACL of these recordings logs a text of its own that looks like a rejection.
        let text = fs::read(&log).unwrap();
        let written = String::from_utf8_lossy(&text).matches("]: custom: 550 5.7.1 rejected RCPT").count();
        assert_eq!(
            report["input"]["not_understood"], written,
            "{log:?}: {}",
            report["input"]["not_understood_lines"]
        );
    }
}

/// What the program prints, with the log under the same short name wherever this tree lies.
fn printed(args: &[&str], log: &Path) -> String {
    let name = log.file_name().unwrap();
    let mut command = Command::new(cargo_bin("smtplog"));
    command.args(args).args(["--tz", "UTC", "--year", "2026"]).arg(name).current_dir(log.parent().unwrap());
    let output = command
        .env("COLUMNS", "100")
        .env("LC_ALL", "C.UTF-8")
        .env("SMTPLOG_NO_CONFIG", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?} {}: {output:?}", log.display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn gives_the_answers_it_gave_before() {
    for log in support::logs() {
        compare(&log.with_extension("screen.txt"), &printed(&["scan"], &log));
        compare(&log.with_extension("report.txt"), &printed(&["scan", "--codes", "-n", "0"], &log));
        compare(&log.with_extension("events.txt"), &printed(&["events", "--format", "text"], &log));
    }
}

/// With SMTPLOG_BLESS=1 the answer is written instead of compared; read the diff before it is committed.
fn compare(golden: &Path, answer: &str) {
    if std::env::var_os("SMTPLOG_BLESS").is_some() {
        fs::write(golden, answer).unwrap();
        return;
    }
    let before = fs::read_to_string(golden)
        .unwrap_or_else(|_| panic!("{} is missing: SMTPLOG_BLESS=1", golden.display()));
    for (number, (want, got)) in before.lines().zip(answer.lines()).enumerate() {
        assert_eq!(got, want, "{}, line {}", golden.display(), number + 1);
    }
    assert_eq!(answer.lines().count(), before.lines().count(), "{}: so many lines", golden.display());
}
