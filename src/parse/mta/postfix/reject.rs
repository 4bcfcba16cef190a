//! Parses Postfix's reject lines, of smtpd, cleanup and postscreen (`NOQUEUE: reject: RCPT from mx[192.0.2.1]: 550 …`).

use super::queue_record;
use crate::parse::mta::parsed::{ParsedLine, address, begins, peer, split_last, split_once, split_word};
use crate::parse::mta::queue_record::QueueStep;
use crate::smtp::event::{Direction, Event, Mta, Outcome, Peer, Stage};
use crate::smtp::reply::{EnhancedCode, Reply};

/// Parses lines of smtpd and cleanup: `QID: reject: RCPT from …`, `NOQUEUE: milter-reject: …`, `QID: hold: header …`.
pub(crate) fn smtpd<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> ParsedLine<'a> {
    if text.starts_with(b"message-id=") {
        return queue_record::record_of(queue_id, QueueStep::MessageIdAssigned, text);
    }
    if text.starts_with(b"client=") {
        return queue_record::record_of(queue_id, QueueStep::Received, text);
    }
    if let Some(text) = text.strip_prefix(b"warning: ") {
        return warning(queue_id, text);
    }
    match action(text) {
        Some((RejectAction::Event(outcome), rest)) => match reject_event(queue_id, outcome, rest) {
            Some(event) => ParsedLine::Event(event),
            None => ParsedLine::Unread,
        },
        Some((RejectAction::Routine, _)) => ParsedLine::Routine,
        None if begins(text, &ROUTINE) => ParsedLine::Routine,
        None => ParsedLine::Unread,
    }
}

/// Parses lines of postscreen: `NOQUEUE: reject: RCPT from [192.0.2.1]:40693: 550 …; from=<a>, to=<b>, proto=ESMTP,
/// helo=<c>`. Lines about its tests are routine: only a reject is an answer to the client.
pub(crate) fn postscreen(text: &[u8]) -> ParsedLine<'_> {
    match action(text) {
        Some((RejectAction::Event(outcome), rest)) => match reject_event(None, outcome, rest) {
            Some(event) => ParsedLine::Event(event),
            None => ParsedLine::Unread,
        },
        _ => ParsedLine::Routine,
    }
}

/// Whether the line is about a session: `connect from host[ip]`, `disconnect from …`. Half of the lines of a busy smtpd are.
pub(crate) fn is_session(text: &[u8]) -> bool {
    match text.first() {
        Some(b'c') => text.starts_with(b"connect from "),
        Some(b'd') => text.starts_with(b"disconnect from "),
        Some(b'l') => text.starts_with(b"lost connection after "),
        Some(b'A') => text.starts_with(b"Anonymous TLS connection "),
        Some(b'U') => text.starts_with(b"Untrusted TLS connection "),
        _ => false,
    }
}

/// Beginnings of the other lines of smtpd and cleanup.
const ROUTINE: [&[u8]; 27] = [
    b"discarding EHLO keywords",
    b"lost connection after ",
    b"timeout after ",
    b"too many errors after ",
    b"improper command pipelining after ",
    b"lost connection with ",
    b"Anonymous TLS connection",
    b"Untrusted TLS connection",
    b"Trusted TLS connection",
    b"Verified TLS connection",
    b"setting up TLS connection",
    b"initializing the server-side TLS engine",
    b"SSL_accept error",
    b"SSL_accept:",
    b"SSL3 ",
    b"TLS SNI ",
    b"resent-message-id=",
    b"fatal: ",
    b"error: ",
    b"panic: ",
    b"statistics: ",
    b"proxymap ",
    b"table ",
    b"to=<",
    b"> ",
    b"< ",
    b"milter ",
];

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

fn reject_event<'a>(queue_id: Option<&'a [u8]>, outcome: Outcome, text: &'a [u8]) -> Option<Event<'a>> {
    let (place, rest) = split_word(text);
    if matches!(place, b"header" | b"body" | b"mime-error" | b"content" | b"mime-header" | b"nested-header") {
        return Some(content_event(queue_id, outcome, text));
    }
    // A line about the proxy's rejection shows no client: `proxy-reject: END-OF-MESSAGE: 554 …`.
    let (place, peer, words) = match place.strip_suffix(b":") {
        Some(place) => (place, Peer::default(), rest),
        None => {
            let (peer, rest) = peer(rest.strip_prefix(b"from ")?)?;
            (place, peer, rest.strip_prefix(b":")?.trim_ascii_start())
        }
    };
    let (words, tail) = RejectTail::split(words);
    Some(Event { peer, ..event(queue_id, outcome, stage(place), words, tail) })
}

/// Parses `header Subject: … from mx[ip]; from=<a> to=<b> proto=ESMTP helo=<c>: 5.7.1 text` (postfix cleanup_message.c).
/// The text behind the tail is this server's; the header before it is the sender's, and may contain anything.
fn content_event<'a>(queue_id: Option<&'a [u8]>, outcome: Outcome, text: &'a [u8]) -> Event<'a> {
    let (header, tail) = split_last(text, b"; from=<").unwrap_or((text, b""));
    let tail = RejectTail::read(tail, b"from=<").unwrap_or_default();
    let (shown, client) = split_last(header, b" from ").unwrap_or((header, b""));
    let peer = peer(client).map(|(peer, _)| peer).unwrap_or_default();
    Event { peer, ..event(queue_id, outcome, Some(Stage::EndOfData), tail.words.unwrap_or(shown), tail) }
}

/// Parses a warning. Some rejections are logged only as warnings, without a code.
fn warning<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> ParsedLine<'a> {
    let found = login_failure(text)
        .or_else(|| limit_exceeded(text))
        .or_else(|| etrn_reject(text))
        .or_else(|| header_warning(text));
    let Some((outcome, stage, client, words)) = found else { return ParsedLine::Routine };
    let tail = RejectTail::split(words).1;
    let event = event(queue_id, outcome, stage, words, tail);
    ParsedLine::Event(Event { peer: client, code: None, enhanced: None, ..event })
}

/// Outcome, stage, client and text of a warning.
type WarningParts<'a> = (Outcome, Option<Stage>, Peer<'a>, &'a [u8]);

/// Parses `host[ip]: SASL LOGIN authentication failed: …` (postfix smtpd_sasl_glue.c).
fn login_failure(text: &[u8]) -> Option<WarningParts<'_>> {
    let (client, rest) = peer(text)?;
    let words = rest.strip_prefix(b": ")?;
    split_once(words.strip_prefix(b"SASL ")?, b" authentication failed")?;
    Some((Outcome::Rejected, Some(Stage::Auth), client, words))
}

/// Parses `Connection rate limit exceeded: 31 from host[ip] for service smtpd` (postfix smtpd.c, smtpd_check.c).
fn limit_exceeded(text: &[u8]) -> Option<WarningParts<'_>> {
    let (limit, rest) = split_once(text, b" limit exceeded: ")?;
    let (_, client) = split_once(rest, b" from ")?;
    let stage = match limit {
        b"Connection rate" | b"Connection concurrency" => Some(Stage::Connect),
        b"Message delivery request rate" => Some(Stage::Mail),
        b"Recipient address rate" => Some(Stage::Rcpt),
        b"New TLS session rate" => Some(Stage::StartTls),
        b"AUTH command rate" => Some(Stage::Auth),
        _ => None,
    };
    Some((Outcome::Rejected, stage, peer(client)?.0, text))
}

/// Parses `reject: ETRN example.org... from host[ip]` (postfix smtpd_check.c).
fn etrn_reject(text: &[u8]) -> Option<WarningParts<'_>> {
    let (_, client) = split_last(text.strip_prefix(b"reject: ")?, b" from ")?;
    Some((Outcome::Rejected, None, peer(client)?.0, text))
}

/// Parses the action WARN: `header Subject: … from host[ip]; from=<a> to=<b> …` (postfix cleanup_message.c).
fn header_warning(text: &[u8]) -> Option<WarningParts<'_>> {
    if !matches!(split_word(text).0, b"header" | b"body" | b"mime-error") {
        return None;
    }
    let (header, _) = split_last(text, b"; from=<")?;
    let (_, client) = split_last(header, b" from ")?;
    Some((
        Outcome::Warned,
        Some(Stage::EndOfData),
        peer(client).map(|(peer, _)| peer).unwrap_or_default(),
        text,
    ))
}

/// The stage by Postfix's name of the command. `None`: a command without a stage.
fn stage(place: &[u8]) -> Option<Stage> {
    Some(match place {
        b"CONNECT" => Stage::Connect,
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

fn event<'a>(
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

/// The fields of a tail, in their order.
const FIELDS: [&[u8]; 4] = [b"from=<", b"to=<", b"proto=", b"helo=<"];

/// The tail of a reject line, `from=<a> to=<b> proto=ESMTP helo=<c>` (postfix smtpd_check.c, log_whatsup). postscreen
/// separates the fields by commas.
#[derive(Clone, Copy, Default, Debug)]
struct RejectTail<'a> {
    sender: Option<&'a [u8]>,
    recipient: Option<&'a [u8]>,
    /// The text that cleanup writes behind the tail.
    words: Option<&'a [u8]>,
}

impl<'a> RejectTail<'a> {
    /// Splits the reply from the tail. The reply repeats what the client sent, which may contain `; from=<`, so the tail
    /// begins at the first `;` from which all fields parse up to the end of the line.
    fn split(text: &'a [u8]) -> (&'a [u8], Self) {
        let mut last = None;
        for at in memchr::memchr_iter(b';', text) {
            let (words, rest) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
            let rest = rest.strip_prefix(b" ").unwrap_or_default();
            let Some(first) = [&b"from=<"[..], b"to=<", b"proto="].into_iter().find(|f| rest.starts_with(f))
            else {
                continue;
            };
            if let Some(tail) = Self::read(rest.get(first.len()..).unwrap_or_default(), first) {
                return (words, tail);
            }
            last = Some((words, rest));
        }
        // Truncated by syslog: use the fields behind the last candidate.
        match last {
            Some((words, rest)) => (words, Self::truncated(rest)),
            None => (text, Self::default()),
        }
    }

    /// Parses the fields behind `first`, which was removed. `None`: they do not reach the end of the line.
    fn read(mut rest: &'a [u8], first: &[u8]) -> Option<Self> {
        let mut tail = Self::default();
        let mut field = first;
        loop {
            match field {
                b"from=<" | b"to=<" => {
                    let (address, after) = address(rest)?;
                    *(if field == b"to=<" { &mut tail.recipient } else { &mut tail.sender }) = Some(address);
                    rest = after;
                }
                b"proto=" => {
                    rest = rest.get(rest.iter().take_while(|b| b.is_ascii_alphanumeric()).count()..)?;
                }
                b"helo=<" => return tail.end(rest),
                _ => return None,
            }
            rest = match rest {
                [] => return Some(tail),
                [b':', b' ', words @ ..] => {
                    tail.words = Some(words);
                    return Some(tail);
                }
                [b',', b' ', rest @ ..] | [b' ', rest @ ..] => rest,
                _ => return None,
            };
            if rest.starts_with(b"sasl_") {
                return Some(tail);
            }
            let place = FIELDS.iter().position(|known| *known == field)?;
            // Each field occurs at most once, and in this order.
            field = FIELDS.into_iter().skip(place + 1).find(|field| rest.starts_with(field))?;
            rest = rest.get(field.len()..)?;
        }
    }

    /// Parses `helo=<name>`, the last field; `sasl_` fields or the text of cleanup may follow. A HELO name has no blanks.
    fn end(self, rest: &'a [u8]) -> Option<Self> {
        let (name, words) = match split_once(rest, b">: ") {
            Some((name, words)) => (name, Some(words)),
            None => (
                split_once(rest, b"> sasl_").map(|(name, _)| name).or_else(|| rest.strip_suffix(b">"))?,
                None,
            ),
        };
        (!name.contains(&b' ')).then_some(Self { words, ..self })
    }

    fn truncated(rest: &'a [u8]) -> Self {
        let field = |name: &[u8]| {
            split_once(rest, name).and_then(|(_, rest)| address(rest)).map(|(address, _)| address)
        };
        Self { sender: field(b"from=<"), recipient: field(b"to=<"), words: None }
    }
}
