//! Kills runs at random moments, fills disks and takes rights away: every file is whole, and nothing is lost or doubled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::tempdir;

use crate::support::{command, taken_apart};

/// Numbers that differ from run to run (xorshift).
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
        Self(u64::from(nanos) | 1)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// A rejection in this minute after midnight of 22 November.
fn line(minute: u64) -> String {
    let (day, hour, min) = (22 + minute / 1440, minute / 60 % 24, minute % 60);
    format!(
        "Nov {day} {hour:02}:{min:02}:05 mx1 postfix/smtpd[9]: NOQUEUE: reject: RCPT from client.example.org[192.0.2.1]: \
         550 5.1.1 <a{minute}@example.org>: Recipient address rejected: User unknown; from=<b@example.org> \
         to=<a{minute}@example.org> proto=ESMTP helo=<client>\nno mail line {minute}\n"
    )
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Starts a run and kills it after a random time. Whether it was killed before it ended.
fn kill(folder: &Path, args: &[&str], moments: &mut Moments) -> bool {
    let mut run = command(args);
    let mut child = run.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_micros(moments.below(80_000)));
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_none_or(|code| code == 0), "{args:?}: {error}");
    output.status.code().is_none()
}

/// What is in a folder but these files.
fn others(folder: &Path, known: &[&str]) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| !known.iter().any(|known| path.ends_with(known))).collect()
}

/// Kills runs that write a report, a state, a baseline and the lines that were not understood, all together.
fn kill_with_state_and_baseline(kills: usize, moments: &mut Moments) {
    let folder = tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("reports")).unwrap();
    let (mut minute, mut runs, mut killed) = (0, 0, 0);
    while killed < kills {
        let mut log = fs::File::options().append(true).create(true).open(path.join("mail.log")).unwrap();
        for _ in 0..=moments.below(3) {
            std::io::Write::write_all(&mut log, line(minute).as_bytes()).unwrap();
            minute += 1;
        }
        runs += 1;
        let (report, unparsed) = (format!("reports/{runs}.json"), format!("reports/{runs}.txt"));
        let args = [
            "scan",
            "--state",
            "state",
            "--baseline",
            "base",
            "--year",
            "2026",
            "--now",
            "2026-12-30T00:00:00Z",
            "--unparsed",
            unparsed.as_str(),
            "-o",
            report.as_str(),
            "mail.log",
        ];
        if killed + 1 == kills {
            assert!(command(&args).current_dir(path).output().unwrap().status.success());
            break;
        }
        killed += usize::from(kill(path, &args, moments));
    }
    let reports = fs::read_dir(path.join("reports")).unwrap().map(|entry| entry.unwrap().path());
    let reports: Vec<PathBuf> = reports.filter(|path| path.extension().is_some()).collect();
    let whole: Vec<&PathBuf> =
        reports.iter().filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    let counted: u64 =
        whole.iter().map(|path| read(path)["totals"]["inbound"]["refused"].as_u64().unwrap()).sum();
    assert_eq!(counted, minute, "all reports together have each line once");
    for report in whole {
        assert!(report.with_extension("txt").exists(), "a report and its other file come together");
    }
    let base = read(&path.join("base"));
    let counts = base["hours"].as_array().unwrap().iter().flat_map(|hour| hour["counts"].as_array().unwrap());
    let in_baseline: u64 = counts.map(|count| count[1].as_u64().unwrap()).sum();
    assert_eq!(in_baseline, minute, "the baseline has each line once");
    assert!(others(path, &["reports", "mail.log", "state", "base", "base.lock"]).is_empty());
    println!(
        "state, baseline, unparsed, output: {runs} runs, {killed} killed, {minute} lines, 0 lost, 0 doubled"
    );
}

/// Kills runs that replace a file.
fn kill_with_output(kills: usize, moments: &mut Moments) {
    let folder = tempdir().unwrap();
    let path = folder.path();
    let text: String = (0..500).map(line).collect();
    fs::write(path.join("mail.log"), text).unwrap();
    let args = ["scan", "-o", "report.json", "--unparsed", "other.txt", "mail.log"];
    assert!(command(&args).current_dir(path).output().unwrap().status.success());
    let (report, other) = (read(&path.join("report.json")), fs::read(path.join("other.txt")).unwrap());
    let mut killed = 0;
    while killed < kills {
        killed += usize::from(kill(path, &args, moments));
        assert_eq!(read(&path.join("report.json")), report);
        assert_eq!(fs::read(path.join("other.txt")).unwrap(), other);
    }
    // A temporary name exists for a moment only; the next run takes it.
    assert!(command(&args).current_dir(path).output().unwrap().status.success());
    assert!(others(path, &["report.json", "other.txt", "mail.log"]).is_empty());
    println!("output: {killed} killed, every file whole");
}

/// Kills `watch`, which writes no file.
fn kill_watch(kills: usize, moments: &mut Moments) {
    let folder = tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("mail.log"), line(0)).unwrap();
    for _ in 0..kills {
        kill(path, &["watch", "mail.log"], moments);
    }
    assert!(others(path, &["mail.log"]).is_empty());
    println!("watch: {kills} killed, nothing left behind");
}

#[test]
fn what_is_killed_leaves_whole_files_and_loses_nothing() {
    let mut moments = Moments::new();
    kill_with_state_and_baseline(8, &mut moments);
    kill_with_output(4, &mut moments);
    kill_watch(2, &mut moments);
}

/// 500 kills of each, or SMTPLOG_KILLS. Prints its figures with `--nocapture`.
#[test]
#[ignore = "needs ten minutes"]
fn what_is_killed_often_leaves_whole_files_and_loses_nothing() {
    let kills = std::env::var("SMTPLOG_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(500);
    let mut moments = Moments::new();
    kill_with_state_and_baseline(kills, &mut moments);
    kill_with_output(kills, &mut moments);
    kill_watch(kills / 5, &mut moments);
}

/// A file system of its own, which is unmounted when this is dropped.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(options: &str) -> Self {
        let folder = tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "smtplog-test"])
            .arg(folder.path())
            .status();
        assert!(mounted.unwrap().success(), "it needs root");
        Self(folder)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
#[ignore = "needs root"]
fn a_full_or_read_only_disk_is_an_error_and_changes_nothing() {
    let folder = tempdir().unwrap();
    let broken = "Nov 22 03:04:05 mx1 postfix/smtp[12]: 4F1A2B3C41: to=<a@example.org>, no more of it\n";
    let text: String = (0..1500).map(|minute| line(minute) + broken).collect();
    let log = folder.path().join("mail.log");
    fs::write(&log, text).unwrap();
    let log = log.to_str().unwrap();
    for (options, what) in [("size=32k", "full"), ("size=1m", "read-only")] {
        let disk = Mounted::new(options);
        let at = |name: &str| disk.0.path().join(name).to_str().unwrap().to_owned();
        fs::write(at("old.json"), "old").unwrap();
        let state = at("state");
        fs::write(&state, "").unwrap();
        if what == "full" {
            // Whatever is left is taken, but for less than any output.
            let _ = fs::write(at("filler"), vec![b'x'; 24 << 10]);
        } else {
            let status = Command::new("mount").args(["-o", "remount,ro"]).arg(disk.0.path()).status();
            assert!(status.unwrap().success());
        }
        let (old, base) = (at("old.json"), at("base"));
        let (old, base, state) = (old.as_str(), base.as_str(), state.as_str());
        for args in [
            &["events", "-o", old, log][..],
            &["scan", "--examples", "100", "--by", "recipient", "-o", old, log],
            &["scan", "--unparsed", old, log],
            &["events", "--state", state, "-o", old, log],
            &["scan", "--by", "recipient", "--state", state, "-o", old, log],
            &["scan", "--baseline", base, "--unparsed", old, log],
        ] {
            let (status, _, error) = taken_apart(&command(args).output().unwrap());
            assert_eq!(status, 2, "{what}: {args:?}: {error}");
            assert!(error.contains("cannot"), "{what}: {args:?}: {error}");
            assert_eq!(fs::read_to_string(old).unwrap(), "old", "{what}: {args:?}");
            assert_eq!(fs::read_to_string(state).unwrap(), "", "{what}: {args:?}");
            let left = others(disk.0.path(), &["old.json", "state", "filler", "base.lock"]);
            assert!(left.is_empty(), "{what}: {args:?}: {left:?}");
        }
    }
}

/// The program as a user who may not do much.
fn as_nobody(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let program = command(args);
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program.get_program()).args(args);
    setpriv.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    taken_apart(&setpriv.current_dir(folder).stdin(Stdio::null()).output().unwrap())
}

#[test]
#[ignore = "needs root and setpriv"]
fn a_permission_that_is_lost_is_an_error_and_changes_nothing() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let folder = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
    let path = folder.path();
    let at = |name: &str| path.join(name);
    let may =
        |name: &str, mode: u32| fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
    for name in ["work", "elsewhere"] {
        fs::create_dir(at(name)).unwrap();
        chown(at(name), Some(65534), Some(65534)).unwrap();
    }
    fs::write(at("mail.log"), (0..1500).map(line).collect::<String>()).unwrap();
    may("mail.log", 0o644);
    let args = [
        "scan",
        "--state",
        "work/state",
        "--baseline",
        "work/base",
        "-o",
        "elsewhere/report.json",
        "mail.log",
    ];
    let (status, _, error) = as_nobody(path, &args);
    assert_eq!(status, 0, "{error}");
    let files = ["work/state", "work/base", "elsewhere/report.json"];
    let contents = |files: &[&str]| files.iter().map(|name| fs::read(at(name)).unwrap()).collect::<Vec<_>>();
    let first = contents(&files);
    fs::write(at("mail.log"), (0..1800).map(line).collect::<String>()).unwrap();
    for (name, lost, kept) in [
        ("mail.log", 0o600, 0o644),
        ("work/state", 0o000, 0o600),
        ("work/base", 0o000, 0o640),
        ("work", 0o500, 0o755),
        ("elsewhere", 0o500, 0o755),
        ("elsewhere", 0o000, 0o755),
    ] {
        let before = contents(&files);
        may(name, lost);
        let (status, _, error) = as_nobody(path, &args);
        may(name, kept);
        assert_eq!(status, 2, "{name}: {error}");
        assert!(error.contains("ermission denied"), "{name}: {error}");
        // A report may say that a log cannot be read.
        let same = if name == "mail.log" { &files[..2] } else { &files[..] };
        assert!(contents(same) == before[..same.len()], "{name} {lost:o}: a file was changed");
        let known = ["state", "base", "base.lock", "report.json"];
        let left: Vec<PathBuf> =
            ["work", "elsewhere"].iter().flat_map(|name| others(&at(name), &known)).collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    }
    assert_eq!(as_nobody(path, &args).0, 0);
    assert!(contents(&files) != first);
}

#[test]
fn a_log_that_became_a_folder_or_a_fifo_is_an_error_and_blocks_nothing() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    let run = |args: &[&str]| taken_apart(&command(args).current_dir(path).output().unwrap());
    fs::write(path.join("mail.log"), line(0)).unwrap();
    assert_eq!(run(&["scan", "--state", "state", "mail.log"]).0, 0);
    let state = fs::read(path.join("state")).unwrap();
    fs::remove_file(path.join("mail.log")).unwrap();
    assert!(Command::new("mkfifo").arg(path.join("mail.log")).status().unwrap().success());
    let (status, _, error) = run(&["scan", "--state", "state", "mail.log"]);
    assert!(status == 2 && error.contains("not a regular file"), "{error}");
    let (status, _, error) = run(&["scan", "--state", "mail.log", "other.log"]);
    assert!(status == 2 && error.contains("not a regular file"), "{error}");
    fs::remove_file(path.join("mail.log")).unwrap();
    fs::create_dir(path.join("mail.log")).unwrap();
    let (status, _, error) = run(&["scan", "--state", "state", "mail.log"]);
    assert!(status == 2 && error.contains("cannot") || error.contains("no mail log"), "{error}");
    assert_eq!(fs::read(path.join("state")).unwrap(), state);
}

#[test]
fn a_full_disk_behind_standard_error_is_an_error_and_no_abort() {
    for args in
        [&["scan", "/nowhere/mail.log"][..], &["trace", "nobody@example.org", "fixtures/postfix/out.log"]]
    {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let status = command(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::null())
            .stderr(full)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_file_of_proc_is_read_although_its_size_is_zero() {
    // Without the kernel's log at hand, any file of /proc with lines does: they are no mail, and they are counted.
    let (status, out, error) =
        taken_apart(&command(&["scan", "--format", "json", "/proc/self/mountinfo"]).output().unwrap());
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(status, 3, "{error}");
    assert!(report["input"]["lines"].as_u64().unwrap() > 0, "{out}");
    let folder = tempdir().unwrap();
    let state = folder.path().join("state");
    let args = ["scan", "--state", state.to_str().unwrap(), "/proc/self/mountinfo"];
    let (status, _, error) = taken_apart(&command(&args).output().unwrap());
    assert!(status == 2 && error.contains("size is unknown"), "{error}");
}
