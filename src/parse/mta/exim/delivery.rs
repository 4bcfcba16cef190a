//! Parses Exim's delivery lines, which begin with `=>`, `->`, `>>`, `*>`, `**` or `==`
//! (`=> a@b R=dnslookup T=remote_smtp H=mx [192.0.2.1] C="250 OK"`).

use memchr::{memmem, memrchr};

use super::failure::{Failure, after_host, is_answer};
use super::fields::EximFields;
use super::recipient::{ALL_FAIL, recipient};
use super::{host, side};
use crate::parse::mta::delay::{Phase, Phases, units};
use crate::parse::mta::parsed::{ParsedLine, address, find, split_colon, split_once};
use crate::smtp::event::{Direction, Event, Mta, Outcome};
use crate::smtp::reply::{Class, Reply};

/// The flags of delivery lines, the commonest first.
const FLAGS: [&[u8; 3]; 7] = [b"=> ", b"-> ", b"== ", b"** ", b">> ", b"*> ", b"(= "];

/// Splits off the flag. `None`: it is no delivery line.
#[inline]
pub(crate) fn split_flag(text: &[u8]) -> Option<([u8; 3], &[u8])> {
    let (flag, rest) = text.split_first_chunk()?;
    FLAGS.contains(&flag).then_some((*flag, rest))
}

/// Parses a line by its flag and the text behind it.
pub(crate) fn read<'a>(queue_id: Option<&'a [u8]>, flag: [u8; 3], rest: &'a [u8]) -> ParsedLine<'a> {
    // One compare after another: a `match` compiles to a jump table, which the processor mispredicts more often.
    let is = |other: &[u8; 3]| flag == *other;
    if is(b"=> ") || is(b"-> ") || is(b">> ") {
        return delivered(queue_id, rest, Outcome::Delivered);
    }
    let event = if is(b"== ") {
        deferred(queue_id, rest)
    } else if is(b"** ") {
        failed(queue_id, rest)
    } else if is(b"*> ") {
        // Exim was run with -N, so nothing was sent.
        return delivered(queue_id, rest, Outcome::Discarded);
    } else {
        return ParsedLine::Routine;
    };
    event.map_or(ParsedLine::Unread, ParsedLine::Event)
}

const EMPTY_EVENT: Event = Event::new(Mta::Exim, Direction::Local, Outcome::Delivered);

/// Parses `a@b <c@d> F=<e> R=dnslookup T=remote_smtp H=mx [192.0.2.1]:25 X=… C="250 OK"`.
fn delivered<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8], outcome: Outcome) -> ParsedLine<'a> {
    let Some((recipient, rest)) = recipient(text) else { return ParsedLine::Unread };
    let fields = EximFields::read(text, text.len() - rest.len()..text.len());
    let reply = fields.confirmation.and_then(Reply::read);
    // The smtp transport always logs the host. The lmtp transport logs a reply, but has no host: it delivers to a socket or a
    // program of this host (Exim deliver.c, delivery_log).
    let remote = fields.peer.is_some();
    let dropped = is_discarded(text) && !recipient.is_some_and(|name| name.starts_with(b"\""));
    ParsedLine::Event(Event {
        direction: if remote { Direction::Outbound } else { Direction::Local },
        outcome: if dropped { Outcome::Discarded } else { outcome },
        queue_id,
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced),
        sender: fields.sender,
        recipient,
        peer: fields.peer.unwrap_or_default(),
        text: fields.confirmation.unwrap_or_default(),
        ..EMPTY_EVENT
    })
}

/// Whether a text in place of the address says that the message was discarded: `:blackhole:` of a redirect router, or the
/// words of an ACL or a filter (Exim deliver.c, routers/redirect.c).
fn is_discarded(text: &[u8]) -> bool {
    matches!(text.first(), Some(b':' | b'b' | b'd'))
        && (text.starts_with(b":blackhole:")
            || text.starts_with(b"blackhole (")
            || text.starts_with(b"discarded (")
            || text.starts_with(b"discarded <"))
}

/// Parses `a@b <c@d> F=<e> R=r T=t H=mx [192.0.2.1] : SMTP error …`; fields and the blank before the colon are optional.
fn failed<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<Event<'a>> {
    let (recipient, rest) = recipient(text)?;
    let (fields, words) = match recipient {
        None if text.starts_with(ALL_FAIL) => (rest, text),
        _ if rest.is_empty() => recipient.map(|_| (rest, rest))?,
        _ => split_fields(rest)?,
    };
    let failure = Failure::read(without_times(words));
    // A server that refuses for good ends its reply as it likes.
    let is_refused = failure.reply.is_some_and(|reply| reply.code.class() == Class::Permanent);
    let expired = words.starts_with(b"retry timeout exceeded")
        || words.ends_with(b": retry timeout exceeded") && !is_refused;
    let outcome = if expired { Outcome::Expired } else { Outcome::Bounced };
    let begin = text.len() - rest.len();
    let fields = EximFields::read(text, begin..begin + fields.len());
    Some(result(queue_id, (outcome, Class::Permanent), recipient, fields, &failure))
}

/// Splits ` F=<e> P=<f> R=r T=t H=mx [192.0.2.1]: words` at the colon. Addresses may contain one, too. An old version ends
/// some lines without one: ` routing yielded a local delivery`.
fn split_fields(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = text;
    while let [b' ', b'F' | b'P', b'=', b'<', address_on @ ..] = rest {
        rest = address(address_on)?.1;
    }
    if rest.starts_with(b" routing ") || rest.starts_with(b" mua_wrapper ") {
        return Some((b"", rest.trim_ascii_start()));
    }
    let Some((mut fields, mut words)) = split_colon(rest) else {
        // `R=virtual_aliases:` without a text
        return Some((text.strip_suffix(b":").filter(|_| rest.len() > 1)?, b""));
    };
    // The other server chose the name in its certificate.
    if let Some(open) = find(fields, b" DN=\"") {
        while !fields.get(open + 5..)?.trim_ascii_end().ends_with(b"\"") {
            let Some((_, behind)) = split_colon(words) else { break };
            words = behind;
            fields = rest.get(..rest.len() - words.len() - 2)?;
        }
    }
    Some((text.get(..text.len() - words.len() - 2)?, words))
}

/// Parses `a@b R=r T=t defer (-44) H=mx [192.0.2.1]: SMTP error …` and
/// `… defer (110): Connection timed out H=mx [ip]: …`. Since 4.100 the number is gone: `… defer H=mx [192.0.2.1]: SMTP
/// error …`, and `… defer (Connection refused)` where there is no other text (deliver.c, deferral_log).
fn deferred<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<Event<'a>> {
    let (recipient, rest) = recipient(text)?;
    let begin = text.len() - rest.len();
    let (fields, rest) = split_at_defer(rest)?;
    let (errno, rest) = match rest.strip_prefix(b" (") {
        Some(rest) => split_once(rest, b")")?,
        None => (&b""[..], rest),
    };
    let is_named = errno.iter().any(u8::is_ascii_alphabetic);
    let (host, words) = split_colon(rest).unwrap_or((rest, if is_named { errno } else { b"" }));
    let words = without_times(words);
    // First the text of the errno, at most 48 bytes, then the host, then the failure.
    let errno = if is_answer(words) { b"" } else { words.get(..51).unwrap_or(words) };
    let (peer, words) = match find(errno, b" H=") {
        Some(at) => match host::read(words.get(at + 3..)?) {
            Some((peer, rest)) => {
                (Some(peer), split_colon(rest).map_or(words, |(_, named)| after_host(named, words)))
            }
            None => (None, words),
        },
        None => {
            let begin = text.len() - rest.len();
            (EximFields::read(text, begin..begin + host.len()).peer, words)
        }
    };
    let failure = Failure::read(words);
    let failure = Failure { peer: peer.or(failure.peer), ..failure };
    let fields = EximFields::read(text, begin..begin + fields.len());
    let event = result(queue_id, (Outcome::Deferred, Class::Transient), recipient, fields, &failure);
    Some(Event { suspended: is_too_early(words), ..event })
}

/// Whether nothing was tried, because an earlier failure is too recent (Exim deliver.c, transports/smtp.c).
fn is_too_early(words: &[u8]) -> bool {
    words.starts_with(b"retry time not reached")
        || words.starts_with(b"Retry time not yet reached")
        || words.starts_with(b"reusing SMTP connection skips previous routing defer")
}

/// Splits at `defer (`, `defer: `, `defer H=` and the like; the second part begins behind `defer`.
fn split_at_defer(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let begins = [&b" ("[..], b": ", b" H=", b" DSN=", b" DT="];
    memmem::find_iter(text, b"defer").find_map(|at| {
        let (before, behind) = (text.get(..at)?, text.get(at + 5..)?);
        begins.iter().any(|next| behind.starts_with(next)).then_some((before, behind))
    })
}

fn result<'a>(
    queue_id: Option<&'a [u8]>,
    (outcome, hint): (Outcome, Class),
    recipient: Option<&'a [u8]>,
    fields: EximFields<'a>,
    failure: &Failure<'a>,
) -> Event<'a> {
    let peer = fields.peer.or(failure.peer);
    let is_here = || failure.lmtp || side::hands_over_here(&fields);
    let is_remote = || failure.remote || side::is_remote(&fields, recipient);
    let outbound = peer.is_some() || !is_here() && is_remote();
    Event {
        direction: if outbound { Direction::Outbound } else { Direction::Local },
        outcome,
        queue_id,
        hint: Some(hint),
        code: failure.reply.map(|reply| reply.code),
        enhanced: failure.reply.and_then(|reply| reply.enhanced),
        stage: failure.stage,
        sender: fields.sender,
        recipient,
        peer: peer.unwrap_or_default(),
        text: failure.text,
        ..EMPTY_EVENT
    }
}

/// Removes ` QT=3s DT=0.2s` at the end, which the log selectors queue_time and deliver_time add.
fn without_times(words: &[u8]) -> &[u8] {
    without_time(without_time(words, b"DT="), b"QT=")
}

/// Removes the last word if it is the duration with this name.
fn without_time<'a>(words: &'a [u8], name: &[u8]) -> &'a [u8] {
    let last = || memrchr(b' ', words).and_then(|at| words.split_at_checked(at));
    match if words.ends_with(b"s") { last() } else { None } {
        Some((before, [b' ', time @ ..])) if time.strip_prefix(name).is_some_and(|time| !time.is_empty()) => {
            before
        }
        _ => words,
    }
}

/// Parses the durations of `=> a@b … C="250 OK" QT=3s DT=0.2s`. Only the last two words are parsed: text that others
/// choose is before them.
pub(crate) fn delays(text: &[u8]) -> Phases {
    let (mut queue, mut delivery) = (None, None);
    for last in text.rsplit(|&byte| byte == b' ').take(2) {
        let (name, time) = last.split_at_checked(3).unwrap_or_default();
        // A reply at the end of the line ends with a quote, which no duration has.
        let Some(time) = units(time) else { break };
        match name {
            b"QT=" => queue = Some(time),
            b"DT=" => delivery = Some(time),
            _ => break,
        }
    }
    let waited = queue.zip(delivery).map(|(queue, delivery)| queue.saturating_sub(delivery));
    let phases = [(Phase::Total, queue), (Phase::Queued, waited), (Phase::Deliver, delivery)];
    phases.into_iter().filter_map(|(phase, time)| Some((phase, time?))).collect()
}
