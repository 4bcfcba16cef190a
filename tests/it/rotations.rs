//! Runs `--state` beside a busy writer and rotations of the log, and kills it: no line is lost, and none is read twice.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::support::command;
use serde_json::Value;
use tempfile::tempdir;

/// Numbers that are the same again for the same seed (xorshift).
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
        let seed =
            std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(u64::from(nanos) | 1);
        println!("SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn line(number: u64) -> String {
    let (code, status) = [
        ("250 2.0.0 Ok", "sent"),
        ("452 4.2.2 Mailbox full", "deferred"),
        ("550 5.1.1 No such user", "bounced"),
    ][number as usize % 3];
    format!(
        "Nov 22 03:04:05 mx1 postfix/smtp[12]: {number:08X}AB: to=<a{number}@example.org>, \
         relay=mx.example.org[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn={}, status={status} \
         (host mx.example.org[192.0.2.1] said: {code} (in reply to RCPT TO command))\n",
        &code[4..9]
    )
}

/// What a daemon does: it writes whole lines and half ones to the file that it opened, and opens the log anew only when
/// it is told to.
struct Writer {
    log: PathBuf,
    ended: AtomicBool,
    /// How often it was told, and how often it did.
    told: AtomicU64,
    did: AtomicU64,
    /// The holder of the lock stops the writer between two lines.
    pause: Mutex<u64>,
}

impl Writer {
    fn new(log: PathBuf) -> Self {
        let pause = Mutex::new(0);
        Self { log, ended: AtomicBool::new(false), told: AtomicU64::new(0), did: AtomicU64::new(0), pause }
    }

    fn open(&self) -> File {
        File::options().append(true).create(true).open(&self.log).unwrap()
    }

    fn write(&self, mut dice: Dice) {
        let mut file = self.open();
        while !self.ended.load(Ordering::Relaxed) {
            let mut next = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
            let told = self.told.load(Ordering::Relaxed);
            if told != self.did.load(Ordering::Relaxed) {
                file = self.open();
                self.did.store(told, Ordering::Relaxed);
            }
            for _ in 0..=dice.below(5) {
                let line = line(*next);
                *next += 1;
                let (first, rest) = line.split_at(dice.below(line.len() as u64) as usize);
                file.write_all(first.as_bytes()).unwrap();
                if dice.below(4) == 0 {
                    std::thread::sleep(Duration::from_micros(dice.below(3000)));
                }
                file.write_all(rest.as_bytes()).unwrap();
            }
            drop(next);
            std::thread::sleep(Duration::from_micros(500 + dice.below(2000)));
        }
    }

    fn reopen(&self) {
        let told = self.told.fetch_add(1, Ordering::Relaxed) + 1;
        while self.did.load(Ordering::Relaxed) < told {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// How often the reports of all runs have each line, by its number.
#[derive(Default)]
struct Told(BTreeMap<u64, u64>);

impl Told {
    /// Takes all reports in a folder, each of which must be whole. A killed run may leave one that has no name yet.
    fn of(reports: &Path, killed: usize) -> Self {
        let mut told = Self::default();
        let mut left = 0;
        for entry in fs::read_dir(reports).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none() {
                left += 1;
                assert!(left <= killed, "{} was left behind", path.display());
                continue;
            }
            let report: Value = serde_json::from_slice(&fs::read(&path).unwrap()).expect("half a report");
            for row in report["groups"]["rows"].as_array().unwrap() {
                let name = row["keys"]["recipient"].as_str().unwrap();
                let number = name.strip_prefix('a').and_then(|name| name.split('@').next()).unwrap();
                *told.0.entry(number.parse().unwrap()).or_default() += row["events"].as_u64().unwrap();
            }
        }
        told
    }
}

/// A run that writes a report of its own. Report and state are committed at once, so also a killed run has either both
/// or none of them, once the next run has put the report into its place.
fn scan(folder: &Path, number: usize) -> Command {
    let report = format!("reports/{number}.json");
    let mut scan = command(&["scan", "--by", "recipient", "--state", "state", "-o", &report, "mail.log"]);
    scan.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    scan
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Way {
    Create,
    DelayCompress,
    Compress,
    CopyTruncate,
    CopyTruncateCompress,
    DateExt,
}

fn configuration(way: Way, log: &Path) -> String {
    let how = match way {
        Way::Create => "create",
        Way::DelayCompress => "create\n compress\n delaycompress",
        Way::Compress => "create\n compress",
        Way::CopyTruncate => "copytruncate",
        Way::CopyTruncateCompress => "copytruncate\n compress",
        Way::DateExt => "create\n dateext\n dateformat -%Y%m%d-%s",
    };
    format!("{} {{\n rotate 1000\n missingok\n {how}\n}}\n", log.display())
}

/// Who rotates the log.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Rotator {
    Logrotate,
    /// The steps of logrotate with more time in between.
    Steps,
}

/// Moves `mail.log.N` to the next number, also compressed.
fn shift(folder: &Path) {
    for number in (1..1000).rev() {
        for end in ["", ".gz"] {
            let [from, to] =
                [number, number + 1].map(|number| folder.join(format!("mail.log.{number}{end}")));
            if from.exists() {
                fs::rename(from, to).unwrap();
            }
        }
    }
}

/// Makes the new log, unless the writer was faster: what it wrote must stay.
fn create(log: &Path) {
    File::options().append(true).create(true).open(log).unwrap();
}

fn compress(path: &Path) {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&fs::read(path).unwrap()).unwrap();
    let to = PathBuf::from(format!("{}.gz", path.display()));
    fs::write(to, packed.finish().unwrap()).unwrap();
    fs::remove_file(path).unwrap();
}

fn rotate(way: Way, folder: &Path, dice: &mut Dice) {
    let (log, first) = (folder.join("mail.log"), folder.join("mail.log.1"));
    let mut wait = || std::thread::sleep(Duration::from_micros(dice.below(8000)));
    match way {
        Way::Create | Way::Compress | Way::DelayCompress => {
            shift(folder);
            if way == Way::DelayCompress && folder.join("mail.log.2").exists() {
                compress(&folder.join("mail.log.2"));
            }
            fs::rename(&log, &first).unwrap();
            wait();
            create(&log);
            wait();
            if way == Way::Compress {
                compress(&first);
            }
        }
        Way::CopyTruncate | Way::CopyTruncateCompress => {
            shift(folder);
            fs::copy(&log, &first).unwrap();
            wait();
            File::options().write(true).truncate(true).open(&log).unwrap();
            wait();
            if way == Way::CopyTruncateCompress {
                compress(&first);
            }
        }
        Way::DateExt => {
            // As long as seconds, which logrotate puts there, and different each time.
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            let number = now.as_millis() % 10_000_000_000;
            fs::rename(&log, folder.join(format!("mail.log-20261122-{number:010}"))).unwrap();
            wait();
            create(&log);
        }
    }
}

fn logrotate(folder: &Path, config: &Path) {
    let mut logrotate = Command::new("logrotate");
    logrotate.arg("--force").arg("--state").arg(folder.join("rotated")).arg(config);
    let output = logrotate.env("PATH", PATH).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What a drill has done.
#[derive(Default, Debug)]
struct Done {
    rotations: usize,
    lines: u64,
    runs: usize,
    killed: usize,
}

/// Rotates so often, while one thread writes and another runs `smtplog scan --state`; `kills`: half of the runs are killed.
fn drill(way: Way, by: Rotator, rotations: usize, kills: bool, dice: &mut Dice) -> Done {
    let folder = tempdir().unwrap();
    let (path, log) = (folder.path(), folder.path().join("mail.log"));
    fs::create_dir(path.join("reports")).unwrap();
    let config = path.join("logrotate.conf");
    fs::write(&config, configuration(way, &log)).unwrap();
    let writer = Writer::new(log);
    drop(writer.open());
    let ended = AtomicBool::new(false);
    let (mut killed, mut runs) = (0, 1);
    let seeds = [dice.below(u64::MAX) | 1, dice.below(u64::MAX) | 1];
    // What was rotated away before the first run that ends, nobody knows of.
    assert!(scan(path, 0).output().unwrap().status.success());
    std::thread::scope(|scope| {
        let stop = Stop([&writer.ended, &ended]);
        scope.spawn(|| writer.write(Dice(seeds[0])));
        let reader = scope.spawn(|| {
            let mut dice = Dice(seeds[1]);
            while !ended.load(Ordering::Relaxed) {
                let mut child = scan(path, runs).spawn().unwrap();
                if kills && dice.below(2) == 0 {
                    std::thread::sleep(Duration::from_micros(dice.below(60_000)));
                    child.kill().unwrap();
                }
                let output = child.wait_with_output().unwrap();
                runs += 1;
                if output.status.code().is_none() {
                    killed += 1;
                } else {
                    let error = String::from_utf8_lossy(&output.stderr);
                    // Ten rotations in one run happen in no other place.
                    let is_restless = error.contains("it was truncated again each time");
                    assert!(
                        output.status.success() && error.is_empty() || is_restless,
                        "{way:?}: {}: {error}",
                        output.status
                    );
                }
            }
        });
        for _ in 0..rotations {
            assert!(!reader.is_finished(), "the reader failed");
            // The names that logrotate makes of dates differ by seconds.
            let least = if (way, by) == (Way::DateExt, Rotator::Logrotate) { 1010 } else { 0 };
            std::thread::sleep(Duration::from_millis(least + dice.below(60)));
            let paused = match way {
                // What is written between the copy and the cut, or into what was compressed, logrotate itself loses.
                Way::Compress | Way::CopyTruncate | Way::CopyTruncateCompress => {
                    Some(writer.pause.lock().unwrap())
                }
                Way::Create | Way::DelayCompress | Way::DateExt => None,
            };
            match by {
                Rotator::Logrotate => logrotate(path, &config),
                Rotator::Steps => rotate(way, path, dice),
            }
            if way == Way::Compress {
                writer.told.fetch_add(1, Ordering::Relaxed);
            }
            let was_paused = paused.is_some();
            drop(paused);
            if !was_paused {
                std::thread::sleep(Duration::from_millis(dice.below(20)));
                writer.reopen();
            }
        }
        drop(stop);
        reader.join().unwrap();
    });
    let output = scan(path, runs).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = Told::of(&path.join("reports"), killed);
    let lines = *writer.pause.lock().unwrap();
    let missing: Vec<u64> = (0..lines).filter(|number| !told.0.contains_key(number)).collect();
    assert!(missing.is_empty(), "{way:?}: {} of {lines} lines are missing: {missing:?}", missing.len());
    let twice: Vec<&u64> = told.0.iter().filter(|(_, count)| **count > 1).map(|(number, _)| number).collect();
    assert!(twice.is_empty(), "{way:?}: {} of {lines} lines were read twice: {twice:?}", twice.len());
    assert!(lines > 3);
    let done = Done { rotations, lines, runs: runs + 1, killed };
    println!("{way:?} by {by:?}: {done:?}, 0 lines missing, 0 twice");
    done
}

/// Ends the other threads, also when a test fails.
struct Stop<'a>([&'a AtomicBool; 2]);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.iter().for_each(|ended| ended.store(true, Ordering::Relaxed));
    }
}

const PATH: &str = "/usr/sbin:/sbin:/usr/bin:/bin";

const WAYS: [Way; 6] = [
    Way::Create,
    Way::DelayCompress,
    Way::Compress,
    Way::CopyTruncate,
    Way::CopyTruncateCompress,
    Way::DateExt,
];

#[test]
fn nothing_is_lost_and_nothing_read_twice_in_any_way_of_rotation() {
    let mut dice = Dice::new();
    for way in WAYS {
        drill(way, Rotator::Steps, 4, way == Way::CopyTruncate, &mut dice);
    }
}

#[test]
#[ignore = "needs logrotate"]
fn nothing_is_lost_and_nothing_read_twice_whatever_logrotate_does() {
    let mut dice = Dice::new();
    for way in WAYS {
        drill(way, Rotator::Logrotate, if way == Way::DateExt { 4 } else { 10 }, false, &mut dice);
    }
}

#[test]
#[ignore = "needs logrotate"]
fn a_run_that_is_killed_loses_nothing_and_reads_nothing_twice() {
    let mut dice = Dice::new();
    for way in [Way::Create, Way::DelayCompress, Way::CopyTruncate] {
        drill(way, Rotator::Logrotate, 6, true, &mut dice);
    }
}

/// Takes a quarter of an hour and more: 2,000 rotations, or SMTPLOG_ROTATIONS. Prints its figures with `--nocapture`.
#[test]
#[ignore = "needs logrotate and a quarter of an hour"]
fn rotations_and_kills_without_end() {
    let wanted: usize = std::env::var("SMTPLOG_ROTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(2000);
    let mut dice = Dice::new();
    let mut all = Done::default();
    while all.rotations < wanted {
        for by in [Rotator::Logrotate, Rotator::Steps] {
            for way in WAYS {
                let rotations = if (way, by) == (Way::DateExt, Rotator::Logrotate) { 5 } else { 25 };
                let done = drill(way, by, rotations, true, &mut dice);
                all.rotations += done.rotations;
                all.lines += done.lines;
                all.runs += done.runs;
                all.killed += done.killed;
            }
        }
        println!("so far: {all:?}");
    }
}
