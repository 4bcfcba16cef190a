//! Describes lines that no parser understands: what they look like, which known form is nearest, and what to set.

use super::header::{LogLine, RawTimestamp};
use super::mta::Program;
use super::unwrap::line_start::begins_a_line;

/// What lines look like that were not understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FormGuess {
    /// Completes "the lines look like …".
    pub looks_like: &'static str,
    /// Completes "the nearest form is …".
    pub nearest: &'static str,
    /// What to do, as a sentence without a full stop.
    pub hint: &'static str,
}

/// One kind of text that is no log of a known form.
struct KnownForm {
    is: fn(&[u8]) -> bool,
    guess: FormGuess,
}

const SYSLOG: &str = "syslog (Nov 22 03:04:05 mx1 postfix/smtp[12]: text)";
const JSON: &str = "one JSON object a line with the text in message, MESSAGE, msg, log or line";

/// What a log looks like that other programs share with a mail server.
pub(crate) const OTHER_PROGRAMS: &str = "syslog lines of other programs";

/// The kinds, the most certain first.
const FORMS: [KnownForm; 16] = [
    KnownForm {
        is: |line| line.starts_with(b"LPKSHHRH"),
        guess: FormGuess {
            looks_like: "a file of the systemd journal",
            nearest: "the output of journalctl",
            hint: "run journalctl --file FILE -o short-iso | smtplog scan -",
        },
    },
    KnownForm {
        is: is_utf16,
        guess: FormGuess {
            looks_like: "text in UTF-16, as PowerShell writes it",
            nearest: "the same text in UTF-8",
            hint: "convert it: iconv -f UTF-16 -t UTF-8 FILE | smtplog scan -",
        },
    },
    KnownForm {
        is: is_binary,
        guess: FormGuess {
            looks_like: "binary data",
            nearest: "a text log, plain or packed with gzip, bzip2, xz or zstd",
            hint: "unpack it first, or export it as text",
        },
    },
    KnownForm {
        is: |line| {
            line.trim_ascii_start().first() == Some(&b'{') && line.trim_ascii_end().last() == Some(&b'}')
        },
        guess: FormGuess {
            looks_like: "JSON objects without a field that holds a line of a mail server",
            nearest: JSON,
            hint: "name the field that holds the text: jq -c '{message: .FIELD, host: .HOST, time: .TIME}' FILE | smtplog scan -",
        },
    },
    KnownForm {
        is: is_spread_json,
        guess: FormGuess {
            looks_like: "JSON that spans several lines",
            nearest: JSON,
            hint: "write one object a line: jq -c '.[]?, (objects)' FILE | smtplog scan -, or journalctl -o json",
        },
    },
    KnownForm {
        is: |line| line.starts_with(b"<?xml") || line.starts_with(b"<!DOCTYPE") || line.starts_with(b"<html"),
        guess: FormGuess { looks_like: "XML or HTML", nearest: SYSLOG, hint: "export the log as text" },
    },
    KnownForm {
        is: |line| {
            line.starts_with(b"#Fields:") || line.starts_with(b"#Software:") || line.starts_with(b"#Version:")
        },
        guess: FormGuess {
            looks_like: "a W3C log, as Microsoft Exchange and IIS write it",
            nearest: "the log of Postfix, Exim, Sendmail or OpenSMTPD",
            hint: "give the log of the mail server that relays for it",
        },
    },
    KnownForm {
        is: is_mail,
        guess: FormGuess {
            looks_like: "a mail message",
            nearest: SYSLOG,
            hint: "give the log of the mail server; smtplog explain - explains the reply in a bounce",
        },
    },
    KnownForm {
        is: is_access_log,
        guess: FormGuess {
            looks_like: "the access log of a web server",
            nearest: SYSLOG,
            hint: "give the log of the mail server, often /var/log/mail.log or /var/log/maillog",
        },
    },
    KnownForm {
        is: |line| {
            line.first() == Some(&b'@')
                && line.get(1..25).is_some_and(|stamp| stamp.iter().all(u8::is_ascii_hexdigit))
        },
        guess: FormGuess {
            looks_like: "a log of multilog (TAI64N timestamps), as qmail has it",
            nearest: SYSLOG,
            hint: "qmail is not supported; for another server write the time with tai64nlocal",
        },
    },
    KnownForm {
        is: is_named_program,
        guess: FormGuess {
            looks_like: OTHER_PROGRAMS,
            nearest: SYSLOG,
            hint: "give the log of the mail server, often /var/log/mail.log or /var/log/maillog, or use --journal; the program must be named \
                   postfix/DAEMON, exim, sendmail, sm-mta or smtpd (Postfix: syslog_name)",
        },
    },
    KnownForm {
        is: |line| begins_a_line(line) || LogLine::read(line).stamp != RawTimestamp::Missing,
        guess: FormGuess {
            looks_like: "lines with a timestamp, but without the name of a program",
            nearest: SYSLOG,
            hint: "keep the tag when the log is written: rsyslog's template RSYSLOG_FileFormat has it, and journalctl -o short-iso",
        },
    },
    KnownForm {
        is: has_many_columns,
        guess: FormGuess {
            looks_like: "a table with columns (CSV)",
            nearest: SYSLOG,
            hint: "export the column with the original line alone, one line for each message",
        },
    },
    KnownForm {
        is: has_a_clock,
        guess: FormGuess {
            looks_like: "lines with a timestamp of an unknown form",
            nearest: "a timestamp such as Nov 22 03:04:05, 2026-11-22T03:04:05+01:00 or 2026-11-22 03:04:05",
            hint: "set rsyslog's template to RSYSLOG_FileFormat, or syslog-ng's ts-format to iso, or reformat the front with sed",
        },
    },
    KnownForm {
        is: |line| line.contains(&b'@') || line.contains(&b'<'),
        guess: FormGuess {
            looks_like: "text with mail addresses, but without a timestamp and a program",
            nearest: SYSLOG,
            hint: "give whole log lines, with their timestamp and program",
        },
    },
    KnownForm {
        is: |_| true,
        guess: FormGuess {
            looks_like: "no log that smtplog knows",
            nearest: SYSLOG,
            hint: "give the log of Postfix, Exim, Sendmail or OpenSMTPD, often /var/log/mail.log, /var/log/maillog or \
                   /var/log/exim4/mainlog, or use --journal",
        },
    },
];

/// Describes lines as they stand in the log. The first kind that fits most lines wins. `None`: there is no line.
pub(crate) fn guess_form(lines: &[&[u8]]) -> Option<FormGuess> {
    let lines: Vec<&[u8]> = lines.iter().copied().filter(|line| !line.trim_ascii().is_empty()).collect();
    let fits = |form: &&KnownForm| lines.iter().filter(|line| (form.is)(line)).count() * 2 > lines.len();
    FORMS.iter().find(fits).map(|form| form.guess)
}

fn is_utf16(line: &[u8]) -> bool {
    let zeros = |from: usize| line.iter().skip(from).step_by(2).take(32).filter(|byte| **byte == 0).count();
    let half = line.len().min(64) / 2;
    line.starts_with(b"\xFF\xFE")
        || line.starts_with(b"\xFE\xFF")
        || half > 2 && (zeros(0) + 1 >= half || zeros(1) + 1 >= half)
}

fn is_binary(line: &[u8]) -> bool {
    let is_odd = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t' | b'\r' | 0x1b | 0x1e);
    line.iter().take(200).filter(is_odd).count() * 10 > line.len().min(200)
}

fn is_spread_json(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    matches!(text, [b'{' | b'}' | b'[' | b']'] | [b'}' | b']', b','])
        || text.first() == Some(&b'{') && text.get(1).is_none_or(|byte| matches!(byte, b'"' | b' '))
        || matches!(text, [b'"', ..]) && text.windows(2).any(|pair| pair == b"\":")
}

fn is_mail(line: &[u8]) -> bool {
    const NAMES: [&[u8]; 10] = [
        b"Received: ",
        b"Return-Path: ",
        b"Delivered-To: ",
        b"From: ",
        b"From ",
        b"Subject: ",
        b"Message-ID: ",
        b"MIME-Version: ",
        b"Diagnostic-Code: ",
        b"Reporting-MTA: ",
    ];
    NAMES.iter().any(|name| line.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name)))
}

fn is_access_log(line: &[u8]) -> bool {
    let text = line.get(..200).unwrap_or(line);
    text.windows(4).any(|part| part == b" - [" || part == b" HTT") && text.contains(&b'"')
}

/// Whether the header names a program, and no mail server's.
fn is_named_program(line: &[u8]) -> bool {
    let line = LogLine::read(line);
    line.stamp != RawTimestamp::Missing && !line.program.is_empty() && Program::of(&line) == Program::Foreign
}

fn has_many_columns(line: &[u8]) -> bool {
    [b',', b';', b'\t', b'|'].into_iter().any(|mark| memchr::memchr_iter(mark, line).count() >= 4)
}

/// Whether the text has a time of day near its beginning.
fn has_a_clock(line: &[u8]) -> bool {
    let front = line.get(..48).unwrap_or(line);
    front
        .windows(5)
        .any(|part| matches!(part, [b'0'..=b'9', b'0'..=b'9', b':' | b'.', b'0'..=b'5', b'0'..=b'9']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn looks_like(lines: &[&str], want: &str) {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        let guess = guess_form(&lines).map_or("", |guess| guess.looks_like);
        assert!(guess.contains(want), "{lines:?}: {guess}");
    }

    #[test]
    fn says_what_lines_look_like() {
        looks_like(&["{\"level\":\"info\",\"caller\":\"x\"}"], "JSON objects without");
        looks_like(&["[", "  {", "    \"message\": \"x\",", "  }"], "several lines");
        looks_like(&["N\0o\0v\0 \0a\0b\0c\0d\0", "e\0f\0g\0h\0i\0"], "UTF-16");
        looks_like(
            &["Nov 22 03:04:05 mx1 dovecot: imap-login: x", "Nov 22 03:04:06 mx1 cron[1]: y"],
            "other programs",
        );
        looks_like(&["2026-11-22T03:04:05Z something happened"], "without the name of a program");
        looks_like(&["22.11.2026 03:04:05 server: x"], "unknown form");
        looks_like(&["time;from;to;status;relay"], "CSV");
        looks_like(&["192.0.2.1 - - [22/Nov/2026:03:04:05 +0000] \"GET / HTTP/1.1\" 200 1"], "web server");
        looks_like(&["Received: from a by b", "Subject: x"], "mail message");
        looks_like(&["#Fields: date time c-ip"], "W3C");
        looks_like(&["@4000000050d1e2f71d1a2b3c delivery 1: success: x"], "TAI64N");
        looks_like(&["hello world"], "no log that");
        assert_eq!(guess_form(&[b"", b"  "]), None);
    }
}
