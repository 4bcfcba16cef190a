//! What became of messages, as counts that add up in any order.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::message::Message;
use super::who::Who;
use crate::reason::Reason;

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
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

impl Fate {
    pub fn is_in_queue(self) -> bool {
        match self {
            Self::Deferred | Self::Held | Self::Waiting => true,
            Self::Delivered | Self::Bounced | Self::Expired | Self::Discarded | Self::HandedOn => false,
        }
    }
}

/// Messages that are done, and recipients that got theirs later.
#[derive(Clone, Default, Debug)]
pub struct Sums {
    /// Those that came in the time of the log, whatever became of them.
    pub received: u64,
    pub delivered: u64,
    pub bounced: u64,
    pub expired: u64,
    pub discarded: u64,
    pub handed_on: u64,
    /// Messages that came when as many as are kept were open.
    pub forgotten: u64,
    /// Seconds from a recipient's first deferral to its delivery, by the reason of that deferral.
    pub later: BTreeMap<Option<Reason>, Histogram<u32>>,
    /// Whose mail it was, attempt by attempt, of those messages too that are in no sum here.
    pub who: Who,
}

/// Two digits of a duration are kept: the error is less than one hundredth.
const DIGITS: u8 = 2;

/// A year, in seconds: no queue keeps mail as long, but a damaged stamp may say anything.
const LONGEST: i64 = 366 * 86_400;

impl Sums {
    pub fn merge(&mut self, other: Self) {
        self.received += other.received;
        self.delivered += other.delivered;
        self.bounced += other.bounced;
        self.expired += other.expired;
        self.discarded += other.discarded;
        self.handed_on += other.handed_on;
        self.forgotten += other.forgotten;
        self.who.merge(other.who);
        for (reason, theirs) in other.later {
            self.durations(reason).add(theirs).expect("our own histogram grows as far as theirs");
        }
    }

    /// `ended`: its end is in the log.
    pub fn count(&mut self, message: &Message, ended: bool) {
        let fate = message.fate(ended).filter(|_| message.wanted);
        self.who.add(message, u64::from(fate.is_some_and(|fate| fate != Fate::HandedOn)));
        let Some(fate) = fate else { return };
        self.received += u64::from(message.came && fate != Fate::HandedOn);
        match fate {
            Fate::Delivered => self.delivered += 1,
            Fate::Bounced => self.bounced += 1,
            Fate::Expired => self.expired += 1,
            Fate::Discarded => self.discarded += 1,
            Fate::HandedOn => self.handed_on += 1,
            // Who closes the ledger counts what is in the queue.
            Fate::Deferred | Fate::Held | Fate::Waiting => {}
        }
    }

    /// Clocks are set back now and then; such a delivery took no time.
    pub fn delivered_later(&mut self, reason: Option<Reason>, seconds: i64) {
        let seconds = seconds.clamp(0, LONGEST).cast_unsigned();
        self.durations(reason).record(seconds).expect("our own histogram grows as far as a year");
    }

    fn durations(&mut self, reason: Option<Reason>) -> &mut Histogram<u32> {
        self.later.entry(reason).or_insert_with(|| {
            let mut durations = Histogram::new(DIGITS).expect("two digits are allowed");
            durations.auto(true);
            durations
        })
    }
}
