//! Bounds of time come in; the mail of systemd's journal goes out, as journalctl prints it, one JSON object a line.

use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

/// In seconds since 1970; half-open. None: no bound.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Bounds {
    pub since: Option<i64>,
    pub until: Option<i64>,
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
    child: Child,
    stdout: ChildStdout,
    complaint: Option<JoinHandle<String>>,
    is_empty: bool,
}

/// Starts journalctl, as it stands in PATH.
pub fn open(bounds: Bounds) -> io::Result<impl Read + Send> {
    let mut command = Command::new("journalctl");
    // All: a message of more than 4 KiB would be null.
    command
        .args(["--no-pager", "--quiet", "--all", "--output=json"])
        .arg(format!("--output-fields={FIELDS}"));
    command.args(bounds.since.map(|second| format!("--since=@{second}")));
    // journalctl's bound is a part of its answer; who reads the lines leaves out that one instant.
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
    Ok(Journal { child, stdout, complaint: Some(complaint), is_empty: true })
}

impl Read for Journal {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.stdout.read(room)?;
        self.is_empty &= count == 0;
        match self.complaint.take_if(|_| count == 0 && !room.is_empty()) {
            Some(complaint) => self.end(complaint).map(|()| 0),
            None => Ok(count),
        }
    }
}

impl Journal {
    fn end(&mut self, complaint: JoinHandle<String>) -> io::Result<()> {
        let status = self.child.wait()?;
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

impl Drop for Journal {
    /// When we stop early; a child that has ended already is only taken note of.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
