//! Remembers the metadata of open messages, for later lines that omit it.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::key::PrehashedState;
use super::metadata::MessageMetadata;
use super::transition::Transition;

/// Maximum number of messages and recipients that are remembered: about 120 MiB.
const LIMIT: usize = 1 << 19;

/// Number of messages that are remembered after their end: syslog does not always keep the order of two daemons'
/// lines.
const REMOVED_KEPT: usize = 1 << 12;

#[derive(Default)]
struct OpenMetadata {
    metadata: MessageMetadata,
    /// The number of attempts of each recipient, by the recipient's hash.
    attempts: HashMap<u64, u32, PrehashedState>,
    removed: bool,
}

/// The metadata of messages whose end has not been read yet.
#[derive(Default)]
pub(crate) struct MetadataTable {
    open: HashMap<u64, OpenMetadata, PrehashedState>,
    /// Keys of removed messages, oldest first.
    removed: VecDeque<u64>,
    /// Number of open messages and their recipients.
    entries: usize,
    /// Number of messages that began while the table was full.
    pub forgotten: u64,
}

impl MetadataTable {
    /// Applies a queue record. Records must come in the order of the lines.
    pub(crate) fn update(&mut self, key: u64, transition: Transition, stated: MessageMetadata) {
        match transition {
            Transition::Removed | Transition::Deleted | Transition::Renamed | Transition::Dropped => {
                if let Some(open) = self.open.get_mut(&key) {
                    open.removed = true;
                    self.removed.push_back(key);
                    self.forget_oldest();
                }
            }
            Transition::Received
            | Transition::Arrived(_)
            | Transition::HeaderRead
            | Transition::Notice { arrived: true, .. }
            | Transition::Queued { .. } => {
                if let Some(open) = self.open.get(&key)
                    && (open.removed || transition.begins() || open.metadata.is_of_another(&stated))
                {
                    self.forget(key);
                }
                match self.get_or_add(key) {
                    Some(open) => open.metadata.update(stated),
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
            | Transition::BouncedUnqueued
            | Transition::Expired { .. }
            | Transition::Discarded
            | Transition::Rejected
            | Transition::Withdrawn
            | Transition::Returned
            | Transition::WholeDiscarded
            | Transition::Continued
            | Transition::Named
            | Transition::Probe => {}
        }
    }

    /// The metadata of a message. None: no line read so far states any.
    pub(crate) fn get(&self, key: u64) -> Option<&MessageMetadata> {
        self.open.get(&key).map(|open| &open.metadata)
    }

    /// Counts an attempt of this recipient, and returns its number, from 1. None: the table is full.
    pub(crate) fn count_attempt(&mut self, key: u64, recipient: u64) -> Option<u32> {
        let is_full = self.entries >= LIMIT;
        let attempts = &mut self.get_or_add(key)?.attempts;
        if let Some(count) = attempts.get_mut(&recipient) {
            *count += 1;
            return Some(*count);
        }
        if is_full {
            return None;
        }
        attempts.insert(recipient, 1);
        self.entries += 1;
        Some(1)
    }

    fn forget_oldest(&mut self) {
        while self.removed.len() > REMOVED_KEPT {
            let first = self.removed.pop_front();
            // The queue id may belong to another message by now.
            if let Some(key) = first.filter(|key| self.open.get(key).is_some_and(|open| open.removed)) {
                self.forget(key);
            }
        }
    }

    fn forget(&mut self, key: u64) {
        self.entries -= self.open.remove(&key).map_or(0, |open| 1 + open.attempts.len());
    }

    fn get_or_add(&mut self, key: u64) -> Option<&mut OpenMetadata> {
        if self.entries >= LIMIT {
            return self.open.get_mut(&key);
        }
        Some(self.open.entry(key).or_insert_with(|| {
            self.entries += 1;
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
        let mut table = MetadataTable::default();
        table.update(7, Transition::Received, MessageMetadata::default());
        table.update(7, Transition::Queued { left: Some(1), null: false }, from("a@example.org"));
        table.update(7, Transition::Removed, MessageMetadata::default());
        assert_eq!(table.get(7), Some(&from("a@example.org")));
        table.update(7, Transition::HeaderRead, MessageMetadata::default());
        assert_eq!(table.get(7), Some(&MessageMetadata::default()));
    }

    #[test]
    fn counts_the_attempts_of_each_recipient() {
        let mut table = MetadataTable::default();
        let numbers = [(1, 5), (1, 5), (1, 6), (2, 5), (1, 5)].map(|(key, to)| table.count_attempt(key, to));
        assert_eq!(numbers, [1, 2, 1, 1, 3].map(Some));
        table.update(1, Transition::Arrived(None), MessageMetadata::default());
        assert_eq!(table.count_attempt(1, 5), Some(1));
    }

    #[test]
    fn forgets_the_messages_that_are_gone_longest() {
        let mut table = MetadataTable::default();
        for key in 0..3 * REMOVED_KEPT as u64 {
            table.update(key, Transition::Queued { left: None, null: false }, from("a@example.org"));
            table.update(key, Transition::Removed, MessageMetadata::default());
        }
        assert_eq!(table.open.len(), REMOVED_KEPT);
        assert!(table.get(0).is_none());
    }
}
