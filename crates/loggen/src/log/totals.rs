//! What a right reading of the log counts: filled while the log is written, never by reading it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::Serialize;

use super::names::Domain;
use super::reply::{ReplyRow, enhanced};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    Outbound,
    Inbound,
    Local,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    Delivered,
    Deferred,
    Bounced,
    Expired,
    Rejected,
    Attempt,
    Warned,
    Held,
    Discarded,
}

/// What an event is counted under.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EventKey {
    pub direction: Direction,
    pub outcome: Outcome,
    /// 0: the line shows none.
    pub code: u16,
    /// Empty: the line shows none.
    pub enhanced: &'static str,
}

/// A remote server, or the way to it, failed without a reply.
pub const fn outbound(outcome: Outcome) -> EventKey {
    EventKey { direction: Direction::Outbound, outcome, code: 0, enhanced: "" }
}

/// A remote server replied.
pub fn replied(outcome: Outcome, row: &'static ReplyRow) -> EventKey {
    EventKey { code: row.0, enhanced: enhanced(row), ..outbound(outcome) }
}

/// This server refused a client; code 0 and an empty enhanced code where the line shows none.
pub const fn inbound(outcome: Outcome, code: u16, enhanced: &'static str) -> EventKey {
    EventKey { direction: Direction::Inbound, outcome, code, enhanced }
}

/// On this machine there are no replies.
pub const fn local(outcome: Outcome) -> EventKey {
    EventKey { direction: Direction::Local, outcome, code: 0, enhanced: "" }
}

impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let direction = match self.direction {
            Direction::Outbound => "outbound",
            Direction::Inbound => "inbound",
            Direction::Local => "local",
        };
        let outcome = match self.outcome {
            Outcome::Delivered => "delivered",
            Outcome::Deferred => "deferred",
            Outcome::Bounced => "bounced",
            Outcome::Expired => "expired",
            Outcome::Rejected => "rejected",
            Outcome::Attempt => "attempt",
            Outcome::Warned => "warned",
            Outcome::Held => "held",
            Outcome::Discarded => "discarded",
        };
        write!(f, "{direction}|{outcome}|")?;
        match self.code {
            0 => f.write_str("-|")?,
            code => write!(f, "{code}|")?,
        }
        f.write_str(if self.enhanced.is_empty() { "-" } else { self.enhanced })
    }
}

/// Lines by what a reader should make of them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct LineKinds {
    pub event: u64,
    /// The mail server's own, with nothing to count.
    pub routine: u64,
    /// Another program's: dovecot, a milter, a policy server.
    pub foreign: u64,
}

/// Events by recipient domain: every delivery attempt is one, a retry another.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct DomainTotals {
    pub delivered: u64,
    pub deferred: u64,
    pub bounced: u64,
    /// Exim names the recipient that expired; Postfix does not, so this stays 0.
    pub expired: u64,
}

/// Queue ids by what became of the message. `received` is the sum of the others.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct MessageTotals {
    /// Taken into the queue, our own bounce messages among them; refused by a milter is not taken.
    pub received: u64,
    /// Every recipient got it, or its mailbox here threw it away.
    pub delivered: u64,
    /// At least one recipient was given up for a permanent error, none for age.
    pub bounced: u64,
    /// At least one recipient was given up for age.
    pub expired: u64,
    /// Thrown away before it was queued for delivery.
    pub discarded: u64,
    /// Not finished when the log ends, the ones on hold among them.
    pub queued: u64,
}

/// Everything known of a generated log.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize)]
pub struct LogTotals {
    pub bytes: u64,
    pub lines: u64,
    pub kinds: LineKinds,
    /// By `direction|outcome|code|enhanced`, with `-` for what a line does not show.
    pub events: BTreeMap<String, u64>,
    /// The part of `events` that repeats an earlier answer (`delivery temporarily suspended`).
    pub suspended: BTreeMap<String, u64>,
    pub domains: BTreeMap<String, DomainTotals>,
    /// Distinct pairs of queue id and recipient that were deferred at least once.
    pub deferred_recipients: u64,
    /// Distinct queue ids with such a recipient.
    pub deferred_messages: u64,
    pub messages: MessageTotals,
    /// `2026-03-02 00:00`, in UTC.
    pub first_minute: String,
    pub last_minute: String,
}

/// The counts while they grow.
#[derive(Default)]
pub struct RunningTotals {
    pub kinds: LineKinds,
    events: HashMap<EventKey, u64>,
    suspended: HashMap<EventKey, u64>,
    domains: Vec<DomainTotals>,
    pub deferred_recipients: u64,
    pub deferred_messages: u64,
    pub messages: MessageTotals,
}

impl RunningTotals {
    pub fn event(&mut self, key: EventKey) {
        self.kinds.event += 1;
        *self.events.entry(key).or_default() += 1;
    }

    /// To be called beside `event`.
    pub fn suspended(&mut self, key: EventKey) {
        *self.suspended.entry(key).or_default() += 1;
    }

    pub fn domain(&mut self, domain: Domain, outcome: Outcome) {
        let place = usize::from(domain.0);
        if self.domains.len() <= place {
            self.domains.resize(place + 1, DomainTotals::default());
        }
        let domain = &mut self.domains[place];
        match outcome {
            Outcome::Delivered => domain.delivered += 1,
            Outcome::Deferred => domain.deferred += 1,
            Outcome::Bounced => domain.bounced += 1,
            Outcome::Expired => domain.expired += 1,
            Outcome::Rejected | Outcome::Attempt | Outcome::Warned | Outcome::Held | Outcome::Discarded => {}
        }
    }

    /// What is counted here; the size and the minutes are the log's to add.
    pub fn totals(self) -> LogTotals {
        let mut messages = self.messages;
        let done = messages.delivered + messages.bounced + messages.expired + messages.discarded;
        messages.queued = messages.received - done;
        let named =
            |counts: HashMap<EventKey, u64>| counts.iter().map(|(k, &n)| (k.to_string(), n)).collect();
        let seen = |(_, counts): &(Domain, DomainTotals)| *counts != DomainTotals::default();
        let domains = (0..).map(Domain).zip(self.domains).filter(seen);
        LogTotals {
            kinds: self.kinds,
            lines: self.kinds.event + self.kinds.routine + self.kinds.foreign,
            events: named(self.events),
            suspended: named(self.suspended),
            domains: domains.map(|(domain, counts)| (domain.to_string(), counts)).collect(),
            deferred_recipients: self.deferred_recipients,
            deferred_messages: self.deferred_messages,
            messages,
            ..LogTotals::default()
        }
    }
}
