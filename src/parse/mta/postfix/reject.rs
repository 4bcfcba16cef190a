//! Parses Postfix's reject lines, of smtpd, cleanup and postscreen (`NOQUEUE: reject: RCPT from mx[192.0.2.1]: 550 …`).

use super::daemon::Daemon;
use super::tail::RejectTail;
use super::{delivery, queue_record};
use crate::parse::mta::parsed::{ParsedLine, begins, peer, split_last, split_once, split_word};
use crate::parse::mta::queue_record::QueueStep;
use crate::smtp::event::{Direction, Event, Mta, Outcome, Peer, Stage};
use crate::smtp::reply::{EnhancedCode, Reply};

/// Parses lines of cleanup: those of [`smtpd`], and `to=<a@b>, relay=none, …, status=bounced (too many hops)`, with which it
/// returns a message that a local program submitted (postfix cleanup_bounce.c).
pub(crate) fn cleanup<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> ParsedLine<'a> {
    if text.starts_with(b"to=") {
        return delivery::result(Daemon::Error, queue_id, text);
    }
    smtpd(queue_id, text)
}

/// Whether smtpd or cleanup may have written the line of an unnamed daemon. `text` follows the queue id.
pub(crate) fn is_of_smtpd(text: &[u8]) -> bool {
    action(text).is_some()
        || begins(
            text,
            &[b"client=", b"message-id=", b"abort: TLS from ", b"improper command ", b"too many errors "],
        )
        || removal(text).is_some()
}

/// Parses lines of smtpd and cleanup: `QID: reject: RCPT from …`, `NOQUEUE: milter-reject: …`, `QID: hold: header …`.
pub(crate) fn smtpd<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> ParsedLine<'a> {
    if text.starts_with(b"message-id=") {
        return queue_record::record_of(queue_id, QueueStep::MessageIdAssigned, text);
    }
    if text.starts_with(b"client=") {
        return queue_record::record_of(queue_id, QueueStep::Received, text);
    }
    if let Some(step) = removal(text) {
        return queue_record::record_of(queue_id, step, text);
    }
    action_line(queue_id, text).or_else(|| session_refusal(queue_id, text)).unwrap_or(ParsedLine::Unread)
}

/// Parses `reject: RCPT from …` and the other actions. `None`: no action.
fn action_line<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<ParsedLine<'a>> {
    let (action, rest) = action(text)?;
    Some(match action {
        RejectAction::Event(outcome) => {
            action_event(queue_id, outcome, rest).map_or(ParsedLine::Unread, ParsedLine::Event)
        }
        RejectAction::Routine => ParsedLine::Routine,
    })
}

/// The end of a message that never got into the queue: `removed (canceled)`, and `removed (discarded)` after the client was
/// told that the message was accepted (postfix cleanup_api.c, since 3.10).
fn removal(text: &[u8]) -> Option<QueueStep> {
    match text {
        b"removed (canceled)" => Some(QueueStep::Canceled),
        b"removed (discarded)" => Some(QueueStep::Dropped),
        _ => None,
    }
}

/// Parses refusals that end a session, and that smtpd logs without a reply (postfix smtpd.c):
/// `abort: TLS from host[ip]: No client certificate presented` (421 4.7.1),
/// `improper command pipelining after EHLO from host[ip]: MAIL …` (554 5.5.0),
/// `too many errors after RCPT from host[ip]` (421 4.7.0).
fn session_refusal<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<ParsedLine<'a>> {
    let (stage, client) = match text.strip_prefix(b"abort: TLS from ") {
        Some(client) => (Some(Stage::StartTls), client),
        None => {
            const FORMS: [&[u8]; 2] = [b"improper command pipelining after ", b"too many errors after "];
            let rest = FORMS.iter().find_map(|form| text.strip_prefix(*form))?;
            let (place, client) = split_once(rest, b" from ")?;
            (stage(split_word(place).0), client)
        }
    };
    let (client, _) = peer(client)?;
    let event = reject_event(queue_id, Outcome::Rejected, stage, text, RejectTail::default());
    Some(ParsedLine::Event(Event { peer: client, code: None, enhanced: None, ..event }))
}

/// Parses lines of postscreen: `NOQUEUE: reject: RCPT from [192.0.2.1]:40693: 550 …; from=<a>, to=<b>, proto=ESMTP,
/// helo=<c>`. Lines about its tests are routine: only a reject is an answer to the client.
pub(crate) fn postscreen(text: &[u8]) -> ParsedLine<'_> {
    action_line(None, text).unwrap_or(ParsedLine::Unread)
}

/// How the action of a restriction, of header_checks or of a milter counts.
#[derive(Clone, Copy)]
enum RejectAction {
    Event(Outcome),
    Routine,
}

/// Splits `milter-reject: rest` into the action and the rest (postfix smtpd_check.c, cleanup_message.c, cleanup_milter.c).
/// `None`: not a known action.
fn action(text: &[u8]) -> Option<(RejectAction, &[u8])> {
    let (name, rest) = split_once(text.get(..32).unwrap_or(text), b": ")?;
    let rest = text.get(text.len().min(name.len() + 2)..).filter(|long| long.starts_with(rest))?;
    // milter_header_checks has the actions of header_checks.
    let action = match name.strip_prefix(b"milter-header-").unwrap_or(name) {
        b"reject" | b"milter-reject" | b"proxy-reject" => RejectAction::Event(Outcome::Rejected),
        b"reject_warning" | b"warn" => RejectAction::Event(Outcome::Warned),
        b"hold" | b"milter-hold" | b"quarantine" => RejectAction::Event(Outcome::Held),
        b"discard" | b"milter-discard" => RejectAction::Event(Outcome::Discarded),
        b"proxy-accept" | b"filter" | b"redirect" | b"bcc" | b"prepend" | b"replace" | b"permit"
        | b"info" | b"ignore" | b"strip" | b"delay" | b"milter-quarantine" | b"trigger" | b"pass" => {
            RejectAction::Routine
        }
        _ => return None,
    };
    Some((action, rest))
}

fn action_event<'a>(queue_id: Option<&'a [u8]>, outcome: Outcome, text: &'a [u8]) -> Option<Event<'a>> {
    let (place, rest) = split_word(text);
    if matches!(place, b"header" | b"body" | b"mime-error" | b"content" | b"mime-header" | b"nested-header") {
        return Some(content_event(queue_id, outcome, text));
    }
    // A line about the proxy's rejection shows no client: `proxy-reject: END-OF-MESSAGE: 554 …`.
    let (place, peer, words) = match place.strip_suffix(b":") {
        Some(place) => (place, Peer::default(), rest),
        None => {
            // `DATA content from …`: while the content was received.
            let rest = rest.strip_prefix(b"content ").unwrap_or(rest);
            let (peer, rest) = peer(rest.strip_prefix(b"from ")?)?;
            (place, peer, rest.strip_prefix(b":")?.trim_ascii_start())
        }
    };
    let (words, tail) = match stage(place) {
        // At HELO, the name is logged as the client wrote it (postfix smtpd.c, helo_cmd); no address is known then.
        Some(Stage::Ehlo) => {
            (split_once(words, b"; proto=").map_or(words, |(words, _)| words), RejectTail::default())
        }
        _ => RejectTail::split(words),
    };
    Some(Event { peer, ..reject_event(queue_id, outcome, stage(place), words, tail) })
}

/// Parses `header Subject: … from mx[ip]; from=<a> to=<b> proto=ESMTP helo=<c>: 5.7.1 text` (postfix cleanup_message.c).
/// The text behind the fields is this server's; the header before it is the sender's, and may contain anything.
pub(crate) fn content_event<'a>(queue_id: Option<&'a [u8]>, outcome: Outcome, text: &'a [u8]) -> Event<'a> {
    let (header, tail) = RejectTail::of_content(text);
    let (shown, client) = split_last(header, b" from ").unwrap_or((header, b""));
    let peer = peer(client).map(|(peer, _)| peer).unwrap_or_default();
    Event {
        peer,
        ..reject_event(queue_id, outcome, Some(Stage::EndOfData), tail.words.unwrap_or(shown), tail)
    }
}

/// The stage by Postfix's name of the command. `None`: a command without a stage.
fn stage(place: &[u8]) -> Option<Stage> {
    Some(match place {
        b"CONNECT" | b"connect" => Stage::Connect,
        b"EHLO" | b"HELO" | b"LHLO" => Stage::Ehlo,
        b"STARTTLS" => Stage::StartTls,
        b"AUTH" => Stage::Auth,
        b"MAIL" => Stage::Mail,
        b"RCPT" => Stage::Rcpt,
        b"DATA" => Stage::Data,
        b"BDAT" | b"END-OF-MESSAGE" | b"EOM" => Stage::EndOfData,
        _ => return None,
    })
}

pub(crate) fn reject_event<'a>(
    queue_id: Option<&'a [u8]>,
    outcome: Outcome,
    stage: Option<Stage>,
    words: &'a [u8],
    tail: RejectTail<'a>,
) -> Event<'a> {
    let reply = Reply::read(words);
    let bare = || EnhancedCode::read(words).map(|(code, _)| code);
    Event {
        queue_id,
        code: reply.map(|reply| reply.code),
        enhanced: reply.map_or_else(bare, |reply| reply.enhanced),
        stage,
        sender: tail.sender,
        recipient: tail.recipient,
        text: words,
        ..Event::new(Mta::Postfix, Direction::Inbound, outcome)
    }
}
