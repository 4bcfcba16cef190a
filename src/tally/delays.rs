//! Measures how long mail took: a histogram for each provider and phase. Merging is in any order.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::catalog::provider::Provider;
use crate::parse::mta::delay::Phase;
use crate::parse::mta::queue_record::QueueStep;
use crate::parse::mta::{delivery_delays, receive_time};
use crate::pipeline::sink::{LoggedEvent, LoggedQueueRecord};
use crate::smtp::event::{Direction, Outcome};

/// Significant digits of a time: the error is less than 1 %.
const DIGITS: u8 = 2;

/// A year, in milliseconds: no queue keeps mail as long, but a damaged line may say anything.
const LONGEST: u64 = 366 * 86_400_000;

/// Times of one phase, in milliseconds.
#[derive(Clone, Debug)]
pub struct DurationHistogram {
    pub histogram: Histogram<u32>,
    /// The longest, exactly.
    pub most: u64,
}

/// By direction, provider and phase.
#[derive(Clone, Default, Debug)]
pub struct Delays(pub BTreeMap<(Direction, Option<Provider>, Phase), DurationHistogram>);

impl Delays {
    /// Counts a delivery; other events are ignored.
    pub fn event(&mut self, told: &LoggedEvent) {
        let event = told.event;
        if event.outcome != Outcome::Delivered {
            return;
        }
        let phases = delivery_delays(event.mta, told.line);
        if phases.is_empty() {
            return;
        }
        let provider = told.provider();
        for (phase, time) in phases {
            self.times(event.direction, provider, phase).see(time);
        }
    }

    pub fn fact(&mut self, noted: &LoggedQueueRecord) {
        if noted.record.step == QueueStep::Received
            && let Some(time) = receive_time(noted.record)
        {
            self.times(Direction::Inbound, None, Phase::Receive).see(time);
        }
    }

    pub fn merge(&mut self, other: Self) {
        for ((direction, provider, phase), theirs) in other.0 {
            let mine = self.times(direction, provider, phase);
            mine.most = mine.most.max(theirs.most);
            mine.histogram.add(theirs.histogram).expect("our own histogram grows as far as theirs");
        }
    }

    fn times(
        &mut self,
        direction: Direction,
        provider: Option<Provider>,
        phase: Phase,
    ) -> &mut DurationHistogram {
        self.0.entry((direction, provider, phase)).or_insert_with(|| {
            let mut histogram = Histogram::new(DIGITS).expect("two digits are allowed");
            histogram.auto(true);
            DurationHistogram { histogram, most: 0 }
        })
    }
}

impl DurationHistogram {
    fn see(&mut self, time: u64) {
        let time = time.min(LONGEST);
        self.histogram.record(time).expect("our own histogram grows as far as a year");
        self.most = self.most.max(time);
    }

    /// The quantile: at least the `share` of all times is not longer.
    pub fn within(&self, share: f64) -> u64 {
        self.histogram.value_at_quantile(share).min(self.most)
    }
}
