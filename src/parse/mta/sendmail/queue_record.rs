//! Parses Sendmail's queue records, the routine lines about a message (`from=<a@b>, size=9, nrcpts=1, …`).

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::fields::{field, host};
use crate::parse::mta::parsed::{ParsedLine, split_last, split_once};
use crate::parse::mta::queue_record::{MessageFields, QueueRecord, QueueStep, number};
use crate::parse::mta::recipient_list;
use crate::smtp::event::Mta;

/// Parses `from=<a@b>, size=9, …` (sendmail collect.c), `h6SDtCtg028878: DSN: User unknown` (savemail.c), which shows the
/// queue id of the notification, `done; delay=00:00:01, ntries=2` (envelope.c), and what holds or drops a message (queue.c,
/// deliver.c). `Routine`: another line.
pub(crate) fn read<'a>(queue_id: &'a [u8], text: &'a [u8]) -> ParsedLine<'a> {
    let (queue_id, step) = match notice(text) {
        _ if text.starts_with(b"from=") => (queue_id, QueueStep::Received),
        _ if text.starts_with(b"done; ") => (queue_id, QueueStep::Removed),
        _ if text == b"discarded" => (queue_id, QueueStep::Deleted),
        _ if text.starts_with(b"quarantine=") => (queue_id, QueueStep::Held),
        _ if text == b"unquarantine" => (queue_id, QueueStep::Released),
        Some((notice, _)) => (notice, QueueStep::Notice),
        None => return ParsedLine::Routine,
    };
    // No recipient: the client disconnected, or all recipients were rejected. No message id: the message was not read, or
    // not to its end, since eatheader() in headers.c gives every message one.
    let fields = behind_sender(text);
    let lacks_id = || field(fields, b", proto=").is_some() && split_once(fields, b", msgid=").is_none();
    if step == QueueStep::Received && (field(fields, b", nrcpts=") == Some(b"0") || lacks_id()) {
        return ParsedLine::Routine;
    }
    ParsedLine::QueueRecord(QueueRecord { mta: Mta::Sendmail, queue_id, step, text, login: None })
}

/// Kinds of notifications (sendmail savemail.c, deliver.c).
const NOTICES: [&[u8]; 4] = [b"DSN: ", b"return to sender: ", b"sender notify: ", b"postmaster notify: "];

/// Splits `h6SDtCtg028878: DSN: User unknown` into the queue id of the notification and what it says.
pub(crate) fn notice(text: &[u8]) -> Option<(&[u8], &[u8])> {
    // A queue id has at most 24 characters.
    let colon = memchr::memchr(b':', text.get(..25).unwrap_or(text))?;
    let (id, rest) = text.split_at_checked(colon)?;
    let rest = rest.strip_prefix(b": ")?;
    let is_id = id.len() >= 8 && id.iter().all(u8::is_ascii_alphanumeric);
    let words = NOTICES.iter().find_map(|name| rest.strip_prefix(*name))?;
    is_id.then_some((id, words))
}

/// The number of recipients. `None`: the line does not show it.
pub(crate) fn recipients(record: &QueueRecord) -> Option<u32> {
    match record.step {
        QueueStep::Received => number(field(behind_sender(record.text), b", nrcpts=")?)?.try_into().ok(),
        // A notification goes to the sender.
        QueueStep::Notice => Some(1),
        QueueStep::MessageIdAssigned
        | QueueStep::Queued
        | QueueStep::Held
        | QueueStep::Released
        | QueueStep::Deleted
        | QueueStep::Returned
        | QueueStep::Requeued
        | QueueStep::PassedOn
        | QueueStep::Canceled
        | QueueStep::Dropped
        | QueueStep::Removed => None,
    }
}

/// Parses `from=<a@b>, size=550, class=0, nrcpts=1, msgid=<x@y>, proto=ESMTP, daemon=MTA, relay=mx [192.0.2.1]`.
pub(crate) fn message_fields<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    let recipients = recipients(record);
    let Some((sender, rest)) = record.text.strip_prefix(b"from=").and_then(sender) else {
        // A notification has the null sender.
        let sender = (record.step == QueueStep::Notice).then_some(&b""[..]);
        return MessageFields { sender, recipients, ..MessageFields::default() };
    };
    let id = field(rest, b", msgid=");
    // It is the last field; the sender's server chose the Message-ID before it.
    let client = split_last(rest, b", relay=").map(|(_, relay)| host(relay)).unwrap_or_default();
    MessageFields {
        sender: Some(sender),
        size: field(rest, b", size=").and_then(number),
        client: client.ip.or(client.host),
        message_id: id.map(|id| id.strip_prefix(b"<").and_then(|id| id.strip_suffix(b">")).unwrap_or(id)),
        recipients,
        user: record.login,
        ..MessageFields::default()
    }
}

/// What the line of the login contains, with the client, if the client of an arrival may have logged in: AUTH needs EHLO (RFC 4954 §3), and the
/// protocol is then ESMTP or longer. `None`: it cannot have, or the line is no arrival.
pub(crate) fn login_marks<'a>(record: &QueueRecord<'a>) -> Option<(&'static Finder<'static>, &'a [u8])> {
    static LOGIN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("authid="));
    if record.step != QueueStep::Received {
        return None;
    }
    let (_, rest) = split_last(behind_sender(record.text), b", proto=")?;
    let (_, client) = split_last(rest, b", relay=")?;
    rest.starts_with(b"ESMTP").then(|| (&*LOGIN, client))
}

/// The login that an earlier line of the same process or message tells:
/// `AUTH=server, relay=mx [192.0.2.1], authid=anna, mech=PLAIN, bits=0` (srvrsmtp.c). The client must be the same; it chooses
/// only its name. `None`: another line.
pub(crate) fn login_of_session<'b>(
    record: &QueueRecord,
    is_same_process: bool,
    (id, earlier): (Option<&[u8]>, &'b [u8]),
) -> Option<&'b [u8]> {
    let (relay, rest) = split_once(earlier.strip_prefix(b"AUTH=server, relay=")?, b", authid=")?;
    let (_, client) = split_last(record.text, b", relay=")?;
    let is_of_session = is_same_process || id == Some(record.queue_id);
    let (user, _) = split_last(rest, b", mech=").filter(|_| is_of_session && relay == client)?;
    Some(user).filter(|user| !user.is_empty())
}

/// The fields behind the sender, whose quoted local part may look like them.
fn behind_sender(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"from=").and_then(sender).map_or(text, |(_, rest)| rest)
}

/// Splits off the sender, which may be the null sender `<>`.
fn sender(text: &[u8]) -> Option<(&[u8], &[u8])> {
    text.strip_prefix(b"<>").map(|rest| (&b""[..], rest)).or_else(|| recipient_list::first(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::header::LogLine;
    use crate::parse::mta;

    #[track_caller]
    fn says(text: &str, wanted: Option<(&str, QueueStep, MessageFields)>) {
        let raw = format!("Nov 22 03:04:05 mx1 sm-mta[9]: h6RDLNtg011461: {text}");
        let found = match mta::read(&LogLine::read(raw.as_bytes())) {
            ParsedLine::QueueRecord(record) => Some((record.queue_id.to_vec(), record.step)),
            other => {
                assert_eq!(other, ParsedLine::Routine, "{text}");
                None
            }
        };
        let named = wanted.map(|(id, step, _)| (id.as_bytes().to_vec(), step));
        assert_eq!(found, named, "{text}");
        if let (ParsedLine::QueueRecord(record), Some((_, _, context))) =
            (mta::read(&LogLine::read(raw.as_bytes())), wanted)
        {
            assert_eq!(mta::message_fields(&record), context, "{text}");
        }
    }

    #[test]
    fn tells_who_a_message_is_from_and_what_becomes_of_it() {
        let none = MessageFields::default();
        let whole = MessageFields {
            sender: Some(b"a@example.org"),
            size: Some(550),
            client: Some(b"192.0.2.1"),
            message_id: Some(b"1@example.org"),
            recipients: Some(2),
            ..none
        };
        says(
            "from=<a@example.org>, size=550, class=0, nrcpts=2, msgid=<1@example.org>, proto=ESMTP, daemon=MTA, \
            relay=mx.example.org [192.0.2.1]",
            Some(("h6RDLNtg011461", QueueStep::Received, whole)),
        );
        let notice = MessageFields { sender: Some(b""), recipients: Some(1), ..none };
        says("h6RDLNtg011462: DSN: User unknown", Some(("h6RDLNtg011462", QueueStep::Notice, notice)));
        says("done; delay=00:00:01, ntries=2", Some(("h6RDLNtg011461", QueueStep::Removed, none)));
    }

    #[test]
    fn other_lines_are_no_facts() {
        says("from=<a@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, relay=mx [192.0.2.1]", None);
        says("lost input channel from mx [192.0.2.1] to MTA after rcpt", None);
        says("h6RDLNtg011462: clone: owner=a", None);
        says("timeout waiting for input: DSN: x", None);
    }
}
