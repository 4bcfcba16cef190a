//! The hosts that wrote the logs, as the JSON prints them.

use schemars::JsonSchema;
use serde::Serialize;

/// The mail of one host, without the host's own notices.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
pub struct HostRow {
    /// Null: lines that name no host.
    pub name: Option<String>,
    /// Lines about messages: results, arrivals and ends, but no routine.
    pub lines: u64,
    /// Messages under their state at the end of the logs; the sum of all hosts is that of outgoing and local messages.
    pub messages: u64,
    /// Delivered to every recipient.
    pub delivered: u64,
    /// Still in the queue, with a deferred recipient.
    pub waiting: u64,
    pub bounced: u64,
    pub expired: u64,
    /// Rejections by this host. They are no messages.
    pub rejected: u64,
    /// waiting + bounced + expired, in percent of the messages; null: there are none.
    pub failed_percent: Option<f64>,
    /// The first and the last minute of its lines; null: no line has a valid timestamp.
    #[schemars(extend("format" = "date-time"))]
    pub first: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    pub last: Option<String>,
    /// Much more of its mail fails than of the other hosts'; absent: it does not stand out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differs: Option<HostDifference>,
}

/// How a host differs from the others.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, JsonSchema)]
pub struct HostDifference {
    /// Failed messages of all other hosts together, in percent of theirs.
    pub others_percent: f64,
}

impl HostRow {
    /// Messages that are not delivered.
    pub(crate) fn failed(&self) -> u64 {
        self.waiting + self.bounced + self.expired
    }
}
