//! Defines the sample of one block: counts by the minute, some events, and the metadata of open messages.

use serde::{Deserialize, Serialize};

use super::line_minutes::LineMinutes;
use super::series::{CellKey, CountSeries};
use super::served_minutes::ServedMinute;
use crate::catalog::Cause;
use crate::input::read::HeapSize;
use crate::simd::bytes_eq;
use crate::smtp::event::{Mta, Stage};
use crate::smtp::side::Side;

/// A piece of a [`BlockSample`]'s text. `start` 0: there is none.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct TextPiece {
    pub start: u32,
    pub length: u32,
}

/// Sender, login and client of a message; a piece at 0 is unknown.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct MessageSource {
    pub sender: TextPiece,
    pub user: TextPiece,
    pub client: TextPiece,
}

/// One event of the sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SampledEvent {
    /// Since 1970-01-01T00:00Z.
    pub minute: i32,
    /// A hash of its message and recipient, or of its line. Events with the smallest hashes are kept (bottom-k sampling: Cohen
    /// and Kaplan, "Summarizing data using bottom-k sketches", 2007). So the attempts for one recipient of a message are
    /// kept or left out together, and the sample does not depend on how the log is split into files.
    pub hash: u64,
    /// A hash of the host and queue id of its message, the same in every run; 0: none.
    pub message: u64,
    /// Index of its cell.
    pub cell: u32,
    /// Index of the event of its cell that was kept before it, or [`NO_EVENT`].
    pub next: u32,
    pub series: CountSeries,
    pub cause: Option<Cause>,
    /// The metadata of earlier blocks applies to its message too.
    pub is_open: bool,
    /// No line so far shows the arrival of its message.
    pub is_older: bool,
    pub recipient: TextPiece,
    pub host: TextPiece,
    pub instance: TextPiece,
    pub peer: TextPiece,
    pub source: MessageSource,
    /// The line. Empty: it is no example.
    pub raw: TextPiece,
    pub stage: Option<Stage>,
    pub marks: EventMarks,
    pub mta: Mta,
}

/// What else matters about an event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct EventMarks {
    /// Where the other side is.
    pub side: Side,
    /// The other side is a part of this server's own mail system.
    pub is_near: bool,
    /// Only a change to this server, its DNS or its accounts helps.
    pub is_ours: bool,
    /// It is a warning of this server about a fault of its own.
    pub is_own_fault: bool,
    /// The line says that its message arrived a few minutes before. A delay is noted only where no line shows the arrival.
    #[serde(default)]
    pub is_fresh: bool,
}

impl EventMarks {
    /// Nothing else matters.
    pub(crate) const NONE: Self =
        Self { side: Side::Internet, is_near: false, is_ours: false, is_own_fault: false, is_fresh: false };
}

/// Ends the list of a cell's events.
pub(crate) const NO_EVENT: u32 = u32::MAX;

/// The events of one kind in one span of the sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SampleCell {
    pub key: CellKey,
    pub count: u32,
    /// The number of events that are kept.
    pub kept: u32,
    /// Index of the event that was kept last.
    pub last: u32,
    /// The largest hash of the events, once there are as many as may be kept; else the largest of all.
    pub largest: u64,
}

/// The metadata that a block has of a message at its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenSource {
    pub key: u64,
    pub source: MessageSource,
    /// The message arrived in this block, so metadata of earlier blocks under this key is of another one.
    pub is_complete: bool,
    /// The message left the queue.
    pub is_over: bool,
}

/// The counts and the sample of one block.
#[derive(Default, Debug)]
pub(crate) struct BlockSample {
    /// The text of all pieces.
    pub text: Vec<u8>,
    pub cells: Vec<SampleCell>,
    /// The events that are kept. Each belongs to a cell.
    pub events: Vec<SampledEvent>,
    /// Exact counts of what was served. A minute may come twice.
    pub served: Vec<ServedMinute>,
    /// Messages that other blocks may have lines of.
    pub open: Vec<OpenSource>,
    /// Events whose line shows no time.
    pub undated: u64,
    /// The minutes with lines of any kind.
    pub lines: LineMinutes,
}

impl HeapSize for BlockSample {
    fn held_bytes(&self) -> usize {
        self.text.capacity()
            + self.cells.capacity() * size_of::<SampleCell>()
            + self.events.capacity() * size_of::<SampledEvent>()
            + self.open.capacity() * size_of::<OpenSource>()
            + self.lines.len() * size_of::<(i32, u64)>()
            + self.served.capacity() * size_of::<ServedMinute>()
    }
}

impl BlockSample {
    /// The text of a piece. `None`: there is none.
    pub(crate) fn read(&self, piece: TextPiece) -> Option<&[u8]> {
        if piece.start == 0 {
            return None;
        }
        let start = piece.start as usize;
        self.text.get(start..start + piece.length as usize)
    }

    /// Keeps a text, unless it is that of the piece that was kept before: hosts and instances hardly change.
    pub(crate) fn keep_again(&mut self, bytes: &[u8], before: TextPiece) -> TextPiece {
        if bytes.is_empty() {
            return TextPiece::default();
        }
        match self.read(before) {
            Some(known) if bytes_eq(known, bytes) => before,
            Some(_) | None => self.keep(Some(bytes)),
        }
    }

    /// The events of a cell that are kept, with their indices, from one of them on.
    pub(crate) fn events_from(&self, last: u32) -> impl Iterator<Item = (u32, &SampledEvent)> {
        let mut next = last;
        std::iter::from_fn(move || {
            let at = next;
            let event = self.events.get(at as usize)?;
            next = event.next;
            Some((at, event))
        })
    }

    /// Keeps a text; `None` becomes the piece at 0.
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
    /// Updates this with what a newer line states.
    pub(crate) fn learn(&mut self, other: Self) {
        for (known, new) in
            [(&mut self.sender, other.sender), (&mut self.user, other.user), (&mut self.client, other.client)]
        {
            if new.start > 0 {
                *known = new;
            }
        }
    }
}
