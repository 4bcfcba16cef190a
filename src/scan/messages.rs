//! Computes the message totals of a report.

use std::cmp::Reverse;

use super::sections::flow;
use crate::catalog::ReasonRow;
use crate::messages::MessageSummary;
use crate::messages::failure::{ByFlow, FlowTotals};
use crate::report::{DeliveredLater, DirectionTotals, ExpiredAfter, Messages};

/// `minutes` are the first and the last minute of the logs, counted from 1970-01-01T00:00Z. None: no line has a valid
/// timestamp.
pub(crate) fn messages(
    messages: &MessageSummary,
    minutes: Option<(i64, i64)>,
    reasons: &[ReasonRow],
) -> Messages {
    let MessageSummary { totals, queue, .. } = messages;
    let end = minutes.map(|(_, last)| last * 60);
    let age = |(end, oldest): (i64, i64)| u64::try_from(end - oldest).unwrap_or(0);
    let done = totals.delivered + totals.bounced + totals.expired + totals.discarded;
    let in_queue = queue.deferred + queue.held + queue.waiting;
    let later = totals.delivered_later.iter().map(|(&reason, durations)| {
        let known = reason.and_then(|reason| reasons.iter().find(|row| row.id == reason));
        DeliveredLater {
            reason,
            title: known.map(|row| row.title.clone()).unwrap_or_default(),
            recipients: durations.len(),
            median_seconds: durations.value_at_quantile(0.5),
            p95_seconds: durations.value_at_quantile(0.95),
        }
    });
    let mut later: Vec<DeliveredLater> = later.collect();
    later.sort_by_key(|row| Reverse(row.recipients));
    let all_later = totals.delivered_later.values().cloned().reduce(|mut all, other| {
        all.add(other).expect("our own histogram grows as far as theirs");
        all
    });
    let expired = totals.expired_after.iter().map(|(&reason, &recipients)| {
        let known = reason.and_then(|reason| reasons.iter().find(|row| row.id == reason));
        ExpiredAfter { reason, title: known.map(|row| row.title.clone()).unwrap_or_default(), recipients }
    });
    let mut expired: Vec<ExpiredAfter> = expired.collect();
    expired.sort_by_key(|row| Reverse(row.recipients));
    Messages {
        messages: done + in_queue,
        received: totals.received,
        notices: totals.notices,
        notices_delivered: totals.notices_delivered,
        outgoing: outgoing(&totals.flows),
        local: flow(&totals.flows.local),
        delivered: totals.delivered,
        deferred: queue.deferred,
        bounced: totals.bounced,
        expired: totals.expired,
        discarded: totals.discarded,
        held: queue.held,
        waiting: queue.waiting,
        in_queue,
        oldest_seconds: end.zip(queue.oldest).map(age),
        handed_on: totals.handed_on,
        forgotten: totals.forgotten,
        delivered_later: later,
        later_median_seconds: all_later.as_ref().map(|times| times.value_at_quantile(0.5)),
        later_p95_seconds: all_later.as_ref().map(|times| times.value_at_quantile(0.95)),
        expired_after: expired,
    }
}

/// Messages to other servers, with those in the queue of which the log shows no attempt.
fn outgoing(flows: &ByFlow<FlowTotals>) -> DirectionTotals {
    let mut outgoing = flow(&flows.outgoing);
    let FlowTotals { held, untried, deferred, .. } = flows.unknown;
    outgoing.add(&flow(&FlowTotals { deferred, held, untried, ..FlowTotals::default() }));
    outgoing
}
