//! Tells where the other side of an SMTP connection is: on this host, in our network, or in the internet.

use std::net::IpAddr;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{Direction, Event, Peer};

/// Where the other side of a connection is. It decides who has to act.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ValueEnum, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// A program on this host: a Unix socket, a loopback address, or the host's own name.
    ThisHost,
    /// A private, link-local or unique local address, or a name without a domain.
    OurNetwork,
    Internet,
}

impl Side {
    /// The side of the peer of an event. An event without a peer is on this host if it is a local delivery, else in the
    /// internet.
    pub fn of(event: &Event) -> Self {
        if event.direction == Direction::Local {
            return Self::ThisHost;
        }
        match event.peer {
            Peer { ip: Some(ip), .. } if is_loopback(ip) => Self::ThisHost,
            Peer { ip: Some(ip), .. } if is_private(ip) => Self::OurNetwork,
            Peer { ip: None, host: Some(host), .. } if is_unqualified(host) => Self::OurNetwork,
            Peer { .. } => Self::Internet,
        }
    }
}

/// Whether the peer of a delivery is on the host `log_host`, which wrote the line: a Unix socket, a loopback address, or the
/// host's own name. `names_socket`: the line names a socket in place of the address; it is asked only if there is none.
#[inline]
pub(crate) fn is_this_host(peer: &Peer, names_socket: impl FnOnce() -> bool, log_host: &[u8]) -> bool {
    let Some(host) = peer.host else { return peer.ip.is_some_and(is_loopback) };
    match peer.ip {
        Some(ip) => is_loopback(ip) || host == log_host && host.contains(&b'.'),
        None => names_socket(),
    }
}

/// 127.0.0.0/8 or ::1.
pub(crate) fn is_loopback(ip: &[u8]) -> bool {
    ip.starts_with(b"127.") || ip == b"::1" || ip.starts_with(b"::ffff:127.")
}

/// A name without a dot: `mailgate`, `rspamd`. An address literal is none.
fn is_unqualified(host: &[u8]) -> bool {
    !host.is_empty() && host != b"unknown" && !host.contains(&b'.') && !host.contains(&b':')
}

/// False for nearly every address of another network, by its first bytes. Parsing all addresses would add 3 % to the
/// instructions of an Exim scan, and 2 % to those of a Postfix scan.
fn may_be_private(ip: &[u8]) -> bool {
    matches!(
        ip,
        [b'1', b'0', b'.', ..]
            | [b'1', b'2' | b'7', b'2' | b'7', b'.', ..]
            | [b'1', b'6', b'9', b'.', b'2', ..]
            | [b'1', b'9', b'2', b'.', b'1', b'6', ..]
            | [b':' | b'f' | b'F', ..]
    )
}

/// The address is loopback, private or link-local.
pub(crate) fn is_private(ip: &[u8]) -> bool {
    if !may_be_private(ip) {
        return false;
    }
    let read = std::str::from_utf8(ip).ok().and_then(|ip| ip.parse().ok());
    match read.map(|ip: IpAddr| ip.to_canonical()) {
        Some(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::event::{Mta, Outcome};

    #[track_caller]
    fn side(host: Option<&str>, ip: Option<&str>, wanted: Side) {
        let peer = Peer { host: host.map(str::as_bytes), ip: ip.map(str::as_bytes), port: None };
        let event = Event { peer, ..Event::new(Mta::Postfix, Direction::Inbound, Outcome::Rejected) };
        assert_eq!(Side::of(&event), wanted, "{host:?} {ip:?}");
    }

    #[test]
    fn an_address_tells_the_side() {
        side(Some("localhost"), Some("127.0.0.1"), Side::ThisHost);
        side(None, Some("::1"), Side::ThisHost);
        side(Some("gw"), Some("172.19.0.1"), Side::OurNetwork);
        side(None, Some("fe80::1"), Side::OurNetwork);
        side(None, Some("fd00::1"), Side::OurNetwork);
        side(Some("filter"), None, Side::OurNetwork);
        side(Some("mx.example.org"), Some("192.0.2.1"), Side::Internet);
        side(Some("unknown"), Some("172.32.0.1"), Side::Internet);
        side(None, None, Side::Internet);
    }

    #[test]
    fn a_socket_and_the_own_name_are_on_this_host() {
        let peer = |host: &'static str, ip: Option<&'static str>| Peer {
            host: Some(host.as_bytes()),
            ip: ip.map(str::as_bytes),
            port: None,
        };
        let own = b"mx1.example.org";
        assert!(is_this_host(&peer("mx1.example.org", None), || true, own));
        assert!(is_this_host(&peer("mx1.example.org", Some("192.0.2.7")), || false, own));
        assert!(is_this_host(&peer("localhost", Some("127.0.0.1")), || false, own));
        assert!(!is_this_host(&peer("mx.example.net", None), || false, own));
        assert!(!is_this_host(&peer("mx.example.net", Some("192.0.2.9")), || true, own));
        assert!(!is_this_host(&peer("mx1", Some("192.0.2.9")), || true, b"mx1"));
        assert!(!is_this_host(&Peer::default(), || true, own));
    }
}
