//! What a walk found in one block.

use super::assumed_hosts::UnnamedSpan;
use crate::input::read::HeapSize;
use crate::parse::year::StampObservations;

/// The result of one block, to be folded in the order of the files.
pub(super) struct BlockResult<H> {
    pub file: usize,
    pub seen: StampObservations,
    pub unnamed: UnnamedSpan,
    /// Lines that were not understood, if they are wanted.
    pub unread: Vec<u8>,
    pub lines: u64,
    /// The offset in its file at which the block ends.
    pub end: u64,
    pub own: H,
}

impl<H: HeapSize> HeapSize for BlockResult<H> {
    fn held_bytes(&self) -> usize {
        // The observations are small: about one entry for each year and for each repeated minute.
        self.unread.capacity() + self.own.held_bytes()
    }
}
