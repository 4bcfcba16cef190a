//! Follows a pipe or the journal and passes on lines as they come.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

use super::line_buffer::LineBuffer;
use crate::input::journal::{self, ChildGuard, JournalBounds};
use crate::input::read::block::Block;

/// Bytes read at once.
const ROOM: usize = 64 << 10;

/// How many pieces may wait to be taken; the reading thread pauses then.
const WAITING: usize = 16;

/// A reader that blocks in a thread of its own.
pub struct PipeTail {
    pieces: Receiver<io::Result<Vec<u8>>>,
    number: usize,
    pending: LineBuffer,
    /// The reader has ended.
    pub ended: bool,
    /// Ends journalctl when it is dropped.
    child: Option<ChildGuard>,
}

impl PipeTail {
    /// `number` is that of the source in the set.
    pub fn new(mut reader: impl Read + Send + 'static, number: usize) -> Self {
        let (sender, pieces) = sync_channel(WAITING);
        // The thread ends with its reader, or when the receiver is dropped.
        thread::spawn(move || {
            let mut room = vec![0; ROOM];
            loop {
                let piece = match reader.read(&mut room) {
                    Ok(0) => return,
                    Ok(count) => Ok(room.get(..count).unwrap_or_default().to_vec()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let broken = piece.is_err();
                if sender.send(piece).is_err() || broken {
                    return;
                }
            }
        });
        Self { pieces, number, pending: LineBuffer::default(), ended: false, child: None }
    }

    /// Follows the journal.
    pub fn of_journal(bounds: JournalBounds, number: usize) -> io::Result<Self> {
        let (reader, leash) = journal::follow(bounds)?;
        Ok(Self { child: Some(leash), ..Self::new(reader, number) })
    }

    /// Passes on the lines that have come, about `limit` bytes of them. `false`: there are no more for now.
    pub fn poll(&mut self, limit: usize, on_block: &mut dyn FnMut(&Block)) -> io::Result<bool> {
        let mut taken = 0;
        while taken < limit && !self.ended {
            match self.pieces.try_recv() {
                Ok(piece) => {
                    let piece = piece.inspect_err(|_| self.ended = true)?;
                    taken += piece.len();
                    self.pending.add(&piece, self.number, on_block);
                }
                Err(TryRecvError::Empty) => return Ok(false),
                Err(TryRecvError::Disconnected) => {
                    self.pending.end(self.number, on_block);
                    self.ended = true;
                    self.child = None;
                }
            }
        }
        Ok(taken >= limit)
    }
}
