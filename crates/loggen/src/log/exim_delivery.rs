//! Exim tries to deliver: `=>`, `->`, `==`, `**`, the hosts that failed in between, and `Completed`.

use std::fmt;

use super::log::Tag;
use super::message::{Message, Pending};
use super::names::{Domain, Host};
use super::provider::{Provider, drawn};
use super::reply::{EXIM_JOINT, EXIM_QUOTED_JOINT, EximStage, Reply, Row, Stage, Words};
use super::site::Site;
use super::totals::{Outcome, local, outbound, replied};
use super::verdict::{Verdict, Why, draw};

const REMOTE: &str = "R=dnslookup T=remote_smtp";
const LOCAL: &str = "R=localuser T=local_delivery";
const CIPHER: &str = "X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=yes";

/// What a line about this message needs, whatever it says.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    at: u64,
    by: Tag,
    message: &'a Message,
    pending: &'a Pending,
    words: &'a Words,
}

/// One attempt for each pending recipient. The bounce it caused comes back.
pub fn attempt(site: &mut Site, at: u64, by: Tag, message: &mut Message, is_last: bool) -> Option<Message> {
    let mut failed = false;
    let mut before = None;
    for mut pending in std::mem::take(&mut message.pending) {
        let domain = pending.to.domain;
        let verdict = draw(site, message, &pending);
        let words = site.words(message, pending.to, Site::host(domain, 1));
        let this = Attempt { at, by, message, pending: &pending, words: &words };
        let outcome = if domain.is_local() {
            on_this_machine(site, this, verdict)
        } else {
            remote(site, this, verdict, before == Some(domain))
        };
        before = (outcome == Outcome::Delivered).then_some(domain);
        site.log.counts.domain(domain, outcome);
        failed |= outcome == Outcome::Bounced;
        if outcome != Outcome::Deferred {
            continue;
        }
        site.log.counts.deferred_recipients += u64::from(message.tries == 0);
        if is_last {
            give_up(site, at, by, message, &pending);
            message.expired = true;
            failed = true;
            continue;
        }
        if let Verdict::Deferred(Why::Reply(row)) = verdict {
            pending.last = Some(row);
        }
        message.pending.push(pending);
    }
    let is_new = message.tries == 0 && !message.pending.is_empty();
    site.log.counts.deferred_messages += u64::from(is_new);
    message.bounced |= failed;
    message.tries += 1;
    if message.tries == 1 {
        message.stuck = site.rng.chance(30);
    }
    let bounce = if failed { give_back(site, at, by, message) } else { None };
    if message.pending.is_empty() {
        complete(site, at, by, message);
    }
    bounce
}

/// `1vx3Yk-… ** anna@d0007.example.net: retry timeout exceeded`
fn give_up(site: &mut Site, at: u64, by: Tag, message: &Message, pending: &Pending) {
    let (id, to) = (&message.id, pending.to);
    site.log.event(at, by, outbound(Outcome::Expired), format_args!("{id} ** {to}: retry timeout exceeded"));
    site.log.counts.domain(to.domain, Outcome::Expired);
}

fn give_back(site: &mut Site, at: u64, by: Tag, message: &Message) -> Option<Message> {
    let bounce = site.bounce_of(at, message)?;
    let (id, other, size) = (&bounce.id, &message.id, bounce.size);
    site.log.counts.messages.received += 1;
    site.log.routine(at, by, format_args!("{id} <= <> R={other} U=Debian-exim P=local S={size}"));
    Some(bounce)
}

fn complete(site: &mut Site, at: u64, by: Tag, message: &Message) {
    let id = &message.id;
    site.log.routine(at, by, format_args!("{id} Completed"));
    let messages = &mut site.log.counts.messages;
    match (message.expired, message.bounced) {
        (true, _) => messages.expired += 1,
        (false, true) => messages.bounced += 1,
        (false, false) => messages.delivered += 1,
    }
}

fn on_this_machine(site: &mut Site, this: Attempt, verdict: Verdict) -> Outcome {
    let Attempt { at, by, message, pending, .. } = this;
    let (id, to) = (&message.id, pending.to);
    let user = to.user;
    match verdict {
        Verdict::Delivered(_) if message.salt % 100 == 7 => {
            let key = local(Outcome::Discarded);
            site.log.event(at, by, key, format_args!("{id} => :blackhole: <{to}> R=system_aliases"));
            Outcome::Discarded
        }
        Verdict::Delivered(_) => {
            let key = local(Outcome::Delivered);
            site.log.event(at, by, key, format_args!("{id} => {user} <{to}> {LOCAL}"));
            Outcome::Delivered
        }
        Verdict::Deferred(_) => {
            site.log.event(at, by, local(Outcome::Deferred), format_args!(
                "{id} == {to} {LOCAL} defer (-22): mailbox is full (MTA-imposed quota exceeded while writing to /var/mail/{user})"
            ));
            Outcome::Deferred
        }
        Verdict::Bounced(_) => {
            let key = local(Outcome::Bounced);
            site.log.event(
                at,
                by,
                key,
                format_args!("{id} ** {to} {LOCAL}: mailbox /var/mail/{user} is not a file"),
            );
            Outcome::Bounced
        }
    }
}

fn remote(site: &mut Site, this: Attempt, verdict: Verdict, is_same: bool) -> Outcome {
    let Attempt { at, by, message, pending, words } = this;
    let (id, to) = (&message.id, pending.to);
    let peer = Peer(words.host);
    match verdict {
        Verdict::Delivered(row) => {
            let mut peer = peer;
            if !is_same && site.rng.chance(10) {
                try_first(site, this);
                peer = Peer(Site::host(to.domain, 2));
            }
            let mark = if is_same { "->" } else { "=>" };
            let reply = Reply { row, words, joint: EXIM_QUOTED_JOINT };
            let key = replied(Outcome::Delivered, row);
            let spent = message.salt % 9;
            site.log.event(
                at,
                by,
                key,
                format_args!("{id} {mark} {to} {REMOTE} {peer} {CIPHER} C=\"{reply}\" DT={spent}s"),
            );
            Outcome::Delivered
        }
        Verdict::Deferred(why) => {
            put_off(site, this, why);
            Outcome::Deferred
        }
        Verdict::Bounced(Why::Reply(row)) => {
            let error = Failure { row, words };
            let key = replied(Outcome::Bounced, row);
            site.log.event(at, by, key, format_args!("{id} ** {to} {REMOTE} {peer} {CIPHER}: {error}"));
            Outcome::Bounced
        }
        Verdict::Bounced(Why::Unreachable | Why::Lost | Why::Nowhere | Why::Suspended) => {
            let key = outbound(Outcome::Bounced);
            site.log.event(at, by, key, format_args!("{id} ** {to}: Unrouteable address"));
            Outcome::Bounced
        }
    }
}

/// The first exchanger fails before the next takes the message.
fn try_first(site: &mut Site, this: Attempt) {
    let Attempt { at, by, message, words, .. } = this;
    let (id, peer) = (&message.id, Peer(words.host));
    let row = drawn(&mut site.rng, Provider::of(words.recipient.domain).transient());
    if row.2 == Stage::Rcpt || row.0 >= 500 {
        let (_, why) = connection_error(words.host.domain);
        site.log.event(at, by, outbound(Outcome::Attempt), format_args!("{id} {peer} {why}"));
    } else {
        let error = Failure { row, words };
        let key = replied(Outcome::Attempt, row);
        site.log.event(at, by, key, format_args!("{id} {peer}: {error}"));
    }
}

fn put_off(site: &mut Site, this: Attempt, why: Why) {
    let Attempt { at, by, message, pending, words } = this;
    let (id, to) = (&message.id, pending.to);
    let peer = Peer(words.host);
    let unreplied = outbound(Outcome::Deferred);
    match why {
        // A greeting that refuses for good is no deferral to Exim; this host is down instead.
        Why::Reply(row) if row.2 != Stage::Greeting || row.0 < 500 => put_off_by(site, this, row),
        Why::Reply(_) | Why::Unreachable => {
            let (number, why) = connection_error(words.host.domain);
            let last = Peer(Site::host(to.domain, 2));
            let key = outbound(Outcome::Attempt);
            site.log.event(at, by, key, format_args!("{id} {peer} {why}"));
            site.log.event(at, by, key, format_args!("{id} {last} {why}"));
            site.log.event(
                at,
                by,
                unreplied,
                format_args!("{id} == {to} {REMOTE} defer ({number}) {last}: {why}"),
            );
        }
        Why::Lost => {
            let why = "SMTP timeout after initial connection: Connection timed out";
            site.log.event(at, by, outbound(Outcome::Attempt), format_args!("{id} {peer}: {why}"));
            let text = format_args!("{id} == {to} {REMOTE} defer (110) {peer}: {why}");
            site.log.event(at, by, unreplied, text);
        }
        Why::Nowhere => site.log.event(
            at,
            by,
            unreplied,
            format_args!("{id} == {to} R=dnslookup defer (-1): host lookup did not complete"),
        ),
        Why::Suspended => {
            let domain = to.domain;
            site.log.event(
                at,
                by,
                unreplied,
                format_args!(
                    "{id} == {to} {REMOTE} defer (-53): retry time not reached for any host for '{domain}'"
                ),
            );
        }
    }
}

/// An answer to RCPT is logged once, any other first for the host and then for the recipient.
fn put_off_by(site: &mut Site, this: Attempt, row: &'static Row) {
    let Attempt { at, by, message, pending, words } = this;
    let (id, to, peer) = (&message.id, pending.to, Peer(words.host));
    let error = Failure { row, words };
    let key = replied(Outcome::Deferred, row);
    let number = match row.2 {
        Stage::Greeting => 0,
        Stage::Rcpt => -44,
        Stage::Mail => -45,
        Stage::Dot => -46,
        Stage::Data => -47,
    };
    if row.2 != Stage::Rcpt {
        site.log.event(at, by, replied(Outcome::Attempt, row), format_args!("{id} {peer}: {error}"));
    }
    if message.salt % 9 > 0 {
        site.log.event(at, by, key, format_args!("{id} == {to} {REMOTE} defer ({number}) {peer}: {error}"));
        return;
    }
    // Before 4.90 the host stood inside the text.
    let (host, stage) = (words.host, EximStage(row.2, words));
    let reply = Reply { row, words, joint: EXIM_JOINT };
    site.log.event(at, by, key, format_args!(
        "{id} == {to} {REMOTE} defer ({number}): SMTP error from remote mail server after {stage}: host {host} [{}]: {reply}",
        host.ip()
    ));
}

const fn connection_error(domain: Domain) -> (u8, &'static str) {
    match domain.0 % 4 {
        0 => (111, "Connection refused"),
        1 => (113, "No route to host"),
        _ => (110, "Connection timed out"),
    }
}

/// `H=mx1.d0007.example.net [192.0.2.80]`
struct Peer(Host);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "H={} [{}]", self.0, self.0.ip())
    }
}

/// `SMTP error from remote mail server after RCPT TO:<…>: 550 …`
struct Failure<'a> {
    row: &'static Row,
    words: &'a Words,
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let stage = EximStage(self.row.2, self.words);
        let reply = Reply { row: self.row, words: self.words, joint: EXIM_JOINT };
        write!(f, "SMTP error from remote mail server after {stage}: {reply}")
    }
}
