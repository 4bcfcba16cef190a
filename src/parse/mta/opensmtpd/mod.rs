//! Parses OpenSMTPD's lines (`8f48 mta delivery evpid=… from=<a@b> to=<c@d> result="Ok" stat="250 ok"`).
//!
//! May use: the shared parts of parse/mta, the header, smtp; no other server's folder.

pub(crate) mod fields;
pub(crate) mod queue_record;

use self::fields::{value, verb};
use super::parsed::{ParsedLine, address, split_once};
use super::queue_record::{MessageFields, QueueRecord};
use crate::parse::header::LogLine;
use crate::smtp::event::{Direction, Event, Mta, Outcome, Peer, Stage};
use crate::smtp::reply::Reply;

/// Whether OpenSMTPD wrote the line. Its program is `smtpd`; Postfix's daemon has an instance before it.
pub(crate) fn is_from(line: &LogLine) -> bool {
    matches!(line.program, b"smtpd" | b"opensmtpd")
}

/// Parses a line of OpenSMTPD.
pub(crate) fn read<'a>(line: &LogLine<'a>) -> ParsedLine<'a> {
    let text = line.text;
    let event = if let Some((_, rest)) = verb(text, b"smtp", b"failed-command") {
        value(rest, b"command=")
            .zip(value(rest, b"result="))
            .map(|(command, result)| refused(command, result))
    } else if let Some(rest) = text.strip_prefix(b"smtp-in: Failed command on session ") {
        split_once(rest, b" => ").map(|(command, result)| {
            refused(split_once(command, b"\"").map_or(command, |(_, command)| command), result)
        })
    } else if let Some((_, rest)) = verb(text, b"mta", b"delivery") {
        delivery(Direction::Outbound, rest)
    } else if let Some((_, rest)) = verb(text, b"mda", b"delivery") {
        delivery(Direction::Local, rest)
    } else {
        return queue_record::read(text);
    };
    event.map_or(ParsedLine::Unread, ParsedLine::Event)
}

/// The queue id: `evpid=8f48640866d8b9c4`. The id at the start of the line is that of the session.
pub(crate) fn queue_id(text: &[u8]) -> Option<&[u8]> {
    value(text, b"evpid=")
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

/// Parses `evpid=… from=<a@b> to=<c@d> … relay="192.0.2.1 (mx)" … result="TempFail" stat="421 busy"`.
fn delivery(direction: Direction, text: &[u8]) -> Option<Event<'_>> {
    let named =
        |name: &[u8]| split_once(text, name).and_then(|(_, rest)| address(rest)).map(|(address, _)| address);
    let outcome = match value(text, b"result=")? {
        b"Ok" => Outcome::Delivered,
        b"TempFail" => Outcome::Deferred,
        _ => Outcome::Bounced,
    };
    let remote = direction == Direction::Outbound;
    // The reply is the last field, and may contain quotes.
    let words = split_once(text, b"stat=").map_or(&b""[..], |(_, rest)| rest);
    let words = words.strip_prefix(b"\"").map_or(words, |words| words.strip_suffix(b"\"").unwrap_or(words));
    let reply = Reply::read(words).filter(|_| remote);
    let relay = value(text, b"relay=").unwrap_or_default();
    let (ip, host) =
        split_once(relay, b" (").map_or((relay, None), |(ip, host)| (ip, host.strip_suffix(b")")));
    Some(Event {
        direction,
        outcome,
        queue_id: value(text, b"evpid="),
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced),
        sender: named(b"from=<"),
        recipient: named(b"to=<"),
        peer: Peer { host, ip: (remote && !ip.is_empty()).then_some(ip), port: None },
        text: words,
        ..EMPTY_EVENT
    })
}

const EMPTY_EVENT: Event = Event::new(Mta::Opensmtpd, Direction::Inbound, Outcome::Rejected);

/// The event of a rejected command: `command` is `RCPT TO:<a@b>`, `words` is `550 Invalid recipient`.
fn refused<'a>(command: &'a [u8], words: &'a [u8]) -> Event<'a> {
    let reply = Reply::read(words);
    let argument =
        || split_once(command, b":<").and_then(|(_, rest)| address(rest)).map(|(address, _)| address);
    let begins =
        |name: &[u8]| command.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let (stage, sender, recipient) = if command.is_empty() {
        (Some(Stage::Connect), None, None)
    } else if begins(b"MAIL FROM") {
        (Some(Stage::Mail), argument(), None)
    } else if begins(b"RCPT TO") {
        (Some(Stage::Rcpt), None, argument())
    } else if begins(b"DATA") {
        (Some(Stage::Data), None, None)
    } else if begins(b"EHLO") || begins(b"HELO") {
        (Some(Stage::Ehlo), None, None)
    } else if begins(b"AUTH") {
        (Some(Stage::Auth), None, None)
    } else if begins(b"STARTTLS") {
        (Some(Stage::StartTls), None, None)
    } else {
        (None, None, None)
    };
    Event {
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced),
        stage,
        sender,
        recipient,
        text: words,
        ..EMPTY_EVENT
    }
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
        let front = r#"8f48 mta delivery evpid=70 from=<a@example.org> to=<b@example.com> rcpt=<-> relay="192.0.2.1 (mx)""#;
        reads(
            &format!(r#"{front} delay=1s result="PermFail" stat="550 5.7.1 no""#),
            "Outbound Bounced 550 b@example.com",
        );
        reads(
            &format!(r#"{front} delay=1s result="Ok" stat="250 ok""#),
            "Outbound Delivered 250 b@example.com",
        );
        let failed =
            r#"8f48 smtp failed-command command="RCPT TO:<b@example.com>" result="550 Invalid recipient""#;
        reads(failed, "Inbound Rejected 550 b@example.com");
        let mda =
            "8f48 mda delivery evpid=70 from=<> to=<b@example.com> user=b delay=0s result=Ok stat=Delivered";
        reads(mda, "Local Delivered  b@example.com");
    }

    #[test]
    fn does_not_take_other_lines_for_events() {
        reads("8f48 smtp connected address=192.0.2.1 host=mx.example.org", "Routine");
        reads("8f48 mta connecting address=smtp://192.0.2.1:25 host=550.example.org", "Routine");
    }
}
