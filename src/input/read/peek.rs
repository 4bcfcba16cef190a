//! Reads raw bytes of a file or a pipe and lets the caller peek at the next ones.

use std::io::{self, BufRead, Read};

/// Size of the buffer, in bytes.
const ROOM: usize = 64 << 10;

/// A buffered reader whose next bytes can be peeked at.
pub(crate) struct PeekReader {
    reader: Box<dyn Read + Send>,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// How many bytes were consumed so far.
    pub taken: u64,
}

impl PeekReader {
    pub(crate) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self { reader, bytes: vec![0; ROOM], start: 0, end: 0, taken: 0 }
    }

    /// The next `count` bytes, or all that are left, without consuming them. `count` must be less than the buffer.
    pub(crate) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.end - self.start < count {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            while self.end < count && self.fill()? > 0 {}
        }
        Ok(self.left().get(..count).unwrap_or(self.left()))
    }

    fn left(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    fn fill(&mut self) -> io::Result<usize> {
        loop {
            match self.reader.read(self.bytes.get_mut(self.end..).unwrap_or_default()) {
                Ok(count) => {
                    self.end += count;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl BufRead for PeekReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.fill()?;
        }
        Ok(self.left())
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        self.taken += count as u64;
    }
}

impl Read for PeekReader {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        // A large read bypasses the buffer.
        if self.start == self.end && room.len() >= ROOM {
            let count = self.reader.read(room)?;
            self.taken += count as u64;
            return Ok(count);
        }
        let count = self.fill_buf()?.read(room)?;
        self.consume(count);
        Ok(count)
    }
}
