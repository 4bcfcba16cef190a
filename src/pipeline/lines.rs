//! Iterates over the lines of a block.

use crate::input::read::block::{Block, LINE_LIMIT};
use crate::simd::newlines::NewlineIter;

/// Calls `on_line` with the offset of each line in the block and its length, cut to `LINE_LIMIT`. Returns the number of lines
/// and of the bytes that were not cut off.
#[inline]
pub(crate) fn each_length(block: &Block, mut on_line: impl FnMut(usize, usize)) -> (u64, u64) {
    let (mut lines, mut at, mut cut) = (0, 0, 0);
    let all = block.lines.len();
    let mut ends = NewlineIter::new(block.lines);
    while at < all {
        let end = ends.next().unwrap_or(all);
        let mut length = (end - at).min(LINE_LIMIT);
        if length > 0 && block.lines.get(at + length - 1) == Some(&b'\r') {
            length -= 1;
        }
        on_line(at, length);
        lines += 1;
        // A block that ends with such a line holds only its beginning; the rest is never counted.
        cut += ((end + 1).min(all) - at).saturating_sub(LINE_LIMIT);
        at = end + 1;
    }
    (lines, (all - cut) as u64)
}
