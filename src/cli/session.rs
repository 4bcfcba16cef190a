//! Holds what a command needs to read logs, and walks them until the dates of their lines are settled.

use super::catalog::load_catalog;
use super::error::CliError;
use super::filter::{filter, values_found};
use super::input::Inputs;
use super::progress::with_bar;
use super::unparsed::Unparsed;
use crate::catalog::Catalog;
use crate::input::error::InputError;
use crate::input::read::Source;
use crate::pipeline::calendar::Calendar;
use crate::pipeline::coverage::Coverage;
use crate::pipeline::dates::settle_dates;
use crate::pipeline::filter::{Filter, FilterArgs, LineFilter};
use crate::pipeline::settle::{Settled, walk_until_settled};
use crate::pipeline::sink::Aggregation;
use crate::pipeline::walk::{WalkResult, WalkTask, aggregate};
use crate::redact::Redactor;
use crate::scan::input::ReadSummary;

/// The logs of a command, and what it looks for in them.
pub(crate) struct Session {
    pub inputs: Inputs,
    pub catalog: Catalog,
    pub filter: Filter,
    line_filter: LineFilter,
    /// `None`: nothing is hidden.
    pub redactor: Option<Redactor>,
}

/// The result of a walk with the right dates.
pub(crate) struct SettledWalk<A: Aggregation> {
    pub walked: WalkResult<A::Sink>,
    pub total: A::Total,
    /// The sources as they were read at last: whole, or the part that the time range needs.
    pub sources: Vec<Source>,
    pub calendar: Calendar,
    /// What the logs hold instead, if no event matches the filter.
    pub no_match: Option<String>,
}

/// The catalogue with the user's rules, and the filter that the options ask for.
pub(crate) fn catalog_and_filter(
    rules: &super::args::RulesArgs,
    filter_args: &FilterArgs,
) -> Result<(Catalog, Filter), CliError> {
    let catalog = load_catalog(rules)?;
    let filter = filter(filter_args, &catalog)?;
    Ok((catalog, filter))
}

impl Session {
    pub(crate) fn new(
        inputs: Inputs,
        rules: &super::args::RulesArgs,
        filter_args: &FilterArgs,
        redactor: Option<Redactor>,
    ) -> Result<Self, CliError> {
        let (catalog, filter) = catalog_and_filter(rules, filter_args)?;
        let line_filter = filter.without_sender();
        Ok(Self { inputs, catalog, filter, line_filter, redactor })
    }

    /// A walk of the sources as they are now, with the session's calendar.
    pub(crate) fn task(&self) -> WalkTask<'_> {
        self.task_of(&self.inputs.sources, &self.inputs.calendar)
    }

    pub(crate) fn task_of<'a>(&'a self, sources: &'a [Source], calendar: &'a Calendar) -> WalkTask<'a> {
        let Inputs { manner, window, progress, .. } = &self.inputs;
        let (catalog, filter) = (&self.catalog, &self.line_filter);
        WalkTask { sources, options: *manner, calendar, book: catalog, window: *window, filter, progress }
    }

    /// The output of `--unparsed`.
    pub(crate) fn unparsed(&self, args: &super::args::CoverageArgs) -> Result<Unparsed, CliError> {
        Unparsed::new(args.unparsed.as_deref(), &self.inputs.paths, self.redactor)
    }

    /// Whether all logs can be read again: not a pipe, not the journal.
    pub(crate) fn can_be_read_again(&self) -> bool {
        self.inputs.sources.iter().all(Source::can_be_read_again)
    }

    /// Walks the logs until their dates are right, with a progress bar.
    pub(crate) fn walk_until_settled<A: Aggregation>(
        &self,
        aggregation: &A,
        unparsed: &mut Unparsed,
    ) -> Result<SettledWalk<A>, CliError> {
        let Inputs { progress, resumed, .. } = &self.inputs;
        let mut is_first = true;
        let settled = walk_until_settled(&self.task(), resumed.is_some(), |task| {
            if !std::mem::take(&mut is_first) {
                unparsed.restart()?;
            }
            with_bar(progress, || aggregate(task, aggregation, unparsed.writer())).map_err(CliError::from)
        })?;
        let Settled { walked, total, sources, calendar } = settled;
        let no_match = self.no_match(&self.task_of(&sources, &calendar), &walked.coverage)?;
        Ok(SettledWalk { walked, total, sources, calendar, no_match })
    }

    /// Settles the dates before the walk, for a command that prints during the walk.
    pub(crate) fn settle_dates(&mut self) -> Result<(), CliError> {
        if self.can_be_read_again() {
            (self.inputs.calendar, self.inputs.sources) = settle_dates(&self.task())?;
        }
        Ok(())
    }

    /// What the logs hold instead of the events that the filter asks for. `None`: some event matches, there is no event
    /// at all, or the logs cannot be read once more.
    pub(crate) fn no_match(
        &self,
        task: &WalkTask,
        coverage: &Coverage,
    ) -> Result<Option<String>, InputError> {
        if !self.can_be_read_again() || coverage.event == 0 || coverage.filtered < coverage.events() {
            return Ok(None);
        }
        values_found(task, &self.filter, self.redactor).map(Some)
    }
}

impl<A: Aggregation> SettledWalk<A> {
    /// What was read, for the notes.
    pub(crate) fn summary(&self, session: &Session) -> ReadSummary<'_> {
        let Self { walked, sources, calendar, .. } = self;
        let (coverage, turns) = (&walked.coverage, &walked.resolution);
        ReadSummary { coverage, window: session.inputs.window, calendar, sources, resolution: turns }
    }
}
