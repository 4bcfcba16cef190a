//! Compares the storms of each detection with those known before: an alert when a storm begins, and one when it ends.

use indicatif::HumanCount;
use jiff::Zoned;
use schemars::JsonSchema;
use serde::Serialize;

use crate::render::sanitize::printable;
use crate::render::text::page::{self, TextStyle};
use crate::report::storm::{Storm, StormPattern};

pub(crate) const WATCH_SCHEMA: &str = "smtplog.watch/1";

/// What has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Turn")]
pub enum AlertChange {
    /// A storm began, or one that was over goes on.
    Began,
    Ended,
}

/// One line of `smtplog watch --format ndjson`: news, and the storm as it is known now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "smtplog watch")]
pub struct Alert {
    #[schemars(extend("const" = WATCH_SCHEMA))]
    pub schema: &'static str,
    #[serde(rename = "news")]
    pub change: AlertChange,
    #[serde(flatten)]
    pub storm: Storm,
}

/// A storm that is missing from this many detections in a row is over: with more of the log it is no storm any more.
const MAX_MISSED: u32 = 3;
/// Storms of one kind that are at most this many seconds apart are one.
const GAP_SECONDS: i64 = 600;

/// The storms of the latest detections.
#[derive(Default)]
pub struct KnownStorms {
    storms: Vec<KnownStorm>,
}

struct KnownStorm {
    storm: Storm,
    ended: bool,
    /// The number of detections since the storm was found.
    missed: u32,
}

impl KnownStorms {
    /// Takes the storms of a detection and returns the alerts. A storm that is over when it is first found gives none.
    pub fn update(&mut self, storms: &[Storm]) -> Vec<Alert> {
        let mut alerts = Vec::new();
        let mut alert = |change, storm: &Storm| {
            alerts.push(Alert { schema: WATCH_SCHEMA, change, storm: storm.clone() });
        };
        self.storms.iter_mut().for_each(|known| known.missed += 1);
        for storm in storms {
            let ended = storm.end.is_some();
            let Some(known) = self.storms.iter_mut().find(|known| is_same_storm(&known.storm, storm)) else {
                if !ended {
                    alert(AlertChange::Began, storm);
                }
                self.storms.push(KnownStorm { storm: storm.clone(), ended, missed: 0 });
                continue;
            };
            if known.ended != ended {
                alert(if ended { AlertChange::Ended } else { AlertChange::Began }, storm);
            }
            *known = KnownStorm { storm: storm.clone(), ended, missed: 0 };
        }
        self.storms.retain(|known| {
            let is_gone = known.missed >= MAX_MISSED;
            if is_gone && !known.ended {
                alert(AlertChange::Ended, &known.storm);
            }
            !is_gone
        });
        alerts
    }
}

/// Both are one storm. Its start and its pattern may change as more of the log is read.
fn is_same_storm(a: &Storm, b: &Storm) -> bool {
    let begin = |storm: &Storm| storm.start.timestamp().as_second();
    let end =
        |storm: &Storm| storm.end.as_ref().map_or(i64::MAX, |end| end.timestamp().as_second() + GAP_SECONDS);
    let overlap = begin(a) <= end(b) && begin(b) <= end(a);
    let kind = |storm: &Storm| {
        let series = storm.series.first()?;
        Some((series.direction, series.code, series.reason))
    };
    let alike = a.pattern == b.pattern || kind(a).is_some() && kind(a) == kind(b);
    let (first, other) = (a.factors.first(), b.factors.first());
    let apart = first.zip(other).is_some_and(|(a, b)| a.dimension == b.dimension && a.value != b.value);
    overlap && alike && !apart
}

/// The alert as a line of text: `2026-11-22 02:41 storm began: …`.
pub(crate) fn text(alert: &Alert, style: &TextStyle) -> String {
    let storm = &alert.storm;
    let say = |english: &str| style.words.translate(english).to_owned();
    let time = |at: &Zoned| at.strftime("%F %H:%M").to_string();
    let title = say(&storm.title);
    let parts = match alert.change {
        AlertChange::Began => {
            let (mean, usual) = (storm.rate_per_minute.mean, storm.usual_per_minute.rate);
            let silent = storm.pattern == StormPattern::Silence;
            let rate = if silent { String::new() } else { format!("{mean}/min, ") };
            let factors = storm.factors.iter().take(2);
            let factors = factors.map(|factor| format!("{} {}", page::word(&factor.dimension), factor.value));
            let head = format!("{} {}: {title}", time(&storm.start), say("storm began"));
            let rate = format!("{rate}{} {usual}/min", say("usual"));
            [vec![head, rate], factors.collect(), vec![say(&storm.advice)]].concat()
        }
        AlertChange::Ended => {
            let end = storm.end.as_ref().map(time).unwrap_or_default();
            let head = format!("{end} {}: {title}", say("storm ended"));
            let attempts = match storm.pattern {
                StormPattern::Silence => String::new(),
                _ => format!("{} {}", HumanCount(storm.attempts), say("attempts")),
            };
            vec![head.trim_start().to_owned(), format!("{} {}", say("since"), time(&storm.start)), attempts]
        }
    };
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{}\n", printable(&parts.join("; ")))
}
