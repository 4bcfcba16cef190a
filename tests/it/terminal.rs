//! Runs `smtplog watch` in a terminal of its own: it gives the terminal back by whatever it ends, and ends with it.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tempfile::TempDir;

const ENTERS: &str = "\x1b[?1049h";
const LEAVES: &str = "\x1b[?1049l";

/// A terminal, and a process in it whose controlling terminal it is.
struct Terminal {
    folder: TempDir,
    master: Option<File>,
    child: Child,
    /// What the process wrote so far.
    shown: RefCell<Vec<u8>>,
}

impl Terminal {
    /// Starts `smtplog watch` on a log with one line, and waits for the screen.
    fn new(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("mail.log");
        fs::write(&log, rejection()).unwrap();
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        tcsetwinsize(&master, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = PathBuf::from(ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        let slave = || Stdio::from(File::options().read(true).write(true).open(&name).unwrap());
        // setsid of util-linux makes the terminal the controlling one.
        let mut command = std::process::Command::new("setsid");
        command
            .arg("--ctty")
            .arg(assert_cmd::cargo::cargo_bin("smtplog"))
            .arg("watch")
            .args(options)
            .arg(&log);
        command.env("SMTPLOG_NO_CONFIG", "1").env("TERM", "xterm").env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
        let child = command.stdin(slave()).stdout(slave()).stderr(slave()).spawn().unwrap();
        let master = File::from(master);
        // Not blocking, so that the test alone holds this side of the terminal and can close it.
        rustix::io::ioctl_fionbio(&master, true).unwrap();
        Self { folder, master: Some(master), child, shown: RefCell::new(Vec::new()) }
    }

    fn text(&self) -> String {
        let mut room = [0; 4096];
        while let Some(Ok(count @ 1..)) = self.master.as_ref().map(|mut master| master.read(&mut room)) {
            self.shown.borrow_mut().extend_from_slice(&room[..count]);
        }
        String::from_utf8_lossy(&self.shown.borrow()).into_owned()
    }

    #[track_caller]
    fn waits_for(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        while !wanted(&self.text()) {
            assert!(begun.elapsed() < Duration::from_secs(60), "no {what}: {:?}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn types(&mut self, keys: &[u8]) {
        self.master.as_mut().unwrap().write_all(keys).unwrap();
    }

    /// The state of the process: `T` is stopped.
    fn state(&self) -> char {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
    }

    #[track_caller]
    fn stops(&self) {
        let begun = Instant::now();
        while self.state() != 'T' {
            assert!(begun.elapsed() < Duration::from_secs(60), "it is not stopped but {}", self.state());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    fn ends(&mut self, why: &str) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            // What it writes at the end must not wait for room.
            self.text();
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not end by {why}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn rejection() -> String {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S+00:00");
    format!(
        "{now} mx1 postfix/smtp[3]: A000000001: to=<r@example.com>, relay=mx.example.com[198.51.100.7]:25, delay=1, \
        dsn=5.2.2, status=bounced (host mx.example.com[198.51.100.7] said: 552 5.2.2 Mailbox full (in reply to RCPT TO command))\n"
    )
}

#[test]
fn a_signal_ends_it_and_the_terminal_is_given_back() {
    for signal in [Signal::HUP, Signal::INT, Signal::TERM, Signal::QUIT, Signal::ALARM, Signal::USR1] {
        let mut terminal = Terminal::new(&[]);
        terminal.waits_for("screen", |text| text.contains(ENTERS) && text.contains("552"));
        terminal.signal(signal);
        let status = terminal.ends(&format!("{signal:?}"));
        assert_eq!(status.code(), Some(0), "{signal:?} {:?}", status.signal());
        terminal.waits_for("old screen", |text| text.contains(LEAVES));
    }
}

#[test]
fn it_ends_when_its_terminal_is_closed() {
    for options in [&[][..], &["--format", "text"]] {
        let mut terminal = Terminal::new(options);
        if options.is_empty() {
            terminal.waits_for("screen", |text| text.contains(ENTERS));
        } else {
            // It prints nothing; setsid has become smtplog when its name is that.
            let name = format!("/proc/{}/comm", terminal.child.id());
            terminal.waits_for("start", |_| fs::read_to_string(&name).unwrap().trim() == "smtplog");
        }
        drop(terminal.master.take());
        let status = terminal.ends("the end of its terminal");
        // By the signal, if it came before the handler was there.
        assert!(status.success() || status.signal() == Some(1), "{status}");
    }
}

#[test]
fn it_is_stopped_and_continued_by_the_key_and_by_the_signal() {
    let mut terminal = Terminal::new(&[]);
    terminal.waits_for("screen", |text| text.contains(ENTERS) && text.contains("552"));
    for round in 1..=2 {
        if round == 1 {
            terminal.types(b"\x1a");
        } else {
            terminal.signal(Signal::TSTP);
        }
        terminal.stops();
        terminal.waits_for("old screen", |text| text.matches(LEAVES).count() == round);
        terminal.signal(Signal::CONT);
        terminal.waits_for("screen again", |text| text.matches(ENTERS).count() > round);
        terminal.waits_for("rows again", |text| text.rsplit_once(ENTERS).unwrap().1.contains("552"));
    }
    terminal.types(b"q");
    assert_eq!(terminal.ends("q").code(), Some(0));
}

#[test]
fn a_log_that_becomes_a_fifo_blocks_nothing() {
    let mut terminal = Terminal::new(&[]);
    terminal.waits_for("screen", |text| text.contains("552"));
    let log = terminal.folder.path().join("mail.log");
    fs::rename(&log, log.with_extension("log.1")).unwrap();
    assert!(mkfifo(&log));
    fs::write(terminal.folder.path().join("mail.log.0"), rejection()).unwrap();
    terminal.waits_for("error", |text| text.contains("not a regular file"));
    terminal.types(b"q");
    terminal.ends("q");
}

fn mkfifo(path: &Path) -> bool {
    std::process::Command::new("mkfifo").arg(path).status().unwrap().success()
}
