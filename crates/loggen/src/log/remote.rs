//! Postfix speaks to the recipient's exchangers, and writes down what they said or that they could not be reached.

use std::fmt;

use super::log::{Tag, tag};
use super::message::{Message, Pending};
use super::names::{Address, HERE, Host};
use super::provider::{Provider, drawn};
use super::reply::{Dsn, POSTFIX_JOINT, Reply, Row, Stage, Words, dsn, postfix_stage};
use super::session::cipher;
use super::site::Site;
use super::status::Line;
use super::totals::{Outcome, outbound, replied};
use super::verdict::{Verdict, Why, greeting};

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

pub fn remote(site: &mut Site, at: u64, message: &Message, pending: &Pending, verdict: Verdict) -> Outcome {
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
            let line = Line { message, to, by, relay: &relay, dsn: dsn('2', row), at };
            line.write(site, replied(Outcome::Delivered, row), format_args!("sent ({reply})"));
            Outcome::Delivered
        }
        Verdict::Deferred(why) => {
            put_off(site, at, by, message, &words, why, [first, second]);
            Outcome::Deferred
        }
        Verdict::Bounced(Why::Reply(row)) => {
            encrypt(site, at, by, first);
            let said = Said { relay: first, row, words: &words };
            let line = Line { message, to, by, relay: &first, dsn: dsn('5', row), at };
            line.write(site, replied(Outcome::Bounced, row), format_args!("bounced ({said})"));
            Outcome::Bounced
        }
        Verdict::Bounced(Why::Unreachable | Why::Lost | Why::Nowhere | Why::Suspended) => {
            let domain = to.domain;
            let line = Line { message, to, by, relay: &"none", dsn: Dsn('5', ".4.4"), at };
            line.write(site, outbound(Outcome::Bounced), format_args!(
                "bounced (Host or domain name not found. Name service error for name={domain} type=AAAA: Host not found)"
            ));
            Outcome::Bounced
        }
    }
}

fn encrypt(site: &mut Site, at: u64, by: Tag, relay: Relay) {
    if !relay.host.domain.is_local() && site.rng.chance(730) {
        let word = if relay.host.domain.0.is_multiple_of(9) { "Untrusted" } else { "Trusted" };
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
            site.log.event(at, by, replied(Outcome::Attempt, row), format_args!("{id}: {said}"));
        }
        4..9 => refuse_connection(site, at, by, relay),
        _ => {
            let relay = Relay { port: false, ..relay };
            let key = outbound(Outcome::Attempt);
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
    let key = outbound(Outcome::Attempt);
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

/// The final lines of one recipient, for whichever program writes them.
fn lines_of<'a>(
    message: &'a Message,
    to: Address,
    at: u64,
) -> impl Fn(Tag, &'a dyn fmt::Display, Dsn) -> Line<'a> {
    move |by, relay, dsn| Line { message, to, by, relay, dsn, at }
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
    let unreplied = outbound(Outcome::Deferred);
    let (mut relay, bare) = (first, Relay { port: false, ..first });
    let line = lines_of(message, to, at);
    match why {
        Why::Reply(row) => {
            if !to.domain.is_local() && site.rng.chance(60) {
                let said = Said { relay, row, words };
                let id = &message.id;
                site.log.event(at, by, replied(Outcome::Attempt, row), format_args!("{id}: {said}"));
                relay = second;
            }
            if row.2 != Stage::Greeting {
                encrypt(site, at, by, relay);
            }
            let said = Said { relay, row, words };
            line(by, &relay, dsn('4', row)).write(
                site,
                replied(Outcome::Deferred, row),
                format_args!("deferred ({said})"),
            );
        }
        Why::Unreachable => {
            if to.domain.0.is_multiple_of(2) {
                refuse_connection(site, at, by, first);
            }
            refuse_connection(site, at, by, second);
            let error = connection_error(second);
            line(by, &"none", Dsn('4', ".4.1")).write(
                site,
                unreplied,
                format_args!("deferred (connect to {second}: {error})"),
            );
        }
        Why::Lost => {
            let lost =
                format_args!("lost connection with {bare} while receiving the initial server greeting");
            let slow = format_args!("conversation with {bare} timed out while sending message body");
            let text = if message.salt & 1 == 0 { lost } else { slow };
            line(by, &first, Dsn('4', ".4.2")).write(site, unreplied, format_args!("deferred ({text})"));
        }
        Why::Nowhere => {
            let domain = to.domain;
            line(by, &"none", Dsn('4', ".4.3")).write(site, unreplied, format_args!(
                "deferred (Host or domain name not found. Name service error for name={domain} type=MX: Host not found, try again)"
            ));
        }
        Why::Suspended => {
            let by = tag("postfix/error", 27_000 + (message.salt & 255) as u32);
            let row = greeting(site, Provider::of(to.domain)).filter(|_| message.salt % 5 > 1);
            let key = row.map_or(unreplied, |row| replied(Outcome::Deferred, row));
            site.log.counts.suspended(key);
            if let Some(row) = row {
                let said = Said { relay: first, row, words };
                line(by, &"none", dsn('4', row)).write(
                    site,
                    key,
                    format_args!("deferred (delivery temporarily suspended: {said})"),
                );
            } else {
                let error = connection_error(first);
                line(by, &"none", Dsn('4', ".4.1")).write(
                    site,
                    key,
                    format_args!("deferred (delivery temporarily suspended: connect to {first}: {error})"),
                );
            }
        }
    }
}
