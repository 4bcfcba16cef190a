//! Parses the fields of Sendmail's lines: `name=value` and the remote host.

use crate::parse::mta::parsed::{peer, split_once};
use crate::smtp::event::Peer;

/// The value of a field: `esmtp` for the name `, mailer=` in `…, mailer=esmtp, …`. `None`: there is no such field.
pub(crate) fn field<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (_, rest) = split_once(text, name)?;
    rest.get(..memchr::memchr(b',', rest).unwrap_or(rest.len()))
}

/// Parses a relay: `mx.example.org. [192.0.2.1] (may be forged), …`, `[192.0.2.1]`, `[127.0.0.1] [127.0.0.1]`,
/// `mx.example.org.,`, `mx.example.org [IPv6:2001:db8::1]`.
pub(crate) fn host(relay: &[u8]) -> Peer<'_> {
    let relay = relay.get(..memchr::memchr(b',', relay).unwrap_or(relay.len())).unwrap_or(relay);
    let (name, rest) = match split_once(relay, b" ") {
        Some((name, rest)) if rest.starts_with(b"[") => (name, rest),
        _ if relay.starts_with(b"[") => (&b""[..], relay),
        _ => (relay, &b""[..]),
    };
    let name = name.strip_suffix(b".").unwrap_or(name);
    let ip = peer(rest).and_then(|(peer, _)| peer.ip);
    // An address literal of RFC 5321 §4.1.3.
    let ip = ip.map(|ip| ip.strip_prefix(b"IPv6:").unwrap_or(ip));
    Peer { host: (!name.is_empty()).then_some(name), ip, port: None }
}
