//! Keeps hand-offs until it is known whether the message appears again, and then counts them.

use hashbrown::HashSet;

use crate::catalog::Book;
use crate::messages::key::Plain;
use crate::messages::recent_ids::IdHash;
use crate::parse::header::Line;
use crate::parse::mta;
use crate::parse::mta::parsed::Reading;
use crate::parse::timestamp::Moment;
use crate::pipeline::walk::{Listener, Place, Told};
use crate::smtp::event::Event;
use crate::tally::Tally;

/// Hand-overs that wait until a line tells of the message that came of them, in their order.
#[derive(Default)]
pub struct Unsure {
    /// Their lines, one behind the other.
    text: Vec<u8>,
    pub lines: Vec<Handover>,
}

pub struct Handover {
    /// Where its line ends in the text.
    end: usize,
    place: Place,
    moment: Option<Moment>,
    /// Of the message that came of it.
    pub copy: IdHash,
    /// What other lines say. None: nothing, or nobody asked.
    sender: Option<Box<[u8]>>,
    user: Option<Box<[u8]>>,
    client: Option<Box<[u8]>>,
}

impl Unsure {
    pub fn keep(&mut self, told: &Told, copy: IdHash) {
        self.text.extend_from_slice(told.raw);
        let owned = |text: Option<&[u8]>| text.map(Box::from);
        self.lines.push(Handover {
            end: self.text.len(),
            place: told.place,
            moment: told.moment,
            copy,
            sender: owned(told.event.sender),
            user: owned(told.user),
            client: owned(told.client),
        });
    }

    fn put_back(&mut self, raw: &[u8], line: Handover) {
        self.text.extend_from_slice(raw);
        self.lines.push(Handover { end: self.text.len(), ..line });
    }

    /// Tells the tally what became of those whose message was `found`, and with `all` the rest, which are deliveries; what
    /// is left goes on waiting.
    pub fn settle(&mut self, found: &HashSet<IdHash, Plain>, all: bool, tally: &mut Tally, book: &Book) {
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

    pub fn append(&mut self, other: Self) {
        let before = self.text.len();
        self.text.extend_from_slice(&other.text);
        self.lines.extend(other.lines.into_iter().map(|line| Handover { end: line.end + before, ..line }));
    }

    pub fn bytes(&self) -> usize {
        self.text.capacity() + self.lines.capacity() * size_of::<Handover>()
    }
}

/// Counts a line that is no hop after all.
fn delivered(tally: &mut Tally, raw: &[u8], line: &Handover, book: &Book) {
    let read = Line::read(raw);
    let Reading::Event(event) = mta::read(&read) else { return };
    let event = Event { sender: line.sender.as_deref(), ..event };
    tally.event(&Told {
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
