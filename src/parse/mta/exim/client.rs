//! Parses the fields of the client at the start of Exim's lines (`H=mx (helo) [192.0.2.1]:25 I=[192.0.2.9]:25 F=<a@b>`).

use super::host;
use crate::parse::mta::parsed::{address, split_once, split_word};
use crate::smtp::event::{Direction, Event, Mta, Outcome, Peer, Stage};
use crate::smtp::reply::{Class, EnhancedCode, Reply};

/// The client of a rejection, from the fields before the verdict: `H=host (helo) [ip]:port I=[ip]:25 U=u Ci=7 P=esmtp
/// F=<a@b>`.
#[derive(Clone, Copy, Default)]
pub(crate) struct RejectedClient<'a> {
    pub peer: Peer<'a>,
    pub sender: Option<&'a [u8]>,
}

impl<'a> RejectedClient<'a> {
    /// Parses the fields, and returns the text behind them.
    pub(crate) fn read(text: &'a [u8]) -> (Self, &'a [u8]) {
        let mut client = Self::default();
        // With the log selector dnssec, ` DS` is before the first field, without a blank between them.
        let mut text = text.strip_prefix(b" DS").unwrap_or(text);
        loop {
            if let Some((peer, rest)) = text.strip_prefix(b"H=").and_then(host::read) {
                client.peer = peer;
                text = rest;
            } else if let Some((sender, rest)) = text.strip_prefix(b"F=<").and_then(address) {
                client.sender = Some(sender);
                text = rest;
            } else if let Some(rest) = text.strip_prefix(b"F=") {
                let (sender, rest) = split_word(rest);
                client.sender = Some(sender);
                text = rest;
            } else if is_field(text) {
                text = field_end(text);
            } else if let Some(rest) = after_bare_address(text) {
                text = rest;
            } else {
                return (client, text);
            }
            text = text.strip_prefix(b" ").unwrap_or(text);
        }
    }
}

/// The text behind the address in `a@b F=<c@d> …`: with cutthrough delivery, the recipient is between the fields (Exim
/// verify.c). `None`: no address.
fn after_bare_address(text: &[u8]) -> Option<&[u8]> {
    let (address, rest) = split_word(text);
    (matches!(rest, [b'F' | b'P', b'=', b'<', ..]) && address.contains(&b'@')).then_some(rest)
}

/// Whether the text begins with a field: `I=[ip]:25`, `U=u`, `Ci=7326`, `X=TLS1.3:…`, `DN="…"`, `A=plain:user`,
/// `DMARC=reject`.
fn is_field(text: &[u8]) -> bool {
    let [b'A'..=b'Z', rest @ ..] = text else { return false };
    let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    letters < 8 && rest.get(letters) == Some(&b'=')
}

/// The text behind the field at the start, whose value may be quoted.
fn field_end(text: &[u8]) -> &[u8] {
    let quoted = split_once(text.get(..10).unwrap_or(text), b"=\"").is_some();
    match if quoted { split_once(text, b"\" ").map(|(_, rest)| rest) } else { None } {
        Some(rest) => rest,
        None => split_word(text).1,
    }
}

pub(crate) fn event<'a>(
    client: RejectedClient<'a>,
    outcome: Outcome,
    stage: Option<Stage>,
    hint: Class,
    text: &'a [u8],
) -> Event<'a> {
    let reply = Reply::read(text);
    let bare = || EnhancedCode::read(text).map(|(code, _)| code);
    Event {
        code: reply.map(|reply| reply.code),
        enhanced: reply.map_or_else(bare, |reply| reply.enhanced),
        hint: Some(hint),
        stage,
        sender: client.sender,
        peer: client.peer,
        text,
        ..Event::new(Mta::Exim, Direction::Inbound, outcome)
    }
}
