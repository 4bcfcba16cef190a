//! Translates facts and events into transitions: what a line does to its message, in a form that outlives the line.

use super::hop::HandOff;
use super::origin::SenderIds;
use super::recent_ids::IdHash;
use crate::catalog::classify::Reason;
use crate::parse::mta;
use crate::parse::mta::queue_record::{QueueRecord, QueueStep};
use crate::smtp::delivery_result::DeliveryResult;
use crate::smtp::event::{Direction, Event, Outcome, Stage};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transition {
    /// A client or a program hands it over; it is not in the queue yet.
    Received,
    /// It received and is in the queue, with so many recipients: Exim's `<=`. None: it does not say how many.
    Arrived(Option<u32>),
    HeaderRead,
    /// This server wrote it, to say what became of another. `arrived`: it is in the queue, and nothing else says so.
    Notice {
        arrived: bool,
        recipients: Option<u32>,
    },
    /// The queue manager took it up, with so many recipients still to be served. None: it does not say how many.
    /// `null`: its sender is the null sender.
    Queued {
        left: Option<u32>,
        null: bool,
    },
    Held,
    Released,
    Deleted,
    /// All that are left are given up by hand.
    Returned,
    Renamed,
    Removed,
    /// One recipient's, or of as many as the line names.
    Deferred,
    Delivered,
    /// Given to who gives it back as another message; that one's id, if no line named it so far.
    HandedOn(Option<IdHash>),
    Bounced,
    /// Of one recipient, or of all that are left.
    Expired {
        all: bool,
    },
    Discarded,
    /// The client was told to keep it.
    Rejected,
    /// The whole of it, and nothing more will be said of it.
    WholeDiscarded,
    Probe,
}

/// An transition with what is kept of its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Update {
    pub transition: Transition,
    /// A hash; of the transitions of recipients only.
    pub recipient: u64,
    /// Of how many recipients the line tells; the hash is of the first.
    pub recipients: u32,
    /// Seconds since 1970. None: the line has no stamp that is a date.
    pub at: Option<i64>,
    /// Why it was put off.
    pub reason: Option<Reason>,
    /// The filter admits the event.
    pub wanted: bool,
    /// It is one of the attempts that the tables count: admitted, and not a hop that is in no sum.
    pub counts: bool,
    /// Whom the line names.
    pub origin: SenderIds,
}

impl Transition {
    /// What was known of the queue id is of another message.
    pub fn begins(self) -> bool {
        matches!(self, Self::Received | Self::Arrived(_) | Self::Notice { arrived: true, .. })
    }

    /// Nothing is known of the queue id after it.
    pub fn ends(self) -> bool {
        matches!(self, Self::Removed | Self::Deleted | Self::Renamed | Self::WholeDiscarded)
    }

    pub fn of_record(fact: &QueueRecord) -> Self {
        match fact.step {
            QueueStep::Came if mta::is_queued_on_arrival(fact.mta) => Self::Arrived(mta::recipients(fact)),
            QueueStep::Came => Self::Received,
            QueueStep::Named => Self::HeaderRead,
            QueueStep::Notice => Self::Notice {
                arrived: mta::is_queued_on_arrival(fact.mta),
                recipients: mta::recipients(fact),
            },
            QueueStep::Queued => {
                Self::Queued { left: mta::recipients(fact), null: fact.text.starts_with(b"from=<>") }
            }
            QueueStep::Held => Self::Held,
            QueueStep::Released => Self::Released,
            QueueStep::Deleted => Self::Deleted,
            QueueStep::Returned => Self::Returned,
            QueueStep::Renamed => Self::Renamed,
            QueueStep::Gone => Self::Removed,
        }
    }

    /// None: the event changes nothing about its message.
    pub fn of_event(event: &Event, hop: HandOff) -> Option<Self> {
        if event.direction == Direction::Inbound {
            // Before its data is sent, a refusal is of one recipient, and there may be others.
            let whole = matches!(event.stage, Some(Stage::Data | Stage::EndOfData));
            return match event.outcome {
                Outcome::Rejected => whole.then_some(Self::Rejected),
                Outcome::Held => Some(Self::Held),
                Outcome::Discarded if whole => Some(Self::WholeDiscarded),
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

    /// None: it is not the result of a delivery attempt that is counted.
    pub fn result(self) -> Option<DeliveryResult> {
        match self {
            Self::Delivered | Self::HandedOn(_) => Some(DeliveryResult::Delivered),
            Self::Deferred => Some(DeliveryResult::Deferred),
            Self::Bounced => Some(DeliveryResult::Bounced),
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
            | Self::Removed
            | Self::Discarded
            | Self::Rejected
            | Self::WholeDiscarded
            | Self::Probe => None,
        }
    }
}

impl SenderIds {
    /// A newer line about the message replaces what older ones state; the line of an attempt only fills gaps. The same
    /// rule as of [`Metadata`](super::metadata::Metadata).
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
