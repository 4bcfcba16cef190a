//! Says what a filter selects, as far as it decides what became of a message.

use crate::pipeline::filter::Filter;

/// What the filter of a run selects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Selection {
    /// Everything: no filter is active.
    All,
    /// Events of whole messages.
    Events,
    /// Recipients. The state of a message follows from what became of these alone.
    Recipients,
}

impl Selection {
    pub(crate) fn of(filter: &Filter) -> Self {
        match filter.of_recipients() {
            Some(_) => Self::Recipients,
            None if filter.is_empty() => Self::All,
            None => Self::Events,
        }
    }
}
