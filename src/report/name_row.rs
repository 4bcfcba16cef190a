//! The tables of names in a report: outcomes of the mail of each sender, user, client, domain, provider, relay and instance.

use schemars::JsonSchema;
use serde::Serialize;

/// Outcomes of the mail of one name.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NameRow {
    pub name: String,
    /// Number of messages, each counted once; absent where only lines are counted.
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

/// Outcomes of the mail of several names.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Counts")]
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

    /// Lines of deliveries and rejections, or messages if there are more of them.
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

    /// Subtracts `parts`; no count goes below 0.
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

/// What is not in any row of a table. The rows, `others` and `unnamed` add up to the totals of the report.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rest")]
pub struct Remainder {
    /// Number of names that have no row, among those that are kept.
    pub names: u64,
    /// Upper bound on how far any count of a row may be too low because there are too many names to keep (lossy
    /// counting); `others` has the difference. 0: all counts are exact.
    pub may_lack: u64,
    /// The sum of the names that have no row.
    pub others: NameTotals,
    /// Mail for which no line names one.
    pub unnamed: NameTotals,
    /// The number of names with mail that was sent, and of all names, as far as it matters, where the rows have only failures.
    /// `None`: the rows have all mail.
    #[serde(skip)]
    pub few: Option<(u64, u64)>,
}

/// What is not in any row, for each table.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rests")]
pub struct Remainders {
    pub senders: Remainder,
    pub users: Remainder,
    pub clients: Remainder,
    pub domains: Remainder,
    pub providers: Remainder,
    pub relays: Remainder,
    pub instances: Remainder,
}
