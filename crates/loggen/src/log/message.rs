//! Holds what later log lines need to know about a message in the queue.

use super::id::Id;
use super::names::{Address, ClientSeed};
use super::reply::ReplyRow;

/// A recipient whose delivery is neither done nor given up.
pub(crate) struct PendingRecipient {
    pub to: Address,
    /// Reply of the last deferral; most retries get the same one.
    pub last: Option<&'static ReplyRow>,
}

pub(crate) struct QueuedMessage {
    pub id: Id,
    /// Arrival, in milliseconds since the log's first midnight, as all times of the generator.
    pub born: u64,
    /// `None` is the null sender, so the message is a bounce and is never bounced itself.
    pub sender: Option<Address>,
    pub client: ClientSeed,
    pub size: u64,
    pub pending: Vec<PendingRecipient>,
    /// Number of recipients on arrival.
    pub recipients: usize,
    pub tries: u32,
    /// Every further attempt is deferred.
    pub stuck: bool,
    pub bounced: bool,
    pub expired: bool,
    /// Number of messages that follow in the same SMTP session.
    pub more: u64,
    pub salt: u64,
}

impl QueuedMessage {
    pub(crate) fn age(&self, at: u64) -> u64 {
        at.saturating_sub(self.born)
    }
}
