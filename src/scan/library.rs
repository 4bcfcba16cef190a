//! Scans logs for a caller of the library: the same counts and rows as the command, without its options for output.

use std::path::Path;

use super::count_plan::CountPlan;
use super::input::ReadSummary;
use super::notes::on_hops;
use super::options::ReportOptions;
use super::summary::report;
use crate::catalog::Catalog;
use crate::collections::seed::seed;
use crate::pipeline::error::Error;
use crate::pipeline::filter::Filter;
use crate::pipeline::logs::{FoundLogs, LogOptions};
use crate::pipeline::settle::{Settled, walk_until_settled};
use crate::pipeline::walk::aggregate;
use crate::report::{Report, ReportExtent, SortBy};
use crate::smtp::event::By;

/// What a report holds besides the totals, the rows and the tables of names, which every report has.
///
/// The default is the report of `smtplog scan --format json`.
#[derive(Clone, Default, Debug)]
pub struct ScanOptions {
    /// Which lines are read, and how their timestamps are understood.
    pub logs: LogOptions,
    /// The keys by which [`Report::groups`] groups the events. Empty: there are no groups.
    pub by: Vec<By>,
    /// How many log lines are kept for each row, in [`Row::examples`](crate::report::Row::examples).
    pub examples: usize,
    /// Measure how long deliveries took, in [`Report::delays`].
    pub delays: bool,
    /// Count hand-offs to a content filter or an inner relay as deliveries, instead of counting their messages once.
    pub hops: bool,
}

/// Reads logs and counts their events: who answered what, how often, why, and what to do about it.
///
/// A path is a file, plain or compressed (gzip, bzip2, xz and zstd are recognised by content); a folder stands for the mail
/// logs in it, and `-` is standard input. Files of one log are put into their order, and a file that repeats another one is
/// left out. Without a path the report is empty. The logs are read with several threads, and a second time if the order of
/// the lines shows that their years were wrong; memory does not grow with the size of the logs. The report has neither
/// storms nor a verdict, which are the command's.
///
/// # Errors
///
/// If one of the paths is missing, cannot be read to its end or is damaged. There is no report of the other logs then.
pub fn scan(paths: &[impl AsRef<Path>], options: &ScanOptions) -> Result<Report, Error> {
    let logs = FoundLogs::find(paths, &options.logs)?;
    let (book, filter, seed) = (Catalog::built_in(), Filter::default(), seed());
    let line_filter = filter.without_sender();
    let plan = CountPlan {
        extent: ReportExtent::Whole,
        by: &options.by,
        examples: options.examples,
        hourly: false,
        delays: options.delays,
        hops: options.hops,
        zone: &logs.calendar.zone,
        filter: &filter,
        book: &book,
        for_parts: false,
        redactor: None,
        hasher: &seed,
    };
    let task = logs.task(&book, &line_filter);
    let settled = walk_until_settled(&task, false, |task| aggregate(task, &plan, None))?;
    let Settled { walked, total, sources, calendar } = settled;
    if let Some(problem) = walked.problems.into_iter().next() {
        return Err(problem.into());
    }
    let mut notes = logs.notes.clone();
    notes.extend(on_hops(total.given_up));
    let (tally, messages) = total.finish(walked.sinks);
    let read = ReadSummary {
        coverage: &walked.coverage,
        window: logs.window,
        calendar: &calendar,
        sources: &sources,
        resolution: &walked.resolution,
    };
    let report_options = ReportOptions {
        read,
        extent: ReportExtent::Whole,
        providers: &book.providers,
        with_advice: true,
        with_full_advice: false,
        filter: &filter,
        notes,
        sort: SortBy::Count,
        reverse: false,
        examples: options.examples,
        redactor: None,
    };
    Ok(report(tally, messages, &report_options))
}
