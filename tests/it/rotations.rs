//! Runs `--state` beside a busy writer and a real logrotate: no line is lost, and none is read twice, except after a kill.

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

/// How often the runs printed each line, by its number.
#[derive(Default)]
struct Told(BTreeMap<u64, u64>);

impl Told {
    /// False: it is no whole answer.
    fn take(&mut self, answer: &[u8]) -> bool {
        let Ok(report) = serde_json::from_slice::<Value>(answer) else { return false };
        for row in report["groups"]["rows"].as_array().unwrap() {
            let name = row["keys"]["recipient"].as_str().unwrap();
            let number = name.strip_prefix('a').and_then(|name| name.split('@').next()).unwrap();
            *self.0.entry(number.parse().unwrap()).or_default() += row["events"].as_u64().unwrap();
        }
        true
    }
}

fn scan(folder: &Path) -> Command {
    let mut scan =
        command(&["scan", "--format", "json", "--by", "recipient", "--state", "state", "mail.log"]);
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

/// Rotates so often, while one thread writes and another runs `smtplog scan --state`; `kills`: some runs are killed.
fn drill(way: Way, rotations: usize, kills: bool, dice: &mut Dice) {
    let folder = tempdir().unwrap();
    let (path, log) = (folder.path(), folder.path().join("mail.log"));
    let config = path.join("logrotate.conf");
    fs::write(&config, configuration(way, &log)).unwrap();
    let writer = Writer::new(log);
    drop(writer.open());
    let ended = AtomicBool::new(false);
    let (mut told, mut killed, mut runs) = (Told::default(), 0, 0);
    let seeds = [dice.below(u64::MAX) | 1, dice.below(u64::MAX) | 1];
    // What was rotated away before the first run that ends, nobody knows of.
    assert!(told.take(&scan(path).output().unwrap().stdout));
    std::thread::scope(|scope| {
        let stop = Stop([&writer.ended, &ended]);
        scope.spawn(|| writer.write(Dice(seeds[0])));
        let reader = scope.spawn(|| {
            let mut dice = Dice(seeds[1]);
            while !ended.load(Ordering::Relaxed) {
                let mut child = scan(path).spawn().unwrap();
                if kills && dice.below(2) == 0 {
                    std::thread::sleep(Duration::from_micros(dice.below(30_000)));
                    child.kill().unwrap();
                }
                let output = child.wait_with_output().unwrap();
                runs += 1;
                if output.status.code().is_none() {
                    killed += 1;
                } else {
                    let error = String::from_utf8_lossy(&output.stderr);
                    assert!(
                        output.status.success() && error.is_empty(),
                        "{way:?}: {}: {error}",
                        output.status
                    );
                }
                let whole = told.take(&output.stdout);
                assert!(whole || output.status.code().is_none(), "half an answer");
            }
        });
        for _ in 0..rotations {
            // The names that dates make differ by seconds.
            let least = if way == Way::DateExt { 1010 } else { 0 };
            std::thread::sleep(Duration::from_millis(least + dice.below(60)));
            let paused = match way {
                // What is written between the copy and the cut, or into what was compressed, logrotate itself loses.
                Way::Compress | Way::CopyTruncate | Way::CopyTruncateCompress => {
                    Some(writer.pause.lock().unwrap())
                }
                Way::Create | Way::DelayCompress | Way::DateExt => None,
            };
            let mut logrotate = Command::new("logrotate");
            logrotate.arg("--force").arg("--state").arg(path.join("rotated")).arg(&config);
            let output = logrotate.env("PATH", PATH).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
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
    let output = scan(path).output().unwrap();
    assert!(told.take(&output.stdout), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = *writer.pause.lock().unwrap();
    let missing: Vec<u64> = (0..lines).filter(|number| !told.0.contains_key(number)).collect();
    assert!(missing.is_empty(), "{way:?}: {} of {lines} lines are missing: {missing:?}", missing.len());
    let twice = told.0.values().filter(|&&count| count > 1).count();
    assert!(killed > 0 || twice == 0, "{way:?}: {twice} of {lines} lines were read twice");
    let parts = fs::read_dir(path).unwrap().count() - 4;
    println!("{way:?}: {lines} lines, {parts} parts, {runs} runs, {killed} killed, {twice} lines twice");
    assert!(runs > 2 && lines > 10);
}

/// Ends the other threads, also when a test fails.
struct Stop<'a>([&'a AtomicBool; 2]);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.iter().for_each(|ended| ended.store(true, Ordering::Relaxed));
    }
}

const PATH: &str = "/usr/sbin:/sbin:/usr/bin:/bin";

#[test]
#[ignore = "needs logrotate"]
fn nothing_is_lost_and_nothing_read_twice_whatever_logrotate_does() {
    let mut dice = Dice::new();
    for (way, rotations) in [
        (Way::Create, 10),
        (Way::DelayCompress, 10),
        (Way::Compress, 8),
        (Way::CopyTruncate, 10),
        (Way::CopyTruncateCompress, 8),
        (Way::DateExt, 4),
    ] {
        drill(way, rotations, false, &mut dice);
    }
}

#[test]
#[ignore = "needs logrotate"]
fn a_run_that_is_killed_loses_nothing() {
    let mut dice = Dice::new();
    for way in [Way::Create, Way::DelayCompress, Way::CopyTruncate] {
        drill(way, 6, true, &mut dice);
    }
}
