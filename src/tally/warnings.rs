//! Counts the servers' own warnings by their masked text.
//!
//! Memory is bounded by a bottom-k sample: of more texts than fit, those with the smallest hashes are kept (Cohen and Kaplan,
//! "Summarizing data using bottom-k sketches", 2007). A text that is kept was never dropped before, so that its count is
//! exact, and the same texts are kept in whatever order the blocks are counted.

use std::collections::BTreeMap;

use crate::collections::stable_hash::{PART_SEED, StableHash};
use crate::parse::mta::server_warning::{ServerWarning, Severity};
use crate::pipeline::sink::{LineOffset, LoggedWarning};
use crate::smtp::event::Mta;

/// The largest number of different texts that are kept. A server has a few hundred warnings.
const TEXT_LIMIT: usize = 2_048;
/// The longest example, in bytes.
const EXAMPLE_LIMIT: usize = 512;

/// The counts of the servers' own warnings.
#[derive(Default)]
pub struct WarningCounts {
    pub(super) by_text: BTreeMap<WarningKey, WarningCount>,
    /// Warnings whose text was dropped.
    pub others: u64,
}

/// Ordered by the hash, which decides what is kept.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WarningKey {
    hash: u64,
    pub mta: Mta,
    pub severity: Severity,
    /// Printable ASCII.
    pub text: Box<[u8]>,
}

impl WarningKey {
    pub(crate) fn new(mta: Mta, severity: Severity, text: &[u8]) -> Self {
        // The seed is fixed, so that every thread and every run keeps the same texts.
        let hash = StableHash::new(PART_SEED).text(&[mta as u8, severity as u8]).text(text).finish();
        Self { hash, mta, severity, text: text.into() }
    }
}

/// The count of one text.
#[derive(Clone)]
pub(crate) struct WarningCount {
    pub lines: u64,
    /// The first and the last minute, counted from 1970-01-01T00:00Z. `None`: no line has a valid timestamp.
    pub minutes: Option<(i64, i64)>,
    pub(super) place: LineOffset,
    /// The last line.
    pub example: Vec<u8>,
}

impl WarningCounts {
    pub(crate) fn count(&mut self, logged: &LoggedWarning) {
        let ServerWarning { mta, severity, .. } = logged.warning;
        let key = WarningKey::new(mta, severity, logged.masked());
        let example = logged.raw.get(..EXAMPLE_LIMIT).unwrap_or(logged.raw);
        let minutes = logged.minute.map(|minute| (minute, minute));
        match self.by_text.get_mut(&key) {
            Some(count) => {
                count.lines += 1;
                count.minutes = joined(count.minutes, minutes);
                if logged.place > count.place {
                    count.place = logged.place;
                    count.example.clear();
                    count.example.extend_from_slice(example);
                }
            }
            None => {
                let count =
                    WarningCount { lines: 1, minutes, place: logged.place, example: example.to_vec() };
                self.by_text.insert(key, count);
                self.drop_excess();
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.others += other.others;
        for (key, count) in other.by_text {
            self.add(key, count);
        }
        self.drop_excess();
    }

    /// The counts with other texts and examples. Counts whose texts become the same are added.
    pub(crate) fn rewritten(
        self,
        text: impl Fn(&[u8]) -> Vec<u8>,
        example: impl Fn(&[u8]) -> Vec<u8>,
    ) -> Self {
        let mut counts = Self { others: self.others, ..Self::default() };
        for (key, mut count) in self.by_text {
            count.example = example(&count.example);
            counts.add(WarningKey::new(key.mta, key.severity, &text(&key.text)), count);
        }
        counts
    }

    pub(super) fn add(&mut self, key: WarningKey, count: WarningCount) {
        match self.by_text.get_mut(&key) {
            Some(mine) => mine.merge(count),
            None => {
                self.by_text.insert(key, count);
            }
        }
    }

    fn drop_excess(&mut self) {
        while self.by_text.len() > TEXT_LIMIT {
            self.others += self.by_text.pop_last().map_or(0, |(_, count)| count.lines);
        }
    }

    /// Each text once, in an order that depends on nothing but the texts.
    pub(crate) fn into_counts(self) -> impl Iterator<Item = (WarningKey, WarningCount)> {
        self.by_text.into_iter()
    }
}

impl WarningCount {
    fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.minutes = joined(self.minutes, other.minutes);
        if other.place > self.place {
            (self.place, self.example) = (other.place, other.example);
        }
    }
}

fn joined(a: Option<(i64, i64)>, b: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::header::LogLine;

    fn counts(texts: impl Iterator<Item = (u64, String)>) -> WarningCounts {
        let mut counts = WarningCounts::default();
        for (offset, text) in texts {
            let warning =
                ServerWarning { mta: Mta::Postfix, severity: Severity::Warning, text: text.as_bytes() };
            let line = LogLine::read(text.as_bytes());
            let place = LineOffset { file: 0, offset };
            let (raw, minute) = (text.as_bytes(), Some(offset as i64));
            counts.count(&LoggedWarning::new(warning, place, &line, raw, minute));
        }
        counts
    }

    fn letters(mut number: u64) -> String {
        let mut word = String::new();
        while number > 0 {
            word.push(char::from(b'a' + (number % 26) as u8));
            number /= 26;
        }
        word
    }

    #[test]
    fn what_is_kept_does_not_depend_on_the_order() {
        let texts =
            |from: u64, to: u64| (from..to).map(|at| (at, format!("cannot open {}", letters(at % 5_000))));
        let mut one = counts(texts(0, 12_000));
        let mut parts: Vec<WarningCounts> =
            (0..4).map(|part| counts(texts(part * 3_000, (part + 1) * 3_000))).collect();
        let mut other = parts.pop().expect("four parts");
        for part in parts {
            other.merge(part);
        }
        for counts in [&mut one, &mut other] {
            assert_eq!(counts.by_text.len(), TEXT_LIMIT);
        }
        assert_eq!(one.others, other.others);
        let sum = |counts: &WarningCounts| counts.by_text.values().map(|count| count.lines).sum::<u64>();
        assert_eq!(sum(&one) + one.others, 12_000);
        let rows = |counts: WarningCounts| {
            let rows = counts.into_counts();
            rows.map(|(key, count)| (key.text, count.lines, count.minutes, count.example)).collect::<Vec<_>>()
        };
        assert_eq!(rows(one), rows(other));
    }
}
