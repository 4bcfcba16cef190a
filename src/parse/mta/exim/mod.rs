//! Parses Exim's lines, from mainlog, rejectlog and syslog (`2026-11-22 02:51:48 1xUxgC-000022-1C => a@b …`).
//!
//! May use: the shared parts of parse/mta, the header, simd, smtp; no other server's folder.

pub(crate) mod attempt;
pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod delivery;
pub(crate) mod earlier_cause;
pub(crate) mod failure;
pub(crate) mod fields;
pub(crate) mod foreground;
pub(crate) mod host;
pub(crate) mod queue_record;
pub(crate) mod recipient;
pub(crate) mod reject;
pub(crate) mod shape;
pub(crate) mod side;
pub(crate) mod text_table;

use self::client::RejectedClient;
use super::delay::{Phases, units};
use super::parsed::{ParsedLine, address, split_last, split_once};
use super::queue_record::{MessageFields, QueueRecord};
use super::related_id::{self, Relation, forwarded_to};
use crate::parse::header::{LogLine, RawTimestamp};
use crate::simd::ascii::alphanumeric_mask;

/// Whether this is the name of Exim's program: `exim`, `exim4`.
pub(crate) fn is_program(program: &[u8]) -> bool {
    program.starts_with(b"exim")
}

/// Parses a line of Exim's own files or of syslog.
pub(crate) fn read<'a>(line: &LogLine<'a>) -> ParsedLine<'a> {
    let text = message_text(line);
    match queue_id(text) {
        (Some(id), rest) => of_message(id, rest),
        (None, [b' ', ..]) if line.program.is_empty() => {
            foreground::read(text).or_else(|| without_message(text)).unwrap_or(ParsedLine::Foreign)
        }
        // A process id of five digits has no blank before it. A log file of Exim begins each line with a timestamp.
        (None, [b'0'..=b'9' | b'L', ..]) if line.program.is_empty() => {
            without_message(text).or_else(|| foreground::read(text)).unwrap_or(ParsedLine::Foreign)
        }
        // Other programs write timestamps of the same format, so an unknown text without a program is not Exim's.
        (None, rest) if line.program.is_empty() => without_message(rest).unwrap_or(ParsedLine::Foreign),
        (None, rest) => without_message(rest).unwrap_or(ParsedLine::Unread),
    }
}

/// Parses a line that is about no message. `None`: Exim logs no such line.
fn without_message(text: &[u8]) -> Option<ParsedLine<'_>> {
    if is_idle(text) {
        return Some(ParsedLine::Routine);
    }
    reject::read(None, text).or_else(|| shape::read(text))
}

/// Parses a line about a message. No line fits two kinds, so the commonest are tried first.
fn of_message<'a>(id: &'a [u8], text: &'a [u8]) -> ParsedLine<'a> {
    // Tried in turn, not chained with `or_else`: moving a result costs more than finding that there is none.
    if let Some((flag, rest)) = delivery::split_flag(text) {
        return delivery::read(Some(id), flag, rest);
    }
    if let Some(record) = queue_record::read(id, text) {
        return record;
    }
    if is_idle(text) {
        return ParsedLine::Routine;
    }
    if let Some(event) = reject::read(Some(id), text) {
        return event;
    }
    attempt::read(Some(id), text).or_else(|| shape::read(text)).unwrap_or(ParsedLine::Unread)
}

/// Whether the line is one of the commonest routine lines. Trying all other parsers on them took 600 instructions a line.
#[inline]
pub(crate) fn is_idle(text: &[u8]) -> bool {
    is_daily(text)
        || text.starts_with(b"no host name found for IP address ")
        || text.starts_with(b"unexpected disconnection while reading SMTP command from ")
        || text.starts_with(b"TLS error on connection from ")
        || text.is_empty()
}

/// Whether the line is routine on every server: the first is written for each connection, the second for each signature of
/// each message.
#[inline]
pub(crate) fn is_daily(text: &[u8]) -> bool {
    text.starts_with(b"SMTP connection from ") || text.starts_with(b"DKIM: d=")
}

pub(crate) fn message_fields<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    queue_record::message_fields(record)
}

pub(crate) fn origin<'a>(record: &QueueRecord<'a>) -> MessageFields<'a> {
    queue_record::origin(record)
}

/// The mainlog that repeats every line of a rejectlog: `exim_mainlog` for `exim_rejectlog`. `None`: not a rejectlog.
pub(crate) fn mainlog_of(log: &str) -> Option<String> {
    let (before, after) = log.split_once("reject")?;
    let is_it = matches!(before, "" | "exim_" | "exim4_" | "exim-") && matches!(after, "log" | ".log");
    is_it.then(|| format!("{before}main{after}"))
}

/// The durations of a delivery line, in milliseconds.
pub(crate) fn delays(line: &LogLine) -> Phases {
    delivery::delays(message_text(line))
}

/// How long receiving the message took, in milliseconds. `None`: the line has no `RT=`.
pub(crate) fn receive_time(record: &QueueRecord) -> Option<u64> {
    // Few servers log it, and the fields before it take long to parse.
    split_once(record.text, b" RT=")?;
    queue_record::message_fields(record).receive_time.and_then(units)
}

/// The user name of a login attempt, `anna` in `… 535 Incorrect authentication data (set_id=anna)`, or of the client of a
/// rejection, `anna` in `H=mx [192.0.2.1] F=<a@b> A=login:anna rejected RCPT …`.
pub(crate) fn login<'a>(line: &LogLine<'a>) -> Option<&'a [u8]> {
    let (_, text) = queue_id(message_text(line));
    let Some((_, named)) = split_once(text, b" authenticator failed for ") else {
        // Few rejections are those of a client that logged in.
        split_once(text, b" A=")?;
        return RejectedClient::read(text).0.login;
    };
    // The HELO name may contain anything.
    let rest =
        host::read_before_user(named.strip_prefix(b"H=").unwrap_or(named)).map_or(named, |(_, rest)| rest);
    let words = host::login_verdict(rest).unwrap_or(rest);
    let (_, user) = split_once(words, b"set_id=")?;
    // Behind a 435, the reason follows; else the bracket is the last one (Exim smtp_in.c).
    let behind = if words.starts_with(b"4") { split_once(user, b"): ").map(|(user, _)| user) } else { None };
    let user = behind.or_else(|| split_last(user, b")").map(|(user, _)| user)).unwrap_or(user);
    Some(user).filter(|user| !user.is_empty())
}

/// The HELO name: `helo` in `H=mx.example.org (helo) [192.0.2.1] F=<a@b> rejected RCPT …`. `None`: it equals the host name.
pub(crate) fn rejected_helo(text: &[u8]) -> Option<&[u8]> {
    let (_, text) = split_once(text, b"H=")?;
    let (_, rest) = host::read(text)?;
    host::helo_name(text.get(..text.len() - rest.len())?)
}

/// The address before aliases: `c@d` in `=> a@b <c@d> R=…`.
pub(crate) fn original_recipient(text: &[u8]) -> Option<&[u8]> {
    let flag = [&b"=> "[..], b"-> ", b">> ", b"** ", b"== "].iter().any(|flag| text.starts_with(flag));
    let (_, rest) = split_once(text, b" <").filter(|(before, _)| flag && !before.contains(&b':'))?;
    address(rest).map(|(original, _)| original)
}

/// The text from the queue id on: `1xUxgC-000022-1C` in `250 OK id=1xUxgC-000022-1C`.
pub(crate) fn accepted(reply: &[u8]) -> Option<&[u8]> {
    split_last(reply, b"OK id=").map(|(_, rest)| rest)
}

/// Parses `<= <> R=1xV0EP-0000l4-07 U=…`, the arrival of a bounce about that message (Exim spec ch. 52), and
/// `=> … C="250 OK id=…"`.
pub(crate) fn related_queue_id(text: &[u8]) -> Option<(Relation, &[u8])> {
    if text.starts_with(b"<= ") {
        let (sender, rest) = split_once(text, b" R=")?;
        let id = related_id::id(rest).filter(|id| id.get(6) == Some(&b'-'))?;
        // Only the flag and a sender without blanks may precede the field.
        return (memchr::memchr_iter(b' ', sender).count() == 1).then_some((Relation::NotifiesAbout, id));
    }
    if text.get(1..3) == Some(b"> ") { forwarded_to(text) } else { None }
}

/// The text without the prefixes that syslog and Exim's options add, so that two copies of a line are equal. Empty for a
/// later piece of a line that was split.
#[inline]
pub(crate) fn message_text<'a>(line: &LogLine<'a>) -> &'a [u8] {
    if line.program.is_empty() && line.text.first() != Some(&b'[') {
        line.text
    } else {
        without_syslog_extras(line)
    }
}

fn without_syslog_extras<'a>(line: &LogLine<'a>) -> &'a [u8] {
    match first_piece(line.text) {
        LinePiece::First(text) => without_pid(without_second_stamp(line, text)),
        LinePiece::Later => b"",
    }
}

/// Removes the second timestamp that a line sent to syslog may have: `… exim[123]: 2026-11-22 02:51:48 1xUx… <= …`.
fn without_second_stamp<'a>(line: &LogLine<'a>, text: &'a [u8]) -> &'a [u8] {
    if line.program.is_empty() || !matches!(text, [b'1' | b'2', _, _, _, b'-', ..]) {
        return text;
    }
    match LogLine::read(text) {
        LogLine { stamp: RawTimestamp::Iso(_), program: b"", text, .. } => text,
        _ => text,
    }
}

enum LinePiece<'a> {
    First(&'a [u8]),
    /// The second or a later piece: everything that is parsed is in the first.
    Later,
}

/// Removes the number of the piece. Exim splits lines that are too long for syslog, as `[1/2] text`, and sends rejectlog
/// entries with their headers as `[1\12] text` (Exim log.c, write_syslog).
fn first_piece(text: &[u8]) -> LinePiece<'_> {
    let pieces = text.strip_prefix(b"[").and_then(|rest| split_once(rest.get(..12).unwrap_or(rest), b"] "));
    let Some((numbers, _)) = pieces else { return LinePiece::First(text) };
    let Some(slash) = numbers.iter().position(|byte| matches!(byte, b'/' | b'\\')) else {
        return LinePiece::First(text);
    };
    if !numbers.iter().enumerate().all(|(at, byte)| at == slash || byte.is_ascii_digit()) {
        return LinePiece::First(text);
    }
    match numbers.split_at(slash) {
        (b"1", _) => LinePiece::First(text.get(numbers.len() + 3..).unwrap_or_default()),
        _ => LinePiece::Later,
    }
}

/// Removes the process id that the log selector pid adds: `[126] text` gives `text`.
fn without_pid(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"[")
        .and_then(|rest| {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            rest.get(digits..).filter(|_| digits > 0)?.strip_prefix(b"] ")
        })
        .unwrap_or(text)
}

/// Splits off the queue id: `1xUxgC-000022-1C rest`, and since 4.97 `1xUxgC-000000000022-1C00 rest`. It is time, process
/// id and fraction of a second in base 62 (Exim spec, "Message identification").
pub(crate) fn queue_id(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match id::<16>(text, 13).or_else(|| id::<23>(text, 18)) {
        Some((id, rest)) => (Some(id), rest),
        None => (None, text),
    }
}

/// Splits off an id of `LENGTH` bytes with its second dash at `dash`, and the blank behind it.
fn id<const LENGTH: usize>(text: &[u8], dash: usize) -> Option<(&[u8], &[u8])> {
    let (id, rest) = text.split_first_chunk::<LENGTH>()?;
    let rest = rest.strip_prefix(b" ")?;
    if id.get(6) != Some(&b'-') || id.get(dash) != Some(&b'-') {
        return None;
    }
    // All other bytes are letters and digits. The first and the last sixteen bytes overlap and cover the id.
    let (begin, end) = (alphanumeric_mask(id.first_chunk()?), alphanumeric_mask(id.last_chunk()?));
    let dashes = 1 << 6 | 1_u32 << dash;
    let others = !(begin | end << (LENGTH - 16)) & ((1 << LENGTH) - 1);
    (others == dashes).then_some((id, rest))
}
