//! Parses Exim's queue records, the routine lines about a message: its arrival, `Completed`, and the actions of an
//! administrator (`<= a@b H=mx [192.0.2.1] P=esmtp S=4521 id=x@y`).

use super::client::is_field;
use super::host;
use crate::parse::mta::parsed::{ParsedLine, begins, closing_quote, split_once, split_word};
use crate::parse::mta::queue_record::{MessageFields, QueueRecord, QueueStep, number};
use crate::simd::find::{ByteIter, find};
use crate::smtp::event::Mta;

/// Parses a queue record. `None`: a line of another kind.
#[inline]
pub(crate) fn read<'a>(queue_id: &'a [u8], text: &'a [u8]) -> Option<ParsedLine<'a>> {
    let step = if text.starts_with(b"<= ") {
        // `R=` is the message that a bounce is about (Exim spec, "Log files").
        if text.starts_with(b"<= <> R=") { QueueStep::Notice } else { QueueStep::Received }
    } else if text.starts_with(b"Completed") {
        QueueStep::Removed
    } else if begins(text, &FROZEN) {
        QueueStep::Held
    } else if begins(text, &[b"Unfrozen", b"unfrozen"]) {
        QueueStep::Released
    } else if text.starts_with(b"cancelled by ") {
        QueueStep::Returned
    } else if text.starts_with(b"removed by ") {
        QueueStep::Deleted
    } else if text.starts_with(b"rescind the above message-accept") {
        // The client was gone before the reply and keeps the message, so that it comes again under another id (Exim receive.c).
        QueueStep::Requeued
    } else {
        return None;
    };
    Some(ParsedLine::QueueRecord(QueueRecord { mta: Mta::Exim, queue_id, step, text, login: None }))
}

/// Beginnings of lines about frozen messages (Exim deliver.c, acl.c); the third is repeated at each queue run.
const FROZEN: [&[u8]; 4] = [b"*** Frozen", b"Frozen", b"Message is frozen", b"frozen by "];

/// Parses `<= a@b H=mx (helo) [192.0.2.1]:25 P=esmtpsa X=… A=plain:anna S=4521 id=x@y T="…" from <a@b> for c@d` (Exim
/// receive.c; spec ch. 52). Text that the client chooses (HELO name, subject, name in the certificate) is skipped, so
/// that it cannot forge fields.
pub(crate) fn message_fields<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    let mut context = MessageFields::default();
    let Some(text) = record.text.strip_prefix(b"<= ") else { return context };
    let (sender, mut rest) = sender(text);
    context.sender = Some(if sender == b"<>" { b"" } else { sender });
    while let Some(at) = find(b'=', rest) {
        let (name, value) = rest.split_at(at);
        let name = name.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
        let value = value.get(1..).unwrap_or_default();
        rest = match name {
            b"H" => match host::read(value) {
                Some((peer, rest)) => {
                    context.client = peer.ip.or(peer.host);
                    context.client_host = peer.host;
                    context.helo = value.get(..value.len() - rest.len()).and_then(host::helo_name);
                    rest
                }
                None => split_word(value).1,
            },
            b"A" => {
                let (login, rest) = login(value);
                context.user = login;
                rest
            }
            b"S" => {
                context.size = number(split_word(value).0);
                split_word(value).1
            }
            b"RT" => {
                context.receive_time = Some(split_word(value).0);
                split_word(value).1
            }
            // `id*=`: Exim made the Message-ID, as the message had none.
            b"id" | b"id*" => {
                context.message_id = Some(message_id(value));
                break;
            }
            b"T" => break,
            b"DN" => split_once(value, b"\" ").map_or(b"", |(_, rest)| rest),
            _ => split_word(value).1,
        };
    }
    context
}

/// Parses only the sender, the client and the login of the same line, which are before the size.
pub(crate) fn origin<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    let mut context = MessageFields::default();
    let Some(text) = record.text.strip_prefix(b"<= ") else { return context };
    let (sender, rest) = sender(text);
    context.sender = Some(if sender == b"<>" { b"" } else { sender });
    let mut behind = text.len() - rest.len();
    for blank in ByteIter::new(text, b' ') {
        if blank + 1 < behind {
            continue;
        }
        let rest = match text.get(blank + 1..).unwrap_or_default() {
            [b'H', b'=', value @ ..] => host::read(value).map(|(peer, rest)| {
                context.client = peer.ip.or(peer.host);
                context.client_host = peer.host;
                rest
            }),
            [b'A', b'=', value @ ..] => {
                let (login, rest) = login(value);
                context.user = login;
                Some(rest)
            }
            [b'D', b'N', b'=', value @ ..] => split_once(value, b"\" ").map(|(_, rest)| rest),
            [b'S' | b'T', b'=', ..] | [b'i', b'd', b'=' | b'*', ..] => break,
            _ => None,
        };
        behind = rest.map_or(behind, |rest| text.len() - rest.len());
    }
    context
}

/// The user in `plain:anna smith S=4521 …`, and the text from the next field on (Exim receive.c). A name may have blanks.
fn login(value: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let is_next = |at: &usize| {
        let rest = value.get(at + 1..).unwrap_or_default();
        is_field(rest) || begins(rest, &[b"id=", b"id*=", b"K ", b"PRDR ", b"M8S="])
    };
    let end = ByteIter::new(value, b' ').find(is_next).unwrap_or(value.len());
    let (login, rest) = value.split_at_checked(end).unwrap_or((value, b""));
    (split_once(login, b":").map(|(_, user)| user), rest)
}

/// The Message-ID at the start of the text, `x@y` or `"x y"@z`: up to the first blank outside of quotes.
fn message_id(text: &[u8]) -> &[u8] {
    let mut end = 0;
    while let Some(rest) = text.get(end..).filter(|rest| !rest.is_empty()) {
        let length = rest.iter().position(|byte| matches!(byte, b' ' | b'"')).unwrap_or(rest.len());
        end += length;
        match rest.get(length..).filter(|rest| rest.starts_with(b"\"")).map(closing_quote) {
            Some(Some(quote)) => end += quote + 1,
            Some(None) => return split_word(text).0,
            None => break,
        }
    }
    text.get(..end).unwrap_or_default()
}

/// Splits `a@b …`, `<> …` or `"a b"@c …` behind the address.
fn sender(text: &[u8]) -> (&[u8], &[u8]) {
    let quoted = text.first() == Some(&b'"');
    let start = if quoted { closing_quote(text).unwrap_or(0) } else { 0 };
    let (end, _) = split_word(text.get(start..).unwrap_or_default());
    let (sender, rest) = text.split_at(start + end.len());
    (sender, rest.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::header::LogLine;
    use crate::parse::mta;

    #[track_caller]
    fn says(text: &str, step: Option<QueueStep>, context: MessageFields) {
        let raw = format!("2026-11-22 02:51:48 1xUxgC-000022-1C {text}");
        match (mta::read(&LogLine::read(raw.as_bytes())), step) {
            (ParsedLine::QueueRecord(record), Some(step)) => {
                assert_eq!(record.step, step, "{text}");
                assert_eq!(mta::message_fields(&record), context, "{text}");
            }
            (reading, step) => {
                assert!(!matches!(reading, ParsedLine::Event(_)) && step.is_none(), "{text}: {reading:?}");
            }
        }
    }

    #[test]
    fn tells_who_a_message_is_from() {
        let none = MessageFields::default();
        let whole = MessageFields {
            sender: Some(b"a@example.org"),
            size: Some(421),
            client: Some(b"192.0.2.1"),
            helo: Some(b"S=9 id=x"),
            user: Some(b"anna"),
            message_id: Some(b"1@example.org"),
            ..none
        };
        says(
            "<= a@example.org H=(S=9 id=x) [192.0.2.1]:4021 P=esmtpsa X=TLS1.3:AES:256 CV=no DN=\"/CN=S=7 A=b:c\" \
            A=plain:anna S=421 id=1@example.org T=\"S=5\" for b@example.net",
            Some(QueueStep::Received),
            whole,
        );
        says(
            "<= <> R=1xUxgC-000021-0d U=Debian-exim P=local S=1777",
            Some(QueueStep::Notice),
            MessageFields { sender: Some(b""), size: Some(1777), ..none },
        );
        // Another server's bounce.
        says(
            "<= <> H=mx [192.0.2.1] P=esmtp S=1777",
            Some(QueueStep::Received),
            MessageFields {
                sender: Some(b""),
                size: Some(1777),
                client: Some(b"192.0.2.1"),
                client_host: Some(b"mx"),
                ..none
            },
        );
        says(
            "<= \"a b\"@example.org U=anna P=local S=7 T=\"id=2@example.org\"",
            Some(QueueStep::Received),
            MessageFields { sender: Some(b"\"a b\"@example.org"), size: Some(7), ..none },
        );
        says(
            "<= a@example.org H=mx [192.0.2.1] P=esmtpsa A=login:anna smith K S=7 id=a.\"anna x\"@example.org T=\"5\" for b@c",
            Some(QueueStep::Received),
            MessageFields {
                sender: Some(b"a@example.org"),
                size: Some(7),
                client: Some(b"192.0.2.1"),
                client_host: Some(b"mx"),
                user: Some(b"anna smith"),
                message_id: Some(b"a.\"anna x\"@example.org"),
                ..none
            },
        );
    }

    #[test]
    fn tells_what_became_of_a_message() {
        let none = MessageFields::default();
        says("Completed", Some(QueueStep::Removed), none);
        says("Completed QT=0.026s", Some(QueueStep::Removed), none);
        says("Message is frozen", Some(QueueStep::Held), none);
        says("removed by root", Some(QueueStep::Deleted), none);
        says("cancelled by root", Some(QueueStep::Returned), none);
        says("rescind the above message-accept", Some(QueueStep::Requeued), none);
        says(
            "<= a@example.org U=anna P=local S=7 id*=E1@mx.example.org",
            Some(QueueStep::Received),
            MessageFields {
                sender: Some(b"a@example.org"),
                size: Some(7),
                message_id: Some(b"E1@mx.example.org"),
                ..none
            },
        );
    }

    #[test]
    fn other_lines_are_no_facts() {
        for text in [
            "Spool file is locked (another process is handling this message)",
            "retry time",
            "(= a@example.org",
        ] {
            says(text, None, MessageFields::default());
        }
    }
}
