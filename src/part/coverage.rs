//! The coverage of a scan as a part keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::collections::wire::ByteText;
use crate::pipeline::coverage::Coverage;
use crate::pipeline::sink::LineOffset;

/// See [`Coverage`].
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptCoverage {
    lines: u64,
    bytes: u64,
    event: u64,
    repeats: u64,
    more_events: u64,
    routine: u64,
    unread: u64,
    foreign: u64,
    filtered: u64,
    undated: u64,
    outside: Option<(i64, i64)>,
    unread_lines: Vec<(LineOffset, ByteText)>,
    foreign_lines: Vec<(LineOffset, ByteText)>,
    without_year: Vec<usize>,
    minutes: Option<(i64, i64)>,
}

impl KeptCoverage {
    pub(crate) fn of(coverage: &Coverage) -> Self {
        let kept = |lines: &[(LineOffset, Vec<u8>)]| {
            lines.iter().map(|(place, line)| (*place, ByteText(line.clone()))).collect()
        };
        Self {
            lines: coverage.lines,
            bytes: coverage.bytes,
            event: coverage.event,
            repeats: coverage.repeats,
            more_events: coverage.more_events,
            routine: coverage.routine,
            unread: coverage.unread,
            foreign: coverage.foreign,
            filtered: coverage.filtered,
            undated: coverage.undated,
            outside: coverage.outside,
            unread_lines: kept(&coverage.unread_lines),
            foreign_lines: kept(&coverage.foreign_lines),
            without_year: coverage.without_year.iter().copied().collect(),
            minutes: coverage.minutes,
        }
    }

    /// The coverage again, with the files counted on from those before.
    pub(crate) fn coverage(self, files_before: usize) -> Coverage {
        let file = |number: usize| number.saturating_add(files_before);
        let lines = |kept: Vec<(LineOffset, ByteText)>| {
            let moved = kept
                .into_iter()
                .map(|(place, line)| (LineOffset { file: file(place.file), ..place }, line.0));
            moved.collect::<Vec<_>>()
        };
        Coverage {
            lines: self.lines,
            bytes: self.bytes,
            event: self.event,
            repeats: self.repeats,
            more_events: self.more_events,
            routine: self.routine,
            unread: self.unread,
            foreign: self.foreign,
            filtered: self.filtered,
            undated: self.undated,
            outside: self.outside,
            unread_lines: lines(self.unread_lines),
            foreign_lines: lines(self.foreign_lines),
            without_year: self.without_year.into_iter().map(file).collect(),
            minutes: self.minutes,
            files: BTreeMap::new(),
        }
    }
}
