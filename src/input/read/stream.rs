//! Reads blocks of block_end lines from a stream: a pipe, or a compressed file.

use std::io::{self, Read};

use memchr::{memchr, memrchr};

use super::block::{Buffer, CONTEXT, Extent, LINE_LIMIT};
use super::decompress::Decoder;

/// A stream of text that is read in blocks.
pub(crate) struct Stream {
    reader: Decoder,
    /// The end of the last block as context, and the bytes behind its last newline.
    carry: Vec<u8>,
    /// How many bytes of `carry` are context.
    context: usize,
    /// Offset of the first byte behind the context, in the decompressed text.
    offset: u64,
    ended: bool,
    /// The error that ended the stream; returned once, after the lines before it.
    broken: Option<io::Error>,
    /// The text before this offset is skipped.
    from: u64,
}

/// How many bytes are skipped at a time.
const SKIP_BYTES: u64 = 256 << 10;

impl Stream {
    pub(crate) fn new(reader: Box<dyn Read + Send>) -> Self {
        let reader = Decoder::new(reader);
        Self { reader, carry: Vec::new(), context: 0, offset: 0, ended: false, broken: None, from: 0 }
    }

    /// Skips the text before the offset `from`: it was read earlier.
    pub(crate) fn from(self, from: u64) -> Self {
        Self { from, ..self }
    }

    /// How many bytes of text were returned or skipped.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// How many bytes of the file on disk were consumed.
    pub(crate) fn taken(&self) -> u64 {
        self.reader.taken()
    }

    /// Whether the stream is compressed; known after the first read.
    pub(crate) fn is_packed(&self) -> bool {
        self.reader.compression.is_some()
    }

    /// The next block of about `block_size` bytes. `None`: the stream has ended.
    pub(crate) fn read(&mut self, block_size: usize, buffer: &mut Buffer) -> io::Result<Option<Extent>> {
        if self.ended {
            return self.broken.take().map_or(Ok(None), Err);
        }
        if self.offset < self.from {
            self.skip_to_start(buffer);
        }
        let start = self.context;
        let mut end = self.carry.len();
        let mut dropped = 0;
        buffer.room(end).get_mut(..end).unwrap_or_default().copy_from_slice(&self.carry);
        let cut = loop {
            let want = end + block_size;
            end += self.fill(buffer.room(want).get_mut(end..want).unwrap_or_default());
            let lines = buffer.part(start..end);
            // End the block right after a line that was too long, so that the offsets behind it are right.
            let newline = if dropped > 0 { memchr(b'\n', lines) } else { memrchr(b'\n', lines) };
            match newline {
                Some(newline) => break start + newline + 1,
                None if self.ended => break end,
                None if end - start > LINE_LIMIT => {
                    dropped += end - start - LINE_LIMIT;
                    end = start + LINE_LIMIT;
                }
                None => {}
            }
        };
        let block_end = if self.ended && dropped == 0 { end } else { cut };
        let extent = Extent { before: 0..start, lines: start..block_end, offset: self.offset };
        self.offset += (block_end - start + dropped) as u64;
        self.context = block_end.min(CONTEXT);
        self.carry.clear();
        self.carry.extend_from_slice(buffer.part(block_end - self.context..end));
        self.ended &= block_end == end;
        if block_end > start { Ok(Some(extent)) } else { self.broken.take().map_or(Ok(None), Err) }
    }

    /// Skips text; its end becomes the context of what follows.
    fn skip_to_start(&mut self, buffer: &mut Buffer) {
        while self.offset < self.from && !self.ended {
            let want = (self.from - self.offset).min(SKIP_BYTES) as usize;
            let count = self.fill(buffer.room(want).get_mut(..want).unwrap_or_default());
            self.offset += count as u64;
            self.carry.extend_from_slice(buffer.part(0..count));
            self.carry.drain(..self.carry.len().saturating_sub(CONTEXT));
        }
        self.context = self.carry.len();
    }

    /// Reads until `room` is full or the stream ends; returns how many bytes.
    fn fill(&mut self, mut room: &mut [u8]) -> usize {
        let wanted = room.len();
        while !room.is_empty() && !self.ended {
            match self.reader.read(room) {
                Ok(0) => self.ended = true,
                Ok(count) => room = room.get_mut(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => (self.ended, self.broken) = (true, Some(error)),
            }
        }
        wanted - room.len()
    }
}
