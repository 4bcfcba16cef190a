//! Parses Exim's own refusals of connections, greetings and whole messages, which no ACL decides
//! (`temporarily refused connection from [192.0.2.1]: not in reserve list: connected=20 …`).

use super::client::{RejectedClient, event};
use super::host;
use crate::parse::mta::parsed::{begins, split_colon, split_once};
use crate::smtp::event::{Event, Outcome, Stage};
use crate::smtp::reply::Class;

/// Parses a refusal. `None`: a line of another kind.
pub(crate) fn read(text: &[u8]) -> Option<Event<'_>> {
    let kinds = [
        refused_connection,
        connection_refused,
        dropped_call,
        no_space,
        refused_greeting,
        header_too_long,
        crashed_local_scan,
        abandoned_message,
    ];
    kinds.into_iter().find_map(|kind| kind(text))
}

/// Whether Exim writes the refusal only to its mainlog, and not to its rejectlog (`LOG_MAIN` without `LOG_REJECT`). Syslog
/// has one line of it.
pub(crate) fn is_logged_once(text: &[u8]) -> bool {
    const STARTS: [&[u8]; 9] = [
        b"spool directory space check failed",
        b"log directory space check failed",
        b"temporarily refused connection ",
        b"Connection from ",
        b"ridiculously long ",
        b"overlong message header ",
        b"Message abandoned: ",
        b"Spool write error: ",
        b"spool file ",
    ];
    begins(text, &STARTS)
}

fn rejected<'a>(from: &'a [u8], stage: Option<Stage>, hint: Class, text: &'a [u8]) -> Event<'a> {
    event(from_client(from), Outcome::Rejected, stage, hint, text)
}

fn from_client(text: &[u8]) -> RejectedClient<'_> {
    let peer = host::read(text.strip_prefix(b"H=").unwrap_or(text)).map(|(peer, _)| peer);
    RejectedClient { peer: peer.unwrap_or_default(), ..RejectedClient::default() }
}

/// Parses `refused connection from [ip] (host_reject_connection)` and `temporarily refused connection from [ip]: not in
/// reserve list: …`, which the client gets as 554 and 421 (Exim smtp_in.c, smtp_start_session).
fn refused_connection(text: &[u8]) -> Option<Event<'_>> {
    let (hint, rest) = match text.strip_prefix(b"temporarily ") {
        Some(rest) => (Class::Transient, rest),
        None => (Class::Permanent, text),
    };
    let from = rest.strip_prefix(b"refused connection from ")?;
    Some(rejected(from, Some(Stage::Connect), hint, text))
}

/// Parses `Connection from [ip] refused: too many connections` (Exim daemon.c, handle_smtp_call) and `connection from [ip]
/// refused (IP options)` (smtp_in.c).
fn connection_refused(text: &[u8]) -> Option<Event<'_>> {
    if let Some(from) = text.strip_prefix(b"Connection from ") {
        split_once(from, b" refused: ")?;
        return Some(rejected(from, Some(Stage::Connect), Class::Transient, text));
    }
    let from = text.strip_prefix(b"connection from ")?;
    from.ends_with(b" refused (IP options)")
        .then(|| rejected(from, Some(Stage::Connect), Class::Permanent, text))
}

/// Parses `SMTP call from [ip] dropped: too many unrecognized commands (last was "…")` (Exim smtp_in.c).
fn dropped_call(text: &[u8]) -> Option<Event<'_>> {
    let from = text.strip_prefix(b"SMTP call from ")?;
    split_once(from, b" dropped: ")?;
    Some(rejected(from, None, Class::Permanent, text))
}

/// Parses `spool directory space check failed: space=4 inodes=12` (Exim receive.c, receive_check_fs). Exim replies with 452
/// to MAIL, and the line does not name the client.
fn no_space(text: &[u8]) -> Option<Event<'_>> {
    let rest = text.strip_prefix(b"spool").or_else(|| text.strip_prefix(b"log"))?;
    rest.strip_prefix(b" directory space check failed: ")?;
    Some(rejected(b"", Some(Stage::Mail), Class::Transient, text))
}

/// Parses `rejected "EHLO h" from (h) [ip]` and `temporarily rejected …`: helo_verify_hosts asked for the check (Exim
/// smtp_in.c). The client chooses the name, so the host must repeat it.
fn refused_greeting(text: &[u8]) -> Option<Event<'_>> {
    let (hint, rest) = match text.strip_prefix(b"temporarily ") {
        Some(rest) => (Class::Transient, rest),
        None => (Class::Permanent, text),
    };
    let quoted = rest.strip_prefix(b"rejected \"")?;
    let (verb, argument) = (quoted.get(..4)?, quoted.get(4..)?);
    let stage = match verb {
        b"EHLO" | b"HELO" | b"LHLO" => Some(Stage::Ehlo),
        _ => None,
    };
    let argument = argument.strip_prefix(b" ").unwrap_or(argument);
    let (_, mut client) = split_once(argument, FROM)?;
    while !repeats(client, argument.get(..argument.len() - client.len() - FROM.len())?) {
        let Some((_, next)) = split_once(client, FROM) else { break };
        client = next;
    }
    Some(rejected(client, stage, hint, text))
}

/// What separates the command from the client.
const FROM: &[u8] = b"\" from ";

/// Whether the client's host name or HELO name is this one. Exim leaves a HELO name out where it equals the host name.
fn repeats(client: &[u8], name: &[u8]) -> bool {
    let Some((peer, rest)) = host::read(client) else { return false };
    let shown = client.get(..client.len() - rest.len()).and_then(host::helo_name).or(peer.host);
    shown.is_some_and(|shown| shown.eq_ignore_ascii_case(name))
}

/// Parses `ridiculously long message header received from [ip] (more than 9 characters): message abandoned`, and the same
/// of a single line (Exim receive.c). The client gets a 552.
fn header_too_long(text: &[u8]) -> Option<Event<'_>> {
    let from = text
        .strip_prefix(b"ridiculously long message header received from ")
        .or_else(|| text.strip_prefix(b"overlong message header line received from "))?;
    split_colon(from).filter(|(_, words)| words.starts_with(b"message abandoned"))?;
    Some(rejected(from, Some(Stage::EndOfData), Class::Permanent, text))
}

/// Parses `local_scan() function timed out - message temporarily rejected (size 9)` (Exim receive.c). The client gets a 451.
fn crashed_local_scan(text: &[u8]) -> Option<Event<'_>> {
    let (_, rest) = split_once(text.strip_prefix(b"local_scan() function ")?, b" - message ")?;
    rest.starts_with(b"temporarily rejected")
        .then(|| rejected(b"", Some(Stage::EndOfData), Class::Transient, text))
}

/// Parses `Message abandoned: Spool write error (No space left on device) while receiving message from mx [ip]`, `Message
/// abandoned: spool file write error while receiving from mx [ip]: No space left on device` and `Spool write error: No space
/// left on device` (Exim receive.c and spool_out.c). The client gets a 451.
fn abandoned_message(text: &[u8]) -> Option<Event<'_>> {
    let words = text.strip_prefix(b"Message abandoned: ");
    let from = [&b" while receiving message from "[..], b" error while receiving from "]
        .iter()
        .find_map(|mark| split_once(words.unwrap_or(text), mark));
    let is_its = words.is_some()
        || text.starts_with(b"Spool write error: ")
        || text.starts_with(b"spool file ") && from.is_some();
    let from = from.map_or(&b""[..], |(_, from)| from);
    is_its.then(|| rejected(from, Some(Stage::EndOfData), Class::Transient, text))
}
