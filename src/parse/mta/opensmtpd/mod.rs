//! Parses OpenSMTPD's lines (`8f48 mta delivery evpid=… from=<a@b> to=<c@d> result="Ok" stat="250 ok"`).
//!
//! May use: the shared parts of parse/mta, the header, smtp; no other server's folder.

pub(crate) mod delivery;
pub(crate) mod fields;
pub(crate) mod queue_record;
pub(crate) mod reject;
pub(crate) mod routine;

use self::delivery::{attempt, is_queue_id};
use self::fields::{peer, value, verb};
use super::parsed::{ParsedLine, split_last, split_once};
use super::queue_record::{MessageFields, QueueRecord};
use crate::parse::header::LogLine;
use crate::smtp::event::{Direction, Event, Outcome, Peer, Stage};

/// Whether OpenSMTPD wrote the line. Its program is `smtpd`; Postfix's daemon has an instance before it.
pub(crate) fn is_from(line: &LogLine) -> bool {
    matches!(line.program, b"smtpd" | b"opensmtpd")
}

/// Whether the text is `8f4864084ecc48f4 smtp connected …` or another line of a session.
pub(crate) fn begins_with_session(text: &[u8]) -> bool {
    verb(text).is_some_and(|(_, part, ..)| matches!(part, b"smtp" | b"mta" | b"mda"))
}

/// Parses a line of OpenSMTPD. Since 5.9 a line begins with its session.
pub(crate) fn read<'a>(line: &LogLine<'a>) -> ParsedLine<'a> {
    let text = line.text;
    let event = match verb(text) {
        Some((_, b"smtp", b"failed-command", rest)) => reject::failed_command(rest),
        Some((_, b"smtp", b"bad-input", rest)) => reject::bad_input(rest),
        Some((_, b"mta", b"delivery", rest)) => delivery::read(Direction::Outbound, rest),
        Some((_, b"mda", b"delivery", rest)) => delivery::read(Direction::Local, rest),
        Some((_, b"mta", b"error", rest)) => rest.strip_prefix(b"reason=").map(attempt),
        Some((_, b"smtp", b"message" | b"envelope", _)) => return queue_record::read(text),
        Some((_, part, verb, _)) if routine::is_known_verb(part, verb) => return ParsedLine::Routine,
        Some(_) => None,
        None => return read_5(text),
    };
    event.map_or(ParsedLine::Unread, ParsedLine::Event)
}

/// Parses a line that does not begin with a session, as most of 5.x do not.
fn read_5(text: &[u8]) -> ParsedLine<'_> {
    if let Some(text) = text.strip_prefix(b"relay: ") {
        return delivery::read_for(Direction::Outbound, text);
    }
    if let Some(text) = text.strip_prefix(b"delivery: ") {
        return delivery::read_for(Direction::Local, text);
    }
    let event = if let Some(text) = text.strip_prefix(b"smtp-in: ") {
        refusal_5(text)
    } else if let Some(text) = text.strip_prefix(b"smtp-out: ") {
        answer_5(text)
    } else if let Some(text) = text.strip_prefix(b"warn: ") {
        delivery::bounce(text)
    } else {
        None
    };
    match event {
        Some(event) => ParsedLine::Event(event),
        None => match queue_record::read(text) {
            record @ ParsedLine::QueueRecord(_) => record,
            _ if routine::is_known(text) => ParsedLine::Routine,
            _ => ParsedLine::Unread,
        },
    }
}

/// Parses the refusals of 5.x, behind `smtp-in: `. `None`: the client was served.
fn refusal_5(text: &[u8]) -> Option<Event<'_>> {
    if let Some((_, rest)) = fields::session(text, b"Failed command on session ") {
        return reject::quoted_command(rest.strip_prefix(b": ")?);
    }
    if let Some((_, rest)) = fields::session(text, b"Bad input on session ") {
        return rest.strip_prefix(b": ").map(reject::of_reply);
    }
    if let Some((_, rest)) = fields::session(text, b"Ending session ") {
        return Some(reject::ended(Stage::Rcpt, rest.strip_prefix(b": ")?));
    }
    if let Some((_, rest)) = fields::session(text, b"Disconnecting session ") {
        let words = rest.strip_prefix(b": ")?;
        return (words == b"rejected by filter").then(|| reject::ended(Stage::Connect, words));
    }
    // 5.7: session 8f4864084ecc48f4: received invalid input: 500 no
    let (_, rest) = text.strip_prefix(b"session ").and_then(|_| fields::session(text, b"session "))?;
    let rest = rest.strip_prefix(b": ")?;
    if let Some(words) = rest.strip_prefix(b"received invalid input: ") {
        return Some(reject::of_reply(words));
    }
    if let Some(command) = rest.strip_prefix(b"received invalid command: ") {
        return reject::quoted_command(command);
    }
    if rest.starts_with(b"closing, too many failed RCPT") {
        return Some(reject::ended(Stage::Rcpt, rest));
    }
    let (client, words) = split_once(rest.strip_prefix(b"connection from host ")?, b" closed (")?;
    let stage = match words {
        b"filter rejection)" => Stage::Connect,
        b"too many failed RCPT)" => Stage::Rcpt,
        _ => return None,
    };
    Some(Event { peer: reject::host(client), ..reject::ended(stage, words.strip_suffix(b")")?) })
}

/// Parses the results of 5.x and the failed sessions of all versions, behind `smtp-out: `. `None`: nothing failed.
fn answer_5(text: &[u8]) -> Option<Event<'_>> {
    // Error on session 8f4864084ecc48f4 after 2 messages sent: Connection closed unexpectedly
    if let Some((_, rest)) =
        fields::session(text, b"Error on session ").filter(|_| text.starts_with(b"Error"))
    {
        let (_, words) = split_once(rest, b": ")?;
        return (!words.starts_with(b"opportunistic TLS failed")).then(|| attempt(words));
    }
    let (_, rest) = fields::session(text, b"session ").filter(|_| text.starts_with(b"session "))?;
    let rest = rest.strip_prefix(b": ")?;
    if rest.starts_with(b"evpid=") {
        return delivery::read_5_7(rest);
    }
    let words = rest.strip_prefix(b"error: ").or_else(|| {
        rest.strip_prefix(b"error after ")
            .and_then(|rest| split_once(rest, b" sent: "))
            .map(|(_, words)| words)
    })?;
    (!words.ends_with(b"TLS failed, downgrading to plain")).then(|| attempt(words))
}

/// The queue id: `evpid=8f48640866d8b9c4`, `relay: Ok for 8f48640866d8b9c4`. The id at the start of the line is that of the
/// session.
pub(crate) fn queue_id(text: &[u8]) -> Option<&[u8]> {
    let id = match text {
        [b'r', b'e', b'l', b'a', b'y', b':', ..]
        | [b'd', b'e', b'l', b'i', b'v', b'e', b'r', b'y', b':', ..] => {
            let (_, rest) = split_once(text, b" for ")?;
            rest.get(..16)
        }
        _ => value(text, b"evpid=").or_else(|| value(text, b"msgid=")),
    };
    id.filter(|id| is_queue_id(id))
}

/// Whether the event is of a session: a refusal, or an attempt.
pub(crate) fn may_lack_peer(event: &Event) -> bool {
    event.direction == Direction::Inbound || event.outcome == Outcome::Attempt
}

/// The session of a refusal or of an attempt, whose peer is on the line that begins the session. `None`: another event, or
/// one that shows its peer.
pub(crate) fn session<'a>(event: &Event, line: &LogLine<'a>) -> Option<&'a [u8]> {
    let shows_peer = event.peer.ip.is_some() || event.peer.host.is_some();
    if shows_peer || !may_lack_peer(event) {
        return None;
    }
    let by_words = || fields::session(line.text, b"ession ").map(|(session, _)| session);
    verb(line.text).map(|(session, ..)| session).or_else(by_words)
}

/// The peer of a session, if the line begins it:
/// `8f48… smtp connected address=192.0.2.1 host=mx`, `8f48… mta connecting address=smtp://192.0.2.1:25 host=mx`, and before 5.9
/// `smtp-in: New session 8f48… from host mx [192.0.2.1]`, `smtp-out: Connecting to smtp://192.0.2.1:25 (mx) on session 8f48…...`.
pub(crate) fn session_peer<'a>(line: &LogLine<'a>, wanted: &[u8]) -> Option<Peer<'a>> {
    let text = line.text;
    match verb(text) {
        Some((session, b"smtp", b"connected", rest)) if session == wanted => Some(reject::client(rest)),
        Some((session, b"mta", b"connecting", rest)) if session == wanted => {
            let name = value(rest, b" host=").unwrap_or_default();
            value(rest, b"address=").map(|address| server(address, name))
        }
        Some(_) => None,
        None => {
            let (session, rest) = fields::session(text, b"ession ")?;
            if session != wanted {
                return None;
            }
            if let Some((_, rest)) = split_once(text, b"onnecting to ") {
                let (address, rest) = split_once(rest, b" (")?;
                return split_once(rest, b")").map(|(name, _)| server(address, name));
            }
            let client = rest.strip_prefix(b" from host ");
            let client = client
                .or_else(|| rest.strip_prefix(b": connection from host ")?.strip_suffix(b" established"));
            client.map(reject::host)
        }
    }
}

/// Parses `smtp+tls://192.0.2.1:25`, the address of a server with its name.
fn server<'a>(address: &'a [u8], name: &'a [u8]) -> Peer<'a> {
    let address = split_once(address, b"://").map_or(address, |(_, address)| address);
    let (host, port) = split_last(address, b":").unwrap_or((address, b""));
    let port = std::str::from_utf8(port).ok().and_then(|port| port.parse().ok());
    Peer { port, ..peer(host, name) }
}

/// The id of the message, the first 8 of 16 digits.
pub(crate) fn message_part(queue_id: &[u8]) -> &[u8] {
    queue_id.get(..8).unwrap_or(queue_id)
}

pub(crate) fn message_fields<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    queue_record::message_fields(record)
}

/// The number of recipients of the message. `None`: the line does not show it.
pub(crate) fn recipients(record: &QueueRecord) -> Option<u32> {
    queue_record::recipients(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, want: &str) {
        let raw = format!("Nov 22 03:04:05 mx1 smtpd[9]: {text}");
        let got = match read(&LogLine::read(raw.as_bytes())) {
            ParsedLine::Event(event) => {
                let code = event.code.map(|code| code.to_string()).unwrap_or_default();
                let recipient = String::from_utf8_lossy(event.recipient.unwrap_or_default()).into_owned();
                format!("{:?} {:?} {code} {recipient}", event.direction, event.outcome)
            }
            other => format!("{other:?}"),
        };
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn reads_deliveries_and_refusals() {
        let front = r#"8f4864084ecc48f4 mta delivery evpid=70 from=<a@example.org> to=<b@example.com> rcpt=<-> relay="192.0.2.1 (mx)""#;
        reads(
            &format!(r#"{front} delay=1s result="PermFail" stat="550 5.7.1 no""#),
            "Outbound Bounced 550 b@example.com",
        );
        reads(
            &format!(r#"{front} delay=1s result="Ok" stat="250 ok""#),
            "Outbound Delivered 250 b@example.com",
        );
        let failed = r#"8f4864084ecc48f4 smtp failed-command command="RCPT TO:<b@example.com>" result="550 Invalid recipient""#;
        reads(failed, "Inbound Rejected 550 b@example.com");
        let mda = "8f4864084ecc48f4 mda delivery evpid=70 from=<> to=<b@example.com> user=b delay=0s result=Ok stat=Delivered";
        reads(mda, "Local Delivered  b@example.com");
    }

    #[test]
    fn does_not_take_other_lines_for_events() {
        reads("8f4864084ecc48f4 smtp connected address=192.0.2.1 host=mx.example.org", "Routine");
        reads("8f4864084ecc48f4 mta connecting address=smtp://192.0.2.1:25 host=550.example.org", "Routine");
    }
}
