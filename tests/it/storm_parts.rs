//! Checks that the same storms are told however a log is cut into blocks, files and threads, and by `scan` as by `storm`.

use std::fs;
use std::path::{Path, PathBuf};

use loggen::storm::{CasePlan, Style, build};
use serde_json::Value;

use crate::support::{self, answer};

const NOW: [&str; 6] = ["--year", "2026", "--now", "2026-11-23T00:00:00Z", "--tz", "UTC"];

/// The storms that `smtplog storm` tells, without the commands, which name the files.
fn storms(options: &[&str], files: &[PathBuf]) -> Value {
    let files: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let args = [&["storm", "-n", "0", "--format", "json"], &NOW[..], options, &files].concat();
    let mut found: Value = serde_json::from_str(&answer(&args).0).unwrap();
    for storm in found["storms"].as_array_mut().unwrap() {
        storm["commands"] = Value::Null;
    }
    found["storms"].take()
}

/// A log of some days with storms, of a server that is as busy as the storms need.
fn generated(seed: u64, style: Style, folder: &Path) -> PathBuf {
    let plan = CasePlan::with_storms(seed, style);
    let least = plan.storms.iter().map(|storm| storm.least_traffic()).max().unwrap_or(600);
    let case = build(&CasePlan { days: 2, messages_per_day: least.clamp(600, 8000), ..plan });
    let path = folder.join("mail.log");
    fs::write(&path, &case.log).unwrap();
    path
}

/// The log cut at line ends into so many files, named as rotations are.
fn cut(log: &Path, parts: usize) -> Vec<PathBuf> {
    let text = fs::read(log).unwrap();
    let folder = log.with_extension("parts");
    fs::create_dir_all(&folder).unwrap();
    let mut files = Vec::new();
    let mut rest = &text[..];
    for part in (0..parts).rev() {
        let about = rest.len() / (part + 1);
        let end =
            rest[about..].iter().position(|&byte| byte == b'\n').map_or(rest.len(), |at| about + at + 1);
        let (own, after) = rest.split_at(if part == 0 { rest.len() } else { end });
        let name = if part == 0 { "mail.log".to_owned() } else { format!("mail.log.{part}") };
        fs::write(folder.join(&name), own).unwrap();
        files.push(folder.join(name));
        rest = after;
    }
    files
}

#[test]
fn any_threads_blocks_and_files_give_the_same_storms() {
    for (seed, style) in [(41, Style::Usual), (42, Style::Other), (43, Style::Usual)] {
        let folder = tempfile::tempdir().unwrap();
        let log = generated(seed, style, folder.path());
        let whole = storms(&["-j", "1"], std::slice::from_ref(&log));
        assert!(!whole.as_array().unwrap().is_empty(), "seed {seed} has a storm");
        for (threads, size) in
            [("2", "262144"), ("7", "262144"), ("1", "4096"), ("7", "1000"), ("2", "77777")]
        {
            let found = storms(&["-j", threads, "--block-size", size], std::slice::from_ref(&log));
            assert_eq!(found, whole, "seed {seed}: {threads} threads, blocks of {size} bytes");
        }
        for parts in [2, 5] {
            let files = cut(&log, parts);
            assert_eq!(storms(&["-j", "2"], &files), whole, "seed {seed}: {parts} files");
        }
    }
}

/// What a line of the report says of each storm.
fn lines(storms: &Value, factor: impl Fn(&Value) -> Value) -> Vec<Value> {
    let line = |storm: &Value| {
        let mut line: Vec<Value> = ["pattern", "title", "start", "end", "attempts", "times", "advice"]
            .iter()
            .map(|field| storm[*field].clone())
            .collect();
        line.push(factor(storm));
        Value::Array(line)
    };
    storms.as_array().unwrap().iter().map(line).collect()
}

#[test]
fn scan_tells_the_storms_that_storm_tells() {
    let folder = tempfile::tempdir().unwrap();
    let logs = [vec![generated(44, Style::Usual, folder.path())], support::logs()].concat();
    let mut told = 0;
    for log in logs {
        let found = storms(&[], std::slice::from_ref(&log));
        let name = log.to_str().unwrap();
        let args = [&["scan", "--storms", "--format", "json"], &NOW[..], &[name]].concat();
        let report: Value = serde_json::from_str(&answer(&args).0).unwrap();
        let of_storm = lines(&found, |storm| {
            let factor = &storm["factors"][0];
            let words = || Some(format!("{} {}", factor["dimension"].as_str()?, factor["value"].as_str()?));
            words().map_or(Value::Null, Value::String)
        });
        assert_eq!(lines(&report["storms"], |storm| storm["factor"].clone()), of_storm, "{name}");
        told += of_storm.len();
    }
    assert!(told > 0);
}

/// The storms in the report of a scan, or of a merge of parts.
fn storms_of_report(args: &[&str]) -> Value {
    let args = [&args[..1], &["--format", "json", "--storms"], &args[1..]].concat();
    let report: Value = serde_json::from_str(&answer(&args).0).unwrap();
    report["storms"].clone()
}

#[test]
fn parts_of_a_log_have_its_storms_however_they_are_merged() {
    for (seed, style) in [(41, Style::Usual), (42, Style::Other)] {
        let folder = tempfile::tempdir().unwrap();
        let log = generated(seed, style, folder.path());
        let whole =
            storms_of_report(&[&["scan"], &NOW[..], &["--host", "mx1", log.to_str().unwrap()]].concat());
        assert!(!whole.as_array().unwrap().is_empty(), "seed {seed} has a storm");
        for pieces in [1, 2, 5] {
            let files = cut(&log, pieces);
            let part = |number: usize| folder.path().join(format!("{number}.part")).display().to_string();
            let parts: Vec<String> = (0..files.len()).map(part).collect();
            for (file, part) in files.iter().zip(&parts) {
                let own = ["--storms", "--host", "mx1", "--part", part, file.to_str().unwrap()];
                answer(&[&["scan", "--format", "json"], &NOW[..], &own].concat());
            }
            let now = ["--now", "2026-11-23T00:00:00Z", "--tz", "UTC"];
            let merged = |parts: &[String]| {
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                storms_of_report(&[&["merge"], &now[..], &parts].concat())
            };
            assert_eq!(merged(&parts), whole, "seed {seed}: {pieces} parts");
            if let [first, second, rest @ ..] = &parts[..] {
                let sum = part(99);
                let own = ["--storms", "--part", &sum, first, second];
                answer(&[&["merge", "--format", "json"], &now[..], &own].concat());
                let tree = [&[sum], rest].concat();
                assert_eq!(merged(&tree), whole, "seed {seed}: a tree of {pieces} parts");
            }
        }
    }
}
