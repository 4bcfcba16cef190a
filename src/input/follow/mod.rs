//! Follows several logs: polls each in turn and passes on its lines as they come.

pub(crate) mod line_buffer;
pub(crate) mod pipe;
pub(crate) mod siblings;
pub(crate) mod tail;

use std::fs::File;
use std::io;

use self::pipe::PipeTail;
use self::tail::FileTail;
use super::error::InputError;
use super::read::block::Block;
use super::read::compression::is_packed;
use super::source::{Source, SourceOrigin};

/// One log that is followed.
pub enum FollowedSource {
    File(FileTail),
    Feed(PipeTail),
}

impl FollowedSource {
    /// Opens the source with this number in the set, to be read from where it says.
    pub fn open(number: usize, source: &Source) -> Result<Self, InputError> {
        let path = &source.path;
        let failed = |error| source.cannot_open(error);
        Ok(match source.origin {
            SourceOrigin::Stdin => Self::Feed(PipeTail::new(io::stdin(), number)),
            SourceOrigin::Pipe => Self::Feed(PipeTail::new(File::open(path).map_err(failed)?, number)),
            SourceOrigin::Journal(bounds) => {
                Self::Feed(PipeTail::of_journal(bounds, number).map_err(failed)?)
            }
            SourceOrigin::File(_) => {
                File::open(path).map_err(failed)?;
                if is_packed(path) {
                    return Err(InputError::FollowCompressed { path: path.clone() });
                }
                let from = source.within.map_or(0, |(from, _)| from);
                Self::File(FileTail::new(path.clone(), number, from))
            }
        })
    }
}

/// The result of polling all sources once.
#[derive(Default)]
pub struct PollResult {
    /// Whether more can be read at once.
    pub more: bool,
    /// The sources that could not be read, by their index; the others were read.
    pub failures: Vec<(usize, io::Error)>,
}

/// How many bytes are read from one source before the next one, so that the screen never waits long.
const LIMIT: usize = 1 << 20;

/// Passes on the lines that were written since the last call.
pub fn poll(lanes: &mut [FollowedSource], tell: &mut dyn FnMut(&Block)) -> PollResult {
    let mut looked = PollResult::default();
    for (number, lane) in lanes.iter_mut().enumerate() {
        let polled = match lane {
            FollowedSource::File(tail) => tail.poll(LIMIT, tell),
            FollowedSource::Feed(feed) => feed.poll(LIMIT, tell),
        };
        match polled {
            Ok(more) => looked.more |= more,
            Err(error) => looked.failures.push((number, error)),
        }
    }
    looked
}

/// Whether no more lines can come: all pipes have ended, and no file is followed.
pub(crate) fn is_over(lanes: &[FollowedSource]) -> bool {
    lanes.iter().all(|lane| match lane {
        FollowedSource::File(_) => false,
        FollowedSource::Feed(feed) => feed.ended,
    })
}
