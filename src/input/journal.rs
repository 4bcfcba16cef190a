//! Reads the mail entries of systemd's journal through journalctl, as one JSON object a line.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Which entries are read. The times are in seconds since 1970, half-open; `None` is no bound.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct JournalBounds {
    pub since: Option<i64>,
    pub until: Option<i64>,
    /// Systemd units whose entries are mail, one list per mail server, beside all that goes to syslog's facility mail.
    pub units: &'static [&'static [&'static str]],
}

/// A position in the journal, in journalctl's notation.
#[derive(Clone, Default, Debug)]
pub struct JournalCursor {
    /// Read only what follows, whatever the time range. `None`: read from the start of the time range.
    pub after: Option<String>,
    /// Behind the last entry, once all entries were read.
    reached: Arc<Mutex<Option<String>>>,
}

impl JournalCursor {
    /// A cursor that continues behind `after`.
    pub fn after(after: Option<String>) -> Self {
        Self { after, reached: Arc::default() }
    }

    /// `None`: there were no new entries.
    pub fn reached(&self) -> Option<String> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Syslog's facility mail, 2 of RFC 5424 §6.2.1. Mail servers log to it; those that write to standard error, as in the
/// foreground, are recognized by their units.
const MAIL_FACILITY: &str = "SYSLOG_FACILITY=2";

/// The fields that a syslog line is made of. journalctl has the option since version 236 (2017).
const FIELDS: &str = "MESSAGE,PRIORITY,SYSLOG_FACILITY,SYSLOG_IDENTIFIER,SYSLOG_PID,SYSLOG_TIMESTAMP,\
    _COMM,_HOSTNAME,_PID,_SOURCE_REALTIME_TIMESTAMP,_SYSTEMD_UNIT,_TRANSPORT";

/// Where journals lie: the persistent and the volatile one.
pub(crate) const FOLDERS: [&str; 2] = ["/var/log/journal", "/run/log/journal"];

/// The output of journalctl, which is ended when this is dropped. A failure of journalctl and an empty output are errors.
struct Journal {
    child: ChildGuard,
    stdout: BufReader<ChildStdout>,
    stderr: Option<JoinHandle<String>>,
    /// Nothing came so far, and an empty output is an error.
    is_empty: bool,
    /// Receives the position that was reached. `None`: it is not needed.
    cursor: Option<JournalCursor>,
    /// The current line; used only with a cursor.
    line: Vec<u8>,
    /// How many bytes of `line` were returned.
    returned: usize,
}

/// The start of the line that `--show-cursor` prints behind the entries; an entry begins with a brace.
const CURSOR: &[u8] = b"-- cursor: ";

/// Starts the journalctl in PATH.
pub(crate) fn open(bounds: JournalBounds, cursor: Option<JournalCursor>) -> io::Result<impl Read + Send> {
    start(bounds, cursor, false)
}

/// Like `open`, and continues with new entries without an end. Dropping the guard ends journalctl, also while
/// another thread waits for its output.
pub(crate) fn follow(bounds: JournalBounds) -> io::Result<(impl Read + Send, ChildGuard)> {
    let journal = start(bounds, None, true)?;
    let leash = ChildGuard(journal.child.0.clone());
    Ok((journal, leash))
}

fn start(bounds: JournalBounds, cursor: Option<JournalCursor>, follow: bool) -> io::Result<Journal> {
    let mut command = Command::new("journalctl");
    // Without --all a message of more than 4 KiB would be null.
    command
        .args(["--no-pager", "--quiet", "--all", "--output=json"])
        .arg(format!("--output-fields={FIELDS}"));
    let after = cursor.as_ref().and_then(|cursor| cursor.after.as_ref());
    command.args(cursor.as_ref().map(|_| "--show-cursor"));
    command.args(after.map(|after| format!("--after-cursor={after}")));
    // journalctl accepts either a cursor or --since.
    let since = bounds.since.filter(|_| after.is_none());
    command.args(since.map(|second| format!("--since=@{second}")));
    // Without --lines=all --follow would show the last ten entries only.
    command.args(["--follow", "--lines=all"].iter().filter(|_| follow));
    // journalctl includes the instant of --until; the time filter on the lines removes it.
    command.args(bounds.until.map(|second| format!("--until=@{second}")));
    // `+` is or.
    command.arg(MAIL_FACILITY);
    for unit in bounds.units.iter().copied().flatten() {
        command.arg("+").arg(format!("_SYSTEMD_UNIT={unit}"));
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other("journalctl not found in PATH"),
        _ => error,
    })?;
    let taken = child.stdout.take().zip(child.stderr.take());
    let (stdout, mut stderr) = taken.ok_or_else(|| io::Error::other("journalctl has no output"))?;
    // A thread of its own, so that a full pipe never blocks the child.
    let complaint = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // An incomplete message is shown as far as it was read.
        let _ = stderr.by_ref().take(4096).read_to_end(&mut bytes);
        let _ = io::copy(&mut stderr, &mut io::sink());
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let child = ChildGuard(Arc::new(Mutex::new(child)));
    let (stdout, complaint, is_empty) = (BufReader::new(stdout), Some(complaint), after.is_none());
    Ok(Journal { child, stdout, stderr: complaint, is_empty, cursor, line: Vec::new(), returned: 0 })
}

impl Read for Journal {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = match self.cursor.clone() {
            Some(cursor) => self.read_line(&cursor, room)?,
            None => self.stdout.read(room)?,
        };
        self.is_empty &= count == 0;
        match self.stderr.take_if(|_| count == 0 && !room.is_empty()) {
            Some(complaint) => self.end(complaint).map(|()| 0),
            None => Ok(count),
        }
    }
}

impl Journal {
    /// Reads on line by line, and keeps back the line with the cursor, which is no entry.
    fn read_line(&mut self, cursor: &JournalCursor, room: &mut [u8]) -> io::Result<usize> {
        while self.returned == self.line.len() {
            self.line.clear();
            self.returned = 0;
            if self.stdout.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(0);
            }
            if let Some(reached) = self.line.strip_prefix(CURSOR) {
                let reached = String::from_utf8_lossy(reached).trim().to_owned();
                *cursor.reached.lock().unwrap_or_else(PoisonError::into_inner) = Some(reached);
                self.line.clear();
            }
        }
        let count = self.line.get(self.returned..).unwrap_or_default().read(room)?;
        self.returned += count;
        Ok(count)
    }

    fn end(&mut self, complaint: JoinHandle<String>) -> io::Result<()> {
        let status = self.child.lock().wait()?;
        let complaint = complaint.join().unwrap_or_default();
        let detail = complaint.lines().next().map(|line| format!(": {}", line.trim())).unwrap_or_default();
        if !status.success() {
            return Err(io::Error::other(format!("journalctl ended with {status}{detail}")));
        }
        if self.is_empty {
            let hint = "no mail entries are visible to this user; run as root or as a member of the group systemd-journal";
            return Err(io::Error::other(format!("{hint}{detail}")));
        }
        Ok(())
    }
}

/// Ends a journalctl process when it is dropped.
pub(crate) struct ChildGuard(Arc<Mutex<Child>>);

impl ChildGuard {
    fn lock(&self) -> MutexGuard<'_, Child> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ChildGuard {
    /// Kills a child that is still running; one that has ended is only reaped.
    fn drop(&mut self) {
        let mut child = self.lock();
        let _ = child.kill();
        let _ = child.wait();
    }
}
