//! All logs that are followed: each is looked at in turn, and its lines go out as they come.

use std::io;

use super::block::Block;
use super::feed::Feed;
use super::tail::Tail;

/// One of them.
pub enum Lane {
    File(Tail),
    Feed(Feed),
}

/// What came of one look at all of them.
#[derive(Default)]
pub struct Looked {
    /// There is more to be read at once.
    pub more: bool,
    /// What could not be read, by the number of its lane; the others were.
    pub troubles: Vec<(usize, io::Error)>,
}

/// Of each log at a time, in bytes, so that no screen waits for long.
const LIMIT: usize = 1 << 20;

/// Tells what has come since the last look.
pub fn look(lanes: &mut [Lane], tell: &mut dyn FnMut(&Block)) -> Looked {
    let mut looked = Looked::default();
    for (number, lane) in lanes.iter_mut().enumerate() {
        let polled = match lane {
            Lane::File(tail) => tail.poll(LIMIT, tell),
            Lane::Feed(feed) => feed.poll(LIMIT, tell),
        };
        match polled {
            Ok(more) => looked.more |= more,
            Err(error) => looked.troubles.push((number, error)),
        }
    }
    looked
}

/// No line will come any more.
pub fn is_over(lanes: &[Lane]) -> bool {
    lanes.iter().all(|lane| match lane {
        Lane::File(_) => false,
        Lane::Feed(feed) => feed.ended,
    })
}
