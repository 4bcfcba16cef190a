//! Holds the options of a report: what it shows, how it is sorted, and what was read for it.

use super::input::ReadSummary;
use crate::catalog::provider::Providers;
use crate::pipeline::filter::Filter;
use crate::report::SortBy;

/// What a report is made of besides the tally.
pub(crate) struct ReportOptions<'a> {
    pub read: ReadSummary<'a>,
    pub providers: &'a Providers,
    pub with_advice: bool,
    /// Everything that the book says about each reason, too.
    pub with_full_advice: bool,
    pub filter: &'a Filter,
    /// What else is to be said.
    pub notes: Vec<String>,
    pub sort: SortBy,
    pub reverse: bool,
    /// How many lines are shown of each row.
    pub examples: usize,
}
