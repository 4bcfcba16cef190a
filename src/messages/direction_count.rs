//! Counts a message for its direction, and for what it failed for.

use super::failure::{FailedFate, MessageFlow, TimedFailure};
use super::message::Message;
use super::totals::{FinalState, MessageTotals};
use crate::catalog::Reason;
use crate::smtp::delivery_result::DeliveryResult;

impl Message {
    pub(super) fn flow(&self) -> MessageFlow {
        match (self.goes_out, self.stays_here) {
            (true, _) => MessageFlow::Outgoing,
            (false, true) => MessageFlow::Local,
            (false, false) => MessageFlow::Unknown,
        }
    }

    /// Adds the message to the totals of its direction, and to those of what it failed for.
    pub(super) fn count_flow(&self, state: FinalState, totals: &mut MessageTotals) {
        if self.notice {
            totals.notices_delivered += u64::from(state == FinalState::Delivered);
            return;
        }
        totals.count_host(self.host, self.flow(), state);
        let flow = totals.flows.of(self.flow());
        let failed = match state {
            FinalState::Delivered => {
                flow.delivered += 1;
                flow.delayed += u64::from(self.delayed.is_some());
                self.delayed.map(|failure| (failure, FailedFate::Delayed))
            }
            FinalState::Bounced => {
                flow.bounced += 1;
                let lost = self.lost.unwrap_or_else(|| TimedFailure::bare(Reason::Unknown, None));
                Some((lost, FailedFate::Bounced))
            }
            FinalState::Expired => {
                flow.expired += 1;
                let lost = self.lost.unwrap_or_else(|| TimedFailure::bare(Reason::QueueExpired, None));
                Some((lost, FailedFate::Expired))
            }
            FinalState::Deferred => {
                flow.deferred += 1;
                Some(self.most_urgent())
            }
            FinalState::Discarded => {
                flow.discarded += 1;
                None
            }
            FinalState::Held => {
                flow.held += 1;
                (!self.deferred.is_empty()).then(|| (self.waits_for(), FailedFate::Held))
            }
            FinalState::Waiting => {
                flow.untried += 1;
                None
            }
            FinalState::HandedOn => None,
        };
        if let Some((failure, fate)) = failed {
            totals.count_failed(failure, fate, self.origin);
        }
    }

    /// The most urgent failure of a message with a deferred recipient: a recipient that was given up goes before one that
    /// waits.
    fn most_urgent(&self) -> (TimedFailure, FailedFate) {
        let waits = self.waits_for();
        // The filter must admit a line that says so.
        let given_up = self.attempts[DeliveryResult::Bounced] + self.attempts[DeliveryResult::Expired];
        let lost = self.lost.filter(|_| given_up > 0);
        match lost.filter(|lost| lost.kind.action(true) <= waits.kind.action(false)) {
            Some(lost) => (lost, FailedFate::PartlyLost),
            None => (waits, FailedFate::Waiting),
        }
    }

    /// The most urgent of the last deferrals of recipients that still wait. The order of recipients does not matter.
    fn waits_for(&self) -> TimedFailure {
        let last = self
            .deferred
            .iter()
            .filter_map(|deferred| deferred.last.map(|last| TimedFailure { at: deferred.at, ..last }));
        let worst = last.min_by_key(|last| (last.kind.action(false), *last));
        worst.unwrap_or_else(|| TimedFailure::bare(Reason::Unknown, None))
    }
}
