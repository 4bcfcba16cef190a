//! Recognizes and removes the prefixes that container runtimes and Fluentd put before lines
//! (`2026-11-22T03:04:05.123456789Z stdout F Nov 22 …`).

use memchr::{memchr, memchr2};

use super::metadata::WrapperMetadata;
use super::timestamp::WrapperTime;

/// Cheap test for every line: false for the common header formats.
#[inline]
pub(crate) fn may_wrap(raw: &[u8]) -> bool {
    match raw {
        [_, _, _, b' ', _, _, b' ', _, _, b':', ..] | [] => false,
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', ..] => without_stamp(raw).is_some(),
        [b'{' | 0x1e, ..] => true,
        [first, ..] => first.is_ascii_alphabetic(),
    }
}

/// Removes one prefix, and returns its metadata and the rest. `None`: there is no prefix.
pub(crate) fn without_prefix(text: &[u8]) -> Option<(WrapperMetadata<'_>, &[u8])> {
    match text {
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', ..] => {
            let (stamp, rest) = without_stamp(text)?;
            let when = WrapperTime::iso(std::str::from_utf8(stamp).ok()?)?;
            Some((WrapperMetadata { time: Some(when), exact: true, ..WrapperMetadata::default() }, rest))
        }
        [first, ..] if first.is_ascii_alphabetic() => {
            without_service(text).map(|text| (WrapperMetadata::default(), text))
        }
        _ => None,
    }
}

/// Removes the service name of docker compose logs: `mail-1  | Nov 22 …`.
fn without_service(text: &[u8]) -> Option<&[u8]> {
    let in_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let name = text.iter().take(80).take_while(in_name).count();
    let rest = text.get(name..)?;
    let padding = rest.iter().take(80).take_while(|&&byte| byte == b' ').count();
    rest.get(padding..)?.strip_prefix(b"| ").filter(|_| padding > 0)
}

/// Splits the timestamp of a wrapper from the line: `2026-11-22T03:04:05.123456789Z stdout F Nov 22 …` (Kubernetes CRI),
/// the same without the stream (`docker logs -t`), and `2026-11-22T03:04:05+00:00<TAB>tag<TAB>{…}` (Fluentd's out_file).
fn without_stamp(text: &[u8]) -> Option<(&[u8], &[u8])> {
    // The end of rsyslog's timestamp; searching for it doubles the instructions of this function, to 230 a line.
    let end = match (text.get(26), text.get(32)) {
        (Some(b'+' | b'-'), Some(b' ')) => 32,
        _ => memchr2(b' ', b'\t', text.get(..40).unwrap_or(text))?,
    };
    let (stamp, rest) = text.split_at_checked(end)?;
    let inner = match rest {
        [b' ', b's', ..] => without_stream(rest.get(1..)?)?,
        [b' ', rest @ ..] if begins_a_line(rest) => rest,
        [b'\t', rest @ ..] => {
            rest.get(memchr(b'\t', rest)? + 1..).filter(|rest| rest.first() == Some(&b'{'))?
        }
        _ => return None,
    };
    Some((stamp, inner))
}

/// Removes `stdout F ` (a complete line) or `stdout P ` (a part of a line). Parts have 8 or 16 KiB, so the first one has
/// everything that is parsed.
fn without_stream(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"std")?;
    let rest = rest.strip_prefix(b"out ").or_else(|| rest.strip_prefix(b"err "))?;
    rest.strip_prefix(b"F ").or_else(|| rest.strip_prefix(b"P "))
}

/// Whether the text begins with a timestamp or an object, which no host name does.
fn begins_a_line(text: &[u8]) -> bool {
    let bsd = matches!(text, [_, _, _, b' ', _, b'0'..=b'9', b' ', _, _, b':', _, _, b':', ..]);
    let iso = matches!(text, [b'0'..=b'9', _, _, _, b'-', _, _, b'-', _, _, b' ' | b'T', _, _, b':', ..]);
    bsd || iso || text.first() == Some(&b'{')
}
