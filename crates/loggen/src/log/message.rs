//! A message on its way: what it needs to remember from one line of log to the next.

use super::id::Id;
use super::names::{Address, ClientSeed};
use super::reply::ReplyRow;

/// A recipient that is neither served nor given up yet.
pub struct PendingRecipient {
    pub to: Address,
    /// What it was put off with the last time: servers repeat themselves.
    pub last: Option<&'static ReplyRow>,
}

pub struct QueuedMessage {
    pub id: Id,
    /// Milliseconds since the log's start, as all times here.
    pub born: u64,
    /// None is the null sender: a bounce, which is never bounced again.
    pub sender: Option<Address>,
    pub client: ClientSeed,
    pub size: u64,
    pub pending: Vec<PendingRecipient>,
    /// Recipients at the start.
    pub recipients: usize,
    pub tries: u32,
    /// Nobody will ever take what is left.
    pub stuck: bool,
    pub bounced: bool,
    pub expired: bool,
    /// So many messages follow in the same session.
    pub more: u64,
    pub salt: u64,
}

impl QueuedMessage {
    pub fn age(&self, at: u64) -> u64 {
        at.saturating_sub(self.born)
    }
}
