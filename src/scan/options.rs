//! Holds the options of a report: what it shows, how it is sorted, and what was read for it.

use super::input::ReadSummary;
use crate::catalog::provider::Providers;
use crate::pipeline::filter::Filter;
use crate::redact::Redactor;
use crate::report::{ReportExtent, SortBy};

/// The options of a report, and what was read for it.
pub(crate) struct ReportOptions<'a> {
    pub read: ReadSummary<'a>,
    pub extent: ReportExtent,
    pub providers: &'a Providers,
    pub with_advice: bool,
    /// Add the full advice for each reason.
    pub with_full_advice: bool,
    pub filter: &'a Filter,
    /// Notes that the caller adds.
    pub notes: Vec<String>,
    pub sort: SortBy,
    pub reverse: bool,
    /// Number of example lines of each row.
    pub examples: usize,
    /// Replaces people in what was counted. None: nothing is redacted, or was redacted before.
    pub redactor: Option<Redactor>,
}
