//! What became of messages, as `smtplog trace` tells it: the answer before it has a look.

use schemars::JsonSchema;
use serde::Serialize;

use crate::catalog::classify::Reason;
use crate::smtp::event::{Mta, Outcome, Stage};
use crate::smtp::reply::{Code, EnhancedCode};

/// Everything that was found. Fields are added within a schema, never renamed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(title = "smtplog trace")]
pub(crate) struct Trace {
    #[schemars(extend("const" = SCHEMA))]
    pub schema: &'static str,
    /// What was asked for, as it was typed.
    pub what: String,
    /// Messages and refusals that match; those that are not among `stories` came before them.
    pub found: u64,
    /// In the order of their last lines, the latest at the end.
    pub stories: Vec<Story>,
    /// What a reader should know about how far this goes.
    pub notes: Vec<String>,
}

pub(crate) const SCHEMA: &str = "smtplog.trace/1";

/// One message from its coming in to its end, or the refusals that one client was told in one session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub(crate) struct Story {
    pub kind: StoryKind,
    pub state: StoryState,
    /// Its first line that was read. Null: no line of it shows a time.
    #[schemars(extend("format" = "date-time"))]
    pub first: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    pub last: Option<String>,
    /// From its first line to its last; of a message that is still in the queue, to the last line of the logs.
    pub seconds: Option<u64>,
    /// Of refusals: so many sessions were told the same. 1 for a message.
    pub count: u64,
    /// The queue ids it had, one after the other, and the notifications about it. Of refusals: one without an id.
    pub hops: Vec<StoryHop>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Kind")]
pub(crate) enum StoryKind {
    Message,
    /// A client was refused before there was a message.
    Refusal,
}

/// How it stands where the logs end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "State")]
pub(crate) enum StoryState {
    /// For all recipients of whom the logs tell.
    Delivered,
    /// Still in the queue.
    Queued,
    /// On hold or frozen, in the queue.
    Held,
    /// For one recipient at least, as are these.
    Bounced,
    Expired,
    Discarded,
    /// Removed from the queue by hand.
    Deleted,
    /// Its client was told to keep it.
    Rejected,
    /// It went on under another queue id, of which no line was read.
    HandedOn,
    /// The logs show no result.
    Unknown,
}

/// What one queue did with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Hop")]
pub(crate) struct StoryHop {
    /// Null: the client was refused before there was one.
    pub queue_id: Option<String>,
    pub mta: Mta,
    /// The host that wrote the lines.
    pub host: Option<String>,
    pub instance: Option<String>,
    pub state: StoryState,
    /// It tells the sender what became of the message.
    pub notification: bool,
    /// When it came. Null: no line of that was read.
    #[schemars(extend("format" = "date-time"))]
    pub received: Option<String>,
    pub client_host: Option<String>,
    pub client_ip: Option<String>,
    /// What the client called itself.
    pub helo: Option<String>,
    /// As whom the client logged in.
    pub user: Option<String>,
    /// The null sender is empty.
    pub sender: Option<String>,
    /// In bytes, as the mail server counts them.
    pub size: Option<u64>,
    pub message_id: Option<String>,
    /// What was tried and done, in order.
    pub steps: Vec<StoryStep>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Step")]
pub(crate) struct StoryStep {
    #[schemars(extend("format" = "date-time"))]
    pub time: Option<String>,
    pub what: StepKind,
    pub recipient: Option<String>,
    /// The recipient as it was written, where it was made into another.
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
    pub text: String,
    /// A client was told so this many times in its session; 1 for all else.
    pub count: u64,
    /// The queue id that the line names: as which it goes on, or that of the notification.
    pub next: Option<String>,
}

/// What was done: an event's outcome, or what happens to a message in the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "What")]
pub(crate) enum StepKind {
    Delivered,
    /// Given to another queue of which there are lines in these logs.
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
    /// Put into the queue anew, under another queue id.
    Requeued,
    /// The sender was sent a notification.
    Notified,
}

impl StepKind {
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
