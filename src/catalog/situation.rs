//! Determines the situation of an event, on which advice depends.

use super::advice::{Fate, Situation};
use super::classify::Classification;
use super::provider::Providers;
use crate::smtp::event::Event;
use crate::smtp::side::Side;

impl<'a> Situation<'a> {
    /// The situation of an event. `is_line` is false for a reply alone, which does not say what became of the message.
    pub(crate) fn of_event(
        event: &Event,
        verdict: &Classification,
        is_line: bool,
        providers: &'a Providers,
    ) -> Self {
        let provider = verdict.provider.and_then(|provider| providers.row(provider));
        Self {
            reason: verdict.reason,
            cause: verdict.cause,
            direction: event.direction,
            side: Side::of(event),
            fate: Fate::of(event.direction, event.class(), is_line.then_some(event.outcome), verdict.retry),
            provider: provider.map(|row| row.id.as_str()),
        }
    }
}
