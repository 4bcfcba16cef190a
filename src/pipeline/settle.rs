//! Repeats a walk until the dates of the lines agree with their order.

use super::assumed_hosts::assume_hosts;
use super::calendar::{Calendar, WALKS};
use super::seek::seek_to_range;
use super::walk::{WalkResult, WalkTask};
use crate::input::read::Source;

/// The last walk, and what it read.
pub(crate) struct Settled<L, T> {
    pub walked: WalkResult<L>,
    pub total: T,
    /// The sources as they were read by the last walk: whole, or the part that the time range needs.
    pub sources: Vec<Source>,
    /// With the years and repeated hours of the last walk.
    pub calendar: Calendar,
}

/// Calls `walk` until the dates are right; each call begins a new total, and the last one counts. Pipes and the journal are
/// read once. `whole`: read all lines even if a time range would allow a binary search.
pub(crate) fn walk_until_settled<L, T, E>(
    task: &WalkTask,
    whole: bool,
    mut walk: impl FnMut(&WalkTask) -> Result<(WalkResult<L>, T), E>,
) -> Result<Settled<L, T>, E> {
    let (mut sources, mut calendar) = (task.sources.to_vec(), task.calendar.clone());
    let again = sources.iter().all(Source::can_be_read_again);
    let mut narrowed = !whole && seek_to_range(&mut sources, task.window, &calendar);
    let (mut walks, mut is_assumed) = (0, false);
    loop {
        let (walked, total) = walk(&WalkTask { sources: &sources, calendar: &calendar, ..*task })?;
        walks += 1;
        if !again || walks == WALKS || walked.resolution == calendar.resolution {
            // Logs that name no host are told apart by their times, once these are right.
            if again
                && !std::mem::replace(&mut is_assumed, true)
                && assume_hosts(&mut sources, &walked.unnamed)
            {
                walks -= 1;
                continue;
            }
            return Ok(Settled { walked, total, sources, calendar });
        }
        if narrowed {
            // Only the whole log tells what its timestamps mean; a part may begin behind a New Year.
            for source in &mut sources {
                source.within = None;
            }
            (narrowed, walks) = (false, 0);
        } else {
            calendar.resolution = walked.resolution;
        }
    }
}
