//! Parses Sendmail's lines (`h6RDLNtg011461: to=<a@b>, …, dsn=2.0.0, stat=Sent (Ok)`).
//!
//! May use: the shared parts of parse/mta, the header, smtp; no other server's folder.

pub(crate) mod delivery;
pub(crate) mod fields;
pub(crate) mod queue_record;
pub(crate) mod reject;
pub(crate) mod routine;

use super::parsed::{ParsedLine, begins, split_last, split_once};
use super::queue_record::{MessageFields, QueueRecord};
use super::recipient_list::RecipientList;
use super::related_id::{self, Relation};
use crate::parse::header::LogLine;
use crate::smtp::event::{Direction, Event, Mta, Outcome, Stage};
use crate::smtp::reply::Class;

/// Whether Sendmail wrote the line. The program is `sendmail`, or `sm-mta` and the like on Debian and the BSDs; `sm-notify`
/// belongs to NFS.
pub(crate) fn is_from(line: &LogLine) -> bool {
    line.program.starts_with(b"sendmail") || line.program.starts_with(b"sm-") && line.program != b"sm-notify"
}

/// Parses a line of Sendmail.
pub(crate) fn read<'a>(line: &LogLine<'a>) -> ParsedLine<'a> {
    let (queue_id, rest) = queue_id(line.text);
    if rest.starts_with(b"to=") {
        return delivery::read(queue_id, rest);
    }
    if begins(rest, &[b"from=", b"connect from "]) {
        return queue_id.map_or(ParsedLine::Routine, |id| queue_record::read(id, rest));
    }
    match event(rest) {
        Some(event) => ParsedLine::Event(Event { queue_id, ..event }),
        None => match queue_id.map(|id| queue_record::read(id, rest)) {
            Some(record @ ParsedLine::QueueRecord(_)) => record,
            _ if routine::is_known(rest) || routine::is_user_error(rest) => ParsedLine::Routine,
            _ if queue_id.is_some() && line.program == b"sendmail" && routine::is_free_text(rest) => {
                ParsedLine::Routine
            }
            _ => ParsedLine::Unread,
        },
    }
}

/// The event of a line that is no delivery.
fn event(text: &[u8]) -> Option<Event<'_>> {
    if text.starts_with(b"ruleset=") {
        return reject::ruleset(text.get(b"ruleset=".len()..)?);
    }
    if let Some(text) = text.strip_prefix(b"Milter: ") {
        return reject::milter(text);
    }
    // milter.c: milter=NAME, quarantine=REASON
    if let Some((_, reason)) = split_once(text, b", quarantine=").filter(|_| text.starts_with(b"milter=")) {
        let (direction, stage) = (Direction::Inbound, Some(Stage::EndOfData));
        return Some(Event { direction, outcome: Outcome::Held, stage, text: reason, ..EMPTY_EVENT });
    }
    if let Some((_, words)) = queue_record::notice(text) {
        return given_up(words);
    }
    match reject::other(text) {
        None if routine::is_known(text) => None,
        None => reject::user_error(text),
        event @ Some(_) => event,
    }
}

/// The event of a message or recipient that only its notification tells of: dropenvelope() in envelope.c gives up a message
/// that was in the queue too long, and a message that a program on this host submits is returned for what would be refused
/// to a client.
fn given_up(words: &[u8]) -> Option<Event<'_>> {
    let event = Event { hint: Some(Class::Permanent), text: words, ..EMPTY_EVENT };
    if begins(words, &[b"Cannot send message for ", b"delivery time expired "]) {
        return Some(Event { outcome: Outcome::Expired, ..event });
    }
    let event = Event { direction: Direction::Local, outcome: Outcome::Bounced, ..event };
    if begins(words, &[b"aliasing/forwarding loop broken"]) {
        return Some(event);
    }
    if begins(words, &[b"Too many hops "]) {
        return Some(Event { recipient: split_last(words, b", to ").map(|(_, name)| bare(name)), ..event });
    }
    let (recipient, text) = split_once(words, b"... ")?;
    let is_address = !recipient.is_empty() && !recipient.contains(&b' ');
    is_address.then_some(Event { recipient: Some(bare(recipient)), text, ..event })
}

/// The address without angle brackets.
fn bare(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"<").and_then(|name| name.strip_suffix(b">")).unwrap_or(name)
}

pub(crate) fn message_fields<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    queue_record::message_fields(record)
}

/// The number of recipients of the message. `None`: the line does not show it.
pub(crate) fn recipients(record: &QueueRecord) -> Option<u32> {
    queue_record::recipients(record)
}

/// The recipients in `to=<a@b>,<c@d>, …` but the first.
pub(crate) fn other_recipients<'a>(event: &Event, line: &LogLine<'a>) -> RecipientList<'a> {
    let (_, text) = queue_id(line.text);
    match text.strip_prefix(b"to=") {
        Some(text) if event.recipient.is_some() => {
            let mut list = RecipientList::new(text);
            list.next();
            list
        }
        Some(_) | None => RecipientList::default(),
    }
}

/// The notification that the line of a message names which is given up.
pub(crate) fn record_of_event<'a>(event: &Event, line: &LogLine<'a>) -> Option<QueueRecord<'a>> {
    if !matches!(event.outcome, Outcome::Expired | Outcome::Bounced) {
        return None;
    }
    let (id, text) = queue_id(line.text);
    match queue_record::read(id?, text) {
        ParsedLine::QueueRecord(record) => Some(record),
        ParsedLine::Event(_) | ParsedLine::Routine | ParsedLine::Unread | ParsedLine::Foreign => None,
    }
}

/// The message that a line about another message names: a notification, or the next server's.
pub(crate) fn related_queue_id(text: &[u8]) -> Option<(Relation, &[u8])> {
    match queue_record::notice(text) {
        Some((id, _)) => Some((Relation::NotifiedBy, id)),
        None => related_id::forwarded_to(text),
    }
}

/// The text of a line that sendmail logs twice: queue.c says for each queue group that the disk is full.
pub(crate) fn copied_text<'a>(event: &Event, line: &LogLine<'a>) -> Option<&'a [u8]> {
    event.text.starts_with(b"low on space (").then_some(line.text)
}

/// The user name in `AUTH failure (PLAIN): …, user=anna, relay=mx [192.0.2.1]`. `None`: another line.
pub(crate) fn login(text: &[u8]) -> Option<&[u8]> {
    let (_, rest) = queue_id(text);
    let (before, _) = rest.strip_prefix(b"AUTH failure (").and_then(|rest| split_last(rest, b", relay="))?;
    split_once(before, b", user=").map(|(_, user)| user).filter(|user| !user.is_empty())
}

/// The queue id `4XYZ` in `250 2.0.0 4XYZ Message accepted for delivery`.
pub(crate) fn accepted(reply: &[u8]) -> Option<&[u8]> {
    let (before, _) = split_last(reply, b" Message accepted for delivery")?;
    before.rsplit(|byte| matches!(byte, b' ' | b'(')).next()
}

/// Splits off the queue id of `h6RDLNtg011461: rest` or `SAA15929: rest`: 8 to 24 letters and digits, with a digit. A line
/// about no message may begin with `NOQUEUE`.
pub(crate) fn queue_id(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let length = text.iter().take(24).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    match (text.get(..length), text.get(length..).and_then(|rest| rest.strip_prefix(b": "))) {
        (Some(id), Some(rest)) if length >= 8 && id.iter().any(u8::is_ascii_digit) => (Some(id), rest),
        (Some(b"NOQUEUE"), Some(rest)) => (None, rest),
        _ => (None, text),
    }
}

const EMPTY_EVENT: Event = Event::new(Mta::Sendmail, Direction::Outbound, Outcome::Delivered);

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
