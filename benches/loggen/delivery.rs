//! Postfix tries to deliver: one attempt for each pending recipient, and what follows from it.

use std::fmt::{self, Arguments};

use super::log::{Tag, tag};
use super::message::{Message, Pending};
use super::names::{Address, HERE, Host};
use super::provider::{Provider, drawn};
use super::reply::{Dsn, POSTFIX_JOINT, Reply, Row, Stage, Words, dsn, enhanced, postfix_stage};
use super::session::{QMGR, activate, cipher, name_message};
use super::site::Site;
use super::totals::{Direction, Key, Outcome};
use super::verdict::{Verdict, Why, draw, greeting};

/// Attempts in which the whole message, or what is left of it, is handed over. The bounce it caused comes back.
pub fn attempt(site: &mut Site, at: u64, message: &mut Message, is_last: bool) -> Option<Message> {
    if message.tries > 0 {
        activate(site, at, message);
    }
    let mut failed = false;
    for mut pending in std::mem::take(&mut message.pending) {
        let verdict = draw(site, message, &pending);
        let outcome = if pending.to.domain.is_local() && !is_lmtp(pending.to) {
            on_this_machine(site, at, message, pending.to, verdict)
        } else {
            remote(site, at, message, &pending, verdict)
        };
        site.log.counts.domain(pending.to.domain, outcome);
        if outcome == Outcome::Deferred {
            site.log.counts.deferred_recipients += u64::from(message.tries == 0);
            if let Verdict::Deferred(Why::Reply(row)) = verdict {
                pending.last = Some(row);
            }
            message.pending.push(pending);
        }
        failed |= outcome == Outcome::Bounced;
    }
    message.bounced |= failed;
    message.tries += 1;
    if message.tries == 1 {
        message.stuck = site.rng.chance(60);
    }
    if is_last && !message.pending.is_empty() {
        expire(site, at, message);
        failed = true;
    }
    let bounce = if failed { give_back(site, at, message) } else { None };
    if message.pending.is_empty() {
        remove(site, at, message);
    }
    bounce
}

/// `3F1A20C4B7D: from=<…>, status=expired, returned to sender`
fn expire(site: &mut Site, at: u64, message: &mut Message) {
    let (id, sender) = (&message.id, super::names::Sender(message.sender));
    let key = Key { direction: Direction::Outbound, outcome: Outcome::Expired, code: 0, enhanced: "" };
    site.log.event(at, QMGR, key, format_args!("{id}: from=<{sender}>, status=expired, returned to sender"));
    message.pending.clear();
    message.expired = true;
}

fn give_back(site: &mut Site, at: u64, message: &Message) -> Option<Message> {
    let bounce = site.bounce_of(at, message)?;
    let (id, other) = (&message.id, &bounce.id);
    name_message(site, at, &bounce);
    let by = tag("postfix/bounce", 24_000 + (message.salt & 255) as u32);
    site.log.routine(at, by, format_args!("{id}: sender non-delivery notification: {other}"));
    site.log.counts.messages.received += 1;
    activate(site, at, &bounce);
    Some(bounce)
}

fn remove(site: &mut Site, at: u64, message: &Message) {
    let id = &message.id;
    site.log.routine(at, QMGR, format_args!("{id}: removed"));
    let messages = &mut site.log.counts.messages;
    match (message.expired, message.bounced) {
        (true, _) => messages.expired += 1,
        (false, true) => messages.bounced += 1,
        (false, false) => messages.delivered += 1,
    }
}

/// The first of our domains get the most mail; theirs goes to the mailbox server.
const fn is_lmtp(to: Address) -> bool {
    to.domain.0 < 16
}

/// What all final lines say: `to=<…>, relay=…, delay=…, delays=…, dsn=…, status=`.
struct Line<'a> {
    message: &'a Message,
    to: Address,
    by: Tag,
    relay: Arguments<'a>,
    dsn: Dsn,
    at: u64,
}

impl Line<'_> {
    fn write(&self, site: &mut Site, key: Key, status: Arguments) {
        let Self { message, to, by, relay, dsn, at } = self;
        let id = &message.id;
        let spent = 20 + message.salt % 4000;
        let (delay, before) = (Delay(message.age(*at) + spent), Delay(message.age(*at)));
        let (b, c, d) = (Delay(message.salt >> 8 & 31), Delay(spent / 3), Delay(spent - spent / 3));
        let alias = match to.domain.is_local() && message.salt % 10 == 0 {
            true => format!(" orig_to=<info@{}>,", to.domain),
            false => String::new(),
        };
        site.log.event(*at, *by, key, format_args!(
            "{id}: to=<{to}>,{alias} relay={relay}, delay={delay}, delays={before}/{b}/{c}/{d}, dsn={dsn}, status={status}"
        ));
    }
}

const fn local_key(outcome: Outcome) -> Key {
    Key { direction: Direction::Local, outcome, code: 0, enhanced: "" }
}

fn on_this_machine(site: &mut Site, at: u64, message: &Message, to: Address, verdict: Verdict) -> Outcome {
    let pid = 25_000 + (message.salt & 255) as u32;
    let (program, relay, delivered, unknown) = match to.domain.0 % 3 {
        0 => ("postfix/virtual", "virtual", "delivered to maildir", "unknown user"),
        1 => ("postfix/local", "local", "delivered to command: /usr/bin/procmail -t", "unknown user"),
        _ => ("postfix/pipe", "dovecot", "delivered via dovecot service", "user unknown. Command output: 550 5.1.1"),
    };
    let line = |dsn| Line { message, to, by: tag(program, pid), relay: format_args!("{relay}"), dsn, at };
    match verdict {
        Verdict::Delivered(_) => {
            let outcome = Outcome::Delivered;
            line(Dsn('2', ".0.0")).write(site, local_key(outcome), format_args!("sent ({delivered})"));
            outcome
        }
        Verdict::Deferred(_) => {
            let outcome = Outcome::Deferred;
            line(Dsn('4', ".3.0")).write(
                site,
                local_key(outcome),
                format_args!("deferred (temporary failure. Command output: 451 4.3.0 disk is slow )"),
            );
            outcome
        }
        Verdict::Bounced(_) => {
            let outcome = Outcome::Bounced;
            line(Dsn('5', ".1.1")).write(site, local_key(outcome), format_args!("bounced ({unknown}: \"{to}\")"));
            outcome
        }
    }
}

const fn outbound(outcome: Outcome, row: Option<&'static Row>) -> Key {
    let (code, enhanced) = match row {
        Some(row) => (row.0, row.1),
        None => (0, ""),
    };
    Key { direction: Direction::Outbound, outcome, code, enhanced }
}

fn key(outcome: Outcome, row: &'static Row) -> Key {
    Key { enhanced: enhanced(row), ..outbound(outcome, Some(row)) }
}

/// `mx1.d0007.example.net[192.0.2.80]:25`, or the socket of the mailbox server.
#[derive(Clone, Copy)]
struct Relay {
    host: Host,
    port: bool,
}

impl fmt::Display for Relay {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { host, port } = self;
        if host.domain.is_local() {
            return write!(f, "{HERE}[private/dovecot-lmtp]");
        }
        write!(f, "{host}[{}]{}", host.ip(), if *port { ":25" } else { "" })
    }
}

fn remote(site: &mut Site, at: u64, message: &Message, pending: &Pending, verdict: Verdict) -> Outcome {
    let to = pending.to;
    let is_local = to.domain.is_local();
    let pid = 26_000 + (message.salt % 499) as u32;
    let by = tag(if is_local { "postfix/lmtp" } else { "postfix/smtp" }, pid);
    let first = Relay { host: Site::host(to.domain, 1), port: true };
    let second = Relay { host: Site::host(to.domain, 2), port: true };
    let words = site.words(message, to, first.host);
    match verdict {
        Verdict::Delivered(row) => {
            let mut relay = first;
            if !is_local && site.rng.chance(12) {
                relay = second;
                try_first(site, at, by, message, first, &words);
            }
            encrypt(site, at, by, relay);
            let reply = Reply { row, words: &words, joint: POSTFIX_JOINT };
            let line = Line { message, to, by, relay: format_args!("{relay}"), dsn: dsn('2', row), at };
            line.write(site, key(Outcome::Delivered, row), format_args!("sent ({reply})"));
            Outcome::Delivered
        }
        Verdict::Deferred(why) => {
            put_off(site, at, by, message, &words, why, [first, second]);
            Outcome::Deferred
        }
        Verdict::Bounced(Why::Reply(row)) => {
            encrypt(site, at, by, first);
            let said = Said { relay: first, row, words: &words };
            let line = Line { message, to, by, relay: format_args!("{first}"), dsn: dsn('5', row), at };
            line.write(site, key(Outcome::Bounced, row), format_args!("bounced ({said})"));
            Outcome::Bounced
        }
        Verdict::Bounced(Why::Unreachable | Why::Lost | Why::Nowhere | Why::Suspended) => {
            let domain = to.domain;
            let line = Line { message, to, by, relay: format_args!("none"), dsn: Dsn('5', ".4.4"), at };
            line.write(site, outbound(Outcome::Bounced, None), format_args!(
                "bounced (Host or domain name not found. Name service error for name={domain} type=AAAA: Host not found)"
            ));
            Outcome::Bounced
        }
    }
}

fn encrypt(site: &mut Site, at: u64, by: Tag, relay: Relay) {
    if !relay.host.domain.is_local() && site.rng.chance(880) {
        let word = if relay.host.domain.0 % 9 == 0 { "Untrusted" } else { "Trusted" };
        let cipher = cipher(u64::from(relay.host.domain.0));
        site.log.routine(at, by, format_args!("{word} TLS connection established to {relay}: {cipher}"));
    }
}

/// `host mx1.d0007.example.net[192.0.2.80] said: 450 … (in reply to RCPT TO command)`
struct Said<'a> {
    relay: Relay,
    row: &'static Row,
    words: &'a Words,
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let reply = Reply { row: self.row, words: self.words, joint: POSTFIX_JOINT };
        let relay = Relay { port: false, ..self.relay };
        match self.row.2 {
            Stage::Greeting => write!(f, "host {relay} refused to talk to me: {reply}"),
            stage => write!(f, "host {relay} said: {reply} (in reply to {})", postfix_stage(stage)),
        }
    }
}

/// The first exchanger fails, and the next will be asked: a line without `status=`.
fn try_first(site: &mut Site, at: u64, by: Tag, message: &Message, relay: Relay, words: &Words) {
    let id = &message.id;
    match site.rng.below(10) {
        0..4 => {
            let row = drawn(&mut site.rng, Provider::of(words.recipient.domain).transient());
            let said = Said { relay, row, words };
            site.log.event(at, by, key(Outcome::Attempt, row), format_args!("{id}: {said}"));
        }
        4..9 => refuse_connection(site, at, by, relay),
        _ => {
            let relay = Relay { port: false, ..relay };
            let key = outbound(Outcome::Attempt, None);
            site.log.event(
                at,
                by,
                key,
                format_args!("{id}: lost connection with {relay} while sending RCPT TO"),
            );
        }
    }
}

fn refuse_connection(site: &mut Site, at: u64, by: Tag, relay: Relay) {
    let why = connection_error(relay);
    let key = outbound(Outcome::Attempt, None);
    site.log.event(at, by, key, format_args!("connect to {relay}: {why}"));
}

const fn connection_error(relay: Relay) -> &'static str {
    match relay.host.domain.0 % 5 {
        0 => "Connection refused",
        1 => "No route to host",
        2 => "Network is unreachable",
        _ => "Connection timed out",
    }
}

fn put_off(
    site: &mut Site,
    at: u64,
    by: Tag,
    message: &Message,
    words: &Words,
    why: Why,
    [first, second]: [Relay; 2],
) {
    let to = words.recipient;
    let unreplied = outbound(Outcome::Deferred, None);
    let line = |by, relay, dsn| Line { message, to, by, relay, dsn, at };
    match why {
        Why::Reply(row) => {
            let mut relay = first;
            if !to.domain.is_local() && site.rng.chance(130) {
                let said = Said { relay, row, words };
                let id = &message.id;
                site.log.event(at, by, key(Outcome::Attempt, row), format_args!("{id}: {said}"));
                relay = second;
            }
            if row.2 != Stage::Greeting {
                encrypt(site, at, by, relay);
            }
            let said = Said { relay, row, words };
            line(by, format_args!("{relay}"), dsn('4', row)).write(
                site,
                key(Outcome::Deferred, row),
                format_args!("deferred ({said})"),
            );
        }
        Why::Unreachable => {
            refuse_connection(site, at, by, first);
            refuse_connection(site, at, by, second);
            let error = connection_error(second);
            line(by, format_args!("none"), Dsn('4', ".4.1")).write(
                site,
                unreplied,
                format_args!("deferred (connect to {second}: {error})"),
            );
        }
        Why::Lost => {
            let relay = Relay { port: false, ..first };
            let lost = format_args!("lost connection with {relay} while receiving the initial server greeting");
            let slow = format_args!("conversation with {relay} timed out while sending message body");
            let text = if message.salt & 1 == 0 { lost } else { slow };
            line(by, format_args!("{first}"), Dsn('4', ".4.2")).write(
                site,
                unreplied,
                format_args!("deferred ({text})"),
            );
        }
        Why::Nowhere => {
            let domain = to.domain;
            line(by, format_args!("none"), Dsn('4', ".4.3")).write(site, unreplied, format_args!(
                "deferred (Host or domain name not found. Name service error for name={domain} type=MX: Host not found, try again)"
            ));
        }
        Why::Suspended => {
            let by = tag("postfix/error", 27_000 + (message.salt & 255) as u32);
            let row = greeting(site, Provider::of(to.domain)).filter(|_| message.salt % 5 > 1);
            let key = row.map_or(unreplied, |row| key(Outcome::Deferred, row));
            site.log.counts.suspended(key);
            match row {
                Some(row) => {
                    let said = Said { relay: first, row, words };
                    line(by, format_args!("none"), dsn('4', row)).write(
                        site,
                        key,
                        format_args!("deferred (delivery temporarily suspended: {said})"),
                    );
                }
                None => {
                    let error = connection_error(first);
                    line(by, format_args!("none"), Dsn('4', ".4.1")).write(
                        site,
                        key,
                        format_args!("deferred (delivery temporarily suspended: connect to {first}: {error})"),
                    );
                }
            }
        }
    }
}

/// Two digits below ten seconds, whole seconds above, as Postfix rounds (`delay_max_digits`).
struct Delay(u64);

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            0..10 => f.write_str("0"),
            10..1000 => write!(f, "0.{:02}", self.0 / 10),
            1000..10_000 => write!(f, "{}.{}", self.0 / 1000, self.0 / 100 % 10),
            _ => write!(f, "{}", self.0 / 1000),
        }
    }
}
