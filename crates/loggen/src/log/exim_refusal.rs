//! Writes the lines of clients that Exim rejects; most show no code, because Exim logs the ACL message, not the reply.

use std::fmt;

use super::names::{ClientKind, ClientName, ClientSeed, Helo, Host};
use super::reply::{Filled, ReplyContext};
use super::site::Simulation;
use super::totals::{Outcome, inbound};
use super::writer::ProgramTag;

/// The fields before the text.
#[derive(Clone, Copy)]
enum LineStart {
    /// `H=name (helo) [ip]:port `
    Peer,
    /// The message id, then the same as `Peer`.
    Message,
    /// No fields.
    None,
}

use LineStart::{Message, None, Peer};

/// Weight, line start, code, enhanced code, and text with the marks of `ReplyContext`.
///
/// `%p` is the client as after `H=`, `%P` its address alone.
type EximRefusal = (u64, LineStart, u16, &'static str, &'static str);

const REFUSALS: &[EximRefusal] = &[
    (180, Peer, 0, "", "F=<%s> rejected RCPT <%r>: relay not permitted"),
    (170, Peer, 0, "", "F=<%s> rejected RCPT <%r>: Unrouteable address"),
    (
        150,
        Peer,
        0,
        "",
        "F=<%s> rejected RCPT <%r>: %a is listed at zen.bl.example.net (127.0.0.4: https://bl.example.net/query/ip/%a)",
    ),
    (60, Peer, 0, "", "F=<%s> rejected RCPT <%r>: Sender verify failed"),
    (40, Peer, 0, "", "sender verify fail for <%s>: all relevant MX records point to non-existent hosts"),
    (60, Peer, 0, "", "F=<%s> rejected RCPT <%r>: No Such User Here"),
    (40, Peer, 550, "5.7.1", "F=<%s> rejected RCPT <%r>: 550 5.7.1 your network is not welcome"),
    (25, Peer, 550, "5.2.1", "F=<%s> rejected RCPT <%r>: 550 5.2.1 mailbox disabled"),
    (20, Peer, 550, "", "F=<%s> rejected RCPT <%r>: 550 closed since 2021"),
    (12, Peer, 554, "5.7.1", "F=<%s> rejected RCPT <%r>: 554 5.7.1 refused by policy 42"),
    (110, Peer, 0, "", "F=<%s> temporarily rejected RCPT <%r>: greylisted, come back in 300 seconds"),
    (
        30,
        Peer,
        451,
        "4.7.1",
        "F=<%s> temporarily rejected RCPT <%r>: 451 4.7.1 Please try again in 5 minutes",
    ),
    (20, Peer, 0, "", "F=<%s> temporarily rejected RCPT <%r>: Could not complete sender verify"),
    (16, Peer, 452, "", "F=<%s> temporarily rejected RCPT <%r>: 452 not so many, please"),
    (10, Peer, 0, "", "temporarily rejected MAIL <%s>: ratelimit of 250 / 1h reached"),
    (14, Peer, 0, "", "rejected MAIL <%s>: no HELO given"),
    (10, Peer, 550, "", "rejected MAIL <%s>: 550 sender is on our list"),
    (26, Peer, 0, "", "rejected EHLO or HELO %o: that is my name"),
    (10, Peer, 0, "", "rejected EHLO or HELO [%a]: no literal addresses here"),
    (16, Peer, 0, "", "rejected connection in \"connect\" ACL: listed at zen.bl.example.net"),
    (8, Peer, 554, "", "rejected connection in \"connect\" ACL: 554 no service for [%a]"),
    (
        10,
        Peer,
        0,
        "",
        "temporarily rejected connection in \"connect\" ACL: Host is ratelimited (42.1/1h max:40)",
    ),
    (40, Message, 0, "", "F=<%s> rejected after DATA: This message scored 12.4 spam points."),
    (12, Message, 550, "5.7.1", "F=<%s> rejected after DATA: 550 5.7.1 this looks like malware"),
    (8, Message, 0, "", "F=<%s> temporarily rejected after DATA: spam scanner gave no answer, error 421"),
    (
        160,
        None,
        535,
        "",
        "dovecot_login authenticator failed for %p: 535 Incorrect authentication data (set_id=%l@%d)",
    ),
    (30, None, 535, "", "plain authenticator failed for %p: 535 Incorrect authentication data (set_id=%l)"),
    (
        14,
        None,
        0,
        "",
        "SMTP protocol synchronization error (input sent without waiting for greeting): rejected connection from %P input=\"EHLO x\"",
    ),
];

/// Number of rows at the head of the table that reject a recipient and may repeat within a session.
const RECIPIENT_ROWS: usize = 14;

pub(crate) fn refuse(sim: &mut Simulation, at: u64, by: ProgramTag, client: ClientSeed, is_first: bool) {
    let row = draw_row(sim, if is_first { REFUSALS } else { &REFUSALS[..RECIPIENT_ROWS] });
    let &(_, front, code, enhanced, text) = row;
    let words = ReplyContext {
        recipient: sim.local_address(),
        sender: Some(sim.remote_address()),
        host: Host { domain: client.domain, number: 1 },
        client,
        salt: sim.rng.draw(),
    };
    // `Filled` does not know `%p` and `%P`: no other table uses them.
    let (before, after) = match (text.split_once("%p"), text.split_once("%P")) {
        (Some(parts), _) | (_, Some(parts)) => parts,
        _ => (text, ""),
    };
    let middle = match (after.is_empty(), text.contains("%p")) {
        (true, _) => String::new(),
        (false, true) => EximPeer(client).to_string(),
        (false, false) => format!("H=[{}]", client.ip()),
    };
    let (before, after) = (Filled(before, &words), Filled(after, &words));
    let line = format_args!("{before}{middle}{after}");
    // `sender verify fail` gives the reason for the rejection in the next line and is no event of its own.
    let is_note = text.starts_with("sender verify fail");
    match front {
        Peer if is_note => sim.log.routine(at, by, format_args!("H={} {line}", EximPeer(client))),
        Peer => sim.log.event(
            at,
            by,
            inbound(Outcome::Rejected, code, enhanced),
            format_args!("H={} {line}", EximPeer(client)),
        ),
        Message => {
            let id = sim.id(at);
            let key = inbound(Outcome::Rejected, code, enhanced);
            sim.log.event(at, by, key, format_args!("{id} H={} {line}", EximPeer(client)));
        }
        None => sim.log.event(at, by, inbound(Outcome::Rejected, code, enhanced), line),
    }
}

fn draw_row(sim: &mut Simulation, rows: &'static [EximRefusal]) -> &'static EximRefusal {
    let mut left = sim.rng.below(rows.iter().map(|row| row.0).sum());
    for row in rows {
        if left < row.0 {
            return row;
        }
        left -= row.0;
    }
    &rows[0]
}

/// `out1.d0007.example.net (mail.example.net) [192.0.2.7]:4711`, without the name if the host has none.
pub(crate) struct EximPeer(pub ClientSeed);

impl fmt::Display for EximPeer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self(client) = self;
        let (name, helo, ip, port) = (ClientName(*client), Helo(*client), client.ip(), client.port());
        match client.origin {
            ClientKind::Nameless => write!(f, "({helo}) [{ip}]:{port}"),
            ClientKind::Person => write!(f, "{name} ({helo}) [{ip}]:{port}"),
            ClientKind::Server | ClientKind::Inside => write!(f, "{name} [{ip}]:{port}"),
        }
    }
}
