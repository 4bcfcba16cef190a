//! What a line does to its message: facts and events come in, small acts that need no line go out.

use super::who::Origin;
use crate::event::{Direction, Event, Mta, Outcome, Stage};
use crate::mta;
use crate::mta::fact::{Fact, Step};
use crate::reason::Reason;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// A client or a program hands it over; it is not in the queue yet.
    Came,
    /// It came and is in the queue: Exim's `<=`.
    Arrived,
    Named,
    /// The queue manager took it up, with so many recipients still to be served. None: it does not say how many.
    Queued(Option<u32>),
    Held,
    Released,
    Deleted,
    Renamed,
    Gone,
    /// One recipient's.
    Deferred,
    Delivered,
    /// Given to a program on this machine that gives it back as another message.
    HandedOn,
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
pub struct Op {
    pub act: Act,
    /// A hash; of the acts of one recipient only.
    pub recipient: u64,
    /// Seconds since 1970. None: the line has no stamp that is a date.
    pub at: Option<i64>,
    /// Why it was put off.
    pub reason: Option<Reason>,
    /// The filter admits the event.
    pub wanted: bool,
    /// Whom the line names.
    pub origin: Origin,
}

impl Act {
    /// What was known of the queue id is of another message.
    pub fn begins(self) -> bool {
        matches!(self, Self::Came | Self::Arrived)
    }

    /// Nothing is known of the queue id after it.
    pub fn ends(self) -> bool {
        matches!(self, Self::Gone | Self::Deleted | Self::Renamed | Self::ThrownAway)
    }

    pub fn of_fact(fact: &Fact) -> Self {
        match fact.step {
            Step::Came if fact.mta == Mta::Exim => Self::Arrived,
            Step::Came => Self::Came,
            Step::Named => Self::Named,
            Step::Queued => Self::Queued(mta::recipients(fact)),
            Step::Held => Self::Held,
            Step::Released => Self::Released,
            Step::Deleted => Self::Deleted,
            Step::Renamed => Self::Renamed,
            Step::Gone => Self::Gone,
        }
    }

    /// None: the event changes nothing about its message.
    pub fn of_event(event: &Event) -> Option<Self> {
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
            Outcome::Delivered if is_handed_on(event) => Some(Self::HandedOn),
            Outcome::Delivered => Some(Self::Delivered),
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

/// `relay=127.0.0.1[127.0.0.1]:10024, … (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4XYZ)`:
/// a content filter (Postfix FILTER_README); its message comes back under another queue id.
pub fn is_handed_on(event: &Event) -> bool {
    let here = event.peer.ip.is_some_and(|ip| ip.starts_with(b"127.") || ip == b"::1");
    here && event.direction == Direction::Outbound
        && memchr::memmem::find(event.text, b"queued as ").is_some()
}
