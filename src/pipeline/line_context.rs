//! Gives a line of a block the lines before it, and finds the time of the last line of a block.

use super::assumed_hosts::UnnamedSpan;
use super::coverage::extend;
use crate::input::read::block::{Block, LINE_LIMIT};
use crate::parse::timestamp::TimestampParser;
use crate::parse::unwrap::earlier_lines::EarlierLines;
use crate::parse::unwrap::{self, LineBuffers};

/// Extends the span of lines without a host by the last line, if there are such lines: within a minute, times are not parsed.
pub(crate) fn extend_to_end(block: &Block, clock: &mut TimestampParser, unnamed: &mut UnnamedSpan) {
    if unnamed.is_none() {
        return;
    }
    let lines = block.lines.strip_suffix(b"\n").unwrap_or(block.lines);
    let at = memchr::memrchr(b'\n', lines).map_or(0, |end| end + 1);
    let raw = lines.get(at..).unwrap_or_default();
    let raw = raw.get(..LINE_LIMIT).unwrap_or(raw);
    let mut buffers = LineBuffers::default();
    let line =
        unwrap::open_line(raw.strip_suffix(b"\r").unwrap_or(raw), earlier_lines(block, at), &mut buffers)
            .line;
    if line.host.is_empty()
        && let Some(moment) = clock.read(line.stamp, block.offset + at as u64)
    {
        extend(unnamed, moment.second());
    }
}

/// The text before a line of the block.
pub(crate) fn earlier_lines<'a>(block: &Block<'a>, at: usize) -> EarlierLines<'a> {
    EarlierLines { near: block.lines.get(..at).unwrap_or_default(), far: block.before }
}
