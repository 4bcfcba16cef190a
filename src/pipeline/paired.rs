//! Aggregates one walk twice: two sinks of a thread get every line, and two totals every block.

use super::sink::{Aggregation, EventSink, LoggedEvent, LoggedQueueRecord, LoggedWarning};
use crate::input::read::HeapSize;

/// Two sinks that get the same lines; the second one may be missing.
pub(crate) struct PairedSink<A, B> {
    pub first: A,
    pub second: Option<B>,
}

/// The results of both sinks for one block.
pub(crate) struct PairedOutput<A, B> {
    first: A,
    second: Option<B>,
}

impl<A: HeapSize, B: HeapSize> HeapSize for PairedOutput<A, B> {
    fn held_bytes(&self) -> usize {
        self.first.held_bytes() + self.second.as_ref().map_or(0, HeapSize::held_bytes)
    }
}

impl<A: EventSink, B: EventSink> EventSink for PairedSink<A, B> {
    type BlockOutput = PairedOutput<A::BlockOutput, B::BlockOutput>;

    fn event(&mut self, logged: &LoggedEvent) {
        self.first.event(logged);
        if let Some(second) = &mut self.second {
            second.event(logged);
        }
    }

    fn filtered_out(&mut self, logged: &LoggedEvent) {
        self.first.filtered_out(logged);
        if let Some(second) = &mut self.second {
            second.filtered_out(logged);
        }
    }

    fn queue_record(&mut self, logged: &LoggedQueueRecord) {
        self.first.queue_record(logged);
        if let Some(second) = &mut self.second {
            second.queue_record(logged);
        }
    }

    fn minute(&mut self, minute: i64) {
        self.first.minute(minute);
        if let Some(second) = &mut self.second {
            second.minute(minute);
        }
    }

    fn warning(&mut self, logged: &LoggedWarning) {
        self.first.warning(logged);
        if let Some(second) = &mut self.second {
            second.warning(logged);
        }
    }

    fn end_of_block(&mut self, file: usize, lines: u64) -> Self::BlockOutput {
        PairedOutput {
            first: self.first.end_of_block(file, lines),
            second: self.second.as_mut().map(|second| second.end_of_block(file, lines)),
        }
    }
}

/// Two aggregations of one walk. The first one decides which events count as left out.
pub(crate) struct Paired<'a, A, B> {
    pub first: &'a A,
    /// `None`: nobody asks for it.
    pub second: Option<&'a B>,
}

impl<A: Aggregation, B: Aggregation> Aggregation for Paired<'_, A, B> {
    type Sink = PairedSink<A::Sink, B::Sink>;
    type Total = (A::Total, Option<B::Total>);

    fn sink(&self) -> Self::Sink {
        PairedSink { first: self.first.sink(), second: self.second.map(Aggregation::sink) }
    }

    fn start(&self) -> Self::Total {
        (self.first.start(), self.second.map(Aggregation::start))
    }

    fn fold(total: &mut Self::Total, output: <Self::Sink as EventSink>::BlockOutput) {
        A::fold(&mut total.0, output.first);
        if let (Some(total), Some(output)) = (&mut total.1, output.second) {
            B::fold(total, output);
        }
    }

    fn left_out(total: &Self::Total) -> u64 {
        A::left_out(&total.0)
    }
}
