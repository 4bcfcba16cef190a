//! Builds the rows of the servers' own warnings.

use std::cmp::Reverse;

use super::options::ReportOptions;
use crate::catalog::warning::WarningTable;
use crate::parse::log_text::LogText;
use crate::parse::mta::server_warning::Severity;
use crate::report::WarningRow;
use crate::report::time::minute_rfc3339;
use crate::tally::warnings::{WarningCount, WarningCounts, WarningKey};

/// Number of rows in a report; the rest is counted in a note.
const ROWS: usize = 50;

/// The rows, those that need attention first, and the note on what has no row.
pub(crate) fn warnings(counts: WarningCounts, options: &ReportOptions) -> (Vec<WarningRow>, Option<String>) {
    let mut left_out = counts.others;
    let counts: Vec<(WarningKey, WarningCount)> = counts.into_counts().collect();
    if counts.is_empty() {
        return (Vec::new(), None);
    }
    let table = WarningTable::built_in();
    let mut rows: Vec<WarningRow> =
        counts.into_iter().map(|(key, count)| row(&key, &count, &table, options)).collect();
    rows.sort_by(|a, b| order(a).cmp(&order(b)));
    left_out += rows.iter().skip(ROWS).map(|row| row.lines).sum::<u64>();
    rows.truncate(ROWS);
    let note = format!("Not listed: {left_out} more server warnings, of kinds that are rarer.");
    (rows, (left_out > 0).then_some(note))
}

/// Known causes come first, then unknown ones by severity, then what needs no action.
fn order(row: &WarningRow) -> impl Ord + '_ {
    let rank = match row.needs_action {
        Some(true) => 0,
        None if row.severity > Severity::Warning => 1,
        None => 2,
        Some(false) => 3,
    };
    (rank, Reverse(row.lines), Reverse(row.severity), row.mta, row.text.as_str())
}

fn row(key: &WarningKey, count: &WarningCount, table: &WarningTable, options: &ReportOptions) -> WarningRow {
    let known = table.find(key.mta, &key.text);
    let minute = |minute: i64| minute_rfc3339(minute, &options.read.calendar.zone);
    let with_advice = known.filter(|_| options.with_advice);
    WarningRow {
        mta: key.mta,
        severity: key.severity,
        text: LogText::string(&key.text),
        lines: count.lines,
        first: count.minutes.and_then(|(first, _)| minute(first)),
        last: count.minutes.and_then(|(_, last)| minute(last)),
        id: known.map(|row| row.id.to_owned()),
        title: known.map(|row| row.title.to_owned()),
        needs_action: known.map(|row| !row.noise),
        advice: with_advice.map(|row| row.line.to_owned()),
        check: with_advice.into_iter().flat_map(|row| row.check).map(ToString::to_string).collect(),
        example: LogText::string(&count.example),
    }
}
