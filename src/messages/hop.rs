//! Detects hand-offs to a program that returns the message: finds the queue id that the reply to a delivery names.

use std::num::NonZeroU64;

use crate::parse::mta;
use crate::parse::mta::related_id;
use crate::smtp::event::{Direction, Event, Outcome, Peer};
use crate::smtp::side::is_private;

/// Whether a delivery handed the message to a program whose own log lines are read too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HandOff {
    No,
    Yes,
    /// The hash of a queue id that no line has named so far.
    Pending(NonZeroU64),
}

/// The queue id under which the message continues on this machine or its network.
///
/// Sources: `status=sent (forwarded as 4XYZ)` of an alias, and the reply of a content filter (Postfix FILTER_README)
/// or an inner relay: `relay=127.0.0.1[127.0.0.1]:10024, … (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok:
/// queued as 4XYZ)`.
///
/// `host` is the host that wrote the line.
pub(crate) fn next_queue_id<'a>(event: &Event<'a>, host: &[u8]) -> Option<&'a [u8]> {
    if event.outcome != Outcome::Delivered {
        return None;
    }
    if event.direction == Direction::Local
        && let Some(named) = event.text.strip_prefix(b"forwarded as ")
    {
        return related_id::id(named);
    }
    let handed_on = event.direction != Direction::Inbound && is_near(&event.peer, host);
    if handed_on { mta::accepted_id(event.text) } else { None }
}

/// The host that the next queue id is on, if it can only be the one that wrote the line: the message was forwarded by an
/// alias, or its peer is a socket or a loopback address. `None`: it may be another host.
pub(crate) fn host_of_copy<'a>(event: &Event, host: &'a [u8]) -> Option<&'a [u8]> {
    let is_here = match event.direction {
        Direction::Local => true,
        Direction::Outbound | Direction::Inbound => {
            event.peer.ip.is_none_or(|ip| ip.starts_with(b"127.") || ip == b"::1")
        }
    };
    Some(host).filter(|_| is_here)
}

/// The peer is on this machine or its network. A peer without an address is a socket.
fn is_near(peer: &Peer, host: &[u8]) -> bool {
    let Some(ip) = peer.ip else { return peer.host.is_some() };
    let own = || peer.host.is_some_and(|name| name == host && name.contains(&b'.'));
    is_private(ip) || own()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::header::LogLine;
    use crate::parse::mta;
    use crate::parse::mta::parsed::ParsedLine;

    #[track_caller]
    fn names(line: &str, wanted: Option<&str>) {
        let line = LogLine::read(line.as_bytes());
        let ParsedLine::Event(event) = mta::read(&line) else { panic!("no event") };
        let named = next_queue_id(&event, line.host).map(|id| String::from_utf8_lossy(id).into_owned());
        assert_eq!(named.as_deref(), wanted, "{}", String::from_utf8_lossy(line.text));
    }

    #[track_caller]
    fn postfix(relay: &str, words: &str, wanted: Option<&str>) {
        let front = "Nov 22 05:38:19 mx1.example.org postfix/smtp[186]: EB27EDC161: to=<a@example.net>";
        let rest = "delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent";
        names(&format!("{front}, relay={relay}, {rest} ({words})"), wanted);
    }

    #[test]
    fn a_filter_and_an_inner_relay_name_the_next_queue_id() {
        let amavis = "250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as F2A59DC171";
        postfix("127.0.0.1[127.0.0.1]:10024", amavis, Some("F2A59DC171"));
        for near in
            ["[::1]", "in[10.1.2.3]", "in[172.16.0.9]", "in[192.168.1.1]", "in[fd00::1]", "in[fe80::1]"]
        {
            postfix(
                &format!("{near}:25"),
                "250 2.0.0 Ok: queued as 4jXCsJ3c7Hz7j9M",
                Some("4jXCsJ3c7Hz7j9M"),
            );
        }
        postfix("mx1.example.org[192.0.2.7]:10024", "250 Ok: queued as F2A59DC171", Some("F2A59DC171"));
        postfix("mx1.example.org[private/filter]", "250 Ok: queued as F2A59DC171", Some("F2A59DC171"));
        postfix("in[10.1.2.3]:25", "250 OK id=1xUxgC-000022-1C", Some("1xUxgC-000022-1C"));
        postfix(
            "in[10.1.2.3]:25",
            "250 2.0.0 h6RDLNtg011461 Message accepted for delivery",
            Some("h6RDLNtg011461"),
        );
        names(
            "2026-11-22 02:51:48 1xUxgC-000022-1C => a@example.net R=scan T=scan H=127.0.0.1 [127.0.0.1] \
            C=\"250 OK id=1xUxgD-000023-2D\"",
            Some("1xUxgD-000023-2D"),
        );
        names(
            "Nov 22 05:38:19 mx1 postfix/local[7]: EB27EDC161: to=<b@example.org>, relay=local, delay=0, \
            delays=0/0/0/0, dsn=2.0.0, status=sent (forwarded as F2A59DC171)",
            Some("F2A59DC171"),
        );
    }

    #[test]
    fn who_stands_far_away_or_names_nothing_keeps_the_message() {
        for far in [
            "mx1",
            "mx[192.0.2.9]:25",
            "mx[172.32.0.1]:25",
            "mx[2001:db8::1]:25",
            "mx1.example.org.example[192.0.2.9]:25",
        ] {
            postfix(far, "250 2.0.0 Ok: queued as F2A59DC171", None);
        }
        for words in
            ["250 2.0.0 Ok", "250 Ok: queued as ", "250 Ok: queued as 4F", "250 2.7.0 Ok, discarded, id=1-2"]
        {
            postfix("127.0.0.1[127.0.0.1]:10024", words, None);
        }
        names(
            "Nov 22 05:38:19 mx1 postfix/local[7]: EB27EDC161: to=<b@example.org>, relay=local, delay=0, \
            delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to command: queued as F2A59DC171)",
            None,
        );
    }
}
