//! Draws the plan of a case from a seed: server, days, traffic and storms.

use clap::ValueEnum;
use jiff::{ToSpan, civil::Date};
use serde::Serialize;

use super::arrivals::spread;
use super::pattern::Pattern;
use crate::log::rng::Rng;
use crate::log::{Mta, Stamp};

/// Two sets of names, texts and settings, so that detection is not tuned to one of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    Usual,
    Other,
}

/// Unusual traffic that is no storm.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Calm {
    Plain,
    /// Greylisting here and at many destinations.
    Greylisting,
    /// A wanted newsletter with a few dead addresses.
    Newsletter,
}

#[derive(Clone, Debug)]
pub struct CasePlan {
    pub seed: u64,
    pub style: Style,
    pub mta: Mta,
    pub stamp: Stamp,
    pub start: Date,
    pub days: u64,
    pub messages_per_day: u64,
    pub calm: Calm,
    /// Empty for a clean log.
    pub storms: Vec<Pattern>,
    /// Factor applied to the drawn rate of a storm, so that it can be detected.
    pub boost: f64,
}

impl CasePlan {
    /// A plan with one storm, in one case of six with two; every pattern is equally frequent.
    pub fn with_storms(seed: u64, style: Style) -> Self {
        let mut rng = Rng::new(seed ^ 0x0057_0025);
        let all = Pattern::all();
        let first = all[(seed % all.len() as u64) as usize];
        let mut storms = vec![first];
        if first != Pattern::Silence && rng.chance(170) {
            let other = all[rng.below(all.len() as u64 - 1) as usize];
            if other != first {
                storms.push(other);
            }
        }
        Self::draw(rng, seed, style, storms)
    }

    /// A plan without storms; a third of the plans have greylisting and a third a newsletter.
    pub fn clean(seed: u64, style: Style) -> Self {
        Self::draw(Rng::new(seed ^ 0x0c1e_a700), seed, style, Vec::new())
    }

    fn draw(mut rng: Rng, seed: u64, style: Style, storms: Vec<Pattern>) -> Self {
        let least = storms.iter().map(|pattern| pattern.least_traffic()).max().unwrap_or(200);
        let messages_per_day =
            spread(&mut rng, 200., 50_000.).max(least as f64 * spread(&mut rng, 1., 2.5)).min(50_000.) as u64;
        let days = match messages_per_day {
            0..3000 => [1, 2, 3, 3, 5, 7][rng.below(6) as usize],
            3000..12_000 => [1, 2, 2, 3][rng.below(4) as usize],
            _ => [1, 1, 2][rng.below(3) as usize],
        };
        let exim = if style == Style::Other { 700 } else { 400 };
        let mta = if rng.chance(exim) { Mta::Exim } else { Mta::Postfix };
        let stamp = match mta {
            Mta::Postfix if rng.chance(500) => Stamp::Rfc3339,
            Mta::Postfix => Stamp::Bsd,
            Mta::Exim if rng.chance(120) => Stamp::Bsd,
            Mta::Exim => Stamp::Exim,
        };
        let start =
            jiff::civil::date(2026, 3, 2).checked_add((rng.below(180) as i64).days()).unwrap_or_default();
        let calm = match (storms.is_empty(), rng.below(9)) {
            (true, 0..3) | (false, 0) => Calm::Greylisting,
            (true, 3..6) | (false, 1) => Calm::Newsletter,
            _ => Calm::Plain,
        };
        Self { seed, style, mta, stamp, start, days, messages_per_day, calm, storms, boost: 1. }
    }

    /// Puts the next pattern that the plan does not have in the place of a storm that cannot be detected. There is mail enough
    /// for it, and a silence is never the second storm.
    pub(crate) fn replace(&mut self, number: usize) {
        let all = Pattern::all();
        let Some(weak) = self.storms.get(number).copied() else { return };
        let at = all.iter().position(|pattern| *pattern == weak).unwrap_or_default();
        let fits = |pattern: &&Pattern| {
            !self.storms.contains(*pattern) && (**pattern != Pattern::Silence || self.storms.len() == 1)
        };
        if let Some(&next) = all.iter().cycle().skip(at + 1).take(all.len()).find(fits) {
            self.storms[number] = next;
            self.messages_per_day = self.messages_per_day.max(next.least_traffic());
        }
    }

    pub fn name(&self) -> String {
        let word = if self.storms.is_empty() { "clean" } else { "storm" };
        format!("{word}-{:05}", self.seed)
    }
}
