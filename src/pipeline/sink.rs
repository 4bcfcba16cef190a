//! Defines what a walk tells about each line of a log, and the traits of those who count it.

use crate::catalog::Book;
use crate::catalog::classify::{Verdict, provider};
use crate::catalog::provider::Provider;
use crate::input::read::Held;
use crate::parse::header::Line;
use crate::parse::mta::queue_record::Fact;
use crate::parse::timestamp::Moment;
use crate::smtp::event::Event;

/// An event with everything that is known about its line.
pub struct Told<'a> {
    pub place: Place,
    /// The line's number in its block, from 0.
    pub line_in_block: u64,
    pub line: &'a Line<'a>,
    /// The line as it was parsed; of a wrapped line, the line inside.
    pub raw: &'a [u8],
    /// `None`: the line has no valid timestamp.
    pub moment: Option<Moment>,
    pub event: &'a Event<'a>,
    /// `None`: the event is no failure.
    pub verdict: Option<Verdict>,
    /// The login of the client that submitted the message. `None`: not known; a walk does not know it, a listener that
    /// follows messages may.
    pub user: Option<&'a [u8]>,
    /// The address of that client, in the same way.
    pub client: Option<&'a [u8]>,
    pub book: &'a Book,
}

impl Told<'_> {
    /// The provider of the other server: by the wording of the reply, else by the host name or the recipient's domain.
    pub fn provider(&self) -> Option<Provider> {
        let told = self.verdict.and_then(|verdict| verdict.provider);
        told.or_else(|| provider(self.event, self.book))
    }
}

/// What a routine line says about its message.
pub struct Noted<'a> {
    pub fact: &'a Fact<'a>,
    pub place: Place,
    pub line: &'a Line<'a>,
    /// The line as it was parsed; of a wrapped line, the line inside.
    pub raw: &'a [u8],
    /// The line's minute, counted from 1970-01-01T00:00Z. `None`: the line has no valid timestamp.
    pub minute: Option<i64>,
}

/// Where a line begins: the number of its file in the set, and the offset in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    pub file: usize,
    pub offset: u64,
}

/// Receives the events of a walk; each thread has one. Events arrive in the order of their block, blocks in any order.
/// What it returns at the end of a block is folded in the order of the files.
pub trait Listener: Send {
    type Handover: Send + Held;

    fn event(&mut self, told: &Told);

    /// Receives an event that the filter does not admit, for listeners that follow messages through all of their events.
    fn left_out(&mut self, _told: &Told) {}

    fn fact(&mut self, _noted: &Noted) {}

    /// `lines` is the number of lines in the block.
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

/// Takes the lines that were not understood. A failure is its owner's to report: the reading goes on.
pub trait UnreadLines: Send {
    /// Whole lines, in the order of the files.
    fn add(&mut self, lines: &[u8]);
}
