//! Counts what became of messages; the counts add up in any order.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::block_names::BlockNames;
use super::mail_counts::CompactMailCounts;
use super::origin::{Attempts, SenderIds};
use super::recent_ids::IdHash;
use crate::catalog::classify::Reason;
use crate::smtp::delivery_result::DeliveryResult;

/// The final state of a message, or where it stands in the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FinalState {
    /// Every recipient was served.
    Delivered,
    /// At least one recipient was given up for an error, none for age.
    Bounced,
    /// At least one recipient was given up for age.
    Expired,
    Discarded,
    /// A filter on this machine has it, and gave it back under another queue id: counted there.
    HandedOn,
    /// Still in the queue, a recipient at least put off.
    Deferred,
    /// Still in the queue, on hold or frozen.
    Held,
    /// Still in the queue, with recipients that were not tried yet.
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

/// A count that depends on whether the message that a hand-over made is in the logs.
#[derive(Clone, Debug)]
pub struct PendingHandOff {
    /// Of the message that was made.
    pub id: IdHash,
    pub what: PendingKind,
}

#[derive(Clone, Debug)]
pub enum PendingKind {
    /// A message was handed on or delivered.
    Message { received: bool, notice: bool, origin: SenderIds },
    /// A delivery counts for who the message is of.
    Attempt { origin: SenderIds },
    /// A recipient got it later, for a reason, after so many seconds.
    Later { reason: Option<Reason>, seconds: i64 },
}

/// Messages that are done, and recipients that got theirs later.
#[derive(Clone, Default, Debug)]
pub struct MessageTotals {
    /// Those that received from outside in the time of the log, whatever became of them.
    pub received: u64,
    /// Those that this server wrote, to say what became of others.
    pub notices: u64,
    pub delivered: u64,
    pub bounced: u64,
    pub expired: u64,
    pub discarded: u64,
    pub handed_on: u64,
    /// Messages that received when as many as are kept were open.
    pub forgotten: u64,
    /// Seconds from a recipient's first deferral to its delivery, by the reason of that deferral.
    pub delivered_later: BTreeMap<Option<Reason>, Histogram<u32>>,
    /// Names with their mail, since the last time that they were handed over.
    pub names: BlockNames,
    /// Messages put on hold before they had a queue id (`NOQUEUE: hold: RCPT from …`), by minutes since 1970.
    pub silent_holds: BTreeMap<i64, u64>,
    /// For who knows all of the logs to settle.
    pub pending: Vec<PendingHandOff>,
}

/// Significant digits of a duration: the error is less than 1 %.
const DIGITS: u8 = 2;

/// A year, in seconds: no queue keeps mail as long, but a damaged stamp may say anything.
const LONGEST: i64 = 366 * 86_400;

/// Minutes with holds that are kept: two weeks with a hold in each minute.
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
        self.names.merge(&other.names);
        for (reason, theirs) in other.delivered_later {
            self.durations(reason).add(theirs).expect("our own histogram grows as far as theirs");
        }
        for (minute, count) in other.silent_holds {
            self.add_holds(minute, count);
        }
        self.pending.extend(other.pending);
    }

    /// The latest minutes are kept.
    pub fn add_holds(&mut self, minute: i64, count: u64) {
        *self.silent_holds.entry(minute).or_default() += count;
        if self.silent_holds.len() > HOLD_MINUTES {
            self.silent_holds.pop_first();
        }
    }

    /// Takes one hold of this minute or the one before: the message got its queue id right after it.
    pub fn take_hold(&mut self, minute: i64) -> bool {
        [minute, minute - 1].into_iter().any(|minute| {
            let left = self.silent_holds.get_mut(&minute).filter(|count| **count > 0);
            left.map(|count| *count -= 1).is_some()
        })
    }

    /// `seen`: the message that was made is in the logs, and is counted there.
    pub fn resolve(&mut self, what: &PendingKind, seen: bool) {
        match *what {
            PendingKind::Message { .. } if seen => self.handed_on += 1,
            PendingKind::Message { received, notice, origin } => {
                self.names.add_counts(origin, &CompactMailCounts::new(1, Attempts::ZERO));
                self.delivered += 1;
                self.received += u64::from(received);
                self.notices += u64::from(notice);
            }
            PendingKind::Later { .. } | PendingKind::Attempt { .. } if seen => {}
            PendingKind::Attempt { origin } => {
                let attempts = Attempts::of(DeliveryResult::Delivered, 1);
                self.names.add_counts(origin, &CompactMailCounts::new(0, attempts));
            }
            PendingKind::Later { reason, seconds } => self.count_late_delivery(reason, seconds),
        }
    }

    /// Clocks are set back now and then; such a delivery took no time.
    pub fn count_late_delivery(&mut self, reason: Option<Reason>, seconds: i64) {
        let seconds = seconds.clamp(0, LONGEST).cast_unsigned();
        self.durations(reason).record(seconds).expect("our own histogram grows as far as a year");
    }

    fn durations(&mut self, reason: Option<Reason>) -> &mut Histogram<u32> {
        self.delivered_later.entry(reason).or_insert_with(|| {
            let mut durations = Histogram::new(DIGITS).expect("two digits are allowed");
            durations.auto(true);
            durations
        })
    }
}
