//! Looks for logs that give different answers when they are read in different ways: joins and changes lines of the fixtures.
//!
//! `differential SECONDS [SEED] [FOLDER]` stops after so many seconds, prints what it found, and writes each log, with as few
//! lines as possible, to FOLDER. The same seed tries the same logs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, panic};

use smtplog_fuzz::ways::difference;

/// xorshift64* (Marsaglia 2003, Vigna 2016).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// The lines of every fixture and seed.
fn logs(root: &Path) -> Vec<Vec<Vec<u8>>> {
    let folders =
        ["fixtures/postfix", "fixtures/exim", "fixtures/sendmail", "fixtures/opensmtpd", "fuzz/seeds/log"];
    let files = folders.iter().filter_map(|folder| fs::read_dir(root.join(folder)).ok()).flatten();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("a folder can be read").path()).collect();
    files.sort();
    let is_log = |path: &&PathBuf| path.extension().is_none_or(|end| end == "log");
    let read = |path: &PathBuf| fs::read(path).expect("a fixture can be read");
    let lines = |text: Vec<u8>| text.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    files.iter().filter(is_log).map(read).map(lines).collect()
}

/// Lines that say something about other lines, or that begin like no line.
const EXTRA: [&str; 8] = [
    "Nov 22 05:33:54 mx1 postfix/smtp[12]: message repeated 3 times: [ connect to mx.example.org[192.0.2.1]:25: Connection refused]\n",
    "Nov 22 05:33:55 mx1 last message repeated 2 times\n",
    "Jan  1 00:00:01 mx1 postfix/qmgr[7]: 4jXCsJ3c7Hz7j9M: removed\n",
    "Dec 31 23:59:59 mx1 postfix/smtp[7]: 4jXCsJ3c7Hz7j9M: to=<a@example.org>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (connect to mx.example.org[192.0.2.1]:25: Connection timed out)\n",
    "0001-01-01T00:00:00Z mx1 postfix/qmgr[7]: 4jXCsJ3c7Hz7j9M: removed\n",
    "1970-01-01T00:00:07Z mx1 postfix/smtp[7]: 4jXCsJ3c7Hz7j9M: to=<a@example.org>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (connect to mx.example.org[192.0.2.1]:25: Connection timed out)\n",
    "\n",
    "    continued\n",
];

/// A log of one to three parts of the fixtures, with a few changes.
fn log(random: &mut Random, logs: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for _ in 0..=random.below(3) {
        let whole = random.one_of(logs);
        let from = random.below(whole.len());
        lines.extend(whole.iter().skip(from).take(1 + random.below(120)).cloned());
    }
    for _ in 0..random.below(12) {
        let at = random.below(lines.len());
        let other = random.below(lines.len());
        match random.below(9) {
            0 => lines.swap(at, other),
            1 => lines.insert(at, lines[other].clone()),
            2 => lines.insert(at, random.one_of(&EXTRA).as_bytes().to_vec()),
            3 => drop(lines.remove(at)),
            4 => lines.rotate_left(at),
            5 => {
                // Cut off, as by syslog.
                let length = random.below(lines[at].len());
                lines[at].truncate(length);
                lines[at].push(b'\n');
            }
            6 => {
                let length = lines[at].len();
                lines[at][random.below(length)] = *random.one_of(b" <>[]:;=\"\\0\x00\xff9,");
            }
            7 => {
                // One line continues with another.
                let tail = lines[other].clone();
                let length = random.below(lines[at].len());
                lines[at].truncate(length);
                lines[at].extend(tail.iter().skip(random.below(tail.len())));
            }
            _ => {
                let (from, to) = (at.min(other), at.max(other));
                lines[from..to].reverse();
            }
        }
        if lines.is_empty() {
            break;
        }
    }
    lines.concat()
}

/// The fewest lines of the log that still have a difference (delta debugging: Zeller and Hildebrandt, 2002).
fn shrunk(log: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = log.split_inclusive(|&byte| byte == b'\n').collect();
    let mut size = lines.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < lines.len() {
            let rest: Vec<&[u8]> =
                lines.iter().take(from).chain(lines.iter().skip(from + size)).copied().collect();
            if difference(&rest.concat()).is_some() {
                lines = rest;
            } else {
                from += size;
            }
        }
        size /= 2;
    }
    lines.concat()
}

fn main() {
    let mut arguments = env::args().skip(1);
    let seconds = arguments
        .next()
        .and_then(|seconds| seconds.parse().ok())
        .expect("usage: differential SECONDS [SEED] [FOLDER]");
    let seed: u64 = arguments.next().map_or(1, |seed| seed.parse().expect("the seed is a number"));
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "differences".to_owned()));
    let logs = logs(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut tried, mut found) = (0_u64, 0_u64);
    while Instant::now() < end {
        let number = seed.wrapping_mul(1_000_003).wrapping_add(tried);
        let mut random = Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let log = log(&mut random, &logs);
        tried += 1;
        let what = panic::catch_unwind(|| difference(&log)).unwrap_or_else(|_| Some("panic".to_owned()));
        let Some(what) = what else { continue };
        found += 1;
        fs::create_dir_all(&folder).expect("the folder can be made");
        let file = folder.join(format!("{number}.log"));
        let small = if what == "panic" { log } else { shrunk(&log) };
        fs::write(&file, &small).expect("there is space for a small file");
        println!("{what}: {}", file.display());
    }
    println!("{tried} logs tried, {found} with differences");
}
