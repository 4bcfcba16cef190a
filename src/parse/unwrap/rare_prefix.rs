//! Removes what loggers, remote shells and viewers put before lines, where nothing but the whole front tells it
//! (`mx1: Nov 22 03:04:05 …`, `@400000006921b2c31a2b3c4d Nov 22 …`, `Nov 22 03:04:05 mx1 mail:info sendmail[12]: …`).
//!
//! These forms are tried only on lines of which no program of a mail server is known.

use std::borrow::Cow;

use memchr::memchr;

use super::colours::without_colours;
use super::json;
use super::line_start::begins_a_line;
use super::metadata::WrapperMetadata;
use super::record;
use super::timestamp::WrapperTime;
use crate::parse::header::LogLine;
use crate::parse::log_level::{is_facility, is_level};
use crate::parse::process_tag::{is_process, names_a_process};
use crate::parse::stamp_length::is_usual_minute;

/// Longest front that is looked at, in bytes.
const LONGEST: usize = 160;

/// Splits what stands around a line from it. `None`: none of these forms.
pub(crate) fn read(raw: &[u8]) -> Option<(WrapperMetadata<'_>, Cow<'_, [u8]>)> {
    if memchr(0x1b, raw).is_some() {
        return Some(bare(Cow::Owned(without_colours(raw))));
    }
    if is_usual_minute(raw) {
        return behind_syslog_stamp(raw).map(|line| bare(Cow::Owned(line)));
    }
    if let Some(text) = fragment(raw) {
        return Some(bare(Cow::Owned(text)));
    }
    behind_stamp(raw)
        .or_else(|| record::read(raw))
        .or_else(|| behind_names(raw).map(|line| bare(Cow::Borrowed(line))))
        .or_else(|| without_quotation(raw).map(|line| bare(Cow::Borrowed(line))))
}

fn bare(text: Cow<'_, [u8]>) -> (WrapperMetadata<'_>, Cow<'_, [u8]>) {
    (WrapperMetadata::default(), text)
}

/// Whether a line that has a stamp, a host and a program may have one of the forms of [`behind_syslog_stamp`]: in
/// `mx1 mail:info sendmail[12]: text`, the program seems to be `mail`.
#[inline]
pub(crate) fn may_be_rare(line: &LogLine) -> bool {
    line.host.first() == Some(&b'[')
        || line.program == b"mail" && word(line.text).is_some_and(|(level, _)| is_level(level))
}

/// Brings what follows a syslog timestamp into the usual order:
/// `mx1 mail:info sendmail[12]: text` and `mx1 Message forwarded from mx2: sendmail[12]: text` (AIX),
/// `mx1 postfix/smtp[12] <Info>: text` (Apple's syslog), `[postfix/smtp] text` (metalog), `CET mx1 postfix/smtp[12]: text`,
/// `2026 mx1 postfix/smtp[12]: text`.
fn behind_syslog_stamp(raw: &[u8]) -> Option<Vec<u8>> {
    let (stamp, rest) = raw.split_at_checked(16)?;
    if let Some(named) = rest.strip_prefix(b"[") {
        let (program, text) = named.split_at_checked(memchr(b']', named.get(..64).unwrap_or(named))?)?;
        let text = text.strip_prefix(b"] ")?;
        let is_name = !program.is_empty() && program.iter().all(|&byte| byte > b' ' && byte != b'[');
        return is_name.then(|| [stamp, program, b": ", text].concat());
    }
    let (host, rest) = word(rest)?;
    // `Nov 22 03:04:05 2026 mx1 …`
    if let [b'1' | b'2', b'0' | b'9', b'0'..=b'9', b'0'..=b'9'] = host {
        let (day, clock) = stamp.split_at_checked(7)?;
        return Some([day, host, b" ", clock, rest].concat());
    }
    let is_zone = (3..=5).contains(&host.len()) && host.iter().all(u8::is_ascii_uppercase);
    if is_zone && names_a_process(rest) {
        return Some([stamp, rest].concat());
    }
    let (first, behind) = word(rest)?;
    // `mail:info`
    let is_priority = memchr(b':', first)
        .and_then(|colon| first.split_at_checked(colon))
        .is_some_and(|(facility, level)| is_facility(facility) && level.get(1..).is_some_and(is_level));
    let rest = if is_priority { behind } else { rest };
    if let Some(forwarded) = rest.strip_prefix(b"Message forwarded from ") {
        let (origin, rest) = word(forwarded)?;
        return Some([stamp, origin.strip_suffix(b":")?, b" ", rest].concat());
    }
    if is_priority {
        return Some([stamp, host, b" ", rest].concat());
    }
    let (level, text) = word(behind)?;
    let level = level.strip_prefix(b"<")?.strip_suffix(b">:")?;
    let is_tag = is_process(&[first, b":"].concat());
    (is_tag && is_level(level)).then(|| [stamp, host, b" ", first, b": ", text].concat())
}

/// Parses a field of an object that was printed over several lines: `    "MESSAGE" : "text",` (journalctl -o json-pretty,
/// `jq .`, `aws logs get-log-events`).
fn fragment(raw: &[u8]) -> Option<Vec<u8>> {
    let field = raw.trim_ascii();
    let field = field.strip_suffix(b",").unwrap_or(field);
    let (name, value) = field.strip_prefix(b"\"")?.split_at_checked(memchr(b'"', field.get(1..33)?)?)?;
    let value = value.get(1..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let is_name = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_@".contains(byte));
    (is_name && value.starts_with(b"\"")).then_some(())?;
    let object = [b"{", field, b"}"].concat();
    json::read(std::str::from_utf8(&object).ok()?).map(|object| object.text.into_owned())
}

/// Splits off a timestamp that syslog's files do not have, before `host program[12]:` or a whole line.
fn behind_stamp(raw: &[u8]) -> Option<(WrapperMetadata<'_>, Cow<'_, [u8]>)> {
    let (time, rest) = stamp(raw)?;
    let rest = rest.trim_ascii_start();
    // `mail.info: Nov 22 …` of socklog
    let line =
        if begins_a_line(rest) || names_a_process(rest) || word(rest).is_some_and(|(tag, _)| is_process(tag))
        {
            rest
        } else {
            behind_names(rest)?
        };
    Some((WrapperMetadata { time: Some(time), ..WrapperMetadata::default() }, Cow::Borrowed(line)))
}

fn stamp(raw: &[u8]) -> Option<(WrapperTime<'_>, &[u8])> {
    match raw {
        // TAI64N (multilog, s6-log): 2^62 plus seconds, and nanoseconds, in hex; ten seconds ahead of Unix time.
        [b'@', b'4', rest @ ..] => {
            let (digits, rest) = rest.split_at_checked(23)?;
            let seconds = std::str::from_utf8(digits.get(..15)?).ok()?;
            let nanos = std::str::from_utf8(digits.get(15..)?).ok()?;
            let seconds = i64::from_str_radix(seconds, 16).ok()?.checked_sub(10)?;
            let micros = i64::from_str_radix(nanos, 16).ok()? / 1000;
            let time = WrapperTime::Micros(seconds.checked_mul(1_000_000)?.checked_add(micros)?);
            Some((time, rest.strip_prefix(b" ")?))
        }
        // `[2026-11-22 03:04:05] `
        [b'[', rest @ ..] => {
            let (inside, rest) = rest.split_at_checked(memchr(b']', rest.get(..48)?)?)?;
            let inside = std::str::from_utf8(inside).ok()?;
            let time = WrapperTime::iso(inside).or_else(|| WrapperTime::bsd(inside))?;
            Some((time, rest.strip_prefix(b"] ")?))
        }
        [_, _, _, _, b'-' | b'/', _, _, b'-' | b'/', _, _, b' ' | b'_' | b'T', ..] => {
            // The clock ends at the second blank, and a zone may follow.
            let end = 11 + memchr(b' ', raw.get(11..52)?)?;
            let behind = raw.get(end + 1..)?;
            let zone =
                word(behind).map_or(0, |(zone, _)| if zone.starts_with(b"+") { zone.len() + 1 } else { 0 });
            let mut text = raw.get(..end + zone)?.to_vec();
            // svlogd writes UTC.
            let is_utc = text.get(10) == Some(&b'_');
            text.iter_mut().take(8).filter(|byte| **byte == b'/').for_each(|byte| *byte = b'-');
            *text.get_mut(10)? = b' ';
            if is_utc {
                text.extend_from_slice(b" UTC");
            }
            let text = String::from_utf8(text).ok()?;
            let time = match WrapperTime::iso(&text)? {
                WrapperTime::Stamp(text) => WrapperTime::Stamp(Cow::Owned(text.into_owned())),
                WrapperTime::Micros(micros) => WrapperTime::Micros(micros),
            };
            Some((time, raw.get(end + zone + 1..)?))
        }
        // `1 2026-11-22T03:04:05Z mx1 …`: the version of RFC 5424 without a priority is no time.
        [b'1', b' ', ..] => None,
        [b'1'..=b'2', ..] => {
            let (number, rest) =
                word(raw.get(..32)?).map(|(number, _)| (number, raw.get(number.len() + 1..)))?;
            let is_number = number.len() >= 10 && number.iter().all(u8::is_ascii_digit);
            let number = std::str::from_utf8(number).ok().filter(|_| is_number)?.parse().ok()?;
            Some((WrapperTime::integer(number)?, rest?))
        }
        _ => None,
    }
}

/// Removes names and marks before a line: `mx1: ` (pdsh, clush), `smtp-1 |` (nerdctl compose), `postfix stdout | `
/// (supervisord), `prod/mail-0[postfix]: ` (kail), `(standard input):17:` and `mail.log:<TAB>` (grep), `17 ` (less -N).
fn behind_names(text: &[u8]) -> Option<&[u8]> {
    const MAX_WORDS: usize = 5;
    let (mut words, mut begin) = (0, 0);
    for (at, &byte) in text.iter().enumerate().take(LONGEST) {
        let is_blank = matches!(byte, b' ' | b'\t' | 0);
        if is_blank {
            // An access log begins with an address, and strangers choose what follows.
            let name = text.get(begin..at)?;
            let in_address = |byte: &u8| byte.is_ascii_hexdigit() || b".:".contains(byte);
            words += usize::from(!name.is_empty());
            if name.len() > 6 && name.iter().all(in_address) || name == b"-" || words > MAX_WORDS {
                return None;
            }
            begin = at + 1;
        }
        if (is_blank || matches!(byte, b':' | b'|')) && text.get(at + 1..).is_some_and(begins_a_line) {
            return text.get(at + 1..);
        }
        // `›` and `│` are not ASCII.
        let is_mark = byte.is_ascii_alphanumeric() || b"-_./@:[]()|".contains(&byte) || !byte.is_ascii();
        if !is_blank && !is_mark {
            return None;
        }
    }
    None
}

/// Removes a mark of quotation and what Select-String of PowerShell puts before a line: `> logs\mail.log:17:`.
fn without_quotation(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b">").unwrap_or(text).trim_ascii_start();
    (rest.len() < text.len()).then(|| super::file_name::without_file_name(rest)).flatten()
}

fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b' ', text)?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::super::unwrap_line;

    #[track_caller]
    fn opens(raw: &str, want: &str) {
        let mut inside = Vec::new();
        assert_eq!(String::from_utf8_lossy(unwrap_line(raw.as_bytes(), &mut inside)), want, "{raw}");
    }

    const TEXT: &str = "A1B2C3: to=<a@b.example>, x";
    const LINE: &str = "Nov 22 03:04:05 mx1 postfix/smtp[12]: A1B2C3: to=<a@b.example>, x";

    #[test]
    fn removes_what_stands_before_a_line() {
        for front in [
            "mx1: ",
            "mx1.example.org: ",
            "smtp-1 |",
            "0|mail  | ",
            "postfix stdout | ",
            "prod/mail-0[postfix]: ",
            "[mail-0 postfix] ",
            "mail-0 \u{203a} postfix ",
            "mail.info: ",
            "(standard input):",
            "(standard input):17:",
            "mail.log:\t",
            "mail.log:  17\t:",
            "     17 ",
            "> logs\\mail.log:17:",
            "2026-11-22 03:04:05.123\t",
            "1795316645123456789\t2026-11-22T03:04:05Z\t",
            "@40000000692128af1a2b3c4d ",
            "2026-11-22_03:04:05.12345 ",
            "2026-11-22_03:04:05.12345 mail.info: ",
            "\u{1b}[35m\u{1b}[Kmail.log\u{1b}[m\u{1b}[K\u{1b}[36m\u{1b}[K:\u{1b}[m\u{1b}[K",
        ] {
            opens(&format!("{front}{LINE}"), LINE);
        }
    }

    #[test]
    fn takes_the_time_before_a_host_and_a_program() {
        let line = format!("mx1 postfix/smtp[12]: {TEXT}");
        for (front, time) in [
            ("@40000000692128af1a2b3c4d ", "2025-11-22T03:06:13.439041Z"),
            ("2026-11-22_03:04:05.12345 ", "2026-11-22T03:04:05.12345Z"),
            ("[2026-11-22 03:04:05] ", "2026-11-22T03:04:05"),
            ("2026/11/22 03:04:05 ", "2026-11-22T03:04:05"),
            ("2026-11-22 03:04:05,123 ", "2026-11-22T03:04:05.123"),
            ("2026-11-22 03:04:05.123+01:00 ", "2026-11-22T03:04:05.123+01:00"),
            ("1795316645 ", "2026-11-22T03:04:05Z"),
        ] {
            opens(&format!("{front}{line}"), &format!("{time} {line}"));
        }
    }

    #[test]
    fn brings_the_header_into_the_usual_order() {
        let stamp = "Nov 22 03:04:05";
        for header in [
            "mx1 mail:info postfix/smtp[12]:",
            "relay Message forwarded from mx1: postfix/smtp[12]:",
            "relay mail:info Message forwarded from mx1: postfix/smtp[12]:",
            "mx1 postfix/smtp[12] <Info>:",
            "CET mx1 postfix/smtp[12]:",
        ] {
            opens(&format!("{stamp} {header} {TEXT}"), LINE);
        }
        opens(&format!("{stamp} [postfix/smtp] {TEXT}"), &format!("{stamp} postfix/smtp: {TEXT}"));
        opens(
            &format!("{stamp} 2016 mx1 outbound/error: {TEXT}"),
            &format!("Nov 22 2016 03:04:05 mx1 outbound/error: {TEXT}"),
        );
    }

    #[test]
    fn opens_a_field_that_stands_on_its_own_line() {
        opens(&format!("\t\"MESSAGE\" : \"{TEXT}\","), &format!("postfix: {TEXT}"));
        opens(&format!("            \"message\": \"{LINE}\","), LINE);
    }

    #[test]
    fn leaves_lines_of_others() {
        for raw in [
            // A stranger chooses the name of the user in an access log.
            "192.0.2.7 - Nov 22 03:04:05 mx1 postfix/smtp[12]: A1B2C3: to=<a@b.example>, x",
            "2001:db8::7 - Nov 22 03:04:05 mx1 postfix/smtp[12]: A1B2C3: to=<a@b.example>, x",
            "www.example.org:443 192.0.2.7 Nov 22 03:04:05 mx1 postfix/smtp[12]: A1B2C3: to=<a@b.example>, x",
            "a b c d e f Nov 22 03:04:05 mx1 postfix/smtp[12]: x",
            "mx1: Nov 22 03:04:05 mx1 cron[12]: x",
            "say \"Nov 22 03:04:05 mx1 postfix/smtp[12]: x\"",
            "Nov 22 03:04:05 mx1 mail:info cron[12]: x",
            "Nov 22 03:04:05 [cron] x",
            "\"message\": \"x\"",
            "\"message\": 12",
            "@4 x",
            "[",
            "\"",
        ] {
            opens(raw, raw);
        }
    }
}
