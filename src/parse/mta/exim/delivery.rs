//! Parses Exim's delivery lines, which begin with `=>`, `->`, `>>`, `*>`, `**` or `==`, and the replies of hosts before the
//! next one is tried (`=> a@b R=dnslookup T=remote_smtp H=mx [192.0.2.1] C="250 OK"`).

use memchr::memrchr;

use super::failure::{Failure, is_answer};
use super::fields::{EximFields, name};
use super::host;
use crate::parse::mta::delay::{Phase, Phases, units};
use crate::parse::mta::parsed::{ParsedLine, address, domain, find, split_colon, split_once, split_word};
use crate::simd::find::{self, ByteIter};
use crate::smtp::event::{Direction, Event, Mta, Outcome, Stage};
use crate::smtp::reply::{Class, Reply};

/// Parses a line with one of the flags. `None`: it has none.
#[inline]
pub(crate) fn read<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<ParsedLine<'a>> {
    // One compare after another: a `match` compiles to a jump table, which the processor mispredicts more often.
    let (flag, rest) = text.split_first_chunk::<3>()?;
    let is = |other: &[u8; 3]| flag == other;
    let event = if is(b"=> ") || is(b"-> ") || is(b">> ") {
        delivered(queue_id, rest, Outcome::Delivered)
    } else if is(b"== ") {
        deferred(queue_id, rest)
    } else if is(b"** ") {
        failed(queue_id, rest)
    } else if is(b"*> ") {
        // Exim was run with -N, so nothing was sent.
        delivered(queue_id, rest, Outcome::Discarded)
    } else if is(b"(= ") {
        return Some(ParsedLine::Routine);
    } else {
        return None;
    };
    Some(event.map_or(ParsedLine::Unread, ParsedLine::Event))
}

const EMPTY_EVENT: Event = Event::new(Mta::Exim, Direction::Local, Outcome::Delivered);

/// Parses `a@b <c@d> F=<e> R=dnslookup T=remote_smtp H=mx [192.0.2.1]:25 X=… C="250 OK"`.
fn delivered<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8], outcome: Outcome) -> Option<Event<'a>> {
    let (recipient, rest) = recipient(text)?;
    let fields = EximFields::read(text, text.len() - rest.len()..text.len());
    let reply = fields.confirmation.and_then(Reply::read);
    let remote = fields.peer.is_some() || reply.is_some();
    let dropped = is_discarded(text);
    Some(Event {
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
    let (fields, words) = if rest.is_empty() { recipient.map(|_| (rest, rest))? } else { split_colon(rest)? };
    let failure = Failure::read(without_times(words));
    let expired =
        words.starts_with(b"retry timeout exceeded") || words.ends_with(b": retry timeout exceeded");
    let outcome = if expired { Outcome::Expired } else { Outcome::Bounced };
    let begin = text.len() - rest.len();
    let fields = EximFields::read(text, begin..begin + fields.len());
    Some(result(queue_id, (outcome, Class::Permanent), recipient, fields, &failure))
}

/// Parses `a@b R=r T=t defer (-44) H=mx [192.0.2.1]: SMTP error …` and
/// `… defer (110): Connection timed out H=mx [ip]: …`.
fn deferred<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<Event<'a>> {
    let (recipient, rest) = recipient(text)?;
    let begin = text.len() - rest.len();
    let (fields, rest) = split_at_defer(rest)?;
    let (_errno, rest) = split_once(rest, b")")?;
    let (host, words) = split_colon(rest).unwrap_or((rest, b""));
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
    Some(result(queue_id, (Outcome::Deferred, Class::Transient), recipient, fields, &failure))
}

/// Splits at `defer (`. It searches for the `(`, which is rare before it.
fn split_at_defer(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let before = |at: usize| text.get(..at)?.strip_suffix(b"defer ").map(|before| (before, at + 1));
    let (before, behind) = ByteIter::new(text, b'(').find_map(before)?;
    Some((before, text.get(behind..)?))
}

/// The failure behind the host. If the host occurs twice and nothing follows, the text of the errno is the failure.
fn after_host<'a>(named: &'a [u8], words: &'a [u8]) -> &'a [u8] {
    match host::read(named) {
        Some((_, b"")) => words,
        Some((_, rest)) => rest.strip_prefix(b": ").unwrap_or(named),
        None => named,
    }
}

fn result<'a>(
    queue_id: Option<&'a [u8]>,
    (outcome, hint): (Outcome, Class),
    recipient: Option<&'a [u8]>,
    fields: EximFields<'a>,
    failure: &Failure<'a>,
) -> Event<'a> {
    let peer = fields.peer.or(failure.peer);
    let outbound = match (fields.transport, fields.router) {
        _ if peer.is_some() || failure.reply.is_some() || failure.remote => true,
        (Some(transport), _) => find(name(transport), b"smtp").is_some(),
        (None, Some(router)) => REMOTE_ROUTERS.iter().any(|part| find(name(router), part).is_some()),
        // No router accepted the address: mostly mail for a remote domain.
        (None, None) => true,
    };
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

/// Parts of the usual names of routers for remote mail.
const REMOTE_ROUTERS: [&[u8]; 6] = [b"dns", b"lookup", b"remote", b"smart", b"relay", b"manual"];

/// Parses the reply of one host, or its failure: `H=mx [192.0.2.1]: SMTP error …`, `mx [192.0.2.1] Connection refused`,
/// `plain authenticator failed H=mx [192.0.2.1] 535 …`. `None`: another line about the message.
pub(crate) fn attempt<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<ParsedLine<'a>> {
    let attempt =
        Event { direction: Direction::Outbound, outcome: Outcome::Attempt, queue_id, ..EMPTY_EVENT };
    if let Some(rest) = split_word(text).1.strip_prefix(b"authenticator failed H=") {
        let (peer, rest) = host::read(rest)?;
        let text = rest.trim_ascii_start();
        let reply = Reply::read(text);
        let (code, enhanced) = (reply.map(|reply| reply.code), reply.and_then(|reply| reply.enhanced));
        return Some(ParsedLine::Event(Event {
            code,
            enhanced,
            stage: Some(Stage::Auth),
            peer,
            text,
            ..attempt
        }));
    }
    let (peer, rest) = host::read(text.strip_prefix(b"H=").unwrap_or(text))?;
    let (_, words) = rest.split_at_checked(find::find(b' ', rest)? + 1)?;
    let failure = Failure::read(after_host(words, words));
    let is_about_host = failure.stage.is_some() || failure.reply.is_some() || failure.remote;
    is_about_host.then_some(ParsedLine::Event(Event {
        code: failure.reply.map(|reply| reply.code),
        enhanced: failure.reply.and_then(|reply| reply.enhanced),
        stage: failure.stage,
        peer,
        text: failure.text,
        ..attempt
    }))
}

/// Splits off the recipient: the address that was delivered to or, if that is a local part, a pipe or a file, the
/// original address in angle brackets. The inner `None`: the line shows no address.
fn recipient(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    // `:blackhole:` ends with a colon itself.
    let own = if text.starts_with(b":") { find::find(b' ', text)? } else { 0 };
    let (first, rest) = text.split_at_checked(address_end(text, own))?;
    let (original, rest) = match rest.strip_prefix(b" <").and_then(address) {
        Some((original, rest)) => (Some(original), rest),
        None => (None, rest),
    };
    // Exim shows the local part without its quotes; the address in brackets has them.
    let unquoted =
        || original.is_some_and(|original| original.starts_with(b"\"") && domain(original) == domain(first));
    let special = || matches!(first.first(), None | Some(b'|' | b'/' | b':')) || !first.contains(&b'@');
    let named = if original.is_some() && (special() || unquoted()) { original } else { Some(first) };
    let nobody = first.is_empty() || first.starts_with(b"blackhole (") || first.starts_with(b"discarded (");
    Some((named.filter(|_| !nobody), rest))
}

/// The end of the address; `own` is the least. The end of the text if nothing else ends it.
fn address_end(text: &[u8], own: usize) -> usize {
    let mut at = own;
    while let Some(blank) = find::find_from(b' ', text, at) {
        match blank.checked_sub(1).and_then(|before| text.get(before)) {
            Some(b':') if blank > own => return blank - 1,
            _ if ends_address(text.get(blank..).unwrap_or_default()) => return blank,
            _ => at = blank + 1,
        }
    }
    text.len()
}

/// Whether the text behind an address begins with ` <a@b>`, ` F=<…`, ` R=…`, ` T=…`, ` P=<…`, ` : …`, ` defer (…` or
/// ` routing defer (…`.
fn ends_address(rest: &[u8]) -> bool {
    match rest {
        [b' ', b'<', ..]
        | [b' ', b'R' | b'T', b'=', ..]
        | [b' ', b'F' | b'P', b'=', b'<', ..]
        | [b' ', b':', b' ', ..] => true,
        [b' ', b'd', ..] => rest.starts_with(b" defer ("),
        [b' ', b'r', ..] => rest.starts_with(b" routing defer ("),
        _ => false,
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
