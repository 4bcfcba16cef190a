//! Identifies the sender, the client and the login of a message by their hashes, and counts its delivery attempts.

use crate::smtp::delivery_result::ByResult;

/// Hashes of the names of a message. 0: no line read so far states the name.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SenderIds {
    pub sender: u64,
    pub client: u64,
    pub user: u64,
}

/// Delivery attempts of one message.
pub(crate) type Attempts = ByResult<u32>;
