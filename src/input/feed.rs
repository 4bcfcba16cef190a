//! What is followed though it is no file: the bytes of a pipe or of the journal come in, and lines go out as they come.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

use super::block::Block;
use super::journal::{self, Bounds, Leash};
use super::pending::Pending;

/// Read at once, in bytes.
const ROOM: usize = 64 << 10;

/// So many pieces may wait; whoever writes waits then.
const WAITING: usize = 16;

/// A reader that is waited for by a thread of its own.
pub struct Feed {
    pieces: Receiver<io::Result<Vec<u8>>>,
    number: usize,
    pending: Pending,
    /// Nothing more will come.
    pub ended: bool,
    /// Whoever writes ends with it.
    leash: Option<Leash>,
}

impl Feed {
    /// `number` is its place in the set.
    pub fn new(mut reader: impl Read + Send + 'static, number: usize) -> Self {
        let (sender, pieces) = sync_channel(WAITING);
        // It ends with its reader, or when nobody takes what it brings.
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
        Self { pieces, number, pending: Pending::default(), ended: false, leash: None }
    }

    /// The journal, while it is written.
    pub fn of_journal(bounds: Bounds, number: usize) -> io::Result<Self> {
        let (reader, leash) = journal::follow(bounds)?;
        Ok(Self { leash: Some(leash), ..Self::new(reader, number) })
    }

    /// Tells the lines that have come, some `limit` bytes of them; false: there are no more for now.
    pub fn poll(&mut self, limit: usize, tell: &mut dyn FnMut(&Block)) -> io::Result<bool> {
        let mut taken = 0;
        while taken < limit && !self.ended {
            match self.pieces.try_recv() {
                Ok(piece) => {
                    let piece = piece.inspect_err(|_| self.ended = true)?;
                    taken += piece.len();
                    self.pending.add(&piece, self.number, tell);
                }
                Err(TryRecvError::Empty) => return Ok(false),
                Err(TryRecvError::Disconnected) => {
                    self.pending.end(self.number, tell);
                    self.ended = true;
                    self.leash = None;
                }
            }
        }
        Ok(taken >= limit)
    }
}
