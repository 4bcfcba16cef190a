//! Reads an uncompressed file by position: any block by itself, in any order.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use memchr::{memchr, memrchr};

use super::block::{Buffer, CONTEXT, Extent, LINE_LIMIT};

/// An uncompressed file with the size it had when it was opened: lines written later are not read. It is not mapped into
/// memory, since a log may be truncated while it is read.
pub(crate) struct SeekableFile {
    pub file: File,
    pub size: u64,
    /// Only lines that begin in this range of bytes are read.
    within: Range<u64>,
}

/// Most lines are shorter, in bytes; so much is read behind a block.
const TAIL: usize = 4 << 10;

impl SeekableFile {
    /// `within` is in bytes and may reach behind the end of the file. `None`: the whole file.
    pub(crate) fn new(file: File, size: u64, within: Option<(u64, u64)>) -> Self {
        let (from, to) = within.unwrap_or((0, size));
        Self { file, size, within: from..to.min(size) }
    }

    /// The range of the newlines behind which the wanted lines begin.
    fn newlines(&self) -> Range<u64> {
        let Range { start, end } = self.within;
        // The last newline of a file begins no line, but to look for one behind it does no harm.
        start.saturating_sub(1)..if end == self.size { end } else { end.saturating_sub(1) }
    }

    /// The number of blocks, and their size together in bytes.
    pub(crate) fn blocks(&self, block_size: usize) -> (u64, u64) {
        if self.within.is_empty() {
            return (0, 0);
        }
        let bytes = self.newlines().end - self.newlines().start;
        // The first line has no newline before it.
        (bytes.div_ceil(block_size as u64).max(u64::from(self.within.start == 0)), bytes)
    }

    /// Where a block begins, in bytes from the start of the file.
    pub(crate) fn begin(&self, number: u64, block_size: usize) -> u64 {
        self.newlines().start + number * block_size as u64
    }

    /// Reads the lines whose preceding newline lies in the block `number`; the first block also has the first line of the
    /// file. So each line is in exactly one block. `None`: no line begins there.
    pub(crate) fn read(
        &self,
        number: u64,
        block_size: usize,
        buffer: &mut Buffer,
    ) -> io::Result<Option<Extent>> {
        let newlines = self.newlines();
        let begin = self.begin(number, block_size);
        let context = begin.min(CONTEXT as u64) as usize;
        let from = begin - context as u64;
        let want = context + (newlines.end.min(begin + block_size as u64) - begin) as usize;
        // A few bytes more mostly contain the end of the last line, so that one call is enough.
        let filled = self.fill(from, 0, want + TAIL, buffer)?;
        let mut end = filled.min(want);
        let block = buffer.part(context.min(end)..end);
        let start = match (number == 0 && self.within.start == 0, memchr(b'\n', block)) {
            (true, _) => context,
            (false, Some(newline)) => context + newline + 1,
            (false, None) => return Ok(None),
        };
        // The line that begins behind the last newline belongs to this block; its end is not read yet.
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
        // Only the beginning of a line that is too long is parsed.
        if end > open {
            end = end.min(open + LINE_LIMIT);
        }
        let before = start.saturating_sub(CONTEXT)..start;
        Ok((end > start).then(|| Extent { before, lines: start..end, offset: from + start as u64 }))
    }

    /// Fills the buffer from `at` to `want` with the file from `from + at`. Returns how far it was filled: less than `want`
    /// only at the end of the file.
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

/// How many bytes are read to find a line; for most lines one call is enough.
const PROBE: usize = 4 << 10;

/// The first line that begins at `offset` or behind it, without its newline, and where it begins. A line is cut at
/// `LINE_LIMIT`; the last line of a file may lack its newline. `None`: no line begins there.
pub(crate) fn line_at(file: &File, size: u64, offset: u64) -> io::Result<Option<(u64, Vec<u8>)>> {
    let mut begin = (offset == 0).then_some(0);
    let mut at = offset.saturating_sub(1);
    let mut line = Vec::new();
    let mut room = [0; PROBE];
    while at < size {
        let room = room.get_mut(..(size - at).min(PROBE as u64) as usize).unwrap_or_default();
        let count = match file.read_at(room, at) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let mut rest = room.get(..count).unwrap_or_default();
        if begin.is_none() {
            let Some(newline) = memchr(b'\n', rest) else {
                at += count as u64;
                continue;
            };
            begin = Some(at + newline as u64 + 1);
            rest = rest.get(newline + 1..).unwrap_or_default();
        }
        let newline = memchr(b'\n', rest);
        line.extend_from_slice(rest.get(..newline.unwrap_or(rest.len())).unwrap_or_default());
        if newline.is_some() || line.len() >= LINE_LIMIT {
            break;
        }
        at += count as u64;
    }
    line.truncate(LINE_LIMIT);
    Ok(begin.filter(|&begin| begin < size).map(|begin| (begin, line)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(text: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        file
    }

    /// Where each line begins, and the line with its newline.
    fn lines(text: &[u8]) -> Vec<(u64, &[u8])> {
        let mut at = 0;
        let place = |line| {
            at += <[u8]>::len(line) as u64;
            (at - line.len() as u64, line)
        };
        text.split_inclusive(|&byte| byte == b'\n').map(place).collect()
    }

    #[test]
    fn a_range_gives_exactly_the_lines_that_begin_in_it() {
        for text in [&b"one\n\nthree\nfour, longer\n\n"[..], b"one\ntwo", b"\n", b"x", b""] {
            let size = text.len() as u64;
            for (from, to) in (0..=size + 1).flat_map(|from| (0..=size + 1).map(move |to| (from, to))) {
                let want: Vec<u8> = lines(text)
                    .iter()
                    .filter(|(begin, _)| (from..to).contains(begin))
                    .flat_map(|(_, line)| line.to_vec())
                    .collect();
                for block_size in [1, 2, 3, 7, 100] {
                    let plain = SeekableFile::new(file(text), size, Some((from, to)));
                    let mut buffer = Buffer::default();
                    let mut read = Vec::new();
                    for number in 0..plain.blocks(block_size).0 {
                        if let Some(extent) = plain.read(number, block_size, &mut buffer).unwrap() {
                            let lines = buffer.part(extent.lines.clone());
                            let at = extent.offset as usize;
                            assert_eq!(text.get(at..at + lines.len()), Some(lines), "{from}..{to}");
                            read.extend_from_slice(lines);
                        }
                    }
                    assert_eq!(read, want, "{text:?} {from}..{to}, blocks of {block_size}");
                }
            }
        }
    }

    #[test]
    fn finds_the_line_at_an_offset_or_behind_it() {
        let long = vec![b'x'; 3 * PROBE];
        let text = [b"one\n\n", &long[..], b"\nlast"].concat();
        let file = file(&text);
        for offset in 0..=text.len() as u64 + 1 {
            let found = line_at(&file, text.len() as u64, offset).unwrap();
            let all = lines(&text);
            let want = all.iter().find(|(begin, _)| *begin >= offset);
            let want = want.map(|(begin, line)| (*begin, line.strip_suffix(b"\n").unwrap_or(line).to_vec()));
            assert_eq!(found, want, "at {offset}");
        }
    }
}
