//! Puts together a line from the fields of a journal entry that stand on lines of their own (`journalctl -o export`,
//! `journalctl -o verbose`).

use std::borrow::Cow;

use super::completed_line::write_line;
use super::earlier_lines::EarlierLines;
use super::metadata::{WrapperMetadata, host, pid_of, program};
use super::timestamp::WrapperTime;

const MESSAGE: &[u8] = b"MESSAGE=";
const IDENTIFIER: &[u8] = b"SYSLOG_IDENTIFIER=";

/// Writes the line of a journal entry, from the later one of its fields `MESSAGE` and `SYSLOG_IDENTIFIER`; the other one and
/// the host, the process id and the time are looked for on the lines before. The journal stores the fields of an entry in
/// the order in which their values were first seen, so that the message is nearly always the last. False: the line is
/// neither, or the entry is not complete yet.
pub(crate) fn write_entry(raw: &[u8], earlier: EarlierLines, output: &mut Vec<u8>) -> bool {
    write(raw, earlier, output).is_some()
}

fn write(raw: &[u8], earlier: EarlierLines, output: &mut Vec<u8>) -> Option<()> {
    let own = field(raw);
    if !own.starts_with(MESSAGE) && !own.starts_with(IDENTIFIER) {
        return None;
    }
    let (mut message, mut metadata) = (None, WrapperMetadata::default());
    for line in std::iter::once(raw).chain(earlier.backwards()) {
        let field = field(line);
        if let Some(text) = field.strip_prefix(MESSAGE) {
            message.get_or_insert(text);
        } else if let Some(name) = text_of(field, IDENTIFIER) {
            metadata.program = metadata.program.or(program(Cow::Borrowed(name)).map(|(name, _)| name));
        } else if let Some(name) = text_of(field, b"_HOSTNAME=") {
            metadata.host = host(Cow::Borrowed(name));
        } else if let Some(number) = text_of(field, b"SYSLOG_PID=") {
            metadata.pid = pid_of(Cow::Borrowed(number));
        } else if let Some(number) = text_of(field, b"_PID=") {
            metadata.pid = metadata.pid.or_else(|| pid_of(Cow::Borrowed(number)));
        } else if let Some(micros) = text_of(field, b"__REALTIME_TIMESTAMP=") {
            metadata.time = micros.parse().ok().and_then(WrapperTime::integer);
        } else if field.starts_with(b"__CURSOR=") {
            break;
        } else if let Some(time) = verbose_time(line) {
            metadata.time = Some(time);
            break;
        } else if !is_field(field) {
            break;
        }
    }
    metadata.program.as_ref()?;
    write_line(&metadata, message?, output);
    Some(())
}

/// The field without the indent of `-o verbose`.
fn field(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"    ").unwrap_or(line)
}

fn text_of<'a>(field: &'a [u8], name: &[u8]) -> Option<&'a str> {
    std::str::from_utf8(field.strip_prefix(name)?).ok()
}

/// Whether the line is `_NAME=value` (systemd.journal-fields(7)).
fn is_field(line: &[u8]) -> bool {
    let name = line
        .iter()
        .take(65)
        .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b'_');
    let length = name.count();
    length > 0 && line.get(length) == Some(&b'=')
}

/// The time with which an entry of `-o verbose` begins: `Sun 2026-11-22 03:04:05.123456 UTC [s=0f;i=1a]`.
fn verbose_time(line: &[u8]) -> Option<WrapperTime<'_>> {
    let [_, _, _, b' ', stamp @ ..] = line else { return None };
    let end = memchr::memmem::find(stamp.get(..48).unwrap_or(stamp), b" [s=")?;
    let stamp = std::str::from_utf8(stamp.get(..end)?).ok()?;
    // Only UTC is understood of zone abbreviations; another zone counts as local time.
    WrapperTime::iso(stamp).or_else(|| WrapperTime::iso(stamp.rsplit_once(' ')?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn gives(lines: &[&str], want: Option<&str>) {
        let (last, before) = lines.split_last().unwrap();
        let near = before.join("\n") + "\n";
        let mut output = Vec::new();
        let earlier = EarlierLines { near: near.as_bytes(), far: b"" };
        let found = write_entry(last.as_bytes(), earlier, &mut output);
        let text = String::from_utf8_lossy(&output);
        assert_eq!(found.then_some(&*text), want);
    }

    const FRONT: [&str; 4] =
        ["__CURSOR=s=0f;i=1", "__REALTIME_TIMESTAMP=1795316645123456", "_HOSTNAME=mx1", "_PID=12"];

    #[test]
    fn reads_an_exported_entry_in_any_order() {
        let want = Some("2026-11-22T03:04:05.123456Z mx1 a/smtp[12]: A1: x");
        let with = |rest: &[&'static str]| FRONT.iter().chain(rest).copied().collect::<Vec<_>>();
        gives(&with(&["SYSLOG_IDENTIFIER=a/smtp", "MESSAGE=A1: x"]), want);
        gives(&with(&["MESSAGE=A1: x", "SYSLOG_IDENTIFIER=a/smtp"]), want);
        gives(&with(&["MESSAGE=A1: x"]), None);
        gives(&with(&["MESSAGE=A1: x", "SYSLOG_IDENTIFIER=a/smtp", "_UID=1"]), None);
        // The fields of another entry do not count.
        gives(&["SYSLOG_IDENTIFIER=a/smtp", "", "__CURSOR=s=0f;i=2", "MESSAGE=A1: x"], None);
    }

    #[test]
    fn reads_a_verbose_entry() {
        let front = "Sun 2026-11-22 03:04:05.123456 UTC [s=0f;i=1a]";
        let rest =
            ["    _HOSTNAME=mx1", "    SYSLOG_IDENTIFIER=a/smtp", "    SYSLOG_PID=12", "    MESSAGE=A1: x"];
        let lines: Vec<&str> = [front].into_iter().chain(rest).collect();
        gives(&lines, Some("2026-11-22T03:04:05.123456Z mx1 a/smtp[12]: A1: x"));
    }
}
