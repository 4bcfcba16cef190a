//! Builds the table of hosts that wrote the logs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::host_difference::{FailedShare, differences};
use super::rows::name;
use crate::collections::interner::to_lowercase;
use crate::messages::failure::FlowTotals;
use crate::messages::host_spans::CountedHost;
use crate::parse::log_text::LogText;
use crate::pipeline::coverage::extend;
use crate::report::time::minute_rfc3339;
use crate::report::{HostDifference, HostRow};
use crate::smtp::event::Outcome;
use crate::tally::FinishedTally;

/// The counts of the hosts with one name, in any letters.
#[derive(Default)]
struct NamedHost {
    minutes: Option<(i64, i64)>,
    lines: u64,
    flow: FlowTotals,
    rejected: u64,
}

/// The hosts that differ from the others first, then those with most messages. Empty: all lines are of one host.
pub(crate) fn host_rows(
    hosts: &[CountedHost],
    tally: &FinishedTally,
    zone: &jiff::tz::TimeZone,
) -> Vec<HostRow> {
    let mut named: BTreeMap<Vec<u8>, NamedHost> = BTreeMap::new();
    for CountedHost { name, minutes, lines, flow } in hosts {
        // An assumed host has no name to show.
        let shown = if name.first() == Some(&0) { Vec::new() } else { to_lowercase(name, <[u8]>::to_vec) };
        let host = named.entry(shown).or_default();
        host.lines += lines;
        host.flow.merge(flow);
        for minute in minutes.iter().flat_map(|(first, last)| [*first, *last]) {
            extend(&mut host.minutes, minute);
        }
    }
    if named.keys().filter(|name| !name.is_empty()).count() < 2 {
        return Vec::new();
    }
    for (id, outcomes) in &tally.hosts {
        if let Some(host) = named.get_mut(name(tally, *id)) {
            host.rejected += outcomes[Outcome::Rejected];
        }
    }
    let mut rows: Vec<HostRow> = named.iter().map(|(name, host)| row(name, host, zone)).collect();
    let shares: Vec<FailedShare> = rows.iter().map(share).collect();
    for (row, others) in rows.iter_mut().zip(differences(&shares)) {
        row.differs = others.map(|others| HostDifference { others_percent: percent(others) });
    }
    let failed = |row: &HostRow| row.differs.map(|_| Reverse(row.failed()));
    rows.sort_by(|a, b| {
        let by_difference = (a.differs.is_none(), failed(a)).cmp(&(b.differs.is_none(), failed(b)));
        by_difference.then_with(|| b.messages.cmp(&a.messages)).then_with(|| a.name.cmp(&b.name))
    });
    rows
}

fn share(row: &HostRow) -> FailedShare {
    FailedShare { failed: row.failed(), messages: row.messages }
}

/// With one decimal place.
fn percent(share: FailedShare) -> f64 {
    (share.share() * 1000.0).round() / 10.0
}

fn row(name: &[u8], host: &NamedHost, zone: &jiff::tz::TimeZone) -> HostRow {
    let FlowTotals { delivered, delayed: _, bounced, expired, discarded, deferred, held, untried } =
        host.flow;
    let minute = |minute: Option<i64>| minute_rfc3339(minute?, zone);
    let mut row = HostRow {
        name: LogText(name).non_empty(),
        lines: host.lines,
        messages: delivered + bounced + expired + discarded + deferred + held + untried,
        delivered,
        waiting: deferred,
        bounced,
        expired,
        rejected: host.rejected,
        failed_percent: None,
        first: minute(host.minutes.map(|(first, _)| first)),
        last: minute(host.minutes.map(|(_, last)| last)),
        differs: None,
    };
    row.failed_percent = (row.messages > 0).then(|| percent(share(&row)));
    row
}
