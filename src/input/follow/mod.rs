//! Follows several logs: polls each in turn and passes on its lines as they are written.
//!
//! Promises: only whole lines, in the order of each log, also across a rotation. May use: the rest of input.

pub(crate) mod line_buffer;
pub(crate) mod pipe;
pub(crate) mod siblings;
pub(crate) mod tail;
pub(crate) mod tailed_file;

use std::fs::File;
use std::io;

use self::pipe::PipeTail;
use self::tail::FileTail;
use super::error::InputError;
use super::read::block::Block;
use super::read::compression::is_packed;
use super::regular_file::open_regular;
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
                let file = open_regular(path).map_err(failed)?;
                if is_packed(&file) {
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

/// Bytes read from a file at once.
const ROOM: usize = 256 << 10;

/// Passes on the lines that were written since the last call.
pub fn poll(sources: &mut [FollowedSource], on_block: &mut dyn FnMut(&Block)) -> PollResult {
    let mut result = PollResult::default();
    // One for all: there may be ten thousand logs.
    let mut room = vec![0; ROOM];
    for (number, source) in sources.iter_mut().enumerate() {
        let polled = match source {
            FollowedSource::File(tail) => tail.poll(LIMIT, &mut room, on_block),
            FollowedSource::Feed(feed) => feed.poll(LIMIT, on_block),
        };
        match polled {
            Ok(more) => result.more |= more,
            Err(error) => result.failures.push((number, error)),
        }
    }
    result
}

/// Whether no more lines can come: all pipes have ended, and no file is followed.
pub(crate) fn is_over(sources: &[FollowedSource]) -> bool {
    sources.iter().all(|source| match source {
        FollowedSource::File(_) => false,
        FollowedSource::Feed(feed) => feed.ended,
    })
}
