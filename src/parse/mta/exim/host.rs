//! Parses the remote host in Exim's lines: `H=mx.example.org (helo) [192.0.2.1]:25`.

use crate::parse::mta::parsed::port;
use crate::simd::find::{ByteIter, find, find_either};
use crate::smtp::event::Peer;

/// The peer after `H=` (which is cut off already), and the rest. The name a client gave in HELO stands in round
/// brackets and is not its host. None: no address in square brackets follows.
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

/// `mx.example.org (helo) [192.0.2.1]:25` → `helo`: what the client called itself. None: no such name stands there.
pub(crate) fn helo_name(text: &[u8]) -> Option<&[u8]> {
    let text = if text.starts_with(b"(") { text } else { text.get(find(b' ', text)? + 1..)? };
    let name = text.strip_prefix(b"(")?;
    name.get(..name.len().checked_sub(helo(text)?.len() + 2)?)
}

/// `(any thing [192.0.2.66]) [192.0.2.1]…` → from the address on. A client may put brackets into its name, so
/// the last `) [` before the fields that Exim adds is taken. All of them have a blank, so one walk over the blanks
/// finds them; seven searches took a fifteenth of the whole scan.
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

/// ` I=[`, ` F=<`, ` U=`, ` P=`, ` rejected `
fn is_field(rest: &[u8]) -> bool {
    match rest {
        [b' ', b'I', b'=', b'[', ..] | [b' ', b'F', b'=', b'<', ..] | [b' ', b'U' | b'P', b'=', ..] => true,
        [b' ', b'r', ..] => rest.starts_with(b" rejected "),
        _ => false,
    }
}
