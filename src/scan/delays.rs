//! Counted times come in, the rows of a report that say how long mail took go out, with the slowest phase of each.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::catalog::provider::{Provider, Providers};
use crate::parse::mta;
use crate::parse::mta::delay::Phase;
use crate::report::{DelayRow, PhaseRow};
use crate::smtp::event::Direction;
use crate::tally::delays::{Delays, DurationHistogram};

/// What makes mail the same row.
type Mail = (Direction, Option<Provider>);

/// Faster needs no advice; in milliseconds.
const FAST: u64 = 1000;

pub(crate) fn rows(delays: &Delays, providers: &Providers) -> Vec<DelayRow> {
    let mut mails: BTreeMap<Mail, Vec<(Phase, &DurationHistogram)>> = BTreeMap::new();
    for (&(direction, provider, phase), times) in &delays.0 {
        mails.entry((direction, provider)).or_default().push((phase, times));
    }
    let mut rows: Vec<DelayRow> = mails
        .into_iter()
        .map(|((direction, provider), phases)| {
            let parts = phases.iter().filter(|(phase, _)| *phase != Phase::Total);
            let slowest = parts.max_by_key(|(phase, times)| (times.within(0.95), Reverse(*phase)));
            let slowest = slowest.filter(|(_, times)| times.within(0.95) > 0);
            let slow = slowest.filter(|(_, times)| times.within(0.95) > FAST);
            DelayRow {
                direction,
                provider: provider.and_then(|provider| Some(providers.row(provider)?.id.clone())),
                deliveries: phases.iter().map(|(_, times)| times.histogram.len()).max().unwrap_or(0),
                phases: phases.iter().map(|&(phase, times)| phase_row(phase, times)).collect(),
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
        median_seconds: seconds(times.within(0.5)),
        p95_seconds: seconds(times.within(0.95)),
        max_seconds: seconds(times.most),
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
