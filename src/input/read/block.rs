//! Defines a block of whole lines and the buffer it is read into.

use std::ops::Range;

/// How many bytes of a line are parsed; the rest of a longer line is skipped. syslog cuts lines at 8 KiB or below.
pub(crate) const LINE_LIMIT: usize = 64 << 10;

/// How much text before its first line every block carries, in bytes: about 150 lines, which is where a session of
/// OpenSMTPD that is refused began, and little beside a block of 256 KiB.
pub(crate) const CONTEXT: usize = 16 << 10;

/// Whole lines of one file, in the order of the file.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// The number of its file in the set, from 0.
    pub file: usize,
    /// Where `lines` begins in the (decompressed) file, in bytes.
    pub offset: u64,
    /// The last `CONTEXT` bytes before `lines`, or all if there are fewer.
    pub before: &'a [u8],
    /// Complete lines; only the last one of a file may lack its newline.
    pub lines: &'a [u8],
}

impl<'a> Block<'a> {
    /// The last `distance` bytes before the line at `at`, in two parts: before the block, and in it. `distance` is at most
    /// [`CONTEXT`], so that the text does not depend on how a file is cut into blocks.
    pub(crate) fn text_before(&self, at: usize, distance: usize) -> (&'a [u8], &'a [u8]) {
        let own = self.lines.get(..at).unwrap_or_default();
        let near = own.get(own.len().saturating_sub(distance)..).unwrap_or_default();
        let room = distance.saturating_sub(near.len()).min(self.before.len());
        (self.before.get(self.before.len() - room..).unwrap_or_default(), near)
    }
}

/// A reusable read buffer aligned to a page. On some processors the kernel copies to the first byte of a page six times as
/// fast as to the bytes just behind it, where the data of a large `Vec` begins.
#[derive(Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
}

const PAGE: usize = 4096;

impl Buffer {
    /// At least `length` bytes, beginning at a page; the content is kept.
    pub(crate) fn room(&mut self, length: usize) -> &mut [u8] {
        if self.bytes.len() < self.start + length {
            let mut bytes = vec![0; length.next_multiple_of(PAGE) + PAGE];
            let start = bytes.as_ptr().align_offset(PAGE).min(PAGE);
            let old = self.bytes.get(self.start..).unwrap_or_default();
            if let Some(room) = bytes.get_mut(start..start + old.len()) {
                room.copy_from_slice(old);
            }
            (self.bytes, self.start) = (bytes, start);
        }
        self.bytes.get_mut(self.start..).unwrap_or_default()
    }

    /// A part of the content; empty if it was never filled.
    pub(crate) fn part(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(self.start + range.start..self.start + range.end).unwrap_or_default()
    }
}

/// Where the parts of a block lie in its buffer.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    pub before: Range<usize>,
    pub lines: Range<usize>,
    pub offset: u64,
}
