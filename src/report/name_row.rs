//! The tables of names in a report: what befell the mail of each, and what stands in no row.

use schemars::JsonSchema;
use serde::Serialize;

/// What befell one name.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NameRow {
    pub name: String,
    /// Each once, when no more is said of it; absent where only lines are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    pub delivered: u64,
    pub deferred: u64,
    pub bounced: u64,
    pub expired: u64,
    pub rejected: u64,
}

impl NameRow {
    pub(crate) fn new(name: String, counts: NameTotals) -> Self {
        let NameTotals { messages, delivered, deferred, bounced, expired, rejected } = counts;
        Self { name, messages, delivered, deferred, bounced, expired, rejected }
    }

    pub(crate) fn failures(&self) -> u64 {
        self.counts().failures()
    }

    pub(crate) fn volume(&self) -> u64 {
        self.counts().volume()
    }

    pub(crate) fn counts(&self) -> NameTotals {
        let &Self { messages, delivered, deferred, bounced, expired, rejected, .. } = self;
        NameTotals { messages, delivered, deferred, bounced, expired, rejected }
    }
}

/// What befell names that have no row of their own.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct NameTotals {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    pub delivered: u64,
    pub deferred: u64,
    pub bounced: u64,
    pub expired: u64,
    pub rejected: u64,
}

impl NameTotals {
    pub(crate) fn failures(&self) -> u64 {
        self.deferred + self.bounced + self.expired + self.rejected
    }

    /// How much mail it is: lines of deliveries and refusals, or messages if these are more.
    pub(crate) fn volume(&self) -> u64 {
        self.messages.unwrap_or(0).max(self.delivered + self.failures())
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.messages = self.messages.zip(other.messages).map(|(mine, theirs)| mine + theirs);
        self.delivered += other.delivered;
        self.deferred += other.deferred;
        self.bounced += other.bounced;
        self.expired += other.expired;
        self.rejected += other.rejected;
    }

    /// What is left of it.
    #[must_use]
    pub(crate) fn without(self, parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().fold(self, |left, part| Self {
            messages: left.messages.zip(part.messages).map(|(left, part)| left.saturating_sub(part)),
            delivered: left.delivered.saturating_sub(part.delivered),
            deferred: left.deferred.saturating_sub(part.deferred),
            bounced: left.bounced.saturating_sub(part.bounced),
            expired: left.expired.saturating_sub(part.expired),
            rejected: left.rejected.saturating_sub(part.rejected),
        })
    }
}

/// What is in no row of a table. Its rows, `others` and `unnamed` add up to the sums of the report.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct Remainder {
    /// Names without a row, as far as they are kept.
    pub names: u64,
    /// Above 0: there are more names than are kept, and any count of a row may be so much too low. It is in `others`.
    pub may_lack: u64,
    /// Names without a row.
    pub others: NameTotals,
    /// Where no line that was read says a name.
    pub unnamed: NameTotals,
}

/// The rest of each table.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct Remainders {
    pub senders: Remainder,
    pub users: Remainder,
    pub clients: Remainder,
    pub domains: Remainder,
    pub providers: Remainder,
    pub relays: Remainder,
    pub instances: Remainder,
}
