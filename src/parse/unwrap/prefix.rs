//! Recognizes and removes the prefixes that container runtimes, log shippers and viewers put before lines
//! (`2026-11-22T03:04:05.123456789Z stdout F Nov 22 …`, `[pod/mail-0/postfix] Nov 22 …`).

use memchr::{memchr, memchr2};

use super::file_name::without_file_name;
use super::line_start::begins_a_line;
use super::metadata::WrapperMetadata;
use super::timestamp::WrapperTime;
use crate::parse::process_tag::names_a_process;
use crate::simd::find::find;

/// The mark with which Windows programs begin a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Cheap test for every line: false for the common header formats.
#[inline]
pub(crate) fn may_wrap(raw: &[u8]) -> bool {
    match raw {
        [_, _, _, b' ', _, _, b' ', _, _, b':', ..]
        | [_, _, _, _, b'-', _, _, b'-', _, _, b' ', _, _, b':', ..]
        | [b'<', ..]
        | [] => false,
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', ..] => without_stamp(raw).is_some(),
        [first, ..] => {
            first.is_ascii_alphanumeric()
                || matches!(
                    first,
                    b'{' | b'"' | 0x1e | 0x1b | b'[' | b'/' | b'.' | b'_' | b'~' | b' ' | b'\t' | b'>' | 0xEF
                )
        }
    }
}

/// Removes one prefix, and returns its metadata and the rest. `None`: there is no prefix.
pub(crate) fn without_prefix(text: &[u8]) -> Option<(WrapperMetadata<'_>, &[u8])> {
    let bare = |rest| (WrapperMetadata::default(), rest);
    match text {
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', ..] => {
            let (stamp, rest, exact) = without_stamp(text)?;
            let when = WrapperTime::iso(std::str::from_utf8(stamp).ok()?)?;
            Some((WrapperMetadata { time: Some(when), exact, ..WrapperMetadata::default() }, rest))
        }
        [b'[', ..] => without_brackets(text).map(bare),
        [b' ' | b'\t' | b'>', ..] => without_indent(text).map(bare),
        _ => text
            .strip_prefix(BYTE_ORDER_MARK)
            // journalctl -o json-sse
            .or_else(|| text.strip_prefix(b"data: ").filter(|rest| rest.first() == Some(&b'{')))
            .or_else(|| without_service(text))
            .or_else(|| without_file_name(text))
            .or_else(|| without_pod(text))
            .or_else(|| without_length(text))
            .map(bare),
    }
}

/// Removes the service name of docker compose logs: `mail-1  | Nov 22 …`, and of docker service logs, whose name has the
/// node: `mail_smtp.1.x2k@node1    | Nov 22 …`.
fn without_service(text: &[u8]) -> Option<&[u8]> {
    let in_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(byte);
    let name = text.iter().take(120).take_while(in_name).count();
    behind_bar(text.get(name..)?).filter(|_| text.first().is_some_and(u8::is_ascii_alphabetic))
}

/// The text behind blanks and a bar.
fn behind_bar(text: &[u8]) -> Option<&[u8]> {
    let padding = text.iter().take(80).take_while(|&&byte| byte == b' ').count();
    text.get(padding..)?.strip_prefix(b"| ").filter(|_| padding > 0)
}

/// Removes `[pod/mail-0/postfix] ` (kubectl logs --prefix), `[mail-1] | ` (podman-compose), `[mail-0] ` before a line
/// (kubetail), and `[33911.712345] ` before a host and a program (journalctl -o short-monotonic).
fn without_brackets(text: &[u8]) -> Option<&[u8]> {
    let end = memchr(b']', text.get(..300).unwrap_or(text))?;
    let (name, rest) = (text.get(1..end)?, text.get(end + 1..)?);
    if let Some(rest) = behind_bar(rest) {
        return Some(rest);
    }
    let rest = rest.strip_prefix(b" ")?;
    let is_clock = name.iter().all(|byte| byte.is_ascii_digit() || b" .<>+".contains(byte));
    let is_pod = name.starts_with(b"pod/") && !name.contains(&b' ');
    (is_pod || is_clock && names_a_process(rest) || !name.contains(&b' ') && begins_a_line(rest))
        .then_some(rest)
}

/// Removes the names of stern: `mail-0 postfix Nov 22 …`, with the namespace before them if there are several.
fn without_pod(text: &[u8]) -> Option<&[u8]> {
    const WEEKDAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
    let mut rest = text;
    for _ in 0..3 {
        let end = find(b' ', rest.get(..254).unwrap_or(rest))?;
        let (word, behind) = rest.split_at_checked(end)?;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._/".contains(byte);
        // `2013 Jun 10 …` is a timestamp.
        let has_letter = word.iter().any(u8::is_ascii_alphabetic);
        if !has_letter || !word.iter().all(is_name) || WEEKDAYS.contains(&word) {
            return None;
        }
        rest = behind.get(1..)?;
        if begins_a_line(rest) {
            return Some(rest);
        }
    }
    None
}

/// Removes the length before a message on a TCP connection: `118 <22>1 2026-11-22T…` (RFC 6587 §3.4.1).
fn without_length(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    text.get(digits..)?
        .strip_prefix(b" ")
        .filter(|rest| digits > 0 && rest.first() == Some(&b'<') && begins_a_line(rest))
}

/// Removes an indent, a mark of quotation (`> `) and a line number (cat -n) before a line.
fn without_indent(text: &[u8]) -> Option<&[u8]> {
    let indent = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'>');
    let rest = text.get(text.iter().take(64).take_while(indent).count()..)?;
    let digits = rest.iter().take(12).take_while(|byte| byte.is_ascii_digit()).count();
    let numbered = rest.get(digits..).and_then(|rest| rest.strip_prefix(b"\t"));
    let rest = numbered.filter(|_| digits > 0).unwrap_or(rest);
    (begins_a_line(rest) || names_a_process(rest)).then_some(rest)
}

/// Splits the timestamp of a wrapper from the line: `2026-11-22T03:04:05.123456789Z stdout F Nov 22 …` (Kubernetes CRI),
/// the same without the stream (`docker logs -t`), with the labels of logcli (`… {app="mail"} Nov 22 …`), with the stream of
/// `aws logs tail` (`… mail/postfix/1f Nov 22 …`), and `2026-11-22T03:04:05+00:00<TAB>tag<TAB>{…}` (Fluentd's out_file).
/// Also returns whether the time is when the line was written.
fn without_stamp(text: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    // The end of rsyslog's timestamp; searching for it doubles the instructions of this function, to 230 a line.
    let end = match (text.get(26), text.get(32)) {
        (Some(b'+' | b'-'), Some(b' ')) => 32,
        _ => memchr2(b' ', b'\t', text.get(..40).unwrap_or(text))?,
    };
    let (stamp, rest) = text.split_at_checked(end)?;
    let (inner, exact) = match rest {
        [b' ' | b'\t', rest @ ..] if begins_a_line(rest) => (rest, true),
        [b' ', rest @ ..] if rest.first() == Some(&b'{') => (without_labels(rest)?, false),
        [b' ', rest @ ..] => match without_stream(rest) {
            Some(rest) => (rest, true),
            None => {
                let rest = rest.get(find(b' ', rest)? + 1..)?;
                (Some(rest).filter(|rest| begins_a_line(rest))?, false)
            }
        },
        [b'\t', rest @ ..] => {
            (rest.get(memchr(b'\t', rest)? + 1..).filter(|rest| rest.first() == Some(&b'{'))?, true)
        }
        _ => return None,
    };
    Some((stamp, inner, exact))
}

/// Removes `stdout F ` (a complete line) or `stdout P ` (a part of a line). Parts have 8 or 16 KiB, so the first one has
/// everything that is parsed.
fn without_stream(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"std")?;
    let rest = rest.strip_prefix(b"out ").or_else(|| rest.strip_prefix(b"err "))?;
    rest.strip_prefix(b"F ").or_else(|| rest.strip_prefix(b"P "))
}

/// Removes Loki's labels and the padding behind them: `{app="mail", pod="mail-0"} Nov 22 …` (logcli's output/default.go).
fn without_labels(text: &[u8]) -> Option<&[u8]> {
    if !matches!(text, [b'{', b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'}', ..]) {
        return None;
    }
    let (mut quoted, mut escaped) = (false, false);
    let end = text.iter().position(|&byte| {
        let ends = byte == b'}' && !quoted;
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    text.get(end? + 1..)?.strip_prefix(b" ").map(<[u8]>::trim_ascii_start)
}
