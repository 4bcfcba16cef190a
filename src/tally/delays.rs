//! Measures how long deliveries took, in a histogram for each direction, provider and phase. Histograms can be merged
//! in any order.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::catalog::provider::Provider;
use crate::parse::mta::delay::Phase;
use crate::parse::mta::queue_record::QueueStep;
use crate::parse::mta::{delivery_delays, receive_time};
use crate::pipeline::sink::{LoggedEvent, LoggedQueueRecord};
use crate::smtp::event::{Direction, Outcome};

/// Significant digits of a duration: the error is below 1 %.
const DIGITS: u8 = 2;

/// A year, in milliseconds: no queue keeps mail that long, but a damaged line may state anything.
pub(super) const LONGEST: u64 = 366 * 86_400_000;

/// Durations of one phase, in milliseconds.
#[derive(Clone, Debug)]
pub struct DurationHistogram {
    pub histogram: Histogram<u32>,
    /// The exact maximum.
    pub max: u64,
}

/// The histograms by direction and provider, and then by phase, in the order of the phases.
#[derive(Clone, Default, Debug)]
pub struct Delays(pub BTreeMap<(Direction, Option<Provider>), PhaseTimes>);

/// The histogram of each phase, in the order of the phases.
pub(crate) type PhaseTimes = Vec<(Phase, DurationHistogram)>;

impl Delays {
    /// Records the phases of a delivery to a server of `provider`; other events are ignored.
    pub fn event(&mut self, logged: &LoggedEvent, provider: Option<Provider>) {
        let event = logged.event;
        if event.outcome != Outcome::Delivered {
            return;
        }
        let phases = delivery_delays(event, logged.line);
        if phases.is_empty() {
            return;
        }
        let group = self.0.entry((event.direction, provider)).or_default();
        for (at, (phase, time)) in phases.iter().enumerate() {
            // Deliveries of a group nearly always have the same phases.
            match group.get_mut(at) {
                Some((known, times)) if *known == phase => times.record(time),
                _ => times(group, phase).record(time),
            }
        }
    }

    pub fn queue_record(&mut self, logged: &LoggedQueueRecord) {
        if logged.record.step == QueueStep::Received
            && let Some(time) = receive_time(logged.record)
        {
            self.times(Direction::Inbound, None, Phase::Receive).record(time);
        }
    }

    pub fn merge(&mut self, other: Self) {
        for (group, theirs) in other.0 {
            let group = self.0.entry(group).or_default();
            for (phase, theirs) in theirs {
                let mine = times(group, phase);
                mine.max = mine.max.max(theirs.max);
                mine.histogram.add(theirs.histogram).expect("our own histogram grows as far as theirs");
            }
        }
    }

    pub(super) fn times(
        &mut self,
        direction: Direction,
        provider: Option<Provider>,
        phase: Phase,
    ) -> &mut DurationHistogram {
        times(self.0.entry((direction, provider)).or_default(), phase)
    }
}

/// The histogram of a phase among those of one direction and provider, at most as many as there are phases.
fn times(group: &mut PhaseTimes, phase: Phase) -> &mut DurationHistogram {
    let at = group.iter().position(|(other, _)| *other >= phase).unwrap_or(group.len());
    if group.get(at).is_none_or(|(other, _)| *other != phase) {
        let mut histogram = Histogram::new(DIGITS).expect("two digits are allowed");
        histogram.auto(true);
        group.insert(at, (phase, DurationHistogram { histogram, max: 0 }));
    }
    let found = group.get_mut(at);
    found.map(|(_, times)| times).expect("the phase was found, or inserted")
}

impl DurationHistogram {
    fn record(&mut self, time: u64) {
        let time = time.min(LONGEST);
        self.histogram.record(time).expect("our own histogram grows as far as a year");
        self.max = self.max.max(time);
    }

    /// The duration in milliseconds that at least this share of all durations does not exceed. `share` is from 0
    /// to 1.
    pub fn quantile(&self, share: f64) -> u64 {
        self.histogram.value_at_quantile(share).min(self.max)
    }
}
