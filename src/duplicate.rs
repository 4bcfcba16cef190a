//! Recognizes the second copy of a rejection that Exim sends to syslog twice.

use crate::envelope;
use crate::event::{Direction, Event, Mta};
use crate::input::block::{Block, CONTEXT};
use crate::line::Line;
use crate::mta;

/// Exim sends a refusal to syslog twice, for its mainlog and for its rejectlog: one event, told by the first. Long
/// lines are cut differently, so the shorter text is the beginning of the longer. A client may be refused the same
/// thing again at once, so every second one of the same text is a copy.
pub fn told_before(event: &Event, line: &Line, block: &Block, at: usize) -> bool {
    if event.mta != Mta::Exim || event.direction != Direction::Inbound || line.program.is_empty() {
        return false;
    }
    let text = mta::exim::words(line);
    let before = block.lines.get(..at).unwrap_or_default();
    let near = before.get(before.len().saturating_sub(CONTEXT)..).unwrap_or_default();
    let room = CONTEXT.saturating_sub(near.len()).min(block.before.len());
    let earlier = block.before.get(block.before.len() - room..).unwrap_or_default();
    let same = |raw: &&[u8]| {
        let mut inside = Vec::new();
        let other = Line::read(envelope::open(raw.strip_suffix(b"\r").unwrap_or(raw), &mut inside));
        let words = mta::exim::words(&other);
        other.program == line.program
            && words.len() > 16
            && (text.starts_with(words) || words.starts_with(text))
    };
    let lines = near.rsplit(|&byte| byte == b'\n').chain(earlier.rsplit(|&byte| byte == b'\n'));
    lines.filter(same).count() % 2 == 1
}
