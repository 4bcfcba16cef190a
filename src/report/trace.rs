//! The document of `smtplog trace`: what happened to the messages that match a query.

use schemars::JsonSchema;
use serde::Serialize;

use crate::catalog::classify::Reason;
use crate::smtp::event::{Mta, Outcome, Stage};
use crate::smtp::reply::{Code, EnhancedCode};

/// The messages that were found. Fields are added within a schema, never renamed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(title = "smtplog trace")]
pub(crate) struct Trace {
    #[schemars(extend("const" = SCHEMA))]
    pub schema: &'static str,
    /// The query as typed.
    pub what: String,
    /// Number of messages and rejections that match; `stories` has the latest of them.
    pub found: u64,
    /// In the order of their last lines, the latest last.
    pub stories: Vec<Story>,
    /// Limits of the result, in English.
    pub notes: Vec<String>,
}

pub(crate) const SCHEMA: &str = "smtplog.trace/1";

/// One message from its arrival to its end, or the rejections of one client in one session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub(crate) struct Story {
    pub kind: StoryKind,
    pub state: StoryState,
    /// The time of its first line. Null: none of its lines has a time.
    #[schemars(extend("format" = "date-time"))]
    pub first: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    pub last: Option<String>,
    /// From its first line to its last; for a message that is still in the queue, to the last line of the logs.
    pub seconds: Option<u64>,
    /// For rejections: the number of sessions with the same rejections. 1 for a message.
    pub count: u64,
    /// The recipients of the message by their state at the end of the logs, without those of notifications. Empty: the logs
    /// show no result, or it is a rejection.
    pub recipients: Vec<RecipientCount>,
    /// The queue ids that the message had, in order, and the notifications about it. For rejections: one hop without a
    /// queue id.
    pub hops: Vec<StoryHop>,
}

/// How many recipients of a message are in a state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub(crate) struct RecipientCount {
    pub state: StoryState,
    pub count: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Kind")]
pub(crate) enum StoryKind {
    Message,
    /// A client was rejected before there was a message.
    Refusal,
}

/// The state of a message at the end of the logs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "State")]
pub(crate) enum StoryState {
    /// Delivered to all recipients that the logs name.
    Delivered,
    /// Still in the queue.
    Queued,
    /// On hold or frozen, in the queue.
    Held,
    /// Bounced for at least one recipient; likewise expired and discarded.
    Bounced,
    Expired,
    Discarded,
    /// Removed from the queue by hand.
    Deleted,
    /// Rejected, so that the client kept it.
    Rejected,
    /// Continued under another queue id, of which there is no line in these logs.
    HandedOn,
    /// The logs show no result.
    Unknown,
}

/// What happened to the message under one queue id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Hop")]
pub(crate) struct StoryHop {
    /// Null: the client was rejected before it got one.
    pub queue_id: Option<String>,
    pub mta: Mta,
    /// The host that wrote the lines.
    pub host: Option<String>,
    pub instance: Option<String>,
    pub state: StoryState,
    /// It is a notification to the sender about the message.
    pub notification: bool,
    /// When it arrived. Null: the logs do not show that.
    #[schemars(extend("format" = "date-time"))]
    pub received: Option<String>,
    pub client_host: Option<String>,
    pub client_ip: Option<String>,
    /// The name in HELO or EHLO.
    pub helo: Option<String>,
    /// The login name of the client.
    pub user: Option<String>,
    /// The envelope sender; the null sender is empty.
    pub sender: Option<String>,
    /// In bytes, as the mail server counts them.
    pub size: Option<u64>,
    pub message_id: Option<String>,
    /// Delivery attempts and other steps, in order.
    pub steps: Vec<StoryStep>,
}

/// One delivery attempt, or another step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Step")]
pub(crate) struct StoryStep {
    #[schemars(extend("format" = "date-time"))]
    pub time: Option<String>,
    pub what: StepKind,
    pub recipient: Option<String>,
    /// The recipient before it was rewritten; null: it was not.
    pub original: Option<String>,
    pub peer_host: Option<String>,
    pub peer_ip: Option<String>,
    pub peer_port: Option<u16>,
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub stage: Option<Stage>,
    /// Null for delivered mail.
    pub reason: Option<Reason>,
    /// The reason in words.
    pub title: Option<String>,
    /// What to do about it, in one line. Null for delivered mail.
    pub advice: Option<String>,
    /// The recipient, before or after rewriting, is what was asked for.
    pub asked: bool,
    pub text: String,
    /// How often the client got this rejection in its session; 1 for everything else.
    pub count: u64,
    /// The queue id under which the message continues, or that of the notification.
    pub next: Option<String>,
}

/// The kind of a step: the outcome of an event, or what happened to the message in the queue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "What")]
pub(crate) enum StepKind {
    Delivered,
    /// Handed to another queue, which is in these logs.
    HandedOn,
    Deferred,
    Bounced,
    Expired,
    Rejected,
    Attempt,
    Warned,
    Held,
    Discarded,
    Probe,
    Released,
    /// Removed from the queue by hand.
    Deleted,
    /// Put into the queue again, under another queue id.
    Requeued,
    /// A notification was sent to the sender.
    Notified,
}

impl StepKind {
    /// The step that an event with this outcome is.
    pub(crate) fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Delivered => Self::Delivered,
            Outcome::Deferred => Self::Deferred,
            Outcome::Bounced => Self::Bounced,
            Outcome::Expired => Self::Expired,
            Outcome::Rejected => Self::Rejected,
            Outcome::Attempt => Self::Attempt,
            Outcome::Warned => Self::Warned,
            Outcome::Held => Self::Held,
            Outcome::Discarded => Self::Discarded,
            Outcome::Probe => Self::Probe,
        }
    }

    /// In English, for people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::HandedOn => "handed on",
            Self::Deferred => "deferred",
            Self::Bounced => "bounced",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Attempt => "attempt",
            Self::Warned => "warned",
            Self::Held => "held",
            Self::Discarded => "discarded",
            Self::Probe => "probe",
            Self::Released => "released",
            Self::Deleted => "deleted",
            Self::Requeued => "requeued",
            Self::Notified => "notified",
        }
    }
}

impl StoryState {
    /// In English, for people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Queued => "still in the queue",
            Self::Held => "held",
            Self::Bounced => "bounced",
            Self::Expired => "expired",
            Self::Discarded => "discarded",
            Self::Deleted => "deleted",
            Self::Rejected => "rejected",
            Self::HandedOn => "handed on",
            Self::Unknown => "no result in the logs",
        }
    }
}
