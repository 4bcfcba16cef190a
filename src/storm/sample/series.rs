//! Defines the kind of an event: events of a minute with the same kind are counted together.

use std::hash::{Hash, Hasher};

use crate::catalog::classify::Reason;
use crate::catalog::provider::Provider;
use crate::pipeline::sink::LoggedEvent;
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// A kind of event. Mail that a client handed over successfully is inbound and delivered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct CountSeries {
    pub direction: Direction,
    pub outcome: Outcome,
    pub class: Option<Class>,
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    pub reason: Option<Reason>,
    pub provider: Option<Provider>,
}

impl Hash for CountSeries {
    /// Hashes all fields as one word, like the key of a tally.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let enhanced = self.enhanced.map_or(0, EnhancedCode::packed);
        let code = self.code.map_or(0, |code| u64::from(code.number()));
        let reason = self.reason.map_or(0, |reason| reason as u64 + 1);
        let provider = self.provider.map_or(0, |provider| provider.index() as u64 + 1);
        let class = self.class.map_or(0, |class| class as u64 + 1);
        let outcome = (self.outcome as u64) << 2 | self.direction as u64;
        state.write_u64(enhanced << 37 | code << 27 | reason << 20 | provider << 10 | class << 6 | outcome);
    }
}

impl CountSeries {
    /// A message that was accepted from a client.
    pub(crate) const TAKEN: Self = Self::served(Direction::Inbound);

    /// The provider stays `None`: it takes a look-up, which is done only for events in the sample.
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

    /// The kind of an event. `None`: the event cannot be part of a storm. The reply of a host before the next one is tried is repeated
    /// by the final line, a warning rejects nothing, and an expired message failed long ago.
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
                provider: logged.provider(),
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
