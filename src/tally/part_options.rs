//! How the tally of a part is read.

use foldhash::fast::RandomState;
use jiff::tz::TimeZone;

use super::group_by::{EXAMPLE_LIMIT, Examples};
use crate::pipeline::sink::LineOffset;

/// What the tally of a part is read for.
#[derive(Clone)]
pub(crate) struct TallyOptions {
    pub hasher: RandomState,
    /// Number of example lines of each row.
    pub examples: usize,
    pub zone: TimeZone,
    /// Number of the first file of the part among those of all parts.
    pub files_before: usize,
}

/// A pseudonym is longer than a name, so a redacted line may be longer than a line of a log.
const LONGEST_EXAMPLE: usize = 8 * EXAMPLE_LIMIT;

impl TallyOptions {
    pub(super) fn place(&self, place: LineOffset) -> LineOffset {
        LineOffset { file: place.file.saturating_add(self.files_before), ..place }
    }

    pub(super) fn examples(&self, examples: Examples, limit: usize) -> Examples {
        let lines = examples.lines.into_iter().map(|(place, mut line)| {
            line.truncate(LONGEST_EXAMPLE);
            (self.place(place), line)
        });
        Examples::latest_of(lines.collect(), limit)
    }
}
