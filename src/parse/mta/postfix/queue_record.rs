//! Parses Postfix's queue records, the routine lines about a message from `client=mx[192.0.2.1]` to `removed`.

use memchr::memrchr;

use crate::parse::mta::parsed::{ParsedLine, address, begins, field, peer, split_once};
use crate::parse::mta::queue_record::{MessageFields, QueueRecord, QueueStep, number};
use crate::smtp::event::Mta;

/// The queue record of a line. Without a queue id the line is routine.
pub(crate) fn record_of<'a>(queue_id: Option<&'a [u8]>, step: QueueStep, text: &'a [u8]) -> ParsedLine<'a> {
    match queue_id {
        Some(queue_id) => {
            ParsedLine::QueueRecord(QueueRecord { mta: Mta::Postfix, queue_id, step, text, login: None })
        }
        None => ParsedLine::Routine,
    }
}

/// Parses a line of pickup: `uid=1000 from=<anna>` (postfix pickup.c).
pub(crate) fn pickup<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> ParsedLine<'a> {
    if text.starts_with(b"uid=") {
        record_of(queue_id, QueueStep::Received, text)
    } else {
        ParsedLine::Unread
    }
}

/// Parses a line of postsuper: `removed`, `placed on hold`, `released from hold`, `requeued` (postfix postsuper.c).
pub(crate) fn postsuper<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> ParsedLine<'a> {
    let step = match text {
        b"removed" => QueueStep::Deleted,
        b"placed on hold" => QueueStep::Held,
        b"released from hold" => QueueStep::Released,
        b"requeued" => QueueStep::Requeued,
        _ => return ParsedLine::Unread,
    };
    record_of(queue_id, step, text)
}

/// Parses a line of bounce: `sender non-delivery notification: 4XYZ`, `sender delay notification: …`, `postmaster …`
/// (postfix bounce.c). The record is that of the notification, whose other lines were logged before.
pub(crate) fn bounce(text: &[u8]) -> ParsedLine<'_> {
    if !begins(text, &[b"sender ", b"postmaster "]) {
        return ParsedLine::Unread;
    }
    let notice = split_once(text, b" notification: ").map(|(_, id)| id);
    let is_id = |id: &&[u8]| (5..=32).contains(&id.len()) && id.iter().all(u8::is_ascii_alphanumeric);
    record_of(notice.filter(is_id), QueueStep::Notice, text)
}

/// The number of recipients in `… nrcpt=1 (queue active)`. Searches from the end, since it is the last field.
pub(crate) fn recipients(text: &[u8]) -> Option<u32> {
    let (_, count) = text.split_at_checked(memrchr(b'=', text)? + 1)?;
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    let mut digits = count.iter().map_while(digit);
    let first = digits.next()?;
    digits.try_fold(first, |sum, digit| sum.checked_mul(10)?.checked_add(digit))
}

/// Parses the fields of a record.
pub(crate) fn message_fields<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    match record.step {
        QueueStep::Received => received(record.text),
        QueueStep::MessageIdAssigned => MessageFields {
            message_id: record.text.strip_prefix(b"message-id=").map(without_brackets),
            ..MessageFields::default()
        },
        QueueStep::Queued => queue_manager(record.text).unwrap_or_default(),
        QueueStep::Notice
        | QueueStep::Held
        | QueueStep::Released
        | QueueStep::Deleted
        | QueueStep::Returned
        | QueueStep::Requeued
        | QueueStep::PassedOn
        | QueueStep::Canceled
        | QueueStep::Dropped
        | QueueStep::Removed => MessageFields::default(),
    }
}

/// Parses only the sender, the client and the login of a record.
pub(crate) fn origin<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    match record.step {
        QueueStep::Received => received(record.text),
        QueueStep::Queued => {
            let sender = record.text.strip_prefix(b"from=<").and_then(address).map(|(sender, _)| sender);
            MessageFields { sender, ..MessageFields::default() }
        }
        QueueStep::MessageIdAssigned
        | QueueStep::Notice
        | QueueStep::Held
        | QueueStep::Released
        | QueueStep::Deleted
        | QueueStep::Returned
        | QueueStep::Requeued
        | QueueStep::PassedOn
        | QueueStep::Canceled
        | QueueStep::Dropped
        | QueueStep::Removed => MessageFields::default(),
    }
}

/// Parses `client=mx[192.0.2.1], sasl_method=PLAIN, sasl_username=anna` (postfix smtpd.c). Behind a proxy or content
/// filter, `orig_client=mx[192.0.2.1]` is the client.
fn received(text: &[u8]) -> MessageFields<'_> {
    let Some(rest) = text.strip_prefix(b"client=") else { return MessageFields::default() };
    // Most lines show only the client; searching for other fields took half of the time here.
    if let Some((peer, b"")) = peer(rest) {
        let client_host = peer.host.filter(|_| peer.ip.is_some());
        return MessageFields { client: peer.ip.or(peer.host), client_host, ..MessageFields::default() };
    }
    let rest = split_once(rest, b", orig_client=").map_or(rest, |(_, rest)| rest);
    let named = peer(rest).map(|(peer, _)| peer).unwrap_or_default();
    let user = split_once(text, b", sasl_username=").map(|(_, user)| user);
    let user = user.map(|user| field(user).map_or(user, |(user, _)| user));
    let client_host = named.host.filter(|_| named.ip.is_some());
    MessageFields { client: named.ip.or(named.host), client_host, user, ..MessageFields::default() }
}

/// Parses `from=<a@b>, size=4521, nrcpt=1 (queue active)` (postfix qmgr_active.c).
fn queue_manager(text: &[u8]) -> Option<MessageFields<'_>> {
    let (sender, rest) = address(text.strip_prefix(b"from=<")?)?;
    let size = rest.strip_prefix(b", size=").and_then(field).and_then(|(size, _)| number(size));
    Some(MessageFields {
        sender: Some(sender),
        size,
        recipients: recipients(rest),
        ..MessageFields::default()
    })
}

/// Removes the brackets of `<a@b>`; text without brackets is returned unchanged.
fn without_brackets(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::header::LogLine;
    use crate::parse::mta;

    #[track_caller]
    fn says(text: &str, step: Option<QueueStep>, context: MessageFields) {
        let raw = format!("Nov 22 02:50:16 mx1 postfix/{text}");
        match (mta::read(&LogLine::read(raw.as_bytes())), step) {
            (ParsedLine::QueueRecord(record), Some(step)) => {
                assert_eq!((record.queue_id, record.step), (&b"4jXCsJ3c7Hz7j9M"[..], step), "{text}");
                assert_eq!(mta::message_fields(&record), context, "{text}");
            }
            (reading, step) => {
                assert!(reading == ParsedLine::Routine && step.is_none(), "{text}: {reading:?}");
            }
        }
    }

    #[test]
    fn tells_who_a_message_is_from() {
        let none = MessageFields::default();
        let queued =
            MessageFields { sender: Some(b"a@example.org"), size: Some(4521), recipients: Some(12), ..none };
        says(
            "qmgr[7]: 4jXCsJ3c7Hz7j9M: from=<a@example.org>, size=4521, nrcpt=12 (queue active)",
            Some(QueueStep::Queued),
            queued,
        );
        let bounce = MessageFields { sender: Some(b""), ..queued };
        says(
            "qmgr[7]: 4jXCsJ3c7Hz7j9M: from=<>, size=4521, nrcpt=12 (queue active)",
            Some(QueueStep::Queued),
            bounce,
        );
        let client =
            MessageFields { client: Some(b"192.0.2.1"), client_host: Some(b"mx.example.org"), ..none };
        says(
            "smtpd[7]: 4jXCsJ3c7Hz7j9M: client=mx.example.org[192.0.2.1]",
            Some(QueueStep::Received),
            client,
        );
        says(
            "submission/smtpd[7]: 4jXCsJ3c7Hz7j9M: client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=anna, \
            sasl_sender=x",
            Some(QueueStep::Received),
            MessageFields { user: Some(b"anna"), client_host: Some(b"unknown"), ..client },
        );
        says(
            "smtpd[7]: 4jXCsJ3c7Hz7j9M: client=localhost[127.0.0.1], orig_queue_id=1F, \
            orig_client=mx.example.org[192.0.2.1]",
            Some(QueueStep::Received),
            client,
        );
        let named = MessageFields { message_id: Some(b"1@example.org"), ..none };
        says(
            "cleanup[7]: 4jXCsJ3c7Hz7j9M: message-id=<1@example.org>",
            Some(QueueStep::MessageIdAssigned),
            named,
        );
        says(
            "cleanup[7]: 4jXCsJ3c7Hz7j9M: message-id=<>",
            Some(QueueStep::MessageIdAssigned),
            MessageFields { message_id: Some(b""), ..none },
        );
        says("pickup[7]: 4jXCsJ3c7Hz7j9M: uid=0 from=<root>", Some(QueueStep::Received), none);
        says("qmgr[7]: 4jXCsJ3c7Hz7j9M: removed", Some(QueueStep::Removed), none);
        says("postsuper[7]: 4jXCsJ3c7Hz7j9M: placed on hold", Some(QueueStep::Held), none);
        for words in [
            "sender non-delivery notification",
            "sender delay notification",
            "sender delivery status notification",
            "postmaster non-delivery notification",
        ] {
            let text = format!("bounce[7]: 4jXCsJ3c7Hz7j9L: {words}: 4jXCsJ3c7Hz7j9M");
            says(&text, Some(QueueStep::Notice), none);
        }
    }

    #[test]
    fn lines_about_no_message_are_no_facts() {
        for text in [
            "smtpd[7]: NOQUEUE: client=mx.example.org[192.0.2.1]",
            "qmgr[7]: warning: 4jXCsJ3c7Hz7j9M: removed",
            "qmgr[7]: 4jXCsJ3c7Hz7j9M: skipped, still being delivered",
            "pickup[7]: fatal: uid=0",
            "postsuper[7]: Deleted: 1 message",
            "postsuper[7]: Placed on hold: 1 message",
            "bounce[7]: 4jXCsJ3c7Hz7j9L: sender non-delivery notification: ",
            "bounce[7]: 4jXCsJ3c7Hz7j9L: sender non-delivery notification: of 4jXCsJ3c7Hz7j9M",
            "bounce[7]: 4jXCsJ3c7Hz7j9M: not sending trace/success notification for double-bounce message",
        ] {
            says(text, None, MessageFields::default());
        }
    }
}
