//! Parses OpenSMTPD's queue records, the lines about the arrival of a message (`8f48 smtp message msgid=70 size=407 nrcpt=1`).

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::delivery::is_queue_id;
use super::fields::{sender, value, verb};
use crate::parse::mta::parsed::{ParsedLine, split_last, split_once};
use crate::parse::mta::queue_record::{MessageFields, QueueRecord, QueueStep, number};
use crate::smtp::event::Mta;

/// Parses `8f4864084ecc48f4 smtp message msgid=7077717e size=407 nrcpt=1 proto=ESMTP`, and before 6.4
/// `8f4864084ecc48f4 smtp event=message address=192.0.2.1 host=mx msgid=7077717e from=<a@b> to=<c@d> size=407 ndest=1
/// proto=ESMTP` (OpenSMTPD smtp_session.c). A line for each recipient shows the sender:
/// `8f4864084ecc48f4 smtp envelope evpid=7077717e797a776e from=<a@b> to=<c@d>`. Before 5.9:
/// `smtp-in: Accepted message 7077717e on session 8f48…: from=<a@b>, to=<c@d>, size=407, ndest=1, proto=ESMTP` and
/// `smtp-in: session 8f48…: msgid=7077717e, status=Ok, from=<a@b>, …`. `Routine`: another line.
pub(crate) fn read(text: &[u8]) -> ParsedLine<'_> {
    let (step, id) = match verb(text) {
        Some((_, b"smtp", b"message", rest)) => (QueueStep::Received, value(rest, b"msgid=")),
        Some((_, b"smtp", b"envelope", rest)) => (QueueStep::MessageIdAssigned, value(rest, b"evpid=")),
        Some(_) => return ParsedLine::Routine,
        None => match text.strip_prefix(b"smtp-in: ") {
            Some(rest) if rest.starts_with(b"session ") => (QueueStep::Received, value(rest, b": msgid=")),
            Some(rest) => (QueueStep::Received, value(rest, b"Accepted message ")),
            None => return ParsedLine::Routine,
        },
    };
    let record = |queue_id| {
        ParsedLine::QueueRecord(QueueRecord { mta: Mta::Opensmtpd, queue_id, step, text, login: None })
    };
    id.filter(|id| is_queue_id(id)).map_or(ParsedLine::Routine, record)
}

/// The number of recipients. `None`: not the line of the arrival.
pub(crate) fn recipients(record: &QueueRecord) -> Option<u32> {
    let count = value(record.text, b" nrcpt=").or_else(|| value(record.text, b" ndest="))?;
    (record.step == QueueStep::Received).then(|| number(count)?.try_into().ok()).flatten()
}

/// Parses the fields of both kinds of lines.
pub(crate) fn message_fields<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    let text = record.text;
    MessageFields {
        sender: sender(text),
        size: value(text, b" size=").and_then(number),
        client: value(text, b" address="),
        user: record.login,
        recipients: recipients(record),
        ..MessageFields::default()
    }
}

/// What the other line of a session contains that says more of a record: of an arrival the login, and of a message with the null
/// sender that this server wrote it; and the session. `None`: no line says more.
pub(crate) fn session_marks<'a>(record: &QueueRecord<'a>) -> Option<(&'static Finder<'static>, &'a [u8])> {
    static LOGIN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("authentication user="));
    static LOCAL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("connected address=local"));
    let mark = match record.step {
        QueueStep::Received => &LOGIN,
        QueueStep::MessageIdAssigned if sender(record.text) == Some(b"") => &LOCAL,
        _ => return None,
    };
    verb(record.text).map(|(session, ..)| (&**mark, session))
}

/// The record with what an earlier line of its session says: `8f48… smtp authentication user=anna result=ok`, and
/// `8f48… smtp connected address=local host=mx` of a client that is this server itself (OpenSMTPD smtp_session.c). A program
/// of this host connects like that, too, but only the server sends from `<>`. `None`: the line says neither.
pub(crate) fn with_session<'b>(record: &QueueRecord<'b>, earlier: &'b [u8]) -> Option<QueueRecord<'b>> {
    let (wanted, ..) = verb(record.text)?;
    match (record.step, verb(earlier)?) {
        (QueueStep::Received, (session, b"smtp", b"authentication", rest)) if session == wanted => {
            let (fields, result) = split_last(rest, b" result=")?;
            let user = fields.strip_prefix(b"user=").filter(|_| result == b"ok")?;
            let user = split_once(user, b" address=").map_or(user, |(user, _)| user);
            Some(QueueRecord { login: Some(user).filter(|user| !user.is_empty()), ..*record })
        }
        (QueueStep::MessageIdAssigned, (session, b"smtp", b"connected", rest)) if session == wanted => {
            let is_local = value(rest, b"address=") == Some(b"local");
            is_local.then_some(QueueRecord { step: QueueStep::Notice, ..*record })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::header::LogLine;
    use crate::parse::mta;

    #[track_caller]
    fn says(text: &str, wanted: Option<(QueueStep, MessageFields)>) {
        let raw = format!("Nov 22 03:04:05 mx1 smtpd[9]: 8f4864084ecc48f4 {text}");
        match (mta::read(&LogLine::read(raw.as_bytes())), wanted) {
            (ParsedLine::QueueRecord(record), Some((step, context))) => {
                assert_eq!((record.step, record.queue_id.get(..8)), (step, Some(&b"7077717e"[..])), "{text}");
                assert_eq!(mta::message_fields(&record), context, "{text}");
            }
            (reading, wanted) => {
                assert!(reading == ParsedLine::Routine && wanted.is_none(), "{text}: {reading:?}");
            }
        }
    }

    #[test]
    fn tells_who_a_message_is_from() {
        let none = MessageFields::default();
        let came = MessageFields { size: Some(407), recipients: Some(1), ..none };
        says("smtp message msgid=7077717e size=407 nrcpt=1 proto=ESMTP", Some((QueueStep::Received, came)));
        let sender = Some(&b"a@example.org"[..]);
        says(
            "smtp event=message address=192.0.2.1 host=mx msgid=7077717e from=<a@example.org> \
            to=<b@example.com> size=407 ndest=1 proto=ESMTP",
            Some((QueueStep::Received, MessageFields { sender, client: Some(b"192.0.2.1"), ..came })),
        );
        says(
            "smtp envelope evpid=7077717e797a776e from=<a@example.org> to=<b@example.com>",
            Some((QueueStep::MessageIdAssigned, MessageFields { sender, ..none })),
        );
    }

    #[test]
    fn other_lines_are_no_facts() {
        for text in
            ["smtp connected address=192.0.2.1 host=mx", "smtp message msgid=x size=1", "mta connecting"]
        {
            says(text, None);
        }
    }
}
