//! Defines what a block hands over: counts by the minute, events of the sample, and metadata of open messages.

use super::series::CountSeries;
use crate::catalog::provider::Provider;
use crate::input::read::HeapSize;
use crate::smtp::event::{Mta, Stage};

/// A piece of a page's text. The empty one at 0 says nothing.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct TextPiece {
    pub start: u32,
    pub length: u32,
}

/// Sender, login and client of a message; an empty piece is not known.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct MessageSource {
    pub sender: TextPiece,
    pub user: TextPiece,
    pub client: TextPiece,
}

/// One event of the sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SampledEvent {
    /// What the sample is chosen by.
    pub hash: u64,
    /// Of its message; 0: none.
    pub key: u64,
    /// What earlier blocks know of the message counts too.
    pub is_open: bool,
    pub recipient: TextPiece,
    pub host: TextPiece,
    pub instance: TextPiece,
    pub peer: TextPiece,
    pub behind: MessageSource,
    pub raw: TextPiece,
    pub stage: Option<Stage>,
    /// Of what went well; of failures their series has it.
    pub provider: Option<Provider>,
    /// The other side is a part of this server's own mail system.
    pub is_near: bool,
    pub mta: Mta,
}

/// The events of one kind in one minute.
#[derive(Debug)]
pub(crate) struct MinuteCell {
    /// Counted from 1970-01-01T00:00Z.
    pub minute: i32,
    pub series: CountSeries,
    pub count: u32,
    pub picks: Vec<SampledEvent>,
}

/// What a block knows of a message when it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenSource {
    pub key: u64,
    pub behind: MessageSource,
    /// What was known before counts no more.
    pub is_complete: bool,
    pub is_over: bool,
}

/// What a block hands over.
#[derive(Default, Debug)]
pub(crate) struct BlockSample {
    pub text: Vec<u8>,
    pub cells: Vec<MinuteCell>,
    pub left: Vec<OpenSource>,
    /// Events whose line shows no time.
    pub undated: u64,
}

impl HeapSize for BlockSample {
    fn held_bytes(&self) -> usize {
        let picks: usize = self.cells.iter().map(|cell| cell.picks.capacity()).sum();
        self.text.capacity()
            + self.cells.capacity() * size_of::<MinuteCell>()
            + picks * size_of::<SampledEvent>()
            + self.left.capacity() * size_of::<OpenSource>()
    }
}

impl BlockSample {
    /// None: it says nothing.
    pub(crate) fn read(&self, piece: TextPiece) -> Option<&[u8]> {
        if piece.start == 0 {
            return None;
        }
        let start = piece.start as usize;
        self.text.get(start..start + piece.length as usize)
    }

    /// Nothing is kept of what is not said.
    pub(crate) fn keep(&mut self, bytes: Option<&[u8]>) -> TextPiece {
        let Some(bytes) = bytes else { return TextPiece::default() };
        if self.text.is_empty() {
            self.text.push(0);
        }
        let start = self.text.len() as u32;
        self.text.extend_from_slice(bytes);
        TextPiece { start, length: bytes.len() as u32 }
    }
}

impl MessageSource {
    /// The newer line replaces what older lines stated.
    pub(crate) fn learn(&mut self, other: Self) {
        for (mine, new) in
            [(&mut self.sender, other.sender), (&mut self.user, other.user), (&mut self.client, other.client)]
        {
            if new.start > 0 {
                *mine = new;
            }
        }
    }
}
