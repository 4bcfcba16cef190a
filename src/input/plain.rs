//! A plain file, read by position: any block can be read by itself, in any order.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::{memchr, memrchr};

use super::block::{Buffer, CONTEXT, Extent, LINE_LIMIT};

/// A file that has a size, as it was when it was opened: lines that are written later are not read, and the
/// file is not mapped, since a log may be cut short under us.
pub struct Plain {
    pub file: File,
    pub size: u64,
}

/// Most lines are shorter, in bytes.
const TAIL: usize = 4 << 10;

impl Plain {
    /// Reads the lines whose preceding newline lies in the block numbered `number`; the first block has the
    /// file's first line too. So each line is in one block, and none needs another.
    /// None: no line begins there.
    pub fn read(&self, number: u64, block_size: usize, buffer: &mut Buffer) -> io::Result<Option<Extent>> {
        let begin = number * block_size as u64;
        let context = begin.min(CONTEXT as u64) as usize;
        let from = begin - context as u64;
        let want = context + (self.size.min(begin + block_size as u64) - begin) as usize;
        // With what mostly ends the last line, so that one call is enough.
        let filled = self.fill(from, 0, want + TAIL, buffer)?;
        let mut end = filled.min(want);
        let block = buffer.part(context.min(end)..end);
        let start = match (number, memchr(b'\n', block)) {
            (0, _) => context,
            (_, Some(newline)) => context + newline + 1,
            (_, None) => return Ok(None),
        };
        // The line that begins behind the last newline is ours as well; its end is not read yet.
        let mut open = memrchr(b'\n', block).map_or(start, |newline| context + newline + 1);
        while end - open < LINE_LIMIT && from + (open as u64) < self.size {
            let more = if end == want { TAIL } else { 16 << 10 };
            let filled = if end == want { filled } else { self.fill(from, end, end + more, buffer)? };
            let tail = buffer.part(end..filled);
            if let Some(newline) = memchr(b'\n', tail) {
                end += newline + 1;
                open = end;
                break;
            }
            if filled < end + more {
                (end, open) = (filled, filled);
                break;
            }
            end = filled;
        }
        // Too long: its beginning is enough.
        if end > open {
            end = end.min(open + LINE_LIMIT);
        }
        let before = start.saturating_sub(CONTEXT)..start;
        Ok((end > start).then(|| Extent { before, lines: start..end, offset: from + start as u64 }))
    }

    /// Fills the buffer from `at` to `want` with the file from `from + at`; gives back how far it came, which is
    /// less only at the file's end.
    fn fill(&self, from: u64, mut at: usize, want: usize, buffer: &mut Buffer) -> io::Result<usize> {
        let room = buffer.room(want);
        while at < want {
            match self.file.read_at(room.get_mut(at..want).unwrap_or_default(), from + at as u64) {
                Ok(0) => break,
                Ok(count) => at += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(at)
    }
}
