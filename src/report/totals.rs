//! The totals of a report, over all its time and by the hour, as the JSON prints them.

use jiff::Zoned;
use schemars::JsonSchema;
use serde::Serialize;

use super::time::{date_time, rfc3339};
use crate::catalog::classify::Reason;

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Totals {
    pub outbound: Sent,
    pub local: Sent,
    pub inbound: Refused,
    /// Answers of single hosts before another host was tried; in no other sum.
    pub host_attempts: u64,
    /// Addresses verified; in no other sum.
    pub probes: u64,
    /// Hand-overs to a content filter or an inner relay, whose message is counted where it comes back; in no other sum.
    /// 0 with `--hops`, which counts them as deliveries.
    pub hops: u64,
    pub messages: Messages,
}

/// Messages, each once, however many lines and recipients it has, as far as the logs show what became of them.
/// messages = delivered + deferred + bounced + expired + discarded + held + waiting.
#[derive(Clone, Default, Debug, Serialize, JsonSchema)]
pub struct Messages {
    pub messages: u64,
    /// Of these, the ones that came from outside, from a client or a program, in the time of the logs.
    pub received: u64,
    /// Of these, the ones that this server wrote itself to say what became of others: bounces and the like.
    pub notices: u64,
    /// Every recipient was served.
    pub delivered: u64,
    /// Still in the queue, with a recipient that was put off.
    pub deferred: u64,
    /// Given up for a recipient at least, for none because of its age.
    pub bounced: u64,
    /// Given up for a recipient at least because of its age.
    pub expired: u64,
    pub discarded: u64,
    /// Still in the queue, on hold or frozen.
    pub held: u64,
    /// Still in the queue, with recipients that were not tried yet.
    pub waiting: u64,
    /// deferred + held + waiting, where the logs end.
    pub in_queue: u64,
    /// For how long the oldest of these has been seen; None: there is none, or none with a date.
    pub oldest_seconds: Option<u64>,
    /// Given to a content filter or an inner relay, or forwarded, as another message that is in the logs: counted there alone.
    pub handed_on: u64,
    /// In none of these sums: they came when as many were open as are kept.
    pub forgotten: u64,
    /// Recipients that were put off first and served later, by the reason of their first deferral; most first.
    pub delivered_later: Vec<DeliveredLater>,
}

/// How long it took from the first deferral to the delivery; the error is less than one hundredth.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DeliveredLater {
    pub reason: Option<Reason>,
    pub title: String,
    /// Distinct pairs of queue id and recipient.
    pub recipients: u64,
    pub median_seconds: u64,
    /// 95 of 100 took no longer.
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
    /// Thrown away on purpose; not an attempt.
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
    /// Refused, and the line does not say whether for good.
    pub unspecified: u64,
    pub warned: u64,
    pub held: u64,
    pub discarded: u64,
}

/// One hour, from a full hour of UTC on. An event without a time is in none.
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
    /// Refused, and the line does not say whether for good.
    pub unspecified: u64,
}
