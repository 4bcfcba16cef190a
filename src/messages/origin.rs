//! Identifies the sender, the client and the login of a message by their hashes, and counts its delivery attempts.

use serde::{Deserialize, Serialize};

use crate::smtp::delivery_result::ByResult;

/// Hashes of the names of a message. 0: no line read so far states the name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Debug)]
#[serde(default)]
pub struct SenderIds {
    #[serde(skip_serializing_if = "is_unknown")]
    pub sender: u64,
    #[serde(skip_serializing_if = "is_unknown")]
    pub client: u64,
    #[serde(skip_serializing_if = "is_unknown")]
    pub user: u64,
}

impl SenderIds {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

// serde wants a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(super) fn is_unknown(name: &u64) -> bool {
    *name == 0
}

/// Delivery attempts of one message.
pub(crate) type Attempts = ByResult<u32>;
