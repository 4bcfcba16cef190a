//! Counts what a correct parser must find, while the log is written and independently of any parser.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::Serialize;

use super::names::Domain;
use super::reply::{ReplyRow, enhanced};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Direction {
    Outbound,
    Inbound,
    Local,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Outcome {
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

/// The key under which an event is counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct EventKey {
    pub direction: Direction,
    pub outcome: Outcome,
    /// 0 if the line shows no code.
    pub code: u16,
    /// Empty if the line shows no enhanced code.
    pub enhanced: &'static str,
}

impl EventKey {
    /// The event is local if its peer is: the mailbox server behind a socket is on this host.
    pub(crate) const fn of_peer(self, is_local: bool) -> Self {
        if is_local { Self { direction: Direction::Local, ..self } } else { self }
    }
}

/// An outbound event without a reply, such as a failed connection.
pub(crate) const fn outbound(outcome: Outcome) -> EventKey {
    EventKey { direction: Direction::Outbound, outcome, code: 0, enhanced: "" }
}

/// An outbound event with the reply of the remote server.
pub(crate) fn replied(outcome: Outcome, row: &'static ReplyRow) -> EventKey {
    EventKey { code: row.0, enhanced: enhanced(row), ..outbound(outcome) }
}

/// An inbound event; 0 and an empty string stand for codes that the line does not show.
pub(crate) const fn inbound(outcome: Outcome, code: u16, enhanced: &'static str) -> EventKey {
    EventKey { direction: Direction::Inbound, outcome, code, enhanced }
}

/// An event of local delivery, which has no reply.
pub(crate) const fn local(outcome: Outcome) -> EventKey {
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

/// Number of lines by kind.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct LineKinds {
    pub event: u64,
    /// Lines of the mail server that report no event.
    pub routine: u64,
    /// Lines of other programs, such as dovecot, a milter or a policy server.
    pub foreign: u64,
}

/// Delivery events of one recipient domain; each attempt counts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct DomainTotals {
    pub delivered: u64,
    pub deferred: u64,
    pub bounced: u64,
    /// Always 0 for Postfix, whose line does not name the recipient.
    pub expired: u64,
}

/// Messages by final state; `received` is the sum of the other fields.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct MessageTotals {
    /// Messages that entered the queue, bounces included; those that a milter rejected are not counted.
    pub received: u64,
    /// Delivered to every recipient, or discarded by an alias.
    pub delivered: u64,
    /// At least one recipient failed permanently and none expired.
    pub bounced: u64,
    /// At least one recipient expired.
    pub expired: u64,
    /// Discarded before delivery.
    pub discarded: u64,
    /// Still in the queue at the end of the log, including held messages.
    pub queued: u64,
}

/// The expected counts of a generated log.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize)]
pub struct LogTotals {
    pub bytes: u64,
    pub lines: u64,
    pub kinds: LineKinds,
    /// By `direction|outcome|code|enhanced`, with `-` for what a line does not show.
    pub events: BTreeMap<String, u64>,
    /// The subset of `events` that repeats an earlier reply (`delivery temporarily suspended`).
    pub suspended: BTreeMap<String, u64>,
    pub domains: BTreeMap<String, DomainTotals>,
    /// Distinct pairs of queue id and recipient that were deferred at least once.
    pub deferred_recipients: u64,
    /// Distinct queue ids with at least one such recipient.
    pub deferred_messages: u64,
    pub messages: MessageTotals,
    /// `2026-03-02 00:00`, in UTC.
    pub first_minute: String,
    pub last_minute: String,
}

/// Counts that grow while the log is written.
#[derive(Default)]
pub(crate) struct RunningTotals {
    pub kinds: LineKinds,
    events: HashMap<EventKey, u64>,
    suspended: HashMap<EventKey, u64>,
    domains: Vec<DomainTotals>,
    pub deferred_recipients: u64,
    pub deferred_messages: u64,
    pub messages: MessageTotals,
}

impl RunningTotals {
    pub(crate) fn event(&mut self, key: EventKey) {
        self.kinds.event += 1;
        *self.events.entry(key).or_default() += 1;
    }

    /// Counts an event as suspended, in addition to `event`.
    pub(crate) fn suspended(&mut self, key: EventKey) {
        *self.suspended.entry(key).or_default() += 1;
    }

    pub(crate) fn domain(&mut self, domain: Domain, outcome: Outcome) {
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

    /// The final totals without size and times, which `LogWriter::finish` adds.
    pub(crate) fn totals(self) -> LogTotals {
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
