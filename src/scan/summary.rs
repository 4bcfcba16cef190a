//! Builds the report of `scan` from a tally: joins rows, adds totals, names and advice.

use super::advice::full_advice;
use super::delays;
use super::groups::table;
use super::input::{input, range};
use super::messages::messages;
use super::names::NameTables;
use super::notes::{on_estimates, on_limits, on_messages, on_names, on_time};
use super::options::ReportOptions;
use super::rows::rows;
use super::totals::{hosts, timeline, totals};
use crate::catalog;
use crate::messages::MessageSummary;
use crate::report::{Report, SCHEMA};
use crate::tally::Tally;

pub(crate) fn report(tally: Tally, ledger: &MessageSummary, frame: &ReportOptions) -> Report {
    let mut tally = tally.finish();
    let full_advice = if frame.in_full { full_advice(&tally) } else { Vec::new() };
    let messages = messages(ledger, frame.heard.coverage.minutes, catalog::reasons());
    let totals = totals(&tally, messages);
    let limits = on_limits(&tally);
    let (counts, groups) = (std::mem::take(&mut tally.rows), tally.groups.take());
    let tally = &tally;
    let rows = rows(counts, tally, frame);
    let estimated = on_estimates(&rows.iter().map(|row| row.recipients_exact).collect::<Vec<_>>());
    let tables = NameTables::new(tally, ledger, &totals, frame.providers);
    let rests = tables.rests();
    let groups = groups.map(|groups| table(groups, frame.providers, frame.sort, frame.reverse));
    Report {
        schema: SCHEMA,
        range: range(&frame.heard),
        hosts: hosts(tally),
        input: input(&frame.heard, frame.filter),
        totals,
        rows,
        groups,
        rest: rests,
        senders: tables.senders.rows,
        users: tables.users.rows,
        clients: tables.clients.rows,
        domains: tables.domains.rows,
        providers: tables.providers.rows,
        relays: tables.relays.rows,
        instances: tables.instances.rows,
        delays: tally.delays.as_ref().map(|delays| delays::rows(delays, frame.providers)),
        timeline: timeline(tally, frame),
        full_advice,
        baseline: None,
        failed: None,
        storms: None,
        verdict: None,
        notes: [
            limits,
            on_names(&rests),
            estimated,
            on_messages(ledger),
            on_time(&frame.heard),
            frame.notes.clone(),
        ]
        .concat(),
    }
}
