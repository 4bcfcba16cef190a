//! Opens the state of `--state`, and computes the one to save.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::fmt::strtime;

use super::args::StateArgs;
use super::error::CliError;
use super::output::{self, not_an_input};
use crate::input::atomic_file::StagedFile;
use crate::input::checkpoint::Checkpoints;
use crate::input::checkpoint::resume::{ReadPosition, ResumePlan};
use crate::input::checkpoint::state_file::StateFile;
use crate::input::error::InputError;
use crate::input::read::Source;

/// Opens the state. `None`: there is no `--state`.
pub(crate) fn open(args: &StateArgs) -> Result<Option<StateFile>, CliError> {
    Ok(args.state.as_deref().map(StateFile::open).transpose()?)
}

/// Saves the state together with the files of the run, or without a state only puts the files into their places.
pub(crate) fn commit(
    state: Option<StateFile>,
    known: Option<Checkpoints>,
    staged: Vec<StagedFile>,
) -> Result<(), CliError> {
    match (state, known) {
        (Some(state), Some(known)) => Ok(state.save_with(known, staged)?),
        (Some(_) | None, _) => output::commit(staged),
    }
}

/// An error if the state is one of the logs.
pub(crate) fn check(args: &StateArgs, logs: &[PathBuf]) -> Result<(), CliError> {
    match &args.state {
        Some(path) => not_an_input(path, logs),
        None => Ok(()),
    }
}

/// The note for a run that reads only new lines.
pub(crate) fn note(since: &str) -> String {
    format!(
        "only lines new since {since} were read: a message with lines in several runs is counted in each of them, and its sender \
         may be known only in the first"
    )
}

/// The state to save for the next run.
pub(crate) fn settled(
    resumed: ResumePlan,
    sources: &[Source],
    reached: &[ReadPosition],
    problems: &[InputError],
) -> Checkpoints {
    let saved = strtime::format("%FT%TZ", &Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC));
    resumed.finish(sources, reached, problems, saved.unwrap_or_else(|_| "once".to_owned()))
}
