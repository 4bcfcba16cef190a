//! Keeps hand-offs until it is known whether the message appears again, and then counts them.

use hashbrown::HashSet;

use crate::catalog::Catalog;
use crate::messages::key::PrehashedState;
use crate::messages::recent_ids::IdHash;
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::mta::parsed::ParsedLine;
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::{EventSink, LineOffset, LoggedEvent};
use crate::smtp::event::Event;
use crate::tally::Tally;

/// Hand-overs that wait until a line tells of the message that came of them, in their order.
#[derive(Default)]
pub(crate) struct PendingHandOffs {
    /// Their lines, one behind the other.
    text: Vec<u8>,
    pub lines: Vec<PendingHandOffLine>,
}

pub(crate) struct PendingHandOffLine {
    /// Where its line ends in the text.
    end: usize,
    place: LineOffset,
    moment: Option<LogTime>,
    /// Of the message that came of it.
    pub copy: IdHash,
    /// What other lines say. None: nothing, or nobody asked.
    sender: Option<Box<[u8]>>,
    user: Option<Box<[u8]>>,
    client: Option<Box<[u8]>>,
}

impl PendingHandOffs {
    pub(crate) fn keep(&mut self, told: &LoggedEvent, copy: IdHash) {
        self.text.extend_from_slice(told.raw);
        let owned = |text: Option<&[u8]>| text.map(Box::from);
        self.lines.push(PendingHandOffLine {
            end: self.text.len(),
            place: told.place,
            moment: told.moment,
            copy,
            sender: owned(told.event.sender),
            user: owned(told.user),
            client: owned(told.client),
        });
    }

    fn put_back(&mut self, raw: &[u8], line: PendingHandOffLine) {
        self.text.extend_from_slice(raw);
        self.lines.push(PendingHandOffLine { end: self.text.len(), ..line });
    }

    /// Tells the tally what became of those whose message was `found`, and with `all` the rest, which are deliveries; what
    /// is left goes on waiting.
    pub(crate) fn settle(
        &mut self,
        found: &HashSet<IdHash, PrehashedState>,
        all: bool,
        tally: &mut Tally,
        book: &Catalog,
    ) {
        let waited = std::mem::take(self);
        let mut start = 0;
        for line in waited.lines {
            let end = line.end;
            let raw = waited.text.get(start..end).unwrap_or_default();
            start = end;
            if found.contains(&line.copy) {
                tally.hops += 1;
            } else if all {
                delivered(tally, raw, &line, book);
            } else {
                self.put_back(raw, line);
            }
        }
    }

    pub(crate) fn append(&mut self, other: Self) {
        let before = self.text.len();
        self.text.extend_from_slice(&other.text);
        self.lines.extend(
            other.lines.into_iter().map(|line| PendingHandOffLine { end: line.end + before, ..line }),
        );
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity() + self.lines.capacity() * size_of::<PendingHandOffLine>()
    }
}

/// Counts a line that is no hop after all.
fn delivered(tally: &mut Tally, raw: &[u8], line: &PendingHandOffLine, book: &Catalog) {
    let read = LogLine::read(raw);
    let ParsedLine::Event(event) = mta::read(&read) else { return };
    let event = Event { sender: line.sender.as_deref(), ..event };
    tally.event(&LoggedEvent {
        place: line.place,
        line_in_block: 0,
        line: &read,
        raw,
        moment: line.moment,
        event: &event,
        // It went well.
        verdict: None,
        user: line.user.as_deref(),
        client: line.client.as_deref(),
        book,
    });
}
