//! Follows one message from transition to transition, and tells its final state.

use super::deferred::{DeferredRecipients, FirstDeferral};
use super::origin::{Attempts, SenderIds};
use super::recent_ids::IdHash;
use super::totals::{FinalState, MessageTotals, PendingHandOff, PendingKind};
use super::transition::{Transition, Update};

/// The state of a message while it is open.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// When it was seen first, in seconds since 1970.
    pub since: Option<i64>,
    /// It received in the time of the log.
    pub received: bool,
    /// A client or a program handed it over.
    pub from_outside: bool,
    /// It got into the queue; before, its client may still be refused.
    pub queued: bool,
    pub held: bool,
    /// All of its header was read.
    pub header_read: bool,
    /// This server wrote it, to say what became of another.
    pub notice: bool,
    /// An address was verified with it; it is nobody's mail.
    pub probe: bool,
    /// The filter admits one of its events at least.
    pub wanted: bool,
    pub delivered: bool,
    pub handed_on: bool,
    /// The message that the first hand-over made, if no line header_read it so far.
    pub copy: Option<IdHash>,
    pub bounced: bool,
    pub expired: bool,
    pub discarded: bool,
    /// Recipients that are done with.
    pub served: u32,
    /// Recipients in all. None: nobody says how many.
    pub recipients: Option<u32>,
    /// Recipients that were put off, and not served since.
    pub deferred: DeferredRecipients,
    pub origin: SenderIds,
    /// The sender is the one that the queue manager states.
    pub is_queue_sender: bool,
    /// Of those that count.
    pub attempts: Attempts,
}

/// Applies an transition to a message. An empty slot: nothing is known of its queue id. `all`: no filter is in force.
pub(crate) fn apply(slot: &mut Option<Message>, update: &Update, all: bool, totals: &mut MessageTotals) {
    if update.transition.begins() || slot.as_ref().is_some_and(|message| message.is_over_before(update)) {
        supersede(slot, update.transition, totals);
    }
    if update.transition.ends() {
        end(slot.as_mut(), update, all, totals);
        *slot = None;
        return;
    }
    if update.transition == Transition::Rejected {
        // Once it is in the queue, nobody can be refused it; that queue id is of another line.
        if slot.as_ref().is_some_and(|message| !message.queued) {
            *slot = None;
        }
        return;
    }
    // It is over already: lines of two daemons may change places.
    if slot.is_none()
        && matches!(update.transition, Transition::Released | Transition::Notice { arrived: false, .. })
    {
        return;
    }
    let message = slot.get_or_insert_with(|| Message { since: update.at, wanted: all, ..Message::NEW });
    message.wanted |= update.wanted;
    message.origin.update(update.origin, update.transition);
    message.is_queue_sender |= is_queue_sender(update);
    if update.counts {
        if let Some(result) = update.transition.result() {
            let count = &mut message.attempts[result];
            *count = count.saturating_add(1);
        }
    } else if let (Transition::HandedOn(Some(id)), true) = (update.transition, update.wanted) {
        totals.pending.push(PendingHandOff { id, what: PendingKind::Attempt { origin: message.origin } });
    }
    message.apply(update, totals);
}

/// The queue manager states the sender.
fn is_queue_sender(update: &Update) -> bool {
    matches!(update.transition, Transition::Queued { .. }) && update.origin.sender != 0
}

/// Another message begins under the queue id of one whose end is not in the log.
pub(crate) fn supersede(slot: &mut Option<Message>, transition: Transition, totals: &mut MessageTotals) {
    let Some(old) = slot else { return };
    // Exim logs a delivery that went on while the message received in before its arrival.
    if !matches!(transition, Transition::Arrived(_)) || old.received {
        old.count_into(true, totals);
    } else {
        totals.names.count_message(old.origin, old.attempts, 0);
    }
    *slot = None;
}

/// A message is large, so it is not moved for this.
fn end(message: Option<&mut Message>, update: &Update, all: bool, totals: &mut MessageTotals) {
    match update.transition {
        Transition::Removed => message.iter().for_each(|message| message.count_into(true, totals)),
        Transition::Deleted | Transition::WholeDiscarded => {
            let since = update.at;
            let mut unknown = Message { since, wanted: all, ..Message::NEW };
            let message = message.unwrap_or(&mut unknown);
            // What received before does not count: nobody else will get it.
            let &mut Message { since, received, wanted, probe, origin, attempts, .. } = message;
            let (discarded, wanted) = (true, wanted || update.wanted);
            let thrown =
                Message { since, received, probe, wanted, discarded, origin, attempts, ..Message::NEW };
            thrown.count_into(true, totals);
        }
        // `renamed`: it is counted under its new queue id. No other transition ends a message.
        Transition::Renamed
        | Transition::Received
        | Transition::Arrived(_)
        | Transition::HeaderRead
        | Transition::Notice { .. }
        | Transition::Queued { .. }
        | Transition::Held
        | Transition::Released
        | Transition::Returned
        | Transition::Deferred
        | Transition::Delivered
        | Transition::HandedOn(_)
        | Transition::Bounced
        | Transition::Expired { .. }
        | Transition::Discarded
        | Transition::Rejected
        | Transition::Probe => {
            message.iter().for_each(|message| totals.names.count_message(message.origin, message.attempts, 0))
        }
    }
}

impl Message {
    /// A message of which nothing is known yet. A constant is copied whole; built field by field it cost 4 % of the scan
    /// of an Exim log in waits for stores.
    const NEW: Self = Self {
        since: None,
        received: false,
        from_outside: false,
        queued: false,
        held: false,
        header_read: false,
        notice: false,
        probe: false,
        wanted: false,
        delivered: false,
        handed_on: false,
        copy: None,
        bounced: false,
        expired: false,
        discarded: false,
        served: 0,
        recipients: None,
        deferred: DeferredRecipients::Nobody,
        origin: SenderIds { sender: 0, client: 0, user: 0 },
        is_queue_sender: false,
        attempts: Attempts::ZERO,
    };

    /// How much of the ledger's room it takes.
    pub(crate) fn weight(&self) -> usize {
        1 + self.deferred.len()
    }

    /// The transition is of another message under the same queue id; see
    /// [`Metadata::is_of_another`](super::metadata::Metadata::is_of_another).
    fn is_over_before(&self, update: &Update) -> bool {
        self.is_queue_sender && is_queue_sender(update) && update.origin.sender != self.origin.sender
    }

    fn apply(&mut self, update: &Update, totals: &mut MessageTotals) {
        match update.transition {
            Transition::Received | Transition::HeaderRead => {
                // Nothing was known of it before, or it came already.
                self.received |= !self.queued;
                self.header_read |= update.transition == Transition::HeaderRead;
                self.from_outside |= update.transition == Transition::Received;
            }
            Transition::Arrived(recipients) => self.arrive(recipients),
            Transition::Notice { arrived, recipients } => {
                self.notice = true;
                if arrived {
                    self.arrive(recipients);
                }
            }
            Transition::Queued { left, null } => {
                self.queued = true;
                // The bounce daemon's own line may come when it is over.
                self.notice |= null && self.received && !self.from_outside;
                self.held = false;
                self.recipients = left.map(|left| left.saturating_add(self.served)).or(self.recipients);
            }
            Transition::Held => (self.queued, self.held) = (true, true),
            Transition::Released => self.held = false,
            Transition::Deferred => {
                self.queued = true;
                let Update { recipient, at, reason, wanted, .. } = *update;
                self.deferred.add(recipient, FirstDeferral { at, reason, wanted });
            }
            Transition::Delivered => self.deliver(update, totals),
            Transition::HandedOn(copy) => self.hand_on(copy, update, totals),
            Transition::Bounced => {
                self.bounced = true;
                self.serve(update);
            }
            Transition::Expired { all: false } => {
                self.expired = true;
                self.serve(update);
            }
            Transition::Discarded => {
                self.discarded = true;
                self.serve(update);
            }
            Transition::Expired { all: true } => {
                self.expired = true;
                self.serve_all();
            }
            Transition::Returned => {
                self.bounced = true;
                self.serve_all();
            }
            Transition::Probe => self.probe = true,
            Transition::Rejected
            | Transition::Deleted
            | Transition::Renamed
            | Transition::Removed
            | Transition::WholeDiscarded => {}
        }
    }

    /// It received and is in the queue.
    fn arrive(&mut self, recipients: Option<u32>) {
        (self.received, self.queued) = (true, true);
        self.recipients = recipients;
    }

    fn deliver(&mut self, update: &Update, totals: &mut MessageTotals) {
        self.delivered = true;
        if let Some((reason, seconds)) = self.serve(update).and_then(|deferred| deferred.until(update)) {
            totals.count_late_delivery(reason, seconds);
        }
    }

    /// `copy`: the message that was made, if no line header_read it so far.
    fn hand_on(&mut self, copy: Option<IdHash>, update: &Update, totals: &mut MessageTotals) {
        if !self.handed_on {
            (self.handed_on, self.copy) = (true, copy);
        }
        let later = self.serve(update).and_then(|deferred| deferred.until(update));
        if let (Some(id), Some((reason, seconds))) = (copy, later) {
            totals.pending.push(PendingHandOff { id, what: PendingKind::Later { reason, seconds } });
        }
    }

    fn serve_all(&mut self) {
        self.queued = true;
        self.deferred = DeferredRecipients::Nobody;
        self.served = self.served.max(self.recipients.unwrap_or(0));
    }

    /// The recipient is done with. None: it was not put off before.
    fn serve(&mut self, update: &Update) -> Option<FirstDeferral> {
        self.queued = true;
        self.served = self.served.saturating_add(update.recipients);
        self.deferred.remove(update.recipient)
    }

    /// None: it never got into the queue, it is no mail, or too little of it is in the log. `ended`: its end is.
    pub(crate) fn final_state(&self, ended: bool) -> Option<FinalState> {
        if self.probe || !(self.queued || self.discarded) {
            return None;
        }
        if !ended && self.held {
            return Some(FinalState::Held);
        }
        if !ended && !self.deferred.is_empty() {
            return Some(FinalState::Deferred);
        }
        // Where nobody says how many recipients there are, a message is done when its end is there, or when the log
        // shows no more of it than what was done.
        let waits = self.recipients.map_or(self.received, |recipients| self.served < recipients);
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
            // Its end says that nothing is left to be done.
            FinalState::Delivered
        })
    }

    /// Adds it to the totals. `ended`: its end is in the log.
    pub(crate) fn count_into(&self, ended: bool, totals: &mut MessageTotals) {
        let state = self.final_state(ended).filter(|_| self.wanted);
        let counts = state.is_some_and(|state| state != FinalState::HandedOn);
        totals.names.count_message(self.origin, self.attempts, u32::from(counts));
        let Some(state) = state else { return };
        let (received, notice) = (self.received && !self.notice, self.notice);
        if state == FinalState::HandedOn {
            match self.copy {
                Some(id) => {
                    let what = PendingKind::Message { received, notice, origin: self.origin };
                    totals.pending.push(PendingHandOff { id, what });
                }
                None => totals.handed_on += 1,
            }
            return;
        }
        totals.received += u64::from(received);
        totals.notices += u64::from(notice);
        match state {
            FinalState::Delivered => totals.delivered += 1,
            FinalState::Bounced => totals.bounced += 1,
            FinalState::Expired => totals.expired += 1,
            FinalState::Discarded => totals.discarded += 1,
            // Handed on was counted above; `Ledger::close` counts what is still in the queue.
            FinalState::HandedOn | FinalState::Deferred | FinalState::Held | FinalState::Waiting => {}
        }
    }
}
