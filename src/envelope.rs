//! A raw line that wraps another comes in: of the journal, of a container, of a log shipper. The line inside goes out,
//! with a front that `line.rs` reads.

mod cover;

mod object;
mod when;

use memchr::{memchr, memchr2};

use self::cover::Cover;
use self::when::When;
use crate::line::{Line, Stamp, is_process};

/// How many wrappers lie around one line at most: `docker compose logs -t` puts two before what may be an object, and
/// a shipper's object may hold a container's. What is wrapped once more is left as it is.
const LAYERS: usize = 3;

/// The line inside, without its newline and with no other in it; it is written to `inside`. A line that wraps nothing
/// is given back as it came, and so is one whose JSON is broken.
///
/// The front that the text brings itself wins, and what it lacks comes from the wrapper.
pub fn open<'a>(raw: &'a [u8], inside: &'a mut Vec<u8>) -> &'a [u8] {
    inside.clear();
    if unwrap(&Cover::default(), raw, LAYERS, inside) { inside } else { raw }
}

/// False: `text` wraps nothing, and nothing was written.
fn unwrap(around: &Cover, text: &[u8], layers: usize, inside: &mut Vec<u8>) -> bool {
    if layers == 0 {
        return false;
    }
    let mut tell = |cover: Cover, text: &[u8]| {
        let cover = cover.over(around);
        if !unwrap(&cover, text, layers - 1, inside) {
            write(&cover, text, inside);
        }
    };
    // `journalctl -o json-seq` puts a record separator before each object (RFC 7464 §2.2).
    if let [b'{', ..] | [0x1e, b'{', ..] = text {
        // Text that is no UTF-8 is no JSON either; it is shown with U+FFFD in any case.
        let text = String::from_utf8_lossy(text.strip_prefix(b"\x1e").unwrap_or(text));
        return object::read(&text).map(|object| tell(object.cover, &object.text)).is_some();
    }
    prefixed(text).map(|(cover, text)| tell(cover, text)).is_some()
}

/// What stands before a line and is no part of it. This is asked for every line, so the usual ones are told first.
fn prefixed(text: &[u8]) -> Option<(Cover<'_>, &[u8])> {
    match text {
        [_, _, _, b' ', _, _, b' ', _, _, b':', ..] => None,
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', ..] => stamped(text),
        [first, ..] if first.is_ascii_alphanumeric() => service(text).map(|text| (Cover::default(), text)),
        _ => None,
    }
}

/// `mail-1  | Nov 22 …`: docker compose logs.
fn service(text: &[u8]) -> Option<&[u8]> {
    let in_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let name = text.iter().take(80).take_while(in_name).count();
    let rest = text.get(name..)?;
    let padding = rest.iter().take(80).take_while(|&&byte| byte == b' ').count();
    rest.get(padding..)?.strip_prefix(b"| ").filter(|_| padding > 0)
}

/// `2026-11-22T03:04:05.123456789Z stdout F Nov 22 …` (Kubernetes CRI), the same without the stream (`docker logs -t`),
/// and `2026-11-22T03:04:05+00:00<TAB>tag<TAB>{…}` (a file that Fluentd wrote).
fn stamped(text: &[u8]) -> Option<(Cover<'_>, &[u8])> {
    let end = memchr2(b' ', b'\t', text.get(..40).unwrap_or(text))?;
    let (stamp, rest) = text.split_at_checked(end)?;
    let inner = match rest {
        [b' ', rest @ ..] => stream(rest).or_else(|| begins_a_line(rest).then_some(rest))?,
        [b'\t', rest @ ..] => {
            rest.get(memchr(b'\t', rest)? + 1..).filter(|rest| rest.first() == Some(&b'{'))?
        }
        _ => return None,
    };
    let when = When::iso(std::str::from_utf8(stamp).ok()?)?;
    Some((Cover { when: Some(when), ..Cover::default() }, inner))
}

/// `stdout F ` is a whole line. Of a line in parts, which are 8 or 16 KiB long, `P`, the first has all that counts.
fn stream(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"std")?;
    let rest = rest.strip_prefix(b"out ").or_else(|| rest.strip_prefix(b"err "))?;
    rest.strip_prefix(b"F ").or_else(|| rest.strip_prefix(b"P "))
}

/// A stamp or an object: no host is called like this.
fn begins_a_line(text: &[u8]) -> bool {
    match text {
        [b'{', ..] | [_, _, _, b' ', _, b'0'..=b'9', b' ', _, _, b':', _, _, b':', ..] => true,
        [year @ .., _, _] if year.len() < 10 => false,
        [b'0'..=b'9', _, _, _, b'-', _, _, b'-', _, _, b' ' | b'T', b'0'..=b'9', _, b':', ..] => true,
        _ => false,
    }
}

fn write(cover: &Cover, text: &[u8], inside: &mut Vec<u8>) {
    let end = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    let text = text.get(..end).unwrap_or_default();
    let line = Line::read(text);
    let (stamp, rest) = match line.stamp {
        Stamp::Missing => (None, text),
        Stamp::Bsd(stamp) | Stamp::YearFirst(stamp) | Stamp::Iso(stamp) | Stamp::Unix(stamp) => {
            let end = memchr::memmem::find(text, stamp).map_or(0, |at| at + stamp.len() + 1);
            (Some(stamp), text.get(end..).unwrap_or_default())
        }
    };
    let exim = cover.program.as_ref().is_some_and(|program| program.starts_with("exim"));
    if stamp.is_some() && line.program.is_empty() && !exim || stamp.is_some() && !line.host.is_empty() {
        return append(text, inside);
    }
    if let (Some(stamp), false) = (stamp, line.program.is_empty()) {
        // Behind the stamp of RFC 5424 the place of the host is taken, by `-`.
        if !rest.starts_with(line.program) {
            return append(text, inside);
        }
        inside.extend_from_slice(stamp);
        inside.push(b' ');
        cover.write_host(inside);
        return append(rest, inside);
    }
    // What stands before a colon may be a queue id; with a process id behind it it is a program.
    let mut words = text.split(|&byte| byte == b' ');
    let first = words.next().is_some_and(is_process);
    let second = !first && words.next().is_some_and(is_process) && line.stamp == Stamp::Missing;
    let own = first || second || cover.program.is_none() && !line.program.is_empty();
    if !own && cover.program.is_none() {
        return append(text, inside);
    }
    // Without a stamp before it nobody could tell the host from the text.
    if cover.write_stamp(inside) && !second {
        cover.write_host(inside);
    }
    if !own {
        cover.write_program(inside);
    }
    append(text, inside);
}

/// A mail server's text has no newline, so what has one was joined, or wants to look like two lines.
fn append(text: &[u8], inside: &mut Vec<u8>) {
    inside.extend(text.iter().map(|&byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
}
