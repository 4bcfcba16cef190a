//! Defines the kind of an event, and the coarser kind of the cells in which events of a minute are counted together.

use serde::{Deserialize, Serialize};

use crate::catalog::classify::Reason;
use crate::catalog::provider::Provider;
use crate::pipeline::sink::LoggedEvent;
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// A kind of event. Mail that a client handed over successfully is inbound and delivered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct CountSeries {
    pub direction: Direction,
    pub outcome: Outcome,
    pub class: Option<Class>,
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub reason: Option<Reason>,
    pub provider: Option<Provider>,
}

/// What the events of a cell have in common, packed: the direction, whether they were served, and of failures that may be
/// evidence of a storm the reason and the provider. Codes are left out: they would multiply the cells without need.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct CellKind(u32);

impl CellKind {
    const SERVED: u32 = 1;
    const STRANGER: u32 = 2;
    /// Greylisting, which is evidence only on request.
    const NORMAL: u32 = 3;
    const FAILED: u32 = 0;
    /// The bit of warnings of this server about faults of its own.
    const OWN_FAULT: u32 = 1 << 26;

    /// The kind of events of this series, with the provider if it has one.
    pub(crate) fn of(series: &CountSeries) -> Self {
        let direction = series.direction as u32;
        let is_stranger =
            series.direction == Direction::Inbound && series.reason.is_some_and(Reason::turns_strangers_away);
        let reason = || series.reason.map_or(0, |reason| reason as u32 + 1);
        let packed = match series.reason {
            _ if series.is_served() => Self::SERVED,
            _ if is_stranger => Self::STRANGER,
            reason if reason.and_then(Reason::kin).is_none() => Self::NORMAL,
            _ => reason() << 4 | Self::FAILED,
        };
        Self(packed | direction << 2).of_provider(series.provider)
    }

    /// The same kind for a provider, which only evidence is told apart by.
    pub(crate) fn of_provider(self, provider: Option<Provider>) -> Self {
        let provider = provider.filter(|_| self.is_evidence());
        Self(self.0 | provider.map_or(0, |provider| (provider.index() as u32 + 1) << 10))
    }

    /// The kind of warnings of this server about a fault of its own. They are sampled apart from the rejections with the same reason,
    /// of which there may be thousands.
    pub(crate) fn of_own_fault(series: &CountSeries) -> Self {
        Self(Self::of(series).0 | Self::OWN_FAULT)
    }

    /// The kind as a number.
    pub(crate) fn packed(self) -> u32 {
        self.0
    }

    pub(crate) fn of_packed(packed: u32) -> Self {
        Self(packed)
    }

    /// Its events may be evidence of a storm; the others only show how much mail there is.
    pub(crate) fn is_evidence(self) -> bool {
        self.0 & 3 == Self::FAILED
    }

    /// Rejections of strangers, as they should be.
    pub(crate) fn is_stranger(self) -> bool {
        self.0 & 3 == Self::STRANGER
    }
}

/// The events of one kind in one minute, or in a span that begins with it, counted from 1970-01-01T00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct CellKey {
    pub minute: i32,
    pub kind: CellKind,
}

impl CountSeries {
    /// A message that was accepted from a client.
    pub(crate) const TAKEN: Self = Self::served(Direction::Inbound);

    const fn served(direction: Direction) -> Self {
        Self {
            direction,
            outcome: Outcome::Delivered,
            class: None,
            code: None,
            enhanced: None,
            reason: None,
            provider: None,
        }
    }

    /// A warning of this server about a fault of its own, for which clients are turned away for now.
    pub(crate) const fn own_fault(reason: Reason) -> Self {
        Self {
            outcome: Outcome::Rejected,
            class: Some(Class::Transient),
            reason: Some(reason),
            ..Self::served(Direction::Inbound)
        }
    }

    /// The kind of an event. `None`: the event cannot be part of a storm. The reply of a host before the next one is tried is repeated
    /// by the final line, a warning rejects nothing, and an expired message failed long ago. The provider stays `None`: it
    /// takes a look-up, which most events do not need.
    pub(crate) fn of(logged: &LoggedEvent) -> Option<Self> {
        let event = logged.event;
        match event.outcome {
            Outcome::Delivered => Some(Self::served(event.direction)),
            Outcome::Deferred | Outcome::Bounced | Outcome::Rejected => Some(Self {
                direction: event.direction,
                outcome: event.outcome,
                class: event.class(),
                code: event.code,
                enhanced: event.enhanced,
                reason: logged.verdict.map(|verdict| verdict.reason),
                provider: None,
            }),
            Outcome::Expired
            | Outcome::Attempt
            | Outcome::Warned
            | Outcome::Held
            | Outcome::Discarded
            | Outcome::Probe => None,
        }
    }

    /// It is a delivery.
    pub(crate) fn is_served(&self) -> bool {
        self.outcome == Outcome::Delivered
    }
}
