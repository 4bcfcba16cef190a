//! Checks properties of any input: no split, thread count or order changes an answer, and no input panics.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use smtplog::internals::catalog::Catalog;
use smtplog::internals::catalog::classify::Classifier;
use smtplog::internals::parse::header::LogLine;
use smtplog::internals::parse::mta;
use smtplog::internals::parse::mta::parsed::ParsedLine;
use smtplog::internals::parse::unwrap;
use tempfile::NamedTempFile;

use crate::support;

fn texts() -> Vec<Vec<u8>> {
    support::logs().iter().map(|log| fs::read(log).unwrap()).collect()
}

/// Left out is what a cut may hide: the second copy of what Exim sent to syslog, Sendmail's second line about one refusal, and
/// the line of OpenSMTPD that names the client of a session.
fn texts_to_cut() -> Vec<Vec<u8>> {
    let logs = support::logs();
    let repeats = |log: &PathBuf| {
        log.ends_with("exim/in-syslog.log")
            || log
                .parent()
                .is_some_and(|folder| folder.ends_with("sendmail") || folder.ends_with("opensmtpd"))
    };
    let single = logs.iter().filter(|log| !repeats(log));
    single.map(|log| fs::read(log).unwrap()).collect()
}

fn lines() -> Vec<Vec<u8>> {
    texts()
        .iter()
        .flat_map(|text| text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>())
        .collect()
}

fn reads(raw: &[u8]) {
    let mut inside = Vec::new();
    if let ParsedLine::QueueRecord(fact) = mta::read(&LogLine::read(unwrap::unwrap_line(raw, &mut inside))) {
        mta::message_fields(&fact);
    }
}

const KNOWN: [&str; 11] = [
    "MESSAGE",
    "message",
    "log",
    "__REALTIME_TIMESTAMP",
    "time",
    "date",
    "host",
    "hostname",
    "program",
    "process",
    "pid",
];

fn field() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&KNOWN[..]).prop_map(str::to_owned), 1 => any::<String>()]
}

fn value() -> impl Strategy<Value = Value> {
    let line = select(lines()).prop_map(|line| String::from_utf8_lossy(&line).into_owned());
    let text = prop_oneof![any::<String>(), "[a-z{\n\r\\[\\]: ]{0,20}", line];
    let leaf = prop_oneof![
        4 => text.prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => vec(any::<u8>(), 0..40).prop_map(|bytes| json!(bytes)),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(3, 8, 4, |inner| {
        prop_oneof![
            vec((field(), inner.clone()), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            vec((field(), inner), 0..4)
                .prop_map(|fields| { Value::Object(fields.into_iter().collect()).to_string().into() }),
        ]
    })
}

/// The report without its examples, which name a place in a file. `backwards`: files that are no parts of one log, by
/// their names, are followed in the order in which they were named, so what became of messages is left out too.
fn counts(args: &[&str], backwards: bool) -> String {
    let mut report = support::report(args);
    if backwards {
        report["totals"]["messages"] = Value::Null;
        // The same lines tell why they failed, and whose they are.
        report["verdict"] = Value::Null;
        // An expiry counts for the domain of the message.
        for table in ["sections", "senders", "users", "clients", "rest", "domains", "failing_domains"] {
            report[table] = Value::Null;
        }
    }
    // A piece may have no line that is understood, which is told of the file.
    let is_of_file = |text: &Value| text.as_str().is_some_and(|text| text.starts_with("nothing in "));
    report["notes"].as_array_mut().into_iter().for_each(|notes| notes.retain(|note| !is_of_file(note)));
    report["verdict"]["state"] = Value::Null;
    if let Some(findings) = report["verdict"]["findings"].as_array_mut() {
        findings.retain(|finding| !is_of_file(&finding["what"]));
    }
    for table in ["rows", "warnings"] {
        for row in report[table].as_array_mut().into_iter().flatten() {
            row["example"] = Value::Null;
        }
    }
    for section in report["sections"].as_array_mut().into_iter().flatten() {
        for row in section["rows"].as_array_mut().into_iter().flatten() {
            row["recipient"] = Value::Null;
        }
    }
    report.to_string()
}

#[test]
fn any_block_size_and_thread_count_gives_the_same_report() {
    for log in support::logs() {
        let name = log.to_str().unwrap();
        let whole = support::report(&["-j", "1", name]).to_string();
        for (threads, size) in [("1", "700"), ("2", "4096"), ("3", "333"), ("2", "65536"), ("4", "50")] {
            let parts = support::report(&["-j", threads, "--block-size", size, name]).to_string();
            assert_eq!(parts, whole, "{name}: {threads} threads, blocks of {size} bytes");
        }
    }
}

#[test]
fn lines_that_are_too_long_count_the_same_in_any_block() {
    let line =
        fs::read_to_string(support::logs().first().unwrap()).unwrap().lines().next().unwrap().to_owned();
    let mut file = NamedTempFile::new().unwrap();
    for length in [65_534, 65_535, 65_536, 65_537, 70_000, 300_000] {
        writeln!(file, "{line}\n{line}{}\n{line}", "x".repeat(length - line.len())).unwrap();
    }
    let name = file.path().to_str().unwrap();
    let whole = support::report(&["-j", "1", name]).to_string();
    for size in ["1000", "65536", "70001", "100000"] {
        let parts = support::report(&["-j", "2", "--block-size", size, name]).to_string();
        assert_eq!(parts, whole, "blocks of {size} bytes");
    }
}

#[test]
fn any_block_size_gives_the_same_events() {
    for log in support::logs() {
        let name = log.to_str().unwrap();
        let whole = support::answer(&["events", "-j", "1", name]).0;
        let parts = support::answer(&["events", "-j", "2", "--block-size", "777", name]).0;
        assert_eq!(parts, whole, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cutting_a_log_anywhere_and_reading_the_parts_in_any_order_gives_the_whole(
        text in select(texts_to_cut()),
        at in any::<Index>(),
        swap in any::<bool>(),
        size in 30usize..5000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let ends: Vec<usize> = memchr::memchr_iter(b'\n', &text).map(|end| end + 1).collect();
        let (first, second) = text.split_at(ends[at.index(ends.len())]);
        let [whole, a, b] = ["whole", "a", "b"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
        fs::write(&whole, &text).unwrap();
        fs::write(&a, first).unwrap();
        fs::write(&b, second).unwrap();
        let parts = if swap { [b.as_str(), &a] } else { [a.as_str(), &b] };
        let size = size.to_string();
        let same = counts(&["--block-size", &size, parts[0], parts[1]], swap) == counts(&[&whole], swap);
        prop_assert!(same, "cut behind {}", String::from_utf8_lossy(&first[first.len().saturating_sub(200)..]));
    }

    #[test]
    fn every_line_is_counted_once(
        picked in vec(select(lines()), 0..200),
        noise in vec(vec(any::<u8>().prop_filter("a line", |byte| *byte != b'\n'), 0..80), 0..50),
        last_newline in any::<bool>(),
    ) {
        let file = NamedTempFile::new().unwrap();
        let all: Vec<Vec<u8>> = picked.into_iter().chain(noise).collect();
        let mut text = all.join(&b'\n');
        if last_newline && !text.is_empty() {
            text.push(b'\n');
        }
        fs::write(&file, &text).unwrap();
        let want = memchr::memchr_iter(b'\n', &text).count() + usize::from(text.last().is_some_and(|&b| b != b'\n'));
        let report = support::report(&["--block-size", "512", file.path().to_str().unwrap()]);
        let input = |name: &str| report["input"][name].as_u64().unwrap();
        prop_assert_eq!(input("lines"), want as u64);
        prop_assert_eq!(input("mail") + input("other"), input("lines"));
        prop_assert_eq!(input("understood") + input("not_understood"), input("mail"));
        prop_assert_eq!(input("bytes"), text.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_warm_cache_does_not_change_a_classification(
        picked in vec((select(lines()), any::<Index>(), any::<bool>()), 0..60),
        order in vec(any::<Index>(), 0..200),
    ) {
        let book = Catalog::built_in();
        let mut remembers = Classifier::new(&book);
        let picked: Vec<Vec<u8>> = picked.into_iter().map(|(mut raw, at, capital)| {
            // A text that differs from another in one byte alone, so that the two are masked alike.
            if capital && !raw.is_empty() {
                let at = at.index(raw.len());
                raw[at].make_ascii_uppercase();
            }
            raw
        }).collect();
        for at in order.iter().filter(|_| !picked.is_empty()) {
            let raw = &picked[at.index(picked.len())];
            if let ParsedLine::Event(event) = mta::read(&LogLine::read(raw)) {
                let wanted = Classifier::new(&book).classify(&event);
                prop_assert_eq!(remembers.classify(&event), wanted, "{}", String::from_utf8_lossy(raw));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(raw in vec(any::<u8>(), 0..300)) {
        reads(&raw);
    }

    #[test]
    fn no_object_becomes_two_lines(fields in vec((field(), value()), 0..8)) {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
        let raw = format!("{{{}}}", fields.join(","));
        let mut inside = Vec::new();
        let line = unwrap::unwrap_line(raw.as_bytes(), &mut inside);
        prop_assert!(!line.iter().any(|byte| matches!(byte, b'\n' | b'\r')), "{}", raw);
        reads(raw.as_bytes());
    }

    #[test]
    fn no_torn_or_changed_line_makes_it_panic(
        mut raw in select(lines()),
        cut in any::<Index>(),
        changes in vec((any::<Index>(), any::<u8>()), 0..4),
    ) {
        for (at, byte) in changes {
            if !raw.is_empty() {
                let at = at.index(raw.len());
                raw[at] = byte;
            }
        }
        reads(&raw);
        reads(&raw[..cut.index(raw.len() + 1)]);
        let object = json!({"message": String::from_utf8_lossy(&raw), "program": "postfix/smtp"}).to_string();
        reads(object.as_bytes());
        reads(&object.as_bytes()[..cut.index(object.len() + 1)]);
    }
}
