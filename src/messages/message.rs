//! Follows one message from update to update, and computes its final state.

use serde::{Deserialize, Serialize};

use super::deferred::{DeferredRecipients, FirstDeferral};
use super::failure::TimedFailure;
use super::origin::{Attempts, SenderIds, is_unknown};
use super::recent_ids::IdHash;
use super::selection::Selection;
use super::totals::{FinalState, MessageTotals, PendingHandOff, PendingKind};
use super::transition::{Transition, Update};
use crate::smtp::event::Direction;

/// The state of an open message.
#[derive(Clone, Serialize, Deserialize, Debug)]
#[serde(default)]
pub(crate) struct Message {
    /// When it was first seen, in seconds since 1970. None: no line has a date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// Its arrival is in the log.
    #[serde(skip_serializing_if = "is_false")]
    pub received: bool,
    /// A client or a program submitted it.
    #[serde(skip_serializing_if = "is_false")]
    pub from_outside: bool,
    /// It is in the queue. Before that, the server may still reject it.
    #[serde(skip_serializing_if = "is_false")]
    pub queued: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub held: bool,
    /// Its whole header was read (Postfix cleanup logs `message-id=`).
    #[serde(skip_serializing_if = "is_false")]
    pub header_read: bool,
    /// This server wrote it to report on another message: a bounce or a delay notice.
    #[serde(skip_serializing_if = "is_false")]
    pub notice: bool,
    /// It is an address verification probe and carries no mail.
    #[serde(skip_serializing_if = "is_false")]
    pub probe: bool,
    /// The filter admits at least one of its events.
    #[serde(skip_serializing_if = "is_false")]
    pub wanted: bool,
    /// The filter selects recipients: their events alone decide what became of the message.
    #[serde(skip_serializing_if = "is_false")]
    pub of_recipients: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub delivered: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub handed_on: bool,
    /// The queue id that the first hand-off created, if no line named it before the hand-off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<IdHash>,
    #[serde(skip_serializing_if = "is_false")]
    pub bounced: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub expired: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub discarded: bool,
    /// A recipient is on another server.
    #[serde(skip_serializing_if = "is_false")]
    pub goes_out: bool,
    /// A recipient is on this server.
    #[serde(skip_serializing_if = "is_false")]
    pub stays_here: bool,
    /// The most urgent first deferral of a recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delayed: Option<TimedFailure>,
    /// The most urgent failure for which a recipient was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<TimedFailure>,
    /// Number of recipients that are done: delivered or given up.
    pub finished: u32,
    /// Number of all recipients. None: no line states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<u32>,
    /// Recipients that were deferred and are not done yet.
    #[serde(skip_serializing_if = "DeferredRecipients::is_empty")]
    pub deferred: DeferredRecipients,
    #[serde(skip_serializing_if = "SenderIds::is_empty")]
    pub origin: SenderIds,
    /// The sender is the one that the queue manager states.
    #[serde(skip_serializing_if = "is_false")]
    pub is_queue_sender: bool,
    /// Attempts that the filter admits and that are no hand-offs.
    pub attempts: Attempts,
    /// The hash of the host that wrote the lines.
    #[serde(skip_serializing_if = "is_unknown")]
    pub host: u64,
}

impl Default for Message {
    fn default() -> Self {
        Self::NEW
    }
}

// serde wants a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Applies an update to a message. `slot` is None if nothing is known of the queue id. `selection`: what the filter selects.
pub(crate) fn apply(
    slot: &mut Option<Message>,
    update: &Update,
    selection: Selection,
    totals: &mut MessageTotals,
) {
    if update.transition.begins() || slot.as_ref().is_some_and(|message| message.is_over_before(update)) {
        supersede(slot, update.transition, totals);
    }
    if update.transition.ends() {
        end(slot.as_mut(), update, selection, totals);
        *slot = None;
        return;
    }
    if update.transition == Transition::Named {
        return;
    }
    if update.transition == Transition::Rejected {
        // A message in the queue can no longer be rejected: the line is about another message.
        if slot.as_ref().is_some_and(|message| !message.queued) {
            *slot = None;
        }
        return;
    }
    // The message has ended already: syslog may swap lines of two daemons.
    if slot.is_none()
        && matches!(update.transition, Transition::Released | Transition::Notice { arrived: false, .. })
    {
        return;
    }
    let message = slot.get_or_insert_with(|| Message::first_seen(update, selection));
    message.wanted |= update.wanted;
    message.origin.update(update.origin, update.transition);
    message.is_queue_sender |= is_queue_sender(update);
    if update.counts {
        if let Some(result) = update.transition.result() {
            let count = &mut message.attempts[result];
            *count = count.saturating_add(1);
        }
    } else if let (Transition::HandedOn(Some(id)), true) = (update.transition, update.wanted) {
        totals.pending.push(PendingHandOff { id, kind: PendingKind::Attempt { origin: message.origin } });
    }
    message.apply(update, totals);
}

/// The queue manager states the sender.
fn is_queue_sender(update: &Update) -> bool {
    matches!(update.transition, Transition::Queued { .. }) && update.origin.sender != 0
}

/// Ends a message whose end is not in the log, because another message begins under its queue id.
pub(crate) fn supersede(slot: &mut Option<Message>, transition: Transition, totals: &mut MessageTotals) {
    let Some(old) = slot else { return };
    // Exim may log a delivery that began during reception before the arrival.
    if !matches!(transition, Transition::Arrived(_)) || old.received {
        old.count_into(true, totals);
    } else {
        totals.names.count_message(old.origin, old.attempts, 0);
    }
    *slot = None;
}

/// Ends a message. It takes a reference, because a message is large to move.
fn end(message: Option<&mut Message>, update: &Update, selection: Selection, totals: &mut MessageTotals) {
    match update.transition {
        Transition::Removed => message.iter().for_each(|message| message.count_into(true, totals)),
        // Only recipients that the filter does not admit were left.
        Transition::Deleted | Transition::WholeDiscarded
            if message.as_ref().is_some_and(|message| message.is_decided()) =>
        {
            if let Some(message) = message {
                message.count_into(true, totals);
            }
        }
        Transition::Deleted | Transition::WholeDiscarded => {
            let mut unknown = Message::first_seen(update, selection);
            let message = message.unwrap_or(&mut unknown);
            // Earlier results do not count: nobody else will get the message.
            let &mut Message { since, received, wanted, probe, origin, attempts, host, .. } = message;
            let (discarded, wanted) = (true, wanted || update.wanted);
            let lost =
                Message { since, received, probe, wanted, discarded, origin, attempts, host, ..Message::NEW };
            lost.count_into(true, totals);
        }
        Transition::Dropped => {
            if let Some(message) = message {
                message.discarded |= message.finished == 0;
                message.count_into(true, totals);
            }
        }
        // A renamed message is counted under its new queue id, and a rejected one is the client's. No other transition
        // ends a message.
        Transition::Renamed
        | Transition::Withdrawn
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
        | Transition::BouncedUnqueued
        | Transition::Expired { .. }
        | Transition::Discarded
        | Transition::Rejected
        | Transition::Continued
        | Transition::Named
        | Transition::Probe => {
            if let Some(message) = message {
                totals.names.count_message(message.origin, message.attempts, 0);
            }
        }
    }
}

impl Message {
    /// A message of which nothing is known yet. A constant is copied as a whole; in the scan of an Exim log, building it
    /// field by field cost 4 % in store stalls.
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
        of_recipients: false,
        delivered: false,
        handed_on: false,
        copy: None,
        bounced: false,
        expired: false,
        discarded: false,
        goes_out: false,
        stays_here: false,
        delayed: None,
        lost: None,
        finished: 0,
        recipients: None,
        deferred: DeferredRecipients::Empty,
        origin: SenderIds { sender: 0, client: 0, user: 0 },
        is_queue_sender: false,
        attempts: Attempts::ZERO,
        host: 0,
    };

    fn first_seen(update: &Update, selection: Selection) -> Self {
        let (wanted, of_recipients) = (selection == Selection::All, selection == Selection::Recipients);
        Self { since: update.at, wanted, of_recipients, host: update.host, ..Self::NEW }
    }

    /// How much it counts towards the limit of open messages.
    pub(crate) fn weight(&self) -> usize {
        1 + self.deferred.len()
    }

    /// The update is about another message with the same queue id; see
    /// [`MessageMetadata::is_of_another`](super::metadata::MessageMetadata::is_of_another).
    fn is_over_before(&self, update: &Update) -> bool {
        self.is_queue_sender && is_queue_sender(update) && update.origin.sender != self.origin.sender
    }

    fn apply(&mut self, update: &Update, totals: &mut MessageTotals) {
        if !update.concerns && self.skip_recipient(update) {
            return;
        }
        if update.concerns {
            self.goes_out |= update.direction == Some(Direction::Outbound);
            self.stays_here |= update.direction == Some(Direction::Local);
        }
        match update.transition {
            Transition::Received | Transition::HeaderRead => {
                // Either nothing was known of the message, or it has arrived already.
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
                // The bounce daemon's own line may come after the message has ended.
                self.notice |= null && self.received && !self.from_outside;
                self.held = false;
                self.recipients = left.map(|left| left.saturating_add(self.finished)).or(self.recipients);
            }
            Transition::Held => (self.queued, self.held) = (true, true),
            Transition::Released => self.held = false,
            Transition::Deferred => {
                self.queued = true;
                let Update { recipient, at, failure, wanted, .. } = *update;
                let (reason, last) = (failure.map(|kind| kind.reason), update.failure());
                if let Some(failure) = last.filter(|_| wanted) {
                    failure.keep_worst(&mut self.delayed, false);
                }
                self.deferred.add(recipient, FirstDeferral { at, reason, last, wanted });
            }
            Transition::Delivered => self.deliver(update, totals),
            Transition::HandedOn(copy) => self.hand_on(copy, update, totals),
            Transition::Bounced | Transition::BouncedUnqueued => self.bounce(update),
            Transition::Expired { all } => self.expire(all, update, totals),
            Transition::Discarded => {
                self.discarded = true;
                self.finish_recipient(update);
            }
            Transition::Returned => self.return_whole(update),
            Transition::Probe => self.probe = true,
            Transition::Continued => self.received = true,
            Transition::Rejected
            | Transition::Withdrawn
            | Transition::Deleted
            | Transition::Renamed
            | Transition::Removed
            | Transition::Dropped
            | Transition::Named
            | Transition::WholeDiscarded => {}
        }
    }

    /// The message goes back to its sender, with all recipients that are left.
    fn return_whole(&mut self, update: &Update) {
        if !self.has_none_left() {
            self.bounced = true;
            self.lose(None, update);
        }
        self.finish_all_recipients();
    }

    /// The message has arrived and is in the queue.
    fn arrive(&mut self, recipients: Option<u32>) {
        (self.received, self.queued) = (true, true);
        self.recipients = recipients;
    }

    /// Ends the recipient of an attempt that the filter does not admit. False: the update is about no recipient, or the filter
    /// admits an earlier attempt of the recipient, and waits for its result.
    fn skip_recipient(&mut self, update: &Update) -> bool {
        match update.transition {
            Transition::Deferred => {
                self.queued = true;
                true
            }
            Transition::Delivered
            | Transition::HandedOn(_)
            | Transition::Bounced
            | Transition::BouncedUnqueued
            | Transition::Expired { all: false }
            | Transition::Discarded
                if !self.deferred.contains(update.recipient) =>
            {
                self.finish_recipient(update);
                true
            }
            _ => false,
        }
    }

    /// Remembers why a recipient was given up: by its last deferral, else by the line.
    fn lose(&mut self, deferred: Option<&FirstDeferral>, update: &Update) {
        let last =
            deferred.and_then(|deferred| deferred.last).map(|last| TimedFailure { at: update.at, ..last });
        let own = update.failure();
        let failure = match update.transition {
            // The line says only that the queue lifetime ran out.
            Transition::Expired { .. } => last.or(own),
            _ if !update.concerns => last.or(own),
            _ => own.or(last),
        };
        if let Some(failure) = failure {
            failure.keep_worst(&mut self.lost, true);
        }
    }

    /// One recipient, or all, are given up because of age.
    fn expire(&mut self, all: bool, update: &Update, totals: &mut MessageTotals) {
        if all && self.has_none_left() {
            return self.finish_all_recipients();
        }
        self.expired = true;
        if all {
            let mut deferred = self.deferred.take_all();
            // Their order is arbitrary, and of equally urgent failures the first counts.
            deferred.sort_unstable_by_key(|deferred| deferred.last);
            if deferred.is_empty() {
                self.lose(None, update);
            }
            for deferred in &deferred {
                self.lose(Some(deferred), update);
            }
            // The line names no recipient: it counts for the domain of the first one.
            let domain = deferred.iter().find_map(|deferred| deferred.last.map(|last| last.domain));
            if let Some(domain) = domain.filter(|domain| *domain != 0 && update.wanted) {
                *totals.expired_domains.entry(domain).or_default() += 1;
            }
            totals.count_expired(deferred);
            self.finish_all_recipients();
        } else {
            let deferred = self.finish_recipient(update);
            self.lose(deferred.as_ref(), update);
            totals.count_expired(deferred);
        }
    }

    fn deliver(&mut self, update: &Update, totals: &mut MessageTotals) {
        self.delivered = true;
        if let Some((reason, seconds)) =
            self.finish_recipient(update).and_then(|deferred| deferred.until(update))
        {
            totals.count_late_delivery(reason, seconds);
        }
    }

    fn bounce(&mut self, update: &Update) {
        self.bounced = true;
        let deferred = self.finish_recipient(update);
        self.lose(deferred.as_ref(), update);
        if update.transition == Transition::BouncedUnqueued {
            self.recipients = Some(self.finished);
        }
    }

    /// Hands the message on. `copy`: the queue id that the hand-off created, if no line named it before.
    fn hand_on(&mut self, copy: Option<IdHash>, update: &Update, totals: &mut MessageTotals) {
        if !self.handed_on {
            (self.handed_on, self.copy) = (true, copy);
        }
        let later = self.finish_recipient(update).and_then(|deferred| deferred.until(update));
        if let (Some(id), Some((reason, seconds))) = (copy, later) {
            totals.pending.push(PendingHandOff { id, kind: PendingKind::LateDelivery { reason, seconds } });
        }
    }

    fn finish_all_recipients(&mut self) {
        self.queued = true;
        self.deferred = DeferredRecipients::Empty;
        self.finished = self.finished.max(self.recipients.unwrap_or(0));
    }

    /// Marks the recipient as done, and returns its first deferral. None: it was not deferred.
    fn finish_recipient(&mut self, update: &Update) -> Option<FirstDeferral> {
        self.queued = true;
        self.finished = self.finished.saturating_add(1);
        self.deferred.remove(update.recipient)
    }

    /// Adds the message to the totals. `ended`: its end is in the log.
    pub(crate) fn count_into(&self, ended: bool, totals: &mut MessageTotals) {
        let state = self.final_state(ended).filter(|_| self.wanted);
        let counts = state.is_some_and(|state| state != FinalState::HandedOn);
        totals.names.count_message(self.origin, self.attempts, u32::from(counts));
        let Some(state) = state else { return };
        let (received, notice) = (self.received && !self.notice, self.notice);
        if state == FinalState::HandedOn {
            match self.copy {
                Some(id) => {
                    let (origin, flow, delayed, host) = (self.origin, self.flow(), self.delayed, self.host);
                    let kind = PendingKind::Message { received, notice, origin, flow, delayed, host };
                    totals.pending.push(PendingHandOff { id, kind });
                }
                None => totals.handed_on += 1,
            }
            return;
        }
        totals.received += u64::from(received);
        totals.notices += u64::from(notice);
        self.count_flow(state, totals);
        match state {
            FinalState::Delivered => totals.delivered += 1,
            FinalState::Bounced => totals.bounced += 1,
            FinalState::Expired => totals.expired += 1,
            FinalState::Discarded => totals.discarded += 1,
            // `HandedOn` was counted above; `MessageTracker::finish` counts what is still in the queue.
            FinalState::HandedOn | FinalState::Deferred | FinalState::Held | FinalState::Waiting => {}
        }
    }
}
