//! Recognizes the lines in which a mail server speaks of its own trouble
//! (`warning: connect to Milter service inet:127.0.0.1:8891: Connection refused`).
//!
//! Such a line is no event: no message has a result by it. Often it holds the cause of the events around it.

use std::fmt::{Display, Formatter};

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exim::shape::{LineShape, find_shape};
use super::{Program, exim, postfix, sendmail};
use crate::parse::header::LogLine;
use crate::simd::first_position;
use crate::smtp::event::Mta;

/// How bad the server says it is. Postfix names the severity (postfix util/msg_output.c); for the others it follows from the
/// words with which the line begins.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Warning,
    Error,
    /// The process ended.
    Fatal,
    /// The process ended, because of a fault in the program.
    Panic,
}

impl Display for Severity {
    fn fmt(&self, formatter: &mut Formatter) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
            Self::Panic => "panic",
        })
    }
}

/// A server's own warning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerWarning<'a> {
    pub mta: Mta,
    pub severity: Severity,
    /// The text without the severity and without a queue id in front of it.
    pub text: &'a [u8],
}

/// The warning that a line holds. `None`: the line is another one.
#[inline]
pub(crate) fn server_warning<'a>(program: Program, line: &LogLine<'a>) -> Option<ServerWarning<'a>> {
    let (mta, found) = match program {
        Program::Postfix(_) => (Mta::Postfix, postfix_warning(line.text)),
        Program::Exim => (Mta::Exim, exim_warning(exim::message_text(line))),
        Program::Sendmail => (Mta::Sendmail, sendmail_warning(line.text)),
        Program::Opensmtpd => (Mta::Opensmtpd, by_prefix(line.text, OPENSMTPD)),
        Program::Kumomta | Program::Foreign => return None,
    };
    found.map(|(severity, text)| ServerWarning { mta, severity, text })
}

type Prefixes = &'static [(&'static [u8], Severity)];

/// Postfix util/msg_output.c. `warning: ` comes first because it is by far the commonest.
const POSTFIX: Prefixes = &[
    (b"warning: ", Severity::Warning),
    (b"error: ", Severity::Error),
    (b"fatal: ", Severity::Fatal),
    (b"panic: ", Severity::Panic),
];

/// OpenSMTPD usr.sbin/smtpd/log.c.
const OPENSMTPD: Prefixes =
    &[(b"warn: ", Severity::Warning), (b"fatal: ", Severity::Fatal), (b"fatal", Severity::Fatal)];

/// The first byte rules out nearly all lines.
#[inline]
fn postfix_warning(text: &[u8]) -> Option<(Severity, &[u8])> {
    match text.first()? {
        b'w' | b'e' | b'f' | b'p' => by_prefix(text, POSTFIX),
        byte if (byte.is_ascii_digit() || byte.is_ascii_uppercase()) && may_name_severity(text) => {
            behind_id(text)
        }
        _ => None,
    }
}

fn by_prefix(text: &[u8], prefixes: Prefixes) -> Option<(Severity, &[u8])> {
    prefixes.iter().find_map(|(prefix, severity)| Some((*severity, text.strip_prefix(*prefix)?)))
}

/// Whether one of the [`POSTFIX`] words may stand behind the first colon. It rules out nearly all lines with a queue id.
fn may_name_severity(text: &[u8]) -> bool {
    let Some(near) = text.first_chunk::<32>() else { return true };
    // Without a colon the position is 32, where the longest queue id ends.
    match text.get(first_position(near, b':')..) {
        Some([b':', _, first, ..]) => matches!(first, b'w' | b'e' | b'f' | b'p'),
        Some(_) | None => false,
    }
}

/// `4XYZ: warning: …`: Postfix names the message whose handling failed. Its `warning: header …` is the action WARN of
/// `header_checks`, which an administrator asked for (postfix cleanup/cleanup_message.c).
fn behind_id(text: &[u8]) -> Option<(Severity, &[u8])> {
    let (_, rest) = postfix::queue_id(text);
    let (severity, text) = by_prefix(rest, POSTFIX)?;
    let is_content_check = [&b"header "[..], b"body ", b"mime-header ", b"nested-header "];
    (!is_content_check.iter().any(|check| text.starts_with(check))).then_some((severity, text))
}

/// Exim gives no severity. A client or DNS is to blame for what begins with these words, its own configuration or files for
/// the rest.
const EXIM_MILD: [&[u8]; 4] = [b"no host name", b"no IP address", b"Warning", b"TLS"];

fn exim_warning(text: &[u8]) -> Option<(Severity, &[u8])> {
    let (_, text) = exim::queue_id(text);
    if exim::is_daily(text) {
        return None;
    }
    let is_mild = EXIM_MILD.iter().any(|begin| text.starts_with(begin));
    // A line about a client is no warning, and the commonest routine lines are none; both are ruled out at once.
    let is_other = || text.starts_with(b"H=") || exim::is_idle(text);
    let is_warning = is_mild || !is_other() && find_shape(text) == Some(LineShape::Warning);
    is_warning.then_some((if is_mild { Severity::Warning } else { Severity::Error }, text))
}

/// What sendmail's daemon says when it takes no mail (sendmail queue.c pickqdir(), daemon.c getrequests()
/// and refuseconnections()). A lack of space that a client is told of is an event.
const SENDMAIL_ALARMS: [&[u8]; 3] =
    [b"low on space (SMTP-DAEMON ", b"rejecting new messages: ", b"rejecting connections on daemon "];

/// `NOQUEUE: SYSERR(root): …` and `x1AB23: SYSERR(root): …` (sendmail conf.c and err.c), `STARTTLS=client, error: …`,
/// `AUTH warning: …`, and the [`SENDMAIL_ALARMS`].
fn sendmail_warning(text: &[u8]) -> Option<(Severity, &[u8])> {
    let (_, text) = sendmail::queue_id(text);
    let text = text.strip_prefix(b"NOQUEUE: ").unwrap_or(text);
    if let Some(rest) = text.strip_prefix(b"SYSERR") {
        let end = memchr::memchr(b':', rest)?;
        return Some((Severity::Error, rest.get(end + 1..)?.trim_ascii_start()));
    }
    if let Some(rest) = text.strip_prefix(b"AUTH warning: ") {
        return Some((Severity::Warning, rest));
    }
    let is_alarm = || SENDMAIL_ALARMS.iter().any(|begin| text.starts_with(begin));
    let is_tls = || text.starts_with(b"STARTTLS=") && memchr::memmem::find(text, b"error").is_some();
    (is_tls() || is_alarm()).then_some((Severity::Warning, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(line: &str) -> Option<(Severity, String)> {
        let line = LogLine::read(line.as_bytes());
        let found = server_warning(Program::of(&line), &line)?;
        Some((found.severity, String::from_utf8_lossy(found.text).into_owned()))
    }

    #[test]
    fn finds_the_warnings_of_each_server() {
        for (line, severity, text) in [
            (
                "Nov 22 05:32:01 mx1 postfix/smtpd[7]: warning: connect to Milter service inet:127.0.0.1:8891: Connection refused",
                Severity::Warning,
                "connect to Milter service inet:127.0.0.1:8891: Connection refused",
            ),
            (
                "Nov 22 05:32:01 mx1 postfix/cleanup[7]: 4D1F8A0B1C: warning: milter inet:127.0.0.1:8891: can't read SMFIC_EOH reply packet header: Connection timed out",
                Severity::Warning,
                "milter inet:127.0.0.1:8891: can't read SMFIC_EOH reply packet header: Connection timed out",
            ),
            (
                "Nov 22 05:32:01 mx1 postfix/master[7]: fatal: bind 0.0.0.0 port 25: Address already in use",
                Severity::Fatal,
                "bind 0.0.0.0 port 25: Address already in use",
            ),
            (
                "2026-11-22 05:32:01 Failed to open main log file",
                Severity::Error,
                "Failed to open main log file",
            ),
            (
                "Nov 22 05:32:01 mx1 sendmail[7]: NOQUEUE: SYSERR(root): cannot open /etc/mail/access.db: No such file or directory",
                Severity::Error,
                "cannot open /etc/mail/access.db: No such file or directory",
            ),
            (
                "Nov 22 05:32:01 mx1 sm-mta[7]: NOQUEUE: low on space (SMTP-DAEMON needs 101 bytes + 100 blocks in /var/spool/mqueue), max avail: 50",
                Severity::Warning,
                "low on space (SMTP-DAEMON needs 101 bytes + 100 blocks in /var/spool/mqueue), max avail: 50",
            ),
            (
                "Nov 22 05:32:01 mx1 sm-mta[7]: rejecting connections on daemon MTA: load average: 15",
                Severity::Warning,
                "rejecting connections on daemon MTA: load average: 15",
            ),
        ] {
            assert_eq!(warning(line), Some((severity, text.to_owned())), "{line}");
        }
    }

    #[test]
    fn takes_no_other_line_for_a_warning() {
        for line in [
            "Nov 22 05:32:01 mx1 postfix/smtpd[7]: connect from mx.example.org[192.0.2.7]",
            "Nov 22 05:32:01 mx1 postfix/cleanup[7]: 4D1F8A0B1C: warning: header Subject: hello from mx.example.org[192.0.2.7]",
            "Nov 22 05:32:01 mx1 postfix/cleanup[7]: 4D1F8A0B1C: message-id=<warning: @example.org>",
            "2026-11-22 05:32:01 SMTP connection from mx.example.org [192.0.2.7] closed by QUIT",
            "Nov 22 05:32:01 mx1 sendmail[7]: x1AB23cd004811: from=<a@example.org>, size=1, nrcpts=1",
            "Nov 22 05:32:01 mx1 sendmail[7]: x1AB23cd004811: low on space (mx.example.net needs 101 bytes + 100 blocks in /var/spool/mqueue), max avail: 50",
            "Nov 22 05:32:01 mx1 sendmail[7]: NOQUEUE: accepting connections again for daemon MTA",
            "Nov 22 05:32:01 mx1 kernel: warning: something",
        ] {
            assert_eq!(warning(line), None, "{line}");
        }
    }
}
