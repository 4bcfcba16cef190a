//! Counts the final states of messages. Totals can be merged in any order.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::block_names::BlockNames;
use super::deferred::FirstDeferral;
use super::failure::{ByFlow, FailedFate, FailureCounts, FlowTotals, MessageFlow, TimedFailure};
use super::failure_details::FailedMessage;
use super::host_spans::HOST_LIMIT;
use super::key::PrehashedState;
use super::mail_counts::CompactMailCounts;
use super::origin::{Attempts, SenderIds};
use super::recent_ids::IdHash;
use crate::catalog::classify::Reason;
use crate::report::ReportExtent;
use crate::smtp::delivery_result::DeliveryResult;

/// The final state of a message, or its state in the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FinalState {
    /// Every recipient was delivered to.
    Delivered,
    /// At least one recipient was given up because of an error, none because of age.
    Bounced,
    /// At least one recipient was given up because of age.
    Expired,
    Discarded,
    /// A filter on this machine took it and returned it under another queue id, where it is counted.
    HandedOn,
    /// Still in the queue, with at least one deferred recipient.
    Deferred,
    /// Still in the queue, on hold or frozen.
    Held,
    /// Still in the queue, with recipients that have not been tried yet.
    Waiting,
}

impl FinalState {
    pub(crate) fn is_in_queue(self) -> bool {
        match self {
            Self::Deferred | Self::Held | Self::Waiting => true,
            Self::Delivered | Self::Bounced | Self::Expired | Self::Discarded | Self::HandedOn => false,
        }
    }
}

/// A count that depends on whether the message that a hand-off created is in the logs.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub struct PendingHandOff {
    /// The queue id of the created message.
    pub id: IdHash,
    pub kind: PendingKind,
}

#[derive(Clone, Serialize, Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum PendingKind {
    /// A message that was handed on, or else delivered.
    Message {
        received: bool,
        notice: bool,
        origin: SenderIds,
        flow: MessageFlow,
        delayed: Option<TimedFailure>,
        #[serde(default)]
        host: u64,
    },
    /// A delivery that counts for the names of its message.
    Attempt { origin: SenderIds },
    /// A delivery to a deferred recipient, with the reason of the deferral and the seconds since then.
    LateDelivery { reason: Option<Reason>, seconds: i64 },
}

/// Totals of messages that have ended, and of deferred recipients that were delivered to later.
#[derive(Clone, Default, Debug)]
pub struct MessageTotals {
    /// Messages that arrived from outside during the log, whatever their final state.
    pub received: u64,
    /// Messages that this server wrote to report on other messages.
    pub notices: u64,
    pub delivered: u64,
    pub bounced: u64,
    pub expired: u64,
    pub discarded: u64,
    pub handed_on: u64,
    /// Messages that arrived while the limit of open messages was reached.
    pub forgotten: u64,
    /// Seconds from a recipient's first deferral to its delivery, by the reason of that deferral.
    pub delivered_later: BTreeMap<Option<Reason>, Histogram<u32>>,
    /// Recipients whose mail expired, by the reason of their last deferral.
    pub expired_after: BTreeMap<Option<Reason>, u64>,
    /// Messages by their final state, without this server's own notices.
    pub flows: ByFlow<FlowTotals>,
    /// The failed ones among them, by what they failed for.
    pub failures: FailureCounts,
    /// The same messages since they were last handed over.
    pub failed: Vec<FailedMessage>,
    /// Lines that say only that a message expired, by the hash of the domain of its recipient.
    pub expired_domains: BTreeMap<u64, u64>,
    /// This server's own notices that were delivered.
    pub notices_delivered: u64,
    /// Names with their mail since they were last handed over.
    pub names: BlockNames,
    /// Messages put on hold before they had a queue id (`NOQUEUE: hold: RCPT from …`), by minutes since 1970.
    pub silent_holds: BTreeMap<i64, u64>,
    /// Messages of each host, by the hash of its name, without the server's own notices.
    pub hosts: HashMap<u64, FlowTotals, PrehashedState>,
    /// Counts that only the whole log can resolve.
    pub pending: Vec<PendingHandOff>,
    /// What of the failed messages and of the names a report of this extent asks for.
    pub(super) extent: ReportExtent,
}

/// Significant digits of a duration: the error is below 1 %.
const DIGITS: u8 = 2;

/// A year, in seconds: no queue keeps mail that long, but a damaged timestamp may have any value.
pub(super) const LONGEST: i64 = 366 * 86_400;

/// Maximum number of minutes with holds: two weeks with a hold in each minute.
const HOLD_MINUTES: usize = 60 * 24 * 14;

impl MessageTotals {
    pub fn merge(&mut self, other: Self) {
        self.received += other.received;
        self.notices += other.notices;
        self.delivered += other.delivered;
        self.bounced += other.bounced;
        self.expired += other.expired;
        self.discarded += other.discarded;
        self.handed_on += other.handed_on;
        self.forgotten += other.forgotten;
        self.notices_delivered += other.notices_delivered;
        self.flows.outgoing.merge(&other.flows.outgoing);
        self.flows.local.merge(&other.flows.local);
        self.flows.unknown.merge(&other.flows.unknown);
        self.failures.merge(&other.failures);
        self.failed.extend(other.failed);
        for (domain, count) in other.expired_domains {
            *self.expired_domains.entry(domain).or_default() += count;
        }
        self.names.merge(&other.names);
        for (reason, theirs) in other.delivered_later {
            self.durations(reason).add(theirs).expect("our own histogram grows as far as theirs");
        }
        for (reason, count) in other.expired_after {
            *self.expired_after.entry(reason).or_default() += count;
        }
        for (minute, count) in other.silent_holds {
            self.add_holds(minute, count);
        }
        for (host, theirs) in other.hosts {
            self.hosts.entry(host).or_default().merge(&theirs);
        }
        self.pending.extend(other.pending);
    }

    /// Counts a message of a host. As in the totals, a message that the log shows no attempt for counts only while it is in the
    /// queue.
    pub(super) fn count_host(&mut self, host: u64, flow: MessageFlow, state: FinalState) {
        let counts = flow != MessageFlow::Unknown || state.is_in_queue();
        if !counts || self.hosts.len() >= HOST_LIMIT && !self.hosts.contains_key(&host) {
            return;
        }
        let host = self.hosts.entry(host).or_default();
        match state {
            FinalState::Delivered => host.delivered += 1,
            FinalState::Bounced => host.bounced += 1,
            FinalState::Expired => host.expired += 1,
            FinalState::Discarded => host.discarded += 1,
            FinalState::Deferred => host.deferred += 1,
            FinalState::Held => host.held += 1,
            FinalState::Waiting => host.untried += 1,
            FinalState::HandedOn => {}
        }
    }

    /// Counts what the first screen shows: of names only their failures, and of failed messages no details.
    pub(crate) fn count_failures_only(&mut self) {
        self.names.count_failures_only();
        self.extent = ReportExtent::FirstScreen;
    }

    /// Adds holds. Only the latest minutes are remembered.
    pub fn add_holds(&mut self, minute: i64, count: u64) {
        *self.silent_holds.entry(minute).or_default() += count;
        if self.silent_holds.len() > HOLD_MINUTES {
            self.silent_holds.pop_first();
        }
    }

    /// Takes one hold of this minute or the one before, in which the message got its queue id. False: there is
    /// none.
    pub fn take_hold(&mut self, minute: i64) -> bool {
        [minute, minute - 1].into_iter().any(|minute| {
            let left = self.silent_holds.get_mut(&minute).filter(|count| **count > 0);
            left.map(|count| *count -= 1).is_some()
        })
    }

    /// Counts a message that failed at least once.
    pub(crate) fn count_failed(&mut self, failure: TimedFailure, fate: FailedFate, origin: SenderIds) {
        self.failures.add(failure, fate);
        if self.extent == ReportExtent::Whole {
            self.failed.push(FailedMessage::new(failure, fate, origin.sender));
        }
    }

    /// Counts a hand-off. `seen`: the created message is in the logs and is counted there.
    pub fn resolve(&mut self, kind: &PendingKind, seen: bool) {
        match *kind {
            PendingKind::Message { .. } if seen => self.handed_on += 1,
            PendingKind::Message { received, notice, origin, flow, delayed, host } => {
                if notice {
                    self.notices_delivered += 1;
                } else {
                    self.count_host(host, flow, FinalState::Delivered);
                    let flow = self.flows.of(flow);
                    flow.delivered += 1;
                    flow.delayed += u64::from(delayed.is_some());
                    if let Some(failure) = delayed {
                        self.count_failed(failure, FailedFate::Delayed, origin);
                    }
                }
                self.names.add_counts(origin, &CompactMailCounts::new(1, Attempts::ZERO));
                self.delivered += 1;
                self.received += u64::from(received);
                self.notices += u64::from(notice);
            }
            PendingKind::LateDelivery { .. } | PendingKind::Attempt { .. } if seen => {}
            PendingKind::Attempt { origin } => {
                let attempts = Attempts::of(DeliveryResult::Delivered, 1);
                self.names.add_counts(origin, &CompactMailCounts::new(0, attempts));
            }
            PendingKind::LateDelivery { reason, seconds } => self.count_late_delivery(reason, seconds),
        }
    }

    /// Records a delivery after a deferral. Negative durations, from a clock that was set back, count as 0.
    pub fn count_late_delivery(&mut self, reason: Option<Reason>, seconds: i64) {
        let seconds = seconds.clamp(0, LONGEST).cast_unsigned();
        self.durations(reason).record(seconds).expect("our own histogram grows as far as a year");
    }

    /// Counts recipients whose mail expired, with their deferrals.
    pub(crate) fn count_expired(&mut self, recipients: impl IntoIterator<Item = FirstDeferral>) {
        for deferred in recipients.into_iter().filter(|deferred| deferred.wanted) {
            *self.expired_after.entry(deferred.last_reason()).or_default() += 1;
        }
    }

    pub(super) fn durations(&mut self, reason: Option<Reason>) -> &mut Histogram<u32> {
        self.delivered_later.entry(reason).or_insert_with(|| {
            let mut durations = Histogram::new(DIGITS).expect("two digits are allowed");
            durations.auto(true);
            durations
        })
    }
}
