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

/// None: nobody wants one. `others` are written to.
pub(crate) fn open(args: &StateArgs, others: &[Option<&PathBuf>]) -> Result<Option<StateFile>, CliError> {
    let Some(path) = &args.state else { return Ok(None) };
    let state = StateFile::open(path)?;
    let other = others.iter().copied().flatten().find(|other| is_input(other, std::slice::from_ref(path)));
    match other {
        Some(other) => Err(CliError::OutputIsState { path: other.clone() }),
        None => Ok(Some(state)),
    }
}

/// The state is none of the logs.
pub(crate) fn check(args: &StateArgs, logs: &[PathBuf]) -> Result<(), CliError> {
    match &args.state {
        Some(path) => not_an_input(path, logs),
        None => Ok(()),
    }
}

/// About numbers of what is new since then.
pub(crate) fn note(since: &str) -> String {
    format!(
        "only what is new since {since} was read: a message that goes on is counted in each of the runs, and who sent it \
         may be known to the first alone"
    )
}

/// What the next run is to know.
pub(crate) fn settled(
    resumed: ResumePlan,
    sources: &[Source],
    reached: &[ReadPosition],
    problems: &[InputError],
) -> Checkpoints {
    let saved = strtime::format("%FT%TZ", &Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC));
    resumed.finish(sources, reached, problems, saved.unwrap_or_else(|_| "once".to_owned()))
}
