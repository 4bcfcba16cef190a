//! Parses Postfix's lines, by the daemon that wrote them (`4jXCsJ3c7Hz7j9M: to=<a@b>, …, status=sent (250 Ok)`).
//!
//! May use: the shared parts of parse/mta, the header, simd, smtp; no other server's folder.

pub(crate) mod daemon;
pub(crate) mod delivery;
pub(crate) mod filter;
pub(crate) mod line_kind;
pub(crate) mod queue_record;
pub(crate) mod reject;
pub(crate) mod reply_text;
pub(crate) mod routine;
pub(crate) mod tail;
pub(crate) mod verbose;
pub(crate) mod warning;

use self::daemon::Daemon;
use self::line_kind::{LineKind, line_kind};
use self::routine::is_routine;
use self::warning::own_trouble;
use super::delay::Phases;
use super::parsed::{ParsedLine, address, begins, split_last, split_once, split_word};
use super::queue_record::{MessageFields, QueueRecord, QueueStep};
use super::related_id::{Relation, forwarded_to, id};
use crate::simd::ascii::alphanumeric_mask;
use crate::simd::{bytes_eq, eq_mask16};
use crate::smtp::event::Event;

/// Parses the text of a line. Common lines are recognized by a table lookup, others by [`read_any`].
pub(crate) fn read(daemon: Daemon, text: &[u8]) -> ParsedLine<'_> {
    let Some(LeadingId { queue_id, has_id, rest }) = leading_id(text) else { return read_any(daemon, text) };
    match line_kind(daemon, has_id, rest) {
        LineKind::Routine => ParsedLine::Routine,
        LineKind::Client if rest.starts_with(b"client=") => {
            queue_record::record_of(queue_id, QueueStep::Received, rest)
        }
        LineKind::MessageId if rest.starts_with(b"message-id=") => {
            queue_record::record_of(queue_id, QueueStep::MessageIdAssigned, rest)
        }
        LineKind::Queue => delivery::qmgr(queue_id, rest),
        LineKind::Delivery => delivery::result(daemon, queue_id, rest),
        LineKind::Client | LineKind::MessageId | LineKind::Other => read_any(daemon, text),
    }
}

/// Parses any line, from its beginning.
#[inline(never)]
fn read_any(daemon: Daemon, text: &[u8]) -> ParsedLine<'_> {
    let (queue_id, rest) = queue_id(text);
    let reader = if daemon == Daemon::Unnamed { guess_daemon(rest) } else { daemon };
    if let Some((_, words)) = own_trouble(rest) {
        return match reader {
            Daemon::Smtpd | Daemon::Cleanup => {
                // `warning: 4XYZ: message rejected: …`; the action WARN is `4XYZ: warning: header …`.
                let (inner_id, words) = self::queue_id(words);
                warning::read(queue_id.or(inner_id), words)
            }
            Daemon::Client
            | Daemon::Local
            | Daemon::Error
            | Daemon::Discard
            | Daemon::Qmgr
            | Daemon::Postscreen
            | Daemon::Pickup
            | Daemon::Postsuper
            | Daemon::Bounce
            | Daemon::Quiet
            | Daemon::Postlog
            | Daemon::Unnamed => ParsedLine::Routine,
            Daemon::MailScanner | Daemon::PmgFilter => ParsedLine::Foreign,
        };
    }
    let parsed = match reader {
        Daemon::Client => delivery::client(queue_id, rest),
        Daemon::Local | Daemon::Error | Daemon::Discard => delivery::delivery_agent(reader, queue_id, rest),
        Daemon::Qmgr => delivery::qmgr(queue_id, rest),
        Daemon::Smtpd => reject::smtpd(queue_id, rest),
        Daemon::Cleanup => reject::cleanup(queue_id, rest),
        Daemon::Postscreen => reject::postscreen(rest),
        Daemon::Pickup => queue_record::pickup(queue_id, rest),
        Daemon::Postsuper => queue_record::postsuper(queue_id, rest),
        Daemon::Bounce => queue_record::bounce(rest),
        Daemon::MailScanner => filter::mail_scanner(text),
        Daemon::PmgFilter => filter::pmg(text),
        Daemon::Quiet | Daemon::Postlog | Daemon::Unnamed => ParsedLine::Unread,
    };
    match parsed {
        // `TLSRPT: …` looks like a queue id.
        ParsedLine::Unread if is_routine(daemon, rest) || rest != text && is_routine(daemon, text) => {
            ParsedLine::Routine
        }
        parsed => parsed,
    }
}

/// The name of the user who logged in, or tried to: `sasl_username=anna` of a rejection or a login failure. `None`: the line
/// names nobody.
pub(crate) fn login(text: &[u8]) -> Option<&[u8]> {
    // In a login failure, only the name follows this server's words (postfix smtpd_sasl_glue.c).
    if let Some((_, warning)) = own_trouble(queue_id(text).1) {
        let words = warning::login_failure(warning)?.text;
        let (_, result) = split_once(words, b" authentication failed: ")?;
        return split_once(result, b", sasl_username=").and_then(|(_, user)| known_user(user));
    }
    // In a rejection, the login follows the HELO name, which has no blank (postfix smtpd.c, smtpd_check.c). Addresses and
    // the reply may contain anything.
    let (_, rest) = split_last(text, b" helo=<")?;
    let (_, rest) = split_once(rest, b"> ").filter(|(name, _)| !name.contains(&b' '))?;
    let rest = rest.strip_prefix(b"sasl_method=").map_or(rest, |rest| split_word(rest).1);
    let user = rest.strip_prefix(b"sasl_username=")?;
    let user = split_last(user, b" sasl_sender=").map_or(user, |(user, _)| user);
    // `<anna>` in a proxy-reject
    known_user(user.strip_prefix(b"<").and_then(|user| user.strip_suffix(b">")).unwrap_or(user))
}

fn known_user(user: &[u8]) -> Option<&[u8]> {
    Some(user).filter(|user| !user.is_empty() && user != b"(unavailable)")
}

pub(crate) fn message_fields<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    queue_record::message_fields(record)
}

pub(crate) fn origin<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    queue_record::origin(record)
}

/// The durations of a delivery, in milliseconds. `None`: another event.
pub(crate) fn delays(event: &Event) -> Option<Phases> {
    delivery::delays(event.durations)
}

/// The number of recipients. `None`: not a line of the queue manager, or a truncated one.
pub(crate) fn recipients(record: &QueueRecord) -> Option<u32> {
    (record.step == QueueStep::Queued).then(|| queue_record::recipients(record.text)).flatten()
}

/// The instance: `postfix` of `postfix/submission/smtpd`, `postfix-out` of `postfix-out/smtp`.
/// MailScanner works on the queue of the instance `postfix`.
pub(crate) fn queue_scope(program: &[u8]) -> &[u8] {
    if program == b"MailScanner" {
        return b"postfix";
    }
    let end = program.iter().position(|&byte| byte == b'/').unwrap_or(program.len());
    program.get(..end).unwrap_or_default()
}

#[inline]
pub(crate) fn is_in_queue_scope(program: &[u8], scope: &[u8]) -> bool {
    program
        .split_at_checked(scope.len())
        .is_some_and(|(own, rest)| bytes_eq(own, scope) && matches!(rest, [] | [b'/', ..]))
        || program == b"MailScanner" && scope == b"postfix"
}

/// The address before aliases: `c` in `to=<a@b>, orig_to=<c>, …`.
pub(crate) fn original_recipient(text: &[u8]) -> Option<&[u8]> {
    let (_, rest) = split_once(text.strip_prefix(b"to=<")?, b", orig_to=<")?;
    address(rest).map(|(original, _)| original)
}

/// The HELO name: `c` in `NOQUEUE: reject: RCPT from mx[192.0.2.1]: …; from=<a> to=<b> proto=ESMTP helo=<c>`.
pub(crate) fn helo(text: &[u8]) -> Option<&[u8]> {
    let (_, rest) = split_last(text, b" helo=<")?;
    rest.get(..memchr::memchr(b'>', rest)?)
}

/// The text from the queue id on: `4XYZ` in `250 2.0.0 Ok: queued as 4XYZ`.
pub(crate) fn accepted(reply: &[u8]) -> Option<&[u8]> {
    split_last(reply, b"queued as ").map(|(_, rest)| rest).or_else(|| filter::taken_by_pmg(reply))
}

/// The queue id of a line of any writer, and the text behind it.
pub(crate) fn message_id_of(daemon: Daemon, text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let filter = match daemon {
        Daemon::MailScanner => filter::requeue(text),
        Daemon::PmgFilter => filter::accepted_by_pmg(text),
        Daemon::Client
        | Daemon::Local
        | Daemon::Error
        | Daemon::Discard
        | Daemon::Qmgr
        | Daemon::Smtpd
        | Daemon::Postscreen
        | Daemon::Cleanup
        | Daemon::Pickup
        | Daemon::Postsuper
        | Daemon::Bounce
        | Daemon::Quiet
        | Daemon::Postlog
        | Daemon::Unnamed => return message_queue_id(text),
    };
    filter.map_or((None, text), |(id, rest)| (Some(id), rest))
}

/// The queue id of a line of Postfix, which stands behind the severity in a warning: `warning: 4XYZ: message rejected: …`.
fn message_queue_id(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let (id, rest) = queue_id(own_trouble(text).map_or(text, |(_, words)| words));
    if id.is_some() { (id, rest) } else { queue_id(text) }
}

/// The message that a line names, from the forms below. `None`: it names none.
pub(crate) fn related_queue_id(text: &[u8]) -> Option<(Relation, &[u8])> {
    if text.starts_with(b"to=<") {
        let by_pmg = || split_last(text, b"status=sent (250 2.5.0 OK (").and_then(|(_, rest)| id(rest));
        return forwarded_to(text).or_else(|| by_pmg().map(|id| (Relation::ForwardedTo, id)));
    }
    // `client=localhost[127.0.0.1], orig_queue_id=F2A59DC171, orig_client=…` (postfix smtpd.c);
    // `uid=0 from=<a@b> orig_id=F2A59DC171` (postfix pickup.c)
    // `sender non-delivery notification: F2A59DC171` (postfix bounce_notify_service.c and its neighbours)
    let (relation, found) = if text.starts_with(b"client=") {
        (Relation::MadeFrom, split_once(text, b", orig_queue_id="))
    } else if text.starts_with(b"uid=") {
        (Relation::MadeFrom, split_last(text, b" orig_id="))
    } else if text.starts_with(b"sender ") || text.starts_with(b"postmaster ") {
        (Relation::NotifiedBy, split_once(text, b" notification: "))
    } else {
        return filter::related_queue_id(text);
    };
    found.and_then(|(_, rest)| id(rest)).map(|id| (relation, id))
}

/// Splits `4jXCsJ3c7Hz7j9M: rest` and `NOQUEUE: rest`. A short queue id is upper-case hex digits, a long one digits and
/// consonants (postfix global/mail_queue.h); both have at least five. Anonymized logs have other letters too, so only
/// lower-case vowels, which ordinary words have, are excluded.
pub(crate) fn queue_id(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let in_id = |&&byte: &&u8| IN_ID.get(usize::from(byte)) == Some(&true);
    // Nearly all ids fit into 16 bytes, which are classified at once.
    let length = match text.first_chunk().and_then(id_length) {
        Some(length) => length,
        None => text.iter().take(33).take_while(in_id).count(),
    };
    match (text.get(..length), text.get(length..)) {
        (Some(b"NOQUEUE"), Some([b':', b' ', rest @ ..])) => (None, rest),
        (Some(id), Some([b':', b' ', rest @ ..])) if (5..=32).contains(&length) => (Some(id), rest),
        _ => (None, text),
    }
}

/// The result of [`queue_id`], and whether the text begins with an id or NOQUEUE.
struct LeadingId<'a> {
    queue_id: Option<&'a [u8]>,
    has_id: bool,
    rest: &'a [u8],
}

/// Like [`queue_id`], without branches that the processor would mispredict. `None`: the text is shorter than 16 bytes, or
/// its first word has no end there.
#[inline]
fn leading_id(text: &[u8]) -> Option<LeadingId<'_>> {
    let near = text.first_chunk()?;
    let length = id_length(near)?;
    let has_id = length >= 5 && text.get(length..length + 2)? == b": ";
    let is_id = has_id && near.first_chunk() != Some(b"NOQUEUE:");
    let (id, rest) = (text.get(..length)?, text.get(if has_id { length + 2 } else { 0 }..)?);
    Some(LeadingId { queue_id: is_id.then_some(id), has_id, rest })
}

/// The number of bytes before the first that cannot be in a queue id. `None`: all 16 can.
#[inline]
fn id_length(sixteen: &[u8; 16]) -> Option<usize> {
    let is = |byte| eq_mask16(sixteen, byte);
    let vowels = is(b'a') | is(b'e') | is(b'i') | is(b'o') | is(b'u');
    let others = !(alphanumeric_mask(sixteen) & !vowels) & 0xFFFF;
    (others != 0).then(|| others.trailing_zeros() as usize)
}

/// Whether a byte can be in a queue id.
const IN_ID: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let sign = byte as u8;
        table[byte] = sign.is_ascii_alphanumeric() && !matches!(sign, b'a' | b'e' | b'i' | b'o' | b'u');
        byte += 1;
    }
    table
};

/// The reason in the brackets at the end of a delivery line.
fn reason(text: &[u8]) -> Option<&[u8]> {
    split_once(text, b" (")?.1.strip_suffix(b")")
}

/// Guesses the daemon from the text behind the queue id, for lines whose program is only `postfix`.
/// [`Daemon::Unnamed`]: no daemon whose lines can be results or rejections.
fn guess_daemon(rest: &[u8]) -> Daemon {
    if rest.starts_with(b"to=<") {
        match split_once(rest, b", relay=").map(|(_, relay)| relay) {
            // Without a relay, only smtp gives the reasons of smtp; the others are of error, retry, qmgr and cleanup.
            Some(relay) if relay.starts_with(b"none,") => match reason(relay) {
                Some(reason) if reply_text::is_attempt(reason) && !reason.starts_with(b"delivery ") => {
                    Daemon::Client
                }
                _ => Daemon::Error,
            },
            Some(relay) if relay.starts_with(b"local,") || relay.starts_with(b"virtual,") => Daemon::Local,
            Some(relay) if split_once(relay, b"], delay=").is_some() => Daemon::Client,
            Some(relay) if split_once(relay, b"]:").is_some() => Daemon::Client,
            _ => Daemon::Local,
        }
    } else if own_trouble(rest).is_some() {
        Daemon::Smtpd
    } else if reply_text::is_attempt(rest) {
        Daemon::Client
    } else if rest.starts_with(b"from=<") || rest == b"removed" {
        Daemon::Qmgr
    } else if rest.starts_with(b"uid=") {
        Daemon::Pickup
    } else if rest.starts_with(b"sender ") || rest.starts_with(b"postmaster ") {
        Daemon::Bounce
    } else if begins(rest, &[b"placed on hold", b"released from hold", b"requeued"]) {
        Daemon::Postsuper
    } else if reject::is_of_smtpd(rest) {
        Daemon::Smtpd
    } else {
        Daemon::Unnamed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 7] =
        ["", "NOQUEUE: ", "4jXCsJ3c7Hz7j9M: ", "A1B2C3D4E5: ", "A1B2: ", "ABCDEFGHIJKLMNOP: ", "warning: "];

    const DAEMONS: [Daemon; 16] = [
        Daemon::Client,
        Daemon::Local,
        Daemon::Error,
        Daemon::Discard,
        Daemon::Qmgr,
        Daemon::Smtpd,
        Daemon::Postscreen,
        Daemon::Cleanup,
        Daemon::Pickup,
        Daemon::Postsuper,
        Daemon::Bounce,
        Daemon::Quiet,
        Daemon::Postlog,
        Daemon::Unnamed,
        Daemon::MailScanner,
        Daemon::PmgFilter,
    ];

    const TEXTS: [&str; 36] = [
        "connect from mx.example.org[192.0.2.7]",
        "disconnect from mx.example.org[192.0.2.7] ehlo=1 quit=1 commands=2",
        "discarding EHLO keywords: CHUNKING",
        "discard: RCPT from mx.example.org[192.0.2.7]: <a@example.org>: no; from=<> to=<a@example.org>",
        "lost connection after DATA from mx.example.org[192.0.2.7]",
        "lost connection with mx.example.org[192.0.2.7] while sending RCPT TO",
        "Anonymous TLS connection established from mx.example.org[192.0.2.7]: TLSv1.3",
        "Trusted TLS connection established to mx.example.org[192.0.2.7]:25: TLSv1.3",
        "client=mx.example.org[192.0.2.7]",
        "client",
        "clients",
        "message-id=<1@example.org>",
        "message-id",
        "message size 9 exceeds size limit 8 of server mx.example.org[192.0.2.7]",
        "from=<a@example.org>, size=1, nrcpt=1 (queue active)",
        "from=<a@example.org>, status=expired, returned to sender",
        "from=",
        "removed",
        "remove",
        "removed too",
        "to=<a@example.org>, relay=mx.example.org[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, \
        status=sent (250 2.0.0 Ok)",
        "to=<a@example.org>",
        "to=a, relay=local, delay=0, status=sent (delivered)",
        "reject: RCPT from mx.example.org[192.0.2.7]: 550 5.1.1 <a@example.org>: no; from=<> to=<a@example.org>",
        "CONNECT from [192.0.2.7]:1 to [192.0.2.8]:25",
        "PASS OLD [192.0.2.7]:1",
        "uid=0 from=<root>",
        "CONNECT to [192.0.2.7]:1",
        "addr 192.0.2.7 listed by domain bl.example.org as 127.0.0.2",
        "statistics: max cache size 3 at Nov 22 02:50:16",
        "warning: connect to proxy filter 127.0.0.1:10024: Connection refused",
        "improper command pipelining after EHLO from mx.example.org[192.0.2.7]: MAIL FROM:<a@example.org>",
        "removed (discarded)",
        "message rejected: hopcount exceeded",
        "",
        "x",
    ];

    #[test]
    fn what_is_told_at_a_glance_is_what_reading_all_of_it_gives() {
        for (id, daemon) in IDS.iter().flat_map(|id| DAEMONS.map(|daemon| (id, daemon))) {
            for text in TEXTS {
                let text = format!("{id}{text}");
                assert_eq!(
                    read(daemon, text.as_bytes()),
                    read_any(daemon, text.as_bytes()),
                    "{daemon:?}: {text}"
                );
            }
        }
    }

    #[test]
    fn every_byte_is_told_alike_alone_and_among_sixteen() {
        for byte in 0..=255_u8 {
            let mut text = [b'A'; 16];
            text[7] = byte;
            assert_eq!(id_length(&text), (!IN_ID[usize::from(byte)]).then_some(7), "{byte}");
        }
    }
}
