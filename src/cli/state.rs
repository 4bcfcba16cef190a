//! Opens the state of `--state`, and computes the one to save.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::fmt::strtime;

use super::args::StateArgs;
use super::error::CliError;
use super::output::{is_input, not_an_input};
use crate::input::checkpoint::Checkpoints;
use crate::input::checkpoint::resume::{ReadPosition, ResumePlan};
use crate::input::checkpoint::state_file::StateFile;
use crate::input::error::InputError;
use crate::input::read::Source;

/// Opens the state. `None`: there is no `--state`. An error if one of `others`, the output files, is the same file.
pub(crate) fn open(args: &StateArgs, others: &[Option<&PathBuf>]) -> Result<Option<StateFile>, CliError> {
    let Some(path) = &args.state else { return Ok(None) };
    let state = StateFile::open(path)?;
    let other = others.iter().copied().flatten().find(|other| is_input(other, std::slice::from_ref(path)));
    match other {
        Some(other) => Err(CliError::OutputIsState { path: other.clone() }),
        None => Ok(Some(state)),
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
