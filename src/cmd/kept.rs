//! Opens the state of `--state`, and computes the one to save.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::fmt::strtime;

use crate::cli::StateArgs;
use crate::cmd::place::is_input;
use crate::error::Error;
use crate::input::mark::Known;
use crate::input::resume::{Reached, Resumed};
use crate::input::set::Source;
use crate::state::State;

/// None: nobody wants one. `others` are written to.
pub fn open(args: &StateArgs, others: &[Option<&PathBuf>]) -> Result<Option<State>, Error> {
    let Some(path) = &args.state else { return Ok(None) };
    let state = State::open(path)?;
    let other = others.iter().copied().flatten().find(|other| is_input(other, std::slice::from_ref(path)));
    match other {
        Some(other) => Err(Error::OutputIsState { path: other.clone() }),
        None => Ok(Some(state)),
    }
}

/// The state is none of the logs.
pub fn check(args: &StateArgs, logs: &[PathBuf]) -> Result<(), Error> {
    match &args.state {
        Some(path) if is_input(path, logs) => Err(Error::OutputIsInput { path: path.clone() }),
        Some(_) | None => Ok(()),
    }
}

/// About numbers of what is new since then.
pub fn note(since: &str) -> String {
    format!(
        "only what is new since {since} was read: a message that goes on is counted in each of the runs, and who sent it \
         may be known to the first alone"
    )
}

/// What the next run is to know.
pub fn settled(resumed: Resumed, sources: &[Source], reached: &[Reached], problems: &[Error]) -> Known {
    let saved = strtime::format("%FT%TZ", &Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC));
    resumed.settle(sources, reached, problems, saved.unwrap_or_else(|_| "once".to_owned()))
}
