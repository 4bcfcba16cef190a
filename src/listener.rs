//! Defines what a walk tells about each line of a log, and the traits of those who count it.

use crate::book::Book;
use crate::event::Event;
use crate::input::set::Held;
use crate::line::Line;
use crate::mta::fact::Fact;
use crate::provider::Provider;
use crate::reason::{Verdict, provider};
use crate::time::Moment;

/// An event with all that is known of its line.
pub struct Told<'a> {
    pub place: Place,
    /// The line's number in its block, from 0.
    pub line_in_block: u64,
    pub line: &'a Line<'a>,
    /// Of a line in a wrapper, the line inside.
    pub raw: &'a [u8],
    /// None: the line has no stamp that is a date.
    pub moment: Option<Moment>,
    pub event: &'a Event<'a>,
    /// None: it went well.
    pub verdict: Option<Verdict>,
    /// As whom the client logged in that handed the message over; for who follows messages. None: nobody knows.
    pub user: Option<&'a [u8]>,
    /// The address that the message came from, in the same way.
    pub client: Option<&'a [u8]>,
    pub book: &'a Book,
}

impl Told<'_> {
    /// Who runs the other side: by the words of the reply, else by its name or the recipient's.
    pub fn provider(&self) -> Option<Provider> {
        let told = self.verdict.and_then(|verdict| verdict.provider);
        told.or_else(|| provider(self.event, self.book))
    }
}

/// What a routine line says about a message.
pub struct Noted<'a> {
    pub fact: &'a Fact<'a>,
    pub place: Place,
    pub line: &'a Line<'a>,
    /// Of a line in a wrapper, the line inside.
    pub raw: &'a [u8],
    /// The line's minute, counted from 1970-01-01T00:00Z. None: the line has no stamp that is a date.
    pub minute: Option<i64>,
}

/// Where a line begins: the number of its file in the set, and bytes in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    pub file: usize,
    pub offset: u64,
}

/// Who listens to events: one a thread, merged by its owner. It is told events in the order of a block, and blocks
/// in any order; what it gives back at a block's end is folded in the order of the files.
pub trait Listener: Send {
    type Handover: Send + Held;

    fn event(&mut self, told: &Told);

    /// An event that the filter does not admit, for who follows messages through all of their events.
    fn left_out(&mut self, _told: &Told) {}

    fn fact(&mut self, _noted: &Noted) {}

    /// `lines` is how many the block had.
    fn end_of_block(&mut self, file: usize, lines: u64) -> Self::Handover;
}

/// What a walk adds up: one listener for each thread, and one total that takes what they hand over in the order of the
/// blocks.
pub trait Aggregation: Sync {
    type Listener: Listener;
    type Total: Send;

    fn listener(&self) -> Self::Listener;

    /// The total at the beginning of a walk.
    fn start(&self) -> Self::Total;

    fn fold(total: &mut Self::Total, handover: <Self::Listener as Listener>::Handover);

    /// Events that the walk admitted, and whose sender, found on another line, the filter does not admit.
    fn left_out(total: &Self::Total) -> u64;
}
