//! Tells a broken network or resolver of this server from servers elsewhere that do not answer.

use std::collections::BTreeMap;

use super::fault_lines::FaultLines;
use super::options::ReportOptions;
use crate::messages::failure::FailedMessages;
use crate::smtp::delivery_result::DeliveryResult;
use crate::tally::FinishedTally;

/// Fewer failed messages in an hour, and in all such hours, say nothing.
const MESSAGES_OF_AN_HOUR: u64 = 3;
const MESSAGES_NEEDED: u64 = 10;
/// Fewer domains may be those of one broken server.
const DOMAINS_NEEDED: usize = 5;
/// From this share of the attempts, in percent, a domain or provider is to blame.
const ONE_SITE: u64 = 50;

/// The hours, counted from 1970-01-01T00:00Z, in which more outgoing messages failed at the network than were delivered, and how
/// many failed.
pub(super) struct DeadHours(BTreeMap<i64, u64>);

impl DeadHours {
    /// `failed` has the messages of every row whose reason is a failure of the network. Under a filter by results nothing is
    /// known of deliveries, and there are no such hours.
    pub(super) fn new<'a>(
        failed: impl Iterator<Item = &'a FailedMessages>,
        tally: &FinishedTally,
        options: &ReportOptions,
    ) -> Self {
        let mut hours: BTreeMap<i64, u64> = BTreeMap::new();
        if super::input::input(&options.read, options.filter).selects_results() {
            return Self(hours);
        }
        for (&hour, &count) in failed.flat_map(|failed| &failed.hours) {
            *hours.entry(hour).or_default() += count;
        }
        let delivered = |hour: &i64| {
            tally.timeline.hours.get(hour).map_or(0, |counts| counts.outbound[DeliveryResult::Delivered])
        };
        hours.retain(|hour, failed| *failed >= MESSAGES_OF_AN_HOUR && *failed > delivered(hour));
        if hours.values().sum::<u64>() < MESSAGES_NEEDED {
            hours.clear();
        }
        Self(hours)
    }

    /// Whether most messages of a row failed in such an hour, and for many sites: this server reaches nobody.
    pub(super) fn explain(&self, failed: &FailedMessages, lines: &FaultLines) -> bool {
        let within: u64 =
            failed.hours.iter().filter(|(hour, _)| self.0.contains_key(hour)).map(|(_, count)| count).sum();
        let all: u64 = failed.hours.values().sum();
        let places = lines.places();
        let largest = places.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let largest = largest.max(lines.largest_provider());
        within * 2 > all && places.len() >= DOMAINS_NEEDED && largest * 100 < lines.attempts * ONE_SITE
    }
}
