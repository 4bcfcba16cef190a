//! Parses what Postfix reports as its own trouble (`warning: …`, `fatal: …`): some warnings are the only line about a
//! refusal, and then none of them shows the reply.

use super::reject::{content_event, reject_event};
use super::tail::RejectTail;
use crate::parse::mta::parsed::{ParsedLine, begins, peer, split_last, split_once, split_word};
use crate::smtp::event::{Event, Outcome, Peer, Stage};

/// Splits `warning: text` into the severity and the text (postfix util/msg_syslog.c). `None`: the line reports no trouble
/// of Postfix itself.
pub(crate) fn own_trouble(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (severity, rest) = text.split_at_checked(match text.first()? {
        b'w' => 7,
        b'e' | b'f' | b'p' => 5,
        _ => return None,
    })?;
    let rest = rest.strip_prefix(b": ")?;
    matches!(severity, b"warning" | b"error" | b"fatal" | b"panic").then_some((severity, rest))
}

/// What a warning says about a refusal.
pub(crate) struct Refusal<'a> {
    stage: Option<Stage>,
    client: Peer<'a>,
    pub text: &'a [u8],
}

/// Parses a warning of smtpd, qmqpd or cleanup. `text` follows the queue id.
pub(crate) fn read<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> ParsedLine<'a> {
    // The action WARN shows a part of the message, which may look like any other warning.
    if matches!(split_word(text).0, b"header" | b"body" | b"mime-error" | b"content") {
        return if header_warning(text) {
            ParsedLine::Event(content_event(queue_id, Outcome::Warned, text))
        } else {
            ParsedLine::Routine
        };
    }
    let found = client_refusal(text)
        .or_else(|| login_failure(text))
        .or_else(|| limit_exceeded(text))
        .or_else(|| proxy_failure(text))
        .or_else(|| message_refusal(text));
    let Some(refusal) = found else { return ParsedLine::Routine };
    let event = reject_event(queue_id, Outcome::Rejected, refusal.stage, refusal.text, RejectTail::default());
    ParsedLine::Event(Event { peer: refusal.client, code: None, enhanced: None, ..event })
}

fn refused<'a>(stage: Option<Stage>, client: Peer<'a>, text: &'a [u8]) -> Refusal<'a> {
    Refusal { stage, client, text }
}

/// Parses `host[ip]: SASL LOGIN authentication failed: …, sasl_username=anna` and `… authentication aborted`
/// (postfix smtpd_sasl_glue.c).
pub(crate) fn login_failure(text: &[u8]) -> Option<Refusal<'_>> {
    let (client, rest) = peer(text)?;
    // In another warning, a client may have written the brackets.
    client.host.is_none_or(|host| !host.contains(&b' ')).then_some(())?;
    let words = rest.strip_prefix(b": ")?;
    let (_, result) = split_once(words.strip_prefix(b"SASL ")?, b" authentication ")?;
    begins(result, &[b"failed", b"aborted"]).then(|| refused(Some(Stage::Auth), client, words))
}

/// Parses `Connection rate limit exceeded: 31 from host[ip] for service smtpd` (postfix smtpd.c, smtpd_check.c).
fn limit_exceeded(text: &[u8]) -> Option<Refusal<'_>> {
    let (limit, rest) = split_once(text, b" limit exceeded: ")?;
    let is_name = limit.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b' ');
    let (_, client) = split_once(rest, b" from ").filter(|_| is_name)?;
    let stage = match limit {
        b"Connection rate" | b"Connection concurrency" => Some(Stage::Connect),
        b"Message delivery request rate" => Some(Stage::Mail),
        b"Recipient address rate" => Some(Stage::Rcpt),
        b"New TLS session rate" => Some(Stage::StartTls),
        b"AUTH command rate" => Some(Stage::Auth),
        _ => None,
    };
    Some(refused(stage, peer(client)?.0, text))
}

/// Parses refusals that name the client (postfix smtpd.c). The replies are in the comments.
fn client_refusal(text: &[u8]) -> Option<Refusal<'_>> {
    const FORMS: [(&[u8], Option<Stage>); 9] = [
        // 501 5.1.7 for a sender, 501 5.1.3 for a recipient
        (b"Illegal address syntax from ", None),
        // 221 2.7.0 Error: I can break rules, too. Goodbye.
        (b"non-SMTP command from ", None),
        // 454 4.7.0 Error: too many new TLS sessions
        (b"Refusing STARTTLS request from ", Some(Stage::StartTls)),
        (b"Refusing TLS service request from ", Some(Stage::StartTls)),
        (b"Wrapper-mode request dropped from ", Some(Stage::StartTls)),
        // 521 5.5.4 Syntax: BDAT count [LAST]
        (b"malformed BDAT command syntax from ", Some(Stage::EndOfData)),
        // 551 5.7.1 Null BDAT request
        (b"null BDAT request from ", Some(Stage::EndOfData)),
        // 552 5.3.4 Chunk exceeds message size limit
        (b"BDAT request from ", Some(Stage::EndOfData)),
        // 459 5.7.1 or 458; `reject: ETRN example.org... from host[ip]`
        (b"reject: ETRN ", None),
    ];
    let &(form, stage) = FORMS.iter().find(|(form, _)| text.starts_with(form))?;
    let rest = text.get(form.len()..)?;
    let name = if form.ends_with(b"ETRN ") { split_last(rest, b" from ")?.1 } else { rest };
    let (client, rest) = peer(name)?;
    let stage = stage.or_else(|| command_stage(rest));
    Some(refused(stage, client, text))
}

/// The stage of ` in RCPT command: <a@@b>`.
fn command_stage(text: &[u8]) -> Option<Stage> {
    match split_word(text.strip_prefix(b" in ")?).0 {
        b"MAIL" => Some(Stage::Mail),
        b"RCPT" => Some(Stage::Rcpt),
        _ => None,
    }
}

/// Parses the failures of a before-queue filter (postfix smtpd_proxy.c). The client gets 451 4.3.0, or the reply of the
/// filter to the command that smtpd passed on.
fn proxy_failure(text: &[u8]) -> Option<Refusal<'_>> {
    const FORMS: [&[u8]; 3] =
        [b"connect to proxy filter ", b"lost connection with proxy ", b"timeout talking to proxy "];
    if begins(text, &FORMS) {
        return Some(refused(None, Peer::default(), text));
    }
    // `proxy 127.0.0.1:10025 rejected "MAIL FROM:<a@b>": "550 no"`. A `proxy-reject:` line follows the end of the data.
    let (_, command) = split_once(text.strip_prefix(b"proxy ")?, b" rejected \"")?;
    let stage = match command {
        [b'.', b'"', ..] => return None,
        [b'M', b'A', b'I', b'L', ..] => Some(Stage::Mail),
        [b'R', b'C', b'P', b'T', ..] => Some(Stage::Rcpt),
        [b'D', b'A', b'T', b'A', ..] => Some(Stage::Data),
        _ => None,
    };
    Some(refused(stage, Peer::default(), text))
}

/// Parses refusals of a message that already has a queue id, of cleanup and smtpd: a lookup table that fails or nests (451 4.3.0),
/// too many Received: headers (554 5.4.0), a message that is too large (552 5.3.4), a queue file that cannot be written
/// (451 4.3.0); see postfix cleanup_map11.c, cleanup_message.c, cleanup_out.c and the codes in global/cleanup_strerror.c.
fn message_refusal(text: &[u8]) -> Option<Refusal<'_>> {
    let is_about_map = || {
        begins(text, &[b"unreasonable ", b"multi-valued "])
            || text.split(|&byte| byte == b' ').skip(1).take(3).eq([&b"map"[..], b"lookup", b"problem"])
    };
    let is_refusal = text.ends_with(b" -- message not accepted, try again later") && is_about_map()
        || text == b"message not accepted, try again later"
        || begins(text, &[b"message rejected: ", b"queue file size limit exceeded", b"write queue file: "]);
    is_refusal.then(|| refused(Some(Stage::EndOfData), Peer::default(), text))
}

/// Whether the line is of the action WARN: `header Subject: … from host[ip]; from=<a@b> to=<c@d> …` (postfix
/// cleanup_message.c).
fn header_warning(text: &[u8]) -> bool {
    split_once(text, b"; from=<").is_some()
}

/// How the line of an event repeats the refusal of a line before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Repetition {
    /// It has the same text.
    SameText,
    /// A warning before it says why the filter gave no reply.
    AfterWarning,
}

/// Whether the line may repeat a refusal. cleanup warns for each Received: header beyond the limit if the message comes from
/// pickup. Both smtpd and cleanup may warn that a message is too large. smtpd warns that the connection to its filter is
/// lost, and then shows the reply that it made up itself,
/// `proxy-reject: END-OF-MESSAGE: 451 4.3.0 Error: queue file write error`.
pub(crate) fn repetition(text: &[u8]) -> Option<Repetition> {
    let of_message = [&b": message rejected: hopcount exceeded"[..], b": queue file size limit exceeded"];
    // Without a queue id, the same text may be about another message.
    if of_message.iter().any(|end| text.ends_with(end)) && split_once(text, b"NOQUEUE: ").is_none() {
        return Some(Repetition::SameText);
    }
    is_made_up_reply(text).then_some(Repetition::AfterWarning)
}

fn is_made_up_reply(text: &[u8]) -> bool {
    split_once(text.get(..40).unwrap_or(text), b"proxy-reject: ").is_some()
        && split_once(text, b": 451 4.3.0 Error: queue file write error").is_some()
}

/// How an earlier line counts for a line that may repeat a refusal: 1 if it reports the refusal, -1 if it repeats one itself.
pub(crate) fn reports_again(text: &[u8], earlier: &[u8]) -> i32 {
    match repetition(text) {
        Some(Repetition::SameText) => i32::from(earlier == text),
        Some(Repetition::AfterWarning) => announced_replies(earlier),
        None => 0,
    }
}

/// 1: the warning before a made-up reply. -1: such a reply.
fn announced_replies(earlier: &[u8]) -> i32 {
    match own_trouble(earlier) {
        Some((_, text)) => {
            i32::from(begins(text, &[b"lost connection with proxy ", b"timeout talking to proxy "]))
        }
        None => -i32::from(is_made_up_reply(earlier)),
    }
}
