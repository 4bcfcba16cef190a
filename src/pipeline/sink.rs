//! Defines what a walk tells about each line of a log, and the traits of those who count it.

use crate::catalog::Catalog;
use crate::catalog::classify::{Classification, provider};
use crate::catalog::provider::Provider;
use crate::input::read::HeapSize;
use crate::parse::header::LogLine;
use crate::parse::mta::queue_record::QueueRecord;
use crate::parse::timestamp::LogTime;
use crate::smtp::event::Event;

/// An event with everything that is known about its line.
pub struct LoggedEvent<'a> {
    pub place: LineOffset,
    /// The line's number in its block, from 0.
    pub line_in_block: u64,
    pub line: &'a LogLine<'a>,
    /// The line as it was parsed; of a wrapped line, the line inside.
    pub raw: &'a [u8],
    /// `None`: the line has no valid timestamp.
    pub moment: Option<LogTime>,
    pub event: &'a Event<'a>,
    /// `None`: the event is no failure.
    pub verdict: Option<Classification>,
    /// The login of the client that submitted the message. `None`: not known; a walk does not know it, a listener that
    /// follows messages may.
    pub user: Option<&'a [u8]>,
    /// The address of that client, in the same way.
    pub client: Option<&'a [u8]>,
    pub book: &'a Catalog,
}

impl LoggedEvent<'_> {
    /// The provider of the other server: by the wording of the reply, else by the host name or the recipient's domain.
    pub fn provider(&self) -> Option<Provider> {
        let told = self.verdict.and_then(|verdict| verdict.provider);
        told.or_else(|| provider(self.event, self.book))
    }
}

/// What a routine line says about its message.
pub struct LoggedQueueRecord<'a> {
    pub record: &'a QueueRecord<'a>,
    pub place: LineOffset,
    pub line: &'a LogLine<'a>,
    /// The line as it was parsed; of a wrapped line, the line inside.
    pub raw: &'a [u8],
    /// The line's minute, counted from 1970-01-01T00:00Z. `None`: the line has no valid timestamp.
    pub minute: Option<i64>,
}

/// Where a line begins: the number of its file in the set, and the offset in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LineOffset {
    pub file: usize,
    pub offset: u64,
}

/// Receives the events of a walk; each thread has one. Events arrive in the order of their block, blocks in any order.
/// What it returns at the end of a block is folded in the order of the files.
pub trait EventSink: Send {
    type BlockOutput: Send + HeapSize;

    fn event(&mut self, told: &LoggedEvent);

    /// Receives an event that the filter does not admit, for listeners that follow messages through all of their events.
    fn filtered_out(&mut self, _told: &LoggedEvent) {}

    fn queue_record(&mut self, _noted: &LoggedQueueRecord) {}

    /// `lines` is the number of lines in the block.
    fn end_of_block(&mut self, file: usize, lines: u64) -> Self::BlockOutput;
}

/// What a walk adds up: one listener for each thread, and one total that takes what they hand over in the order of the
/// blocks.
pub(crate) trait Aggregation: Sync {
    type Sink: EventSink;
    type Total: Send;

    fn sink(&self) -> Self::Sink;

    /// The total at the beginning of a walk.
    fn start(&self) -> Self::Total;

    fn fold(total: &mut Self::Total, handover: <Self::Sink as EventSink>::BlockOutput);

    /// Events that the walk admitted, and whose sender, found on another line, the filter does not admit.
    fn left_out(total: &Self::Total) -> u64;
}

/// Takes the lines that were not understood. A failure is its owner's to report: the reading goes on.
pub(crate) trait UnreadLines: Send {
    /// Whole lines, in the order of the files.
    fn add(&mut self, lines: &[u8]);
}
