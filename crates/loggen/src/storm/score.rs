//! Scores an answer of `smtplog storm` against the expected one: storms found and false alarms.

use jiff::Timestamp;
use serde_json::Value;

use super::pattern::Pattern;
use super::truth::{TrueStorm, Truth};

/// A storm as reported by the program.
#[derive(Clone, Debug)]
pub(crate) struct ReportedStorm {
    pub start: i64,
    /// End of the storm, or of the log if the storm lasts beyond it.
    pub end: i64,
    pub pattern: String,
    /// Dimension and value of the first factor.
    pub factor: Option<(String, String)>,
}

#[derive(Clone, Debug)]
pub struct StormScore {
    pub pattern: Pattern,
    pub variant: &'static str,
    pub is_found: bool,
    pub starts_right: bool,
    /// Whether the start is at most five minutes outside the expected range.
    pub starts_near: bool,
    pub names_right: bool,
    pub factor_right: bool,
    /// Differences between the expected and the reported storm; empty if there are none.
    pub words: String,
}

#[derive(Clone, Debug)]
pub struct Score {
    pub name: String,
    pub seed: u64,
    pub days: u64,
    pub is_clean: bool,
    pub storms: Vec<StormScore>,
    pub false_alarms: Vec<String>,
    /// Error of the program, if it gave no answer.
    pub failure: Option<String>,
}

/// Seconds of tolerance, because a detector may count in whole minutes.
const ROUNDING: i64 = 60;
const NEAR: i64 = 300;
/// Seconds after a storm in which its retries may be reported as a storm.
const ECHO: i64 = 6 * 3600;

/// Scores an answer; `end` is the last second of the log.
pub fn judge(truth: &Truth, end: i64, answer: Result<Value, String>) -> Score {
    let mut score = Score {
        name: truth.name.clone(),
        seed: truth.seed,
        days: truth.days,
        is_clean: truth.storms.is_empty(),
        storms: Vec::new(),
        false_alarms: Vec::new(),
        failure: None,
    };
    let reported = answer.and_then(|answer| read(&answer, end)).unwrap_or_else(|failure| {
        score.failure = Some(failure);
        Vec::new()
    });
    let mut taken = vec![false; reported.len()];
    for storm in &truth.storms {
        let best =
            (0..reported.len()).filter(|&at| !taken[at] && may_be(storm, &reported[at])).max_by_key(|&at| {
                (
                    is_named(storm, &reported[at]),
                    has_factor(storm, &reported[at]),
                    overlap(storm, &reported[at]),
                )
            });
        if let Some(at) = best {
            taken[at] = true;
        }
        score.storms.push(compare(storm, best.map(|at| &reported[at])));
    }
    for (at, one) in reported.iter().enumerate() {
        let is_part = truth.storms.iter().any(|storm| overlap(storm, one) >= -NEAR);
        let is_echo = truth.storms.iter().any(|storm| {
            let is_after = (storm.last..storm.last + ECHO).contains(&one.start);
            is_after
                && (storm.factors.is_empty()
                    || has_factor(storm, one)
                    || same_as_found(storm, one, &reported))
        });
        if !taken[at] && !is_part && !is_echo {
            score.false_alarms.push(format!(
                "{} at {}, {}",
                one.pattern,
                format_second(one.start),
                factor_words(one)
            ));
        }
    }
    score
}

/// Whether both storms overlap and are either both silences or both not.
fn may_be(storm: &TrueStorm, one: &ReportedStorm) -> bool {
    let silence = Pattern::Silence;
    overlap(storm, one) >= 0
        && one.start < storm.last
        && (storm.pattern == silence) == (one.pattern == silence.id())
}

/// Overlap in seconds; negative if the storms are that far apart.
fn overlap(storm: &TrueStorm, one: &ReportedStorm) -> i64 {
    one.end.min(storm.last) - one.start.max(storm.first - ROUNDING)
}

fn is_named(storm: &TrueStorm, one: &ReportedStorm) -> bool {
    storm.accepted.iter().any(|pattern| pattern.id() == one.pattern)
}

fn has_factor(storm: &TrueStorm, one: &ReportedStorm) -> bool {
    let said = one.factor.as_ref();
    storm.factors.is_empty()
        || said.is_some_and(|(dimension, value)| {
            // The value may be a code followed by its enhanced code.
            let value = if dimension == "code" { value.split(' ').next().unwrap_or_default() } else { value };
            storm.factors.iter().any(|factor| factor.dimension == dimension && factor.value == value)
        })
}

fn same_as_found(storm: &TrueStorm, one: &ReportedStorm, all: &[ReportedStorm]) -> bool {
    all.iter().any(|other| overlap(storm, other) > 0 && other.factor.is_some() && other.factor == one.factor)
}

fn compare(storm: &TrueStorm, one: Option<&ReportedStorm>) -> StormScore {
    let Some(one) = one else {
        return StormScore {
            pattern: storm.pattern,
            variant: storm.variant,
            is_found: false,
            starts_right: false,
            starts_near: false,
            names_right: false,
            factor_right: false,
            words: format!(
                "not found: from {} to {}, {} events, {} in five minutes, usual {:.1}",
                format_second(storm.first),
                format_second(storm.last),
                storm.events,
                storm.peak,
                storm.usual
            ),
        };
    };
    let late = (one.start - storm.visible).max(0);
    let early = (storm.first - one.start).max(0);
    let (starts_right, starts_near) = (late.max(early) <= ROUNDING, late.max(early) <= NEAR);
    let (names_right, factor_right) = (is_named(storm, one), has_factor(storm, one));
    let mut words = Vec::new();
    if !starts_right {
        words.push(format!(
            "starts {} instead of {} to {}",
            format_second(one.start),
            format_second(storm.first),
            format_second(storm.visible)
        ));
    }
    if !names_right {
        words.push(format!("called {}", one.pattern));
    }
    if !factor_right {
        let wanted: Vec<String> = storm
            .factors
            .iter()
            .take(3)
            .map(|factor| format!("{} {}", factor.dimension, factor.value))
            .collect();
        words.push(format!("factor {} instead of {}", factor_words(one), wanted.join(" or ")));
    }
    StormScore {
        pattern: storm.pattern,
        variant: storm.variant,
        is_found: true,
        starts_right,
        starts_near,
        names_right,
        factor_right,
        words: words.join("; "),
    }
}

fn factor_words(one: &ReportedStorm) -> String {
    one.factor.as_ref().map_or_else(|| "none".to_owned(), |(dimension, value)| format!("{dimension} {value}"))
}

fn format_second(second: i64) -> String {
    Timestamp::from_second(second).unwrap_or_default().to_string()
}

fn read(answer: &Value, log_end: i64) -> Result<Vec<ReportedStorm>, String> {
    let storms = answer["storms"].as_array().ok_or("the answer has no list of storms")?;
    storms
        .iter()
        .map(|storm| {
            let moment = |key: &str| {
                storm[key].as_str().and_then(|text| text.parse::<Timestamp>().ok()).map(Timestamp::as_second)
            };
            let factor = &storm["factors"][0];
            let value = match &factor["value"] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Ok(ReportedStorm {
                start: moment("start").ok_or("a storm has no start")?,
                end: moment("end").unwrap_or(log_end),
                pattern: storm["pattern"].as_str().unwrap_or_default().to_owned(),
                factor: factor["dimension"].as_str().map(|dimension| (dimension.to_owned(), value)),
            })
        })
        .collect()
}
