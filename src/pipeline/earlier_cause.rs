//! Classifies failures whose own line does not tell the cause, by an earlier line that does.

use memchr::memmem::Finder;

use crate::catalog::classify::{Classification, Classifier, Reason};
use crate::input::read::block::{Block, CONTEXT};
use crate::parse::header::LogLine;
use crate::parse::{mta, unwrap};
use crate::smtp::event::Event;

/// The classification of an event. It searches the last [`CONTEXT`] bytes before the line and no more, so that the answer is
/// the same however a file is cut into blocks. `None`: the event is no failure.
#[inline]
pub(crate) fn classify(
    classifier: &mut Classifier,
    event: &Event,
    line: &LogLine,
    block: &Block,
    at: usize,
) -> Option<Classification> {
    let own = classifier.classify(event)?;
    Some(match mta::cause_mark(event) {
        None => own,
        Some(mark) => classify_by_mark(classifier, own, mark, event, line, block, at),
    })
}

/// `own` is what the line of the event itself says; `mark` is in the lines that may tell more.
#[inline(never)]
fn classify_by_mark(
    classifier: &mut Classifier,
    own: Classification,
    mark: &[u8],
    event: &Event,
    line: &LogLine,
    block: &Block,
    at: usize,
) -> Classification {
    let (earlier, near) = block.text_before(at, CONTEXT);
    let finder = Finder::new(mark);
    let mut told = |text| {
        let starts: Vec<usize> = finder.find_iter(text).map(|found| line_start(text, found)).collect();
        starts.chunk_by(|a, b| a == b).rev().find_map(|lines| {
            let mut inside = Vec::new();
            let raw = text.get(*lines.first()?..)?;
            let raw = raw.get(..memchr::memchr(b'\n', raw).unwrap_or(raw.len()))?;
            let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
            let other = LogLine::read(unwrap::unwrap_line(raw, &mut inside));
            let is_same_host = other.host.is_empty() || other.host == line.host;
            let cause = mta::earlier_cause(event, &other).filter(|_| is_same_host)?;
            classifier.classify(&cause).filter(|told| told.reason != Reason::Unknown)
        })
    };
    let told = told(near).or_else(|| told(earlier));
    told.map_or(own, |told| Classification { provider: own.provider.or(told.provider), ..told })
}

/// Where the line that holds this offset begins.
fn line_start(text: &[u8], offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or_default();
    memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1)
}
