//! Recognizes the second copy of a rejection that Exim sends to syslog twice.

use crate::input::read::block::Block;
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::unwrap;
use crate::smtp::event::Event;

/// How far before a line its first copy may stand, in bytes; every block carries more text than that.
const COPY_DISTANCE: usize = 4 << 10;

/// Whether the line is a copy. Exim sends a rejection to syslog twice, for its mainlog and its rejectlog; only the first
/// counts. The copies may be cut to different lengths, so the shorter text is the beginning of the longer. A client may
/// be rejected for the same reason again at once, so of lines with the same text every second one is a copy.
pub(crate) fn is_duplicate(event: &Event, line: &LogLine, block: &Block, at: usize) -> bool {
    let Some(text) = mta::copied_text(event, line) else { return false };
    let (earlier, near) = block.text_before(at, COPY_DISTANCE);
    let same = |raw: &&[u8]| {
        let mut inside = Vec::new();
        let other = LogLine::read(unwrap::unwrap_line(raw.strip_suffix(b"\r").unwrap_or(raw), &mut inside));
        let is_copy = |words: &[u8]| words.len() > 16 && (text.starts_with(words) || words.starts_with(text));
        other.program == line.program && mta::copied_text(event, &other).is_some_and(is_copy)
    };
    let lines = near.rsplit(|&byte| byte == b'\n').chain(earlier.rsplit(|&byte| byte == b'\n'));
    lines.filter(same).count() % 2 == 1
}
