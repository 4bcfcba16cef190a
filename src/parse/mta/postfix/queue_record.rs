//! Parses Postfix's routine lines about a message, from `client=` to `removed`.

use crate::parse::mta::parsed::{Reading, address, begins, cut, field, peer};
use crate::parse::mta::queue_record::{Context, Fact, Step, number};
use crate::simd::find;
use crate::smtp::event::Mta;

/// A line about no message is routine and no more.
pub(crate) fn reading<'a>(queue_id: Option<&'a [u8]>, step: Step, text: &'a [u8]) -> Reading<'a> {
    match queue_id {
        Some(queue_id) => Reading::Fact(Fact { mta: Mta::Postfix, queue_id, step, text }),
        None => Reading::Routine,
    }
}

/// `uid=1000 from=<anna>` (postfix pickup.c)
pub(crate) fn pickup<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Reading<'a> {
    if text.starts_with(b"uid=") { reading(queue_id, Step::Came, text) } else { Reading::Routine }
}

/// `removed`, `placed on hold`, `released from hold`, `requeued` (postfix postsuper.c)
pub(crate) fn postsuper<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Reading<'a> {
    let step = match text {
        b"removed" => Step::Deleted,
        b"placed on hold" => Step::Held,
        b"released from hold" => Step::Released,
        b"requeued" => Step::Renamed,
        _ => return Reading::Routine,
    };
    reading(queue_id, step, text)
}

/// `sender non-delivery notification: 4XYZ`, `sender delay notification: …`, `postmaster …` (postfix bounce.c): the id
/// of the notice. It is written, so named by its other lines, before this one.
pub(crate) fn bounce(text: &[u8]) -> Reading<'_> {
    if !begins(text, &[b"sender ", b"postmaster "]) {
        return Reading::Routine;
    }
    let notice = cut(text, b" notification: ").map(|(_, id)| id);
    let is_id = |id: &&[u8]| (5..=32).contains(&id.len()) && id.iter().all(u8::is_ascii_alphanumeric);
    reading(notice.filter(is_id), Step::Notice, text)
}

/// How many recipients `… nrcpt=1 (queue active)` names. It is the last field, and this is asked for every message.
pub(crate) fn recipients(text: &[u8]) -> Option<u32> {
    let (_, count) = text.split_at_checked(find::find_last(b'=', text)? + 1)?;
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    let mut digits = count.iter().map_while(digit);
    let first = digits.next()?;
    digits.try_fold(first, |sum, digit| sum.checked_mul(10)?.checked_add(digit))
}

pub(crate) fn context<'a>(fact: &Fact<'a>) -> Context<'a> {
    match fact.step {
        Step::Came => came(fact.text),
        Step::Named => {
            Context { message_id: fact.text.strip_prefix(b"message-id=").map(bare), ..Context::default() }
        }
        Step::Queued => queued(fact.text).unwrap_or_default(),
        Step::Notice
        | Step::Held
        | Step::Released
        | Step::Deleted
        | Step::Returned
        | Step::Renamed
        | Step::Gone => Context::default(),
    }
}

pub(crate) fn origin<'a>(fact: &Fact<'a>) -> Context<'a> {
    match fact.step {
        Step::Came => came(fact.text),
        Step::Queued => {
            let sender = fact.text.strip_prefix(b"from=<").and_then(address).map(|(sender, _)| sender);
            Context { sender, ..Context::default() }
        }
        Step::Named
        | Step::Notice
        | Step::Held
        | Step::Released
        | Step::Deleted
        | Step::Returned
        | Step::Renamed
        | Step::Gone => Context::default(),
    }
}

/// `client=mx[192.0.2.1], sasl_method=PLAIN, sasl_username=anna` (postfix smtpd.c); behind a proxy the client that
/// counts is `orig_client=mx[192.0.2.1]`.
fn came(text: &[u8]) -> Context<'_> {
    let Some(rest) = text.strip_prefix(b"client=") else { return Context::default() };
    // Most have no more than the client; to look for the rest took half of the reading.
    if let Some((peer, b"")) = peer(rest) {
        let client_host = peer.host.filter(|_| peer.ip.is_some());
        return Context { client: peer.ip.or(peer.host), client_host, ..Context::default() };
    }
    let rest = cut(rest, b", orig_client=").map_or(rest, |(_, rest)| rest);
    let named = peer(rest).map(|(peer, _)| peer).unwrap_or_default();
    let user = cut(text, b", sasl_username=").map(|(_, user)| user);
    let user = user.map(|user| field(user).map_or(user, |(user, _)| user));
    let client_host = named.host.filter(|_| named.ip.is_some());
    Context { client: named.ip.or(named.host), client_host, user, ..Context::default() }
}

/// `from=<a@b>, size=4521, nrcpt=1 (queue active)` (postfix qmgr_active.c)
fn queued(text: &[u8]) -> Option<Context<'_>> {
    let (sender, rest) = address(text.strip_prefix(b"from=<")?)?;
    let size = rest.strip_prefix(b", size=").and_then(field).and_then(|(size, _)| number(size));
    Some(Context { sender: Some(sender), size, recipients: recipients(rest), ..Context::default() })
}

/// `<a@b>` → `a@b`; what is not in brackets is taken as it is.
fn bare(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::header::Line;
    use crate::parse::mta;

    #[track_caller]
    fn says(text: &str, step: Option<Step>, context: Context) {
        let raw = format!("Nov 22 02:50:16 mx1 postfix/{text}");
        match (mta::read(&Line::read(raw.as_bytes())), step) {
            (Reading::Fact(fact), Some(step)) => {
                assert_eq!((fact.queue_id, fact.step), (&b"4jXCsJ3c7Hz7j9M"[..], step), "{text}");
                assert_eq!(mta::context(&fact), context, "{text}");
            }
            (reading, step) => assert!(reading == Reading::Routine && step.is_none(), "{text}: {reading:?}"),
        }
    }

    #[test]
    fn tells_who_a_message_is_from() {
        let none = Context::default();
        let queued =
            Context { sender: Some(b"a@example.org"), size: Some(4521), recipients: Some(12), ..none };
        says(
            "qmgr[7]: 4jXCsJ3c7Hz7j9M: from=<a@example.org>, size=4521, nrcpt=12 (queue active)",
            Some(Step::Queued),
            queued,
        );
        let bounce = Context { sender: Some(b""), ..queued };
        says(
            "qmgr[7]: 4jXCsJ3c7Hz7j9M: from=<>, size=4521, nrcpt=12 (queue active)",
            Some(Step::Queued),
            bounce,
        );
        let client = Context { client: Some(b"192.0.2.1"), client_host: Some(b"mx.example.org"), ..none };
        says("smtpd[7]: 4jXCsJ3c7Hz7j9M: client=mx.example.org[192.0.2.1]", Some(Step::Came), client);
        says(
            "submission/smtpd[7]: 4jXCsJ3c7Hz7j9M: client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=anna, \
            sasl_sender=x",
            Some(Step::Came),
            Context { user: Some(b"anna"), client_host: Some(b"unknown"), ..client },
        );
        says(
            "smtpd[7]: 4jXCsJ3c7Hz7j9M: client=localhost[127.0.0.1], orig_queue_id=1F, \
            orig_client=mx.example.org[192.0.2.1]",
            Some(Step::Came),
            client,
        );
        let named = Context { message_id: Some(b"1@example.org"), ..none };
        says("cleanup[7]: 4jXCsJ3c7Hz7j9M: message-id=<1@example.org>", Some(Step::Named), named);
        says(
            "cleanup[7]: 4jXCsJ3c7Hz7j9M: message-id=<>",
            Some(Step::Named),
            Context { message_id: Some(b""), ..none },
        );
        says("pickup[7]: 4jXCsJ3c7Hz7j9M: uid=0 from=<root>", Some(Step::Came), none);
        says("qmgr[7]: 4jXCsJ3c7Hz7j9M: removed", Some(Step::Gone), none);
        says("postsuper[7]: 4jXCsJ3c7Hz7j9M: placed on hold", Some(Step::Held), none);
        for words in [
            "sender non-delivery notification",
            "sender delay notification",
            "sender delivery status notification",
            "postmaster non-delivery notification",
        ] {
            let text = format!("bounce[7]: 4jXCsJ3c7Hz7j9L: {words}: 4jXCsJ3c7Hz7j9M");
            says(&text, Some(Step::Notice), none);
        }
    }

    #[test]
    fn lines_about_no_message_are_no_facts() {
        for text in [
            "smtpd[7]: NOQUEUE: client=mx.example.org[192.0.2.1]",
            "qmgr[7]: warning: 4jXCsJ3c7Hz7j9M: removed",
            "qmgr[7]: 4jXCsJ3c7Hz7j9M: skipped, still being delivered",
            "pickup[7]: fatal: uid=0",
            "postsuper[7]: Deleted: 1 message",
            "postsuper[7]: Placed on hold: 1 message",
            "bounce[7]: 4jXCsJ3c7Hz7j9L: sender non-delivery notification: ",
            "bounce[7]: 4jXCsJ3c7Hz7j9L: sender non-delivery notification: of 4jXCsJ3c7Hz7j9M",
            "bounce[7]: 4jXCsJ3c7Hz7j9M: delivery notification: 4jXCsJ3c7Hz7j9N",
        ] {
            says(text, None, Context::default());
        }
    }
}
