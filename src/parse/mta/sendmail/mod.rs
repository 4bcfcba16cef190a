//! Parses Sendmail's lines (`h6RDLNtg011461: to=<a@b>, …, dsn=2.0.0, stat=Sent (Ok)`).
//!
//! May use: the shared parts of parse/mta, the header, smtp; no other server's folder.

pub(crate) mod fields;
pub(crate) mod queue_record;

use self::fields::{field, first_address, host};
use super::parsed::{ParsedLine, address, split_last, split_once};
use super::queue_record::{MessageFields, QueueRecord};
use crate::parse::header::LogLine;
use crate::smtp::event::{Direction, Event, Mta, Outcome, Stage};
use crate::smtp::reply::{EnhancedCode, Reply};

/// Whether Sendmail wrote the line. The program is `sendmail`, or `sm-mta` and the like on Debian and the BSDs.
pub(crate) fn is_from(line: &LogLine) -> bool {
    line.program.starts_with(b"sendmail") || line.program.starts_with(b"sm-")
}

/// Parses a line of Sendmail.
pub(crate) fn read<'a>(line: &LogLine<'a>) -> ParsedLine<'a> {
    let (queue_id, rest) = queue_id(line.text);
    let event = if rest.starts_with(b"to=") {
        if field(rest, b", stat=").is_some_and(|stat| stat.starts_with(b"queued")) {
            return ParsedLine::Routine;
        }
        delivery(rest)
    } else if let Some(rest) = rest.strip_prefix(b"ruleset=") {
        match split_once(rest, b", reject=") {
            Some((before, words)) => Some(ruleset(before, words)),
            None => return ParsedLine::Routine,
        }
    } else if let Some((stage, words)) =
        rest.strip_prefix(b"Milter: ").and_then(|rest| split_once(rest, b", reject="))
    {
        Some(milter(stage, words))
    } else if let Some(event) = unknown_user(rest) {
        Some(event)
    } else {
        return queue_id.map_or(ParsedLine::Routine, |id| queue_record::read(id, rest));
    };
    event.map_or(ParsedLine::Unread, |event| ParsedLine::Event(Event { queue_id, ..event }))
}

pub(crate) fn message_fields<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    queue_record::message_fields(record)
}

/// The number of recipients of the message. `None`: the line does not show it.
pub(crate) fn recipients(record: &QueueRecord) -> Option<u32> {
    queue_record::recipients(record)
}

/// The number of recipients in `to=<a@b>,<c@d>, …`, at least 1.
pub(crate) fn reported_recipients(line: &LogLine) -> u32 {
    let names = split_once(line.text, b"to=").map_or(&b""[..], |(_, rest)| rest);
    let names = split_once(names, b", ").map_or(names, |(names, _)| names);
    memchr::memchr_iter(b',', names).count().try_into().map_or(1, |more: u32| more.saturating_add(1))
}

/// The queue id `4XYZ` in `250 2.0.0 4XYZ Message accepted for delivery`.
pub(crate) fn accepted(reply: &[u8]) -> Option<&[u8]> {
    let (before, _) = split_last(reply, b" Message accepted for delivery")?;
    before.rsplit(|byte| matches!(byte, b' ' | b'(')).next()
}

/// Splits off the queue id of `h6RDLNtg011461: rest` or `SAA15929: rest`: 8 to 24 letters and digits, with a digit.
pub(crate) fn queue_id(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let length = text.iter().take(24).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    match (text.get(..length), text.get(length..).and_then(|rest| rest.strip_prefix(b": "))) {
        (Some(id), Some(rest)) if length >= 8 && id.iter().any(u8::is_ascii_digit) => (Some(id), rest),
        _ => (None, text),
    }
}

const EMPTY_EVENT: Event = Event::new(Mta::Sendmail, Direction::Outbound, Outcome::Delivered);

/// Parses `to=<a@b>, …, mailer=esmtp, pri=9, relay=mx. [192.0.2.1], dsn=2.0.0, stat=Sent (Ok)` (sendmail deliver.c).
fn delivery(text: &[u8]) -> Option<Event<'_>> {
    let (recipient, rest) = first_address(text.strip_prefix(b"to=")?)?;
    let (before, stat) = split_once(rest, b", stat=")?;
    let outcome = if stat.starts_with(b"Sent") {
        Outcome::Delivered
    } else if stat.starts_with(b"Deferred") {
        Outcome::Deferred
    } else {
        Outcome::Bounced
    };
    let words = stat.strip_prefix(b"Deferred: ").unwrap_or(stat);
    let remote =
        matches!(field(before, b", mailer="), Some(b"esmtp" | b"smtp" | b"smtp8" | b"dsmtp" | b"relay"));
    // The reply= of a deferral belongs to a later command, and that of a local mailer comes from Sendmail itself.
    let reply = match (Reply::read(words), outcome) {
        (Some(reply), _) if remote => Some(reply),
        (_, Outcome::Bounced) if remote => {
            split_once(before, b", reply=").and_then(|(_, reply)| Reply::read(reply))
        }
        _ => None,
    };
    let reply_text = split_once(before, b", reply=").map(|(_, reply)| reply).filter(|_| reply.is_some());
    let connect = words.starts_with(b"Connection ") || words.starts_with(b"No route to host");
    Some(Event {
        direction: if remote { Direction::Outbound } else { Direction::Local },
        outcome,
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced),
        dsn: split_once(before, b", dsn=").and_then(|(_, dsn)| EnhancedCode::read(dsn)).map(|(dsn, _)| dsn),
        stage: (remote && connect).then_some(Stage::Connect),
        recipient: Some(recipient),
        peer: split_once(before, b", relay=").map(|(_, relay)| host(relay)).unwrap_or_default(),
        text: if Reply::read(words).is_some() { words } else { reply_text.unwrap_or(words) },
        ..EMPTY_EVENT
    })
}

/// The event of a rejecting ruleset: `before` is `check_rcpt, arg1=<a@b>, relay=mx [192.0.2.1]`, `words` is
/// `550 5.7.1 <a@b>... Relaying denied` (sendmail srvrsmtp.c).
fn ruleset<'a>(before: &'a [u8], words: &'a [u8]) -> Event<'a> {
    let name = before.get(..memchr::memchr(b',', before).unwrap_or(before.len())).unwrap_or_default();
    let argument =
        split_once(before, b", arg1=<").and_then(|(_, rest)| address(rest)).map(|(address, _)| address);
    let (stage, sender, recipient) = match name {
        b"check_relay" => (Some(Stage::Connect), None, None),
        b"check_mail" => (Some(Stage::Mail), argument, None),
        b"check_rcpt" => (Some(Stage::Rcpt), None, argument),
        b"check_data" | b"check_eom" | b"check_eoh" => (Some(Stage::EndOfData), None, None),
        _ => (None, None, None),
    };
    let client = split_once(before, b", relay=").map(|(_, relay)| host(relay)).unwrap_or_default();
    Event { sender, recipient, peer: client, ..refused(stage, words) }
}

/// The event of a rejecting milter: `command` is `data`, `words` is `511 Virus found` (sendmail milter.c).
fn milter<'a>(command: &[u8], words: &'a [u8]) -> Event<'a> {
    let stage = match command {
        b"data" | b"eom" | b"body" | b"header" => Some(Stage::EndOfData),
        _ if command.starts_with(b"to=") => Some(Stage::Rcpt),
        _ if command.starts_with(b"from=") => Some(Stage::Mail),
        _ if command.starts_with(b"helo=") => Some(Stage::Ehlo),
        _ if command.starts_with(b"connect") => Some(Stage::Connect),
        _ => None,
    };
    refused(stage, words)
}

/// Parses `<a@b>... User unknown`, the whole text about a rejected recipient.
fn unknown_user(text: &[u8]) -> Option<Event<'_>> {
    let (recipient, words) = address(text.strip_prefix(b"<")?)?;
    let words = words.strip_prefix(b"... ").filter(|words| words.starts_with(b"User unknown"))?;
    Some(Event { recipient: Some(recipient), ..refused(Some(Stage::Rcpt), words) })
}

fn refused(stage: Option<Stage>, words: &[u8]) -> Event<'_> {
    let reply = Reply::read(words);
    Event {
        direction: Direction::Inbound,
        outcome: Outcome::Rejected,
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced),
        stage,
        text: words,
        ..EMPTY_EVENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, want: &str) {
        let raw = format!("Nov 22 03:04:05 mx1 sm-mta[9]: {text}");
        let got = match read(&LogLine::read(raw.as_bytes())) {
            ParsedLine::Event(event) => {
                let code = event.code.map(|code| code.to_string()).unwrap_or_default();
                let peer = event.peer.host.or(event.peer.ip).unwrap_or_default();
                let peer = String::from_utf8_lossy(peer).into_owned();
                format!("{:?} {:?} {code} {peer}", event.direction, event.outcome)
            }
            other => format!("{other:?}"),
        };
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn reads_deliveries() {
        let front = "h6RDLNtg011461: to=<a@example.org>, delay=00:00:01, mailer=esmtp, pri=1, relay=mx.example.org. [192.0.2.1]";
        reads(&format!("{front}, dsn=2.0.0, stat=Sent (Ok)"), "Outbound Delivered  mx.example.org");
        reads(
            &format!(
                "{front}, dsn=5.5.1, reply=554 5.5.1 no valid recipients, stat=Deferred: 421 4.3.2 down"
            ),
            "Outbound Deferred 421 mx.example.org",
        );
        reads(
            &format!("{front}, dsn=5.1.1, reply=550 5.1.1 unknown, stat=User unknown"),
            "Outbound Bounced 550 mx.example.org",
        );
        reads("h6RDLNtg011461: to=root, mailer=local, pri=1, dsn=2.0.0, stat=Sent", "Local Delivered  ");
    }

    #[test]
    fn reads_refusals() {
        reads(
            "h6RDLNtg011461: ruleset=check_rcpt, arg1=<a@example.org>, relay=[192.0.2.1], reject=550 5.7.1 no",
            "Inbound Rejected 550 192.0.2.1",
        );
        reads("h6RDLNtg011461: Milter: data, reject=511 Virus", "Inbound Rejected 511 ");
        reads("h6RDLNtg011461: <a@example.org>... User unknown", "Inbound Rejected  ");
    }

    #[test]
    fn does_not_take_other_lines_for_events() {
        reads("NOQUEUE: connect from mx [192.0.2.1]", "Routine");
        reads("h6RDLNtg011461: to=<a@example.org>, mailer=relay, pri=1, stat=queued", "Routine");
    }
}
