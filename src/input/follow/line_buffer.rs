//! Cuts bytes that are appended to a log into blocks of whole lines.

use memchr::{memchr, memrchr};

use crate::input::read::block::{Block, CONTEXT, LINE_LIMIT};

/// The bytes that were read and not passed on yet, and the text before them.
#[derive(Default)]
pub(crate) struct LineBuffer {
    /// The context, followed by the beginning of a line.
    bytes: Vec<u8>,
    /// How many of `bytes` are context.
    context: usize,
    /// Where the line begins, in bytes from the start of the log.
    offset: u64,
    /// How many bytes of the current line, which is too long, were skipped.
    skipped: u64,
}

impl LineBuffer {
    /// `offset` is that of the first byte that will be added.
    pub(crate) fn new(offset: u64) -> Self {
        Self { offset, ..Self::default() }
    }

    /// Passes on the lines that are complete now, as those of the file with this number.
    pub(crate) fn add(&mut self, mut new: &[u8], file: usize, on_block: &mut dyn FnMut(&Block)) {
        if self.skipped > 0 {
            let Some(newline) = memchr(b'\n', new) else {
                self.skipped += new.len() as u64;
                return;
            };
            self.skipped += newline as u64;
            self.bytes.push(b'\n');
            self.pass_on(self.bytes.len(), file, on_block);
            new = new.get(newline + 1..).unwrap_or_default();
        }
        let known = self.bytes.len();
        self.bytes.extend_from_slice(new);
        if let Some(newline) = memrchr(b'\n', self.bytes.get(known..).unwrap_or_default()) {
            self.pass_on(known + newline + 1, file, on_block);
        }
        if self.bytes.len() - self.context > 2 * LINE_LIMIT {
            self.skipped = (self.bytes.len() - self.context - LINE_LIMIT) as u64;
            self.bytes.truncate(self.context + LINE_LIMIT);
        }
    }

    /// The file has ended; its last line may lack a newline.
    pub(crate) fn end(&mut self, file: usize, on_block: &mut dyn FnMut(&Block)) {
        if self.bytes.len() > self.context {
            self.pass_on(self.bytes.len(), file, on_block);
        }
        // The context outlives the file: the copy of an event may be in the next part of the log.
        if self.bytes.last().is_some_and(|&byte| byte != b'\n') {
            self.bytes.push(b'\n');
            self.context += 1;
        }
    }

    fn pass_on(&mut self, end: usize, file: usize, on_block: &mut dyn FnMut(&Block)) {
        let before = self.bytes.get(..self.context).unwrap_or_default();
        let lines = self.bytes.get(self.context..end).unwrap_or_default();
        on_block(&Block { file, offset: self.offset, before, lines });
        self.offset += lines.len() as u64 + std::mem::take(&mut self.skipped);
        self.context = end.min(CONTEXT);
        self.bytes.drain(..end - self.context);
        // One of ten thousand logs must not keep the room of its busiest moment.
        if self.bytes.capacity() > 2 * CONTEXT {
            self.bytes.shrink_to(2 * CONTEXT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where each block begins, and what it holds.
    fn blocks(pieces: &[&[u8]]) -> Vec<(u64, Vec<u8>)> {
        let mut pending = LineBuffer::default();
        let mut passed_on = Vec::new();
        let mut on_block = |block: &Block| passed_on.push((block.offset, block.lines.to_vec()));
        for piece in pieces {
            pending.add(piece, 0, &mut on_block);
        }
        pending.end(0, &mut on_block);
        passed_on
    }

    #[test]
    fn gives_out_whole_lines_only() {
        let passed_on = blocks(&[b"on", b"e\ntw", b"o\n\nthr", b"ee"]);
        let want: [(u64, &[u8]); 3] = [(0, b"one\n"), (4, b"two\n\n"), (9, b"three")];
        assert_eq!(passed_on, want.map(|(at, lines)| (at, lines.to_vec())));
        assert!(blocks(&[b"", b""]).is_empty());
    }

    #[test]
    fn a_line_without_an_end_takes_no_more_than_its_share() {
        let long = vec![b'x'; 3 * LINE_LIMIT];
        let passed_on = blocks(&[b"a\n", &long, &long, b"x\nb\n"]);
        let lengths: Vec<(u64, usize)> = passed_on.iter().map(|(at, lines)| (*at, lines.len())).collect();
        assert_eq!(lengths, [(0, 2), (2, LINE_LIMIT + 1), (2 + 6 * LINE_LIMIT as u64 + 2, 2)]);
    }

    #[test]
    fn what_stood_before_a_block_is_told_with_it() {
        let mut pending = LineBuffer::default();
        let mut before = Vec::new();
        let mut on_block = |block: &Block| before.push(block.before.to_vec());
        pending.add(b"one\n", 0, &mut on_block);
        pending.add(b"two", 0, &mut on_block);
        pending.end(0, &mut on_block);
        pending.add(b"three\n", 0, &mut on_block);
        assert_eq!(before, [&b""[..], b"one\n", b"one\ntwo\n"]);
    }
}
