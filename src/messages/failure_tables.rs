//! The tables of failed messages by sender and by domain.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::failure::FailureKind;
use super::key::PrehashedState;
use crate::catalog::Action;

/// Messages by the hash of their sender.
pub(crate) type SenderCounts = HashMap<u64, u64, PrehashedState>;

/// The failed messages to one domain.
#[derive(Clone, Default, Debug)]
pub(crate) struct DomainFailures {
    pub messages: u64,
    /// By the hour of their failure, counted from 1970-01-01T00:00Z.
    pub hours: BTreeMap<i64, u64>,
    pub senders: SenderCounts,
}

/// The senders of each kind of failure.
pub(super) type SendersByKind = BTreeMap<(Action, FailureKind), SenderCounts>;

/// The failures by the hash of the domain.
pub(super) type FailuresByDomain = HashMap<u64, DomainFailures, PrehashedState>;
