//! Recognizes lines that repeat an event of a line before them.

use crate::input::read::block::Block;
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::unwrap;
use crate::smtp::event::Event;

/// How far before a line its first copy may stand, in bytes; every block carries more text than that.
const COPY_DISTANCE: usize = 4 << 10;

/// Whether the line only repeats an event. Exim sends a rejection to syslog twice, for its mainlog and its rejectlog; only the
/// first counts. The copies may be cut to different lengths, so the shorter text is the beginning of the longer. A client may
/// be rejected for the same reason again at once, so of lines with the same text every second one is a copy.
///
/// Postfix repeats some refusals too, see [`mta::may_report_again`].
pub(crate) fn is_duplicate(event: &Event, line: &LogLine, block: &Block, at: usize) -> bool {
    if mta::may_report_again(event, line) {
        let mut reports = 0;
        each_before(block, at, |other| reports += mta::reports_again(event, line, other));
        return reports > 0;
    }
    let Some(text) = mta::copied_text(event, line) else { return false };
    let mut copies = 0_usize;
    each_before(block, at, |other| {
        let is_copy = |words: &[u8]| words.len() > 16 && (text.starts_with(words) || words.starts_with(text));
        let is_same = other.program == line.program && mta::copied_text(event, other).is_some_and(is_copy);
        copies += usize::from(is_same);
    });
    copies % 2 == 1
}

/// Calls `visit` with each line in the [`COPY_DISTANCE`] bytes before the line at `at`.
fn each_before(block: &Block, at: usize, mut visit: impl FnMut(&LogLine)) {
    let (earlier, near) = block.text_before(at, COPY_DISTANCE);
    let lines = near.rsplit(|&byte| byte == b'\n').chain(earlier.rsplit(|&byte| byte == b'\n'));
    let mut inside = Vec::new();
    for raw in lines {
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        visit(&LogLine::read(unwrap::unwrap_line(raw, &mut inside)));
    }
}
