//! Bounds of time come in; the mail of systemd's journal goes out, as journalctl prints it, one JSON object a line.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// In seconds since 1970; half-open. None: no bound.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Bounds {
    pub since: Option<i64>,
    pub until: Option<i64>,
}

/// A place in the journal, in journalctl's own words.
#[derive(Clone, Default, Debug)]
pub struct Cursor {
    /// Only what follows it; then no bound of time counts. None: from the bounds on.
    pub after: Option<String>,
    /// Behind the last entry that was read, once all were.
    reached: Arc<Mutex<Option<String>>>,
}

impl Cursor {
    pub fn after(after: Option<String>) -> Self {
        Self { after, reached: Arc::default() }
    }

    /// None: nothing new was there.
    pub fn reached(&self) -> Option<String> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Either of these makes a message one of mail. All of these servers log to syslog's facility mail, 2 of RFC 5424
/// §6.2.1. Those that write to standard error, as in the foreground, are told by their units.
const MATCHES: [&str; 9] = [
    "SYSLOG_FACILITY=2",
    "_SYSTEMD_UNIT=postfix.service",
    "_SYSTEMD_UNIT=postfix@-.service",
    "_SYSTEMD_UNIT=exim4.service",
    "_SYSTEMD_UNIT=exim4-base.service",
    "_SYSTEMD_UNIT=exim.service",
    "_SYSTEMD_UNIT=sendmail.service",
    "_SYSTEMD_UNIT=opensmtpd.service",
    "_SYSTEMD_UNIT=smtpd.service",
];

/// What a line of syslog is made of. journalctl before version 236 does not know the option, and is older than any
/// system that is still cared for.
const FIELDS: &str = "MESSAGE,PRIORITY,SYSLOG_FACILITY,SYSLOG_IDENTIFIER,SYSLOG_PID,SYSLOG_TIMESTAMP,\
    _COMM,_HOSTNAME,_PID,_SOURCE_REALTIME_TIMESTAMP,_SYSTEMD_UNIT,_TRANSPORT";

/// Where journals lie: kept, and gone with the next start.
pub const FOLDERS: [&str; 2] = ["/var/log/journal", "/run/log/journal"];

/// What journalctl prints. It ends with journalctl, whichever ends first; an end in failure, and an empty answer, are
/// errors.
struct Journal {
    child: Leash,
    stdout: BufReader<ChildStdout>,
    complaint: Option<JoinHandle<String>>,
    /// Nothing came, and something was to come.
    is_empty: bool,
    /// Where to tell how far it was read. None: nobody asked.
    cursor: Option<Cursor>,
    /// The line that is being given out, where the cursor is looked for, and how much of it is.
    line: Vec<u8>,
    given: usize,
}

/// What `--show-cursor` puts before it, on a line behind the entries; an entry begins with a brace.
const CURSOR: &[u8] = b"-- cursor: ";

/// Starts journalctl, as it stands in PATH.
pub fn open(bounds: Bounds, cursor: Option<Cursor>) -> io::Result<impl Read + Send> {
    start(bounds, cursor, false)
}

/// The same, and what is written from now on, without an end. journalctl ends with the leash, also while somebody waits
/// for what it will print.
pub fn follow(bounds: Bounds) -> io::Result<(impl Read + Send, Leash)> {
    let journal = start(bounds, None, true)?;
    let leash = Leash(journal.child.0.clone());
    Ok((journal, leash))
}

fn start(bounds: Bounds, cursor: Option<Cursor>, follow: bool) -> io::Result<Journal> {
    let mut command = Command::new("journalctl");
    // All: a message of more than 4 KiB would be null.
    command
        .args(["--no-pager", "--quiet", "--all", "--output=json"])
        .arg(format!("--output-fields={FIELDS}"));
    let after = cursor.as_ref().and_then(|cursor| cursor.after.as_ref());
    command.args(cursor.as_ref().map(|_| "--show-cursor"));
    command.args(after.map(|after| format!("--after-cursor={after}")));
    // journalctl takes one beginning.
    let since = bounds.since.filter(|_| after.is_none());
    command.args(since.map(|second| format!("--since=@{second}")));
    // journalctl's bound is a part of its answer; who reads the lines leaves out that one instant.
    // Without the second it shows the last ten only.
    command.args(["--follow", "--lines=all"].iter().filter(|_| follow));
    command.args(bounds.until.map(|second| format!("--until=@{second}")));
    let matches = MATCHES.iter().flat_map(|one| ["+", one]).skip(1);
    command.args(matches).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other("there is no journalctl in PATH"),
        _ => error,
    })?;
    let taken = child.stdout.take().zip(child.stderr.take());
    let (stdout, mut stderr) = taken.ok_or_else(|| io::Error::other("journalctl has no output"))?;
    // Beside the reading, so that no full pipe stops the child.
    let complaint = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was said until it broke off is all there is to show.
        let _ = stderr.by_ref().take(4096).read_to_end(&mut bytes);
        let _ = io::copy(&mut stderr, &mut io::sink());
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let child = Leash(Arc::new(Mutex::new(child)));
    let (stdout, complaint, is_empty) = (BufReader::new(stdout), Some(complaint), after.is_none());
    Ok(Journal { child, stdout, complaint, is_empty, cursor, line: Vec::new(), given: 0 })
}

impl Read for Journal {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = match self.cursor.clone() {
            Some(cursor) => self.read_line(&cursor, room)?,
            None => self.stdout.read(room)?,
        };
        self.is_empty &= count == 0;
        match self.complaint.take_if(|_| count == 0 && !room.is_empty()) {
            Some(complaint) => self.end(complaint).map(|()| 0),
            None => Ok(count),
        }
    }
}

impl Journal {
    /// The line of the cursor is no entry: it is kept, and not given out.
    fn read_line(&mut self, cursor: &Cursor, room: &mut [u8]) -> io::Result<usize> {
        while self.given == self.line.len() {
            self.line.clear();
            self.given = 0;
            if self.stdout.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(0);
            }
            if let Some(reached) = self.line.strip_prefix(CURSOR) {
                let reached = String::from_utf8_lossy(reached).trim().to_owned();
                *cursor.reached.lock().unwrap_or_else(PoisonError::into_inner) = Some(reached);
                self.line.clear();
            }
        }
        let count = self.line.get(self.given..).unwrap_or_default().read(room)?;
        self.given += count;
        Ok(count)
    }

    fn end(&mut self, complaint: JoinHandle<String>) -> io::Result<()> {
        let status = self.child.lock().wait()?;
        let complaint = complaint.join().unwrap_or_default();
        let said = complaint.lines().next().map(|line| format!(": {}", line.trim())).unwrap_or_default();
        if !status.success() {
            return Err(io::Error::other(format!("journalctl ended with {status}{said}")));
        }
        if self.is_empty {
            let hint = "it has no mail that this user may see; root and the group systemd-journal see all";
            return Err(io::Error::other(format!("{hint}{said}")));
        }
        Ok(())
    }
}

/// What a journalctl ends with.
pub struct Leash(Arc<Mutex<Child>>);

impl Leash {
    fn lock(&self) -> MutexGuard<'_, Child> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Leash {
    /// When we stop early; a child that has ended already is only taken note of.
    fn drop(&mut self) {
        let mut child = self.lock();
        let _ = child.kill();
        let _ = child.wait();
    }
}
