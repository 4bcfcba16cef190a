//! Parses Exim's reject lines, of its ACLs and of its own checks (`H=mx [192.0.2.1] F=<a@b> rejected RCPT <c@d>: …`).

use super::client::{RejectedClient, event};
use super::{connection, host};
use crate::parse::mta::parsed::{ParsedLine, address, find, split_colon, split_once, split_word};
use crate::smtp::event::{Event, Outcome, Stage};
use crate::smtp::reply::Class;

/// Parses a reject line. `None`: not a rejection.
pub(crate) fn read<'a>(queue_id: Option<&'a [u8]>, text: &'a [u8]) -> Option<ParsedLine<'a>> {
    let of_client = || {
        let (client, rest) = RejectedClient::read(text);
        verdict(client, rest)
    };
    // Most reject lines begin with `H=`, and none of the other kinds does.
    let mut event = if text.starts_with(b"H=") {
        of_client()?
    } else {
        let kinds = [
            login_failure,
            synchronization_error,
            connection::read,
            too_many_recipients,
            unqualified_address,
            refused_recipient,
        ];
        kinds.into_iter().find_map(|kind| kind(text)).or_else(of_client)?
    };
    event.queue_id = queue_id;
    Some(ParsedLine::Event(event))
}

/// Parses `rejected RCPT <a@b>: words`, `temporarily rejected MAIL <a@b>`, `dropped by 'connect' ACL: words` and
/// `RCPT <a@b>: discarded by RCPT ACL` (Exim smtp_in.c, smtp_handle_acl_fail).
fn verdict<'a>(client: RejectedClient<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    if let Some(rest) = text.strip_prefix(b"RCPT ") {
        let (recipient, rest) = argument(rest);
        let words = rest.strip_prefix(b": ").filter(|words| words.starts_with(b"discarded by "))?;
        let event = event(client, Outcome::Discarded, Some(Stage::Rcpt), Class::Positive, words);
        return Some(Event { recipient: Some(recipient), hint: None, ..event });
    }
    let (hint, rest) = match text.strip_prefix(b"temporarily ") {
        Some(rest) => (Class::Transient, rest),
        None => (Class::Permanent, text),
    };
    if let Some(rest) = rest.strip_prefix(b"dropped by ") {
        return Some(event(client, Outcome::Rejected, acl_stage(rest), hint, words(rest)));
    }
    // `tmp-reject from cutthrough after DATA: R=r T=t H=mx [ip]: 450 no` (Exim verify.c, cutthrough_finaldot)
    if let Some(rest) = rest.strip_prefix(b"tmp-reject from cutthrough ") {
        return Some(event(client, Outcome::Rejected, Some(Stage::EndOfData), Class::Transient, words(rest)));
    }
    let rest = rest.strip_prefix(b"rejected ")?;
    let refused = |stage, words| event(client, Outcome::Rejected, stage, hint, words);
    let (command, argument_on) = split_word(rest);
    Some(match command.strip_suffix(b":").unwrap_or(command) {
        b"RCPT" => {
            let (recipient, rest) = argument(argument_on);
            Event { recipient: Some(recipient), ..refused(Some(Stage::Rcpt), words(rest)) }
        }
        // `MAIL command H=…: too many messages in one connection`
        b"MAIL" if argument_on.starts_with(b"command ") => {
            let (client, rest) = RejectedClient::read(argument_on.get(8..)?);
            event(client, Outcome::Rejected, Some(Stage::Mail), hint, words(rest))
        }
        b"MAIL" => match (argument_on.strip_prefix(b"from "), argument_on.strip_prefix(b"FROM:")) {
            (Some(from), _) => from_peer(refused(Some(Stage::Mail), words(argument_on)), from),
            // `MAIL FROM:<a@b> H=…: message too big: size=99999 max=20000`
            (None, Some(from)) => too_big(from, |words| refused(Some(Stage::Mail), words)),
            (None, None) => {
                let (sender, rest) = argument(argument_on);
                Event { sender: Some(sender), ..refused(Some(Stage::Mail), words(rest)) }
            }
        },
        // `from <a@b> H=… U=…: message too big: read=501 max=500`
        b"from" => too_big(argument_on, |words| refused(Some(Stage::EndOfData), words)),
        b"after" | b"during" | b"by" => {
            let stage = if argument_on.starts_with(b"non-SMTP") { None } else { Some(Stage::EndOfData) };
            refused(stage, words(argument_on))
        }
        b"connection" => refused(Some(Stage::Connect), words(argument_on)),
        b"DKIM" | b"PRDR" => refused(Some(Stage::EndOfData), words(argument_on)),
        b"PREDATA" => refused(Some(Stage::Data), words(argument_on)),
        b"MAILAUTH" => refused(Some(Stage::Mail), words(argument_on)),
        b"DATA" => refused(Some(Stage::Data), words(rest)),
        b"AUTH" => refused(Some(Stage::Auth), words(argument_on)),
        b"STARTTLS" => refused(Some(Stage::StartTls), words(argument_on)),
        b"EHLO" | b"HELO" | b"LHLO" => match argument_on.strip_prefix(b"from ") {
            Some(from) => from_peer(refused(Some(Stage::Ehlo), words(argument_on)), from),
            None => refused(Some(Stage::Ehlo), words(argument_on)),
        },
        b"XCLIENT" => from_peer(refused(None, words(argument_on)), argument_on.strip_prefix(b"from ")?),
        b"VRFY" | b"EXPN" | b"ETRN" | b"ATRN" | b"QUIT" | b"NOTQUIT" | b"BDAT" | b"WELLKNOWN" => {
            refused(None, words(argument_on))
        }
        _ => return None,
    })
}

/// Parses the rest of a line about a message that is too big: `<a@b> H=… U=…: words`.
fn too_big<'a>(text: &'a [u8], refused: impl Fn(&'a [u8]) -> Event<'a>) -> Event<'a> {
    let (sender, rest) = argument(text);
    let rest = rest.trim_ascii_start();
    let peer = rest.strip_prefix(b"H=").and_then(host::read).map(|(peer, _)| peer);
    Event { sender: Some(sender), peer: peer.unwrap_or_default(), ..refused(words(rest)) }
}

/// Splits `<a@b>: words` into the address and `: words`. Old versions leave out the brackets.
fn argument(text: &[u8]) -> (&[u8], &[u8]) {
    text.strip_prefix(b"<").and_then(address).unwrap_or_else(|| {
        let end = find(text, b": ").unwrap_or(text.len());
        text.split_at(end)
    })
}

fn from_peer<'a>(event: Event<'a>, from: &'a [u8]) -> Event<'a> {
    Event {
        peer: host::read(from.strip_prefix(b"H=").unwrap_or(from)).map(|(p, _)| p).unwrap_or_default(),
        ..event
    }
}

/// The message of an ACL: `words` in `… in "connect" ACL: words`. Empty if it has none.
fn words(text: &[u8]) -> &[u8] {
    // Mostly the text begins with the colon.
    text.strip_prefix(b": ").unwrap_or_else(|| split_colon(text).map_or(b"", |(_, words)| words))
}

/// The stage of `'connect' ACL: words`. `None`: not an ACL of a stage.
fn acl_stage(text: &[u8]) -> Option<Stage> {
    let (name, _) = split_once(text.strip_prefix(b"'")?, b"'")?;
    Some(match name {
        b"connect" | b"connection" => Stage::Connect,
        b"EHLO or HELO" | b"EHLO" | b"HELO" => Stage::Ehlo,
        b"STARTTLS" => Stage::StartTls,
        b"AUTH" => Stage::Auth,
        b"MAIL" => Stage::Mail,
        b"RCPT" => Stage::Rcpt,
        b"DATA" => Stage::EndOfData,
        _ => return None,
    })
}

/// Parses `dovecot_login authenticator failed for host (helo) [ip]:55379 I=[ip]:587: 535 Incorrect authentication data`.
fn login_failure(text: &[u8]) -> Option<Event<'_>> {
    let rest = split_word(text).1.strip_prefix(b"authenticator failed for ")?;
    let named = rest.strip_prefix(b"H=").unwrap_or(rest);
    let (client, rest) = match host::read_before_user(named) {
        Some((peer, rest)) => (RejectedClient { peer, ..RejectedClient::default() }, rest),
        None => (RejectedClient::default(), rest),
    };
    let words = host::login_verdict(rest).unwrap_or_else(|| words(rest));
    Some(event(client, Outcome::Rejected, Some(Stage::Auth), Class::Permanent, words))
}

/// Parses `SMTP protocol synchronization error (…): rejected "ehlo abcd" H=[ip] next input="…"`.
fn synchronization_error(text: &[u8]) -> Option<Event<'_>> {
    let rest = text.strip_prefix(b"SMTP protocol ")?;
    // Older versions write `violation: synchronization error`.
    let rest = rest.strip_prefix(b"violation: ").unwrap_or(rest).strip_prefix(b"synchronization error ")?;
    let (_, rest) = split_once(rest, b": rejected ")?;
    // The quoted command may contain the field, too.
    let mark: &[u8] = if rest.starts_with(b"\"") { b"\" H=" } else { b"H=" };
    let client = split_once(rest, mark)
        .and_then(|(_, rest)| host::read(rest))
        .map(|(peer, _)| peer)
        .unwrap_or_default();
    let quoted = rest.strip_prefix(b"\"").unwrap_or_default();
    let verb = |name: &[u8]| quoted.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let stage = if rest.starts_with(b"connection") {
        Some(Stage::Connect)
    } else if verb(b"ehlo") || verb(b"helo") {
        Some(Stage::Ehlo)
    } else if verb(b"mail") {
        Some(Stage::Mail)
    } else if verb(b"rcpt") {
        Some(Stage::Rcpt)
    } else if verb(b"data") {
        Some(Stage::Data)
    } else {
        None
    };
    Some(event(
        RejectedClient { peer: client, ..RejectedClient::default() },
        Outcome::Rejected,
        stage,
        Class::Permanent,
        text,
    ))
}

/// Parses `unqualified recipient rejected: <userx> H=…` (Exim smtp_in.c). Exim replies with 501.
fn unqualified_address(text: &[u8]) -> Option<Event<'_>> {
    let rest = text.strip_prefix(b"unqualified ")?;
    let (what, rest) = split_once(rest, b" rejected: <")?;
    let (named, rest) = address(rest)?;
    let (client, _) = RejectedClient::read(rest.trim_ascii_start());
    let refused = |stage| event(client, Outcome::Rejected, Some(stage), Class::Permanent, text);
    match what {
        b"recipient" => Some(Event { recipient: Some(named), ..refused(Stage::Rcpt) }),
        b"sender" => Some(Event { sender: Some(named), ..refused(Stage::Mail) }),
        _ => None,
    }
}

/// Parses `too many recipients: excess temporarily rejected: sender=<a@b> H=…`.
fn too_many_recipients(text: &[u8]) -> Option<Event<'_>> {
    let rest = text.strip_prefix(b"too many recipients: ")?;
    let (how, rest) = split_once(rest, b"rejected: sender=<")?;
    let hint = if split_once(how, b"temporarily").is_some() { Class::Transient } else { Class::Permanent };
    let (sender, rest) = address(rest)?;
    let (client, _) = RejectedClient::read(rest.trim_ascii_start());
    let event = event(client, Outcome::Rejected, Some(Stage::Rcpt), hint, text);
    Some(Event { sender: Some(sender), ..event })
}

/// Parses `PRDR R=<a@b> refusal`, `PRDR R=<a@b> temporary refusal`, and `PRDR a@b words` with the message of the ACL for
/// the data of one recipient (Exim receive.c). Without a message, an accepted recipient is `PRDR R=<a@b> acceptance`.
fn refused_recipient(text: &[u8]) -> Option<Event<'_>> {
    let rest = text.strip_prefix(b"PRDR ")?;
    let refused = |recipient, hint, words| {
        let event = event(
            RejectedClient::default(),
            Outcome::Rejected,
            Some(Stage::EndOfData),
            Class::Permanent,
            words,
        );
        Event { recipient: Some(recipient), hint, ..event }
    };
    if let Some((recipient, verdict)) = rest.strip_prefix(b"R=<").and_then(address) {
        return match verdict {
            b" refusal" => Some(refused(recipient, Some(Class::Permanent), text)),
            b" temporary refusal" => Some(refused(recipient, Some(Class::Transient), text)),
            _ => None,
        };
    }
    let (recipient, words) = split_word(rest);
    // The message does not say whether a retry helps, unless it begins with a code.
    (recipient.contains(&b'@') && !words.is_empty()).then(|| refused(recipient, None, words))
}
