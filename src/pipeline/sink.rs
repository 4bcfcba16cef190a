//! Defines what a walk passes on for each line of a log, and the traits of its receivers.

use std::cell::OnceCell;

use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::catalog::classify::{Classification, find_provider};
use crate::catalog::provider::Provider;
use crate::input::read::HeapSize;
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::mta::queue_record::{MessageFields, QueueRecord};
use crate::parse::mta::server_warning::ServerWarning;
use crate::parse::mta::warning_text::mask_warning;
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
    /// Which event of its line it is, from 0: a line that names several recipients has an event for each.
    pub part: u32,
    /// `None`: the event is no failure.
    pub verdict: Option<Classification>,
    /// The login of the client that submitted the message. `None`: unknown. A walk never knows it; a sink that follows
    /// messages may.
    pub user: Option<&'a [u8]>,
    /// The address of that client. `None`: unknown, likewise.
    pub client: Option<&'a [u8]>,
    pub book: &'a Catalog,
}

impl LoggedEvent<'_> {
    /// The provider of the other server: by the wording of the reply, else by the host name or the recipient's domain.
    pub fn provider(&self) -> Option<Provider> {
        let told = self.verdict.and_then(|verdict| verdict.provider);
        told.or_else(|| find_provider(self.event, self.book))
    }
}

/// A queue record with everything that is known about its line.
pub struct LoggedQueueRecord<'a> {
    pub record: &'a QueueRecord<'a>,
    pub place: LineOffset,
    pub line: &'a LogLine<'a>,
    /// The line as it was parsed; of a wrapped line, the line inside.
    pub raw: &'a [u8],
    /// The line's minute, counted from 1970-01-01T00:00Z. `None`: the line has no valid timestamp.
    pub minute: Option<i64>,
    /// See [`Self::origin`].
    origin: OnceCell<MessageFields<'a>>,
}

impl<'a> LoggedQueueRecord<'a> {
    pub fn new(
        record: &'a QueueRecord<'a>,
        place: LineOffset,
        line: &'a LogLine<'a>,
        raw: &'a [u8],
        minute: Option<i64>,
    ) -> Self {
        Self { record, place, line, raw, minute, origin: OnceCell::new() }
    }

    /// Sender, client and login of the message, as far as the line states them. Several sinks ask for them: they are parsed
    /// once.
    pub(crate) fn origin(&self) -> &MessageFields<'a> {
        self.origin.get_or_init(|| mta::origin(self.record))
    }
}

/// A server's own warning with everything that is known about its line.
pub struct LoggedWarning<'a> {
    pub warning: ServerWarning<'a>,
    pub place: LineOffset,
    pub line: &'a LogLine<'a>,
    /// The line as it was parsed; of a wrapped line, the line inside.
    pub raw: &'a [u8],
    /// The line's minute, counted from 1970-01-01T00:00Z. `None`: the line has no valid timestamp.
    pub minute: Option<i64>,
    /// See [`Self::masked`].
    masked: OnceCell<Vec<u8>>,
}

impl<'a> LoggedWarning<'a> {
    pub fn new(
        warning: ServerWarning<'a>,
        place: LineOffset,
        line: &'a LogLine<'a>,
        raw: &'a [u8],
        minute: Option<i64>,
    ) -> Self {
        Self { warning, place, line, raw, minute, masked: OnceCell::new() }
    }

    /// The text without what differs from one warning of its kind to the next. Several sinks ask for it: it is made once.
    pub(crate) fn masked(&self) -> &[u8] {
        self.masked.get_or_init(|| {
            let mut masked = Vec::with_capacity(self.warning.text.len());
            mask_warning(self.warning.text, &mut masked);
            masked
        })
    }
}

/// Where a line begins: the number of its file in the set, and the offset in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct LineOffset {
    pub file: usize,
    pub offset: u64,
}

/// Receives the events of a walk; each thread has one. The events of a block arrive in order, blocks arrive in any order,
/// and the outputs of blocks are folded in the order of the files.
pub trait EventSink: Send {
    type BlockOutput: Send + HeapSize;

    fn event(&mut self, logged: &LoggedEvent);

    /// Receives an event that the filter does not admit, for sinks that follow messages through all of their events.
    fn filtered_out(&mut self, _logged: &LoggedEvent) {}

    fn queue_record(&mut self, _logged: &LoggedQueueRecord) {}

    /// Receives the minute of the first line of each minute, whatever the line is, counted from 1970-01-01T00:00Z. A minute may
    /// come more than once.
    fn minute(&mut self, _minute: i64) {}

    /// Receives a server's own warning. The coverage counts its line, too, as routine or as not understood.
    fn warning(&mut self, _logged: &LoggedWarning) {}

    /// Ends a block, and returns its output. `lines` is the number of lines in it.
    fn end_of_block(&mut self, file: usize, lines: u64) -> Self::BlockOutput;
}

/// Aggregates a walk: one sink per thread, and one total into which the outputs of blocks are folded in order.
pub(crate) trait Aggregation: Sync {
    type Sink: EventSink;
    type Total: Send;

    fn sink(&self) -> Self::Sink;

    /// The total at the beginning of a walk.
    fn start(&self) -> Self::Total;

    fn fold(total: &mut Self::Total, output: <Self::Sink as EventSink>::BlockOutput);

    /// Events that the walk admitted, and whose sender, found on another line, the filter does not admit.
    fn left_out(total: &Self::Total) -> u64;
}

/// Receives the lines that were not understood. It keeps its own errors, so that reading continues.
pub(crate) trait UnreadLines: Send {
    /// Adds whole lines, in the order of the files.
    fn add(&mut self, lines: &[u8]);
}
