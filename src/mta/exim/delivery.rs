//! Exim deliveries: `=>`, `->`, `>>`, `*>`, `**`, `==`, and one host's answer before the next is tried.

use super::failure::Failure;
use super::fields::Fields;
use super::peer;
use crate::event::{Direction, Event, Mta, Outcome, Stage};
use crate::lanes::{find, find_either};
use crate::mta::delay::{Phase, Phases, units};
use crate::mta::reading::{Reading, address, begins, cut, cut_last, domain, word};
use crate::reply::{Class, Reply};

/// None: the line has none of the flags.
pub(super) fn read<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<Reading<'a>> {
    let (flag, rest) = text.split_at_checked(3)?;
    let event = match flag {
        b"(= " => return Some(Reading::Routine),
        b"=> " | b"-> " | b">> " => delivered(queue_id, rest, Outcome::Delivered),
        // Nothing was sent: Exim was run with -N.
        b"*> " => delivered(queue_id, rest, Outcome::Discarded),
        b"** " => failed(queue_id, rest),
        b"== " => deferred(queue_id, rest),
        _ => return None,
    };
    Some(event.map_or(Reading::Unread, Reading::Event))
}

const NOTHING: Event = Event::new(Mta::Exim, Direction::Local, Outcome::Delivered);

/// `a@b <c@d> F=<e> R=dnslookup T=remote_smtp H=mx [192.0.2.1]:25 X=… C="250 OK"`
fn delivered<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8], outcome: Outcome) -> Option<Event<'a>> {
    let (recipient, rest) = recipient(text)?;
    let fields = Fields::read(rest);
    let reply = fields.confirmation.and_then(Reply::read);
    let remote = fields.peer.is_some() || reply.is_some();
    let dropped = begins(text, &NOWHERE);
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
        ..NOTHING
    })
}

/// What stands for the address where there is no delivery: a redirect router's `:blackhole:`, an ACL's or a filter's
/// word (Exim deliver.c, routers/redirect.c).
const NOWHERE: [&[u8]; 4] = [b":blackhole:", b"blackhole (", b"discarded (", b"discarded <"];

/// `a@b <c@d> F=<e> R=r T=t H=mx [192.0.2.1] : SMTP error …`; the fields and the blank before the colon may lack.
fn failed<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<Event<'a>> {
    let (recipient, rest) = recipient(text)?;
    let (fields, words) = if rest.is_empty() { recipient.map(|_| (rest, rest))? } else { cut(rest, b": ")? };
    let failure = Failure::read(times(words));
    let expired =
        words.starts_with(b"retry timeout exceeded") || words.ends_with(b": retry timeout exceeded");
    let outcome = if expired { Outcome::Expired } else { Outcome::Bounced };
    Some(result(queue_id, (outcome, Class::Permanent), recipient, fields, &failure))
}

/// `a@b R=r T=t defer (-44) H=mx [192.0.2.1]: SMTP error …`, `… defer (110): Connection timed out H=mx [ip]: …`
fn deferred<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<Event<'a>> {
    let (recipient, rest) = recipient(text)?;
    let (fields, rest) = cut(rest, b"defer (")?;
    let (_errno, rest) = cut(rest, b")")?;
    let (host, words) = cut(rest, b": ").unwrap_or((rest, b""));
    let words = times(words);
    // The errno's words, then the host, then what happened.
    let (peer, words) = match cut(words, b" H=").filter(|(errno, _)| errno.len() <= 48) {
        Some((_, named)) => match peer::read(named) {
            Some((peer, rest)) => {
                (Some(peer), cut(rest, b": ").map_or(words, |(_, named)| behind_host(named, words)))
            }
            None => (None, words),
        },
        None => (Fields::read(host).peer, words),
    };
    let failure = Failure::read(words);
    let failure = Failure { peer: peer.or(failure.peer), ..failure };
    Some(result(queue_id, (Outcome::Deferred, Class::Transient), recipient, fields, &failure))
}

/// The host may stand twice, and then the errno's words were all there is to say.
fn behind_host<'a>(named: &'a [u8], words: &'a [u8]) -> &'a [u8] {
    match peer::read(named) {
        Some((_, b"")) => words,
        Some((_, rest)) => rest.strip_prefix(b": ").unwrap_or(named),
        None => named,
    }
}

fn result<'a>(
    queue_id: Option<&'a [u8]>,
    (outcome, hint): (Outcome, Class),
    recipient: Option<&'a [u8]>,
    fields: &'a [u8],
    failure: &Failure<'a>,
) -> Event<'a> {
    let fields = Fields::read(fields);
    let peer = fields.peer.or(failure.peer);
    let outbound = match (fields.transport, fields.router) {
        _ if peer.is_some() || failure.reply.is_some() => true,
        (Some(transport), _) => failure.remote || cut(transport, b"smtp").is_some(),
        (None, Some(router)) => failure.remote || ROUTERS.iter().any(|name| cut(router, name).is_some()),
        // Nobody took the address: mail for a domain that is not ours, as a rule.
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
        ..NOTHING
    }
}

/// Parts of the usual names of routers for mail to elsewhere.
const ROUTERS: [&[u8]; 6] = [b"dns", b"lookup", b"remote", b"smart", b"relay", b"manual"];

/// One host's answer: `H=mx [192.0.2.1]: SMTP error …`, `mx [192.0.2.1] Connection refused`,
/// `plain authenticator failed H=mx [192.0.2.1] 535 …`. None: another line about the message.
pub(super) fn attempt<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<Reading<'a>> {
    let attempt = Event { direction: Direction::Outbound, outcome: Outcome::Attempt, queue_id, ..NOTHING };
    if let Some(rest) = word(text).1.strip_prefix(b"authenticator failed H=") {
        let (peer, rest) = peer::read(rest)?;
        let text = rest.trim_ascii_start();
        let reply = Reply::read(text);
        let (code, enhanced) = (reply.map(|reply| reply.code), reply.and_then(|reply| reply.enhanced));
        return Some(Reading::Event(Event {
            code,
            enhanced,
            stage: Some(Stage::Auth),
            peer,
            text,
            ..attempt
        }));
    }
    let (peer, rest) = peer::read(text.strip_prefix(b"H=").unwrap_or(text))?;
    let words = rest.get(find(b' ', rest)? + 1..)?;
    let failure = Failure::read(behind_host(words, words));
    let heard = failure.stage.is_some() || failure.reply.is_some() || failure.remote;
    heard.then_some(Reading::Event(Event {
        code: failure.reply.map(|reply| reply.code),
        enhanced: failure.reply.and_then(|reply| reply.enhanced),
        stage: failure.stage,
        peer,
        text: failure.text,
        ..attempt
    }))
}

/// The recipient and the fields. The address that was delivered to; where that is a bare local part, a pipe or a
/// file, the one it was made from, which stands in angle brackets. None inside: the line names none.
fn recipient(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    // `:blackhole:` ends in a colon of its own.
    let own = if text.starts_with(b":") { find(b' ', text)? } else { 0 };
    let end = address_end(text, own);
    let (first, rest) = text.split_at_checked(end)?;
    let (original, rest) = match rest.strip_prefix(b" <").and_then(address) {
        Some((original, rest)) => (Some(original), rest),
        None => (None, rest),
    };
    // Exim shows the local part without its quotes; the address in brackets has them.
    let unquoted =
        original.is_some_and(|original| original.starts_with(b"\"") && domain(original) == domain(first));
    let special = matches!(first.first(), None | Some(b'|' | b'/' | b':')) || !first.contains(&b'@');
    let named = if special || unquoted { original.or(Some(first)) } else { Some(first) };
    let nobody = first.is_empty() || begins(first, &[b"blackhole (", b"discarded ("]);
    Some((named.filter(|_| !nobody), rest))
}

/// From `at` on; the end of the text, if nothing else ends it.
fn address_end(text: &[u8], mut at: usize) -> usize {
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(found) = find_either(b' ', b':', rest) else { return text.len() };
        at += found;
        if ends_address(text.get(at..).unwrap_or_default()) {
            return at;
        }
        at += 1;
    }
}

/// ` <a@b>`, ` F=<…`, ` R=…`, ` T=…`, ` P=<…`, `: …`, ` : …`, ` defer (…`, ` routing defer (…`
fn ends_address(rest: &[u8]) -> bool {
    match rest {
        [b':', b' ', ..]
        | [b' ', b'<', ..]
        | [b' ', b'R' | b'T', b'=', ..]
        | [b' ', b'F' | b'P', b'=', b'<', ..]
        | [b' ', b':', b' ', ..] => true,
        [b' ', b'd', ..] => rest.starts_with(b" defer ("),
        [b' ', b'r', ..] => rest.starts_with(b" routing defer ("),
        _ => false,
    }
}

/// Cuts off ` QT=3s DT=0.2s`, which +queue_time and +deliver_time put behind the words.
fn times(mut words: &[u8]) -> &[u8] {
    for name in [&b" DT="[..], b" QT="] {
        if let Some((before, time)) = cut_last(words, name)
            && !time.contains(&b' ')
            && time.ends_with(b"s")
        {
            words = before;
        }
    }
    words
}

/// `=> a@b … C="250 OK" QT=3s DT=0.2s`: they stand behind all that others choose, so only the last words are looked at.
pub(super) fn delays(text: &[u8]) -> Phases {
    let (mut queue, mut delivery) = (None, None);
    for last in text.rsplit(|&byte| byte == b' ').take(2) {
        let (name, time) = last.split_at_checked(3).unwrap_or_default();
        // A reply that ends the line has its quote there, and is no time.
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
