//! Parses the replies of hosts that Exim logs before it tries the next host
//! (`H=mx [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<a@b>: 450 no`).

use super::client::is_field;
use super::failure::{Failure, after_host, is_of_dialog};
use super::host;
use crate::parse::mta::parsed::{ParsedLine, split_word};
use crate::simd::find;
use crate::smtp::event::{Direction, Event, Mta, Outcome, Peer, Stage};
use crate::smtp::reply::Reply;

/// Parses the reply of one host, or its failure: `H=mx [192.0.2.1]: SMTP error …`, `mx [192.0.2.1] Connection refused`,
/// `plain authenticator failed H=mx [192.0.2.1] 535 …`. `None`: another line about the message.
pub(crate) fn read<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<ParsedLine<'a>> {
    let attempt = Event { queue_id, ..Event::new(Mta::Exim, Direction::Outbound, Outcome::Attempt) };
    if let Some(rest) = split_word(text).1.strip_prefix(b"authenticator failed H=") {
        let (peer, rest) = host::read(rest)?;
        let text = rest.trim_ascii_start();
        let reply = Reply::read(text);
        let (code, enhanced) = (reply.map(|reply| reply.code), reply.and_then(|reply| reply.enhanced));
        let stage = Some(Stage::Auth);
        return Some(ParsedLine::Event(Event { code, enhanced, stage, peer, text, ..attempt }));
    }
    let of_host = |peer: Peer<'a>, failure: Failure<'a>| {
        ParsedLine::Event(Event {
            code: failure.reply.map(|reply| reply.code),
            enhanced: failure.reply.and_then(|reply| reply.enhanced),
            stage: failure.stage,
            peer,
            text: failure.text,
            ..attempt
        })
    };
    let Some((peer, rest)) = host::read(text.strip_prefix(b"H=").unwrap_or(text)) else {
        // Before 4.83, the text of the failure comes first; it names the host, or the line does not show it.
        let failure = Failure::read(text);
        let is_attempt = failure.peer.is_some() || is_of_dialog(text);
        return is_attempt.then(|| of_host(failure.peer.unwrap_or_default(), failure));
    };
    let is_client = || text.get(..text.len() - rest.len()).is_none_or(|host| host.contains(&b'('));
    let (_, words) = rest.split_at_checked(find::find(b' ', rest)? + 1)?;
    if text.starts_with(b"H=") && is_field(words) {
        // The fields of a client, which may have chosen their values. A host that mail is sent to has none here.
        return None;
    }
    let failure = Failure::read(after_host(words, words));
    let is_about_host = failure.stage.is_some() || failure.reply.is_some() || failure.remote;
    if is_about_host {
        return Some(of_host(peer, failure));
    }
    if rest.starts_with(b" ") && !is_client() && OWN_ERRNOS.contains(&words) {
        return Some(of_host(peer, Failure { stage: Some(Stage::Connect), ..failure }));
    }
    // `H=mx [192.0.2.1]: words` and `H=mx [192.0.2.1] Text of an errno` (Exim transports/smtp.c, write_logs): the fault is
    // on this host.
    let is_logged = text.starts_with(b"H=")
        && !is_client()
        && (rest.starts_with(b": ") || matches!(words, [b'A'..=b'Z', b'a'..=b'z', ..]));
    is_logged.then_some(ParsedLine::Routine)
}

/// Texts of an errno of connect(2) or bind(2) whose fault is on this host: no address of the host's family, a firewall, no
/// resources (Exim transports/smtp.c, write_logs).
const OWN_ERRNOS: [&[u8]; 9] = [
    b"Address already in use",
    b"Address family not supported by protocol",
    b"Address not available",
    b"Can't assign requested address",
    b"Cannot assign requested address",
    b"Network is down",
    b"No buffer space available",
    b"Operation not permitted",
    b"Permission denied",
];
