//! Diagnoses detected storms: their pattern, what most of their failures share, and commands that show or fix the cause.
//!
//! Promises: a command quotes every word that comes from a log. May use: storm/detect, storm/sample, and what storm may
//! use.

pub(crate) mod advice;
pub(crate) mod builder;
pub(crate) mod command_values;
pub(crate) mod commands;
pub(crate) mod course;
pub(crate) mod diagnosis;
pub(crate) mod evidence;
pub(crate) mod holes;
pub(crate) mod limits;
mod reason_sets;
pub(crate) mod sentences;
pub(crate) mod signature;

pub(crate) use self::builder::DiagnosisInput;
use self::builder::StormBuilder;
use self::limits::{LogSpan, hole_notes};
use super::detect::dataset::{Cluster, Dataset};
use super::detect::living_time::LivingTime;
use super::detect::search::storms;
use super::detect::silence::{Silence, silences};
use super::detect::volume::is_trial;
use super::sample::points::{NumberedNames, WeightedEvent, points};
use super::sample::samples::{Sample, Samples};
use crate::catalog;
use crate::report::Hole;
use crate::report::storm::Storm;

/// The share of a silence's missing events that a storm must have to explain it.
const EXPLAINED_SHARE: f64 = 0.3;

/// Failures that are told although they are no storm: from this share of all deliveries on, and this number.
const STEADY_SHARE: f64 = 0.25;
const STEADY_FAILURES: f64 = 20.0;

/// The storms of a log, and what limits them.
#[derive(Default)]
pub(crate) struct Findings {
    /// The most urgent first.
    pub storms: Vec<Storm>,
    /// Holes of the log, and events whose time is far off.
    pub notes: Vec<String>,
    /// The spans without lines of any kind that are worth a finding, the longest first.
    pub holes: Vec<Hole>,
    /// The share of the deliveries that fail where there is no storm, 0 to 1, if it is large. A fault that lasts most of the log
    /// is no storm: it is what is usual.
    pub steady: Option<f64>,
}

/// The storms of the log. `events` are those of the sample, which the samples may have been relieved of.
pub(crate) fn answer(samples: &Samples, events: Vec<Sample>, input: &DiagnosisInput) -> Findings {
    let Some(mut span) = input.minutes.and_then(|minutes| LogSpan::of(&samples.lines, minutes)) else {
        return Findings::default();
    };
    let (first, last) = (span.first, span.last);
    let (mut points, names) = points(samples, events, input.with_greylisting);
    span.restrict(&mut points);
    let dataset = Dataset::new(
        &points,
        LivingTime::new(&samples.lines, first, last),
        samples.thresholds.is_by_minute(),
    );
    let names = &names;
    let builder = StormBuilder { samples, names, input, dataset: &dataset, texts: catalog::storms(), last };
    let (clusters, silences) = rayon::join(
        || storms(&dataset, names, null_sender(&points, names), input.sensitivity),
        || silences(&points, &samples.served, &dataset.living, (first, last), input.sensitivity, input.zone),
    );
    let mut storms: Vec<(f64, Storm)> =
        clusters.iter().filter_map(|cluster| builder.storm(cluster)).collect();
    let is_unexplained =
        |silence: &&Silence| !clusters.iter().any(|cluster| explains(&dataset, cluster, silence));
    storms.extend(silences.iter().filter(is_unexplained).filter_map(|silence| builder.silence(silence)));
    storms.sort_by(|(a, one), (b, other)| {
        b.total_cmp(a).then_with(|| (&one.start, one.pattern).cmp(&(&other.start, other.pattern)))
    });
    let mut notes: Vec<String> = span.note(input.zone).into_iter().collect();
    notes.extend(hole_notes(&dataset.living, &span, input.zone));
    let steady = if storms.is_empty() { steady_share(&points) } else { None };
    let holes = holes::holes(&samples.lines, &dataset.living, (first, last), input.zone);
    let holes = holes
        .into_iter()
        .filter_map(|(first, last)| Some(Hole { start: builder.time(first)?, end: builder.time(last + 1)? }));
    let holes = holes.collect();
    Findings { storms: storms.into_iter().map(|(_, storm)| storm).collect(), notes, holes, steady }
}

/// The share of the mail that fails when it is first tried. `None`: it is small, or there is little mail.
fn steady_share(points: &[WeightedEvent]) -> Option<f64> {
    let trials = || points.iter().filter(|point| is_trial(point));
    let all: f64 = trials().map(|point| point.weight).sum();
    let failed: f64 = trials().filter(|point| point.is_failure).map(|point| point.weight).sum();
    (failed >= STEADY_FAILURES && failed >= STEADY_SHARE * all).then(|| failed / all)
}

/// Whether the failures of a storm are the reason why nothing is delivered: it covers half of the silence, and has enough of
/// the missing events.
fn explains(dataset: &Dataset, cluster: &Cluster, silence: &Silence) -> bool {
    let both = cluster.last.min(silence.last) - cluster.first.max(silence.first) + 1;
    let failed: f64 =
        cluster.members.iter().filter_map(|&at| dataset.points.get(at)).map(|point| point.weight).sum();
    both * 2 > silence.last - silence.first && failed >= EXPLAINED_SHARE * silence.expected
}

/// The value of the null sender (`<>`). 0: no event has it.
fn null_sender(points: &[WeightedEvent], names: &NumberedNames) -> u64 {
    let mut senders = points.iter().map(|point| point.sample.sender);
    senders.find(|&sender| names.name(sender) == b"<>").map_or(0, |sender| sender.index() as u64)
}
