//! Counts the mail of one name: messages, delivery attempts by result, and rejections.

use serde::{Deserialize, Serialize};

use super::origin::Attempts;
use crate::smtp::delivery_result::{ByResult, DeliveryResult};

/// The counts of one name in half a cache line. A count stops at four billion: the lines for more would fill a tebibyte.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub struct CompactMailCounts {
    pub messages: u32,
    pub attempts: Attempts,
    /// Rejections of a client, or of the sender that it named.
    pub rejected: u32,
}

/// The counts of one name, or the sums of many.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub struct MailCounts {
    pub messages: u64,
    pub attempts: ByResult<u64>,
    /// Rejections of a client, or of the sender that it named.
    pub rejected: u64,
}

impl CompactMailCounts {
    /// One rejection.
    pub const REJECTION: Self = Self { messages: 0, attempts: Attempts::ZERO, rejected: 1 };

    pub const fn new(messages: u32, attempts: Attempts) -> Self {
        Self { messages, attempts, rejected: 0 }
    }

    /// The same without messages and deliveries.
    #[inline]
    #[must_use]
    pub(crate) fn failures(&self) -> Self {
        let mut attempts = self.attempts;
        attempts[DeliveryResult::Delivered] = 0;
        Self { messages: 0, attempts, rejected: self.rejected }
    }

    #[inline]
    pub fn add(&mut self, other: &Self) {
        self.messages = self.messages.saturating_add(other.messages);
        self.attempts = self.attempts.saturating_add(&other.attempts);
        self.rejected = self.rejected.saturating_add(other.rejected);
    }

    /// Upper bound of every single count: the number of messages, or the sum of all results and rejections, if larger.
    pub fn weight(&self) -> u64 {
        let results = self.attempts.sum::<u64>() + u64::from(self.rejected);
        results.max(u64::from(self.messages))
    }
}

impl From<&CompactMailCounts> for MailCounts {
    fn from(counts: &CompactMailCounts) -> Self {
        let &CompactMailCounts { messages, attempts, rejected } = counts;
        Self { messages: messages.into(), attempts: attempts.map(u64::from), rejected: rejected.into() }
    }
}

impl MailCounts {
    pub fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.attempts += &other.attempts;
        self.rejected += other.rejected;
    }
}
