//! Translates queue records and events into transitions: what a line changes about its message, independent of the
//! line's text.

use serde::{Deserialize, Serialize};

use super::failure::{FailureKind, TimedFailure, is_zero};
use super::hop::HandOff;
use super::origin::{SenderIds, is_unknown};
use super::recent_ids::IdHash;
use crate::parse::mta;
use crate::parse::mta::queue_record::{QueueRecord, QueueStep};
use crate::smtp::delivery_result::DeliveryResult;
use crate::smtp::event::{Direction, Event, Outcome, Stage};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Transition {
    /// A client or a program submits the message; it is not in the queue yet.
    Received,
    /// The message is in the queue, with this number of recipients (Exim's `<=`). None: the line does not state
    /// the number.
    Arrived(Option<u32>),
    HeaderRead,
    /// This server wrote the message to report on another. `arrived`: it is in the queue, and no other line says
    /// so.
    Notice {
        arrived: bool,
        recipients: Option<u32>,
    },
    /// The queue manager activated it, with this number of recipients left. None: the line does not state the
    /// number. `null`: its sender is the null sender.
    Queued {
        left: Option<u32>,
        null: bool,
    },
    Held,
    Released,
    Deleted,
    /// An administrator bounced all recipients that were left.
    Returned,
    Renamed,
    /// The message is one that arrived under another queue id.
    Continued,
    Removed,
    /// One recipient was deferred.
    Deferred,
    Delivered,
    /// Handed to a program that returns it as another message. The id of that message, if no line named it so far.
    HandedOn(Option<IdHash>),
    Bounced,
    /// Bounced before the message was in the queue; it never gets there.
    BouncedUnqueued,
    /// Expired for one recipient, or for all that are left.
    Expired {
        all: bool,
    },
    Discarded,
    /// The server rejected the message; the client keeps it.
    Rejected,
    /// The server rejected the message after its arrival was logged; the client keeps it.
    Withdrawn,
    /// The whole message was discarded, and no later line is about it.
    WholeDiscarded,
    /// The message was thrown away before it was in the queue, unless an earlier line says what became of it.
    Dropped,
    /// The line names the id, and changes nothing.
    Named,
    Probe,
}

/// A transition, with what is remembered of its line.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub(crate) struct Update {
    pub transition: Transition,
    /// The recipient's hash, for transitions of recipients only.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub recipient: u64,
    /// Seconds since 1970. None: the line has no valid timestamp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// Why a delivery failed. None: the line states no failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureKind>,
    /// The hash of the recipient's domain, of a failure only. 0: the line names none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub domain: u64,
    /// Where the recipient of a delivery attempt is. None: the line is about no attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The filter admits the event.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wanted: bool,
    /// The filter admits the recipient; other recipients do not decide what became of the message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub concerns: bool,
    /// It is one of the attempts that the tables count: the filter admits it, and it is no hand-off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts: bool,
    /// The hashes of the names that the line states.
    #[serde(default, skip_serializing_if = "SenderIds::is_empty")]
    pub origin: SenderIds,
    /// The hash of the host that wrote the line. 0: an older version counted it.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub host: u64,
}

impl Update {
    /// Why a delivery failed, and when.
    pub(crate) fn failure(&self) -> Option<TimedFailure> {
        self.failure.map(|kind| TimedFailure { kind, at: self.at, domain: self.domain })
    }
}

impl Transition {
    /// The line begins a new message; earlier lines with the same queue id are about another one.
    pub fn begins(self) -> bool {
        matches!(self, Self::Received | Self::Arrived(_) | Self::Notice { arrived: true, .. })
    }

    /// The line ends the message; its queue id is free afterwards.
    pub fn ends(self) -> bool {
        matches!(
            self,
            Self::Removed
                | Self::Deleted
                | Self::Renamed
                | Self::Withdrawn
                | Self::WholeDiscarded
                | Self::Dropped
        )
    }

    pub fn of_record(fact: &QueueRecord) -> Self {
        match fact.step {
            QueueStep::Received if mta::is_queued_on_arrival(fact.mta) => {
                Self::Arrived(mta::recipients(fact))
            }
            QueueStep::Received => Self::Received,
            QueueStep::MessageIdAssigned => Self::HeaderRead,
            QueueStep::Notice => Self::Notice {
                arrived: mta::arrives_with_notice(fact.mta),
                recipients: mta::recipients(fact),
            },
            QueueStep::Queued => {
                Self::Queued { left: mta::recipients(fact), null: fact.text.starts_with(b"from=<>") }
            }
            QueueStep::Held => Self::Held,
            QueueStep::Released => Self::Released,
            QueueStep::Deleted => Self::Deleted,
            QueueStep::Returned => Self::Returned,
            QueueStep::Requeued => Self::Renamed,
            QueueStep::PassedOn => Self::Named,
            QueueStep::Canceled => Self::Rejected,
            QueueStep::Dropped => Self::Dropped,
            QueueStep::Removed => Self::Removed,
        }
    }

    /// None: the event changes nothing about its message.
    pub fn of_event(event: &Event, hop: HandOff) -> Option<Self> {
        if event.direction == Direction::Inbound {
            // Before DATA, a rejection concerns one recipient, and there may be others.
            let whole = matches!(event.stage, Some(Stage::Data | Stage::EndOfData));
            return match event.outcome {
                Outcome::Rejected if mta::logs_arrival_first(event.mta) => whole.then_some(Self::Withdrawn),
                Outcome::Rejected => whole.then_some(Self::Rejected),
                Outcome::Held => Some(Self::Held),
                // A line of its own says that the message leaves the queue.
                Outcome::Discarded if whole && !mta::logs_arrival_first(event.mta) => {
                    Some(Self::WholeDiscarded)
                }
                Outcome::Discarded => Some(Self::Discarded),
                Outcome::Probe => Some(Self::Probe),
                Outcome::Delivered
                | Outcome::Deferred
                | Outcome::Bounced
                | Outcome::Expired
                | Outcome::Attempt
                | Outcome::Warned => None,
            };
        }
        match event.outcome {
            Outcome::Delivered => Some(match hop {
                HandOff::No => Self::Delivered,
                HandOff::Yes => Self::HandedOn(None),
                HandOff::Pending(id) => Self::HandedOn(Some(id)),
            }),
            Outcome::Deferred => Some(Self::Deferred),
            Outcome::Bounced => Some(Self::Bounced),
            Outcome::Expired => Some(Self::Expired { all: event.recipient.is_none() }),
            Outcome::Held => Some(Self::Held),
            Outcome::Discarded => Some(Self::Discarded),
            Outcome::Probe => Some(Self::Probe),
            Outcome::Rejected | Outcome::Attempt | Outcome::Warned => None,
        }
    }

    /// None: the transition is not the result of a delivery attempt that is counted.
    pub fn result(self) -> Option<DeliveryResult> {
        match self {
            Self::Delivered | Self::HandedOn(_) => Some(DeliveryResult::Delivered),
            Self::Deferred => Some(DeliveryResult::Deferred),
            Self::Bounced | Self::BouncedUnqueued => Some(DeliveryResult::Bounced),
            Self::Expired { .. } => Some(DeliveryResult::Expired),
            Self::Received
            | Self::Arrived(_)
            | Self::HeaderRead
            | Self::Notice { .. }
            | Self::Queued { .. }
            | Self::Held
            | Self::Released
            | Self::Deleted
            | Self::Returned
            | Self::Renamed
            | Self::Continued
            | Self::Removed
            | Self::Discarded
            | Self::Rejected
            | Self::Withdrawn
            | Self::WholeDiscarded
            | Self::Dropped
            | Self::Named
            | Self::Probe => None,
        }
    }
}

impl SenderIds {
    /// A newer line about the message replaces what older lines state; the line of an attempt only fills gaps.
    /// [`MessageMetadata`](super::metadata::MessageMetadata) has the same rule.
    pub fn update(&mut self, newer: Self, transition: Transition) {
        let tells = matches!(
            transition,
            Transition::Received
                | Transition::Arrived(_)
                | Transition::Notice { .. }
                | Transition::Queued { .. }
        );
        for (mine, theirs) in
            [(&mut self.sender, newer.sender), (&mut self.client, newer.client), (&mut self.user, newer.user)]
        {
            if theirs != 0 && (tells || *mine == 0) {
                *mine = theirs;
            }
        }
    }
}
