//! Parses the text in brackets at the end of a Postfix delivery line: a remote reply, or a failure without one
//! (`host mx[192.0.2.1] said: 550 no (in reply to RCPT TO command)`).

use crate::parse::mta::parsed::{begins, peer, split_last, split_once, split_word};
use crate::smtp::event::{Peer, Stage};
use crate::smtp::reply::Reply;

/// The reply of one host, or the reason why there is none.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct RemoteReply<'a> {
    pub peer: Option<Peer<'a>>,
    pub stage: Option<Stage>,
    pub reply: Option<Reply>,
    /// The text of the reply; without a reply, the whole text.
    pub text: &'a [u8],
    /// The queue manager repeats the failure of an earlier delivery to this destination.
    pub suspended: bool,
    /// The text is about a remote server, also if none was reached.
    pub remote: bool,
}

impl<'a> RemoteReply<'a> {
    /// Parses `host mx[ip] said: 550 … (in reply to RCPT TO command)`, `connect to mx[ip]:25: Connection refused`, and the
    /// other forms of the functions below.
    pub(crate) fn read(text: &'a [u8]) -> Self {
        let whole = text;
        let (suspended, text) = match text.strip_prefix(b"delivery temporarily suspended: ") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let kinds = [said, refused_tls, connect_failure, lost_connection, without_reply];
        let found = kinds.into_iter().find_map(|kind| kind(text));
        let answer = found.unwrap_or(Self { text, ..Self::default() });
        let remote = answer.peer.is_some() || suspended || text.starts_with(b"Host or domain name not found");
        let text = if answer.reply.is_none() { whole } else { answer.text };
        Self { text, suspended, remote, ..answer }
    }

    /// Whether nothing was recognized in the text.
    pub(crate) fn is_empty(&self) -> bool {
        self.reply.is_none() && self.stage.is_none() && !self.remote
    }

    /// Parses a text that is nothing but the reply: `250 2.0.0 Ok: queued as 9F1`.
    pub(crate) fn whole_text(text: &'a [u8]) -> Self {
        Self { reply: Reply::read(text), text, ..Self::default() }
    }
}

/// Parses `host mx[ip] said: 550 … (in reply to end of DATA command)`, `host mx[ip] refused to talk to me: 421 …`,
/// `SASL authentication failed; server mx[ip] said: 535 …` (postfix smtp_proto.c, smtp_sasl_glue.c).
fn said(text: &[u8]) -> Option<RemoteReply<'_>> {
    let login = text.strip_prefix(b"SASL authentication failed; server ");
    let (name, words) = split_word(login.or_else(|| text.strip_prefix(b"host "))?);
    let peer = peer(name).map(|(peer, _)| peer);
    if let Some(words) = words.strip_prefix(b"refused to talk to me: ") {
        let reply = Reply::read(words);
        return Some(RemoteReply {
            peer,
            stage: Some(Stage::Connect),
            reply,
            text: words,
            ..RemoteReply::default()
        });
    }
    let words = words.strip_prefix(b"said: ")?;
    let (words, stage) = match split_last(words, b" (in reply to ") {
        Some((words, command)) => (words, command_stage(command)),
        None => (words, None),
    };
    let stage = if login.is_some() { Some(Stage::Auth) } else { stage };
    Some(RemoteReply { peer, stage, reply: Reply::read(words), text: words, ..RemoteReply::default() })
}

/// The stage of `RCPT TO command)`. Commands outside a transaction (RSET, QUIT, XFORWARD) have none.
fn command_stage(command: &[u8]) -> Option<Stage> {
    const COMMANDS: [(&[u8], Stage); 9] = [
        (b"RCPT TO", Stage::Rcpt),
        (b"end of DATA", Stage::EndOfData),
        (b"MAIL FROM", Stage::Mail),
        (b"DATA", Stage::Data),
        (b"EHLO", Stage::Ehlo),
        (b"HELO", Stage::Ehlo),
        (b"LHLO", Stage::Ehlo),
        (b"STARTTLS", Stage::StartTls),
        (b"AUTH", Stage::Auth),
    ];
    COMMANDS.iter().find(|(name, _)| command.starts_with(name)).map(|&(_, stage)| stage)
}

/// Parses `TLS is required, but host mx[ip] refused to start TLS: 454 …`.
fn refused_tls(text: &[u8]) -> Option<RemoteReply<'_>> {
    let (name, words) =
        split_once(text.strip_prefix(b"TLS is required, but host ")?, b" refused to start TLS: ")?;
    let peer = peer(name).map(|(peer, _)| peer);
    Some(RemoteReply {
        peer,
        stage: Some(Stage::StartTls),
        reply: Reply::read(words),
        text: words,
        ..RemoteReply::default()
    })
}

/// Parses `connect to mx[ip]:25: Connection timed out`.
fn connect_failure(text: &[u8]) -> Option<RemoteReply<'_>> {
    let (peer, _) = peer(text.strip_prefix(b"connect to ")?)?;
    Some(RemoteReply { peer: Some(peer), stage: Some(Stage::Connect), text, ..RemoteReply::default() })
}

/// Parses `lost connection with mx[ip] while sending RCPT TO` and `conversation with mx[ip] timed out while …`
/// (postfix smtp_trouble.c).
fn lost_connection(text: &[u8]) -> Option<RemoteReply<'_>> {
    let name =
        text.strip_prefix(b"lost connection with ").or_else(|| text.strip_prefix(b"conversation with "))?;
    let (peer, rest) = peer(name)?;
    let (_, phase) = split_once(rest, b"while ")?;
    Some(RemoteReply { peer: Some(peer), stage: phase_stage(phase), text, ..RemoteReply::default() })
}

/// The stage of a phase. A connection lost while the body is sent counts as end of DATA, the next reply that was due.
fn phase_stage(phase: &[u8]) -> Option<Stage> {
    const PHASES: [(&[u8], Stage); 12] = [
        (b"greeting", Stage::Connect),
        (b"EHLO", Stage::Ehlo),
        (b"LHLO", Stage::Ehlo),
        (b"HELO", Stage::Ehlo),
        (b"STARTTLS", Stage::StartTls),
        (b"TLS handshake", Stage::StartTls),
        (b"SASL", Stage::Auth),
        (b"MAIL FROM", Stage::Mail),
        (b"RCPT TO", Stage::Rcpt),
        (b"DATA command", Stage::Data),
        (b"message body", Stage::EndOfData),
        (b"end of data", Stage::EndOfData),
    ];
    PHASES.iter().find(|(name, _)| split_once(phase, name).is_some()).map(|&(_, stage)| stage)
}

/// Parses failures that this server found without a reply: `TLS is required, but was not offered by host mx[ip]`,
/// `Cannot start TLS: handshake failure`, `Server certificate not trusted`,
/// `message size 9 exceeds size limit 8 of server mx[ip]`.
fn without_reply(text: &[u8]) -> Option<RemoteReply<'_>> {
    if text.starts_with(b"message size ") {
        let (_, server) = split_once(text, b" of server ")?;
        return Some(RemoteReply {
            peer: peer(server).map(|(peer, _)| peer),
            text,
            ..RemoteReply::default()
        });
    }
    if text.starts_with(b"SASL authentication failed") {
        let peer = split_once(text, b" server ")
            .and_then(|(_, name)| peer(split_word(name).0))
            .map(|(peer, _)| peer);
        return Some(RemoteReply { peer, stage: Some(Stage::Auth), text, ..RemoteReply::default() });
    }
    let tls =
        [&b"TLS is required"[..], b"Cannot start TLS", b"Server certificate", b"TLS-Required", b"Client TLS"];
    if !begins(text, &tls) {
        return None;
    }
    let peer = split_once(text, b" host ").and_then(|(_, name)| peer(name)).map(|(peer, _)| peer);
    Some(RemoteReply { peer, stage: Some(Stage::StartTls), text, ..RemoteReply::default() })
}
