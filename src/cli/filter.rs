//! Builds the filter, and lists what a log holds when no event matches it.

use std::cmp::Reverse;

use super::error::CliError;
use crate::catalog::{Catalog, value_name};
use crate::collections::seed::seed;
use crate::input::error::InputError;
use crate::pipeline::filter::{Filter, FilterArgs, LineFilter};
use crate::pipeline::walk::{WalkTask, aggregate};
use crate::redact::Redactor;
use crate::report::{GroupKey, GroupRow, ReportExtent, SortBy};
use crate::scan::count_plan::CountPlan;
use crate::scan::groups::table;
use crate::smtp::event::By;

/// The filter that the options ask for.
pub(crate) fn filter(args: &FilterArgs, catalog: &Catalog) -> Result<Filter, CliError> {
    args.resolve(catalog).map_err(|unknown| CliError::Provider { name: unknown.name, known: unknown.similar })
}

/// Lists the values that the logs hold of each property that a filter asks for; for a filter that no event matches.
pub(crate) fn values_found(
    task: &WalkTask,
    filter: &Filter,
    redactor: Option<Redactor>,
) -> Result<String, InputError> {
    let task = &WalkTask { filter: &LineFilter::default(), ..*task };
    let listed = filter.kinds().into_iter().map(|by| top_values(task, by, redactor));
    let listed = listed.collect::<Result<Vec<_>, _>>()?;
    let words = filter
        .words
        .iter()
        .map(|words| redactor.map_or_else(|| words.clone(), |redactor| redactor.option(words)));
    Ok(format!(
        "no event matches {}; the logs have {}",
        words.collect::<Vec<_>>().join(" "),
        listed.join("; ")
    ))
}

/// Number of values listed for each property.
const SHOWN: usize = 6;

/// `code: 250 (33), 550 (27) and 9 more`
fn top_values(task: &WalkTask, by: By, redactor: Option<Redactor>) -> Result<String, InputError> {
    let (zone, hasher) = (&task.calendar.zone, &seed());
    let plan = CountPlan {
        extent: ReportExtent::Whole,
        by: &[by],
        examples: 0,
        hourly: false,
        delays: false,
        hops: true,
        zone,
        filter: &Filter::default(),
        book: task.book,
        for_parts: false,
        redactor: None,
        hasher,
    };
    let (walked, folder) = aggregate(task, &plan, None)?;
    let (tally, _) = folder.finish(walked.sinks);
    let groups = tally.groups.into_iter();
    let rows = groups.flat_map(|groups| table(groups, &task.book.providers, SortBy::Count, false).rows);
    // Events that lack the property come last.
    let none = |row: &GroupRow| row.keys.iter().all(|key| key.value.is_none());
    let mut rows: Vec<GroupRow> = rows.collect();
    rows.sort_by_key(|row| (none(row), Reverse(row.events)));
    let more = rows.len().saturating_sub(SHOWN);
    let shown = rows.iter().take(SHOWN).map(|row| format!("{} ({})", value(row, redactor), row.events));
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Ok(format!("{}: {}{more}", value_name(by), shown.collect::<Vec<_>>().join(", ")))
}

fn value(row: &GroupRow, redactor: Option<Redactor>) -> String {
    let shown = |key: &GroupKey| {
        let value = key.value.as_ref()?;
        Some(redactor.map_or_else(|| value.clone(), |redactor| redactor.key(key.by, value)))
    };
    row.keys.iter().map(|key| shown(key).unwrap_or_else(|| "none".to_owned())).collect()
}
