//! Computes the expected answer for a case, and whether each storm can be detected at all.

use std::collections::BTreeSet;

use serde::Serialize;

use super::log::LogBuilder;
use super::pattern::Pattern;
use super::rhythm::Rhythm;
use super::rhythm::{HOUR, MINUTE};
use super::series::LineSeries;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Factor {
    pub dimension: &'static str,
    pub value: String,
}

/// A storm as planned.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub pattern: Pattern,
    pub variant: &'static str,
    pub from: u64,
    pub until: u64,
    /// Acceptable patterns, the best first.
    pub accepted: Vec<Pattern>,
    /// Acceptable main factors; any, if empty.
    pub factors: Vec<Factor>,
}

/// A storm as it was generated; times are in seconds since 1970.
#[derive(Clone, Debug, Serialize)]
pub struct TrueStorm {
    pub pattern: Pattern,
    pub variant: &'static str,
    pub accepted: Vec<Pattern>,
    pub factors: Vec<Factor>,
    /// Time of the first event.
    pub first: i64,
    /// End of the first five minutes that contain at least five events of the storm and three times the usual number.
    pub visible: i64,
    /// `None` if the storm lasts beyond the log.
    pub end: Option<i64>,
    /// End of the storm or of the log, whichever is earlier.
    pub last: i64,
    pub events: u64,
    /// Largest number of events in five minutes.
    pub peak: u64,
    /// Usual number of events in five minutes at that time of day.
    pub usual: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Truth {
    pub name: String,
    pub seed: u64,
    pub mta: String,
    pub days: u64,
    pub messages_per_day: u64,
    pub calm: super::plan::Calm,
    pub storms: Vec<TrueStorm>,
}

const WINDOW: u64 = 5 * MINUTE;
pub(crate) const LEAST: u64 = 5;
pub(crate) const TIMES: f64 = 3.;

/// The storm as generated, or `None` if it is too weak to be detected.
pub(crate) fn storm(log: &LogBuilder, rhythm: &Rhythm, number: usize, draft: &Draft) -> Option<TrueStorm> {
    let over = draft.until < log.end();
    let last = draft.until.min(log.end());
    let made = |first: u64, visible: u64, events: u64, peak: u64, usual: f64| TrueStorm {
        pattern: draft.pattern,
        variant: draft.variant,
        accepted: draft.accepted.clone(),
        factors: draft.factors.clone(),
        first: log.second_of(first),
        visible: log.second_of(visible),
        end: over.then(|| log.second_of(last)),
        last: log.second_of(last),
        events,
        peak,
        usual,
    };
    if draft.pattern == Pattern::Silence {
        let usual = rhythm.in_hour(draft.from) / 12.;
        return Some(made(draft.from.saturating_sub(2 * MINUTE), draft.from + 15 * MINUTE, 0, 0, usual));
    }
    let mut own: Vec<u64> = Vec::new();
    let mut series: BTreeSet<LineSeries> = BTreeSet::new();
    for count in log.counts().iter().filter(|count| count.storm == Some(number) && count.at <= draft.until) {
        own.push(count.at);
        series.insert(count.series);
    }
    own.sort_unstable();
    let usual_a_day = usual(log, &series);
    let five_minutes = |at: u64| usual_a_day * rhythm.share(at) / 12.;
    let (mut visible, mut peak) = (None, 0);
    for (place, &at) in own.iter().enumerate() {
        let held = own[place..].partition_point(|&other| other < at + WINDOW) as u64;
        peak = peak.max(held);
        if visible.is_none() && held >= LEAST && held as f64 >= TIMES * five_minutes(at) {
            visible = Some(at + WINDOW);
        }
    }
    Some(made(*own.first()?, visible?, own.len() as u64, peak, five_minutes(draft.from)))
}

/// Events of the same series per usual day, without those of storms.
fn usual(log: &LogBuilder, series: &BTreeSet<LineSeries>) -> f64 {
    let others =
        log.counts().iter().filter(|count| count.storm.is_none() && series.contains(&count.series)).count();
    others as f64 / (log.end() as f64 / (24 * HOUR) as f64)
}
