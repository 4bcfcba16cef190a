//! Parses Sendmail's deliveries (`to=<a@b>,<c@d>, delay=…, mailer=esmtp, relay=mx. [192.0.2.1], dsn=2.0.0, stat=Sent (Ok)`).

use super::fields::{field, host};
use crate::parse::mta::parsed::{ParsedLine, begins, split_last, split_once};
use crate::parse::mta::queue_record::{QueueRecord, QueueStep};
use crate::parse::mta::recipient_list;
use crate::smtp::event::{Direction, Event, Mta, Outcome, Stage};
use crate::smtp::reply::{Class, EnhancedCode, Reply};

const EMPTY_EVENT: Event = Event::new(Mta::Sendmail, Direction::Outbound, Outcome::Delivered);

/// Parses `to=…`, the line of logdelivery() in deliver.c. A line without `mailer=` is no delivery: it lists the recipients
/// of a message that was not taken (logundelrcpts() in srvrsmtp.c), whose refusal has a line of its own.
pub(crate) fn read<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> ParsedLine<'a> {
    let Some((fields, stat)) = split_stat(text) else { return ParsedLine::Unread };
    let is_delivery = split_once(behind_addresses(fields), b", mailer=").is_some();
    let event = match stat {
        b"discarded" => recipient(text).map(|recipient| Event {
            direction: Direction::Local,
            outcome: Outcome::Discarded,
            recipient: Some(recipient),
            text: stat,
            ..EMPTY_EVENT
        }),
        // The line of the filter or the rule that holds the message is the event.
        b"quarantined" => {
            let held = |queue_id| QueueRecord {
                mta: Mta::Sendmail,
                queue_id,
                step: QueueStep::Held,
                text: fields,
                login: None,
            };
            return queue_id.map(held).map_or(ParsedLine::Routine, ParsedLine::QueueRecord);
        }
        // The error mailer of a table refuses for now.
        _ if stat.starts_with(b"queued")
            && field(behind_addresses(fields), b", mailer=") == Some(b"*error*") =>
        {
            delivery(text, fields, stat).map(|event| Event {
                outcome: Outcome::Deferred,
                hint: Some(Class::Transient),
                ..event
            })
        }
        _ if stat.starts_with(b"queued") => return ParsedLine::Routine,
        _ if !is_delivery && is_only_told_here(stat) => recipient(text).map(|recipient| Event {
            direction: Direction::Inbound,
            outcome: Outcome::Rejected,
            hint: Some(Class::Permanent),
            stage: Some(Stage::EndOfData),
            recipient: Some(recipient),
            text: stat,
            ..EMPTY_EVENT
        }),
        _ if !is_delivery && !is_result(stat) => return ParsedLine::Routine,
        _ => delivery(text, fields, stat),
    };
    event.map_or(ParsedLine::Unread, |event| ParsedLine::Event(Event { queue_id, ..event }))
}

fn recipient(text: &[u8]) -> Option<&[u8]> {
    recipient_list::first(text.strip_prefix(b"to=")?).map(|(recipient, _)| recipient)
}

/// Texts of collect.c about a message that no other line tells of.
fn is_only_told_here(stat: &[u8]) -> bool {
    begins(stat, &[b"Eight bit data not allowed", b"NUL byte not allowed", b"Out of disk space"])
}

/// Texts of a delivery: before 8.7, lines had no `mailer=`.
fn is_result(stat: &[u8]) -> bool {
    begins(stat, &[b"Sent", b"Deferred"])
}

/// Splits at `stat=`, the last field. A `reply=` before it is the other server's text, which may contain anything.
fn split_stat(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = behind_addresses(text);
    let (_, stat) = match split_once(rest, b", reply=") {
        None => split_once(rest, b", stat="),
        Some(_) => split_last(rest, b", stat="),
    }?;
    Some((text.get(..text.len() - stat.len() - b", stat=".len())?, stat))
}

/// The text from the comma on that ends the addresses of `to=<a@b>,<c@d>, ctladdr=<e@f> (8/0), delay=…`. A quoted local part
/// may look like the fields.
fn behind_addresses(text: &[u8]) -> &[u8] {
    let mut rest = text.strip_prefix(b"to=").unwrap_or(text);
    while let Some((_, behind)) = recipient_list::first(rest) {
        match behind {
            [b',', next, ..] if *next != b' ' => rest = behind.get(1..).unwrap_or_default(),
            _ => {
                rest = behind;
                break;
            }
        }
    }
    match rest.strip_prefix(b", ctladdr=").and_then(recipient_list::first) {
        Some((_, behind)) => behind,
        None => rest,
    }
}

/// The texts with which sendmail sums up a reply that it does not log (libsm/strexit.c), and the enhanced code that means the
/// same. usersmtp.c makes `User unknown` of every 550, 551 and 553 to RCPT, and `Service unavailable` of any other 5yz.
const SUMMARIES: [(&[u8], &[u8]); 4] = [
    (b"User unknown", b"5.1.1"),
    (b"Service unavailable", b""),
    (b"Data format error", b""),
    (b"Remote protocol error", b"5.5.0"),
];

/// Parses a delivery. `fields` is the text before `stat=`.
fn delivery<'a>(text: &'a [u8], fields: &'a [u8], stat: &'a [u8]) -> Option<Event<'a>> {
    let recipient = recipient(text)?;
    let fields = behind_addresses(fields);
    let (own, reply_text) = match split_once(fields, b", reply=") {
        Some((own, reply)) => (own, Some(reply)),
        None => (fields, None),
    };
    let dsn = split_once(own, b", dsn=").map(|(_, dsn)| dsn);
    let code = dsn.and_then(EnhancedCode::read).map(|(dsn, _)| dsn);
    let outcome = outcome(stat, code, reply_text.is_some());
    let words = stat.strip_prefix(b"Deferred: ").unwrap_or(stat);
    let peer = split_once(own, b", relay=").map(|(_, relay)| host(relay)).unwrap_or_default();
    let mailer = field(own, b", mailer=");
    // Other mailers that go to an address are SMTP or LMTP too.
    let remote =
        matches!(mailer, Some(b"esmtp" | b"smtp" | b"smtp8" | b"dsmtp" | b"relay")) || peer.ip.is_some();
    // What a mailer on this host says comes from Sendmail itself.
    let told = |text: &[u8]| Reply::read(text).filter(|_| remote && own_words(text).is_none());
    // The reply= of a deferral may belong to a later command, which only repeats that there is no recipient.
    let is_of_outcome = |reply: &Reply| match outcome {
        Outcome::Deferred => reply.code.class() == Class::Transient,
        _ => outcome == Outcome::Bounced,
    };
    let later = reply_text.filter(|text| told(text).as_ref().is_some_and(is_of_outcome));
    let reply = told(words).or_else(|| later.and_then(told));
    let summary = SUMMARIES.iter().find(|(summary, _)| remote && *summary == words);
    let text = match (told(words), later, summary, dsn) {
        (Some(_), ..) => words,
        (None, Some(later), ..) => later,
        _ if own_words(words).is_some() => own_words(words).unwrap_or(words),
        _ if reply_text.and_then(own_words).is_some() => reply_text.and_then(own_words).unwrap_or(words),
        // The enhanced code is the other server's, and says more than the summary.
        (None, None, Some((_, same)), Some(dsn)) if !dsn.starts_with(same) || same.is_empty() => {
            own.get(own.len() - dsn.len() - b"dsn=".len()..).unwrap_or(words)
        }
        (None, None, Some(_) | None, _) => words,
    };
    Some(Event {
        direction: if remote { Direction::Outbound } else { Direction::Local },
        outcome,
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced),
        dsn: code,
        stage: stage(words, mailer).filter(|_| remote),
        recipient: Some(recipient),
        peer,
        text,
        ..EMPTY_EVENT
    })
}

/// The words of a reply that Sendmail writes itself where none came (reply() in usersmtp.c):
/// `421 4.4.1 Connection reset by mx.example.org.`. `None`: the other server may have said it.
fn own_words(reply: &[u8]) -> Option<&[u8]> {
    let (_, words) = split_once(reply, b" ").filter(|_| Reply::read(reply).is_some())?;
    let words = EnhancedCode::read(words).map_or(words, |(_, rest)| rest.trim_ascii_start());
    begins(words, &OWN_REPLIES).then_some(words)
}

const OWN_REPLIES: [&[u8]; 5] = [
    b"Connection reset by ",
    b"Connection timed out with ",
    b"Connection refused by ",
    b"Connection closed by ",
    b"reply: read error from ",
];

/// `dsn=` decides, since markfailure() in deliver.c keeps mail in the queue after `Operating system error` and the like.
fn outcome(stat: &[u8], dsn: Option<EnhancedCode>, has_reply: bool) -> Outcome {
    match dsn.map(EnhancedCode::class) {
        // A line with a reply is about a failure, whatever words follow.
        _ if stat.starts_with(b"Sent") && !has_reply => Outcome::Delivered,
        _ if stat.starts_with(b"Deferred") => Outcome::Deferred,
        Some(Class::Transient) => Outcome::Deferred,
        None if begins(stat, &[b"Operating system error", b"I/O error"]) => Outcome::Deferred,
        None | Some(Class::Permanent | Class::Positive | Class::Intermediate) => Outcome::Bounced,
    }
}

/// The command that failed, where the text tells it.
fn stage(words: &[u8], mailer: Option<&[u8]>) -> Option<Stage> {
    let unreachable = [&b": No route to host"[..], b": Network is unreachable", b": Host is down"];
    if begins(words, &[b"Connection ", b"No route to host", b"Network is ", b"Host is "])
        || unreachable.iter().any(|end| words.ends_with(end))
    {
        return Some(Stage::Connect);
    }
    // usersmtp.c gives this text to a 501 or 553 after MAIL.
    if words == b"Data format error" {
        return Some(Stage::Mail);
    }
    // The mailer `relay` goes to the smart host, whose name is not found; the recipient's domain was not asked for.
    (mailer == Some(b"relay") && words.starts_with(b"Host unknown")).then_some(Stage::Connect)
}
