//! Follows one message from act to act, and tells its final state.

use hashbrown::HashMap;

use super::key::PrehashedState;
use super::origin::{Attempts, SenderIds};
use super::recent_ids::IdHash;
use super::totals::{FinalState, MessageTotals, PendingHandOff, PendingKind};
use super::transition::{Transition, Update, attempted};
use crate::catalog::classify::Reason;

/// The state of a message while it is open.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// When it was seen first, in seconds since 1970.
    pub since: Option<i64>,
    /// It came in the time of the log.
    pub came: bool,
    /// A client or a program handed it over.
    pub from_outside: bool,
    /// It got into the queue; before, its client may still be refused.
    pub queued: bool,
    pub held: bool,
    /// All of its header was read.
    pub named: bool,
    /// This server wrote it, to say what became of another.
    pub notice: bool,
    /// An address was verified with it; it is nobody's mail.
    pub probe: bool,
    /// The filter admits one of its events at least.
    pub wanted: bool,
    pub delivered: bool,
    pub handed_on: bool,
    /// The message that the first hand-over made, if no line named it so far.
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

/// A recipient's first deferral.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FirstDeferral {
    at: Option<i64>,
    reason: Option<Reason>,
    wanted: bool,
}

impl FirstDeferral {
    /// The reason, and the seconds until the act. None: nobody asks, or one of them has no date.
    fn until(&self, op: &Update) -> Option<(Option<Reason>, i64)> {
        self.wanted.then_some((self.reason, op.at? - self.at?))
    }
}

/// Recipients by their hashes. Nearly every message has one; a mailing list may have thousands.
#[derive(Clone, Default, Debug)]
pub(crate) enum DeferredRecipients {
    #[default]
    Nobody,
    One(u64, FirstDeferral),
    Many(HashMap<u64, FirstDeferral, PrehashedState>),
}

impl DeferredRecipients {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Nobody => 0,
            Self::One(..) => 1,
            Self::Many(many) => many.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first deferral stays.
    fn add(&mut self, recipient: u64, deferred: FirstDeferral) {
        match self {
            Self::Nobody => *self = Self::One(recipient, deferred),
            Self::One(one, first) if *one != recipient => {
                let both = [(*one, *first), (recipient, deferred)];
                *self = Self::Many(both.into_iter().collect());
            }
            Self::One(..) => {}
            Self::Many(many) => {
                many.entry(recipient).or_insert(deferred);
            }
        }
    }

    fn remove(&mut self, recipient: u64) -> Option<FirstDeferral> {
        match self {
            Self::One(one, deferred) if *one == recipient => {
                let deferred = *deferred;
                *self = Self::Nobody;
                Some(deferred)
            }
            Self::Nobody | Self::One(..) => None,
            Self::Many(many) => many.remove(&recipient),
        }
    }
}

/// Applies an act to a message. An empty slot: nothing is known of its queue id. `all`: no filter is in force.
pub(crate) fn apply(slot: &mut Option<Message>, op: &Update, all: bool, sums: &mut MessageTotals) {
    if op.act.begins() || slot.as_ref().is_some_and(|message| message.is_over_before(op)) {
        supersede(slot, op.act, sums);
    }
    if op.act.ends() {
        end(slot.as_mut(), op, all, sums);
        *slot = None;
        return;
    }
    if op.act == Transition::Refused {
        // Once it is in the queue, nobody can be refused it; that queue id is of another line.
        if slot.as_ref().is_some_and(|message| !message.queued) {
            *slot = None;
        }
        return;
    }
    // It is over already: lines of two daemons may change places.
    if slot.is_none() && matches!(op.act, Transition::Released | Transition::Notice { arrived: false, .. }) {
        return;
    }
    let message = slot.get_or_insert_with(|| Message { since: op.at, wanted: all, ..Message::NEW });
    message.wanted |= op.wanted;
    message.origin.learn(op.origin, op.act);
    message.is_queue_sender |= is_queue_sender(op);
    if op.counts {
        attempted(&mut message.attempts, op.act);
    } else if let (Transition::HandedOn(Some(id)), true) = (op.act, op.wanted) {
        sums.unsure.push(PendingHandOff { id, what: PendingKind::Attempt { origin: message.origin } });
    }
    message.act(op, sums);
}

/// The queue manager states the sender.
fn is_queue_sender(op: &Update) -> bool {
    matches!(op.act, Transition::Queued { .. }) && op.origin.sender != 0
}

/// Another message begins under the queue id of one whose end is not in the log.
pub(crate) fn supersede(slot: &mut Option<Message>, act: Transition, sums: &mut MessageTotals) {
    let Some(old) = slot else { return };
    // Exim logs a delivery that went on while the message came in before its arrival.
    if !matches!(act, Transition::Arrived(_)) || old.came {
        old.count_into(true, sums);
    } else {
        sums.met.add(old.origin, old.attempts, 0);
    }
    *slot = None;
}

/// A message is large, so it is not moved for this.
fn end(message: Option<&mut Message>, op: &Update, all: bool, sums: &mut MessageTotals) {
    match op.act {
        Transition::Gone => message.iter().for_each(|message| message.count_into(true, sums)),
        Transition::Deleted | Transition::ThrownAway => {
            let since = op.at;
            let mut unknown = Message { since, wanted: all, ..Message::NEW };
            let message = message.unwrap_or(&mut unknown);
            // What came before does not count: nobody else will get it.
            let &mut Message { since, came, wanted, probe, origin, attempts, .. } = message;
            let (discarded, wanted) = (true, wanted || op.wanted);
            let thrown = Message { since, came, probe, wanted, discarded, origin, attempts, ..Message::NEW };
            thrown.count_into(true, sums);
        }
        // `renamed`: it is counted under its new queue id. No other act ends a message.
        Transition::Renamed
        | Transition::Came
        | Transition::Arrived(_)
        | Transition::Named
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
        | Transition::Refused
        | Transition::Probe => {
            if let Some(message) = message {
                sums.met.add(message.origin, message.attempts, 0);
            }
        }
    }
}

impl Message {
    /// A message of which nothing is known yet. A constant is copied whole; built field by field it cost 4 % of the scan
    /// of an Exim log in waits for stores.
    const NEW: Self = Self {
        since: None,
        came: false,
        from_outside: false,
        queued: false,
        held: false,
        named: false,
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
        attempts: [0; 4],
    };

    /// How much of the ledger's room it takes.
    pub(crate) fn weight(&self) -> usize {
        1 + self.deferred.len()
    }

    /// The act is of another message under the same queue id; see
    /// [`Metadata::is_of_another`](super::metadata::Metadata::is_of_another).
    fn is_over_before(&self, op: &Update) -> bool {
        self.is_queue_sender && is_queue_sender(op) && op.origin.sender != self.origin.sender
    }

    fn act(&mut self, op: &Update, sums: &mut MessageTotals) {
        match op.act {
            Transition::Came | Transition::Named => {
                // Nothing was known of it before, or it came already.
                self.came |= !self.queued;
                self.named |= op.act == Transition::Named;
                self.from_outside |= op.act == Transition::Came;
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
                self.notice |= null && self.came && !self.from_outside;
                self.held = false;
                self.recipients = left.map(|left| left.saturating_add(self.served)).or(self.recipients);
            }
            Transition::Held => (self.queued, self.held) = (true, true),
            Transition::Released => self.held = false,
            Transition::Deferred => {
                self.queued = true;
                let Update { recipient, at, reason, wanted, .. } = *op;
                self.deferred.add(recipient, FirstDeferral { at, reason, wanted });
            }
            Transition::Delivered => self.deliver(op, sums),
            Transition::HandedOn(copy) => self.hand_on(copy, op, sums),
            Transition::Bounced => {
                self.bounced = true;
                self.serve(op);
            }
            Transition::Expired { all: false } => {
                self.expired = true;
                self.serve(op);
            }
            Transition::Discarded => {
                self.discarded = true;
                self.serve(op);
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
            Transition::Refused
            | Transition::Deleted
            | Transition::Renamed
            | Transition::Gone
            | Transition::ThrownAway => {}
        }
    }

    /// It came and is in the queue.
    fn arrive(&mut self, recipients: Option<u32>) {
        (self.came, self.queued) = (true, true);
        self.recipients = recipients;
    }

    fn deliver(&mut self, op: &Update, sums: &mut MessageTotals) {
        self.delivered = true;
        if let Some((reason, seconds)) = self.serve(op).and_then(|deferred| deferred.until(op)) {
            sums.delivered_later(reason, seconds);
        }
    }

    /// `copy`: the message that was made, if no line named it so far.
    fn hand_on(&mut self, copy: Option<IdHash>, op: &Update, sums: &mut MessageTotals) {
        if !self.handed_on {
            (self.handed_on, self.copy) = (true, copy);
        }
        let later = self.serve(op).and_then(|deferred| deferred.until(op));
        if let (Some(id), Some((reason, seconds))) = (copy, later) {
            sums.unsure.push(PendingHandOff { id, what: PendingKind::Later { reason, seconds } });
        }
    }

    fn serve_all(&mut self) {
        self.queued = true;
        self.deferred = DeferredRecipients::Nobody;
        self.served = self.served.max(self.recipients.unwrap_or(0));
    }

    /// The recipient is done with. None: it was not put off before.
    fn serve(&mut self, op: &Update) -> Option<FirstDeferral> {
        self.queued = true;
        self.served = self.served.saturating_add(op.recipients);
        self.deferred.remove(op.recipient)
    }

    /// None: it never got into the queue, it is no mail, or too little of it is in the log. `ended`: its end is.
    pub(crate) fn fate(&self, ended: bool) -> Option<FinalState> {
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
        let waits = self.recipients.map_or(self.came, |recipients| self.served < recipients);
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
    pub(crate) fn count_into(&self, ended: bool, sums: &mut MessageTotals) {
        let fate = self.fate(ended).filter(|_| self.wanted);
        let counts = fate.is_some_and(|fate| fate != FinalState::HandedOn);
        sums.met.add(self.origin, self.attempts, u32::from(counts));
        let Some(fate) = fate else { return };
        let (received, notice) = (self.came && !self.notice, self.notice);
        if fate == FinalState::HandedOn {
            match self.copy {
                Some(id) => {
                    let what = PendingKind::Message { received, notice, origin: self.origin };
                    sums.unsure.push(PendingHandOff { id, what });
                }
                None => sums.handed_on += 1,
            }
            return;
        }
        sums.received += u64::from(received);
        sums.notices += u64::from(notice);
        match fate {
            FinalState::Delivered => sums.delivered += 1,
            FinalState::Bounced => sums.bounced += 1,
            FinalState::Expired => sums.expired += 1,
            FinalState::Discarded => sums.discarded += 1,
            // Handed on was counted above; `Ledger::close` counts what is still in the queue.
            FinalState::HandedOn | FinalState::Deferred | FinalState::Held | FinalState::Waiting => {}
        }
    }
}
