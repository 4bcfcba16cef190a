//! Parses the verbs and fields of OpenSMTPD's lines: `8f48 mta delivery evpid=70 result="Ok"`.

use crate::parse::mta::parsed::{address, split_once};
use crate::smtp::event::Peer;

/// A session, its subsystem, a verb, and the text behind the verb.
pub(crate) type SessionLine<'a> = (&'a [u8], &'a [u8], &'a [u8], &'a [u8]);

/// Splits `8f4864084ecc48f4 mta delivery …`, and before 6.4 `8f4864084ecc48f4 mta event=delivery …`, into the session, the
/// subsystem, the verb and the text behind it. `None`: another form.
pub(crate) fn verb(text: &[u8]) -> Option<SessionLine<'_>> {
    let (session, rest) = text.split_first_chunk::<16>()?;
    let rest = rest.strip_prefix(b" ")?;
    let (part, rest) = split_once(rest, b" ")?;
    let rest = rest.strip_prefix(b"event=").unwrap_or(rest);
    let (verb, rest) = split_once(rest, b" ").unwrap_or((rest, b""));
    session.iter().all(u8::is_ascii_hexdigit).then_some((session, part, verb, rest))
}

/// Splits `8f4864084ecc48f4: rest` and `8f4864084ecc48f4 from rest`, behind the words of 5.x before them, into the session
/// and the rest.
pub(crate) fn session<'a>(text: &'a [u8], words: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (_, text) = split_once(text, words)?;
    let (session, rest) = text.split_first_chunk::<16>()?;
    session.iter().all(u8::is_ascii_hexdigit).then_some((session.as_slice(), rest))
}

/// The value of a field: `550 no` in `result="550 no"`; without quotes it ends at the next blank or comma. `None`: no such
/// field.
pub(crate) fn value<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (_, rest) = split_once(text, name)?;
    match rest.strip_prefix(b"\"") {
        Some(quoted) => quoted.get(..memchr::memchr(b'"', quoted).unwrap_or(quoted.len())),
        None => {
            let word = rest.get(..memchr::memchr(b' ', rest).unwrap_or(rest.len()))?;
            Some(word.strip_suffix(b",").unwrap_or(word))
        }
    }
}

/// The value of the last field, which may contain quotes.
pub(crate) fn last_value<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (_, rest) = split_once(text, name)?;
    let unquoted = |rest: &'a [u8]| rest.strip_suffix(b"\"").unwrap_or(rest);
    Some(rest.strip_prefix(b"\"").map_or(rest, unquoted))
}

/// The address in `from=<a@b>`, without brackets. `None`: no such field.
pub(crate) fn named<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    split_once(text, name).and_then(|(_, rest)| address(rest)).map(|(address, _)| address)
}

/// The sender in `from=<a@b>`; queue.c writes the null sender as `<@>`.
pub(crate) fn sender(text: &[u8]) -> Option<&[u8]> {
    named(text, b"from=<").map(|sender| if sender == b"@" { b"" } else { sender })
}

/// Parses `192.0.2.1 (mx.example.org)`, `[2001:db8::1] (mx.example.org)` or `192.0.2.1`.
pub(crate) fn relay(text: &[u8]) -> Peer<'_> {
    let (address, name) =
        split_once(text, b" (").map_or((text, None), |(ip, host)| (ip, host.strip_suffix(b")")));
    peer(address, name.unwrap_or_default())
}

/// A client or a server by its address and its name, which is `<unknown>` if it has none.
pub(crate) fn peer<'a>(address: &'a [u8], name: &'a [u8]) -> Peer<'a> {
    let ip = address.strip_prefix(b"[").and_then(|ip| ip.strip_suffix(b"]")).unwrap_or(address);
    let ip = ip.strip_prefix(b"IPv6:").unwrap_or(ip);
    let is_ip = ip.contains(&b'.') && !ip.contains(&b'/') || ip.contains(&b':');
    let is_name = !matches!(name, b"" | b"<unknown>" | b"<local>" | b"local");
    Peer { host: is_name.then_some(name), ip: is_ip.then_some(ip), port: None }
}
