//! Counts who sent the messages that failed, and when the messages to each domain failed.
//!
//! Messages are added block by block, in the order of the blocks, so the number of threads changes nothing. Full tables drop
//! the names with the lowest counts (lossy counting).

use hashbrown::HashMap;

use super::failure::{FailedFate, FailureKind, TimedFailure};
use super::failure_tables::{DomainFailures, FailuresByDomain, SenderCounts, SendersByKind};
use super::kept_details::KeptDetails;
use super::key::{PrehashedState, domain_hash};
use crate::catalog::Action;
use crate::report::ReportExtent;

/// Maximum number of senders of one kind of failure.
const KIND_SENDERS: usize = 1 << 14;

/// Maximum number of domains.
const DOMAINS: usize = 1 << 13;

/// Maximum number of senders of one domain.
const DOMAIN_SENDERS: usize = 1 << 9;

/// Maximum number of hours of one domain: two months.
const HOURS: usize = 24 * 62;

/// A message that failed at least once.
#[derive(Clone, Copy, Debug)]
pub struct FailedMessage {
    action: Action,
    kind: FailureKind,
    /// Seconds since 1970. None: the line has no valid timestamp.
    at: Option<i64>,
    /// The hash of the recipient's domain. 0: the line names none.
    domain: u64,
    /// The hash of the sender. 0: no line names it.
    sender: u64,
}

impl FailedMessage {
    pub(crate) fn new(failure: TimedFailure, fate: FailedFate, sender: u64) -> Self {
        let TimedFailure { kind, at, domain } = failure;
        Self { action: kind.action(fate.is_lost()), kind, at, domain, sender }
    }
}

/// The failed messages by sender and by domain.
#[derive(Default)]
pub struct FailureDetails {
    /// Only the whole report asks for details.
    extent: ReportExtent,
    by_kind: SendersByKind,
    by_domain: FailuresByDomain,
    /// A table may be over its limit.
    is_large: bool,
}

impl FailureDetails {
    /// The tables, for a report of this extent. They stay empty for the first screen.
    pub(crate) fn new(extent: ReportExtent) -> Self {
        Self { extent, ..Self::default() }
    }

    /// Adds messages. [`Self::make_room`] must follow once all messages of a block are in.
    pub(crate) fn add(&mut self, failed: impl IntoIterator<Item = FailedMessage>) {
        if self.extent == ReportExtent::FirstScreen {
            return;
        }
        for FailedMessage { action, kind, at, domain, sender } in failed {
            if sender != 0 {
                let senders = self.by_kind.entry((action, kind)).or_default();
                *senders.entry(sender).or_default() += 1;
                self.is_large |= senders.len() > KIND_SENDERS;
            }
            if domain != 0 {
                let counts = self.by_domain.entry(domain).or_default();
                counts.messages += 1;
                if let Some(at) = at {
                    *counts.hours.entry(at.div_euclid(3600)).or_default() += 1;
                }
                if sender != 0 {
                    *counts.senders.entry(sender).or_default() += 1;
                }
                self.is_large |= counts.hours.len() > HOURS || counts.senders.len() > DOMAIN_SENDERS;
                self.is_large |= self.by_domain.len() > DOMAINS;
            }
        }
    }

    /// Cuts the tables that are over their limits.
    pub(crate) fn make_room(&mut self) {
        if !std::mem::take(&mut self.is_large) {
            return;
        }
        self.by_kind.values_mut().for_each(|senders| cut(senders, KIND_SENDERS, |count| *count));
        cut(&mut self.by_domain, DOMAINS, |counts| counts.messages);
        for counts in self.by_domain.values_mut() {
            cut(&mut counts.senders, DOMAIN_SENDERS, |count| *count);
            while counts.hours.len() > HOURS {
                counts.hours.pop_first();
            }
        }
    }

    /// Adds the tables of a part whole; they are cut once all parts are in. `None`: they are damaged.
    pub(super) fn add_kept(&mut self, kept: &KeptDetails) -> Option<()> {
        self.is_large = true;
        kept.add_to(&mut self.by_kind, &mut self.by_domain)
    }

    pub(super) fn into_kept(self) -> KeptDetails {
        KeptDetails::of(self.by_kind, self.by_domain)
    }

    /// The senders of the messages that failed for each kind.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (Action, FailureKind, &SenderCounts)> {
        self.by_kind.iter().map(|(&(action, kind), senders)| (action, kind, senders))
    }

    /// None: no message to the domain failed, or it was dropped.
    pub(crate) fn domain(&self, name: &[u8]) -> Option<&DomainFailures> {
        self.by_domain.get(&domain_hash(name))
    }
}

/// Drops the half with the lowest counts, if there are more than `limit`. All with exactly the cut go, so that the order of the
/// table does not change which ones stay.
fn cut<V>(table: &mut HashMap<u64, V, PrehashedState>, limit: usize, weight: impl Fn(&V) -> u64) {
    if table.len() <= limit {
        return;
    }
    let mut weights: Vec<u64> = table.values().map(&weight).collect();
    let half = weights.len() / 2;
    let (_, &mut most, _) = weights.select_nth_unstable(half);
    table.retain(|_, value| weight(value) > most);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Reason;

    fn failed(domain: u64, sender: u64) -> FailedMessage {
        let failure = TimedFailure { domain, ..TimedFailure::bare(Reason::Unknown, Some(7200)) };
        FailedMessage::new(failure, FailedFate::Bounced, sender)
    }

    #[test]
    fn full_tables_keep_who_has_most() {
        let mut details = FailureDetails::default();
        for round in 0..20_000_u64 {
            details.add([failed(1, 1), failed(round + 2, round + 2)]);
            details.make_room();
        }
        let (_, _, senders) = details.kinds().next().unwrap();
        assert!(senders.len() <= KIND_SENDERS && senders[&1] == 20_000, "{}", senders.len());
        assert!(details.by_domain.len() <= DOMAINS);
        let domain = &details.by_domain[&1];
        assert_eq!((domain.messages, domain.hours[&2], domain.senders[&1]), (20_000, 20_000, 20_000));
    }

    #[test]
    fn parts_add_up() {
        let all = |range: std::ops::Range<u64>| {
            let mut details = FailureDetails::default();
            details.add(range.map(|number| failed(number % 5, number % 3)));
            details
        };
        let mut sum = FailureDetails::default();
        sum.add_kept(&all(0..40).into_kept()).unwrap();
        sum.add_kept(&all(40..100).into_kept()).unwrap();
        sum.make_room();
        let (whole, sum) = (all(0..100).into_kept(), sum.into_kept());
        assert_eq!(whole, sum);
    }
}
