//! Parses the text after the last field of a failed Exim delivery into stage, reply and host
//! (`SMTP error from remote mail server after RCPT TO:<a@b>: 550 no`).

use super::host;
use crate::parse::mta::parsed::{address, begins, find, split_once};
use crate::smtp::event::{Peer, Stage};
use crate::smtp::reply::Reply;

/// Why a delivery failed.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Failure<'a> {
    pub stage: Option<Stage>,
    pub reply: Option<Reply>,
    /// The host, which older versions of Exim write into this text.
    pub peer: Option<Peer<'a>>,
    /// The text of the reply; without a reply, the whole text.
    pub text: &'a [u8],
    /// The text is about a remote server.
    pub remote: bool,
    /// The LMTP transport wrote the text. It hands over to a socket or a program of this host; without a host in the line,
    /// nothing but this host is meant.
    pub lmtp: bool,
}

impl<'a> Failure<'a> {
    /// Parses `SMTP error from remote mail server after RCPT TO:<a@b>: 550 …`, `SMTP timeout after EHLO x`,
    /// `Connection refused` and others (Exim transports/smtp.c, check_response).
    pub(crate) fn read(text: &'a [u8]) -> Self {
        let none = Self { text, ..Self::default() };
        // The commonest beginning.
        if let Some(command) = text.strip_prefix(ANSWER) {
            return Self::of_command(ANSWER, true, text, command);
        }
        if CONNECT.contains(&text) {
            return Self { stage: Some(Stage::Connect), remote: true, ..none };
        }
        if let Some(failure) = Self::of_named_host(text) {
            return failure;
        }
        // The text of an errno may precede the mark; behind a longer text, a mark could be forged.
        let near = text.get(..112).unwrap_or(text);
        for (mark, replies) in COMMANDS {
            let Some((before, _)) = split_once(near, mark) else { continue };
            let command = text.get(before.len() + mark.len()..).unwrap_or_default();
            return Self::of_command(mark, replies, text, command);
        }
        // `Failed to connect to socket /run/dovecot/lmtp for dovecot_lmtp transport: No such file or directory`
        if split_once(near, b"ailed to connect to socket ").is_some() {
            return Self { stage: Some(Stage::Connect), lmtp: true, ..none };
        }
        if TLS.iter().any(|words| split_once(text, words).is_some()) {
            return Self { stage: Some(Stage::StartTls), remote: true, ..none };
        }
        if AUTH.iter().any(|words| split_once(text, words).is_some()) {
            return Self { stage: Some(Stage::Auth), remote: true, ..none };
        }
        if begins(text, &CONNECT) {
            return Self { stage: Some(Stage::Connect), remote: true, ..none };
        }
        let remote = REMOTE.iter().any(|words| split_once(text, words).is_some());
        Self { remote, ..none }
    }

    /// Parses `SMTP timeout while connected to mx [192.0.2.1] after RCPT TO:<a@b>: …`, as versions before 4.83 write
    /// (transports/smtp.c, check_response).
    fn of_named_host(text: &'a [u8]) -> Option<Self> {
        let (_, named) = NAMED_HOST.iter().find_map(|mark| Some((mark, text.strip_prefix(*mark)?)))?;
        let (peer, rest) = host::read(named)?;
        let at = |mark: &[u8]| rest.strip_prefix(mark);
        let command = at(b" after ")
            .or_else(|| at(b" in response to "))
            .or_else(|| at(b" closed connection in response to "))
            .or_else(|| at(b" closed connection after "))?;
        let (stage, _) = command_stage(command);
        Some(Self { stage, reply: None, peer: Some(peer), text, remote: true, lmtp: false })
    }

    /// The failure at a command; `command` follows the mark.
    fn of_command(mark: &[u8], replies: bool, text: &'a [u8], command: &'a [u8]) -> Self {
        let (stage, rest) = command_stage(command);
        // Both have a reply for each recipient at the end of the message, which the text calls DATA.
        let at_end = mark.starts_with(b"LMTP") || mark.starts_with(b"PRDR");
        let is_end = at_end && matches!(stage, None | Some(Stage::Data));
        let stage = if is_end { Some(Stage::EndOfData) } else { stage };
        let lmtp = mark.starts_with(b"LMTP") || mark.starts_with(b"Malformed LMTP");
        let (peer, words) = host(rest.strip_prefix(b": ").unwrap_or(rest));
        let reply = if replies { Reply::read(words) } else { None };
        let text = if reply.is_some() { words } else { text };
        Self { stage, reply, peer, text, remote: true, lmtp }
    }
}

/// Whether the text begins with the reply of a server.
pub(crate) fn is_answer(words: &[u8]) -> bool {
    words.starts_with(ANSWER)
}

const ANSWER: &[u8] = b"SMTP error from remote mail server after ";

/// The failure behind the host. If the host occurs twice and nothing follows, the text of the errno is the failure.
pub(crate) fn after_host<'a>(named: &'a [u8], words: &'a [u8]) -> &'a [u8] {
    match host::read(named) {
        Some((_, b"")) => words,
        Some((_, rest)) => rest.strip_prefix(b": ").unwrap_or(named),
        None => named,
    }
}

/// Whether the text begins with what happened at an SMTP command.
pub(crate) fn is_of_dialog(text: &[u8]) -> bool {
    COMMANDS.iter().any(|(mark, _)| text.starts_with(mark))
}

/// Marks before the command at which a delivery failed, and whether a reply follows the command.
const COMMANDS: [(&[u8], bool); 12] = [
    (ANSWER, true),
    (b"LMTP error after ", true),
    (b"PRDR error after ", true),
    (b"SMTP error from remote mailer after ", true),
    (b"SMTP timeout after ", false),
    (b"SMTP timeout while connected to ", false),
    (b"Remote host closed connection in response to ", false),
    (b"Malformed SMTP reply in response to ", false),
    (b"Malformed SMTP reply (an empty line) in response to ", false),
    // transports/lmtp.c, check_response
    (b"LMTP timeout after ", false),
    (b"LMTP connection closed after ", false),
    (b"Malformed LMTP response after ", false),
];

/// Beginnings of texts that old versions continue with the host.
const NAMED_HOST: [&[u8]; 3] =
    [b"SMTP timeout while connected to ", b"Remote host ", b"Malformed SMTP reply from "];

/// Parts of the texts about failures of TLS.
const TLS: [&[u8]; 5] =
    [b"TLS session is required", b"TLS session: ", b"TLS error", b"DANE error", b"STARTTLS not supported"];

/// Parts of the texts about failures of authentication to a remote server.
const AUTH: [&[u8]; 3] = [b"uthentication required but", b"authenticators found", b"authentication failed"];

/// Texts about a connection that failed: mostly strerror(3) of an errno.
const CONNECT: [&[u8]; 12] = [
    b"Connection refused",
    b"Connection timed out",
    b"Connection reset",
    b"Network Error",
    b"Network is unreachable",
    b"No route to host",
    b"Host is unreachable",
    b"Host is down",
    b"Operation timed out",
    b"remote host address is the local host",
    b"connect-timeout",
    b"failed to connect",
];

/// Parts of texts about routing and queueing that occur only for remote mail.
const REMOTE: [&[u8]; 19] = [
    b"Broken pipe",
    b"retry time not reached for any host",
    b"all hosts ",
    b"have been failing",
    b"host lookup did not complete",
    b"lowest numbered MX record",
    b"MX record",
    b"no SMTP service",
    b"connection limit reached",
    b"SMTP delivery explicitly queued",
    b"queue_smtp_domains",
    b"not a mail exchanger",
    b"all relevant MX",
    b"no host found",
    b"Unrouteable address",
    b"unrouteable mail domain",
    b"Mailing to remote domains not supported",
    b"exceeded the max ",
    b"has an outgoing mail ",
];

/// Splits `RCPT TO:<a@b>: 550 …` into the stage and `: 550 …`.
fn command_stage(command: &[u8]) -> (Option<Stage>, &[u8]) {
    const STAGES: [(&[u8], Stage); 15] = [
        (b"initial connection", Stage::Connect),
        (b"EHLO", Stage::Ehlo),
        (b"HELO", Stage::Ehlo),
        (b"LHLO", Stage::Ehlo),
        (b"STARTTLS", Stage::StartTls),
        (b"TLS-on-connect", Stage::StartTls),
        (b"AUTH", Stage::Auth),
        (b"MAIL FROM:", Stage::Mail),
        (b"RCPT TO:", Stage::Rcpt),
        (b"DATA", Stage::Data),
        (b"BDAT", Stage::EndOfData),
        (b"end of data", Stage::EndOfData),
        (b"sending data", Stage::EndOfData),
        (b"message data", Stage::EndOfData),
        (b".", Stage::EndOfData),
    ];
    let command = command.strip_prefix(b"pipelined ").unwrap_or(command);
    // The first bytes are compared first, since a longer compare is a call.
    let is = |name: &[u8]| name.first() == command.first() && command.starts_with(name);
    let Some(&(name, stage)) = STAGES.iter().find(|(name, _)| is(name)) else {
        return (None, from_colon(command));
    };
    let rest = command.get(name.len()..).unwrap_or_default();
    let rest = rest.strip_prefix(b"<").and_then(address).map_or(rest, |(_, rest)| rest);
    (Some(stage), from_colon(rest))
}

/// The text from the colon on that ends the command.
fn from_colon(text: &[u8]) -> &[u8] {
    if text.starts_with(b": ") {
        return text;
    }
    text.get(find(text, b": ").unwrap_or(text.len())..).unwrap_or_default()
}

/// Splits `host mx.example.org [192.0.2.1]: 450 …` into the host and `450 …`.
fn host(text: &[u8]) -> (Option<Peer<'_>>, &[u8]) {
    let found = text.strip_prefix(b"host ").and_then(host::read);
    found.and_then(|(peer, rest)| Some((Some(peer), rest.strip_prefix(b": ")?))).unwrap_or((None, text))
}
