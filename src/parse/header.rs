//! Parses the header of a line: timestamp, host, program and text (`Nov  2 03:04:05 mx1 postfix/smtp[12]: text`).

use memchr::{memchr, memmem};

use super::log_level::is_level;
use super::process_tag::{names_a_process, without_padded_pid};
use super::stamp_length::{
    bsd_end, clock_length, count_leading, fraction_length, is_usual_minute, zone_length,
};
use crate::simd::find::find;

/// A log line, split into header and text. Host and program are empty if the line does not show them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogLine<'a> {
    pub stamp: RawTimestamp<'a>,
    pub host: &'a [u8],
    /// The program as logged: `postfix/smtp`, `exim`, `postfix-out/submission/smtpd`. Empty in the log files that Exim
    /// writes itself.
    pub program: &'a [u8],
    /// Offset of the daemon's name in `program`, in bytes: 8 in `postfix/smtp`, 0 if there is no slash.
    pub daemon_start: usize,
    pub text: &'a [u8],
}

/// A timestamp as logged; [`super::timestamp::TimestampParser`] parses it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RawTimestamp<'a> {
    /// The line has no timestamp.
    Missing,
    /// `Nov  2 03:04:05`, with or without a fraction (RFC 3164 §4.1.2); also `Nov 2 2026 03:04:05`, and
    /// `Nov  2 03:04:05 2026` (ctime(3), as OpenWrt's logread shows it).
    Bsd(&'a [u8]),
    /// `2013 Jun 10 06:27:30.123`.
    YearFirst(&'a [u8]),
    /// `2026-11-22T02:40:41.9+00:00` (RFC 3339), and Exim's `2026-11-22 02:40:41.904 +0000`.
    ///
    /// Also `2026-11-22 03:04:05 CET` (journalctl -o short-full). Only UTC is understood of zone abbreviations, since the
    /// others are ambiguous.
    Iso(&'a [u8]),
    /// `1763780645.123456`: seconds since 1970 (journalctl -o short-unix).
    Unix(&'a [u8]),
}

impl<'a> LogLine<'a> {
    /// Parses any line. If no header format matches, there is no timestamp and no program, and the text is the whole line.
    pub fn read(raw: &'a [u8]) -> Self {
        // The commonest format first: nearly all lines of most logs have it.
        if let Some(line) = usual_header(raw) {
            return line;
        }
        let (version, raw) = priority(raw);
        match raw.first() {
            Some(b'0'..=b'9') => digit_header(raw, version),
            Some(byte) if byte.is_ascii_alphabetic() || !byte.is_ascii() => {
                bsd_header(raw).or_else(|| weekday_header(raw)).or_else(|| ctime_header(raw))
            }
            _ => None,
        }
        .or_else(|| tag_and_text(RawTimestamp::Missing, b"", raw))
        .or_else(|| names_a_process(raw).then(|| host_tag_and_text(RawTimestamp::Missing, raw)).flatten())
        .unwrap_or(Self {
            stamp: RawTimestamp::Missing,
            host: b"",
            program: b"",
            daemon_start: 0,
            text: raw,
        })
    }

    /// The host if it is named: empty also if it is only assumed, to tell logs apart (then it begins with a zero byte).
    pub fn named_host(&self) -> &'a [u8] {
        if self.host.first() == Some(&0) { b"" } else { self.host }
    }

    /// The line with the host of its log, if it names none itself.
    pub(crate) fn or_host(self, host: Option<&'a [u8]>) -> Self {
        if self.host.is_empty() { Self { host: host.unwrap_or_default(), ..self } } else { self }
    }

    /// The host, if it does not stand in the line itself.
    pub(crate) fn host_outside(&self, raw: &[u8]) -> Option<&'a [u8]> {
        let inside = raw.as_ptr_range();
        Some(self.host).filter(|host| !host.is_empty() && !inside.contains(&host.as_ptr()))
    }

    /// The daemon's name: `smtpd` of `postfix/submission/smtpd`.
    pub fn daemon(&self) -> &'a [u8] {
        self.program.get(self.daemon_start..).unwrap_or_default()
    }

    /// The instance, or the whole program if it has none.
    pub fn instance_or_program(&self) -> &'a [u8] {
        match self.instance() {
            b"" => self.program,
            instance => instance,
        }
    }

    /// The part before the daemon's name: `postfix/submission` of `postfix/submission/smtpd`. Empty if there is no slash.
    pub fn instance(&self) -> &'a [u8] {
        self.program.get(..self.daemon_start.saturating_sub(1)).unwrap_or_default()
    }
}

/// Removes the priority: `<22>1 rest` of RFC 5424 §6.2.1 gives true and `rest`, `<22>rest` of RFC 3164 §4.1.1 gives
/// false and `rest`, and a line without priority gives false and itself.
fn priority(raw: &[u8]) -> (bool, &[u8]) {
    let rest = raw.strip_prefix(b"<").and_then(|rest| {
        let end = memchr(b'>', rest.get(..4).unwrap_or(rest))?;
        let (digits, rest) = rest.split_at_checked(end)?;
        (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
            .then(|| rest.get(1..).unwrap_or_default())
    });
    match rest {
        Some(rest) => rest.strip_prefix(b"1 ").map_or((false, rest), |rest| (true, rest)),
        None => (false, raw),
    }
}

/// Parses `Nov  2 03:04:05 host program[pid]: text`, with a timestamp of exactly 15 bytes.
#[inline]
fn usual_header(raw: &[u8]) -> Option<LogLine<'_>> {
    let (stamp, rest) = raw.split_at_checked(15)?;
    match (stamp, rest) {
        ([.., b'0'..=b'9', b'0'..=b'9'], [b' ', rest @ ..]) if is_usual_minute(stamp) => {
            host_tag_and_text(RawTimestamp::Bsd(stamp), rest)
        }
        _ => None,
    }
}

/// Parses `Nov  2 03:04:05[.123] host program[pid]: text` and the variants of [`bsd_end`].
fn bsd_header(raw: &[u8]) -> Option<LogLine<'_>> {
    let end = match raw {
        [_, _, _, b' ', _, b'0'..=b'9', b' ', _, _, b':', _, _, b':', b'0'..=b'9', b'0'..=b'9', ..] => 15,
        _ => bsd_end(raw)?,
    };
    let end = end + fraction_length(raw.get(end..)?);
    let (stamp, rest) = raw.split_at_checked(end)?;
    host_tag_and_text(RawTimestamp::Bsd(stamp), rest.strip_prefix(b" ")?)
}

/// Parses `Sun 2026-11-22 03:04:05 CET host program[pid]: text` (journalctl -o short-full).
fn weekday_header(raw: &[u8]) -> Option<LogLine<'_>> {
    let [_, _, _, b' ', stamp @ ..] = raw else { return None };
    let [_, _, _, _, b'-', _, _, b'-', _, _, b' ', time @ ..] = stamp else { return None };
    let end = 11 + clock_length(time)?;
    let end = end + fraction_length(stamp.get(end..)?);
    let zone = stamp.get(end..)?.strip_prefix(b" ")?;
    let length = memchr(b' ', zone.get(..7).unwrap_or(zone)).filter(|length| *length > 0)?;
    let (stamp, rest) = stamp.split_at_checked(end + 1 + length)?;
    host_tag_and_text(RawTimestamp::Iso(stamp), rest.strip_prefix(b" ")?)
}

/// Parses `Sun Nov 22 03:04:05 2026 mail.info program[pid]: text` (OpenWrt's logread).
fn ctime_header(raw: &[u8]) -> Option<LogLine<'_>> {
    let [_, _, _, b' ', date @ ..] = raw else { return None };
    let (stamp, rest) = date.split_at_checked(20)?;
    let [.., b':', _, _, b' ', b'1'..=b'2', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'] = stamp else {
        return None;
    };
    let rest = rest.strip_prefix(b" ").filter(|_| is_usual_minute(stamp))?;
    host_tag_and_text(RawTimestamp::Bsd(stamp), rest)
}

/// Parses a line that begins with a digit: RFC 3339, RFC 5424, year first, seconds since 1970, or Exim's own files.
/// `version`: the version 1 of RFC 5424 stood before it.
fn digit_header(raw: &[u8], version: bool) -> Option<LogLine<'_>> {
    match raw {
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', ..] => {
            let end = memchr(b' ', raw.get(..40).unwrap_or(raw))?;
            clock_length(raw.get(11..)?)?;
            let (stamp, rest) = raw.split_at_checked(end)?;
            let rest = rest.get(1..)?;
            let stamp = RawTimestamp::Iso(stamp);
            // `docker logs -t` of a program that prints its process id before each line.
            if without_padded_pid(rest)
                .is_some_and(|text| text.starts_with(b"  ") || text.starts_with(b"LOG:"))
            {
                return Some(LogLine { stamp, host: b"", program: b"", daemon_start: 0, text: rest });
            }
            rfc5424_header(stamp, rest)
                .or_else(|| if version { None } else { host_tag_and_text(stamp, rest) })
        }
        [_, _, _, _, b'-', _, _, b'-', _, _, b' ', ..] => {
            let end = 11 + clock_length(raw.get(11..)?)?;
            let end = end + fraction_length(raw.get(end..)?);
            let end = end + zone_length(raw.get(end..)?);
            let (stamp, rest) = raw.split_at_checked(end)?;
            let rest = rest.strip_prefix(b" ")?;
            let stamp = RawTimestamp::Iso(stamp);
            if names_a_process(rest) || word(rest).is_some_and(|(word, _)| is_level(word)) {
                return host_tag_and_text(stamp, rest);
            }
            Some(LogLine { stamp, host: b"", program: b"", daemon_start: 0, text: rest })
        }
        [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b' ', _, _, _, b' ', ..] => {
            let end = 5 + bsd_end(raw.get(5..)?)?;
            let end = end + fraction_length(raw.get(end..)?);
            let (stamp, rest) = raw.split_at_checked(end)?;
            host_tag_and_text(RawTimestamp::YearFirst(stamp), rest.strip_prefix(b" ")?)
        }
        [_, _, _, _, _, _, _, _, _, _, b'.', ..] => {
            let end = 10 + fraction_length(raw.get(10..)?);
            let (stamp, rest) = raw.split_at_checked(end)?;
            let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
            let rest = rest.strip_prefix(b" ").filter(|_| stamp.get(..10).is_some_and(digits))?;
            host_tag_and_text(RawTimestamp::Unix(stamp), rest)
        }
        // `11月 22 03:04:05 …` (journalctl in Chinese, Japanese or Korean)
        [_, 0xE6 | 0xEC, ..] | [_, _, 0xE6 | 0xEC, ..] => bsd_header(raw),
        _ => None,
    }
}

/// Parses what follows the timestamp in RFC 5424 §6: `host program procid msgid [structured data] text`.
fn rfc5424_header<'a>(stamp: RawTimestamp<'a>, raw: &'a [u8]) -> Option<LogLine<'a>> {
    let (host, rest) = word(raw)?;
    let (program, rest) = word(rest)?;
    if matches!(program.last(), Some(b':' | b']') | None) {
        return None;
    }
    let (procid, rest) = word(rest)?;
    if procid != b"-" && !procid.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (_msgid, rest) = word(rest)?;
    let text = match rest {
        [b'-', text @ ..] => text,
        [b'[', ..] => rest.get(structured_data_length(rest)?..)?,
        _ => return None,
    };
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let text = text.get(count_leading(text, b' ')..)?;
    let slash = memchr::memrchr(b'/', program).map_or(0, |slash| slash + 1);
    Some(LogLine { stamp, host: if host == b"-" { b"" } else { host }, program, daemon_start: slash, text })
}

/// The length of the structured data `[a x="y"][b]`; `\]` inside a value does not end it (RFC 5424 §6.3.3).
fn structured_data_length(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let mut bytes = text.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if quoted => {
                bytes.next();
            }
            b'"' => quoted = !quoted,
            b']' if !quoted && text.get(at + 1) != Some(&b'[') => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = find(b' ', text)?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// Parses what follows the timestamp in a syslog file: `[<mail.info>] host program[pid]: text`. The severity may also stand
/// before the host or behind it, alone or with the facility: `INFO    postfix/smtp[12]: …` (rsyslog's
/// `%syslogseverity-text%`), `mx1 mail.info postfix/smtp[12]: …` (BusyBox's syslogd.c).
#[inline]
fn host_tag_and_text<'a>(stamp: RawTimestamp<'a>, raw: &'a [u8]) -> Option<LogLine<'a>> {
    let raw = match raw {
        [b'<', rest @ ..] => rest.get(memmem::find(rest, b"> ")? + 2..)?,
        _ => raw,
    };
    let (host, rest) = word(raw)?;
    // The line has no host: `Nov  2 03:04:05 postfix/smtp[12]: …`.
    if host.last() == Some(&b':') {
        return tag_and_text(stamp, b"", raw);
    }
    if is_level(host) {
        return behind_level(stamp, rest);
    }
    tag_and_text(stamp, host, rest).or_else(|| {
        let (level, rest) = word(rest)?;
        tag_and_text(stamp, host, rest.trim_ascii_start()).filter(|_| is_level(level))
    })
}

/// Parses what follows a severity: `host program[pid]: text` or `program[pid]: text`.
fn behind_level<'a>(stamp: RawTimestamp<'a>, raw: &'a [u8]) -> Option<LogLine<'a>> {
    let raw = raw.trim_ascii_start();
    let (first, rest) = word(raw)?;
    if first.last() == Some(&b':') { tag_and_text(stamp, b"", raw) } else { tag_and_text(stamp, first, rest) }
}

/// Parses `program[pid]: text` and `program: text`.
#[inline]
fn tag_and_text<'a>(stamp: RawTimestamp<'a>, host: &'a [u8], raw: &'a [u8]) -> Option<LogLine<'a>> {
    let end = find(b' ', raw).unwrap_or(raw.len());
    // Search backwards from the colon, since pid and daemon are short. Some programs write no blank behind the colon.
    let (tag, text) = match raw.get(..end)?.strip_suffix(b":") {
        Some(tag) => (tag, raw.get(end..)?),
        None => {
            let colon = memchr(b':', raw.get(..end)?)?;
            (raw.get(..colon)?, raw.get(colon + 1..)?)
        }
    };
    let program = match tag {
        [tag @ .., b']'] => {
            let digits = tag.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            tag.get(..tag.len() - digits)?.strip_suffix(b"[")?
        }
        _ => tag,
    };
    if program.is_empty() {
        return None;
    }
    let slash = program.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    // rsyslog's property msg begins with the blank behind the tag, so a template that adds one has two (RFC 3164 §5.3).
    let text = text.get(count_leading(text, b' ')..)?;
    Some(LogLine { stamp, host, program, daemon_start: slash, text: without_solaris_id(text) })
}

/// Removes the message id of Solaris: `[ID 197553 mail.info] text` gives `text`.
fn without_solaris_id(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"[ID ")
        .and_then(|rest| rest.get(memmem::find(rest.get(..48).unwrap_or(rest), b"] ")? + 2..))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(raw: &str, stamp: &str, host: &str, program: &str, text: &str) {
        let line = LogLine::read(raw.as_bytes());
        let shown = match line.stamp {
            RawTimestamp::Missing => &b""[..],
            RawTimestamp::Bsd(s)
            | RawTimestamp::YearFirst(s)
            | RawTimestamp::Iso(s)
            | RawTimestamp::Unix(s) => s,
        };
        let got = [shown, line.host, line.program, line.text]
            .map(|part| String::from_utf8_lossy(part).into_owned());
        assert_eq!(got, [stamp, host, program, text].map(str::to_owned), "{raw}");
    }

    #[test]
    fn reads_every_syslog_front() {
        reads(
            "Nov  2 03:04:05 mx1 postfix/smtp[12]: A1: x",
            "Nov  2 03:04:05",
            "mx1",
            "postfix/smtp",
            "A1: x",
        );
        reads(
            "Nov  2 03:04:05.123 mx1 postfix/smtp[12]: x",
            "Nov  2 03:04:05.123",
            "mx1",
            "postfix/smtp",
            "x",
        );
        reads("Mar 7 03:04:05 mx1 exim[9]: x", "Mar 7 03:04:05", "mx1", "exim", "x");
        reads("Mär 08 20:48:47 mx1 exim[9]: x", "Mär 08 20:48:47", "mx1", "exim", "x");
        reads("Nov 22 2026 03:04:05 mx1 exim[9]: x", "Nov 22 2026 03:04:05", "mx1", "exim", "x");
        reads("2013 Jun 10 06:27:30.123 mx1 p/smtp[1]: x", "2013 Jun 10 06:27:30.123", "mx1", "p/smtp", "x");
        reads("<22>Nov  2 03:04:05 mx1 a/smtp[1]: x", "Nov  2 03:04:05", "mx1", "a/smtp", "x");
        reads("Jun 17 14:37:39 <mail.info> mx1 a/smtp[1]: x", "Jun 17 14:37:39", "mx1", "a/smtp", "x");
        reads(
            "Sep  3 12:00:00 mx1 a/smtp[1]: [ID 197553 mail.info] x",
            "Sep  3 12:00:00",
            "mx1",
            "a/smtp",
            "x",
        );
        reads("Nov  2 03:04:05 mx1 a/smtp[1]:  A1: x", "Nov  2 03:04:05", "mx1", "a/smtp", "A1: x");
        reads("postfix/smtpd[60203]: NOQUEUE: x", "", "", "postfix/smtpd", "NOQUEUE: x");
        reads("mx1 exim[60203]: x", "", "mx1", "exim", "x");
        reads("Nov  2 03:04:05 postfix/smtp[12]: x", "Nov  2 03:04:05", "", "postfix/smtp", "x");
    }

    #[test]
    fn a_severity_is_no_host() {
        let iso = "2026-11-22T02:40:41.9+00:00";
        reads(&format!("{iso} INFO    a/smtp[1]: x"), iso, "", "a/smtp", "x");
        reads(&format!("{iso} WARNING a/smtp[1]: x"), iso, "", "a/smtp", "x");
        reads(&format!("{iso} notice mx1 a/smtp[1]: x"), iso, "mx1", "a/smtp", "x");
        let bsd = "Nov  2 03:04:05";
        reads(&format!("{bsd} mx1 mail.info a/smtp[1]: x"), bsd, "mx1", "a/smtp", "x");
        reads(&format!("{bsd} mail.info a/smtp[1]: x"), bsd, "", "a/smtp", "x");
        reads("2026-11-22 02:40:41 ERR a/smtp[1]: x", "2026-11-22 02:40:41", "", "a/smtp", "x");
        let ctime = "Nov  2 03:04:05 2026";
        reads(&format!("Mon {ctime} mail.info a/smtp[1]: x"), ctime, "", "a/smtp", "x");
        // Names that only look similar.
        reads(&format!("{bsd} info.example.org a/smtp[1]: x"), bsd, "info.example.org", "a/smtp", "x");
        reads(&format!("{bsd} INFO1 a/smtp[1]: x"), bsd, "INFO1", "a/smtp", "x");
    }

    #[test]
    fn reads_rfc_3339_and_5424() {
        reads(
            "2026-11-22T02:40:41+00:00 mx1 a/smtp[1]: x",
            "2026-11-22T02:40:41+00:00",
            "mx1",
            "a/smtp",
            "x",
        );
        reads("2026-11-22T02:40:41.9Z mx1 a/smtp[1]: x", "2026-11-22T02:40:41.9Z", "mx1", "a/smtp", "x");
        reads(
            "<22>1 2026-11-22T02:40:41Z mx1 a/smtp 19 - -  A1: x",
            "2026-11-22T02:40:41Z",
            "mx1",
            "a/smtp",
            "A1: x",
        );
        reads("2026-11-22T02:40:41Z mx1 a/smtp 19 - - x", "2026-11-22T02:40:41Z", "mx1", "a/smtp", "x");
        let data = r#"<22>1 2026-11-22T02:40:41Z mx1 a/smtp - - [a b="c\"]"][d e="f"] x"#;
        reads(data, "2026-11-22T02:40:41Z", "mx1", "a/smtp", "x");
    }

    #[test]
    fn reads_what_journalctl_writes() {
        reads("Nov 22 03:04:05 mx1 a/smtp[1]: x", "Nov 22 03:04:05", "mx1", "a/smtp", "x");
        reads("Nov 22 03:04:05.123456 mx1 a/smtp[1]: x", "Nov 22 03:04:05.123456", "mx1", "a/smtp", "x");
        let iso = "2026-11-22T03:04:05+0100";
        reads(&format!("{iso} mx1 a/smtp[1]: x"), iso, "mx1", "a/smtp", "x");
        let full = "2026-11-22 03:04:05 CET";
        reads(&format!("Sun {full} mx1 a/smtp[1]: x"), full, "mx1", "a/smtp", "x");
        reads("1763780645.123456 mx1 a/smtp[1]: x", "1763780645.123456", "mx1", "a/smtp", "x");
        for raw in ["Sun 2026-11-22 03:04:05 mx1-and-more x", "Sun 2026-11-22 x", "192.0.2.10.1 mx1 a[1]: x"]
        {
            assert_eq!(LogLine::read(raw.as_bytes()).stamp, RawTimestamp::Missing, "{raw}");
        }
    }

    #[test]
    fn reads_exim_and_tells_it_from_syslog_with_a_blank() {
        reads("2026-11-22 02:51:48 1x <= a@b", "2026-11-22 02:51:48", "", "", "1x <= a@b");
        reads("2026-11-22 02:51:48.374 +0100 [126] x", "2026-11-22 02:51:48.374 +0100", "", "", "[126] x");
        reads("2026-11-22 02:51:48 mx1 exim[29]: x", "2026-11-22 02:51:48", "mx1", "exim", "x");
        reads("2026-11-22 02:51:48 H=h [192.0.2.1]: x", "2026-11-22 02:51:48", "", "", "H=h [192.0.2.1]: x");
    }

    #[test]
    fn finds_no_front_where_there_is_none() {
        for raw in
            ["", "----", "P Received: from x", "  by mx1", "550 5.1.1 no", "Envelope-to: <a@b>", "[1\\12] x"]
        {
            let line = LogLine::read(raw.as_bytes());
            assert_eq!(line.stamp, RawTimestamp::Missing, "{raw}");
        }
    }

    #[test]
    fn splits_daemon_and_instance() {
        let line = LogLine::read(b"Nov  2 03:04:05 mx1 postfix/submission/smtpd[12]: x");
        assert_eq!((line.daemon(), line.instance()), (&b"smtpd"[..], &b"postfix/submission"[..]));
    }
}
