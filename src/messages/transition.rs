//! Translates facts and events into acts: what a line does to its message, in a form that outlives the line.

use super::hop::HandOff;
use super::origin::{Attempts, SenderIds};
use super::recent_ids::IdHash;
use crate::catalog::classify::Reason;
use crate::parse::mta;
use crate::parse::mta::queue_record::{QueueRecord, QueueStep};
use crate::smtp::event::{Direction, Event, Outcome, Stage};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transition {
    /// A client or a program hands it over; it is not in the queue yet.
    Came,
    /// It came and is in the queue, with so many recipients: Exim's `<=`. None: it does not say how many.
    Arrived(Option<u32>),
    Named,
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
    Gone,
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
    Refused,
    /// The whole of it, and nothing more will be said of it.
    ThrownAway,
    Probe,
}

/// An act with what is kept of its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Update {
    pub act: Transition,
    /// A hash; of the acts of recipients only.
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
        matches!(self, Self::Came | Self::Arrived(_) | Self::Notice { arrived: true, .. })
    }

    /// Nothing is known of the queue id after it.
    pub fn ends(self) -> bool {
        matches!(self, Self::Gone | Self::Deleted | Self::Renamed | Self::ThrownAway)
    }

    pub fn of_fact(fact: &QueueRecord) -> Self {
        match fact.step {
            QueueStep::Received if mta::is_queued_on_arrival(fact.mta) => {
                Self::Arrived(mta::recipients(fact))
            }
            QueueStep::Received => Self::Came,
            QueueStep::MessageIdAssigned => Self::Named,
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
            QueueStep::Requeued => Self::Renamed,
            QueueStep::Removed => Self::Gone,
        }
    }

    /// None: the event changes nothing about its message.
    pub fn of_event(event: &Event, hop: HandOff) -> Option<Self> {
        if event.direction == Direction::Inbound {
            // Before its data is sent, a refusal is of one recipient, and there may be others.
            let whole = matches!(event.stage, Some(Stage::Data | Stage::EndOfData));
            return match event.outcome {
                Outcome::Rejected => whole.then_some(Self::Refused),
                Outcome::Held => Some(Self::Held),
                Outcome::Discarded if whole => Some(Self::ThrownAway),
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
                HandOff::Unsure(id) => Self::HandedOn(Some(id)),
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
}

impl SenderIds {
    /// A newer line about the message replaces what older ones state; the line of an attempt only fills gaps. The same
    /// rule as of [`Metadata`](super::metadata::Metadata).
    pub fn learn(&mut self, newer: Self, act: Transition) {
        let tells = matches!(
            act,
            Transition::Came | Transition::Arrived(_) | Transition::Notice { .. } | Transition::Queued { .. }
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

/// Counts the attempt of an act.
pub(crate) fn attempted(attempts: &mut Attempts, act: Transition) {
    let at = match act {
        Transition::Delivered | Transition::HandedOn(_) => 0,
        Transition::Deferred => 1,
        Transition::Bounced => 2,
        Transition::Expired { .. } => 3,
        Transition::Came
        | Transition::Arrived(_)
        | Transition::Named
        | Transition::Notice { .. }
        | Transition::Queued { .. }
        | Transition::Held
        | Transition::Released
        | Transition::Deleted
        | Transition::Returned
        | Transition::Renamed
        | Transition::Gone
        | Transition::Discarded
        | Transition::Refused
        | Transition::ThrownAway
        | Transition::Probe => return,
    };
    if let Some(count) = attempts.get_mut(at) {
        *count = count.saturating_add(1);
    }
}
