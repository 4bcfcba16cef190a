//! The library, by its public interface alone, gives what the commands print.

use std::fs::File;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use smtplog::{
    Code, Direction, EnhancedCode, ListedEvent, LogOptions, QueryContext, ReplyClassifier, ScanOptions,
};

use crate::support::{answer, fixture, logs};

fn utc() -> LogOptions {
    LogOptions { time_zone: Some(TimeZone::UTC), year: Some(2026), ..LogOptions::default() }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn command(args: &[&str]) -> Value {
    let (text, _) = answer(&[args, &["--tz", "UTC", "--year", "2026"]].concat());
    let mut report: Value = serde_json::from_str(&text).unwrap();
    // Only the command judges and looks for storms.
    for of_command in ["verdict", "storms"] {
        assert!(report.as_object_mut().unwrap().remove(of_command).is_some(), "{of_command}");
    }
    report
}

#[test]
fn a_scan_is_the_report_of_the_command() {
    for log in logs() {
        let report = smtplog::scan(&[&log], &ScanOptions { logs: utc(), ..ScanOptions::default() }).unwrap();
        let printed = command(&["scan", "--format", "json", text(&log)]);
        assert_eq!(serde_json::to_value(&report).unwrap(), printed, "{}", log.display());
    }
}

#[test]
fn a_scan_of_many_logs_is_the_report_of_the_command() {
    let logs = logs();
    let by = vec![smtplog::By::Domain, smtplog::By::Code];
    let options = ScanOptions {
        logs: LogOptions { threads: Some(2), ..utc() },
        by,
        examples: 2,
        delays: true,
        hops: true,
    };
    let report = smtplog::scan(&logs, &options).unwrap();
    let mut args =
        vec!["scan", "--format", "json", "--by", "domain,code", "--examples", "2", "--delays", "--hops"];
    args.extend(logs.iter().map(|log| text(log)));
    assert_eq!(serde_json::to_value(&report).unwrap(), command(&args));
}

#[test]
fn a_time_range_is_that_of_the_command() {
    let log = fixture("exim/out.log");
    let times: Vec<String> =
        smtplog::events(&[&log], &utc()).unwrap().filter_map(|event| event.unwrap().record.time).collect();
    let since: Timestamp = times[times.len() / 2].parse().unwrap();
    let logs = LogOptions { since: Some(since), ..utc() };
    let report = smtplog::scan(&[&log], &ScanOptions { logs, ..ScanOptions::default() }).unwrap();
    let printed = command(&["scan", "--format", "json", "--since", &since.to_string(), &log]);
    assert_eq!(serde_json::to_value(&report).unwrap(), printed);
    let whole = smtplog::scan(&[&log], &ScanOptions { logs: utc(), ..ScanOptions::default() }).unwrap();
    assert!(report.input.lines > 0 && report.input.lines < whole.input.lines);
}

#[test]
fn a_log_that_is_missing_is_an_error() {
    let missing = PathBuf::from("no/such/mail.log");
    let error = smtplog::scan(&[&missing], &ScanOptions::default()).unwrap_err();
    assert!(error.is_missing() && error.to_string().contains("no/such/mail.log"), "{error}");
    assert!(smtplog::events(&[&missing], &LogOptions::default()).is_err());
    assert!(smtplog::events(&[] as &[&Path], &LogOptions::default()).unwrap().next().is_none());
}

#[test]
fn the_events_are_those_of_the_command() {
    for log in logs() {
        let (printed, _) = answer(&["events", "--tz", "UTC", "--year", "2026", text(&log)]);
        let printed: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let events: Vec<ListedEvent> =
            smtplog::events(&[&log], &utc()).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(events.len(), printed.len(), "{}", log.display());
        for (event, printed) in events.iter().zip(&printed) {
            assert_eq!(&serde_json::to_value(event).unwrap(), printed);
        }
    }
}

#[test]
fn events_of_a_reader_are_those_of_the_file() {
    let log = fixture("postfix/retry.log");
    let of_the_file: Vec<ListedEvent> =
        smtplog::events(&[&log], &utc()).unwrap().map(Result::unwrap).collect();
    let bytes = Cursor::new(std::fs::read(&log).unwrap());
    let readers: [smtplog::Events; 2] =
        [smtplog::events_from(File::open(&log).unwrap(), &utc()), smtplog::events_from(bytes, &utc())];
    for events in readers {
        let events: Vec<ListedEvent> =
            events.map(|event| ListedEvent { file: log.clone(), ..event.unwrap() }).collect();
        assert_eq!(events, of_the_file);
    }
}

#[test]
fn lines_are_counted_in_each_of_many_blocks() {
    let line = "Nov 22 02:50:16 mx1 postfix/smtp[7]: 4jXCsJ3c7Hz7j9M: to=<a@example.net>, \
        relay=mx.example.net[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n";
    let lines: usize = 20_000;
    let log = Cursor::new(line.repeat(lines).into_bytes());
    let numbers: Vec<u64> = smtplog::events_from(log, &utc()).map(|event| event.unwrap().line).collect();
    assert_eq!(numbers, (1..=lines as u64).collect::<Vec<u64>>());
}

#[test]
fn a_reader_that_fails_ends_with_an_error_behind_its_events() {
    let mut whole = std::fs::read(fixture("postfix/out.log")).unwrap();
    // A gzip header without its data.
    let damaged = Cursor::new(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
    let mut events = smtplog::events_from(damaged, &utc());
    assert!(events.next().is_some_and(|event| event.is_err()));
    assert!(events.next().is_none());
    whole.truncate(whole.len() / 2);
    assert!(smtplog::events_from(Cursor::new(whole), &utc()).all(|event| event.is_ok()));
}

#[test]
fn a_reply_is_classified_as_explain_does() {
    let classifier = ReplyClassifier::new();
    let replies = [
        "552 5.2.2 Mailbox full",
        "450 4.1.1 No such user here",
        "550 5.7.1 Client host blocked using Spamhaus",
        "421 4.7.28 rate limited",
        "mailbox full",
        "451",
        "5.1.1",
        "4xx",
        "greylisted",
        "250 2.0.0 Ok",
    ];
    let sides = [("outbound", Direction::Outbound), ("inbound", Direction::Inbound)];
    for (name, direction) in sides {
        let context = QueryContext { direction: Some(direction), ..QueryContext::default() };
        for reply in replies {
            let (printed, _) = answer(&["explain", "--format", "ndjson", "--direction", name, reply]);
            let classified = classifier.classify(reply, &context);
            let printed: Value = serde_json::from_str(&printed).unwrap();
            assert_eq!(serde_json::to_value(&classified).unwrap(), printed);
        }
    }
}

#[test]
fn every_code_is_found() {
    for number in 200..600 {
        let code = Code::new(number).unwrap();
        let listed = smtplog::codes().iter().find(|row| row.code == code);
        assert_eq!(smtplog::find_code(code), listed);
        if let Some(row) = listed {
            let (printed, _) = answer(&["explain", "--format", "json", &code.to_string()]);
            let printed: Value = serde_json::from_str(&printed).unwrap();
            assert_eq!(printed["entries"][0]["name"], row.name);
            assert_eq!(printed["entries"][0]["description"][0], row.meaning);
        }
    }
    assert!(Code::new(199).is_none() && Code::new(600).is_none());
    assert!(smtplog::codes().len() > 30);
}

#[test]
fn every_enhanced_code_is_found() {
    for row in smtplog::enhanced_codes() {
        let code = EnhancedCode::new(row.code.class.unwrap_or(5), row.code.subject, row.code.first).unwrap();
        let found = smtplog::find_enhanced(code).unwrap();
        assert_eq!(found.code.subject, row.code.subject, "{code}");
        assert!(found.code.fits(code));
    }
    assert!(smtplog::find_enhanced(EnhancedCode::new(5, 900, 900).unwrap()).is_none());
}

#[test]
fn every_reason_has_a_row() {
    for row in smtplog::reasons() {
        assert_eq!(smtplog::reason_row(row.id), row);
    }
}
