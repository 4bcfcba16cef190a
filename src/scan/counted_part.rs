//! The counts of a part, between the count of a scan and the file.

use std::collections::BTreeMap;

use super::pending_hops::KeptHandOff;
use crate::messages::host_spans::{HostSpan, KeptHost};
use crate::messages::part::MessagePart;
use crate::tally::wire::KeptTally;

/// The counts of a part.
#[derive(Default)]
pub(crate) struct CountedPart {
    pub tally: KeptTally,
    pub messages: MessagePart,
    /// Hand-offs whose new queue id no line of the part names.
    pub waiting: Vec<KeptHandOff>,
    /// Hand-offs that were counted as deliveries because too many waited.
    pub given_up: u64,
    pub hosts: Vec<KeptHost>,
    /// The same for the head; empty in a part that was read.
    pub spans: BTreeMap<Vec<u8>, HostSpan>,
}
