//! Finds what a queue record's own line does not say of its message, on an earlier line of the session: the login of the
//! client, or that the client is this server itself.

use memchr::memmem::Finder;

use super::sink::{EventSink, LineOffset, LoggedQueueRecord};
use crate::input::read::block::{Block, CONTEXT};
use crate::parse::header::LogLine;
use crate::parse::mta::queue_record::QueueRecord;
use crate::parse::mta::session_line;
use crate::parse::unwrap;

/// Passes a record on with what its session says of it. `raw` is the whole of `line`, which begins at `at` of the block.
pub(crate) fn pass_on(
    sink: &mut impl EventSink,
    record: &QueueRecord,
    (line, raw): (&LogLine, &[u8]),
    (block, at): (&Block, usize),
    minute: Option<i64>,
) {
    let place = LineOffset { file: block.file, offset: block.offset + at as u64 };
    let mut inside = Vec::new();
    let told = with_session(record, (line, raw), block, at, &mut inside);
    sink.queue_record(&LoggedQueueRecord::new(told.as_ref().unwrap_or(record), place, line, raw, minute));
}

/// The record with what the nearest earlier line of its session says. `raw` is the whole of `line`; `inside` is the buffer for
/// the earlier line, if it is wrapped. `None`: the record's line says all, or the session began too long ago.
///
/// It searches the last [`CONTEXT`] bytes before the line and no more, so that the answer is the same however a file is cut
/// into blocks.
#[inline]
pub(crate) fn with_session<'b>(
    record: &QueueRecord<'b>,
    (line, raw): (&LogLine, &[u8]),
    block: &Block<'b>,
    at: usize,
    inside: &'b mut Vec<u8>,
) -> Option<QueueRecord<'b>> {
    let marks = session_line::marks(record)?;
    let (earlier, near) = block.text_before(at, CONTEXT);
    let found = |text| nearest(text, marks, record, (line, raw));
    let told = found(near).or_else(|| found(earlier))?;
    let told = unwrap::unwrap_line(told, inside);
    session_line::with_session(record, (line, raw), (&LogLine::read(told), told))
}

/// The last line of the text that says more of the record.
#[inline(never)]
fn nearest<'b>(
    text: &'b [u8],
    (mark, of_session): (&Finder, &[u8]),
    record: &QueueRecord,
    (line, raw): (&LogLine, &[u8]),
) -> Option<&'b [u8]> {
    // Most such lines are of other sessions, and to read them all would take as long as to read the line itself.
    let starts = mark.find_iter(text).filter_map(|found| {
        let start = memchr::memrchr(b'\n', text.get(..found)?).map_or(0, |newline| newline + 1);
        let rest = text.get(start..)?;
        let told = rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len()))?;
        memchr::memmem::find(told, of_session).map(|_| start)
    });
    let mut starts: Vec<usize> = starts.collect();
    starts.dedup();
    starts.into_iter().rev().find_map(|start| {
        let rest = text.get(start..)?;
        let told = rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len()))?;
        let told = told.strip_suffix(b"\r").unwrap_or(told);
        let mut inside = Vec::new();
        let unwrapped = unwrap::unwrap_line(told, &mut inside);
        let other = LogLine::read(unwrapped);
        let is_same_host = other.host.is_empty() || other.host == line.host;
        let says_more =
            is_same_host && session_line::with_session(record, (line, raw), (&other, unwrapped)).is_some();
        says_more.then_some(told)
    })
}
