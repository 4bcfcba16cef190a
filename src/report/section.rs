//! The sections of a report by who must act, and the mail of each direction in messages, as the JSON prints them.

use jiff::Zoned;
use schemars::JsonSchema;
use serde::Serialize;

use super::row::{Change, NameCount};
use super::time::{date_time, rfc3339};
use crate::catalog::classify::Reason;
use crate::catalog::{Action, Cause};
use crate::smtp::event::Direction;
use crate::smtp::reply::{Code, EnhancedCode};

/// Messages of one direction under their state at the end of the logs, without this server's own notices:
/// messages = delivered + bounced + expired + discarded + waiting + held + untried.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct DirectionTotals {
    pub messages: u64,
    /// Delivered to every recipient.
    pub delivered: u64,
    /// How many of these were deferred first.
    pub delayed: u64,
    /// Bounced for at least one recipient; expired for none.
    pub bounced: u64,
    /// Expired for at least one recipient.
    pub expired: u64,
    pub discarded: u64,
    /// Still in the queue, with a deferred recipient.
    pub waiting: u64,
    /// Still in the queue, on hold or frozen.
    pub held: u64,
    /// Still in the queue, with recipients that were not tried yet.
    pub untried: u64,
}

impl DirectionTotals {
    pub(crate) fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.delivered += other.delivered;
        self.delayed += other.delayed;
        self.bounced += other.bounced;
        self.expired += other.expired;
        self.discarded += other.discarded;
        self.waiting += other.waiting;
        self.held += other.held;
        self.untried += other.untried;
    }
}

/// The failed messages that the same person must act on. Each failed message is in one section.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ActionSection {
    pub action: Action,
    pub title: &'static str,
    pub meaning: &'static str,
    /// The sums of the rows.
    pub totals: FaultTotals,
    /// Most messages first, or as `--sort` asks.
    pub rows: Vec<FaultRow>,
}

/// Messages that failed, and clients that were rejected.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct FaultTotals {
    /// Still in the queue, with a deferred recipient.
    pub waiting: u64,
    /// Still in the queue, on hold or frozen, with a deferred recipient: the queue does not try again.
    pub held: u64,
    /// Deferred first and delivered later.
    pub delayed: u64,
    pub bounced: u64,
    pub expired: u64,
    /// Rejections of clients by this server. They are no messages.
    pub rejected: u64,
}

impl FaultTotals {
    pub(crate) fn add(&mut self, other: &Self) {
        self.waiting += other.waiting;
        self.held += other.held;
        self.delayed += other.delayed;
        self.bounced += other.bounced;
        self.expired += other.expired;
        self.rejected += other.rejected;
    }

    /// Messages that went back to their senders.
    pub(crate) fn lost(&self) -> u64 {
        self.bounced + self.expired
    }

    /// Messages that were deferred and are not lost.
    pub(crate) fn waited(&self) -> u64 {
        self.waiting + self.held + self.delayed
    }

    /// Messages that failed at least once.
    pub(crate) fn failed(&self) -> u64 {
        self.lost() + self.waited()
    }
}

/// Failed messages with one reason and cause.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FaultRow {
    /// Outbound, local, or inbound for rejections of clients.
    pub direction: Direction,
    pub reason: Reason,
    /// Null: not known, or several that have few messages each.
    pub cause: Option<Cause>,
    /// The cause, else the reason, in words.
    pub title: String,
    #[serde(flatten)]
    pub totals: FaultTotals,
    /// The replies, the most frequent first; at most eight.
    pub codes: Vec<CodeCount>,
    /// The number of different ones.
    pub code_count: u64,
    /// Messages in each part of the log; empty for rejections. See `trend` of the report.
    pub trend: Vec<u64>,
    /// Time of the first and of the last failure; null: no line has a valid timestamp.
    #[schemars(extend("format" = "date-time"))]
    pub first: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    pub last: Option<String>,
    /// When it began, if the log shows a time before that without it; null: the log begins with it. Up to a twentieth of its
    /// messages may be older: then it is the hour in which the others began.
    #[schemars(extend("format" = "date-time"))]
    pub since: Option<String>,
    /// The last day of the log against the days before; absent: the log is shorter than four days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_day: Option<LastDay>,
    /// Where most of its attempts failed; null: nowhere in particular.
    pub place: Option<MainPlace>,
    /// Number of different recipient domains, or of clients for rejections.
    pub places: u64,
    /// Recipient domains, or client addresses for rejections, with the most attempts; at most five.
    #[serde(rename = "where")]
    pub wheres: Vec<NameCount>,
    /// The senders with the most of these messages, at most five; empty for rejections.
    pub senders: Vec<SenderCount>,
    /// What to do, in one line; null: nothing.
    pub advice: Option<String>,
    /// A recipient whose mail failed for it, for `smtplog trace`; null: the lines show none.
    pub recipient: Option<String>,
    /// The latest log lines of the row, in their order, at most as many as `--examples` says; absent: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}

/// An envelope sender and its messages; `<>` is the null sender. Of very many senders, counts may be too low.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct SenderCount {
    pub name: String,
    pub messages: u64,
}

/// A recipient domain to which deliveries failed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FailingDomain {
    pub name: String,
    /// Failed messages in each part of the log; see `trend` of the report. Each message counts for one of its domains.
    pub trend: Vec<u64>,
    /// Why deliveries failed, most attempts first; at most eight.
    pub faults: Vec<DomainFault>,
    /// The replies, the most frequent first; at most eight.
    pub codes: Vec<CodeCount>,
    /// The senders with the most failed messages, at most five.
    pub senders: Vec<SenderCount>,
    /// Its latest log lines among those that are kept, at most as many as `--examples` says; absent: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}

/// One reason why deliveries to a domain failed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DomainFault {
    pub direction: Direction,
    pub reason: Reason,
    /// Null: not known.
    pub cause: Option<Cause>,
    pub title: String,
    pub attempts: u64,
    /// What to do, in one line; null: nothing.
    pub advice: Option<String>,
}

/// Messages in the last 24 hours of a log, compared with the earlier days of the same log.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, JsonSchema)]
pub struct LastDay {
    pub messages: u64,
    pub change: Change,
}

/// A reply and how often it was given. Both codes null: the lines show none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct CodeCount {
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub attempts: u64,
}

/// The provider, domain or client of most of a fault's attempts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct MainPlace {
    pub kind: PlaceKind,
    pub name: String,
    /// Its share of the attempts, in percent, rounded down.
    pub percent: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlaceKind {
    Provider,
    Domain,
    Client,
}

/// The parts of the log that `trend` of a fault counts, all of the same length.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TrendAxis {
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub start: Zoned,
    /// Length of a part.
    pub hours: u64,
    /// Number of parts.
    pub parts: u64,
}
