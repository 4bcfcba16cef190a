//! Checks that parts add up: any cut of logs into parts, and any tree of merges, gives the report of one scan.

use std::fs;
use std::path::{Path, PathBuf};

use loggen::log::{Mta, Spec, write};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tempfile::TempDir;

use crate::support;

/// Every format of a report.
pub(crate) const FORMATS: [&str; 6] = ["json", "text", "csv", "markdown", "html", "prometheus"];

/// The times and the style of all runs.
pub(crate) const RUN: [&str; 5] = ["--tz", "UTC", "--now", "2026-11-23T00:00:00Z", "--lang=en"];

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// What the program prints; it must end with status 0.
pub(crate) fn printed(args: &[&str]) -> String {
    let (out, status) = support::answer(args);
    assert_eq!(status, 0, "{args:?}: {out}");
    out
}

pub(crate) fn report(command: &str, options: &[&str], format: &str, files: &[String]) -> String {
    let files = files.iter().map(String::as_str);
    let args: Vec<&str> = [command, "--format", format]
        .into_iter()
        .chain(RUN)
        .chain(options.iter().copied())
        .chain(files)
        .collect();
    printed(&args)
}

pub(crate) fn make_part(options: &[&str], files: &[String], part: &Path) {
    let part = text(part);
    let files = files.iter().map(String::as_str);
    let args: Vec<&str> = ["scan", "--year", "2026", "--format", "json", "--part", &part]
        .into_iter()
        .chain(RUN)
        .chain(options.iter().copied())
        .chain(files)
        .collect();
    printed(&args);
}

pub(crate) fn merge_to_part(parts: &[String], part: &Path) {
    let part = text(part);
    let parts = parts.iter().map(String::as_str);
    printed(
        &["merge", "--format", "json", "--part", &part]
            .into_iter()
            .chain(RUN)
            .chain(parts)
            .collect::<Vec<_>>(),
    );
}

/// Cuts a log behind the lines of these numbers; the files are named so that they sort in the order of their lines.
fn cut(folder: &TempDir, name: &str, text: &[u8], at: &[Index]) -> Vec<String> {
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', text).map(|end| end + 1).collect();
    let mut cuts: Vec<usize> = at.iter().map(|at| ends[at.index(ends.len())]).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    let files = cuts.windows(2).enumerate().map(|(number, pair)| {
        let path = folder.path().join(format!("{name}-{number:02}.txt"));
        fs::write(&path, &text[pair[0]..pair[1]]).unwrap();
        path.to_str().unwrap().to_owned()
    });
    files.collect()
}

/// Logs of Postfix and Exim whose lines are in the order of their times.
fn texts() -> Vec<Vec<u8>> {
    let names = ["postfix/out.log", "postfix/filter.log", "postfix/retry.log", "exim/out.log"];
    let found: Vec<Vec<u8>> = names.iter().filter_map(|name| fs::read(support::fixture(name)).ok()).collect();
    assert!(found.len() >= 2);
    found
}

/// The logs in the order of the parts, which is by host, then by the first and the last minute. A scan that names them in
/// this order has the same report; files that begin in the same minute may change places.
pub(crate) fn files_of_merge(parts: &[String], logs: &[String]) -> Vec<String> {
    let merged: serde_json::Value = serde_json::from_str(&report("merge", &[], "json", parts)).unwrap();
    let files = merged["input"]["files"].as_array().unwrap();
    let files: Vec<String> = files.iter().map(|file| file.as_str().unwrap().to_owned()).collect();
    let sorted = |files: &[String]| {
        let mut sorted = files.to_vec();
        sorted.sort();
        sorted
    };
    assert_eq!(sorted(&files), sorted(logs));
    files
}

/// Fails with the first lines that differ.
pub(crate) fn assert_same(format: &str, whole: &str, merged: &str) {
    let differ: Vec<_> = whole.lines().zip(merged.lines()).filter(|(a, b)| a != b).take(12).collect();
    assert!(whole == merged, "{format} differs: {differ:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_of_a_log_that_is_cut_anywhere_add_up_to_its_report(
        log in select(texts()),
        at in vec(any::<Index>(), 0..5),
        packs in vec(any::<Index>(), 0..3),
        tree in any::<Index>(),
        swap in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let files = cut(&folder, "log", &log, &at);
        // Some parts hold several files.
        let mut ends: Vec<usize> = packs.iter().map(|pack| pack.index(files.len() + 1)).collect();
        ends.extend([0, files.len()]);
        ends.sort_unstable();
        ends.dedup();
        let mut parts: Vec<String> = Vec::new();
        for (number, pair) in ends.windows(2).enumerate() {
            let part = folder.path().join(format!("{number}.part"));
            make_part(&["--host", "mx1"], &files[pair[0]..pair[1]], &part);
            parts.push(text(&part));
        }
        // A tree: the first few are merged to a part first.
        let first = tree.index(parts.len()) + 1;
        if first > 1 {
            let sum = folder.path().join("sum.part");
            let mut some: Vec<String> = parts.drain(..first).collect();
            if swap {
                some.reverse();
            }
            merge_to_part(&some, &sum);
            parts.push(text(&sum));
        }
        if swap {
            parts.reverse();
        }
        let options: &[&str] = &["--who", "--delays", "--examples", "1"];
        let files = files_of_merge(&parts, &files);
        for format in FORMATS {
            let scan = [&["--year", "2026", "--host", "mx1"], options].concat();
            let whole = report("scan", &scan, format, &files);
            let merged = report("merge", options, format, &parts);
            assert_same(format, &whole, &merged);
        }
    }
}

/// Logs of several hosts, each cut into several files; the files of a host are in order.
fn hosts(folder: &TempDir, count: u32, size: u64, pieces: usize) -> Vec<Vec<String>> {
    let logs = (0..count).map(|host| {
        let mta = if host == 0 { Mta::Postfix } else { Mta::Exim };
        let mut log = Vec::new();
        // So dense that no hour is without a line, which would be told.
        let days = if size < 4 << 20 { 1 } else { 7 };
        write(&Spec { seed: u64::from(host) + 1, days, ..Spec::new(mta, size) }, &mut log).unwrap();
        let host_folder = folder.path().join(format!("mx{host}"));
        fs::create_dir(&host_folder).unwrap();
        let lines: Vec<usize> = memchr::memchr_iter(b'\n', &log).map(|end| end + 1).collect();
        let mut start = 0;
        let files = (1..=pieces).map(|piece| {
            let end = lines[(lines.len() * piece / pieces).max(1) - 1];
            let path: PathBuf = host_folder.join(format!("mail-{piece}.txt"));
            fs::write(&path, &log[start..end]).unwrap();
            start = end;
            text(&path)
        });
        files.collect()
    });
    logs.collect()
}

fn check_hosts(size: u64, formats: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let pattern = format!("{}/{{host}}/*", folder.path().display());
    let hosts = hosts(&folder, 4, size, 4);
    let mut parts = Vec::new();
    for (number, file) in hosts.iter().flatten().enumerate() {
        let part = folder.path().join(format!("{number}.part"));
        make_part(&["--host-from", &pattern], std::slice::from_ref(file), &part);
        parts.push(text(&part));
    }
    let files = files_of_merge(&parts, &hosts.concat());
    for format in formats {
        let whole = report("scan", &["--year", "2026", "--who", "--host-from", &pattern], format, &files);
        let mut all = parts.clone();
        all.reverse();
        let merged = report("merge", &["--who"], format, &all);
        assert_same(format, &whole, &merged);
    }
    check_packed_hosts(&folder, &pattern, &hosts, formats);
}

/// Some files packed, several in a part, parts of neighbouring hosts summed up, and sums of sums.
fn check_packed_hosts(folder: &TempDir, pattern: &str, hosts: &[Vec<String>], formats: &[&str]) {
    let packed = |(number, path): (usize, &String)| -> String {
        if number % 3 != 1 {
            return path.clone();
        }
        let bytes = fs::read(path).unwrap();
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packer, &bytes).unwrap();
        let name = format!("{path}.gz");
        fs::write(&name, packer.finish().unwrap()).unwrap();
        fs::remove_file(path).unwrap();
        name
    };
    let hosts: Vec<Vec<String>> =
        hosts.iter().map(|files| files.iter().enumerate().map(packed).collect()).collect();
    let mut parts = Vec::new();
    for (number, files) in hosts.iter().enumerate() {
        let (first, second) = files.split_at(1 + number % (files.len() - 1));
        for (piece, files) in [first, second].into_iter().enumerate() {
            let part = folder.path().join(format!("packed-{number}-{piece}.part"));
            make_part(&["--host-from", pattern], files, &part);
            parts.push(text(&part));
        }
    }
    let files = files_of_merge(&parts, &hosts.concat());
    // A tree: both parts of a host, and then two hosts; the last host joins at the end.
    let sum = |parts: &[String], name: &str| {
        let sum = folder.path().join(name);
        merge_to_part(parts, &sum);
        text(&sum)
    };
    let firsts: Vec<String> = parts[..6]
        .chunks(2)
        .enumerate()
        .map(|(at, pair)| {
            let pair: Vec<String> = pair.iter().rev().cloned().collect();
            sum(&pair, &format!("host-{at}.part"))
        })
        .collect();
    let two = sum(&[firsts[1].clone(), firsts[0].clone()], "two.part");
    let all = [parts[7].clone(), firsts[2].clone(), two, parts[6].clone()];
    for format in formats {
        let whole = report("scan", &["--year", "2026", "--who", "--host-from", pattern], format, &files);
        let merged = report("merge", &["--who"], format, &all);
        assert_same(format, &whole, &merged);
    }
}

#[test]
fn parts_of_four_hosts_add_up() {
    check_hosts(1 << 20, &FORMATS);
}

#[test]
#[ignore = "reads 50 MiB twice"]
fn parts_of_four_hosts_with_50_mib_add_up() {
    // The others are drawn from the same report, and the small logs are compared in them, too.
    check_hosts(13 << 20, &["json"]);
}

#[test]
fn a_part_that_was_changed_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("a.part");
    make_part(&["--host", "mx1"], &[support::fixture("postfix/out.log")], &part);
    let bytes = fs::read(&part).unwrap();
    let changed = folder.path().join("b.part");
    let steps = (bytes.len() / 400).max(1);
    for at in (0..bytes.len()).step_by(steps).chain(bytes.len() - 9..bytes.len()) {
        let mut other = bytes.clone();
        other[at] ^= 1 << (at % 8);
        fs::write(&changed, &other).unwrap();
        let (status, out, err) = support::run(&["merge", &text(&changed)]);
        assert_eq!((status, out.as_str()), (2, ""), "byte {at}: {err}");
    }
    for length in [0, 1, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&changed, &bytes[..length]).unwrap();
        assert_eq!(support::run(&["merge", &text(&changed)]).0, 2, "{length} bytes");
    }
}

#[test]
fn parts_that_do_not_belong_together_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let log = support::fixture("postfix/out.log");
    let [a, b, c] = ["a.part", "b.part", "c.part"].map(|name| folder.path().join(name));
    make_part(&["--host", "mx1"], std::slice::from_ref(&log), &a);
    make_part(&["--host", "mx1", "--code", "4xx"], std::slice::from_ref(&log), &b);
    make_part(&["--host", "mx1", "--hops"], std::slice::from_ref(&log), &c);
    let [a, b, c] = [a, b, c].map(|path| text(&path));
    let refused = |parts: &[&str], words: &str| {
        let (status, _, err) = support::run(&[&["merge"], parts].concat());
        assert!(status == 2 && err.contains(words), "{parts:?}: {status} {err}");
    };
    refused(&[&a, &a], "were both made from");
    refused(&[&a, &b], "another filter than");
    refused(&[&a, &c], "another --hops than");
    refused(&[&log], "it is no part");
    let mut newer = fs::read(&a).unwrap();
    let at = newer.windows(14).position(|part| part == b"smtplog.part/1").unwrap();
    newer[at + 13] = b'2';
    fs::write(folder.path().join("n.part"), newer).unwrap();
    refused(&[&text(&folder.path().join("n.part"))], "a later version of smtplog wrote it (smtplog.part/2)");
}

#[test]
fn a_host_that_is_expected_and_missing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("a.part");
    make_part(&["--host", "mx1"], &[support::fixture("exim/out.log")], &part);
    let hosts = folder.path().join("hosts");
    fs::write(&hosts, "mx1\nmx7 # the new one\n").unwrap();
    let out = printed(&["merge", "--format", "json", "--expect", &text(&hosts), &text(&part)]);
    assert!(out.contains("no part is of mx7, which --expect names"), "{out}");
    assert!(!out.contains("no part is of mx1"), "{out}");
}

/// A part of each shape is kept, so that later versions are known to read it.
#[test]
fn parts_of_earlier_versions_are_read() {
    for part in ["parts/1.part", "parts/2.part"] {
        let bytes = fs::read(support::fixture(part)).unwrap();
        let names = smtplog::internals::part::section_names(&bytes).unwrap();
        assert!(names.len() >= 14 && names.iter().any(|name| name == "open"), "{names:?}");
        // It can be merged as long as the rules are the same; never is it called damaged.
        let (status, _, err) = support::run(&["merge", "--format", "json", &support::fixture(part)]);
        assert!(status == 0 || status == 2 && err.contains("other rules"), "{status}: {err}");
    }
}

#[test]
fn a_part_goes_through_a_pipe() {
    let log = support::fixture("postfix/out.log");
    let output = support::command(&["scan", "--year", "2026", "--part", "-", &log]).output().unwrap();
    assert!(output.stdout.starts_with(b"{\"schema\":\"smtplog.part/1\""));
    let twice = [output.stdout.clone(), output.stdout.clone()].concat();
    let (status, out, err) = support::fed(&["merge", "--format", "json", "-"], &output.stdout);
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("smtplog.report/1"));
    assert_eq!(support::fed(&["merge", "-"], &twice).0, 2);
}
