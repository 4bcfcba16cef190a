//! Builds the report of `scan` from a tally: rows, totals, names, advice and notes.

use super::advice::full_advice;
use super::delays;
use super::failing_domains::{failing_domains, name_expiries};
use super::groups::table;
use super::host_rows::host_rows;
use super::input::{input, range};
use super::messages::messages;
use super::names::NameTables;
use super::notes::{on_estimates, on_limits, on_messages, on_names, on_time};
use super::options::ReportOptions;
use super::redacted;
use super::rows::rows;
use super::sections::{BuiltSections, sections};
use super::totals::{hosts, timeline, totals};
use super::warnings::warnings;
use crate::catalog;
use crate::messages::MessageSummary;
use crate::report::{Report, ReportExtent, SCHEMA};
use crate::tally::Tally;

pub(crate) fn report(tally: Tally, mut summary: MessageSummary, options: &ReportOptions) -> Report {
    let mut tally = tally.finish();
    if let Some(redactor) = options.redactor {
        tally = redacted::tally(tally, redactor);
        summary.names = redacted::names(summary.names, redactor);
    }
    let summary = &summary;
    let full_advice = if options.with_full_advice { full_advice(&tally, options) } else { Vec::new() };
    let messages = messages(summary, options.read.coverage.minutes, catalog::reasons());
    let totals = totals(&tally, messages);
    let limits = on_limits(&tally);
    let (warnings, warnings_note) = warnings(std::mem::take(&mut tally.warnings), options);
    name_expiries(&mut tally, &summary.totals.expired_domains);
    let (counts, groups) = (std::mem::take(&mut tally.rows), tally.groups.take());
    let tally = &tally;
    let BuiltSections { sections, trend } = sections(tally, &counts, summary, options);
    let tables = NameTables::new((tally, &counts), summary, &totals, options);
    let failing_domains = failing_domains(tally, &counts, summary, &tables.domains.rows, options);
    let rows = match options.extent {
        ReportExtent::FirstScreen => Vec::new(),
        ReportExtent::Whole => rows(counts, tally, options),
    };
    let estimated = on_estimates(&rows.iter().map(|row| row.recipients_exact).collect::<Vec<_>>());
    let rests = tables.rests();
    let groups = groups.map(|groups| table(groups, options.providers, options.sort, options.reverse));
    let of_tables = [on_names(&rests), estimated, warnings_note.into_iter().collect()].concat();
    let table_notes = of_tables.len();
    Report {
        schema: SCHEMA,
        range: range(&options.read),
        hosts: hosts(tally),
        input: input(&options.read, options.filter),
        totals,
        sections,
        trend,
        rows,
        groups,
        by_host: host_rows(&summary.hosts, tally, &options.read.calendar.zone),
        rest: rests,
        senders: tables.senders.rows,
        users: tables.users.rows,
        clients: tables.clients.rows,
        domains: tables.domains.rows,
        failing_domains,
        providers: tables.providers.rows,
        relays: tables.relays.rows,
        instances: tables.instances.rows,
        warnings,
        delays: tally.delays.as_ref().map(|delays| delays::rows(delays, options.providers)),
        timeline: timeline(tally, options),
        full_advice,
        baseline: None,
        failed: None,
        storms: None,
        holes: Vec::new(),
        verdict: None,
        table_notes,
        notes: [of_tables, limits, on_messages(summary), on_time(&options.read), options.notes.clone()]
            .concat(),
    }
}
