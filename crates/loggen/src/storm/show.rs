//! Formats the scores as tables and compares them with the targets.

use std::fmt::Write;

use super::pattern::Pattern;
use super::score::{Score, StormScore};

/// The targets: percentages, and false alarms in thirty clean days for `MOST_FALSE`.
const LEAST_FOUND: f64 = 97.;
const LEAST_STARTS: f64 = 92.;
const LEAST_NAMES: f64 = 95.;
const LEAST_FACTORS: f64 = 97.;
const MOST_FALSE: f64 = 0.5;

#[derive(Default, Clone, Copy)]
struct ScoreSums {
    all: u32,
    found: u32,
    starts: u32,
    near: u32,
    names: u32,
    factors: u32,
}

impl ScoreSums {
    fn add(&mut self, found: &StormScore) {
        self.all += 1;
        self.found += u32::from(found.is_found);
        self.starts += u32::from(found.starts_right);
        self.near += u32::from(found.starts_near);
        self.names += u32::from(found.names_right);
        self.factors += u32::from(found.factor_right);
    }
}

fn percent(part: u32, all: u32) -> f64 {
    if all == 0 { 0. } else { f64::from(part) * 100. / f64::from(all) }
}

/// Returns the text to print and whether every target is met. Starts, patterns and factors are percentages of the
/// storms found.
pub fn show(scores: &[Score]) -> (String, bool) {
    let mut text = String::new();
    misses(&mut text, scores);
    let mut all = ScoreSums::default();
    let line = format!(
        "{:<18} {:>6} {:>7} {:>7} {:>7} {:>8} {:>7}",
        "pattern", "storms", "found", "start", "±5 min", "pattern", "factor"
    );
    put(&mut text, &line);
    for &pattern in Pattern::all() {
        let mut sums = ScoreSums::default();
        for found in scores.iter().flat_map(|score| &score.storms).filter(|found| found.pattern == pattern) {
            sums.add(found);
            all.add(found);
        }
        if sums.all > 0 {
            put(&mut text, &row(pattern.id(), sums));
        }
    }
    put(&mut text, &row("all", all));
    let clean: Vec<&Score> = scores.iter().filter(|score| score.is_clean).collect();
    let days: u64 = clean.iter().map(|score| score.days).sum();
    let false_alarms: usize = clean.iter().map(|score| score.false_alarms.len()).sum();
    let elsewhere: usize =
        scores.iter().filter(|score| !score.is_clean).map(|score| score.false_alarms.len()).sum();
    let rate_limit = if days == 0 { 0. } else { false_alarms as f64 * 30. / days as f64 };
    put(&mut text, "");
    let targets = [
        ("storms found %", percent(all.found, all.all), LEAST_FOUND, true),
        ("starts right %", percent(all.starts, all.found), LEAST_STARTS, true),
        ("pattern right %", percent(all.names, all.found), LEAST_NAMES, true),
        ("main factor right %", percent(all.factors, all.found), LEAST_FACTORS, true),
        ("false alarms per 30 clean days", rate_limit, MOST_FALSE, false),
    ];
    let mut is_met = scores.iter().all(|score| score.failure.is_none());
    for (name, value, target, is_least) in targets {
        // Without storms, every target of detection is met.
        let good = is_least && all.all == 0 || (if is_least { value >= target } else { value <= target });
        is_met &= good;
        let (sign, word) = (if is_least { "≥" } else { "≤" }, if good { "met" } else { "MISSED" });
        put(&mut text, &format!("{name:<32} {value:>6.1}   {sign} {target:<4} {word}"));
    }
    put(
        &mut text,
        &format!(
            "{days} clean days; {elsewhere} more false alarms in {} logs with storms",
            scores.len() - clean.len()
        ),
    );
    (text, is_met)
}

fn put(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a String takes all");
}

fn row(name: &str, sums: ScoreSums) -> String {
    let of_found = |part| percent(part, sums.found);
    format!(
        "{name:<18} {:>6} {:>6.1}% {:>6.1}% {:>6.1}% {:>7.1}% {:>6.1}%",
        sums.all,
        percent(sums.found, sums.all),
        of_found(sums.starts),
        of_found(sums.near),
        of_found(sums.names),
        of_found(sums.factors)
    )
}

fn misses(text: &mut String, scores: &[Score]) {
    for score in scores {
        let name = &score.name;
        if let Some(failure) = &score.failure {
            put(text, &format!("{name}: no answer: {failure}"));
        }
        for found in score.storms.iter().filter(|found| !found.words.is_empty()) {
            put(text, &format!("{name}: {} ({}): {}", found.pattern.id(), found.variant, found.words));
        }
        for alarm in &score.false_alarms {
            put(text, &format!("{name}: false alarm: {alarm}"));
        }
    }
    if !text.is_empty() {
        put(text, "");
    }
}
