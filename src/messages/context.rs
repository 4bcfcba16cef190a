//! Remembers the metadata of open messages, for the later lines that leave it out.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::key::PrehashedState;
use super::metadata::MessageMetadata;
use super::transition::Transition;

/// Messages and recipients of which something is kept at a time: some 120 MiB.
const LIMIT: usize = 1 << 19;

/// Messages that are remembered after their end: syslog does not always keep the order of two daemons' lines.
const GONE_KEPT: usize = 1 << 12;

#[derive(Default)]
struct OpenMetadata {
    known: MessageMetadata,
    /// By a hash of the recipient.
    attempts: HashMap<u64, u32, PrehashedState>,
    gone: bool,
}

/// The messages whose end is not read yet.
#[derive(Default)]
pub(crate) struct MetadataTable {
    open: HashMap<u64, OpenMetadata, PrehashedState>,
    /// Messages that are gone, the first one first.
    gone: VecDeque<u64>,
    /// Open messages and their recipients.
    kept: usize,
    /// Messages that came when no more could be kept.
    pub forgotten: u64,
}

impl MetadataTable {
    /// To be told in the order of the lines.
    pub(crate) fn fact(&mut self, key: u64, act: Transition, said: MessageMetadata) {
        match act {
            Transition::Gone | Transition::Deleted | Transition::Renamed => {
                if let Some(open) = self.open.get_mut(&key) {
                    open.gone = true;
                    self.gone.push_back(key);
                    self.forget_the_first();
                }
            }
            Transition::Came
            | Transition::Arrived(_)
            | Transition::Named
            | Transition::Notice { arrived: true, .. }
            | Transition::Queued { .. } => {
                if let Some(open) = self.open.get(&key)
                    && (open.gone || act.begins() || open.known.is_of_another(&said))
                {
                    self.forget(key);
                }
                match self.get_or_add(key) {
                    Some(open) => open.known.update(said),
                    None => self.forgotten += 1,
                }
            }
            Transition::Notice { arrived: false, .. }
            | Transition::Held
            | Transition::Released
            | Transition::Deferred
            | Transition::Delivered
            | Transition::HandedOn(_)
            | Transition::Bounced
            | Transition::Expired { .. }
            | Transition::Discarded
            | Transition::Refused
            | Transition::Returned
            | Transition::ThrownAway
            | Transition::Probe => {}
        }
    }

    /// None: no line that was read says anything.
    pub(crate) fn known(&self, key: u64) -> Option<&MessageMetadata> {
        self.open.get(&key).map(|open| &open.known)
    }

    /// Counts an attempt of this recipient; its number, from 1. None: as much as is kept is kept.
    pub(crate) fn attempt(&mut self, key: u64, recipient: u64) -> Option<u32> {
        let is_full = self.kept >= LIMIT;
        let attempts = &mut self.get_or_add(key)?.attempts;
        if let Some(count) = attempts.get_mut(&recipient) {
            *count += 1;
            return Some(*count);
        }
        if is_full {
            return None;
        }
        attempts.insert(recipient, 1);
        self.kept += 1;
        Some(1)
    }

    fn forget_the_first(&mut self) {
        while self.gone.len() > GONE_KEPT {
            let first = self.gone.pop_front();
            // Another message may have the queue id by now.
            if let Some(key) = first.filter(|key| self.open.get(key).is_some_and(|open| open.gone)) {
                self.forget(key);
            }
        }
    }

    fn forget(&mut self, key: u64) {
        self.kept -= self.open.remove(&key).map_or(0, |open| 1 + open.attempts.len());
    }

    fn get_or_add(&mut self, key: u64) -> Option<&mut OpenMetadata> {
        if self.kept >= LIMIT {
            return self.open.get_mut(&key);
        }
        Some(self.open.entry(key).or_insert_with(|| {
            self.kept += 1;
            OpenMetadata::default()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(sender: &str) -> MessageMetadata {
        MessageMetadata { sender: Some(sender.into()), ..MessageMetadata::default() }
    }

    #[test]
    fn a_line_that_comes_after_the_end_still_has_its_sender() {
        let mut contexts = MetadataTable::default();
        contexts.fact(7, Transition::Came, MessageMetadata::default());
        contexts.fact(7, Transition::Queued { left: Some(1), null: false }, from("a@example.org"));
        contexts.fact(7, Transition::Gone, MessageMetadata::default());
        assert_eq!(contexts.known(7), Some(&from("a@example.org")));
        contexts.fact(7, Transition::Named, MessageMetadata::default());
        assert_eq!(contexts.known(7), Some(&MessageMetadata::default()));
    }

    #[test]
    fn counts_the_attempts_of_each_recipient() {
        let mut contexts = MetadataTable::default();
        let numbers = [(1, 5), (1, 5), (1, 6), (2, 5), (1, 5)].map(|(key, to)| contexts.attempt(key, to));
        assert_eq!(numbers, [1, 2, 1, 1, 3].map(Some));
        contexts.fact(1, Transition::Arrived(None), MessageMetadata::default());
        assert_eq!(contexts.attempt(1, 5), Some(1));
    }

    #[test]
    fn forgets_the_messages_that_are_gone_longest() {
        let mut contexts = MetadataTable::default();
        for key in 0..3 * GONE_KEPT as u64 {
            contexts.fact(key, Transition::Queued { left: None, null: false }, from("a@example.org"));
            contexts.fact(key, Transition::Gone, MessageMetadata::default());
        }
        assert_eq!(contexts.open.len(), GONE_KEPT);
        assert!(contexts.known(0).is_none());
    }
}
