//! Parses the fields of the client at the start of Exim's lines (`H=mx (helo) [192.0.2.1]:25 I=[192.0.2.9]:25 F=<a@b>`).

use super::host;
use crate::parse::mta::parsed::{address, begins, split_once, split_word};
use crate::smtp::event::{Direction, Event, Mta, Outcome, Peer, Stage};
use crate::smtp::reply::{Class, EnhancedCode, Reply};

/// The client of a rejection, from the fields before the verdict: `H=host (helo) [ip]:port I=[ip]:25 U=u Ci=7 P=esmtp
/// F=<a@b> A=login:anna`.
#[derive(Clone, Copy, Default)]
pub(crate) struct RejectedClient<'a> {
    pub peer: Peer<'a>,
    pub sender: Option<&'a [u8]>,
    /// The name with which the client logged in: `anna` in `A=login:anna`.
    pub login: Option<&'a [u8]>,
}

impl<'a> RejectedClient<'a> {
    /// Parses the fields, and returns the text behind them.
    pub(crate) fn read(text: &'a [u8]) -> (Self, &'a [u8]) {
        Self::default().read_on(text, field_end)
    }

    /// `end` finds the text behind a field that is none of the known ones.
    fn read_on(self, text: &'a [u8], end: impl Fn(&'a [u8]) -> &'a [u8]) -> (Self, &'a [u8]) {
        let mut client = self;
        // With the log selector dnssec, ` DS` is before the first field, without a blank between them.
        let mut text = text.strip_prefix(b" DS").unwrap_or(text);
        loop {
            let named = text.strip_prefix(b"H=").filter(|_| client.peer.ip.is_none());
            if let Some((peer, rest)) = named.and_then(host::read) {
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
                let rest = end(text);
                client.login = client.login.or_else(|| login(text.get(..text.len() - rest.len())?));
                text = rest;
            } else if let Some(rest) = after_bare_address(text) {
                text = rest;
            } else {
                return (client, text);
            }
            text = text.strip_prefix(b" ").unwrap_or(text);
        }
    }
}

/// The name in the field `A=login:anna`. `None`: another field, or the client logged in without a name.
fn login(field: &[u8]) -> Option<&[u8]> {
    let (_, name) = split_once(field.strip_prefix(b"A=")?, b":")?;
    Some(name.trim_ascii_end()).filter(|name| !name.is_empty())
}

/// The text behind the address in `a@b F=<c@d> …`: with cutthrough delivery, the recipient is between the fields (Exim
/// verify.c). `None`: no address.
fn after_bare_address(text: &[u8]) -> Option<&[u8]> {
    let (address, rest) = split_word(text);
    (matches!(rest, [b'F' | b'P', b'=', b'<', ..]) && address.contains(&b'@')).then_some(rest)
}

/// Whether the text begins with a field: `I=[ip]:25`, `U=u`, `Ci=7326`, `X=TLS1.3:…`, `DN="…"`, `A=plain:user`,
/// `DMARC=reject`.
pub(crate) fn is_field(text: &[u8]) -> bool {
    let [b'A'..=b'Z', rest @ ..] = text else { return false };
    let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    letters < 8 && rest.get(letters) == Some(&b'=')
}

/// The text behind the field at the start. The client chooses a login, an ident and the values in quotes: they may hold blanks,
/// quotes, and what looks like other fields.
fn field_end(text: &[u8]) -> &[u8] {
    if split_once(text.get(..10).unwrap_or(text), b"=\"").is_some() {
        let end = quoted_end(text).or_else(|| split_once(text, b"\" ").map(|(_, rest)| rest));
        return end.unwrap_or_else(|| split_word(text).1);
    }
    let chosen = if matches!(text, [b'A' | b'U', b'=', ..]) { chosen_end(text) } else { None };
    chosen.unwrap_or_else(|| split_word(text).1)
}

/// As many places are tried for the end of a value.
const MAX_ENDS: usize = 32;

/// The text behind the first quote that no backslash escapes and behind which the line goes on to a verdict.
fn quoted_end(text: &[u8]) -> Option<&[u8]> {
    let is_escaped = |at: usize| at.checked_sub(1).and_then(|at| text.get(at)) == Some(&b'\\');
    let quotes = memchr::memchr_iter(b'"', text).skip(1).filter(|at| !is_escaped(*at));
    let mut behind = quotes.filter_map(|at| text.get(at + 1..)?.strip_prefix(b" ")).take(MAX_ENDS);
    behind.find(|rest| leads_to_verdict(rest))
}

/// The text behind the first blank from which the line goes on with a field or its verdict.
fn chosen_end(text: &[u8]) -> Option<&[u8]> {
    let rests = memchr::memchr_iter(b' ', text).filter_map(|at| text.get(at + 1..));
    let mut places = rests.filter(|rest| is_field(rest) || begins(rest, &VERDICTS)).take(MAX_ENDS);
    places.find(|rest| leads_to_verdict(rest))
}

fn leads_to_verdict(text: &[u8]) -> bool {
    // The host is in front of the fields.
    let peer = Peer { ip: Some(b""), ..Peer::default() };
    let client = RejectedClient { peer, ..RejectedClient::default() };
    let (_, rest) = client.read_on(text, |text| split_word(text).1);
    begins(rest, &VERDICTS)
}

/// What follows the fields of the client (Exim smtp_in.c, verify.c, acl.c).
const VERDICTS: [&[u8]; 9] = [
    b"rejected ",
    b"temporarily rejected ",
    b"dropped by ",
    b"temporarily dropped by ",
    b"tmp-reject from ",
    b"RCPT <",
    b"Warning: ",
    b"sender verify ",
    b"incomplete transaction (",
];

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
