//! Names the sender, the client and the login of a message by their hashes, and counts its attempts.

/// Hashes of the names of a message. 0: no line that was read states one.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SenderIds {
    pub sender: u64,
    pub client: u64,
    pub user: u64,
}

/// Attempts of one message: delivered, deferred, bounced and expired, in this order.
pub(crate) type Attempts = [u32; 4];
