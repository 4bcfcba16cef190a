//! The fields of a delivery by Exim: `F=<a@b> R=dnslookup T=remote_smtp H=mx [192.0.2.1]:25 C="250 OK"`.

use super::peer;
use crate::event::Peer;
use crate::lanes::Places;
use crate::mta::reading::{address, cut_last, word};

#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Fields<'a> {
    pub sender: Option<&'a [u8]>,
    pub router: Option<&'a [u8]>,
    pub transport: Option<&'a [u8]>,
    /// None: no host, or one without an address.
    pub peer: Option<Peer<'a>>,
    /// The reply that took the message; it is the last field but for the times.
    pub confirmation: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// Each field begins behind a blank; what is not known is passed over.
    pub fn read(text: &'a [u8]) -> Self {
        let mut fields = Self::default();
        for at in Places::new(text, b' ') {
            match text.get(at + 1..).unwrap_or_default() {
                [b'F', b'=', b'<', rest @ ..] => fields.sender = address(rest).map(|(sender, _)| sender),
                [b'R', b'=', rest @ ..] => fields.router = Some(name(rest)),
                [b'T', b'=', rest @ ..] => fields.transport = Some(name(rest)),
                [b'H', b'=', rest @ ..] => fields.peer = peer::read(rest).map(|(peer, _)| peer),
                [b'C', b'=', b'"', rest @ ..] => {
                    fields.confirmation = Some(cut_last(rest, b"\"").map_or(rest, |(reply, _)| reply));
                    break;
                }
                _ => {}
            }
        }
        fields
    }
}

/// `dnslookup …`, `dnslookup:` → `dnslookup`
fn name(text: &[u8]) -> &[u8] {
    let (name, _) = word(text);
    name.strip_suffix(b":").unwrap_or(name)
}
