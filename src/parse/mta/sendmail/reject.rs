//! Parses Sendmail's refusals (`ruleset=check_rcpt, arg1=<a@b>, relay=mx [192.0.2.1], reject=550 5.7.1 no`).

use super::fields::host;
use crate::parse::mta::parsed::{address, begins, split_last, split_once};
use crate::smtp::event::{Direction, Event, Mta, Outcome, Peer, Stage};
use crate::smtp::reply::{Class, Reply};

const EMPTY_EVENT: Event = Event::new(Mta::Sendmail, Direction::Inbound, Outcome::Rejected);

/// Parses `ruleset=check_rcpt, arg1=<a@b>, relay=mx [192.0.2.1], reject=550 5.7.1 no`, and the same with `discard` or
/// `quarantine=REASON` at the end (rscheck() in parseaddr.c). `None`: the ruleset only says what it did.
pub(crate) fn ruleset(text: &[u8]) -> Option<Event<'_>> {
    let rest = behind_address(text, b", arg1=<");
    let (outcome, words) = if let Some((_, words)) = split_once(rest, b", reject=") {
        (Outcome::Rejected, words)
    } else if let Some((_, words)) = split_once(rest, b", quarantine=") {
        (Outcome::Held, words)
    } else {
        rest.strip_suffix(b", discard")?;
        (Outcome::Discarded, &b"discard"[..])
    };
    let before = text.get(..text.len() - words.len())?;
    let name = before.get(..memchr::memchr(b',', before).unwrap_or(before.len())).unwrap_or_default();
    let argument =
        split_once(before, b", arg1=<").and_then(|(_, rest)| address(rest)).map(|(address, _)| address);
    let (stage, sender, recipient) = match name {
        b"check_relay" => (Some(Stage::Connect), None, None),
        b"check_mail" => (Some(Stage::Mail), argument, None),
        b"check_rcpt" => (Some(Stage::Rcpt), None, argument),
        b"check_data" | b"check_eom" | b"check_eoh" => (Some(Stage::EndOfData), None, None),
        b"tls_client" | b"tls_server" => (Some(Stage::StartTls), None, None),
        b"trust_auth" => (Some(Stage::Auth), None, None),
        _ => (None, None, None),
    };
    let client = rest.get(..rest.len() - words.len()).and_then(|rest| split_last(rest, b", relay="));
    let client = client.map(|(_, relay)| host(relay)).unwrap_or_default();
    Some(Event { sender, recipient, peer: client, outcome, ..refused(stage, words) })
}

/// The text behind the address that follows `mark`. Its quoted local part may look like the fields. Without an address, the
/// whole text.
fn behind_address<'a>(text: &'a [u8], mark: &[u8]) -> &'a [u8] {
    split_once(text, mark).and_then(|(_, rest)| address(rest)).map_or(text, |(_, rest)| rest)
}

/// Parses what a milter did, behind `Milter: ` (srvrsmtp.c): `to=<a@b>, reject=451 4.7.1 later`,
/// `helo=x, reject=Command rejected`, `data, reject=511 Virus`, `data, discard`, `from=<a@b>, reject=421, errormode=4`,
/// `connect: host=mx, addr=192.0.2.1, rejecting commands`. `None`: no such line.
pub(crate) fn milter(text: &[u8]) -> Option<Event<'_>> {
    if let Some(words) = text.strip_prefix(b"initialization failed, ") {
        return Some(greeting(words, text, Peer::default()));
    }
    if let Some(rest) = text.strip_prefix(b"connect: host=") {
        let (name, rest) = split_once(rest, b", addr=")?;
        let (ip, words) = split_once(rest, b", ")?;
        let ip = ip.strip_prefix(b"[").and_then(|ip| ip.strip_suffix(b"]")).unwrap_or(ip);
        let ip = ip.strip_prefix(b"IPv6:").unwrap_or(ip);
        let name = Some(name).filter(|name| !name.is_empty() && !name.starts_with(b"["));
        return Some(greeting(words, text, Peer { host: name, ip: Some(ip), port: None }));
    }
    let rest = if begins(text, &[b"to=<", b"from=<"]) { behind_address(text, b"=<") } else { text };
    let (_, words) = split_once(rest, b", reject=")
        .or_else(|| rest.strip_suffix(b", discard").map(|command| (command, &b"discard"[..])))?;
    let mark = if words == b"discard" { 2 } else { b", reject=".len() };
    let command = text.get(..text.len() - words.len() - mark)?;
    let argument = || split_once(command, b"=<").and_then(|(_, rest)| address(rest)).map(|(name, _)| name);
    let (stage, sender, recipient) = match command {
        b"data" | b"eom" | b"body" | b"header" => (Some(Stage::EndOfData), None, None),
        b"cmd=data" => (Some(Stage::Data), None, None),
        _ if command.starts_with(b"to=") => (Some(Stage::Rcpt), None, argument()),
        _ if command.starts_with(b"from=") => (Some(Stage::Mail), argument(), None),
        _ if command.starts_with(b"helo=") => (Some(Stage::Ehlo), None, None),
        _ => (None, None, None),
    };
    let outcome = if words == b"discard" { Outcome::Discarded } else { Outcome::Rejected };
    Some(Event { outcome, sender, recipient, ..refused(stage, words) })
}

/// The refusal of all commands, which the greeting begins: `rejecting commands`, `temp failing commands=451 x`,
/// `shutdown=421 x`, `reject=550 x`.
fn greeting<'a>(words: &'a [u8], whole: &'a [u8], client: Peer<'a>) -> Event<'a> {
    let reply = split_once(words, b"=").map(|(_, reply)| reply).filter(|reply| Reply::read(reply).is_some());
    let class = if begins(words, &[b"rejecting", b"reject="]) { Class::Permanent } else { Class::Transient };
    let event = refused(Some(Stage::Connect), reply.unwrap_or(whole));
    Event { peer: client, hint: event.code.is_none().then_some(class), ..event }
}

/// Parses `<a@b>... User unknown`: usrerr() in err.c puts the recipient before its text, and logs no code. After RCPT it also
/// logs texts without a recipient. An address without brackets comes from a program on this host, whose message is returned.
pub(crate) fn user_error(text: &[u8]) -> Option<Event<'_>> {
    if begins(text, &RECIPIENT_ERRORS) {
        return Some(refused(Some(Stage::Rcpt), text));
    }
    let (recipient, words) = address(text.strip_prefix(b"<")?)?;
    let words = words.strip_prefix(b"... ")?;
    Some(Event { recipient: Some(recipient), ..refused(Some(Stage::Rcpt), words) })
}

/// Texts of srvrsmtp.c and parseaddr.c about a command RCPT.
const RECIPIENT_ERRORS: [&[u8]; 11] = [
    b"Too many recipients",
    b"Missing recipient",
    b"Address \"",
    b"Syntax error in mailbox address",
    b"8-bit character in mailbox address",
    b"Unbalanced '",
    b"Illegal character ",
    b"prescan: to",
    b"Command rejected",
    b"Please try again later",
    b"Insufficient disk space; try again later",
];

/// Parses the refusals that begin or end with other words. `None`: the line is none of them.
pub(crate) fn other(text: &[u8]) -> Option<Event<'_>> {
    if let Some(event) = of_client(text).or_else(|| of_content(text)) {
        return Some(event);
    }
    let closed = |event| Event { hint: Some(Class::Transient), ..event };
    // queue.c: low on space (mx.example.org needs 1024 bytes + 100 blocks in /var/spool/mqueue), max avail: 0
    if let Some(rest) = text.strip_prefix(b"low on space (") {
        let (name, _) = split_once(rest, b" needs ").filter(|(name, _)| *name != b"SMTP-DAEMON")?;
        let peer = Peer { host: Some(name), ..Peer::default() };
        return Some(closed(Event { peer, ..refused(None, text) }));
    }
    // srvrsmtp.c closes these connections with 421: mx [192.0.2.1]: SMTP violation, input too long: 9999
    let (relay, _) = CLOSINGS.iter().find_map(|mark| split_once(text, mark))?;
    // A text that a client wrote may contain the words.
    is_host(relay).then_some(())?;
    Some(closed(Event { peer: host(relay), ..refused(None, text) }))
}

/// Parses the refusals of a client, whatever its message.
fn of_client(text: &[u8]) -> Option<Event<'_>> {
    let at = |mark: &[u8]| split_once(text, mark);
    match text.first()? {
        // srvrsmtp.c: rejecting commands from mx [192.0.2.1] due to pre-greeting traffic after 0 seconds
        b'r' if text.starts_with(b"rejecting ") && at(b"] due to ").is_some() => {
            let (command, rest) = at(b" from ")?;
            let stage = (command == b"rejecting commands").then_some(Stage::Connect);
            Some(Event { peer: host_before(rest), ..refused(stage, text) })
        }
        // conf.c: tcpwrappers (mx, 192.0.2.1) rejection
        b't' if text.starts_with(b"tcpwrappers (") => {
            let (name, rest) = split_once(text.get(b"tcpwrappers (".len()..)?, b", ")?;
            let client = Peer { host: Some(name), ip: Some(rest.strip_suffix(b") rejection")?), port: None };
            Some(Event { peer: client, ..refused(Some(Stage::Connect), text) })
        }
        // srvrsmtp.c: AUTH failure (LOGIN): authentication failure (-13) SASL(-13): …, user=a, relay=mx [192.0.2.1]
        b'A' if begins(text, &[b"AUTH failure (", b"AUTH decode64 error ["]) => {
            let (words, relay) = split_last(text, b", relay=").unwrap_or((text, b""));
            let peer = if relay.is_empty() { Peer::default() } else { host(relay) };
            Some(Event { peer, ..refused(Some(Stage::Auth), words) })
        }
        // srvrsmtp.c: SMTP MAIL command (<a@b>) from mx [192.0.2.1] tempfailed (due to previous checks)
        b'S' if text.starts_with(b"SMTP ") && text.ends_with(b" tempfailed (due to previous checks)") => {
            let (command, _) = split_once(text.get(5..)?, b" ")?;
            let stage = match command {
                b"AUTH" => Some(Stage::Auth),
                b"STARTTLS" => Some(Stage::StartTls),
                b"MAIL" => Some(Stage::Mail),
                _ => None,
            };
            let relay = split_last(text, b") from ").map(|(_, relay)| host_before(relay)).unwrap_or_default();
            let sender = at(b"(<").or_else(|| at(b":<")).and_then(|(_, rest)| address(rest));
            let sender = sender.map(|(sender, _)| sender).filter(|_| stage == Some(Stage::Mail));
            let event = refused(stage, text);
            Some(Event { peer: relay, sender, hint: Some(Class::Transient), ..event })
        }
        _ => None,
    }
}

/// Parses the refusals of a message at its end (collect.c).
fn of_content(text: &[u8]) -> Option<Event<'_>> {
    let at = |mark: &[u8]| split_once(text, mark);
    let event = |class| Event { hint: Some(class), ..refused(Some(Stage::EndOfData), text) };
    match text.first()? {
        // collect: relay=mx, from=<a@b>, info=Bare linefeed (LF) not allowed, where=header, status=tempfail
        b'c' if text.starts_with(b"collect: relay=") => {
            let rest = behind_address(text, b", from=<");
            let (_, status) = split_once(rest, b", status=")?;
            let class = if status == b"tempfail" { Class::Transient } else { Class::Permanent };
            let sender = at(b", from=<").and_then(|(_, rest)| address(rest)).map(|(sender, _)| sender);
            let (_, words) = split_once(rest, b", info=")?;
            let peer = host(text.get(b"collect: relay=".len()..)?);
            Some(Event { sender, peer, text: words, ..event(class) })
        }
        // SYSERR(root): collect: Cannot write ./dfh6RDLNtg011461 (bfcommit, uid=0, gid=1): No space left on device
        b'S' if text.starts_with(b"SYSERR(") && at(b"): collect: Cannot write ").is_some() => {
            Some(event(Class::Transient))
        }
        // SYSERR(root): Too many hops 26 (25 max): from <a@b> via mx.example.org, to <c@d>
        b'S' if text.starts_with(b"SYSERR(") && at(b"): Too many hops ").is_some() => {
            let (_, rest) = split_once(behind_address(text, b": from <"), b" via ")?;
            // A program on this host gets a notification, which has a line of its own.
            let (name, to) = split_once(rest, b", to ").filter(|(name, _)| *name != b"localhost")?;
            let recipient = to.strip_prefix(b"<").and_then(address).map(|(recipient, _)| recipient);
            Some(Event { recipient, peer: host(name), ..event(Class::Permanent) })
        }
        b'm' if text.starts_with(b"message size (") && at(b") exceeds maximum (").is_some() => {
            Some(event(Class::Permanent))
        }
        b'h' if begins(text, &[b"headers too large (", b"header overflow from "]) => {
            let (_, name) = at(b" from ")?;
            let (name, _) = split_once(name, b" during message collect")?;
            Some(Event { peer: host(name), ..event(Class::Permanent) })
        }
        _ => None,
    }
}

/// Whether the text is nothing but `mx.example.org [192.0.2.1] (may be forged)`, as sendmail shows its client.
fn is_host(text: &[u8]) -> bool {
    let text = text.strip_suffix(b" (may be forged)").unwrap_or(text);
    let blanks = memchr::memchr_iter(b' ', text).count();
    !text.contains(&b'<') && (blanks == 0 || blanks == 1 && text.ends_with(b"]"))
}

const CLOSINGS: [&[u8]; 3] = [
    b": SMTP violation, input too long: ",
    b": probable open proxy: command=",
    b": Possible SMTP RCPT flood, shutting down connection",
];

/// The host at the start of the text, before the words that follow it: `mx [192.0.2.1] due to …`.
fn host_before(text: &[u8]) -> Peer<'_> {
    let end = memchr::memchr(b']', text).map_or(text.len(), |end| end + 1);
    host(text.get(..end).unwrap_or(text).trim_ascii_start())
}

fn refused(stage: Option<Stage>, words: &[u8]) -> Event<'_> {
    let reply = Reply::read(words.strip_suffix(b", errormode=4").unwrap_or(words));
    Event {
        code: reply.map(|reply| reply.code),
        enhanced: reply.and_then(|reply| reply.enhanced),
        stage,
        text: words,
        ..EMPTY_EVENT
    }
}
