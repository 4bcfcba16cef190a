//! Builds the delay rows of a report from the histograms of the tally, with the slowest phase of each row.

use std::cmp::Reverse;

use crate::catalog::provider::Providers;
use crate::parse::mta;
use crate::parse::mta::delay::Phase;
use crate::report::{DelayRow, PhaseRow};
use crate::tally::delays::{Delays, DurationHistogram};

/// The 95th percentile up to which no advice is given, in milliseconds.
const FAST: u64 = 1000;

pub(crate) fn rows(delays: &Delays, providers: &Providers) -> Vec<DelayRow> {
    let mut rows: Vec<DelayRow> = (delays.0.iter())
        .map(|(&(direction, provider), phases)| {
            let parts = phases.iter().filter(|(phase, _)| *phase != Phase::Total);
            let slowest = parts.max_by_key(|(phase, times)| (times.quantile(0.95), Reverse(*phase)));
            let slowest = slowest.filter(|(_, times)| times.quantile(0.95) > 0);
            let slow = slowest.filter(|(_, times)| times.quantile(0.95) > FAST);
            DelayRow {
                direction,
                provider: provider.and_then(|provider| Some(providers.row(provider)?.id.clone())),
                deliveries: phases.iter().map(|(_, times)| times.histogram.len()).max().unwrap_or(0),
                phases: phases.iter().map(|(phase, times)| phase_row(*phase, times)).collect(),
                slowest: slowest.map(|(phase, _)| *phase),
                advice: slow.and_then(|(phase, _)| mta::delay::advice(*phase)),
            }
        })
        .collect();
    rows.sort_by_key(|row| Reverse(row.deliveries));
    rows
}

fn phase_row(phase: Phase, times: &DurationHistogram) -> PhaseRow {
    let seconds = |time: u64| time as f64 / 1000.0;
    PhaseRow {
        phase,
        title: title(phase),
        count: times.histogram.len(),
        median_seconds: seconds(times.quantile(0.5)),
        p95_seconds: seconds(times.quantile(0.95)),
        max_seconds: seconds(times.max),
    }
}

fn title(phase: Phase) -> &'static str {
    match phase {
        Phase::Total => "in all",
        Phase::BeforeActive => "before the active queue",
        Phase::Active => "in the active queue",
        Phase::Connect => "connecting, with DNS and TLS",
        Phase::Transmit => "sending",
        Phase::Queued => "receiving and waiting",
        Phase::Deliver => "connecting and sending",
        Phase::Receive => "receiving",
    }
}
