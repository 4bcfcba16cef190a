//! Finds what a queue record's own line does not say of its message, on an earlier line of the session: the login of the
//! client, or that the client is this server itself.

use memchr::memmem;

use crate::input::read::block::{Block, CONTEXT};
use crate::parse::header::LogLine;
use crate::parse::mta::queue_record::QueueRecord;
use crate::parse::mta::session_line;
use crate::parse::unwrap;

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
    let mark = session_line::mark(record)?;
    let (earlier, near) = block.text_before(at, CONTEXT);
    let found = |text| nearest(text, mark, record, (line, raw));
    let told = found(near).or_else(|| found(earlier))?;
    let told = unwrap::unwrap_line(told, inside);
    session_line::with_session(record, (line, raw), (&LogLine::read(told), told))
}

/// The last line of the text that says more of the record.
#[inline(never)]
fn nearest<'b>(
    text: &'b [u8],
    mark: &[u8],
    record: &QueueRecord,
    (line, raw): (&LogLine, &[u8]),
) -> Option<&'b [u8]> {
    let starts = memmem::find_iter(text, mark).filter_map(|found| {
        let before = text.get(..found)?;
        Some(memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1))
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
