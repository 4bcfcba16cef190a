//! `smtplog watch`: what is followed counts as what is read at once; the screen is drawn for any size; nothing hostile is shown.

mod common;

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use common::{answer, logs};
use jiff::tz::TimeZone;
use serde_json::Value;
use smtplog::book::Book;
use smtplog::filter::{Filter, Pattern};
use smtplog::input::follow::{Lane, look};
use smtplog::input::listing::list;
use smtplog::input::set::{Progress, Source};
use smtplog::input::tail::Tail;
use smtplog::summary::seed;
use smtplog::turn::{Calendar, Turns};
use smtplog::watch::lookout::{Lookout, Plan};
use smtplog::when::Window;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// Ten hours of mail, and an hour in which one provider wants less of it.
fn stormy() -> String {
    let mut text = String::new();
    for minute in 0..660_u32 {
        let (hour, min) = (6 + minute / 60, minute % 60);
        let many = if minute >= 600 { 40 } else { 3 };
        for at in 0..many {
            let id = format!("{:06X}{:04X}", 0xA0_0000 + minute, at);
            let front = format!("Nov 22 {hour:02}:{min:02}:{:02} mx1 postfix", at * 60 / many);
            let (relay, end) = if at >= 3 {
                (
                    "gmail-smtp-in.l.google.com[192.0.2.9]:25",
                    "dsn=4.7.28, status=deferred (host gmail-smtp-in.l.google.com[192.0.2.9] said: 421 4.7.28 Our system has detected an unusual rate of unsolicited mail (in reply to end of DATA command))",
                )
            } else {
                ("mx.example.com[198.51.100.7]:25", "dsn=2.0.0, status=sent (250 2.0.0 Ok)")
            };
            let _ = writeln!(text, "{front}/smtpd[1]: {id}: client=client.example.org[192.0.2.{at}]");
            let _ = writeln!(
                text,
                "{front}/qmgr[2]: {id}: from=<u{at}@example.org>, size=900, nrcpt=1 (queue active)"
            );
            let _ = writeln!(
                text,
                "{front}/smtp[3]: {id}: to=<r{minute}@d{at}.example.com>, relay={relay}, delay=1, {end}"
            );
            if at < 3 {
                let _ = writeln!(text, "{front}/qmgr[2]: {id}: removed");
            }
        }
    }
    text
}

/// A log that is being written in a folder of its own.
struct Written {
    folder: tempfile::TempDir,
}

impl Written {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        File::create(folder.path().join("mail.log")).unwrap();
        Self { folder }
    }

    fn at(&self, number: usize) -> PathBuf {
        let name = if number == 0 { "mail.log".to_owned() } else { format!("mail.log.{number}") };
        self.folder.path().join(name)
    }

    fn write(&self, text: &[u8]) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.at(0)).unwrap();
        file.write_all(text).unwrap();
    }

    fn shift(&self) {
        for number in (1..40).rev().filter(|&number| self.at(number).exists()) {
            fs::rename(self.at(number), self.at(number + 1)).unwrap();
        }
    }

    fn rename(&self) {
        self.shift();
        fs::rename(self.at(0), self.at(1)).unwrap();
        File::create(self.at(0)).unwrap();
    }

    fn copy_and_cut(&self) {
        self.shift();
        fs::copy(self.at(0), self.at(1)).unwrap();
        File::create(self.at(0)).unwrap();
    }
}

/// What a lookout has made of a log that was written and rotated while it looked.
fn followed(text: &[u8], sources: &[Source], filter: &Filter, dice: &mut Dice) -> (Value, Value, u64) {
    let (book, progress, seed) = (Book::built_in(), Progress::default(), seed());
    let early = filter.of_any_sender();
    let window = Window::default();
    let plan = Plan { sources, book: &book, filter, early: &early, window, progress: &progress, seed: &seed };
    let now = "2026-11-23T00:00:00Z".parse().unwrap();
    let calendar = Calendar { zone: TimeZone::UTC, year: Some(2026), now, turns: Turns::default() };
    let mut lookout = Lookout::new(plan, calendar);
    lookout.set_clock(now);
    let log = Written::new();
    let mut lanes = [Lane::File(Tail::new(log.at(0), 0, 0))];
    let mut see = || {
        let mut tell = |block: &smtplog::input::block::Block| lookout.take(block);
        loop {
            let looked = look(&mut lanes, &mut tell);
            assert!(looked.troubles.is_empty());
            if !looked.more {
                break;
            }
        }
    };
    see();
    let mut rest = text;
    while !rest.is_empty() {
        let length = (dice.roll(text.len() / 20 + 2) + 1).min(rest.len());
        let (mut piece, mut after) = rest.split_at(length);
        let turn = dice.roll(4);
        if turn < 2 {
            // A log is not rotated in the middle of a line.
            let end = after.iter().position(|&byte| byte == b'\n').map_or(after.len(), |at| at + 1);
            (piece, after) = rest.split_at(length + end);
        }
        log.write(piece);
        rest = after;
        if dice.roll(3) > 0 {
            see();
        }
        match turn {
            0 => log.rename(),
            1 => {
                // What is copied before anybody has looked at the log cannot be told from another.
                see();
                log.write(b"");
                log.copy_and_cut();
            }
            _ => {}
        }
    }
    see();
    // The last line of a log may lack its newline; one that is being written is not over then.
    if !text.ends_with(b"\n") {
        log.write(b"\n");
        see();
    }
    let whole = serde_json::to_value(lookout.whole()).unwrap();
    let storms = serde_json::to_value(lookout.storms(None)).unwrap();
    (whole, storms, lookout.coverage.filtered)
}

/// What can be counted from line to line, and the attempts of each row.
fn counted(report: &Value) -> Vec<String> {
    let totals = &report["totals"];
    let sums = ["outbound", "local", "inbound", "host_attempts", "probes", "hops"];
    let mut counted: Vec<String> = sums.iter().map(|sum| format!("{sum} {}", totals[sum])).collect();
    let words = ["direction", "outcome", "code", "enhanced", "class", "reason", "retryable", "attempts"];
    let mut rows: Vec<String> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| words.iter().map(|word| format!("{} ", row[word])).collect())
        .collect();
    rows.sort();
    counted.extend(rows);
    let input = &report["input"];
    counted.extend(["lines", "mail", "understood"].map(|sum| format!("{sum} {}", input[sum])));
    counted
}

fn same(path: &Path, filter: &Filter, options: &[&str], dice: &mut Dice) {
    let text = fs::read(path).unwrap();
    let sources = list(&[path.to_owned()], false, None).sources;
    let (whole, storms, _) = followed(&text, &sources, filter, dice);
    let name = path.to_str().unwrap();
    let args = ["--format", "json", "--tz", "UTC", "--year", "2026", "--now", "2026-11-23T00:00:00Z"];
    let scanned = answer(&[&["scan"], &args[..], options, &[name]].concat()).0;
    let scanned: Value = serde_json::from_str(&scanned).unwrap();
    assert_eq!(counted(&whole), counted(&scanned), "{name} {options:?}");
    let found = answer(&[&["storm", "-n", "0"], &args[..], options, &[name]].concat()).0;
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(storms, found["storms"], "{name} {options:?}");
}

#[test]
fn what_is_followed_in_pieces_over_rotations_counts_as_what_is_read_at_once() {
    let mut dice = Dice(1);
    for log in logs() {
        for _ in 0..3 {
            same(&log, &Filter::default(), &[], &mut dice);
        }
    }
}

#[test]
fn a_storm_that_is_followed_is_the_one_that_storm_finds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.log");
    fs::write(&path, stormy()).unwrap();
    let mut dice = Dice(7);
    for _ in 0..2 {
        same(&path, &Filter::default(), &[], &mut dice);
    }
    let found = answer(&["storm", "--tz", "UTC", "--year", "2026", path.to_str().unwrap()]).0;
    assert!(found.contains("STORM 1"), "{found}");
    let senders: Vec<Pattern> = vec!["u5@example.org".parse().unwrap()];
    let filter = Filter { senders, words: vec!["--from u5@example.org".to_owned()], ..Filter::default() };
    same(&path, &filter, &["--from", "u5@example.org"], &mut dice);
}
