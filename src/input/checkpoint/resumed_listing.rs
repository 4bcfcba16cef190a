//! Lists logs and finds in each where the last run stopped, again if a log is being rotated meanwhile.

use std::path::PathBuf;
use std::time::Duration;

use super::Checkpoints;
use super::resume::ResumePlan;
use crate::input::discover::{LogListing, list};
use crate::input::error::InputError;
use crate::input::journal::JournalBounds;
use crate::input::rotation::LogNames;

/// The number of times that a log is looked for while it is being rotated.
const TRIES: u32 = 5;

/// Long enough for a rotation to get from one step to the next, short enough for a file that is not there at all.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 0 } else { 20 });

/// The listing, reduced to what is new since the checkpoints. `all`: when a log is read for the first time, parts that were
/// not named are read too.
pub(crate) fn resumed_listing(
    known: &Checkpoints,
    named: &[PathBuf],
    all: bool,
    bounds: Option<JournalBounds>,
    names: &LogNames,
) -> Result<(LogListing, ResumePlan), InputError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let retry = tries < TRIES;
        let mut listing = list(named, true, bounds, names);
        let resumed = ResumePlan::new(&mut listing, known, all, retry);
        match resumed {
            Err(error) if retry && error.is_missing() => {}
            Err(error) => return Err(error),
            Ok(_) if retry && listing.problems.iter().any(InputError::is_missing) => {}
            Ok(resumed) => return Ok((listing, resumed)),
        }
        std::thread::sleep(PAUSE);
    }
}
