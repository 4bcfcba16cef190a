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
        let (suspended, text) = match text.strip_prefix(b"delivery temporarily suspended: ") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let kinds = [said, refused_tls, connect_failure, lost_connection, without_reply];
        let found = kinds.into_iter().find_map(|kind| kind(text));
        let answer = found.unwrap_or(Self { text, ..Self::default() });
        let remote =
            answer.peer.is_some() || begins(text, &DNS_FAILURES) || suspended && !is_of_queue_manager(text);
        Self { suspended, remote, ..answer }
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
/// `SASL authentication failed; server mx[ip] said: 535 …`, `SASL [CACHED] authentication failed; server mx said: 535 …`
/// (postfix smtp_proto.c, smtp_sasl_glue.c), and `Protocol error: host mx[ip] said: 220 …`: the reply is no refusal, so it
/// was unexpected there (postfix smtp_trouble.c, vsmtp_fill_dsn).
fn said(text: &[u8]) -> Option<RemoteReply<'_>> {
    let login = text
        .strip_prefix(b"SASL authentication failed; server ")
        .or_else(|| text.strip_prefix(b"SASL [CACHED] authentication failed; server "));
    let unexpected = text.strip_prefix(b"Protocol error: ");
    let (name, words) = split_word(login.or_else(|| unexpected.unwrap_or(text).strip_prefix(b"host "))?);
    let bare = || Peer { host: login.is_some().then_some(name), ..Peer::default() };
    let peer = Some(peer(name).map_or_else(bare, |(peer, _)| peer)).filter(|peer| *peer != Peer::default());
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
    if unexpected.is_some() {
        return Some(RemoteReply { peer, stage, text, ..RemoteReply::default() });
    }
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

/// Parses `TLS is required, but host mx[ip] refused to start TLS: 454 …`, also after `Sender requested REQUIRETLS`.
fn refused_tls(text: &[u8]) -> Option<RemoteReply<'_>> {
    let wanted = text
        .strip_prefix(b"TLS is required, but host ")
        .or_else(|| text.strip_prefix(b"Sender requested REQUIRETLS, but host "))?;
    let (name, words) = split_once(wanted, b" refused to start TLS: ")?;
    let peer = peer(name).map(|(peer, _)| peer);
    Some(RemoteReply {
        peer,
        stage: Some(Stage::StartTls),
        reply: Reply::read(words),
        text: words,
        ..RemoteReply::default()
    })
}

/// Parses `connect to mx[ip]:25: Connection timed out`, and `connect to mx[ip]: server refused to talk to me: 421 no   (port
/// 25)` of versions before 2.3.
fn connect_failure(text: &[u8]) -> Option<RemoteReply<'_>> {
    let (peer, rest) = peer(text.strip_prefix(b"connect to ")?)?;
    if let Some(words) = rest.strip_prefix(b": server refused to talk to me: ") {
        let words = split_last(words, b"(port ").map_or(words, |(words, _)| words.trim_ascii_end());
        return Some(RemoteReply {
            peer: Some(peer),
            stage: Some(Stage::Connect),
            reply: Reply::read(words),
            text: words,
            ..RemoteReply::default()
        });
    }
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

/// Parses failures that smtp found without a reply: `TLS is required, but was not offered by host mx[ip]`,
/// `Cannot start TLS: handshake failure`, `message size 9 exceeds size limit 8 of server mx[ip]`, and the others of
/// [`FAILURES`].
fn without_reply(text: &[u8]) -> Option<RemoteReply<'_>> {
    let (stage, mark) = failure(text)?;
    let named = split_once(text, mark).map(|(_, name)| split_word(name).0);
    let peer = named.and_then(|name| match peer(name) {
        Some((peer, _)) => Some(peer),
        // A name without an address: `TLSA lookup error for mx:25`.
        None if mark.is_empty() || name.is_empty() => None,
        None => {
            let end = name.iter().position(|&byte| byte == b':').unwrap_or(name.len());
            Some(Peer { host: name.get(..end), ..Peer::default() })
        }
    });
    Some(RemoteReply { peer, stage, text, ..RemoteReply::default() })
}

/// The beginning of each failure without a reply, the stage at which it happens, and the words before the server's name;
/// empty: the text names none. Sources: postfix smtp_addr.c, smtp_connect.c, smtp_proto.c, smtp_sasl_glue.c,
/// smtp_sasl_proto.c, smtp_tls_policy.c, smtp_trouble.c, dns_lookup.c, and mime_state.c for the conversion of a message.
const FAILURES: [(&[u8], Option<Stage>, &[u8]); 38] = {
    const TLS: Option<Stage> = Some(Stage::StartTls);
    const AUTH: Option<Stage> = Some(Stage::Auth);
    const CONNECT: Option<Stage> = Some(Stage::Connect);
    [
        (b"TLS is required", TLS, b" host "),
        (b"Cannot start TLS", TLS, b""),
        (b"Server certificate ", TLS, b""),
        (b"TLS-Required", TLS, b" host "),
        (b"Client TLS", TLS, b""),
        (b"client TLS configuration problem", TLS, b""),
        (b"TLSA lookup error for ", TLS, b" for "),
        (b"non DNSSEC destination", TLS, b""),
        (b"no TLSA records found", TLS, b""),
        (b"no usable TLSA records", TLS, b""),
        (b"Sender requested REQUIRETLS, ", TLS, b" by host "),
        (b"REQUIRETLS policy configuration error", TLS, b" last attempted server was "),
        (b"unexpected server message", TLS, b""),
        (b"Temporary lookup error", None, b""),
        (b"SASL authentication failed: server ", AUTH, b" server "),
        (b"SASL authentication failed; ", AUTH, b" server "),
        (b"SASL authentication failed", AUTH, b" server "),
        (b"message size ", None, b" of server "),
        (b"message requires SMTPUTF8, ", None, b" last attempted server was "),
        (b"SMTPUTF8 is required, ", None, b" by host "),
        (b"local data error while talking to ", None, b" talking to "),
        (b"unreadable mail queue entry", None, b""),
        (b"Host or domain name not found", None, b""),
        (b"Name service error for ", None, b""),
        (b"Name service initialization failure", None, b""),
        (b"Domain ", None, b""),
        (b"unable to look up host ", None, b""),
        (b"unable to find primary relay for ", None, b""),
        (b"mail for ", None, b""),
        (b"all network protocols are disabled", CONNECT, b""),
        (b"network address conversion failed", CONNECT, b""),
        (b"server unavailable or unable to receive mail", None, b""),
        (b"MIME nesting exceeds safety limit", None, b""),
        (b"message header length exceeds safety limit", None, b""),
        (b"improper use of 8-bit data in message ", None, b""),
        (b"invalid message/* or multipart/* encoding domain", None, b""),
        (b"server configuration error", None, b""),
        (b"Server configuration error", None, b""),
    ]
};

/// The stage of a failure without a reply, and the words before the server's name. `None`: another text.
fn failure(text: &[u8]) -> Option<(Option<Stage>, &'static [u8])> {
    let &(start, stage, mark) = FAILURES.iter().find(|(start, ..)| text.starts_with(start))?;
    // An administrator's text for the error transport may begin like these two.
    let is_own = match start {
        b"mail for " => text.ends_with(b" loops back to myself"),
        b"Domain " => split_once(text, b" does not ").is_some(),
        _ => true,
    };
    is_own.then_some((stage, mark))
}

/// Failures to find a server in the DNS.
const DNS_FAILURES: [&[u8]; 4] = [
    b"Host or domain name not found",
    b"Name service error for ",
    b"unable to look up host ",
    b"unable to find primary relay for ",
];

/// Whether the queue manager itself suspends the delivery, and no agent gave a reason: `transport is unavailable`,
/// `unknown smtp transport error`, `mail transport unavailable` (postfix qmgr_deliver.c, qmgr_error.c).
fn is_of_queue_manager(text: &[u8]) -> bool {
    text.ends_with(b" transport error")
        || text.ends_with(b"transport unavailable")
        || text == b"transport is unavailable"
}

/// Whether smtp logs the text as the reason to try another server: all that can stand in `status=deferred (…)` can also
/// stand alone (postfix smtp_trouble.c, smtp_bulk_fail and smtp_rcpt_fail).
pub(crate) fn is_attempt(text: &[u8]) -> bool {
    const STARTS: [&[u8]; 6] = [
        b"connect to ",
        b"lost connection with ",
        b"conversation with ",
        b"SASL [CACHED] authentication failed; ",
        b"Protocol error: host ",
        b"delivery temporarily suspended: ",
    ];
    let host = || text.strip_prefix(b"host ").map(|rest| split_word(rest).1);
    begins(text, &STARTS)
        || failure(text).is_some()
        || text.ends_with(b": host not found")
        || host().is_some_and(|rest| begins(rest, &[b"said: ", b"refused to talk to me: "]))
}
