//! Checks, over every recorded log, that every command gives the same advice for the same event.
//!
//! `scan` is the measure. A row of `watch`, the example of a row given to `explain`, and a storm whose failures are all of
//! one row have to say the same.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::storm::{LATER, Log, NOON, storms_of};
use crate::support::{fed, logs, report};
use crate::watch::watched;

/// The fields of a row on which its advice may depend.
const DECIDING: [&str; 9] =
    ["direction", "outcome", "code", "enhanced", "class", "reason", "cause", "provider", "side"];

/// The advice of each kind of row: `null` for rows without any.
fn advice_by_kind(rows: &[Value]) -> BTreeMap<String, Vec<Value>> {
    let mut kinds: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for row in rows {
        let kind =
            DECIDING.map(|field| format!("{field}={}", row.get(field).unwrap_or(&Value::Null))).join(" ");
        let lines = kinds.entry(kind).or_default();
        lines.push(row["advice"].clone());
        lines.sort_by_key(Value::to_string);
    }
    kinds
}

/// Calls `ask` with the name of every recorded log and the rows of `scan`.
fn each_log(mut ask: impl FnMut(&str, &[Value])) {
    for log in logs() {
        let name = log.to_str().unwrap();
        ask(name, report(&[name])["rows"].as_array().unwrap());
    }
}

#[test]
fn explain_advises_as_scan_does() {
    let mut compared = 0;
    each_log(|log, rows| {
        let asked: Vec<(&Value, &str)> = rows
            .iter()
            .filter(|row| !row["advice"].is_null())
            .filter_map(|row| Some((row, row["example"].as_str()?)))
            .collect();
        let lines: String = asked.iter().flat_map(|(_, example)| [*example, "\n"]).collect();
        let (_, answers, _) = fed(&["explain", "--format", "ndjson", "-"], lines.as_bytes());
        let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), asked.len(), "{log}");
        for ((row, example), brief) in asked.into_iter().zip(answers) {
            for field in ["advice", "cause", "reason", "retryable"] {
                assert_eq!(brief[field], row[field], "{field}: {example}");
            }
            compared += 1;
        }
    });
    assert!(compared > 100, "only {compared} rows have advice");
}

#[test]
fn watch_advises_as_scan_does() {
    let mut compared = 0;
    each_log(|log, rows| {
        let whole =
            watched(&fs::read(log).unwrap(), |monitor| serde_json::to_value(monitor.whole()).unwrap());
        let (scan, watch) = (advice_by_kind(rows), advice_by_kind(whole["rows"].as_array().unwrap()));
        assert_eq!(scan, watch, "{log}");
        compared += watch.values().flatten().filter(|advice| !advice.is_null()).count();
    });
    assert!(compared > 100, "only {compared} rows have advice");
}

/// A storm of a pattern that says nothing more than its reason and cause has the advice of the row of its largest series.
#[test]
fn storm_advises_as_scan_does() {
    let replies = [
        "dsn=5.7.26, status=bounced (host gmail-smtp-in.l.google.com[192.0.2.26] said: 550-5.7.26 Your email has been \
         blocked because the sender is unauthenticated. 550-5.7.26 Gmail requires all senders to authenticate with \
         either SPF or DKIM. (in reply to end of DATA command))",
        "dsn=5.7.1, status=bounced (host mx.example.com[198.51.100.7] said: 554 5.7.1 Service unavailable; Client host \
         [192.0.2.7] blocked using zen.spamhaus.org (in reply to RCPT TO command))",
        "dsn=4.7.5, status=deferred (Server certificate not trusted)",
        LATER,
    ];
    let mut compared = Vec::new();
    for reply in replies {
        let mut log = Log::ordinary();
        for at in 0..60 {
            log.mail(
                NOON + at * 20,
                &format!("u{}@example.org", at % 17),
                &format!("y{at}@gmail.com"),
                "",
                reply,
            );
        }
        let (found, _) = storms_of(&log.text(), &[]);
        let Some(storm) = found["storms"].get(0) else { continue };
        let pattern = storm["pattern"].as_str().unwrap();
        if !["authentication-broken", "listed-ip", "rate-limit", "reputation", "tls", "unknown"]
            .contains(&pattern)
        {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail.log");
        fs::write(&path, log.text()).unwrap();
        let scan = report(&[path.to_str().unwrap()]);
        let reason = &storm["series"][0]["reason"];
        let row = scan["rows"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["reason"] == *reason && row["direction"] == "outbound")
            .unwrap();
        assert_eq!(storm["advice"], row["advice"], "{pattern}");
        compared.push(pattern.to_owned());
    }
    assert!(compared.len() >= 2, "only {compared:?}");
}
