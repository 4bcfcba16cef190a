//! Sums up a tally for a report: its totals, its timeline and the hosts that wrote the logs.

use jiff::Timestamp;

use super::options::ReportOptions;
use super::rows::{name, text, top_names};
use crate::report::{Hour, HourRefused, HourSent, Messages, NameCount, Refused, Sent, Totals};
use crate::smtp::delivery_result::{ByResult, DeliveryResult};
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::{Class, Code};
use crate::tally::timeline::RejectionCounts;
use crate::tally::{FinishedTally, TallyKey};

pub(crate) fn totals(tally: &FinishedTally, messages: Messages) -> Totals {
    let mut totals = Totals {
        outbound: Sent::default(),
        local: Sent::default(),
        inbound: Refused::default(),
        host_attempts: 0,
        probes: 0,
        hops: tally.hops,
        messages,
    };
    for (key, count) in &tally.rows {
        let attempts = count.attempts;
        match (key.kind.outcome, key.kind.direction) {
            (Outcome::Attempt, _) => totals.host_attempts += attempts,
            (Outcome::Probe, _) => totals.probes += attempts,
            (_, Direction::Outbound) => totals.outbound.add(key, attempts),
            (_, Direction::Local) => totals.local.add(key, attempts),
            (_, Direction::Inbound) => totals.inbound.add(key, attempts),
        }
    }
    totals
}

impl Sent {
    fn add(&mut self, key: &TallyKey, attempts: u64) {
        match key.kind.outcome {
            Outcome::Delivered => self.delivered += attempts,
            Outcome::Deferred => self.deferred += attempts,
            Outcome::Bounced => self.bounced += attempts,
            Outcome::Expired => self.expired += attempts,
            Outcome::Rejected
            | Outcome::Attempt
            | Outcome::Warned
            | Outcome::Held
            | Outcome::Discarded
            | Outcome::Probe => {
                self.discarded += attempts;
                return;
            }
        }
        self.attempts += attempts;
        match key.kind.code.map(Code::class) {
            Some(Class::Positive) => self.positive += attempts,
            Some(Class::Intermediate) => self.intermediate += attempts,
            Some(Class::Transient) => self.transient += attempts,
            Some(Class::Permanent) => self.permanent += attempts,
            None => self.no_reply += attempts,
        }
    }
}

impl Refused {
    fn add(&mut self, key: &TallyKey, attempts: u64) {
        match key.kind.outcome {
            Outcome::Warned => self.warned += attempts,
            Outcome::Held => self.held += attempts,
            Outcome::Discarded => self.discarded += attempts,
            Outcome::Rejected
            | Outcome::Delivered
            | Outcome::Deferred
            | Outcome::Bounced
            | Outcome::Expired
            | Outcome::Attempt
            | Outcome::Probe => {
                self.refused += attempts;
                match key.kind.class {
                    Some(Class::Transient) => self.transient += attempts,
                    Some(Class::Permanent) => self.permanent += attempts,
                    Some(Class::Positive | Class::Intermediate) | None => self.unspecified += attempts,
                }
            }
        }
    }
}

/// The hours of the timeline in the time zone of the report. Hours beyond the range of the calendar are omitted.
pub(crate) fn timeline(tally: &FinishedTally, options: &ReportOptions) -> Vec<Hour> {
    let sent = |counts: ByResult<u64>| HourSent {
        delivered: counts[DeliveryResult::Delivered],
        deferred: counts[DeliveryResult::Deferred],
        bounced: counts[DeliveryResult::Bounced],
        expired: counts[DeliveryResult::Expired],
    };
    let hours = tally.timeline.hours.iter().filter_map(|(&hour, counts)| {
        let start = Timestamp::from_second(hour * 3600).ok()?.to_zoned(options.read.calendar.zone.clone());
        let RejectionCounts { transient, permanent, unspecified } = counts.inbound;
        Some(Hour {
            start,
            outbound: sent(counts.outbound),
            local: sent(counts.local),
            inbound: HourRefused { transient, permanent, unspecified },
        })
    });
    hours.collect()
}

pub(crate) fn hosts(tally: &FinishedTally) -> Vec<String> {
    let counts = tally.hosts.iter();
    let counts =
        counts.map(|&(id, ref outcomes)| NameCount { name: text(name(tally, id)), attempts: outcomes.sum() });
    let named = counts.filter(|host| !host.name.is_empty()).collect();
    top_names(named, usize::MAX).into_iter().map(|host| host.name).collect()
}
