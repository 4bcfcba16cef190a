//! Writes the lines of clients that Postfix rejects.

use std::fmt;

use super::names::{ClientName, ClientSeed, EnvelopeSender, Host};
use super::reply::{Filled, ReplyContext};
use super::site::Simulation;
use super::totals::{Outcome, inbound};
use super::writer::{ProgramTag, tag};

/// The rejected command, as Postfix names it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RefusedCommand {
    Connect,
    Ehlo,
    Mail,
    Rcpt,
    Data,
    Vrfy,
}

use RefusedCommand::{Connect, Data, Ehlo, Mail, Rcpt, Vrfy};

/// Weight, command, code, enhanced code, and text with the marks of `ReplyContext`.
type PostfixRefusal = (u64, RefusedCommand, u16, &'static str, &'static str);

const REFUSALS: &[PostfixRefusal] = &[
    (
        180,
        Rcpt,
        554,
        "5.7.1",
        "Service unavailable; Client host [%a] blocked using zen.bl.example.net; https://bl.example.net/query/ip/%a",
    ),
    (150, Rcpt, 550, "5.1.1", "<%r>: Recipient address rejected: User unknown in virtual mailbox table"),
    (40, Rcpt, 550, "5.1.1", "<%r>: Recipient address rejected: User unknown in local recipient table"),
    (110, Rcpt, 554, "5.7.1", "<%r>: Relay access denied"),
    (20, Rcpt, 454, "4.7.1", "<%r>: Relay access denied"),
    (
        100,
        Rcpt,
        450,
        "4.2.0",
        "<%r>: Recipient address rejected: Greylisted, see https://postgrey.example.org/help/%d.html",
    ),
    (60, Rcpt, 450, "4.7.25", "Client host rejected: cannot find your hostname, [%a]"),
    (30, Rcpt, 450, "4.7.1", "<%o>: Helo command rejected: Host not found"),
    (40, Rcpt, 504, "5.5.2", "<%o>: Helo command rejected: need fully-qualified hostname"),
    (20, Rcpt, 550, "5.7.1", "<%o>: Helo command rejected: You are not me"),
    (40, Rcpt, 450, "4.1.8", "<%s>: Sender address rejected: Domain not found"),
    (20, Rcpt, 550, "5.1.8", "<%s>: Sender address rejected: Domain not found"),
    (15, Rcpt, 553, "5.7.1", "<%s>: Sender address rejected: not owned by user %l"),
    (15, Rcpt, 553, "5.7.1", "<%s>: Sender address rejected: not logged in"),
    (20, Rcpt, 554, "5.7.1", "<%c>: Client host rejected: Access denied"),
    (
        20,
        Rcpt,
        550,
        "5.7.23",
        "<%r>: Recipient address rejected: Message rejected due to: SPF fail - not authorized. Please see https://spf.example.org/why?s=mfrom;id=%s;ip=%a;r=%r",
    ),
    (12, Rcpt, 451, "4.3.0", "<%r>: Temporary lookup failure"),
    (8, Rcpt, 451, "4.3.5", "Server configuration error"),
    (
        15,
        Rcpt,
        450,
        "4.1.1",
        "<%r>: Recipient address rejected: unverified address: Address verification in progress",
    ),
    (
        12,
        Rcpt,
        550,
        "5.1.1",
        "<%r>: Recipient address rejected: undeliverable address: host store.example.org[198.51.100.90] said: 550 5.1.1 <%r> User doesn't exist: %l (in reply to RCPT TO command)",
    ),
    (
        6,
        Rcpt,
        450,
        "4.1.1",
        "<%r>: Recipient address rejected: unverified address: host store.example.org[198.51.100.90] said: 452 4.2.2 <%r> over quota (in reply to RCPT TO command)",
    ),
    (12, Rcpt, 552, "5.2.2", "<%r>: Recipient address rejected: Mailbox quota exceeded, 552 of 500 MB"),
    (8, Rcpt, 452, "4.5.3", "Error: too many recipients"),
    (8, Rcpt, 501, "5.1.3", "Bad recipient address syntax"),
    (6, Rcpt, 556, "5.1.10", "<%r>: Recipient address rejected: Domain %d does not accept mail (nullMX)"),
    (6, Rcpt, 554, "", "<%r>: Recipient address rejected: closed for good"),
    (8, Rcpt, 521, "5.7.1", "<%c>: Client host rejected: this network sends no mail"),
    (10, Mail, 452, "4.3.1", "Insufficient system storage"),
    (10, Mail, 552, "5.3.4", "Message size exceeds fixed limit"),
    (6, Mail, 501, "5.1.7", "Bad sender address syntax"),
    (10, Mail, 530, "5.7.0", "Must issue a STARTTLS command first"),
    (14, Ehlo, 504, "5.5.2", "<%o>: Helo command rejected: need fully-qualified hostname"),
    (6, Ehlo, 501, "5.5.2", "<%o>: Helo command rejected: Invalid name"),
    (10, Connect, 450, "4.7.25", "Client host rejected: cannot find your hostname, [%a]"),
    (10, Connect, 554, "5.7.1", "<%c>: Client host rejected: 211 complaints from your network"),
    (8, Data, 550, "5.5.3", "<DATA>: Data command rejected: Multi-recipient bounce"),
    (6, Data, 503, "5.5.0", "<DATA>: Data command rejected: Improper use of SMTP command pipelining"),
    (4, Vrfy, 454, "4.7.1", "<%r>: Relay access denied"),
];

const MILTER: &[PostfixRefusal] = &[
    (60, Rcpt, 451, "4.7.1", "Greylisting in action, please come back later"),
    (20, Rcpt, 550, "5.7.1", "Rejected by the score of your address"),
    (20, Data, 550, "5.7.1", "Command rejected"),
];

fn draw_row(sim: &mut Simulation, rows: &'static [PostfixRefusal]) -> &'static PostfixRefusal {
    // The table is short, so a linear search over the weights is fast enough.
    let mut left = sim.rng.below(rows.iter().map(|row| row.0).sum());
    for row in rows {
        if left < row.0 {
            return row;
        }
        left -= row.0;
    }
    &rows[0]
}

fn words(sim: &mut Simulation, client: ClientSeed) -> ReplyContext {
    let recipient = sim.local_address();
    let sender = Some(sim.remote_address());
    let host = Host { domain: client.domain, number: 1 };
    ReplyContext { recipient, sender, host, client, salt: sim.rng.draw() }
}

/// `NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 …; from=<…> to=<…> proto=ESMTP helo=<…>`
pub(crate) fn refuse(sim: &mut Simulation, at: u64, by: ProgramTag, client: ClientSeed) {
    let (verb, outcome, row) = match sim.rng.below(1000) {
        0..24 => ("reject_warning", Outcome::Warned, draw_row(sim, REFUSALS)),
        24..44 => ("milter-reject", Outcome::Rejected, draw_row(sim, MILTER)),
        _ => ("reject", Outcome::Rejected, draw_row(sim, REFUSALS)),
    };
    let &(_, command, code, enhanced, text) = row;
    let words = words(sim, client);
    let blank = if enhanced.is_empty() { "" } else { " " };
    let (name, ip) = (ClientName(client), client.ip());
    let (text, tail) = (Filled(text, &words), RejectTail { command, words: &words });
    let command = command.word();
    let key = inbound(outcome, code, enhanced);
    sim.log.event(
        at,
        by,
        key,
        format_args!("NOQUEUE: {verb}: {command} from {name}[{ip}]: {code}{blank}{enhanced} {text}; {tail}"),
    );
}

/// `NOQUEUE: reject: RCPT from [192.0.2.7]:4711: 550 5.7.1 …; from=<…>, to=<…>, proto=ESMTP, helo=<…>`
pub(crate) fn screen(sim: &mut Simulation, at: u64, client: ClientSeed) {
    let by = tag("postfix/postscreen", 1377);
    let (ip, port) = (client.ip(), client.port());
    let words = words(sim, client);
    if sim.rng.chance(40) {
        let why = ["too many connections", "all server ports busy"][sim.rng.early(2)];
        let key = inbound(Outcome::Rejected, 0, "");
        sim.log.event(at, by, key, format_args!("NOQUEUE: reject: CONNECT from [{ip}]:{port}: {why}"));
        return;
    }
    let (code, enhanced, text) = match sim.rng.below(10) {
        0 => (450, "4.3.2", "Service currently unavailable"),
        1 => (550, "5.5.1", "Protocol error"),
        _ => (550, "5.7.1", "Service unavailable; client [%a] blocked using zen.bl.example.net"),
    };
    let text = Filled(text, &words);
    let tail = Filled("from=<%s>, to=<%r>, proto=ESMTP, helo=<%o>", &words);
    let key = inbound(Outcome::Rejected, code, enhanced);
    sim.log.event(
        at,
        by,
        key,
        format_args!("NOQUEUE: reject: RCPT from [{ip}]:{port}: {code} {enhanced} {text}; {tail}"),
    );
}

impl RefusedCommand {
    const fn word(self) -> &'static str {
        match self {
            Connect => "CONNECT",
            Ehlo => "EHLO",
            Mail => "MAIL",
            Rcpt => "RCPT",
            Data => "DATA",
            Vrfy => "VRFY",
        }
    }
}

/// The end of a reject line: what Postfix knows about the session at that command.
struct RejectTail<'a> {
    command: RefusedCommand,
    words: &'a ReplyContext,
}

impl fmt::Display for RejectTail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let ReplyContext { recipient, sender, .. } = self.words;
        match self.command {
            Connect => return f.write_str("proto=SMTP"),
            Ehlo => {}
            Mail => write!(f, "from=<{}> ", EnvelopeSender(*sender))?,
            Rcpt | Data => write!(f, "from=<{}> to=<{recipient}> ", EnvelopeSender(*sender))?,
            Vrfy => write!(f, "to=<{recipient}> ")?,
        }
        Filled("proto=ESMTP helo=<%o>", self.words).fmt(f)
    }
}
