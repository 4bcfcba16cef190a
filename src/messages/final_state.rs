//! Decides what became of a message: its final state, or its state in the queue.

use super::message::Message;
use super::totals::FinalState;

impl Message {
    /// The state of the message. `ended`: its end is in the log. None: it never got into the queue, it is a probe,
    /// or too little of it is in the log.
    pub(crate) fn final_state(&self, ended: bool) -> Option<FinalState> {
        if self.probe || !(self.queued || self.discarded) {
            return None;
        }
        if !ended && self.held && !self.is_decided() {
            return Some(FinalState::Held);
        }
        if !ended && !self.deferred.is_empty() {
            return Some(FinalState::Deferred);
        }
        // Without a known number of recipients, a message is done when its end is in the log, or when the log
        // shows nothing but completed deliveries.
        let waits = match self.recipients {
            // Those that were not tried may be others than the filter admits.
            _ if self.of_recipients => !self.is_decided(),
            Some(recipients) => self.finished < recipients,
            None => self.received,
        };
        if !ended && waits && !self.discarded {
            return Some(FinalState::Waiting);
        }
        Some(if self.expired {
            FinalState::Expired
        } else if self.bounced {
            FinalState::Bounced
        } else if self.delivered {
            FinalState::Delivered
        } else if self.handed_on {
            FinalState::HandedOn
        } else if self.discarded {
            FinalState::Discarded
        } else {
            // Its end implies that nothing is left to do.
            FinalState::Delivered
        })
    }

    /// It is in the queue, or lines about other recipients may follow.
    pub(super) fn may_go_on(&self) -> bool {
        let is_untried = self.recipients.is_some_and(|recipients| self.finished < recipients);
        self.final_state(false).is_some_and(|state| state.is_in_queue() || self.of_recipients && is_untried)
    }

    /// A line gives up all recipients that are left, and the filter admits none of them.
    pub(super) fn has_none_left(&self) -> bool {
        self.of_recipients && self.deferred.is_empty()
    }

    /// The filter selects recipients, and each that it admits and that was tried has its result.
    pub(super) fn is_decided(&self) -> bool {
        let has_result = self.delivered || self.handed_on || self.bounced || self.expired || self.discarded;
        self.has_none_left() && has_result
    }
}
