//! Defines the result of parsing a line, and splits text at marks, addresses and hosts for the parsers of all servers.

use memchr::memrchr;

use super::queue_record::QueueRecord;
use crate::simd;
use crate::simd::find;
use crate::smtp::event::{Event, Peer};

/// The result of parsing a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParsedLine<'a> {
    Event(Event<'a>),
    /// A routine line that says something about a message which its other lines leave out.
    QueueRecord(QueueRecord<'a>),
    /// A line of a mail server that was understood and holds nothing to count.
    Routine,
    /// A line of a mail server that should be an event and could not be parsed.
    Unread,
    /// A line of another program.
    Foreign,
}

/// Whether the text begins with one of `starts`. First bytes are compared first, since a longer compare is a call.
pub(crate) fn begins(text: &[u8], starts: &[&[u8]]) -> bool {
    let first = text.first();
    starts.iter().any(|start| start.first() == first && text.starts_with(start))
}

/// Splits at the first `mark`, which is in neither part.
pub(crate) fn split_once<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = find(text, mark)?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

/// Offset of the first `mark`. Searches for one byte of the mark, its second if the first is a blank, and then compares:
/// building a substring searcher for each line costs more than the search. This saved a fifth of the scan of an Exim log.
pub(crate) fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    let skipped = usize::from(mark.len() > 1 && mark.first() == Some(&b' '));
    let byte = *mark.get(skipped)?;
    let mut at = 0;
    loop {
        at += find::find(byte, text.get(at + skipped..)?)?;
        if text.get(at..)?.starts_with(mark) {
            return Some(at);
        }
        at += 1;
    }
}

/// Splits at the first `: `, which is in neither part. It searches for the blank, since addresses and ciphers have many
/// colons.
pub(crate) fn split_colon(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = |at: usize| at.checked_sub(1).filter(|&at| text.get(at) == Some(&b':'));
    let at = find::ByteIter::new(text, b' ').find_map(colon)?;
    Some((text.get(..at)?, text.get(at + 2..)?))
}

/// Splits at the last `mark`, which is in neither part.
pub(crate) fn split_last<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let skipped = usize::from(mark.len() > 1 && mark.first() == Some(&b' '));
    let byte = *mark.get(skipped)?;
    let mut places = memchr::memrchr_iter(byte, text.get(skipped..)?);
    let at = places.find(|&at| text.get(at..).is_some_and(|rest| rest.starts_with(mark)))?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

/// Splits at the first blank, which is in neither part. Without a blank the second part is empty.
pub(crate) fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    match find::find(b' ', text) {
        Some(end) => (text.get(..end).unwrap_or_default(), text.get(end + 1..).unwrap_or_default()),
        None => (text, b""),
    }
}

/// Splits `a@b> rest`, whose opening `<` was removed, into the address and the rest. A quoted local part may contain any
/// character, also `>` (RFC 5321 §4.1.2). `None`: there is no `>`.
pub(crate) fn address(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let quoted = if text.first() == Some(&b'"') { closing_quote(text).unwrap_or(0) } else { 0 };
    let end = quoted + find::find(b'>', text.get(quoted..)?)?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// Offset of the closing quote in `"a \" b"@x`. `None`: the quote at the start is not closed.
pub(crate) fn closing_quote(text: &[u8]) -> Option<usize> {
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

/// Parses the peer `mx.example.org[192.0.2.1]:25`, `[192.0.2.1]:40693`, `host[private/lmtp]` or `unknown[unknown]` at the
/// start, and returns the rest. `None`: there is no bracket.
pub(crate) fn peer(text: &[u8]) -> Option<(Peer<'_>, &[u8])> {
    let open = find::find(b'[', text)?;
    let inside = text.get(open + 1..)?;
    let (length, is_ip) = bracketed(inside)?;
    let (ip, rest) = inside.split_at_checked(length)?;
    let (port, rest) = port(rest.get(1..)?);
    let host = text.get(..open).filter(|host| !host.is_empty());
    Some((Peer { host, ip: is_ip.then_some(ip), port }, rest))
}

/// The length of the text before `]`, and whether it looks like an IP address (see [`is_ip`]).
fn bracketed(text: &[u8]) -> Option<(usize, bool)> {
    if let Some(near) = text.first_chunk() {
        let length = simd::first_position(near, b']');
        if length < near.len() {
            let before = !(u32::MAX << length);
            let marks = simd::eq_mask32(near, b'.') | simd::eq_mask32(near, b':');
            return Some((length, marks & before != 0 && simd::eq_mask32(near, b'/') & before == 0));
        }
    }
    let length = find::find(b']', text)?;
    Some((length, is_ip(text.get(..length)?)))
}

/// Parses the port `:25` at the start, and returns the rest. `None`: there is no port from 0 to 65535.
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

/// Whether the text looks like an IP address: it has a dot or a colon and no slash. Letters are allowed, since logs that
/// were made anonymous have some; a slash means the path of a socket.
fn is_ip(text: &[u8]) -> bool {
    let (mut mark, mut slash) = (false, false);
    for byte in text {
        mark |= matches!(byte, b'.' | b':');
        slash |= *byte == b'/';
    }
    mark && !slash
}

/// Splits `a, b` into `a` and `b` at the first comma. `None`: no comma and blank follow.
pub(crate) fn field(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = find::find(b',', text)?;
    Some((text.get(..end)?, text.get(end + 1..)?.strip_prefix(b" ")?))
}

/// The part behind the last `@`. `None`: there is no `@`, or nothing behind it.
pub(crate) fn domain(address: &[u8]) -> Option<&[u8]> {
    memrchr(b'@', address).and_then(|at| address.get(at + 1..)).filter(|domain| !domain.is_empty())
}
