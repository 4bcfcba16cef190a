//! Checks sets of files: compressed, split, duplicated, damaged, or from the journal; the answers are those of the plain
//! log.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::support::{self, command, fed, run, taken_apart};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Packing {
    Plain,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

use Packing::{Bzip2, Gzip, Plain, Xz, Zstd};

const PACKED: [Packing; 4] = [Gzip, Bzip2, Xz, Zstd];

impl Packing {
    fn pack(self, text: &[u8]) -> Vec<u8> {
        match self {
            Plain => text.to_vec(),
            Gzip => {
                let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                packer.write_all(text).unwrap();
                packer.finish().unwrap()
            }
            Bzip2 => {
                let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                packer.write_all(text).unwrap();
                packer.finish().unwrap()
            }
            Xz => {
                let options = lzma_rust2::XzOptions::with_preset(0);
                let mut packer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
                packer.write_all(text).unwrap();
                packer.finish().unwrap()
            }
            Zstd => compress_to_vec(text, CompressionLevel::Fastest),
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Plain => "",
            Gzip => ".gz",
            Bzip2 => ".bz2",
            Xz => ".xz",
            Zstd => ".zst",
        }
    }
}

/// A recorded log of some length.
fn text() -> Vec<u8> {
    fs::read(support::root().join("fixtures/postfix/out.log")).unwrap()
}

/// Cut at line ends into so many parts of about one size.
fn parts(text: &[u8], count: usize) -> Vec<&[u8]> {
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    let mut rest = text;
    let mut parts = Vec::new();
    for lines in lines.chunks(lines.len().div_ceil(count)) {
        let (part, behind) = rest.split_at(lines.concat().len());
        parts.push(part);
        rest = behind;
    }
    assert_eq!(parts.len(), count);
    parts
}

fn write(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const SCAN: [&str; 5] = ["scan", "--format", "json", "--year", "2026"];
const EVENTS: [&str; 3] = ["events", "--year", "2026"];

/// The report without what names the files.
fn counts(args: &[&str]) -> Value {
    let (status, out, err) = run(&[&SCAN[..], args].concat());
    assert_eq!((status, err.as_str()), (0, ""), "{args:?}");
    bare(&out)
}

fn bare(report: &str) -> Value {
    let mut report: Value =
        serde_json::from_str(report).unwrap_or_else(|error| panic!("{error}: {report:?}"));
    report["input"]["files"] = Value::Null;
    report["notes"] = Value::Null;
    report
}

/// The events in order, without where they stand.
fn events(args: &[&str]) -> Vec<Value> {
    let (status, out, err) = run(&[&EVENTS[..], args].concat());
    assert_eq!((status, err.as_str()), (0, ""), "{args:?}");
    let event = |line| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        event["file"] = Value::Null;
        event["line"] = Value::Null;
        event
    };
    out.lines().map(event).collect()
}

fn notes(args: &[&str]) -> Vec<String> {
    let (status, out, err) = run(&[&SCAN[..], args].concat());
    assert_eq!((status, err.as_str()), (0, ""), "{args:?}");
    let report: Value = serde_json::from_str(&out).unwrap();
    report["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap().to_owned()).collect()
}

#[test]
fn compressed_and_plain_give_the_same_whatever_the_name() {
    let (folder, text) = (tempdir().unwrap(), text());
    let want = counts(&[&write(&folder, "plain", &text)]);
    let skippable = [&[0x52, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &Zstd.pack(&text)].concat();
    assert_eq!(counts(&[&write(&folder, "skippable", skippable)]), want);
    for packing in PACKED {
        let one = packing.pack(&text);
        let many: Vec<u8> = parts(&text, 3).iter().flat_map(|part| packing.pack(part)).collect();
        let padded = [&many[..], &[0; 512]].concat();
        for (what, packed) in [("one", one), ("many", many), ("padded", padded)] {
            let name = write(&folder, &format!("{packing:?}-{what}"), &packed);
            assert_eq!(counts(&[&name]), want, "{packing:?}, {what}");
            assert_eq!(counts(&["--block-size", "999", "-j", "3", &name]), want, "{packing:?}, {what}");
            let (status, out, err) = fed(&[&SCAN[..], &["-"]].concat(), &packed);
            assert_eq!((status, err.as_str()), (0, ""), "{packing:?}, {what}");
            assert_eq!(bare(&out), want, "{packing:?}, {what}");
        }
    }
}

#[test]
fn a_damaged_tail_gives_all_lines_before_it_and_is_reported() {
    let folder = tempdir().unwrap();
    // Longer than a window or a block of any of them, and not to be compressed away.
    let line = |n: u32| {
        let noise =
            format!("{:08x}{:08x}", n.wrapping_mul(2_654_435_761), n.wrapping_mul(40_503).rotate_left(9));
        format!(
            "Nov 22 03:04:05 mx1 postfix/smtp[12]: 4F1A2B3C4D: to=<{noise}@example.org>, \
            relay=mx.example.org[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 2.0.0 {noise})\n"
        )
    };
    let text: String = (0..30_000).map(line).collect();
    for packing in PACKED {
        let packed = packing.pack(text.as_bytes());
        let whole = [&packed[..], &packing.pack(b"behind\n")].concat();
        // The whole first member, and a piece of the head of the second.
        let name = write(&folder, "cut-behind", &whole[..packed.len() + 6]);
        let (status, out, err) = run(&[&SCAN[..], &[&name]].concat());
        assert_eq!(status, 2, "{packing:?}: {err}");
        assert_eq!(bare(&out)["input"]["lines"], 30_000, "{packing:?}: {err}");
        let place = format!("past byte {} of its text", text.len());
        assert!(err.contains("cannot decompress") && err.contains(&place), "{packing:?}: {err}");
        let name = write(&folder, "cut-inside", &packed[..packed.len() * 9 / 10]);
        let (status, out, err) = run(&[&SCAN[..], &[&name]].concat());
        let lines = bare(&out)["input"]["lines"].as_u64().unwrap();
        assert!(status == 2 && err.contains("cut-inside"), "{packing:?}: {status} {err}");
        // All but what no decoder can tell: a block of bzip2 is decoded as a whole.
        let least = if packing == Bzip2 { 24_000 } else { 26_500 };
        assert!((least..30_000).contains(&lines), "{packing:?}: {lines} lines");
        let name = write(&folder, "garbage", [&packed[..], b"garbage"].concat());
        let (status, out, err) = run(&[&SCAN[..], &[&name]].concat());
        assert_eq!(bare(&out)["input"]["lines"], 30_000);
        assert!(status == 2 && err.contains("the rest is not compressed"), "{packing:?}: {status} {err}");
    }
}

/// A log in seven parts, each compressed otherwise, as logrotate leaves them.
fn rotated(folder: &TempDir) -> Vec<String> {
    let text = text();
    let packings = [Xz, Gzip, Zstd, Bzip2, Gzip, Plain, Plain];
    let parts = parts(&text, packings.len()).into_iter().zip(packings).zip((0..7).rev());
    let name = |((part, packing), number): ((&[u8], Packing), usize)| {
        let number = if number == 0 { String::new() } else { format!(".{number}") };
        write(folder, &format!("mail.log{number}{}", packing.suffix()), packing.pack(part))
    };
    parts.map(name).collect()
}

#[test]
fn the_parts_of_a_log_give_the_whole_however_they_are_named() {
    let (folder, other) = (tempdir().unwrap(), tempdir().unwrap());
    let whole = write(&folder, "whole", text());
    let names = rotated(&other);
    write(&other, "mail.info", "a copy of some of it\n");
    let shuffled: Vec<&str> = [3, 6, 0, 2, 5, 1, 4].map(|at| names[at].as_str()).into();
    let (report, listed) = (counts(&[&whole]), events(&[&whole]));
    let current = other.path().join("mail.log");
    let older = other.path().join("mail.log.4.zst");
    let ways = [
        shuffled,
        vec!["--rotated", current.to_str().unwrap()],
        vec!["--rotated", older.to_str().unwrap()],
        vec![other.path().to_str().unwrap()],
        vec!["--rotated", &names[2], &names[6]],
    ];
    for way in ways {
        assert_eq!(events(&[&["-j", "3", "--block-size", "5000"], &way[..]].concat()), listed, "{way:?}");
        let mut counted = counts(&way);
        // The example of a row names a line, and the lines are the same.
        counted["input"]["bytes"] = report["input"]["bytes"].clone();
        assert_eq!(counted, report, "{way:?}");
    }
}

#[test]
fn a_duplicate_text_is_read_once_and_reported() {
    let (folder, text) = (tempdir().unwrap(), text());
    let log = write(&folder, "mail.log.1", &text);
    let want = counts(&[&log]);
    let twin = write(&folder, "mail.log.1.gz", Gzip.pack(&text));
    let torn = write(&folder, "mail.log.1.xz", &Xz.pack(&text)[..2000]);
    let copy = write(&folder, "copy", &text);
    let link = folder.path().join("link").to_str().unwrap().to_owned();
    std::os::unix::fs::symlink(&log, &link).unwrap();
    for (other, why) in
        [(&twin, "holds nothing"), (&torn, "holds nothing"), (&copy, "copy"), (&link, "same file")]
    {
        for pair in [[log.as_str(), other], [other, log.as_str()]] {
            assert_eq!(counts(&pair), want, "{pair:?}");
            let notes = notes(&pair);
            assert!(notes.len() == 1 && notes[0].contains(why), "{notes:?}");
        }
    }
    assert_eq!(notes(&[&log, &log]).len(), 1);
    assert!(notes(&["--rotated", &log, &log.replace("mail.log.1", "./mail.log.1")]).len() > 1);
    let mut changed = text.clone();
    changed[text.len() / 2] ^= 1;
    let changed = write(&folder, "mail.log.1.zst", Zstd.pack(&changed));
    assert_eq!(notes(&[&log, &changed]), Vec::<String>::new());
}

#[test]
fn a_rejectlog_is_read_where_its_mainlog_is_not() {
    let text = fs::read(support::root().join("fixtures/exim/in.log")).unwrap();
    let folder = tempdir().unwrap();
    write(&folder, "exim_rejectlog", &text);
    write(&folder, "exim_paniclog", "2026-11-22 03:04:05 no log of mail\n");
    let place = folder.path().to_str().unwrap().to_owned();
    let (_, out, _) = run(&[&SCAN[..], &[&place]].concat());
    assert!(out.contains("exim_rejectlog") && !out.contains("exim_paniclog"), "{out}");
    write(&folder, "exim_mainlog.1", &text[..text.len() / 2]);
    let (_, out, _) = run(&[&SCAN[..], &[&place]].concat());
    assert!(!out.contains("exim_rejectlog") && out.contains("exim_mainlog.1"), "{out}");
}

#[test]
fn the_day_in_a_name_and_the_time_in_a_gzip_header_date_a_copy() {
    let folder = tempdir().unwrap();
    let line = "Nov 20 03:04:05 mx1 postfix/smtp[12]: 4F1A2B3C4D: to=<anna@example.org>, \
        relay=none, delay=1, dsn=4.4.1, status=deferred (connect to mx.example.org[192.0.2.1]:25: timed out)\n";
    let year = |name: &str| {
        let (_, out, err) = run(&["events", name]);
        let event: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
        event["time"].as_str().unwrap()[..4].to_owned()
    };
    assert_eq!(year(&write(&folder, "mail.log-20191121", line)), "2019");
    assert_eq!(year(&write(&folder, "mail.log.2018-11-21", line)), "2018");
    let packer = flate2::GzBuilder::new().mtime(1_511_200_000);
    let mut packer = packer.write(Vec::new(), flate2::Compression::fast());
    packer.write_all(line.as_bytes()).unwrap();
    assert_eq!(year(&write(&folder, "any.gz", packer.finish().unwrap())), "2017");
    let old = write(&folder, "old.log", line);
    let when = SystemTime::UNIX_EPOCH + Duration::from_secs(1_479_700_000);
    fs::File::open(&old).unwrap().set_modified(when).unwrap();
    assert_eq!(year(&old), "2016");
}

#[test]
fn nuls_of_a_crash_are_counted_and_harm_nothing() {
    let (folder, text) = (tempdir().unwrap(), text());
    let lines = |name: &str| counts(&[name])["input"]["lines"].as_u64().unwrap();
    let whole = lines(&write(&folder, "whole", &text));
    let half = text[..text.len() / 2].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    let holed = [&text[..half], &vec![0; 300_000], b"\n", &text[half..]].concat();
    assert_eq!(lines(&write(&folder, "holed", holed)), whole + 1);
    assert_eq!(run(&["scan", &write(&folder, "empty", "")]).0, 0);
    assert_eq!(run(&["scan", &write(&folder, "nuls", vec![0; 70_000])]).0, 3);
    assert_eq!(run(&["scan", &write(&folder, "empty.gz", Gzip.pack(b""))]).0, 0);
}

/// A folder with a journalctl that does what is said.
fn journalctl(script: &str) -> TempDir {
    let folder = tempdir().unwrap();
    let path = PathBuf::from(write(&folder, "journalctl", format!("#!/bin/sh\n{script}\n")));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn with_journal(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let path = format!("{}:/usr/bin:/bin", folder.display());
    taken_apart(&command(args).env("PATH", path).output().unwrap())
}

#[test]
fn the_journal_is_read_from_journalctl() {
    let folder = journalctl("printf '%s\\n' \"$*\" > \"${0%/*}/asked\"; cat \"${0%/*}/answer\"");
    write(&folder, "answer", text());
    let (status, out, err) = with_journal(folder.path(), &[&SCAN[..], &["--journal"]].concat());
    assert_eq!((status, err.as_str()), (0, ""));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["input"]["files"], serde_json::json!(["journal"]));
    assert_eq!(bare(&out), counts(&[&write(&folder, "plain", text())]));
    let asked = fs::read_to_string(folder.path().join("asked")).unwrap();
    assert!(
        asked.contains("--output=json") && asked.contains("SYSLOG_FACILITY=2 + _SYSTEMD_UNIT="),
        "{asked}"
    );
    let own = write(&folder, "own.log", text());
    let (_, out, _) = with_journal(folder.path(), &[&SCAN[..], &["--journal", &own]].concat());
    assert_eq!(
        serde_json::from_str::<Value>(&out).unwrap()["input"]["files"],
        serde_json::json!([own, "journal"])
    );
}

#[test]
fn a_journal_that_is_missing_failing_or_empty_is_reported() {
    let nothing = tempdir().unwrap();
    let says = |folder: &TempDir, words: &[&str]| {
        let (status, out, err) =
            taken_apart(&command(&["scan", "--journal"]).env("PATH", folder.path()).output().unwrap());
        assert_eq!((status, out.as_str()), (2, ""), "{err}");
        assert!(words.iter().all(|word| err.contains(word)), "{err}");
    };
    says(&nothing, &["cannot read the journal", "journalctl not found in PATH"]);
    says(
        &journalctl("echo 'no \u{1b}[2J such boot' >&2; exit 3"),
        &["exit status: 3", "such boot", "\\u{1b}"],
    );
    says(&journalctl("exit 0"), &["no mail entries are visible to this user"]);
    let folder = journalctl("cat \"${0%/*}/answer\"; echo torn >&2; exit 1");
    write(&folder, "answer", text());
    let (status, out, err) = with_journal(folder.path(), &[&SCAN[..], &["--journal"]].concat());
    assert!(status == 2 && err.contains("torn"), "{err}");
    assert_eq!(bare(&out)["input"]["lines"], 1097);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mix_of_files_is_folded_in_their_order(
        cuts in vec(any::<Index>(), 1..9),
        packings in vec(select(vec![Plain, Gzip, Xz, Zstd]), 10),
        threads in 1usize..6,
        size in 30usize..9000,
    ) {
        let (folder, text) = (tempdir().unwrap(), text());
        let ends: Vec<usize> = memchr::memchr_iter(b'\n', &text).map(|end| end + 1).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| ends[cut.index(ends.len())]).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let names: Vec<String> = cuts
            .windows(2)
            .zip(&packings)
            .enumerate()
            .map(|(number, (cut, packing))| {
                write(&folder, &format!("part{number}-of"), packing.pack(&text[cut[0]..cut[1]]))
            })
            .collect();
        let (threads, size) = (threads.to_string(), size.to_string());
        let mut args = vec!["events", "--year", "2026", "--tz", "UTC"];
        args.extend(names.iter().map(String::as_str));
        let one = support::answer(&[&args[..], &["-j", "1"]].concat()).0;
        let many = support::answer(&[&args[..], &["-j", &threads, "--block-size", &size]].concat()).0;
        prop_assert!(one == many, "{packings:?}, cut at {cuts:?}, {threads} threads, blocks of {size}");
    }
}
