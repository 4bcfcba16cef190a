//! Parses KumoMTA's log records, which [`mod@record`] makes lines of (`Bounce id=… from=<a@b> to=<c@d> … response=550 5.1.1 no`).
//!
//! May use: the shared parts of parse/mta, the header, smtp; no other server's folder.

pub(crate) mod record;

use super::parsed::{ParsedLine, address, split_last, split_once, split_word};
use super::queue_record::{MessageFields, QueueRecord, QueueStep, number};
use super::recipient_list::RecipientList;
use crate::parse::header::LogLine;
use crate::smtp::event::{Direction, Event, Mta, Outcome, Peer, Stage};
use crate::smtp::reply::{Class, Reply};

/// Whether KumoMTA wrote the line.
pub(crate) fn is_from(line: &LogLine) -> bool {
    line.program == b"kumod"
}

/// Parses a record, by its type (kumo-log-types, `RecordType`). A line of kumod's diagnostic log names its level instead.
pub(crate) fn read<'a>(line: &LogLine<'a>) -> ParsedLine<'a> {
    let (kind, rest) = split_word(line.text);
    let event = match kind {
        b"Delivery" => delivery(Outcome::Delivered, rest),
        b"TransientFailure" | b"Delayed" => delivery(Outcome::Deferred, rest),
        b"Bounce" | b"AdminBounce" => delivery(Outcome::Bounced, rest),
        b"Expiration" => delivery(Outcome::Expired, rest),
        // A notification from the other side about a message that it took: its id is that of the notification.
        b"OOB" => delivery(Outcome::Bounced, rest).map(|event| Event { queue_id: None, ..event }),
        b"Rejection" => rejection(rest),
        b"Reception" | b"XferIn" => return record(QueueStep::Received, rest),
        // Another node has the message, and logs what becomes of it.
        b"XferOut" => return record(QueueStep::Requeued, rest),
        b"Feedback" | b"AdminRebind" | b"DeferredInjectionRebind" => return ParsedLine::Routine,
        _ if is_diagnostic(line.text) => return ParsedLine::Routine,
        _ => None,
    };
    event.map_or(ParsedLine::Unread, ParsedLine::Event)
}

/// Whether it is a line of tracing, which kumod writes to its standard output: `2026-11-22T03:04:05Z  INFO kumod: x`.
fn is_diagnostic(text: &[u8]) -> bool {
    let mut words = text.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    words.by_ref().take(3).any(|word| matches!(word, b"ERROR" | b"WARN" | b"INFO" | b"DEBUG" | b"TRACE"))
}

fn record(step: QueueStep, text: &[u8]) -> ParsedLine<'_> {
    let record = |queue_id| {
        ParsedLine::QueueRecord(QueueRecord { mta: Mta::Kumomta, queue_id, step, text, login: None })
    };
    queue_id(text).map_or(ParsedLine::Unread, record)
}

/// The id of the message.
pub(crate) fn queue_id(text: &[u8]) -> Option<&[u8]> {
    value(text, b"id=")
}

/// The value of a field before `response=`. A value has no blank.
fn value<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let fields = split_once(text, b" response=").map_or(text, |(fields, _)| fields);
    // Addresses may contain anything, so the fields behind them are searched from the end.
    let rest = match text.strip_prefix(name) {
        Some(rest) => rest,
        None => split_last(fields, name).filter(|(before, _)| before.ends_with(b" "))?.1,
    };
    Some(split_word(rest).0)
}

fn named<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    split_once(text, name).and_then(|(_, rest)| address(rest)).map(|(address, _)| address)
}

/// The reply, the last field. Without a peer, and where its words say so, KumoMTA wrote it itself, and its code is nobody's.
fn response<'a>(text: &'a [u8], peer: &Peer) -> Option<(&'a [u8], Option<Reply>)> {
    let (_, words) = split_once(text, b" response=")?;
    let reply = Reply::read(words);
    let has_peer = peer.ip.is_some() || peer.host.is_some();
    if has_peer && split_once(words, b"KumoMTA internal: ").is_none() {
        return Some((words, reply));
    }
    // `551 5.4.7 Next delivery time 8d > 7d`
    let (_, own) = split_word(words);
    let own = match split_word(own) {
        (code, rest) if code.first().is_some_and(u8::is_ascii_digit) && code.contains(&b'.') => rest,
        _ => own,
    };
    Some((own, None))
}

/// Parses a record about a delivery.
fn delivery(outcome: Outcome, text: &[u8]) -> Option<Event<'_>> {
    let remote = !matches!(value(text, b"protocol="), Some(b"Maildir" | b"Lua"));
    let peer = peer(text);
    let (words, reply) = response(text, &peer)?;
    let class = match outcome {
        Outcome::Deferred => Some(Class::Transient),
        Outcome::Bounced | Outcome::Expired => Some(Class::Permanent),
        _ => None,
    };
    Some(Event {
        direction: if remote { Direction::Outbound } else { Direction::Local },
        outcome,
        queue_id: queue_id(text),
        code: reply.map(|reply| reply.code).filter(|_| remote),
        enhanced: reply.and_then(|reply| reply.enhanced).filter(|_| remote),
        hint: class,
        stage: reply.and_then(|_| stage(text)).filter(|_| remote && outcome != Outcome::Delivered),
        sender: named(text, b" from=<"),
        recipient: named(text, b" to=<"),
        peer,
        text: words,
        ..EMPTY_EVENT
    })
}

/// Parses the record of a reply 4yz or 5yz to a client.
fn rejection(text: &[u8]) -> Option<Event<'_>> {
    let (_, words) = split_once(text, b" response=")?;
    let reply = Reply::read(words);
    let known = |name: &'static [u8]| named(text, name).filter(|address| !address.is_empty());
    Some(Event {
        direction: Direction::Inbound,
        outcome: Outcome::Rejected,
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced),
        stage: stage(text),
        sender: known(b" from=<"),
        recipient: known(b" to=<"),
        peer: peer(text),
        text: words,
        ..EMPTY_EVENT
    })
}

/// The command that was answered. `None`: the record does not show it.
fn stage(text: &[u8]) -> Option<Stage> {
    match value(text, b"command=")? {
        b"EHLO" | b"HELO" | b"LHLO" => Some(Stage::Ehlo),
        b"STARTTLS" => Some(Stage::StartTls),
        b"AUTH" => Some(Stage::Auth),
        b"MAIL" => Some(Stage::Mail),
        b"RCPT" => Some(Stage::Rcpt),
        b"DATA" => Some(Stage::Data),
        b"." | b"BDAT" => Some(Stage::EndOfData),
        _ => None,
    }
}

/// Parses `host=mx.example.org addr=192.0.2.1:25`; the address of a server has a port, and a socket is a path.
fn peer(text: &[u8]) -> Peer<'_> {
    let host = value(text, b"host=");
    let Some(address) = value(text, b"addr=").filter(|address| !address.starts_with(b"/")) else {
        return Peer { host, ..Peer::default() };
    };
    let colons = memchr::memchr_iter(b':', address).count();
    let (ip, port) = match address.strip_prefix(b"[") {
        Some(rest) => split_once(rest, b"]").map_or((rest, None), |(ip, port)| (ip, port.strip_prefix(b":"))),
        None if colons == 1 => {
            split_once(address, b":").map_or((address, None), |(ip, port)| (ip, Some(port)))
        }
        None => (address, None),
    };
    let port = port.and_then(|port| std::str::from_utf8(port).ok()?.parse().ok());
    // A reporting server of which only the name is known.
    Peer { host, ip: Some(ip).filter(|ip| *ip != b"0.0.0.0"), port }
}

/// The recipients in `to=<a@b>,<c@d>` but the first.
pub(crate) fn other_recipients<'a>(event: &Event, line: &LogLine<'a>) -> RecipientList<'a> {
    let list = split_once(line.text, b" to=").filter(|_| event.recipient.is_some());
    let mut list = list.map_or_else(RecipientList::default, |(_, text)| RecipientList::new(text));
    list.next();
    list
}

pub(crate) fn message_fields<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    let text = record.text;
    let client = peer(text);
    MessageFields {
        sender: named(text, b" from=<"),
        size: value(text, b"size=").and_then(number),
        client: client.ip.or(client.host),
        client_host: client.ip.and(client.host),
        user: value(text, b"user="),
        message_id: value(text, b"msgid="),
        recipients: recipients(record),
        ..MessageFields::default()
    }
}

/// The number of recipients of the message.
pub(crate) fn recipients(record: &QueueRecord) -> Option<u32> {
    let (_, list) = split_once(record.text, b" to=").filter(|_| record.step == QueueStep::Received)?;
    u32::try_from(RecipientList::new(list).count()).ok().filter(|count| *count > 0)
}

/// The id in `250 OK ids=8a5475ccbbc611eda12250ebf67f93bd`.
pub(crate) fn accepted(reply: &[u8]) -> Option<&[u8]> {
    split_last(reply, b"OK ids=").map(|(_, id)| id)
}

const EMPTY_EVENT: Event = Event::new(Mta::Kumomta, Direction::Outbound, Outcome::Delivered);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::mta;
    use crate::parse::unwrap::unwrap_line;

    fn json(kind: &str, more: &str) -> String {
        format!(
            r#"{{"type":"{kind}","id":"1d98076abbbc11ed940250ebf67f93bd","sender":"a@example.org","recipient":"b@example.com",
            "queue":"example.com","site":"mx","size":1047,{more},"timestamp":1795316645,"created":1795316640,"num_attempts":1,
            "bounce_classification":"Uncategorized","meta":{{}},"headers":{{}},"nodeid":"557f3ad4-2c8c-11ee-976e-782d7e12e173"}}"#
        )
        .replace('\n', "")
    }

    const PEER: &str = r#""peer_address":{"name":"mx.example.com.","addr":"192.0.2.1:25"}"#;

    #[track_caller]
    fn reads(kind: &str, more: &str, want: &str) {
        let (raw, mut inside) = (json(kind, more), Vec::new());
        let line = LogLine::read(unwrap_line(raw.as_bytes(), &mut inside));
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let got = match mta::read(&line) {
            ParsedLine::Event(event) => {
                let code = event.code.map(|code| code.to_string()).unwrap_or_default();
                let (to, ip) = (text(event.recipient), text(event.peer.ip));
                let stage = event.stage.map(|stage| format!("{stage:?}")).unwrap_or_default();
                format!(
                    "{:?} {:?} {code} {to} {ip} {stage} {}",
                    event.direction,
                    event.outcome,
                    text(Some(event.text))
                )
            }
            ParsedLine::QueueRecord(record) => format!("{:?} {:?}", record.step, recipients(&record)),
            other => format!("{other:?}"),
        };
        assert_eq!(got, want, "{raw}");
        let MessageFields { sender, .. } = message_fields(&QueueRecord {
            mta: Mta::Kumomta,
            queue_id: b"",
            step: QueueStep::Received,
            text: line.text,
            login: None,
        });
        assert_eq!(sender, Some(&b"a@example.org"[..]), "{raw}");
    }

    #[test]
    fn reads_what_the_other_server_said() {
        let response = |code: u16, content: &str| {
            format!(
                r#"{PEER},"response":{{"code":{code},"enhanced_code":{{"class":5,"subject":1,"detail":1}},"content":"{content}","command":"RCPT TO:<b@example.com>\r\n"}}"#
            )
        };
        let from = "b@example.com 192.0.2.1";
        reads(
            "Bounce",
            &response(550, "no such user"),
            &format!("Outbound Bounced 550 {from} Rcpt 550 5.1.1 no such user"),
        );
        reads(
            "TransientFailure",
            &response(450, "later"),
            &format!("Outbound Deferred 450 {from} Rcpt 450 5.1.1 later"),
        );
        let taken =
            format!(r#"{PEER},"response":{{"code":250,"enhanced_code":null,"content":"OK","command":"."}}"#);
        reads("Delivery", &taken, &format!("Outbound Delivered 250 {from}  250 OK"));
        reads("Rejection", &response(550, "x"), &format!("Inbound Rejected 550 {from} Rcpt 550 5.1.1 x"));
    }

    #[test]
    fn takes_no_code_of_its_own_for_a_reply() {
        let own = |code: u16, content: &str| {
            format!(
                r#""peer_address":null,"response":{{"code":{code},"enhanced_code":{{"class":5,"subject":4,"detail":7}},"content":"{content}","command":null}}"#
            )
        };
        reads(
            "Expiration",
            &own(551, "Next delivery time 8d > 7d"),
            "Outbound Expired  b@example.com   Next delivery time 8d > 7d",
        );
        reads("AdminBounce", &own(551, "by admin"), "Outbound Bounced  b@example.com   by admin");
        reads(
            "Delayed",
            &own(451, "KumoMTA internal: x"),
            "Outbound Deferred  b@example.com   KumoMTA internal: x",
        );
    }

    #[test]
    fn follows_messages() {
        let none = r#""response":{"code":250,"content":"","command":null}"#;
        reads("Reception", &format!("{PEER},{none}"), "Received Some(1)");
        reads("XferOut", none, "Requeued None");
        reads("Feedback", none, "Routine");
        reads("AdminRebind", none, "Routine");
        reads("Invented", none, "Unread");
    }

    #[test]
    fn one_record_may_have_several_recipients() {
        let more = r#""response":{"code":250,"content":"OK","command":null}"#;
        let raw = json("Delivery", &format!("{PEER},{more}"))
            .replace(r#""b@example.com""#, r#"["b@example.com","c@example.com"]"#);
        let mut inside = Vec::new();
        let line = LogLine::read(unwrap_line(raw.as_bytes(), &mut inside));
        let ParsedLine::Event(event) = mta::read(&line) else { panic!("{raw}") };
        let others: Vec<_> =
            mta::other_recipients(&event, &line).filter_map(|event| event.recipient).collect();
        assert_eq!((event.recipient, others), (Some(&b"b@example.com"[..]), vec![&b"c@example.com"[..]]));
    }

    #[test]
    fn takes_other_objects_for_nothing() {
        for raw in ["{}", r#"{"type":"Bounce"}"#, r#"{"bounce_classification":"x"}"#, "not json"] {
            let mut inside = Vec::new();
            assert_eq!(unwrap_line(raw.as_bytes(), &mut inside), raw.as_bytes());
        }
    }

    #[test]
    fn no_client_writes_fields_or_lines() {
        let more = r#""peer_address":{"name":"x addr=198.51.100.1","addr":"192.0.2.1"},"response":{"code":550,"content":"a\nb to=<x@example.net>","command":"DATA"}"#;
        let raw = json("Rejection", more).replace("b@example.com", r"b\n> to=<evil@example.net");
        let mut inside = Vec::new();
        let line = LogLine::read(unwrap_line(raw.as_bytes(), &mut inside));
        let ParsedLine::Event(event) = mta::read(&line) else { panic!("{raw}") };
        assert_eq!(event.peer, Peer { host: None, ip: Some(b"192.0.2.1"), port: None });
        assert_eq!(event.recipient, Some(&b"b?? to=?evil@example.net"[..]));
        assert!(!line.text.contains(&b'\n'));
    }
}
