//! Finds the line of a mail server in a record of a table that a viewer of logs exports, with commas or tabs between its
//! fields (`"2026-11-22T03:04:05.000Z","mx1","postfix/smtp[12]: A1B2C3: to=<a@b>, …"`).

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::line_start::begins_a_line;
use super::metadata::{WrapperMetadata, host, pid_of, program};
use super::timestamp::WrapperTime;
use crate::parse::header::LogLine;
use crate::parse::log_level::{is_facility, is_level};
use crate::parse::mta::{self, Program};
use crate::parse::process_tag::is_process;

/// The most fields of a record that are looked at.
const MAX_FIELDS: usize = 32;

/// How far the first separator is looked for, in bytes.
const FRONT: usize = 80;

/// Parses a record whose fields are quoted as in RFC 4180, or that has tabs: the exports of Graylog, Kibana, Splunk and
/// CloudWatch, the archives of Papertrail, the files of Kiwi. `None`: no field holds a line or a text of a mail server.
pub(crate) fn read(raw: &[u8]) -> Option<(WrapperMetadata<'_>, Cow<'_, [u8]>)> {
    let front = raw.get(..FRONT).unwrap_or(raw);
    let fields: Vec<Cow<[u8]>> = if memchr(b'\t', front).is_some() {
        raw.split(|&byte| byte == b'\t').take(MAX_FIELDS).map(Cow::Borrowed).collect()
    } else if raw.starts_with(b"\"") || memmem::find(front, b",\"").is_some() {
        quoted_fields(raw)
    } else {
        return None;
    };
    let is_line =
        |field: &Cow<[u8]>| begins_a_line(field) && !LogLine::read(field).text.is_empty() || has_tag(field);
    let is_text = |field: &Cow<[u8]>| mta::program_of_text(field).is_some();
    let at = fields
        .iter()
        .position(|field| is_line(field) && !is_time(field))
        .or_else(|| fields.iter().position(is_text))
        // A text that does not name its server comes last.
        .or_else(|| {
            fields
                .len()
                .checked_sub(1)
                .filter(|last| *last > 1 && fields.iter().any(|field| is_program(field)))
        })?;
    let mut metadata = WrapperMetadata::default();
    let mut text = Cow::Borrowed(&b""[..]);
    for (place, field) in fields.into_iter().enumerate() {
        if place == at {
            text = field;
        } else {
            fill(&mut metadata, field);
        }
    }
    Some((metadata, text))
}

/// Fills what the field tells about the line.
fn fill<'a>(metadata: &mut WrapperMetadata<'a>, field: Cow<'a, [u8]>) {
    let name = match field {
        Cow::Borrowed(name) => std::str::from_utf8(name).ok().map(Cow::Borrowed),
        Cow::Owned(name) => String::from_utf8(name).ok().map(Cow::Owned),
    };
    let Some(name) = name.filter(|name| !name.is_empty()) else { return };
    if let Some(time) = time_of(&name) {
        metadata.time.get_or_insert(time);
    } else if is_program(name.as_bytes()) {
        if let Some((name, pid)) = program(name) {
            metadata.program.get_or_insert(name);
            metadata.pid = metadata.pid.take().or(pid);
        }
    } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
        // A process id follows its program.
        if metadata.program.is_some() && metadata.pid.is_none() {
            metadata.pid = pid_of(name);
        }
    } else if metadata.host.is_none() && is_host(name.as_bytes()) {
        metadata.host = host(name);
    }
}

/// Whether a field can be the host: not a path, an address, a severity or a facility.
fn is_host(name: &[u8]) -> bool {
    name.iter().any(u8::is_ascii_alphabetic)
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(byte))
        && !is_level(name)
        && !is_facility(name)
}

/// Whether the field is the name of a mail server's program, with or without a process id.
fn is_program(field: &[u8]) -> bool {
    let is_short = (1..=64).contains(&field.len()) && !field.iter().any(u8::is_ascii_whitespace);
    let tag = [field.strip_suffix(b":").unwrap_or(field), b": x"].concat();
    is_short
        && !matches!(Program::of(&LogLine::read(&tag)), Program::Foreign)
        && memchr(b'=', field).is_none()
}

/// Whether the field begins with `postfix/smtp[12]:` or `mx1 postfix/smtp[12]:`.
fn has_tag(field: &[u8]) -> bool {
    let mut words = field.get(..160).unwrap_or(field).split(|&byte| byte == b' ').take(2);
    words.any(is_process)
}

fn is_time(field: &[u8]) -> bool {
    std::str::from_utf8(field).is_ok_and(|text| time_of(text).is_some())
}

/// Parses a time, also as Kibana shows it: `Nov 22, 2026 @ 03:04:05.123`.
fn time_of<'a>(text: &str) -> Option<WrapperTime<'a>> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return WrapperTime::integer(text.parse().ok()?);
    }
    let owned = |time: WrapperTime| match time {
        WrapperTime::Stamp(text) => WrapperTime::Stamp(Cow::Owned(text.into_owned())),
        WrapperTime::Micros(micros) => WrapperTime::Micros(micros),
    };
    if let Some((date, clock)) = text.split_once(" @ ") {
        let (day, year) = date.split_once(", ").filter(|(day, _)| (5..=6).contains(&day.len()))?;
        let (month, day) = day.split_once(' ')?;
        let clock = clock.get(..8)?;
        return WrapperTime::bsd(&format!("{month} {day:>2} {clock}"))
            .map(|_| WrapperTime::Stamp(Cow::Owned(format!("{month} {day:>2} {year} {clock}"))));
    }
    WrapperTime::iso(text).or_else(|| WrapperTime::bsd(text)).map(owned)
}

/// The fields of a record with commas; inside quotes, two quotes stand for one.
fn quoted_fields(raw: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let mut fields = Vec::new();
    let mut rest = Some(raw);
    while let Some(field) = rest.filter(|_| fields.len() < MAX_FIELDS) {
        let Some(quoted) = field.strip_prefix(b"\"") else {
            let end = memchr(b',', field);
            fields.push(Cow::Borrowed(field.get(..end.unwrap_or(field.len())).unwrap_or_default()));
            rest = end.and_then(|end| field.get(end + 1..));
            continue;
        };
        let mut text = Vec::new();
        let mut inner = quoted;
        loop {
            let end = memchr(b'"', inner).unwrap_or(inner.len());
            text.extend_from_slice(inner.get(..end).unwrap_or_default());
            inner = inner.get(end + 1..).unwrap_or_default();
            match inner.strip_prefix(b"\"") {
                Some(behind) => {
                    text.push(b'"');
                    inner = behind;
                }
                None => break,
            }
        }
        fields.push(Cow::Owned(text));
        rest = inner.strip_prefix(b",");
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn gives(raw: &str, host: &str, program: &str, text: &str) {
        let found = read(raw.as_bytes()).map(|(metadata, text)| {
            let name = |name: Option<Cow<str>>| name.unwrap_or_default().into_owned();
            let text = String::from_utf8_lossy(&text).into_owned();
            (name(metadata.host), name(metadata.program), text)
        });
        assert_eq!(found, Some((host.to_owned(), program.to_owned(), text.to_owned())), "{raw}");
    }

    #[test]
    fn finds_the_line_and_what_the_other_fields_say_about_it() {
        let line = "Nov 22 03:04:05 mx1 postfix/smtp[12]: A1B2C3: x";
        let time = "2026-11-22T03:04:05.000Z";
        gives(&format!("\"{time}\",\"mx1\",\"{line}\""), "mx1", "", line);
        gives(
            &format!("{time},mx1,\"postfix/smtp[12]: say \"\"no\"\", a\""),
            "mx1",
            "",
            "postfix/smtp[12]: say \"no\", a",
        );
        gives(
            &format!("\"{time}\",\"mx1\",\"postfix/smtp\",\"12\",\"A1B2C3D4: x\""),
            "mx1",
            "postfix/smtp",
            "A1B2C3D4: x",
        );
        gives(&format!("\"Nov 22, 2026 @ 03:04:05.000\",\"{line}\",\"/var/log/mail.log\""), "", "", line);
        gives(&format!("2026-11-22 03:04:05\tMail.Info\tmx1\t{line}"), "mx1", "", line);
        gives(
            "503\t2026-11-22 03:04:05\t2026-11-22 03:04:06\t31\tmx1\t192.0.2.1\tMail\tInfo\tpostfix/smtp\tA1B2C3D4: to=<a@b.example>, x",
            "mx1",
            "postfix/smtp",
            "A1B2C3D4: to=<a@b.example>, x",
        );
    }

    #[test]
    fn takes_no_other_table_for_a_log() {
        for raw in [
            "",
            "\"a\",\"b\"",
            "a\tb\tc",
            "\"2026-11-22T03:04:05.000Z\",\"mx1\"",
            "a,b,c",
            "\"",
            "\"\"\"",
            "\t",
        ] {
            assert!(read(raw.as_bytes()).is_none(), "{raw}");
        }
    }
}
