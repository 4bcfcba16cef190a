//! Remembers why a message failed, and counts failed messages by that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::classify::Classification;
use crate::catalog::{Action, Blame, Cause, Reason, Retry, reason_row};
use crate::smtp::event::{Direction, Event};
use crate::smtp::reply::Class;
use crate::smtp::side::Side;

/// Why a delivery failed, as far as it decides who must act.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct FailureKind {
    pub direction: Direction,
    pub reason: Reason,
    /// None: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Whether a retry helps, if the reply says so. None: the reason and the class decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    pub side: Side,
}

impl FailureKind {
    pub fn of(event: &Event, classification: Classification) -> Self {
        let Classification { reason, cause, retry, .. } = classification;
        Self { direction: event.direction, reason, cause, class: event.class(), retry, side: Side::of(event) }
    }

    /// The kind of a failure of which the log says only that it happened.
    fn bare(reason: Reason) -> Self {
        let (direction, side) = (Direction::Outbound, Side::Internet);
        Self { direction, reason, cause: None, class: None, retry: None, side }
    }

    /// Who must act. `lost`: the message went back to its sender.
    pub fn action(self, lost: bool) -> Action {
        let class = if lost { Some(Class::Permanent) } else { self.class };
        let retry = self.retry.unwrap_or_else(|| reason_row(self.reason).retry(class));
        Blame { direction: self.direction, side: self.side, reason: self.reason, retry }.action(lost)
    }
}

/// A failure, its time and the domain of its recipient.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct TimedFailure {
    pub kind: FailureKind,
    /// Seconds since 1970. None: the line has no valid timestamp.
    pub at: Option<i64>,
    /// The hash of the recipient's domain; see [`domain_hash`](super::key::domain_hash). 0: the line names none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub domain: u64,
}

// serde wants a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(super) fn is_zero(hash: &u64) -> bool {
    *hash == 0
}

impl TimedFailure {
    pub fn bare(reason: Reason, at: Option<i64>) -> Self {
        Self { kind: FailureKind::bare(reason), at, domain: 0 }
    }

    /// Puts the failure into `slot` unless the one there is as urgent: of several failures of a message the most urgent
    /// counts, and of equally urgent ones the first.
    pub fn keep_worst(self, slot: &mut Option<Self>, lost: bool) {
        if slot.is_none_or(|kept| self.kind.action(lost) < kept.kind.action(lost)) {
            *slot = Some(self);
        }
    }
}

/// What became of a message that failed at least once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FailedFate {
    /// Still in the queue, with a deferred recipient.
    Waiting,
    /// Still in the queue, with a deferred recipient, after another recipient was given up.
    PartlyLost,
    /// Still in the queue, on hold or frozen, with a deferred recipient.
    Held,
    /// Deferred first and delivered later.
    Delayed,
    Bounced,
    Expired,
}

impl FailedFate {
    /// The message went back to its sender, for at least one recipient.
    pub(crate) fn is_lost(self) -> bool {
        matches!(self, Self::PartlyLost | Self::Bounced | Self::Expired)
    }
}

/// Messages that failed for one reason.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct FailedMessages {
    pub waiting: u64,
    /// On hold or frozen. Parts of early versions do not have it.
    #[serde(default)]
    pub held: u64,
    pub delayed: u64,
    pub bounced: u64,
    pub expired: u64,
    /// The first and the last failure, in seconds since 1970. None: no line has a valid timestamp.
    pub period: Option<(i64, i64)>,
    /// Messages by the hour of their failure, counted from 1970-01-01T00:00Z.
    pub hours: BTreeMap<i64, u64>,
}

/// Maximum number of hours for each reason: more than a year. A damaged timestamp may be any.
const HOURS: usize = 24 * 400;

impl FailedMessages {
    fn add(&mut self, fate: FailedFate, at: Option<i64>) {
        match fate {
            FailedFate::Waiting | FailedFate::PartlyLost => self.waiting += 1,
            FailedFate::Held => self.held += 1,
            FailedFate::Delayed => self.delayed += 1,
            FailedFate::Bounced => self.bounced += 1,
            FailedFate::Expired => self.expired += 1,
        }
        if let Some(at) = at {
            self.extend_period(at, at);
            self.add_hour(at.div_euclid(3600), 1);
        }
    }

    fn extend_period(&mut self, first: i64, last: i64) {
        let (from, to) = self.period.unwrap_or((first, last));
        self.period = Some((from.min(first), to.max(last)));
    }

    fn add_hour(&mut self, hour: i64, count: u64) {
        *self.hours.entry(hour).or_default() += count;
        if self.hours.len() > HOURS {
            self.hours.pop_first();
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.waiting += other.waiting;
        self.held += other.held;
        self.delayed += other.delayed;
        self.bounced += other.bounced;
        self.expired += other.expired;
        if let Some((first, last)) = other.period {
            self.extend_period(first, last);
        }
        for (&hour, &count) in &other.hours {
            self.add_hour(hour, count);
        }
    }
}

/// Failed messages by what they failed for and whether they are lost. Counts can be merged in any order.
#[derive(Clone, Default, Debug)]
pub struct FailureCounts {
    /// Each message once. The key has the action, because the same reply to a lost and to a kept message asks for different
    /// actions.
    pub by_kind: BTreeMap<(Action, FailureKind), FailedMessages>,
}

impl FailureCounts {
    pub(crate) fn add(&mut self, failure: TimedFailure, fate: FailedFate) {
        let key = (failure.kind.action(fate.is_lost()), failure.kind);
        self.by_kind.entry(key).or_default().add(fate, failure.at);
    }

    pub fn merge(&mut self, other: &Self) {
        for (key, counts) in &other.by_kind {
            self.by_kind.entry(*key).or_default().merge(counts);
        }
    }
}

/// Messages of one direction by their final state, without this server's own notices.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct FlowTotals {
    pub delivered: u64,
    /// How many of these were deferred first.
    pub delayed: u64,
    pub bounced: u64,
    pub expired: u64,
    pub discarded: u64,
    /// Still in the queue, with a deferred recipient.
    pub deferred: u64,
    pub held: u64,
    /// Still in the queue, not tried for all recipients.
    pub untried: u64,
}

impl FlowTotals {
    pub fn merge(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.delayed += other.delayed;
        self.bounced += other.bounced;
        self.expired += other.expired;
        self.discarded += other.discarded;
        self.deferred += other.deferred;
        self.held += other.held;
        self.untried += other.untried;
    }
}

/// Where the recipients of a message are, by its delivery attempts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum MessageFlow {
    /// At least one on another server.
    Outgoing,
    /// All on this server.
    Local,
    /// Not known: the log shows no attempt.
    Unknown,
}

/// A value for each flow.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct ByFlow<T> {
    pub outgoing: T,
    pub local: T,
    pub unknown: T,
}

impl<T> ByFlow<T> {
    pub fn of(&mut self, flow: MessageFlow) -> &mut T {
        match flow {
            MessageFlow::Outgoing => &mut self.outgoing,
            MessageFlow::Local => &mut self.local,
            MessageFlow::Unknown => &mut self.unknown,
        }
    }
}
