//! Parses Postfix's delivery lines, of smtp, lmtp, local, virtual, pipe, error, retry, discard and qmgr
//! (`to=<a@b>, relay=mx[192.0.2.1]:25, delay=1, …, dsn=2.0.0, status=sent (250 Ok)`).

use super::daemon::Daemon;
use super::queue_record;
use super::reply_text::{RemoteReply, is_attempt};
use crate::parse::mta::delay::{Phase, Phases, leading_seconds};
use crate::parse::mta::parsed::{ParsedLine, address, begins, field, peer, split_once};
use crate::parse::mta::queue_record::QueueStep;
use crate::smtp::event::{Direction, Event, Mta, Outcome, Peer};
use crate::smtp::reply::{EnhancedCode, Reply};

/// Parses lines of smtp and lmtp: results, and the reply of one host before another is tried.
pub(crate) fn client<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> ParsedLine<'a> {
    if text.starts_with(b"to=") {
        return result(Daemon::Client, queue_id, text);
    }
    if queue_id.is_some() && begins(text, &NOTES) {
        return ParsedLine::Routine;
    }
    if !is_attempt(text) {
        return ParsedLine::Unread;
    }
    let answer = RemoteReply::read(text);
    ParsedLine::Event(event(queue_id, Direction::Outbound, Outcome::Attempt, &answer))
}

/// With a queue id, these only say that smtp goes on without what the sender wanted (postfix smtp_proto.c, smtp_connect.c); as
/// a reason to skip a server, the second has none.
const NOTES: [&[u8]; 2] = [
    b"Sender requested REQUIRETLS, but REQUIRETLS support was not offered ",
    b"Sender requested REQUIRETLS, but my configured TLS security level ",
];

/// Parses lines of local, virtual, pipe, error, retry, discard and cleanup.
pub(crate) fn delivery_agent<'a>(
    daemon: Daemon,
    queue_id: Option<&'a [u8]>,
    text: &'a [u8],
) -> ParsedLine<'a> {
    if text.starts_with(b"to=") { result(daemon, queue_id, text) } else { ParsedLine::Unread }
}

/// Parses lines of the queue manager: `from=<a@b>, status=expired, returned to sender` is an event, `removed` and
/// `from=<a@b>, size=1, nrcpt=1 (queue active)` are queue records. It bounces and defers a recipient itself if no agent can
/// take it: `to=<a@b>, relay=none, …, status=deferred (address resolver failure)` (postfix qmgr_message.c).
pub(crate) fn qmgr<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> ParsedLine<'a> {
    if text == b"removed" {
        return queue_record::record_of(queue_id, QueueStep::Removed, text);
    }
    if text.starts_with(b"to=") {
        return result(Daemon::Error, queue_id, text);
    }
    let Some(rest) = text.strip_prefix(b"from=<") else { return ParsedLine::Unread };
    let Some((sender, rest)) = address(rest) else { return ParsedLine::Unread };
    let Some(status) = rest.strip_prefix(b", status=") else {
        return queue_record::record_of(queue_id, QueueStep::Queued, text);
    };
    // An unquoted address may contain the field (versions before 3.5).
    if !begins(status, &[b"expired", b"force-expired"]) || status.contains(&b'>') {
        return ParsedLine::Unread;
    }
    let answer = RemoteReply { text: status, ..RemoteReply::default() };
    let event = event(queue_id, Direction::Outbound, Outcome::Expired, &answer);
    ParsedLine::Event(Event { sender: Some(sender), ..event })
}

/// Parses `to=<a@b>, [orig_to=<c>, ]relay=mx[ip]:25, …, dsn=2.0.0, status=sent (250 2.0.0 Ok)` (postfix log_adhoc.c).
pub(crate) fn result<'a>(daemon: Daemon, queue_id: Option<&'a [u8]>, text: &'a [u8]) -> ParsedLine<'a> {
    delivery_event(daemon, queue_id, text).map_or(ParsedLine::Unread, ParsedLine::Event)
}

fn delivery_event<'a>(daemon: Daemon, queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<Event<'a>> {
    let (recipient, from, durations) = recipient_and_relay(text)?;
    let relay = relay(from, from.len() - durations.len());
    // `delay=1, delays=0/0/0/1, dsn=2.0.0, status=…`; versions before 2.3 have neither delays nor dsn.
    let (mut dsn, mut rest) = (None, durations);
    let status = loop {
        if let Some(status) = rest.strip_prefix(b"status=") {
            break status;
        }
        if let Some(code) = rest.strip_prefix(b"dsn=") {
            dsn = EnhancedCode::read(code).map(|(dsn, _)| dsn);
        }
        rest = field(rest)?.1;
    };
    let end = status.iter().position(|byte| matches!(byte, b' ' | b',')).unwrap_or(status.len());
    let (word, words) = status.split_at_checked(end)?;
    let words = words.strip_prefix(b" (").unwrap_or(words);
    let words = words.strip_suffix(b")").unwrap_or(words);
    let outcome = match outcome(daemon, word)? {
        Outcome::Delivered if is_discarded(words) => Outcome::Discarded,
        outcome => outcome,
    };
    let answer = match daemon {
        Daemon::Client if matches!(outcome, Outcome::Delivered | Outcome::Discarded) => {
            RemoteReply::whole_text(words)
        }
        Daemon::Client | Daemon::Error => match RemoteReply::read(words) {
            answer if daemon == Daemon::Client && answer.is_empty() => RemoteReply::whole_text(words),
            answer => answer,
        },
        // The output of a local command may look like a reply, but is not one.
        _ => RemoteReply { text: words, ..RemoteReply::default() },
    };
    let answer = match (answer.reply, dsn) {
        (Some(reply), Some(dsn)) if reply.code.class() != dsn.class() => {
            RemoteReply { reply: Reply::read_with_dsn(answer.text, Some(dsn)), ..answer }
        }
        _ => answer,
    };
    let direction = match daemon {
        Daemon::Client => Direction::Outbound,
        Daemon::Error if answer.remote => Direction::Outbound,
        _ => Direction::Local,
    };
    let event = event(queue_id, direction, outcome, &answer);
    let peer = match (answer.peer, relay) {
        (Some(peer), Some(relay))
            if peer.port.is_none()
                && peer.host == relay.host
                && peer.ip.is_none_or(|ip| relay.ip == Some(ip)) =>
        {
            relay
        }
        (Some(peer), _) => peer,
        (None, Some(relay)) if direction == Direction::Outbound => relay,
        (None, _) => Peer::default(),
    };
    Some(Event { recipient: Some(recipient), dsn, peer, durations, ..event })
}

/// Splits off the recipient and the relay. Returns the recipient, the text from the relay on, and the text behind it.
fn recipient_and_relay(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (recipient, rest) = address_field(text.strip_prefix(b"to=")?)?;
    let rest = match rest.strip_prefix(b", orig_to=") {
        Some(rest) => address_field(rest)?.1,
        None => rest,
    };
    let from = rest.strip_prefix(b", relay=")?;
    let (_, rest) = split_once(from, b", ")?;
    Some((recipient, from, rest))
}

/// The relay at the front of a text, before the comma that ends `length` bytes. `None`: it is not a server: `relay=local`,
/// `relay=none`.
fn relay(from: &[u8], length: usize) -> Option<Peer<'_>> {
    // The peer is parsed from the longer text, whose 32-byte windows need no slow path at the end.
    let (peer, behind) = peer(from)?;
    (from.len() - behind.len() + b", ".len() <= length).then_some(peer)
}

/// Parses the durations of a delivery, which stand behind the relay: `delay=1.5, delays=0.1/0.2/1/0.2, dsn=…`. Before Postfix
/// 2.3 there is only `delay=`. `None`: they are damaged.
pub(crate) fn delays(durations: &[u8]) -> Option<Phases> {
    // Nearly all lines begin with both; to look for each of them takes twice the time.
    if let Some((total, behind)) = durations.strip_prefix(b"delay=").and_then(leading_seconds)
        && let Some([before, active, connect, transmit]) =
            behind.strip_prefix(b", delays=").and_then(four_times)
    {
        return Some(Phases::of([
            (Phase::Total, total),
            (Phase::BeforeActive, before),
            (Phase::Active, active),
            (Phase::Connect, connect),
            (Phase::Transmit, transmit),
        ]));
    }
    let (mut phases, mut rest) = (Phases::default(), durations);
    while !rest.starts_with(b"status=") {
        if let Some((time, behind)) = rest.strip_prefix(b"delay=").and_then(leading_seconds)
            && let Some(behind) = behind.strip_prefix(b", ")
        {
            phases.push(Phase::Total, time);
            rest = behind;
        } else if let Some(times) = rest.strip_prefix(b"delays=").and_then(four_times) {
            let names = [Phase::BeforeActive, Phase::Active, Phase::Connect, Phase::Transmit];
            names.into_iter().zip(times).for_each(|(phase, time)| phases.push(phase, time));
            // No duration is behind them.
            break;
        } else {
            rest = field(rest)?.1;
        }
    }
    Some(phases)
}

/// Parses `0.1/0.2/1/0.2, …`. `None`: not four numbers.
fn four_times(text: &[u8]) -> Option<[u64; 4]> {
    let (before, text) = leading_seconds(text)?;
    let (active, text) = leading_seconds(text.strip_prefix(b"/")?)?;
    let (connect, text) = leading_seconds(text.strip_prefix(b"/")?)?;
    let (transmit, text) = leading_seconds(text.strip_prefix(b"/")?)?;
    text.starts_with(b", ").then_some([before, active, connect, transmit])
}

/// Splits `<a@b>, relay=…` behind the address. Old versions of local leave out the brackets.
fn address_field(text: &[u8]) -> Option<(&[u8], &[u8])> {
    match text.strip_prefix(b"<") {
        Some(rest) => address(rest),
        None => Some(text.split_at(memchr::memchr(b',', text)?)),
    }
}

/// Whether a filter took the message and threw it away: `250 2.7.0 Ok, discarded, id=1-02 - spam` (amavis, D_DISCARD),
/// `250 2.7.0 BLOCKED (1A2B3C)` (Proxmox pmg-smtp-filter). Both say 2.7.0.
fn is_discarded(reply: &[u8]) -> bool {
    reply.strip_prefix(b"250 2.7.0 ").is_some_and(|words| begins(words, &[b"Ok, discarded", b"BLOCKED ("]))
}

/// The outcome of a `status=`. `None`: an unknown status.
fn outcome(daemon: Daemon, status: &[u8]) -> Option<Outcome> {
    Some(match status {
        b"sent" if daemon == Daemon::Discard => Outcome::Discarded,
        b"sent" => Outcome::Delivered,
        b"deferred" | b"SOFTBOUNCE" => Outcome::Deferred,
        b"bounced" => Outcome::Bounced,
        b"expired" | b"force-expired" => Outcome::Expired,
        _ if status.starts_with(b"deliverable") || status.starts_with(b"undeliverable") => Outcome::Probe,
        _ => return None,
    })
}

fn event<'a>(
    queue_id: Option<&'a [u8]>,
    direction: Direction,
    outcome: Outcome,
    answer: &RemoteReply<'a>,
) -> Event<'a> {
    // A successful delivery has passed all stages.
    let stage = if outcome == Outcome::Delivered { None } else { answer.stage };
    Event {
        mta: Mta::Postfix,
        direction,
        outcome,
        queue_id,
        code: answer.reply.map(|reply| reply.code),
        enhanced: answer.reply.and_then(|Reply { enhanced, .. }| enhanced),
        dsn: None,
        hint: None,
        stage,
        sender: None,
        recipient: None,
        peer: answer.peer.unwrap_or_default(),
        text: answer.text,
        suspended: answer.suspended,
        durations: b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_before_the_status() {
        for (fields, wanted) in [
            ("delay=1.5, delays=0.1/0.2/1/0.25, dsn=2.0.0, ", &[1500, 100, 200, 1000, 250][..]),
            ("conn_use=2, delay=1, delays=0/0/0/1, dsn=2.0.0, ", &[1000, 0, 0, 0, 1000]),
            ("delay=7, ", &[7000]),
            ("delay=x, delays=1/2/3, dsn=2.0.0, ", &[]),
            ("delay=1, delays=0/0/0/1/2, dsn=2.0.0, ", &[1000]),
            ("dsn=2.0.0, ", &[]),
        ] {
            let text = format!(
                "to=<a@example.org>, relay=mx.example.org[192.0.2.7]:25, {fields}status=sent (250 ok, delay=9, delays=9/9/9/9)"
            );
            let ParsedLine::Event(event) = result(Daemon::Client, None, text.as_bytes()) else {
                panic!("{text}")
            };
            let phases = delays(event.durations).unwrap();
            assert_eq!(phases.iter().map(|(_, time)| time).collect::<Vec<_>>(), wanted, "{fields}");
        }
    }
}
