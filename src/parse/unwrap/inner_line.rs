//! Finds the line of a mail server in a line that another program or no program wrote
//! (`Nov 22 03:04:05 node1 docker/mail[7]: Nov 22 03:04:05 mx1 postfix/smtp[12]: …`).

use std::borrow::Cow;

use super::completed_line::write_line;
use super::earlier_lines::EarlierLines;
use super::journal_fields::write_entry;
use super::line_start::begins_a_line;
use super::metadata::WrapperMetadata;
use super::rare_prefix::{self, may_be_rare};
use super::repeated::write_previous;
use super::timestamp::WrapperTime;
use crate::parse::header::{LogLine, RawTimestamp};
use crate::parse::mta::parsed::ParsedLine;
use crate::parse::mta::{self, Program};
use crate::parse::process_tag::is_process;
use crate::simd::find::find;

/// Cheap test for the lines of other programs: false for nearly all of them.
#[inline]
pub(crate) fn may_hold_line(line: &LogLine) -> bool {
    match line.text {
        _ if line.stamp == RawTimestamp::Missing || line.host.is_empty() => true,
        _ if may_be_rare(line) => true,
        [b'0'..=b'9', b'0'..=b'9', ..] | [b'{', ..] | [_, _, _, b' ', _, b'0'..=b'9', b' ', ..] => true,
        text => line.program.ends_with(b".service") || begins_with_process(text),
    }
}

/// Whether the text begins with `name[12]:`.
fn begins_with_process(text: &[u8]) -> bool {
    find(b' ', text.get(..64).unwrap_or(text)).is_some_and(|end| text.get(..end).is_some_and(is_process))
}

/// Writes the line of a mail server that the line holds, and returns how often it occurred. `None`: it holds none.
pub(crate) fn write_inner(
    raw: &[u8],
    line: &LogLine,
    earlier: EarlierLines,
    unwrap: impl FnOnce(&WrapperMetadata, &[u8], &mut Vec<u8>),
    output: &mut Vec<u8>,
) -> Option<u32> {
    if (line.stamp == RawTimestamp::Missing || line.host.is_empty()) && write_unnamed(raw, output) {
        return Some(1);
    }
    if line.stamp == RawTimestamp::Missing {
        if write_entry(raw, earlier, output) {
            return Some(1);
        }
        if let Some(times) = write_previous(raw, earlier, output) {
            return Some(times);
        }
    }
    if line.stamp == RawTimestamp::Missing || may_be_rare(line) {
        let (metadata, text) = rare_prefix::read(raw)?;
        unwrap(&metadata, &text, output);
        return is_of_server(output).then_some(1);
    }
    if write_unit(raw, line, output) {
        return Some(1);
    }
    if !begins_a_line(line.text) && !begins_with_process(line.text) {
        return None;
    }
    unwrap(&outer(line), line.text, output);
    is_of_server(output).then_some(1)
}

/// What the outer header says: Docker's syslog driver writes it when the container writes the line.
fn outer<'a>(line: &LogLine<'a>) -> WrapperMetadata<'a> {
    let stamp = match line.stamp {
        RawTimestamp::Iso(stamp) | RawTimestamp::Bsd(stamp) => std::str::from_utf8(stamp).ok(),
        RawTimestamp::Missing | RawTimestamp::YearFirst(_) | RawTimestamp::Unix(_) => None,
    };
    let time = stamp.and_then(|stamp| WrapperTime::iso(stamp).or_else(|| WrapperTime::bsd(stamp)));
    let has_zone = matches!(line.stamp, RawTimestamp::Iso(stamp) if stamp.len() > 19);
    let host = std::str::from_utf8(line.host).ok().filter(|host| !host.is_empty()).map(Cow::Borrowed);
    WrapperMetadata { time, exact: has_zone, host, ..WrapperMetadata::default() }
}

/// Whether a mail server wrote the line. Other programs in containers write the same timestamps as Exim's own files, so a
/// line without a program must also be understood.
fn is_of_server(raw: &[u8]) -> bool {
    let line = LogLine::read(raw);
    match Program::of(&line) {
        Program::Foreign => false,
        _ if !line.program.is_empty() => true,
        program => !matches!(program.read(&line), ParsedLine::Unread | ParsedLine::Foreign),
    }
}

/// A line without a program, as `journalctl -o cat` shows it: `A1B2C3: to=<a@b>, relay=…`; also with a timestamp before it
/// (logcli --no-labels, of a line that came from the journal).
fn write_unnamed(raw: &[u8], output: &mut Vec<u8>) -> bool {
    let (time, text) = match raw {
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', ..] => {
            let Some(end) = find(b' ', raw.get(..40).unwrap_or(raw)) else { return false };
            let (stamp, text) = raw.split_at(end);
            (std::str::from_utf8(stamp).ok().and_then(WrapperTime::iso), text.trim_ascii_start())
        }
        _ => (None, raw),
    };
    let Some(program) = mta::program_of_text(text).map(Cow::Borrowed) else { return false };
    write_line(&WrapperMetadata { time, program: Some(program), ..WrapperMetadata::default() }, text, output);
    true
}

/// A line whose program is a systemd unit (journalctl -o with-unit): `… mx1 postfix@-.service[12]: …`.
fn write_unit(raw: &[u8], line: &LogLine, output: &mut Vec<u8>) -> bool {
    // `unit/user-unit` for what runs under a user's service manager.
    let Some(unit) = line.program.strip_suffix(b".service") else { return false };
    let Some(program) = mta::program_of_unit(unit) else { return false };
    let Some(front) = raw.strip_suffix(line.text) else { return false };
    let Some(at) = memchr::memmem::rfind(front, line.program) else { return false };
    output.extend_from_slice(raw.get(..at).unwrap_or_default());
    output.extend_from_slice(program.as_bytes());
    output.extend_from_slice(raw.get(at + line.program.len()..).unwrap_or_default());
    true
}
