//! Joins the blocks of a part. What the first lines of a part go on from is not known, so that their updates are kept.
//!
//! A block's messages are applied to those of the blocks before it (see [`PartialMessage::resume`]). This composition is
//! associative: blocks that are composed first and applied then give the same as blocks that are applied one after another.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::block_tracker::PartialMessage;
use super::key::PrehashedState;
use super::key_set::KeySet;
use super::message::{Message, supersede};
use super::packed_updates::PackedUpdates;
use super::selection::Selection;
use super::totals::MessageTotals;
use super::transition::Transition;

/// Maximum number of kept updates, open messages and deferred recipients; see the limit of
/// [`MessageTracker`](super::MessageTracker).
const LIMIT: usize = 900_000;

/// Maximum number of messages that began and ended: 80 MiB. Of those beyond it, no earlier message with the same queue id is
/// told that it ended.
const ENDED_LIMIT: usize = 7 << 20;

/// Messages to wait before the next sweep, if the last one freed too little.
const SWEEP_PAUSE: usize = 1 << 16;

/// A partial message as long as it is kept. Most are lives of bounce notices, of which no line tells that they begin: they have
/// updates and no message, and a message is large.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptMessage {
    #[serde(skip_serializing_if = "PackedUpdates::is_empty")]
    pub(super) earlier: PackedUpdates,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) begun_by: Option<Transition>,
    pub(super) is_known: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<Box<Message>>,
}

impl From<PartialMessage> for KeptMessage {
    fn from(partial: PartialMessage) -> Self {
        let PartialMessage { earlier, begun_by, is_known, message, named: _ } = partial;
        Self { earlier: earlier.into(), begun_by, is_known, message: message.map(Box::new) }
    }
}

impl From<KeptMessage> for PartialMessage {
    fn from(open: KeptMessage) -> Self {
        let KeptMessage { earlier, begun_by, is_known, message } = open;
        let message = message.map(|message| *message);
        Self { earlier: earlier.into(), begun_by, is_known, message, named: None }
    }
}

/// The messages of a part that depend on lines before it or behind it.
pub(crate) struct OpenParts {
    open: HashMap<u64, KeptMessage, PrehashedState>,
    /// The keys of messages that began and ended in the part.
    ended: EndedKeys,
    weight: usize,
    limit: usize,
    sweep_pause: usize,
}

/// The keys of messages that began and ended, by how they began; see [`supersede`].
#[derive(Default)]
pub(super) struct EndedKeys {
    pub by_arrival: KeySet,
    pub otherwise: KeySet,
}

impl Default for OpenParts {
    fn default() -> Self {
        let (open, ended) = (HashMap::default(), EndedKeys::default());
        Self { open, ended, weight: 0, limit: LIMIT, sweep_pause: 0 }
    }
}

impl EndedKeys {
    fn insert(&mut self, key: u64, began: Transition) {
        if self.by_arrival.len() + self.otherwise.len() >= ENDED_LIMIT {
            return;
        }
        match began {
            Transition::Arrived(_) if !self.otherwise.contains(key) => self.by_arrival.insert(key),
            _ if !self.by_arrival.contains(key) => self.otherwise.insert(key),
            // The first one tells what becomes of a message before it.
            _ => {}
        }
    }

    fn take(&mut self, key: u64) -> Option<Transition> {
        if self.otherwise.remove(key) {
            Some(Transition::Received)
        } else {
            self.by_arrival.remove(key).then_some(Transition::Arrived(None))
        }
    }
}

impl PartialMessage {
    fn weight(&self) -> usize {
        self.earlier.len() + self.message.as_ref().map_or(0, Message::weight)
    }

    /// What it and the block behind it come to.
    fn then(self, next: Self, selection: Selection, totals: &mut MessageTotals) -> Self {
        if !self.is_known {
            let earlier = [self.earlier, next.earlier].concat();
            return Self { earlier, ..next };
        }
        let message = next.resume(self.message, selection, totals);
        Self { message, ..self }
    }
}

impl OpenParts {
    /// Adds what a block, or a part, says about one message.
    pub(crate) fn add(
        &mut self,
        key: u64,
        partial: PartialMessage,
        selection: Selection,
        totals: &mut MessageTotals,
    ) {
        let before = match self.open.remove(&key).map(PartialMessage::from) {
            Some(open) => {
                self.weight -= open.weight();
                open
            }
            None => {
                self.make_room(selection, totals);
                match self.ended.take(key) {
                    Some(began) => {
                        PartialMessage { begun_by: Some(began), is_known: true, ..PartialMessage::default() }
                    }
                    None if self.weight > self.limit => return forget(partial, selection, totals),
                    None => return self.keep(key, partial),
                }
            }
        };
        let joined = before.then(partial, selection, totals);
        self.keep(key, joined);
    }

    /// Adds that a message began and ended under a key.
    pub(crate) fn complete(&mut self, key: u64, began: Transition, totals: &mut MessageTotals) {
        let Some(open) = self.open.remove(&key) else { return self.ended.insert(key, began) };
        let mut open = PartialMessage::from(open);
        self.weight -= open.weight();
        if open.is_known {
            supersede(&mut open.message, began, totals);
        } else {
            (open.begun_by, open.is_known) = (Some(began), true);
        }
        self.keep(key, open);
    }

    fn keep(&mut self, key: u64, partial: PartialMessage) {
        match partial.completed() {
            Some(began) => self.ended.insert(key, began),
            None => {
                self.weight += partial.weight();
                self.open.insert(key, partial.into());
            }
        }
    }

    /// Removes messages that look done, as if nothing were known of lines before the part.
    fn make_room(&mut self, selection: Selection, totals: &mut MessageTotals) {
        if self.weight <= self.limit {
            return;
        }
        if self.sweep_pause > 0 {
            self.sweep_pause -= 1;
            return;
        }
        self.weight = 0;
        for (key, partial) in std::mem::take(&mut self.open) {
            let Some(message) = PartialMessage::from(partial).resume(None, selection, totals) else {
                continue;
            };
            if message.may_go_on() {
                let is_known = true;
                self.keep(
                    key,
                    PartialMessage { message: Some(message), is_known, ..PartialMessage::default() },
                );
            } else {
                message.count_into(false, totals);
            }
        }
        self.sweep_pause = if self.weight > self.limit / 8 * 7 { SWEEP_PAUSE } else { 0 };
    }

    /// What is open, sorted by key, and the keys of messages that began and ended.
    pub(super) fn into_sorted(self) -> (Vec<(u64, KeptMessage)>, EndedKeys) {
        let mut open: Vec<(u64, KeptMessage)> = self.open.into_iter().collect();
        open.sort_unstable_by_key(|(key, _)| *key);
        (open, self.ended)
    }
}

/// Counts a message that cannot be kept.
fn forget(partial: PartialMessage, selection: Selection, totals: &mut MessageTotals) {
    if let Some(message) = partial.resume(None, selection, totals) {
        totals.names.count_message(message.origin, message.attempts, 0);
        totals.forgotten += 1;
    }
}
