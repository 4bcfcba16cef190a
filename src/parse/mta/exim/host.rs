//! Parses the remote host in Exim's lines: `H=mx.example.org (helo) [192.0.2.1]:25`.

use crate::parse::mta::parsed::{self, closing_quote, port};
use crate::simd::find::{ByteIter, find, find_either};
use crate::smtp::event::Peer;

/// Parses the peer behind `H=`, which was removed, and returns the rest. The HELO name of a client is in round brackets
/// and is not its host name. `None`: no address in square brackets follows.
pub(crate) fn read(text: &[u8]) -> Option<(Peer<'_>, &[u8])> {
    let mut host = None;
    let mut rest = text;
    if !rest.starts_with(b"[") && !rest.starts_with(b"(") {
        let end = find(b' ', rest)?;
        host = rest.get(..end);
        rest = rest.get(end + 1..)?;
    }
    if rest.starts_with(b"(") {
        rest = helo(rest)?;
    }
    let rest = rest.strip_prefix(b"[")?;
    let end = find_either(b']', b' ', rest)?;
    let (ip, rest) = (rest.get(..end)?, rest.get(end..)?.strip_prefix(b"]")?);
    let (port, rest) = port(rest);
    Some((Peer { host, ip: Some(ip), port }, rest))
}

/// Parses the peer like [`read`] in the line of a failed login, whose user at the end may contain anything:
/// `(helo) [192.0.2.1]:25: 535 Incorrect authentication data (set_id=anna)`.
pub(crate) fn read_before_user(text: &[u8]) -> Option<(Peer<'_>, &[u8])> {
    let end = parsed::find(text, b" (set_id=").unwrap_or(text.len());
    let (peer, rest) = read(text.get(..end)?)?;
    Some((peer, text.get(end - rest.len()..)?))
}

/// The server's own words in the line of a failed login, from the text behind the peer: `535 Incorrect authentication data
/// (set_id=anna)` in ` U=ident: 535 Incorrect authentication data (set_id=anna)`. `None`: Exim writes no such words. The client
/// chooses the ident in front of them and the user behind them.
pub(crate) fn login_verdict(text: &[u8]) -> Option<&[u8]> {
    const WORDS: [&[u8]; 5] = [
        b": 535 Incorrect authentication data",
        b": 435 Unable to authenticate at present",
        b": 501 Invalid base64 data",
        b": 501 Authentication cancelled",
        b": 435 ",
    ];
    if let Some(words) = text.strip_prefix(b": ") {
        return Some(words);
    }
    let own = WORDS.iter().find_map(|words| parsed::find(text, words));
    text.get(own? + 2..)
}

/// The HELO name: `helo` in `mx.example.org (helo) [192.0.2.1]:25`. `None`: the text shows none.
pub(crate) fn helo_name(text: &[u8]) -> Option<&[u8]> {
    let text = if text.starts_with(b"(") { text } else { text.get(find(b' ', text)? + 1..)? };
    let name = text.strip_prefix(b"(")?;
    name.get(..name.len().checked_sub(helo(text)?.len() + 2)?)
}

/// The text from the address on in `(any thing [192.0.2.66]) [192.0.2.1]…`. A client can put brackets into its HELO name,
/// so the last `) [` before the fields that Exim adds counts. All marks contain a blank, so one pass over the blanks finds
/// them; seven searches took a fifteenth of the whole scan.
fn helo(text: &[u8]) -> Option<&[u8]> {
    let mut end = None;
    let mut behind_name = false;
    for at in ByteIter::new(text, b' ') {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        let rest = text.get(at..)?;
        if before == Some(&b')') && rest.get(1) == Some(&b'[') {
            end = Some(at + 1);
        }
        behind_name |= before == Some(&b':') || is_field(rest);
        if behind_name && end.is_some() {
            break;
        }
    }
    let end = end?;
    let rest = text.get(end..)?;
    // Both a HELO name and what follows the address may look like the end of a name.
    match parsed::find(rest, b") [") {
        None => Some(rest),
        Some(_) => text.get(last_end(text, end)..),
    }
}

/// The offset of the address behind the HELO name: the last `) [` before the fields that Exim adds. Not meant are addresses
/// in the quotes of `F=<"…"@a>`, in a subject (`T="…"`), and where the text repeats an address.
#[cold]
fn last_end(text: &[u8], first: usize) -> usize {
    const MAX_PLACES: usize = 16;
    let (mut end, mut behind) = (first, quoted_end(text, first));
    for place in
        memchr::memmem::find_iter(text, b") [").map(|at| at + 2).filter(|at| *at > first).take(MAX_PLACES)
    {
        let (Some(rest), Some(between)) = (text.get(place..), text.get(end..place)) else { break };
        let is_written_later = || parsed::find(between, b" T=\"").is_some();
        if place < behind || !is_before_fields(rest) || is_written_later() {
            continue;
        }
        // `rejected RCPT <a@b>: (x) [192.0.2.1] …`: a text that repeats what the line says before.
        let name = text.get(..place).and_then(|before| memchr::memrchr(b'(', before));
        let repeats = |begin: usize| {
            let copy = text.get(begin..place + 1).unwrap_or_default();
            text.get(..begin).is_some_and(|before| memchr::memmem::find(before, copy).is_some())
        };
        if name.is_some_and(repeats) {
            continue;
        }
        end = place;
        behind = quoted_end(text, place);
    }
    end
}

/// Whether the fields or the verdict of Exim follow the address: `[192.0.2.1]:25 I=[…`, `[192.0.2.1] rejected …`.
fn is_before_fields(rest: &[u8]) -> bool {
    let Some(behind) = find(b']', rest).and_then(|end| rest.get(end + 1..)) else { return false };
    let (_, behind) = port(behind);
    behind.starts_with(b": ")
        || is_field(behind)
        || [&b" Ci="[..], b" X=", b" A=", b" temporarily rejected ", b" sender verify "]
            .iter()
            .any(|mark| behind.starts_with(mark))
}

/// The end of the last quoted address of the fields behind the host.
fn quoted_end(text: &[u8], place: usize) -> usize {
    let mut end = place;
    for mark in [&b" F=<\""[..], b" RCPT <\"", b" MAIL <\""] {
        let found = text.get(end..).and_then(|rest| parsed::split_once(rest, mark));
        let Some((_, rest)) = found else { continue };
        let quoted = text.get(text.len() - rest.len() - 1..).unwrap_or_default();
        end = closing_quote(quoted).map_or(end, |quote| text.len() - quoted.len() + quote);
    }
    end
}

/// Whether the text begins with ` I=[`, ` F=<`, ` U=`, ` P=` or ` rejected `, which follow the address.
fn is_field(rest: &[u8]) -> bool {
    match rest {
        [b' ', b'I', b'=', b'[', ..] | [b' ', b'F', b'=', b'<', ..] | [b' ', b'U' | b'P', b'=', ..] => true,
        [b' ', b'r', ..] => rest.starts_with(b" rejected "),
        _ => false,
    }
}
