//! Checks `--state`: each line is read once, whatever happens to the log between and during the runs.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::support::{self, command, taken_apart};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// What adds up over runs: lines, attempts by direction and outcome, and rows.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Sums(BTreeMap<String, u64>);

impl Sums {
    fn of(report: &Value) -> Self {
        let mut sums = Self::default();
        let mut add = |name: String, value: &Value| {
            if let Some(number) = value.as_u64().filter(|&number| number > 0) {
                *sums.0.entry(name).or_default() += number;
            }
        };
        for name in ["lines", "bytes", "mail", "other", "understood", "not_understood"] {
            add(name.to_owned(), &report["input"][name]);
        }
        for side in ["outbound", "local", "inbound"] {
            for (name, value) in report["totals"][side].as_object().unwrap() {
                add(format!("{side} {name}"), value);
            }
        }
        for name in ["host_attempts", "probes"] {
            add(name.to_owned(), &report["totals"][name]);
        }
        for row in report["rows"].as_array().unwrap() {
            let keys = ["direction", "outcome", "code", "enhanced", "class", "reason"];
            add(keys.map(|key| row[key].to_string()).join(" "), &row["attempts"]);
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        for (name, number) in &other.0 {
            *self.0.entry(name.clone()).or_default() += number;
        }
    }

    fn lines(&self) -> u64 {
        self.0.get("lines").copied().unwrap_or(0)
    }
}

/// A folder with a log, its state, and what was read of it so far.
struct Job {
    folder: TempDir,
    total: Sums,
}

fn text() -> Vec<u8> {
    fs::read(support::fixture("postfix/out.log")).unwrap()
}

/// The lines from the first up to and without the second.
fn lines(from: usize, to: usize) -> Vec<u8> {
    text().split_inclusive(|&byte| byte == b'\n').skip(from).take(to - from).flatten().copied().collect()
}

fn gz(text: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(text).unwrap();
    gz.finish().unwrap()
}

impl Job {
    fn new() -> Self {
        Self { folder: tempdir().unwrap(), total: Sums::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &[u8]) {
        fs::write(self.path(name), text).unwrap();
    }

    fn append(&self, name: &str, text: &[u8]) {
        let mut file = fs::File::options().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    fn state(&self) -> Vec<u8> {
        fs::read(self.path("state")).unwrap_or_default()
    }

    fn ran(&self, args: &[&str]) -> (i32, String, String) {
        taken_apart(&command(args).current_dir(self.folder.path()).output().unwrap())
    }

    fn report(&self, args: &[&str]) -> Value {
        let options = ["scan", "--format", "json", "--year", "2026", "--state", "state"];
        let (status, out, err) = self.ran(&[&options[..], args].concat());
        assert_eq!((status, err.as_str()), (0, ""), "{out}");
        serde_json::from_str(&out).unwrap()
    }

    /// Scans what is new; gives back how many lines that was, and what the report notes about it.
    fn scan(&mut self, args: &[&str]) -> (u64, String) {
        let report = self.report(args);
        let sums = Sums::of(&report);
        self.total.add(&sums);
        (sums.lines(), report["notes"].to_string())
    }

    #[track_caller]
    fn reads(&mut self, wanted: u64) {
        let (lines, notes) = self.scan(&["mail.log"]);
        assert_eq!(lines, wanted, "{notes}");
        assert!(!notes.contains("missing"), "{notes}");
    }

    /// What one scan of it all has.
    #[track_caller]
    fn adds_up(&self, whole: &[u8]) {
        let (folder, path) = (tempdir().unwrap(), "whole.log");
        fs::write(folder.path().join(path), whole).unwrap();
        let args = ["scan", "--format", "json", "--year", "2026", path];
        let (_, out, _) = taken_apart(&command(&args).current_dir(folder.path()).output().unwrap());
        assert_eq!(self.total, Sums::of(&serde_json::from_str(&out).unwrap()));
    }
}

#[test]
fn what_is_appended_is_read_once_and_adds_up() {
    let mut job = Job::new();
    job.write("mail.log", &lines(0, 300));
    job.reads(300);
    job.reads(0);
    for at in [300, 301, 700, 1096] {
        let next = [301, 700, 1096, 1097][[300, 301, 700, 1096].iter().position(|&one| one == at).unwrap()];
        job.append("mail.log", &lines(at, next));
        job.reads((next - at) as u64);
    }
    job.reads(0);
    job.adds_up(&text());
}

#[test]
fn threads_and_block_sizes_change_nothing() {
    for size in ["100", "4096", "50000"] {
        let mut job = Job::new();
        job.write("mail.log", &lines(0, 555));
        job.scan(&["mail.log", "-j", "3", "--block-size", size]);
        job.append("mail.log", &lines(555, 1097));
        let (count, _) = job.scan(&["mail.log", "-j", "3", "--block-size", size]);
        assert_eq!(count, 542);
        job.adds_up(&text());
    }
}

#[test]
fn a_line_that_is_half_written_is_left_for_the_next_run() {
    let mut job = Job::new();
    let (first, last) = (lines(0, 9), lines(9, 10));
    job.write("mail.log", &first);
    job.append("mail.log", &last[..40]);
    job.reads(9);
    job.reads(0);
    job.append("mail.log", &last[40..]);
    job.reads(1);
    job.adds_up(&lines(0, 10));
    // Nothing but half a line.
    let mut job = Job::new();
    job.write("mail.log", &last[..40]);
    job.reads(0);
    job.append("mail.log", &last[40..]);
    job.reads(1);
}

#[test]
fn a_log_that_is_renamed_is_read_to_its_end_and_the_new_one_from_its_beginning() {
    let mut job = Job::new();
    job.write("mail.log", &lines(0, 100));
    job.reads(100);
    job.append("mail.log", &lines(100, 110));
    job.rename("mail.log", "mail.log.1");
    job.write("mail.log", &lines(120, 200));
    job.reads(90);
    // Whoever writes it had it open for some time.
    job.append("mail.log.1", &lines(110, 120));
    job.reads(10);
    // Two rotations between two runs; the name is not there again yet.
    job.append("mail.log", &lines(200, 210));
    job.rename("mail.log.1", "mail.log.2");
    job.rename("mail.log", "mail.log.1");
    job.write("mail.log", &lines(210, 300));
    job.rename("mail.log.2", "mail.log.3");
    job.rename("mail.log.1", "mail.log.2");
    job.rename("mail.log", "mail.log.1");
    job.reads(100);
    job.write("mail.log", &lines(300, 301));
    job.reads(1);
    job.adds_up(&lines(0, 301));
}

#[test]
fn a_log_that_is_compressed_is_read_on_in_its_text() {
    let mut job = Job::new();
    job.write("mail.log", &lines(0, 400));
    job.reads(400);
    job.write("mail.log.1.gz", &gz(&lines(0, 500)));
    job.write("mail.log", &lines(500, 600));
    job.reads(200);
    job.reads(0);
    // Once more, by name alone, and by dates.
    job.rename("mail.log.1.gz", "mail.log-20261122.gz");
    job.write("mail.log-20261123.gz", &gz(&lines(500, 650)));
    job.write("mail.log-20261124.gz", &gz(&lines(650, 660)));
    job.write("mail.log", &lines(660, 1097));
    job.reads(497);
    job.reads(0);
    job.adds_up(&text());
}

#[test]
fn a_log_that_is_copied_and_cut_is_read_on_in_the_copy() {
    let mut job = Job::new();
    job.write("mail.log", &lines(0, 400));
    job.reads(400);
    // The copy is there, and the log is not cut yet; then it grows once more, which the copy does not have.
    job.append("mail.log", &lines(400, 500));
    fs::copy(job.path("mail.log"), job.path("mail.log.1")).unwrap();
    job.append("mail.log", &lines(500, 510));
    job.reads(110);
    job.write("mail.log", &lines(510, 520));
    job.reads(10);
    job.append("mail.log", &lines(520, 530));
    job.rename("mail.log.1", "mail.log.2");
    fs::copy(job.path("mail.log"), job.path("mail.log.1")).unwrap();
    job.write("mail.log", &lines(530, 1097));
    job.reads(577);
    job.reads(0);
    job.adds_up(&text());
}

#[test]
fn what_lay_beside_a_log_before_the_first_run_is_not_read_later() {
    let mut job = Job::new();
    job.write("mail.log.3.gz", &gz(&lines(0, 100)));
    job.write("mail.log.2", &lines(100, 200));
    job.write("mail.log.1", b"");
    job.write("mail.log", b"");
    job.reads(0);
    job.append("mail.log", &lines(200, 300));
    for (from, to) in [("mail.log.3.gz", "mail.log.4.gz"), ("mail.log.2", "mail.log.3")] {
        job.rename(from, to);
    }
    job.rename("mail.log.1", "mail.log.2");
    job.rename("mail.log", "mail.log.1");
    job.write("mail.log", &lines(300, 310));
    job.reads(110);
    job.adds_up(&lines(200, 310));
    // Unless they are asked for.
    let mut job = Job::new();
    job.write("mail.log.2.gz", &gz(&lines(0, 100)));
    job.write("mail.log.1", &lines(100, 200));
    job.write("mail.log", &lines(200, 300));
    assert_eq!(job.scan(&["--rotated", "mail.log"]).0, 300);
    assert_eq!(job.scan(&["--rotated", "mail.log"]).0, 0);
    job.append("mail.log", &lines(300, 301));
    assert_eq!(job.scan(&["--rotated", "mail.log"]).0, 1);
}

#[test]
fn a_log_of_more_parts_than_are_remembered_when_they_are_gone_is_read_once() {
    let mut job = Job::new();
    for part in 0..300 {
        job.write(&format!("mail.log.{}", 300 - part), &lines(part, part + 1));
    }
    job.write("mail.log", &lines(300, 301));
    assert_eq!(job.scan(&["--rotated", "mail.log"]).0, 301);
    job.reads(0);
    job.append("mail.log.300", &lines(301, 302));
    job.append("mail.log", &lines(302, 303));
    job.reads(2);
    job.reads(0);
    // When they are gone, their marks go by and by.
    (1..=300).for_each(|part| job.remove(&format!("mail.log.{part}")));
    job.reads(0);
    let state: Value = serde_json::from_slice(&job.state()).unwrap();
    assert_eq!(state["logs"][0]["parts"].as_array().unwrap().len(), 257);
}

#[test]
fn a_folder_and_several_logs_go_by_one_state() {
    let mut job = Job::new();
    job.write("mail.log", &lines(0, 10));
    job.write("postfix-out.log", &lines(10, 30));
    assert_eq!(job.scan(&["mail.log"]).0, 10);
    assert_eq!(job.scan(&["."]).0, 20);
    job.append("postfix-out.log", &lines(30, 31));
    job.append("mail.log", &lines(31, 33));
    assert_eq!(job.scan(&["postfix-out.log"]).0, 1);
    assert_eq!(job.scan(&["mail.log", "postfix-out.log"]).0, 2);
}

#[test]
fn lost_lines_are_reported() {
    let mut job = Job::new();
    job.write("mail.log", &lines(0, 100));
    job.reads(100);
    job.write("mail.log", &lines(200, 210));
    let (count, notes) = job.scan(&["mail.log"]);
    assert_eq!(count, 10);
    let size = lines(0, 100).len();
    assert!(
        notes.contains(&format!("was read up to byte {size}")) && notes.contains("is missing"),
        "{notes}"
    );
    // Once.
    job.reads(0);
    job.remove("mail.log");
    let (status, _, err) = job.ran(&["scan", "--state", "state", "mail.log"]);
    assert!(status == 2 && err.contains("no such file"), "{status} {err}");
    // It comes back, as after a mount that was not there.
    job.write("mail.log", &lines(200, 215));
    job.reads(5);
}

#[test]
fn a_state_that_is_damaged_foreign_or_newer_is_an_error_that_changes_nothing() {
    let mut job = Job::new();
    job.write("mail.log", &lines(0, 100));
    job.reads(100);
    let good = job.state();
    let text = String::from_utf8(good.clone()).unwrap();
    let half = text[..text.len() / 2].to_owned();
    let newer = text.replace("smtplog.state/1", "smtplog.state/2");
    let more = text.replacen("\"saved\"", "\"more\": 1, \"saved\"", 1);
    let unsaved = text.replacen("\"saved\": \"2", "\"saved\": \"\", \"x\": \"2", 1);
    let hash = text.replacen("\"tail\": \"", "\"tail\": \"x", 1);
    let log = String::from_utf8(lines(0, 1)).unwrap();
    for (bad, word) in [
        (half.as_str(), "damaged"),
        (&newer, "smtplog.state/2"),
        (&more, "damaged"),
        (&unsaved, "damaged"),
        (&hash, "damaged"),
        (&log, "not a state file of smtplog"),
        ("{}", "not a state file of smtplog"),
        ("\n", "not a state file of smtplog"),
        ("[\u{1b}]", "not a state file of smtplog"),
    ] {
        job.write("state", bad.as_bytes());
        for command in ["scan", "events"] {
            let (status, out, err) = job.ran(&[command, "--state", "state", "mail.log"]);
            assert_eq!((status, out.as_str()), (2, ""), "{bad}");
            assert!(
                err.contains(word) && err.contains("remove the file") && !err.contains('\u{1b}'),
                "{err}"
            );
            assert_eq!(job.state(), bad.as_bytes());
        }
    }
    job.write("state", &good);
    job.reads(0);
}

#[test]
fn a_state_that_is_in_use_is_an_error() {
    let mut job = Job::new();
    job.write("mail.log", &lines(0, 100));
    job.reads(100);
    let held =
        smtplog::internals::input::checkpoint::state_file::StateFile::open(&job.path("state")).unwrap();
    let (status, out, err) = job.ran(&["scan", "--state", "state", "mail.log"]);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(err.contains("another smtplog process is using it"), "{err}");
    drop(held);
    job.reads(0);
}

#[test]
fn the_state_is_saved_only_when_the_answer_was_written() {
    let mut job = Job::new();
    job.write("mail.log", &lines(0, 100));
    job.reads(100);
    let before = job.state();
    job.append("mail.log", &lines(100, 1097));
    let full = "/dev/full";
    for args in [
        &["scan", "--state", "state", "-o", full, "--format", "json", "mail.log"][..],
        &["events", "--state", "state", "-o", full, "--format", "csv", "mail.log"],
        &["scan", "--state", "state", "-o", "no/such/folder.json", "mail.log"],
        &["scan", "--state", "state", "-o", "state", "--format", "json", "mail.log"],
        &["scan", "--state", "state", "-o", "mail.log", "--format", "json", "mail.log"],
    ] {
        let (status, _, err) = job.ran(args);
        assert!(status == 2 && !err.is_empty(), "{args:?}: {status} {err}");
        assert_eq!(job.state(), before, "{args:?}");
    }
    for subcommand in ["scan", "events"] {
        let stdout = fs::File::options().write(true).open(full).unwrap();
        let args = [subcommand, "--state", "state", "mail.log"];
        let output = command(&args).current_dir(job.folder.path()).stdout(stdout).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(job.state(), before, "{subcommand}");
    }
    job.reads(997);
    job.adds_up(&text());
}

#[test]
fn a_log_is_never_taken_for_a_state() {
    let job = Job::new();
    job.write("mail.log", b"");
    job.write("other.log", &lines(0, 5));
    let (status, _, err) = job.ran(&["scan", "--state", "mail.log", "mail.log", "other.log"]);
    assert!(status == 2 && err.contains("one of the input logs"), "{err}");
    assert_eq!(fs::read(job.path("mail.log")).unwrap(), b"");
}

#[test]
fn what_has_no_place_to_read_on_from_is_refused() {
    let job = Job::new();
    job.write("mail.log", &lines(0, 5));
    let says = |args: &[&str], word: &str| {
        let (status, out, err) = job.ran(args);
        assert!((status, out.as_str()) == (2, "") && err.contains(word), "{args:?}: {err}");
    };
    says(&["scan", "--state", "state", "-"], "not work with standard input");
    says(&["scan", "--state", "state", "/dev/null"], "not a regular file");
    says(&["scan", "--state", "state", "--until", "today", "mail.log"], "--until");
    says(&["scan", "--state", ".", "mail.log"], "cannot use the state");
    says(&["scan", "--state", "/dev/null", "mail.log"], "not a regular file");
}

#[test]
fn since_counts_for_the_first_run_alone() {
    let mut job = Job::new();
    let (old, new) = (b"Nov 20 03:04:05 mx1 postfix/qmgr[9]: 4F1A2B3C4D: removed\n", lines(0, 50));
    job.write("mail.log", &[&old[..], &new].concat());
    assert_eq!(job.scan(&["--since", "2026-11-22", "mail.log"]).0, 50);
    job.append("mail.log", old);
    assert_eq!(job.scan(&["--since", "2026-11-22", "mail.log"]).0, 1);
}

#[test]
fn events_are_numbered_by_the_whole_file_and_printed_once() {
    let job = Job::new();
    let all = |args: &[&str]| {
        let (status, out, err) = job.ran(&[&["events", "--year", "2026"], args].concat());
        assert_eq!((status, err.as_str()), (0, ""));
        let events = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let told = |event: Value| (event["line"].as_u64().unwrap(), event["text"].to_string());
        events.map(told).collect::<Vec<_>>()
    };
    job.write("mail.log", &lines(0, 333));
    let mut told = all(&["--state", "state", "mail.log"]);
    job.append("mail.log", &lines(333, 800));
    told.extend(all(&["--state", "state", "mail.log"]));
    // Compressed, and read on.
    job.write("mail.log.1.gz", &gz(&text()));
    job.remove("mail.log");
    told.extend(all(&["--state", "state", "mail.log"]));
    assert_eq!(all(&["--state", "state", "mail.log"]), []);
    job.write("whole.log", &text());
    assert_eq!(told, all(&["whole.log"]));
}

#[test]
fn a_few_new_lines_that_are_not_mail_are_no_trouble() {
    let mut job = Job::new();
    let other = b"Nov 22 03:04:07 mx1 sshd[77]: Accepted publickey for anna\n";
    job.write("mail.log", other);
    // The first run says that this is no mail log, and begins anew.
    let (status, ..) = job.ran(&["scan", "--state", "state", "mail.log"]);
    assert_eq!((status, job.state().len()), (3, 0));
    job.append("mail.log", &lines(0, 5));
    job.reads(6);
    job.append("mail.log", other);
    job.reads(1);
    job.append("mail.log", &other.repeat(100));
    let (status, ..) = job.ran(&["scan", "--state", "state", "mail.log"]);
    assert_eq!(status, 3);
}

#[test]
fn the_state_keeps_its_mode_and_is_closed_to_others_at_first() {
    let mut job = Job::new();
    job.write("mail.log", &lines(0, 5));
    job.reads(5);
    let mode = |job: &Job| fs::metadata(job.path("state")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&job), 0o600);
    fs::set_permissions(job.path("state"), fs::Permissions::from_mode(0o640)).unwrap();
    job.reads(0);
    assert_eq!(mode(&job), 0o640);
    let left: Vec<_> =
        fs::read_dir(job.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_damaged_part_is_reported_each_time_and_read_once() {
    let mut job = Job::new();
    job.write("mail.log", &lines(0, 10));
    job.reads(10);
    let packed = gz(&lines(10, 900));
    job.write("mail.log.1.gz", &packed[..packed.len() / 2]);
    // It is probably being compressed.
    let (lines_read, notes) = job.scan(&["mail.log"]);
    assert!(lines_read == 0 && notes.contains("mail.log.1.gz is left out: it is incomplete"), "{notes}");
    let part = fs::File::options().append(true).open(job.path("mail.log.1.gz")).unwrap();
    part.set_modified(SystemTime::now() - Duration::from_secs(100)).unwrap();
    let ran = |job: &Job| {
        let (status, out, err) = job.ran(&["scan", "--format", "json", "--state", "state", "mail.log"]);
        assert!(status == 2 && err.contains("cannot decompress"), "{err}");
        Sums::of(&serde_json::from_str(&out).unwrap()).lines()
    };
    let first = ran(&job);
    assert!(first > 100, "{first}");
    assert_eq!(ran(&job), 0);
    job.remove("mail.log.1.gz");
    job.reads(0);
}

/// A folder with a journalctl that does as the real one: entries behind the cursor, then the cursor.
fn with_journal(job: &Job, args: &[&str]) -> (i32, String, String) {
    let script = "#!/bin/sh\ncd \"${0%/*}\"\nafter=0\nfor arg in \"$@\"; do case $arg in \
        --after-cursor=*) after=${arg#--after-cursor=s=};; --since=*) echo \"$arg\" >> since;; esac; done\n\
        tail -n +$((after + 1)) journal\ncount=$(wc -l < journal)\n\
        [ $count -gt $after ] && echo \"-- cursor: s=$count\"\n[ ! -e fails ]\n";
    fs::create_dir_all(job.path("bin")).unwrap();
    job.write("bin/journalctl", script.as_bytes());
    fs::set_permissions(job.path("bin/journalctl"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", job.path("bin").display());
    taken_apart(&command(args).current_dir(job.folder.path()).env("PATH", path).output().unwrap())
}

#[test]
fn the_journal_is_read_on_behind_its_cursor() {
    let mut job = Job::new();
    let entry = |line: &[u8]| {
        let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap()).into_owned();
        format!("{}\n", serde_json::json!({ "MESSAGE": text }))
    };
    let entries = |from, to| -> Vec<u8> {
        lines(from, to)
            .split_inclusive(|&byte| byte == b'\n')
            .flat_map(|line| entry(line).into_bytes())
            .collect()
    };
    fs::create_dir_all(job.path("bin")).unwrap();
    let args = ["scan", "--format", "json", "--year", "2026", "--state", "state", "--journal"];
    let scan = |job: &mut Job, args: &[&str]| {
        let (status, out, err) = with_journal(job, args);
        let sums = Sums::of(&serde_json::from_str(&out).unwrap());
        if status == 0 {
            assert_eq!(err, "");
            job.total.add(&sums);
        }
        (status, sums.lines())
    };
    job.write("bin/journal", &entries(0, 300));
    assert_eq!(scan(&mut job, &[&args[..], &["--since", "2026-11-22"]].concat()), (0, 300));
    assert_eq!(scan(&mut job, &[&args[..], &["--since", "2026-11-22"]].concat()), (0, 0));
    assert_eq!(fs::read_to_string(job.path("bin/since")).unwrap().lines().count(), 1);
    job.append("bin/journal", &entries(300, 700));
    job.write("bin/fails", b"");
    assert_eq!(scan(&mut job, &args), (2, 400));
    job.remove("bin/fails");
    assert_eq!(scan(&mut job, &args), (0, 400));
    assert_eq!(scan(&mut job, &args), (0, 0));
    job.append("bin/journal", &entries(700, 1097));
    job.write("mail.log", &lines(0, 3));
    let both = [&args[..], &["mail.log"]].concat();
    assert_eq!(scan(&mut job, &both), (0, 400));
    assert_eq!(scan(&mut job, &both), (0, 0));
}

#[test]
fn a_log_that_was_cut_is_read_on_from_the_cut() {
    // (lines left after the cut, lines written since)
    for (left, new) in [(900, 0), (900, 20), (990, 5), (999, 1), (500, 3)] {
        let mut job = Job::new();
        job.write("mail.log", &lines(0, 1000));
        job.reads(1000);
        // The same file, shorter: a power failure, or a snapshot that came back.
        let cut = lines(0, left).len() as u64;
        fs::File::options().write(true).open(job.path("mail.log")).unwrap().set_len(cut).unwrap();
        job.append("mail.log", &lines(1000, 1000 + new));
        let (count, notes) = job.scan(&["mail.log"]);
        assert!(notes.contains("became shorter") || notes.contains("was edited"), "{notes}");
        // The farther the cut lies back, the fewer ends of lines are known.
        let again = if left < 980 { 20 } else { 0 };
        assert!((new as u64..=(new + again) as u64).contains(&count), "{left}+{new}: {count} {notes}");
        job.reads(0);
        job.append("mail.log", &lines(1090, 1097));
        job.reads(7);
    }
}

#[test]
fn a_log_that_was_edited_or_restored_is_read_on_after_its_last_known_line() {
    let mut job = Job::new();
    job.write("mail.log", &lines(0, 600));
    job.reads(600);
    // sed -i writes a new file without some lines of the middle.
    job.remove("mail.log");
    job.write("mail.log", &[lines(0, 580), lines(590, 600), lines(600, 604)].concat());
    let (count, notes) = job.scan(&["mail.log"]);
    assert_eq!(count, 4, "{notes}");
    assert!(notes.contains("became shorter"), "{notes}");
    job.reads(0);
    // A backup that has grown beyond what was read.
    job.remove("mail.log");
    job.write("mail.log", &[lines(0, 580), lines(700, 1000)].concat());
    let (count, notes) = job.scan(&["mail.log"]);
    assert!((300..=304).contains(&count), "{count} {notes}");
    assert!(notes.contains("was edited"), "{notes}");
    job.reads(0);
}

#[test]
fn a_log_that_was_empty_and_is_being_copied_is_read_once() {
    let mut job = Job::new();
    job.write("mail.log", b"");
    job.reads(0);
    job.append("mail.log", &lines(0, 5));
    fs::copy(job.path("mail.log"), job.path("mail.log.1")).unwrap();
    job.append("mail.log", &lines(5, 8));
    let (count, notes) = job.scan(&["mail.log"]);
    assert_eq!(count, 8, "{notes}");
    // Cut now.
    fs::File::options().write(true).open(job.path("mail.log")).unwrap().set_len(0).unwrap();
    job.append("mail.log", &lines(8, 9));
    job.reads(1);
    // The same with a rename in between: the new file has another inode.
    job.rename("mail.log.1", "mail.log.2");
    job.rename("mail.log", "mail.log.1");
    job.write("mail.log", b"");
    job.reads(0);
    job.append("mail.log", &lines(9, 10));
    job.rename("mail.log.1", "mail.log.2");
    job.rename("mail.log", "mail.log.1");
    job.write("mail.log", &lines(9, 12));
    job.reads(4);
}

#[test]
fn what_a_killed_run_left_to_do_is_done_by_the_next() {
    let mut job = Job::new();
    job.write("mail.log", &lines(0, 50));
    assert_eq!(job.ran(&["scan", "--state", "state", "-o", "one.json", "mail.log"]).0, 0);
    let report = fs::read(job.path("one.json")).unwrap();
    // As if the run was killed between the state and the report.
    let state: Value = serde_json::from_slice(&job.state()).unwrap();
    let from = state["pending"][0]["from"].as_str().unwrap();
    assert_eq!(state["pending"][0]["to"].as_str(), fs::canonicalize(job.path("one.json")).unwrap().to_str());
    fs::rename(job.path("one.json"), from).unwrap();
    job.reads(0);
    assert_eq!(fs::read(job.path("one.json")).unwrap(), report);
    // The name is only taken for a file that the state knows.
    fs::write(from, "another").unwrap();
    job.reads(0);
    assert_eq!(fs::read(job.path("one.json")).unwrap(), report);
}
