//! Builds the rows of the servers' own warnings.

use std::cmp::Reverse;

use super::options::ReportOptions;
use crate::catalog::warning::{KnownWarning, WarningTable};
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
    let mut found: Vec<FoundWarning> = counts
        .into_iter()
        .map(|(key, count)| FoundWarning { known: table.find(key.mta, &key.text), key, count })
        .collect();
    found.sort_by(|a, b| a.order().cmp(&b.order()));
    left_out += found.iter().skip(ROWS).map(|warning| warning.count.lines).sum::<u64>();
    let rows = found.iter().take(ROWS).map(|warning| row(warning, options)).collect();
    let note = format!("Not listed: {left_out} more server warnings, of kinds that are rarer.");
    (rows, (left_out > 0).then_some(note))
}

/// A text with its count, and what the catalogue says about it.
struct FoundWarning {
    known: Option<&'static KnownWarning>,
    key: WarningKey,
    count: WarningCount,
}

impl FoundWarning {
    /// Known causes come first, then unknown ones by severity, then what needs no action.
    fn order(&self) -> impl Ord + '_ {
        let Self { known, key, count } = self;
        let rank = match known.map(|row| !row.noise) {
            Some(true) => 0,
            None if key.severity > Severity::Warning => 1,
            None => 2,
            Some(false) => 3,
        };
        (rank, Reverse(count.lines), Reverse(key.severity), key.mta, &key.text)
    }
}

fn row(FoundWarning { known, key, count }: &FoundWarning, options: &ReportOptions) -> WarningRow {
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
