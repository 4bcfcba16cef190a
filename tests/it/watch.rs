//! Checks `smtplog watch`: it counts like `scan`, draws any size of screen, and shows nothing hostile.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::{self, answer, logs};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use rustix::process::{Pid, Signal};
use serde_json::Value;
use smtplog::internals::catalog::Catalog;
use smtplog::internals::catalog::translation::Translations;
use smtplog::internals::collections::seed::seed;
use smtplog::internals::input::discover::list;
use smtplog::internals::input::follow::tail::FileTail;
use smtplog::internals::input::follow::{FollowedSource, poll};
use smtplog::internals::input::read::block::Block;
use smtplog::internals::input::read::{Progress, Source};
use smtplog::internals::input::rotation::LogNames;
use smtplog::internals::pipeline::calendar::{Calendar, TimeResolution};
use smtplog::internals::pipeline::filter::{self, Filter, FilterArgs};
use smtplog::internals::pipeline::time_range::TimeRange;
use smtplog::internals::render::text::page::TextStyle;
use smtplog::internals::report::Row;
use smtplog::internals::report::storm::StormPattern;
use smtplog::internals::watch::alerts::{AlertChange, KnownStorms};
use smtplog::internals::watch::draw::draw;
use smtplog::internals::watch::keys::KeyPress;
use smtplog::internals::watch::monitor::{Monitor, MonitorOptions};
use smtplog::internals::watch::screen::{Screen, identity};
use smtplog::internals::watch::view::view;

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

/// The report of a monitor that followed a log while it was written and rotated.
fn followed(text: &[u8], sources: &[Source], filter: &Filter, dice: &mut Dice) -> (Value, Value, u64) {
    let (book, progress, seed) = (Catalog::built_in(), Progress::default(), seed());
    let window = TimeRange::default();
    let plan =
        MonitorOptions { sources, book: &book, filter, range: window, progress: &progress, seed: &seed };
    let now = "2026-11-23T00:00:00Z".parse().unwrap();
    let calendar =
        Calendar { zone: TimeZone::UTC, year: Some(2026), now, resolution: TimeResolution::default() };
    let mut lookout = Monitor::new(plan, calendar);
    lookout.set_clock(now);
    let log = Written::new();
    let mut lanes = [FollowedSource::File(FileTail::new(log.at(0), 0, 0))];
    let mut see = || {
        let mut tell = |block: &Block| lookout.take(block);
        loop {
            let looked = poll(&mut lanes, &mut tell);
            assert!(looked.failures.is_empty());
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
        .map(|row| words.map(|word| row[word].to_string()).join(" "))
        .collect();
    rows.sort();
    counted.extend(rows);
    let input = &report["input"];
    counted.extend(["lines", "mail", "understood"].map(|sum| format!("{sum} {}", input[sum])));
    counted
}

fn same(path: &Path, filter: &Filter, options: &[&str], dice: &mut Dice) {
    let text = fs::read(path).unwrap();
    let names = LogNames { by_server: &[], repeated: |_| None };
    let sources = list(&[path.to_owned()], false, None, &names).sources;
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
    for seed in 1..=3 {
        let mut dice = Dice(seed);
        for log in logs() {
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
    let senders: Vec<filter::TextPattern> = vec!["u5@example.org".parse().unwrap()];
    let filter = FilterArgs { from: senders, ..FilterArgs::default() }.resolve(&Catalog::built_in()).unwrap();
    same(&path, &filter, &["--from", "u5@example.org"], &mut dice);
}

/// Asks a monitor that has read `text`.
pub(crate) fn watched<T>(text: &[u8], ask: impl FnOnce(&mut Monitor) -> T) -> T {
    let (book, progress, seed, filter) =
        (Catalog::built_in(), Progress::default(), seed(), Filter::default());
    let window = TimeRange::default();
    let plan = MonitorOptions {
        sources: &[],
        book: &book,
        filter: &filter,
        range: window,
        progress: &progress,
        seed: &seed,
    };
    let now = "2026-11-23T00:00:00Z".parse().unwrap();
    let calendar =
        Calendar { zone: TimeZone::UTC, year: Some(2026), now, resolution: TimeResolution::default() };
    let mut monitor = Monitor::new(plan, calendar);
    monitor.set_clock(now);
    monitor.take(&Block { file: 0, offset: 0, before: b"", lines: text });
    ask(&mut monitor)
}

/// The screen of a log, as text: at the minute of its last line.
fn screen_of(text: &[u8], press: &[KeyPress]) -> Screen {
    let mut screen = watched(text, |monitor| {
        let minute = monitor.coverage.minutes.map(|(_, last)| last);
        let storms = monitor.storms(minute);
        let mut screen = Screen::new(Translations::default());
        screen.view = view(monitor, minute, &storms);
        screen
    });
    "mail.log".clone_into(&mut screen.view.name);
    for key in press {
        assert!(screen.press(*key));
    }
    screen
}

fn plain(color: bool, unicode: bool) -> TextStyle {
    let words = Translations::default();
    let (tag, top, reverse, who, took) = ("en".to_owned(), 0, false, false, None);
    let (rows, codes, input) = (None, false, String::new());
    TextStyle { width: 80, color, unicode, words, tag, top, rows, codes, input, reverse, who, took }
}

/// A frame, line by line, and whether any of it has a colour or the like.
fn frame(screen: &Screen, look: &TextStyle, width: u16, height: u16) -> (String, bool) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, screen, look)).unwrap();
    let buffer = terminal.backend().buffer();
    let is_styled =
        buffer.content().iter().any(|cell| cell.style() != ratatui::buffer::Cell::default().style());
    let rows = buffer.content().chunks(usize::from(width));
    let line = |row: &[ratatui::buffer::Cell]| {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        format!("{}\n", line.trim_end())
    };
    (rows.map(line).collect(), is_styled)
}

#[test]
fn the_screen_is_as_recorded() {
    let text = stormy();
    for (width, height, press) in [
        (80, 24, &[][..]),
        (100, 30, &[KeyPress::Tab]),
        (40, 10, &[KeyPress::Down, KeyPress::Up]),
        (80, 10, &[KeyPress::Char('?')]),
    ] {
        let screen = screen_of(text.as_bytes(), press);
        let (shown, is_styled) = frame(&screen, &plain(false, true), width, height);
        assert!(!is_styled, "colours without being asked for");
        assert!(frame(&screen, &plain(true, true), width, height).1, "no colours");
        let golden = support::root().join(format!("fixtures/watch/{width}x{height}.txt"));
        if std::env::var_os("SMTPLOG_BLESS").is_some() {
            fs::create_dir_all(golden.parent().unwrap()).unwrap();
            fs::write(&golden, &shown).unwrap();
        }
        assert_eq!(shown, fs::read_to_string(&golden).unwrap_or_default(), "{}", golden.display());
    }
}

#[test]
fn any_size_of_screen_is_drawn() {
    let mut screen = screen_of(stormy().as_bytes(), &[]);
    for press in [KeyPress::Tab, KeyPress::Char('?'), KeyPress::Char('/'), KeyPress::Char('x')] {
        for width in [1, 2, 3, 7, 20, 39, 40, 60, 79, 80, 120, 300] {
            for height in [1, 2, 3, 4, 5, 8, 9, 10, 15, 16, 17, 24, 60] {
                frame(&screen, &plain(true, false), width, height);
            }
        }
        screen.press(press);
    }
}

#[test]
fn what_a_log_says_cannot_reach_the_terminal() {
    let hostile = "Nov 22 16:59:59 mx1 postfix/smtp[3]: A000000001: to=<a@\u{1b}[2Jx\u{202e}y\u{9b}.example.org>, \
        relay=mx.example.com[198.51.100.7]:25, delay=1, dsn=5.1.1, status=bounced (host mx.example.com[198.51.100.7] said: \
        550 5.1.1 \u{1b}[31mno \u{200b}such user (in reply to RCPT TO command))\n";
    let text = format!("{}{}", stormy(), hostile.repeat(300));
    for press in [&[][..], &[KeyPress::Tab], &[KeyPress::Down]] {
        let screen = screen_of(text.as_bytes(), press);
        let (shown, _) = frame(&screen, &plain(true, true), 200, 60);
        assert!(shown.contains("\\x1b"), "{shown}");
        let hidden = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{200b}' | '\u{202e}'));
        assert!(!shown.contains(hidden), "{shown:?}");
    }
}

#[test]
fn the_filter_and_the_selection_stay_with_what_they_were_put_on() {
    let text = fs::read(support::fixture("postfix/out.log")).unwrap();
    let mut screen = screen_of(&text, &[]);
    let all = screen.rows().len();
    assert!(all > 5, "{all}");
    screen.press(KeyPress::Down);
    screen.press(KeyPress::Down);
    let chosen = identity(&screen.rows()[2].row);
    screen.view.rows.reverse();
    assert_eq!(identity(&screen.rows()[screen.selected_row()].row), chosen);
    for (typed, fits) in [("552", "552"), ("4xx", "4"), ("mailbox-full", ""), ("5.1.*", "5.1.")] {
        screen.press(KeyPress::Escape);
        screen.press(KeyPress::Char('/'));
        for sign in typed.chars() {
            screen.press(KeyPress::Char(sign));
        }
        screen.press(KeyPress::Enter);
        let rows = screen.rows();
        assert!(!rows.is_empty() && rows.len() < all, "{typed}: {} of {all}", rows.len());
        let is_of = |row: &Row| {
            let codes = [row.code.map(|code| code.to_string()), row.enhanced.map(|code| code.to_string())];
            codes.iter().flatten().any(|code| code.starts_with(fits))
        };
        assert!(rows.iter().all(|growing| is_of(&growing.row)), "{typed}");
    }
    screen.press(KeyPress::Char('/'));
    screen.press(KeyPress::Char('q'));
    screen.press(KeyPress::Escape);
    assert_eq!(screen.filter, "5.1.*");
    assert!(!screen.press(KeyPress::Char('q')));
    assert!(!screen.press(KeyPress::Interrupt));
}

/// A message that is delivered in this minute of 22 November.
fn well(minute: u32, at: u32) -> String {
    let front = format!("Nov 22 {:02}:{:02}:01 mx1 postfix", minute / 60, minute % 60);
    let id = format!("B{minute:05}{at}");
    format!(
        "{front}/smtpd[1]: {id}: client=client.example.org[192.0.2.{at}]\n\
        {front}/smtp[3]: {id}: to=<a@d{at}.example.com>, relay=mx.example.com[198.51.100.7]:25, delay=1, {SENT}\n"
    )
}

#[test]
fn each_storm_is_reported_once_when_it_begins_and_once_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    let storms = |text: &str| {
        fs::write(&path, text).unwrap();
        let found = answer(&["storm", "-n", "0", "--tz", "UTC", "--year", "2026", path.to_str().unwrap()]).0;
        let screen = screen_of(text.as_bytes(), &[]);
        assert_eq!(found.matches("STORM ").count(), screen.view.storms.len(), "{found}");
        screen.view.storms
    };
    let stormy = stormy();
    let half = stormy.find("Nov 22 16:40:00").unwrap();
    let (first, whole) = (storms(&stormy[..half]), storms(&stormy));
    let calm: String = (0..360).map(|at| well(17 * 60 + at / 3, at % 3)).collect();
    let over = storms(&format!("{stormy}{calm}"));
    let mut known = KnownStorms::default();
    let mut told = Vec::new();
    for storms in [&first, &first, &whole, &over, &over] {
        told.extend(known.update(storms).into_iter().map(|alert| (alert.change, alert.storm.pattern)));
    }
    assert_eq!(
        told,
        [(AlertChange::Began, StormPattern::RateLimit), (AlertChange::Ended, StormPattern::RateLimit)]
    );
    assert!(KnownStorms::default().update(&over).is_empty(), "what was over before we came is no news");
}

#[test]
fn without_a_terminal_each_storm_is_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, stormy()).unwrap();
    let path = path.to_str().unwrap();
    let args = ["watch", "--until-idle", "--tz", "UTC", "--year", "2026", path];
    let (status, out, err) = support::run(&args);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.starts_with("2026-11-22 16:00 storm began: a provider slows us down; "), "{out}");
    assert_eq!(out.lines().count(), 1, "{out}");
    let (status, out, _) = support::run(&[&args[..], &["--format", "ndjson"]].concat());
    let news: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &news["news"], &news["pattern"]), (0, &"began".into(), &"rate-limit".into()));
    let schema: Value = serde_json::from_str(&answer(&["schema", "watch"]).0).unwrap();
    assert!(jsonschema::is_valid(&schema, &news), "{news}");
    let (_, filtered, _) = support::run(&[&args[..], &["--code", "550"]].concat());
    assert_eq!(filtered, "");
    let (status, out, _) =
        support::fed(&["watch", "--tz", "UTC", "--year", "2026", "-"], stormy().as_bytes());
    assert!((status, out.lines().count()) == (0, 1), "{out}");
}

#[test]
fn it_ends_quietly_by_a_signal_and_when_nobody_reads_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log");
    fs::write(&path, stormy()).unwrap();
    let args = ["watch", "--tz", "UTC", "--year", "2026", path.to_str().unwrap()];
    let start = || {
        let mut command = support::command(&args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut child = start();
    let mut first = [0; 10];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"2026-11-22");
    let pid = Pid::from_child(&child);
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    let mut child = start();
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn the_journal_is_followed_and_its_reader_ends_with_us() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("answer"), stormy()).unwrap();
    let script =
        "#!/bin/sh\ncd \"${0%/*}\"; echo \"$*\" > asked; echo $$ > pid; cat answer; exec sleep 100\n";
    fs::write(at("journalctl"), script).unwrap();
    fs::set_permissions(at("journalctl"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = support::command(&["watch", "--journal", "--tz", "UTC", "--year", "2026"]);
    command.env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 10];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"2026-11-22");
    rustix::process::kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let asked = fs::read_to_string(at("asked")).unwrap();
    assert!(asked.contains("--follow --lines=all"), "{asked}");
    let journalctl = fs::read_to_string(at("pid")).unwrap();
    let journalctl = Pid::from_raw(journalctl.trim().parse().unwrap()).unwrap();
    assert!(rustix::process::test_kill_process(journalctl).is_err(), "it is still there");
}

#[test]
fn it_says_what_it_cannot_follow() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.log.gz");
    fs::write(&path, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]).unwrap();
    let (status, _, err) = support::run(&["watch", path.to_str().unwrap()]);
    assert!(status == 2 && err.contains("it is compressed"), "{err}");
    let (status, _, err) = support::run(&["watch", "/nowhere/mail.log"]);
    assert!(status == 2 && err.contains("cannot open /nowhere/mail.log: no such file"), "{err}");
}

/// A terminal of 80 columns and 24 lines that a test types into and looks at.
struct Tmux {
    folder: tempfile::TempDir,
}

impl Tmux {
    fn new(command: &str) -> Self {
        let tmux = Self { folder: tempfile::tempdir().unwrap() };
        tmux.run(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", command])
            .expect("tmux starts");
        tmux
    }

    /// What tmux prints; `None` if it cannot be started or reports an error, as it does once its session is over.
    fn run(&self, args: &[&str]) -> Option<String> {
        let socket = self.folder.path().join("socket");
        let output = std::process::Command::new("tmux")
            .arg("-S")
            .arg(socket)
            .args(args)
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .env_remove("TMUX")
            .output()
            .ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn type_in(&self, keys: &[&str]) {
        self.run(&[&["send-keys"], keys].concat()).unwrap();
    }

    fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"]).unwrap_or_default()
    }

    /// Waits until the screen is as it is wanted.
    #[track_caller]
    fn shows(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        for _ in 0..300 {
            if wanted(&self.screen()) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("no {what} in 30 seconds:\n{}", self.screen());
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

/// Lines as Postfix writes them now, the minute being so many before.
fn lines_now(minutes_ago: i64, number: usize, end: &str) -> String {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes_ago);
    let front = format!("{} mx1 postfix", at.strftime("%Y-%m-%dT%H:%M:%S+00:00"));
    let id = format!("{:05X}{number:05X}", minutes_ago + 0xA0000);
    format!(
        "{front}/smtpd[1]: {id}: client=client.example.org[192.0.2.7]\n\
        {front}/smtp[3]: {id}: to=<r{number}@example.com>, relay=mx.example.com[198.51.100.7]:25, delay=1, {end}\n"
    )
}

const SENT: &str = "dsn=2.0.0, status=sent (250 2.0.0 Ok)";
const FULL: &str = "dsn=5.2.2, status=bounced (host mx.example.com[198.51.100.7] said: 552 5.2.2 Mailbox full (in reply to RCPT TO command))";
const NOBODY: &str = "dsn=5.1.1, status=bounced (host mx.example.com[198.51.100.7] said: 550 5.1.1 User unknown (in reply to RCPT TO command))";

#[test]
#[ignore = "needs tmux"]
fn a_terminal_shows_what_is_written_and_gets_back_what_it_had() {
    let log = Written::new();
    let calm: String =
        (1..300).rev().flat_map(|minute| (0..3).map(move |at| lines_now(minute, at, SENT))).collect();
    log.write(calm.as_bytes());
    let program = assert_cmd::cargo::cargo_bin("smtplog");
    let run = format!(
        "echo BEFORE; SMTPLOG_NO_CONFIG=1 TZ=UTC LC_ALL=C.UTF-8 '{}' watch '{}'; echo STATUS $?; sleep 60",
        program.display(),
        log.at(0).display()
    );
    let tmux = Tmux::new(&run);
    tmux.shows("first screen", |screen| screen.contains("no failure in the last hour"));
    log.write(lines_now(0, 500, FULL).as_bytes());
    tmux.shows("new row", |screen| screen.contains("552 5.2.2") && screen.contains("+1"));
    log.rename();
    log.write(lines_now(0, 501, NOBODY).as_bytes());
    tmux.shows("row of the new file", |screen| screen.contains("550 5.1.1"));
    let burst: String = (600..1000).map(|number| lines_now(0, number, NOBODY)).collect();
    log.write(burst.as_bytes());
    tmux.shows("storm", |screen| screen.contains("storms (1)") && screen.contains("since "));
    tmux.type_in(&["/"]);
    tmux.type_in(&["-l", "552"]);
    tmux.type_in(&["Enter"]);
    tmux.shows("filtered rows", |screen| screen.contains("552 5.2.2") && !screen.contains("550 5.1.1  "));
    tmux.run(&["resize-window", "-x", "40", "-y", "10"]);
    tmux.shows("small screen", |screen| screen.lines().count() <= 10 && screen.contains("a minute"));
    tmux.type_in(&["q"]);
    tmux.shows("the old screen", |screen| screen.contains("BEFORE") && screen.contains("STATUS 0"));
}

#[test]
#[ignore = "needs tmux"]
fn a_terminal_gets_back_what_it_had_also_by_a_signal() {
    let log = Written::new();
    log.write(lines_now(1, 1, FULL).as_bytes());
    let program = assert_cmd::cargo::cargo_bin("smtplog");
    let pid = log.folder.path().join("pid");
    // The shell becomes the program, so that its number is known.
    let run = format!(
        "echo BEFORE; sh -c 'echo $$ > {}; exec env SMTPLOG_NO_CONFIG=1 {} watch --color never {}'; \
        echo STATUS $?; stty -a | grep -o ' icanon'; sleep 60",
        pid.display(),
        program.display(),
        log.at(0).display(),
    );
    let tmux = Tmux::new(&run);
    tmux.shows("first screen", |screen| screen.contains("552 5.2.2"));
    let pid = fs::read_to_string(pid).unwrap();
    let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    tmux.shows("the old screen", |screen| {
        screen.contains("BEFORE") && screen.contains("STATUS 0") && screen.contains("icanon")
    });
}
