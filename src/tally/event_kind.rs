//! Defines the kind of an event, by which reports, baselines and tallies count.

use serde::{Deserialize, Serialize};

use crate::catalog::classify::Reason;
use crate::pipeline::sink::LoggedEvent;
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::{Class, Code, EnhancedCode};

/// The kind of an event. The order of the fields is the order of the kinds in a baseline file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct EventKind {
    pub direction: Direction,
    pub outcome: Outcome,
    /// None: the line states neither a code nor whether the failure is permanent.
    pub class: Option<Class>,
    pub code: Option<Code>,
    pub enhanced: Option<EnhancedCode>,
    /// None: the event was not classified, because it is no failure.
    pub reason: Option<Reason>,
}

impl EventKind {
    pub fn of(logged: &LoggedEvent) -> Self {
        let event = logged.event;
        Self {
            direction: event.direction,
            outcome: event.outcome,
            class: event.class(),
            code: event.code,
            enhanced: event.enhanced,
            reason: logged.verdict.map(|verdict| verdict.reason),
        }
    }
}
