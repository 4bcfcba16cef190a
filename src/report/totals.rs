//! The totals of a report, over all its time and by the hour, as the JSON prints them.

use jiff::Zoned;
use schemars::JsonSchema;
use serde::Serialize;

use super::section::DirectionTotals;
use super::time::{date_time, rfc3339};
use crate::catalog::classify::Reason;

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Totals {
    pub outbound: Sent,
    pub local: Sent,
    pub inbound: Refused,
    /// Replies from MX hosts after which another MX was tried; not in any other sum.
    pub host_attempts: u64,
    /// Address verifications; not in any other sum.
    pub probes: u64,
    /// Hand-offs to a content filter or an inner relay, whose message is counted where it comes back; not in any other
    /// sum. 0 with `--hops`, which counts them as deliveries.
    pub hops: u64,
    pub messages: Messages,
}

impl Totals {
    /// The number of all events that were counted.
    pub(crate) fn events(&self) -> u64 {
        let sent = |counts: &Sent| counts.attempts + counts.discarded;
        let Refused { refused, warned, held, discarded, .. } = self.inbound;
        let results = sent(&self.outbound) + sent(&self.local) + refused + warned + held + discarded;
        results + self.host_attempts + self.probes
    }
}

/// Messages. Each counts once, with all its lines and recipients, under its state at the end of the logs:
/// messages = delivered + deferred + bounced + expired + discarded + held + waiting.
#[derive(Clone, Default, Debug, Serialize, JsonSchema)]
pub struct Messages {
    pub messages: u64,
    /// How many of these were received from a client or a program while the logs were written.
    pub received: u64,
    /// How many of these were written by this server itself: bounces and other notices.
    pub notices: u64,
    /// How many of these notices were delivered.
    pub notices_delivered: u64,
    /// Messages to another server, without this server's own notices.
    pub outgoing: DirectionTotals,
    /// Messages to recipients on this server alone, without this server's own notices.
    pub local: DirectionTotals,
    /// Delivered to every recipient.
    pub delivered: u64,
    /// Still in the queue, with a deferred recipient.
    pub deferred: u64,
    /// Bounced for at least one recipient; expired for none.
    pub bounced: u64,
    /// Expired for at least one recipient: too long in the queue.
    pub expired: u64,
    pub discarded: u64,
    /// Still in the queue, on hold or frozen.
    pub held: u64,
    /// Still in the queue, with recipients that were not tried yet.
    pub waiting: u64,
    /// deferred + held + waiting, at the end of the logs.
    pub in_queue: u64,
    /// Age of the oldest of these, since its first line; null: there is none, or none has a date.
    pub oldest_seconds: Option<u64>,
    /// Continued as another message that is in these logs, after a content filter, an inner relay or a forward; only that
    /// message is counted.
    pub handed_on: u64,
    /// Not in any of these sums: too many messages were open at a time to track them.
    pub forgotten: u64,
    /// Recipients that were deferred first and delivered later, by the reason of their first deferral; most first.
    pub delivered_later: Vec<DeliveredLater>,
    /// The median time from the first deferral to the delivery, for all reasons; null: no deferred mail was delivered later.
    pub later_median_seconds: Option<u64>,
    /// The 95th percentile of the same.
    pub later_p95_seconds: Option<u64>,
    /// Recipients whose mail expired, by the reason of their last deferral, which is what to fix; most first.
    pub expired_after: Vec<ExpiredAfter>,
}

/// Recipients whose mail expired after deferrals with one reason.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ExpiredAfter {
    /// Null: it is not known.
    pub reason: Option<Reason>,
    pub title: String,
    /// Distinct pairs of queue id and recipient.
    pub recipients: u64,
}

/// Time from the first deferral to the delivery, accurate to 1 %.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DeliveredLater {
    pub reason: Option<Reason>,
    pub title: String,
    /// Distinct pairs of queue id and recipient.
    pub recipients: u64,
    pub median_seconds: u64,
    /// The 95th percentile.
    pub p95_seconds: u64,
}

/// attempts = delivered + deferred + bounced + expired = replies of each class + `no_reply`.
#[derive(Clone, Copy, Default, Debug, Serialize, JsonSchema)]
pub struct Sent {
    pub attempts: u64,
    pub delivered: u64,
    pub deferred: u64,
    pub bounced: u64,
    pub expired: u64,
    /// Discarded on purpose; not an attempt.
    pub discarded: u64,
    pub positive: u64,
    pub intermediate: u64,
    pub transient: u64,
    pub permanent: u64,
    /// The line shows no reply code.
    pub no_reply: u64,
}

/// refused = transient + permanent + unspecified.
#[derive(Clone, Copy, Default, Debug, Serialize, JsonSchema)]
pub struct Refused {
    pub refused: u64,
    pub transient: u64,
    pub permanent: u64,
    /// Rejected; the line does not say whether for good.
    pub unspecified: u64,
    pub warned: u64,
    pub held: u64,
    pub discarded: u64,
}

/// One hour, which begins at a full hour of UTC. Events without a time are not counted in any hour.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Hour {
    #[serde(serialize_with = "rfc3339")]
    #[schemars(schema_with = "date_time")]
    pub start: Zoned,
    pub outbound: HourSent,
    pub local: HourSent,
    pub inbound: HourRefused,
}

#[derive(Clone, Copy, Default, Debug, Serialize, JsonSchema)]
pub struct HourSent {
    pub delivered: u64,
    pub deferred: u64,
    pub bounced: u64,
    pub expired: u64,
}

#[derive(Clone, Copy, Default, Debug, Serialize, JsonSchema)]
pub struct HourRefused {
    pub transient: u64,
    pub permanent: u64,
    /// Rejected; the line does not say whether for good.
    pub unspecified: u64,
}
