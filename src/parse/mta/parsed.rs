//! Defines what a line can be parsed into, and cuts addresses, hosts and words for the parsers of all servers.

use memchr::memrchr;

use super::queue_record::QueueRecord;
use crate::simd;
use crate::simd::find;
use crate::smtp::event::{Event, Peer};

/// The result of parsing a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParsedLine<'a> {
    Event(Event<'a>),
    /// A routine line whose content later lines of the message need.
    Fact(QueueRecord<'a>),
    /// A line of a mail server that was understood and holds nothing to count.
    Routine,
    /// A line of a mail server that should be an event and could not be parsed.
    Unread,
    /// A line of another program.
    Foreign,
}

/// Whether the text begins with one of these. The first bytes are compared first: a whole compare is a call.
pub(crate) fn begins(text: &[u8], starts: &[&[u8]]) -> bool {
    let first = text.first();
    starts.iter().any(|start| start.first() == first && text.starts_with(start))
}

/// Splits at the first `mark`, which is left out.
pub(crate) fn split_once<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = find(text, mark)?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

/// Where `mark` begins. A searcher built for each line costs more than the search: this looks for one byte of the
/// mark, and not for a blank, of which there are many. On Exim's log it took a fifth off the whole scan.
pub(crate) fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    let skipped = usize::from(mark.len() > 1 && mark.first() == Some(&b' '));
    let sought = *mark.get(skipped)?;
    let mut at = 0;
    loop {
        at += find::find(sought, text.get(at + skipped..)?)?;
        if text.get(at..)?.starts_with(mark) {
            return Some(at);
        }
        at += 1;
    }
}

/// Splits at the first `: `, which is left out. Its blank is looked for: addresses and ciphers are full of colons.
pub(crate) fn split_colon(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = |at: usize| at.checked_sub(1).filter(|&at| text.get(at) == Some(&b':'));
    let at = find::ByteIter::new(text, b' ').find_map(colon)?;
    Some((text.get(..at)?, text.get(at + 2..)?))
}

/// Splits at the last `mark`, which is left out.
pub(crate) fn split_last<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let skipped = usize::from(mark.len() > 1 && mark.first() == Some(&b' '));
    let sought = *mark.get(skipped)?;
    let mut places = memchr::memrchr_iter(sought, text.get(skipped..)?);
    let at = places.find(|&at| text.get(at..).is_some_and(|rest| rest.starts_with(mark)))?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

/// Up to the first blank, and what follows it; a last word has nothing after it.
pub(crate) fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    match find::find(b' ', text) {
        Some(end) => (text.get(..end).unwrap_or_default(), text.get(end + 1..).unwrap_or_default()),
        None => (text, b""),
    }
}

/// The address after an opening `<`, and the rest after its `>`. A quoted local part may hold any sign, so its
/// quotes are followed (RFC 5321 §4.1.2).
pub(crate) fn address(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let quoted = if text.first() == Some(&b'"') { closing_quote(text).unwrap_or(0) } else { 0 };
    let end = quoted + find::find(b'>', text.get(quoted..)?)?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// `"a \" b"@x` → the place of the closing quote.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut bytes = text.iter().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

/// `mx.example.org[192.0.2.1]:25`, `[192.0.2.1]:40693`, `host[private/lmtp]`, `unknown[unknown]`. The rest
/// follows the peer. None: there is no bracket.
pub(crate) fn peer(text: &[u8]) -> Option<(Peer<'_>, &[u8])> {
    let open = find::find(b'[', text)?;
    let inside = text.get(open + 1..)?;
    let (length, is_ip) = bracketed(inside)?;
    let (ip, rest) = inside.split_at_checked(length)?;
    let (port, rest) = port(rest.get(1..)?);
    let host = text.get(..open).filter(|host| !host.is_empty());
    Some((Peer { host, ip: is_ip.then_some(ip), port }, rest))
}

/// The length of the text before `]`, and whether it looks like an IP address.
fn bracketed(text: &[u8]) -> Option<(usize, bool)> {
    if let Some(near) = text.first_chunk() {
        let length = simd::first_position(near, b']');
        if length < near.len() {
            let before = !(u32::MAX << length);
            let marks = simd::eq_mask(near, b'.') | simd::eq_mask(near, b':');
            return Some((length, marks & before != 0 && simd::eq_mask(near, b'/') & before == 0));
        }
    }
    let length = find::find(b']', text)?;
    Some((length, is_ip(text.get(..length)?)))
}

/// `:25 …` → 25.
#[inline]
pub(crate) fn port(text: &[u8]) -> (Option<u16>, &[u8]) {
    let Some(mut rest) = text.strip_prefix(b":") else { return (None, text) };
    let (mut number, mut length) = (0_u32, 0);
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        (number, length, rest) = (number * 10 + u32::from(digit - b'0'), length + 1, behind);
        if length > 5 {
            return (None, text);
        }
    }
    match u16::try_from(number) {
        Ok(port) if length > 0 => (Some(port), rest),
        _ => (None, text),
    }
}

/// Cheap: an address is hex digits, dots and colons, and has one of the latter two. A log that was made
/// anonymous may hold letters there, so any word with a dot or a colon passes; a socket's path does not.
fn is_ip(text: &[u8]) -> bool {
    let (mut mark, mut slash) = (false, false);
    for byte in text {
        mark |= matches!(byte, b'.' | b':');
        slash |= *byte == b'/';
    }
    mark && !slash
}

/// `a, b` → `a` and `b`
pub(crate) fn field(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = find::find(b',', text)?;
    Some((text.get(..end)?, text.get(end + 1..)?.strip_prefix(b" ")?))
}

/// The part behind the last `@`.
pub(crate) fn domain(address: &[u8]) -> Option<&[u8]> {
    memrchr(b'@', address).and_then(|at| address.get(at + 1..)).filter(|domain| !domain.is_empty())
}
