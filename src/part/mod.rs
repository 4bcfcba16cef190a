//! Writes what a scan counted to a file, a part, and reads parts of many scans back, which merge into the report of one.
//!
//! `docs/part.md` describes the file byte by byte.
//!
//! Promises: a part is read whole and as it was written, or is an error; parts that cannot be added up are refused by name.
//! May use: scan and what lies below it.

pub(crate) mod coverage;
pub(crate) mod error;
pub(crate) mod expected;
pub(crate) mod file;
pub(crate) mod head;
pub(crate) mod order;
mod section_reader;
mod section_writer;

use crate::pipeline::coverage::Coverage;
use crate::scan::counted_part::CountedPart;
use crate::storm::sample::wire::KeptStorms;

/// A part: what a scan counted, and what other scans must know to add it to theirs.
pub(crate) struct LogPart {
    pub head: head::PartHead,
    pub coverage: Coverage,
    pub counts: CountedPart,
    /// What storms are found in. `None`: nobody asked for them when the part was made.
    pub storms: Option<KeptStorms>,
}
