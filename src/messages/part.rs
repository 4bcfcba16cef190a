//! What a part keeps of its messages, and how other runs go on from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::MessageTracker;
use super::block_names::PerRole;
use super::failure::{ByFlow, FailedMessages, FailureKind, FlowTotals};
use super::kept_details::KeptDetails;
use super::kept_names::KeptNames;
use super::names::NameCountsByRole;
use super::open_messages::OpenMessages;
use super::placed_id::IdHash;
use super::totals::{LONGEST, MessageTotals, PendingHandOff};
use super::transition::Transition;
use crate::catalog::Action;
use crate::catalog::classify::Reason;
use crate::collections::wire::{ByteText, RecordedValues, each_hash, pack_hashes, record_all, recorded};

/// The messages of a part.
#[derive(Default)]
pub(crate) struct MessagePart {
    pub sums: MessageSums,
    /// The failed messages by sender and by domain.
    pub details: KeptDetails,
    pub open: OpenMessages,
    pub ended: EndedMessages,
    /// The queue ids that lines named, packed.
    pub seen: ByteText,
    pub names: PerRole<KeptNames>,
}

/// The sums of messages that ended within a part.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MessageSums {
    received: u64,
    notices: u64,
    delivered: u64,
    bounced: u64,
    expired: u64,
    discarded: u64,
    handed_on: u64,
    forgotten: u64,
    /// Seconds from a recipient's first deferral to its delivery, by the reason of that deferral.
    delivered_later: Vec<(Option<Reason>, RecordedValues)>,
    expired_after: BTreeMap<String, u64>,
    expired_without_reason: u64,
    silent_holds: BTreeMap<i64, u64>,
    flows: ByFlow<FlowTotals>,
    failures: Vec<(Action, FailureKind, FailedMessages)>,
    /// Only parts of early versions keep them here.
    #[serde(skip_serializing)]
    details: KeptDetails,
    /// By the hash of the domain.
    expired_domains: BTreeMap<u64, u64>,
    notices_delivered: u64,
    /// By the hash of the host, in rising order.
    hosts: Vec<(u64, FlowTotals)>,
    pending: Vec<PendingHandOff>,
}

/// The keys of messages that began and ended in a part, packed, by how they began.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct EndedMessages {
    by_arrival: ByteText,
    otherwise: ByteText,
}

/// A part is not what its checksum says: another program wrote it.
#[derive(Debug)]
pub(crate) struct DamagedMessages;

impl MessageSums {
    fn of(totals: MessageTotals, pending: Vec<PendingHandOff>) -> Self {
        let mut sums = Self {
            received: totals.received,
            notices: totals.notices,
            delivered: totals.delivered,
            bounced: totals.bounced,
            expired: totals.expired,
            discarded: totals.discarded,
            handed_on: totals.handed_on,
            forgotten: totals.forgotten,
            silent_holds: totals.silent_holds,
            flows: totals.flows,
            notices_delivered: totals.notices_delivered,
            expired_domains: totals.expired_domains,
            pending,
            ..Self::default()
        };
        sums.hosts = totals.hosts.into_iter().collect();
        sums.hosts.sort_unstable_by_key(|(host, _)| *host);
        let failures = totals.failures.by_kind.into_iter();
        sums.failures = failures.map(|((action, kind), counts)| (action, kind, counts)).collect();
        let later = totals.delivered_later.iter();
        sums.delivered_later = later.map(|(&reason, times)| (reason, recorded(times))).collect();
        for (reason, count) in totals.expired_after {
            match reason {
                Some(reason) => {
                    sums.expired_after.insert(crate::catalog::value_name(reason), count);
                }
                None => sums.expired_without_reason = count,
            }
        }
        sums
    }

    fn totals(&self) -> Option<MessageTotals> {
        let mut totals = MessageTotals {
            received: self.received,
            notices: self.notices,
            delivered: self.delivered,
            bounced: self.bounced,
            expired: self.expired,
            discarded: self.discarded,
            handed_on: self.handed_on,
            forgotten: self.forgotten,
            silent_holds: self.silent_holds.clone(),
            flows: self.flows,
            notices_delivered: self.notices_delivered,
            expired_domains: self.expired_domains.clone(),
            hosts: self.hosts.iter().copied().collect(),
            ..MessageTotals::default()
        };
        for (action, kind, counts) in &self.failures {
            totals.failures.by_kind.insert((*action, *kind), counts.clone());
        }
        for (reason, times) in &self.delivered_later {
            record_all(totals.durations(*reason), times, LONGEST.cast_unsigned())?;
        }
        for (reason, count) in &self.expired_after {
            let reason = <Reason as clap::ValueEnum>::from_str(reason, false).ok()?;
            totals.expired_after.insert(Some(reason), *count);
        }
        if self.expired_without_reason > 0 {
            totals.expired_after.insert(None, self.expired_without_reason);
        }
        Some(totals)
    }
}

impl MessageTracker {
    /// For the report, or the next part, of several parts: tables of names are added whole, and cut once.
    #[must_use]
    pub(crate) fn for_parts(mut self) -> Self {
        self.names = NameCountsByRole::for_parts();
        self
    }

    /// Adds a part. The parts of a host must come in the order of their times.
    pub(crate) fn fold_part(&mut self, part: MessagePart) -> Result<(), DamagedMessages> {
        if self.open_weight > self.limit {
            self.make_room();
        }
        self.totals.merge(part.sums.totals().ok_or(DamagedMessages)?);
        let seen = each_hash(&part.seen, |id| self.seen_ids.add(IdHash::new(id).as_slice()));
        seen.ok_or(DamagedMessages)?;
        self.names.add_kept(&part.names).ok_or(DamagedMessages)?;
        self.details.add_kept(&part.sums.details).ok_or(DamagedMessages)?;
        self.details.add_kept(&part.details).ok_or(DamagedMessages)?;
        self.pending.extend(part.sums.pending);
        for (key, partial) in part.open.0 {
            self.add(key, partial.into());
        }
        let EndedMessages { by_arrival, otherwise } = part.ended;
        for (keys, began) in [(by_arrival, Transition::Arrived(None)), (otherwise, Transition::Received)] {
            each_hash(&keys, |key| self.complete(key, began)).ok_or(DamagedMessages)?;
        }
        self.pending.append(&mut self.totals.pending);
        self.names.merge_names(&self.totals.names.take_block());
        self.details.add(std::mem::take(&mut self.totals.failed));
        Ok(())
    }

    /// Ends a part. `settled` are the totals that the block trackers counted themselves.
    pub(crate) fn into_part(mut self, settled: impl IntoIterator<Item = MessageTotals>) -> MessagePart {
        settled.into_iter().for_each(|other| self.totals.merge(other));
        self.pending.append(&mut self.totals.pending);
        self.names.merge_names(&self.totals.names.take_block());
        self.details.add(std::mem::take(&mut self.totals.failed));
        self.details.make_room();
        let (open, ended) = self.composed.take().unwrap_or_default().into_sorted();
        // The keys first: they take the most memory, which the rest can use then.
        let ended = EndedMessages {
            by_arrival: ended.by_arrival.into_packed(),
            otherwise: ended.otherwise.into_packed(),
        };
        let seen = pack_hashes(self.seen_ids.into_hashes());
        MessagePart {
            sums: MessageSums::of(self.totals, self.pending),
            details: self.details.into_kept(),
            open: OpenMessages(open),
            ended,
            seen,
            names: self.names.into_kept(),
        }
    }
}
