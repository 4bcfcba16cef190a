//! Parses the remote host in Exim's lines: `H=mx.example.org (helo) [192.0.2.1]:25`.

use crate::parse::mta::parsed::port;
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
    text.get(end?..)
}

/// Whether the text begins with ` I=[`, ` F=<`, ` U=`, ` P=` or ` rejected `, which follow the address.
fn is_field(rest: &[u8]) -> bool {
    match rest {
        [b' ', b'I', b'=', b'[', ..] | [b' ', b'F', b'=', b'<', ..] | [b' ', b'U' | b'P', b'=', ..] => true,
        [b' ', b'r', ..] => rest.starts_with(b" rejected "),
        _ => false,
    }
}
