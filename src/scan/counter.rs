//! Counts events for `scan`: each thread counts what needs no other block, and the folder, which takes blocks in order,
//! counts the rest.
//!
//! Where it matters who sent a message, most lines have to wait: the sender stands on another line, maybe blocks before.
//! They are kept as they are, and read again when their turn comes. So are hand-overs to who gives the message back,
//! until a line tells of that message: nearly always one before, in the same block.

use foldhash::fast::RandomState;
use jiff::tz::TimeZone;

use super::pending_hops::Unsure;
use crate::catalog::Book;
use crate::catalog::classify::Verdict;
use crate::input::read::Held;
use crate::messages::block_tracker::{Desk, Tracks};
use crate::messages::context::Contexts;
use crate::messages::hop::Hop;
use crate::messages::key::Keys;
use crate::messages::metadata::Metadata;
use crate::messages::totals::{self, Sums};
use crate::messages::transition::Act;
use crate::messages::{Closed, Ledger};
use crate::parse::header::Line;
use crate::parse::mta;
use crate::parse::mta::parsed::Reading;
use crate::parse::timestamp::Moment;
use crate::pipeline::filter::Filter;
use crate::pipeline::walk::{Aggregation, Listener, Noted, Place, Told};
use crate::smtp::event::{By, Event};
use crate::tally::Tally;
use crate::tally::by_hour::Hourly;
use crate::tally::delays::Delays;
use crate::tally::group_by::Groups;

/// What is to be counted.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    pub by: &'a [By],
    pub examples: usize,
    /// Each hour is counted by itself too.
    pub hourly: bool,
    /// How long deliveries took is wanted.
    pub delays: bool,
    /// Hand-overs are counted like any other delivery.
    pub hops: bool,
    pub zone: &'a TimeZone,
    pub filter: &'a Filter,
    pub book: &'a Book,
    /// The same for all threads of a run.
    pub hasher: &'a RandomState,
}

impl<'a> Aggregation for Plan<'a> {
    type Listener = Counter;
    type Total = Folder<'a>;

    fn listener(&self) -> Counter {
        self.counter()
    }

    fn start(&self) -> Folder<'a> {
        self.folder()
    }

    fn fold(folder: &mut Folder<'a>, handed: Handed) {
        folder.fold(handed);
    }

    fn left_out(folder: &Folder<'a>) -> u64 {
        folder.left_out
    }
}

impl<'a> Plan<'a> {
    pub fn counter(&self) -> Counter {
        let kept = self.asks_for_senders().then(Kept::default);
        let receives = self.delays && self.filter.is_empty();
        let (tally, desk, unsure) = (self.tally(), self.desk(), Unsure::default());
        Counter { tally, desk, hops: self.hops, unsure, kept, receives }
    }

    pub fn folder(self) -> Folder<'a> {
        Folder {
            plan: self,
            ledger: Ledger::new(self.filter.is_empty()),
            contexts: Contexts::default(),
            keys: Keys::new(self.hasher.clone()),
            late: self.asks_for_senders().then(|| self.counter()),
            tally: self.tally(),
            unsure: Unsure::default(),
            given_up: 0,
            left_out: 0,
        }
    }

    fn asks_for_senders(&self) -> bool {
        let by = |by: &By| matches!(by, By::Sender | By::User | By::Client);
        self.filter.asks_for_sender() || self.by.iter().any(by)
    }

    fn tally(&self) -> Tally {
        let groups = || Groups::new(self.by, self.examples, self.zone.clone(), self.hasher.clone());
        let groups = (!self.by.is_empty()).then(groups);
        let mut tally = Tally::new(self.hasher.clone(), self.examples, groups);
        tally.hourly = self.hourly.then(Hourly::default);
        tally.delays = self.delays.then(Delays::default);
        tally
    }

    fn desk(&self) -> Desk {
        Desk::new(self.hasher.clone(), self.filter.is_empty(), self.hops)
    }
}

/// One a thread.
pub struct Counter {
    tally: Tally,
    desk: Desk,
    hops: bool,
    unsure: Unsure,
    /// None: no line has to wait.
    kept: Option<Kept>,
    /// What came in is counted too.
    receives: bool,
}

/// What a block hands over.
pub struct Handed {
    tracks: Tracks,
    unsure: Unsure,
    kept: Kept,
}

/// Lines that wait, in their order.
#[derive(Default)]
struct Kept {
    /// One behind the other.
    text: Vec<u8>,
    lines: Vec<Waiting>,
}

struct Waiting {
    /// Where it ends in the text.
    end: usize,
    place: Place,
    what: What,
}

enum What {
    /// With its minute.
    Fact(Option<i64>),
    Event {
        moment: Option<Moment>,
        verdict: Option<Verdict>,
        /// By all that the filter asks but the sender.
        wanted: bool,
    },
}

impl Held for Handed {
    fn held(&self) -> usize {
        self.tracks.held()
            + self.unsure.bytes()
            + self.kept.text.capacity()
            + self.kept.lines.capacity() * size_of::<Waiting>()
    }
}

impl Kept {
    fn keep(&mut self, raw: &[u8], place: Place, what: What) {
        self.text.extend_from_slice(raw);
        self.lines.push(Waiting { end: self.text.len(), place, what });
    }

    fn event(&mut self, told: &Told, wanted: bool) {
        let Told { moment, verdict, .. } = *told;
        self.keep(told.raw, told.place, What::Event { moment, verdict, wanted });
    }
}

impl Counter {
    fn count(&mut self, told: &Told, wanted: bool) {
        let hop = self.desk.event(told, wanted);
        match hop {
            _ if !wanted => {}
            Hop::Unsure(copy) if !self.hops => self.unsure.keep(told, copy),
            Hop::Yes if !self.hops => self.tally.hops += 1,
            Hop::No | Hop::Yes | Hop::Unsure(_) => self.tally.event(told),
        }
    }
}

impl Listener for Counter {
    type Handover = Handed;

    fn event(&mut self, told: &Told) {
        match &mut self.kept {
            Some(kept) => kept.event(told, true),
            None => self.count(told, true),
        }
    }

    fn left_out(&mut self, told: &Told) {
        match &mut self.kept {
            Some(kept) => kept.event(told, false),
            None => self.count(told, false),
        }
    }

    fn fact(&mut self, noted: &Noted) {
        match &mut self.kept {
            Some(kept) => kept.keep(noted.raw, noted.place, What::Fact(noted.minute)),
            None => {
                // A filter looks at results, and what came in is none yet.
                if self.receives {
                    self.tally.fact(noted);
                }
                self.desk.fact(noted);
            }
        }
    }

    fn end_of_block(&mut self, _file: usize, _lines: u64) -> Handed {
        let kept = self.kept.as_mut().map(std::mem::take).unwrap_or_default();
        Handed { tracks: self.desk.hand_over(), unsure: std::mem::take(&mut self.unsure), kept }
    }
}

/// So many bytes of lines wait at a time.
const UNSURE_LIMIT: usize = 16 << 20;

/// Puts the blocks together, in their order.
pub struct Folder<'a> {
    plan: Plan<'a>,
    ledger: Ledger,
    contexts: Contexts,
    keys: Keys,
    /// Counts the lines that waited. None: none had to.
    late: Option<Counter>,
    /// Of hand-overs that led nowhere.
    tally: Tally,
    unsure: Unsure,
    /// Hand-overs that were taken for deliveries before the logs ended: too many waited.
    pub given_up: u64,
    /// Events whose sender the filter does not admit.
    pub left_out: u64,
}

impl Folder<'_> {
    pub fn fold(&mut self, handed: Handed) {
        self.ledger.fold(handed.tracks);
        self.unsure.append(handed.unsure);
        self.fold_kept(handed.kept);
        let waiting = self.waiting_is_long();
        if waiting || self.ledger.seen.is_full() {
            self.settle(false);
            if waiting && self.waiting_is_long() {
                self.given_up += self.unsure.lines.len() as u64;
                self.settle(true);
            }
        }
        if self.ledger.seen.is_full() {
            self.ledger.seen.forget();
        }
    }

    fn waiting_is_long(&self) -> bool {
        let messages = self.ledger.unsure().len() * size_of::<totals::Unsure>();
        self.unsure.bytes() + messages > UNSURE_LIMIT
    }

    /// What waits for a message that was seen by now is a hop; with `all` the rest are deliveries.
    fn settle(&mut self, all: bool) {
        let lines = self.unsure.lines.iter().map(|line| line.copy);
        let found = self.ledger.seen.among(lines.chain(self.ledger.unsure()));
        self.ledger.resolve(&found, all);
        self.unsure.settle(&found, all, &mut self.tally, self.plan.book);
    }

    fn fold_kept(&mut self, kept: Kept) {
        let Some(mut late) = self.late.take() else { return };
        let mut start = 0;
        for Waiting { end, place, what } in kept.lines {
            let raw = kept.text.get(start..end).unwrap_or_default();
            start = end;
            let line = Line::read(raw);
            match (mta::read(&line), what) {
                (Reading::Fact(fact), What::Fact(minute)) => {
                    let key = self.keys.key(fact.mta, &line, fact.queue_id);
                    self.contexts.fact(key, Act::of_fact(&fact), Metadata::of(&fact));
                    let noted = Noted { fact: &fact, line: &line, raw, place, minute };
                    if late.receives {
                        late.tally.fact(&noted);
                    }
                    late.desk.fact(&noted);
                }
                (Reading::Event(event), What::Event { moment, verdict, wanted }) => {
                    let key = event.queue_id.map(|id| self.keys.key(event.mta, &line, id));
                    let known = key.and_then(|key| self.contexts.known(key));
                    let sender = known.and_then(|known| Some(known.sender.as_deref()?.as_bytes()));
                    let user = known.and_then(|known| Some(known.user.as_deref()?.as_bytes()));
                    let client = known.and_then(|known| Some(known.client.as_deref()?.as_bytes()));
                    let event = Event { sender: event.sender.or(sender), ..event };
                    let (line_in_block, event, line, book) = (0, &event, &line, self.plan.book);
                    let told =
                        Told { place, line_in_block, line, raw, moment, event, verdict, user, client, book };
                    let admitted = wanted && self.plan.filter.admits_sender(event.sender);
                    late.count(&told, admitted);
                    self.left_out += u64::from(wanted && !admitted);
                }
                // It was read so before.
                _ => {}
            }
        }
        self.ledger.fold(late.desk.hand_over());
        self.unsure.append(std::mem::take(&mut late.unsure));
        self.late = Some(late);
    }

    /// All that was counted, here and by the threads.
    pub fn close(mut self, counters: Vec<Counter>) -> (Tally, Closed) {
        self.settle(true);
        let Self { plan, tally: waited, ledger, late, .. } = self;
        let parts = counters.into_iter().chain(late).map(|counter| (counter.tally, counter.desk.sums));
        let (tallies, sums): (Vec<Tally>, Vec<Sums>) = parts.unzip();
        // What the ledger has is let go of before the tallies, which are the largest here, come together.
        let closed = ledger.close(sums);
        // The first is taken, not merged: that saves 1 % of the scan of a small log.
        let mut tallies = tallies.into_iter();
        let mut tally = tallies.next().unwrap_or_else(|| plan.tally());
        tallies.chain([waited]).for_each(|other| tally.merge(other));
        (tally, closed)
    }
}
