//! Counts events for `scan`: each thread counts what needs no other block, and the folder, which takes blocks in order,
//! counts the rest.
//!
//! Where it matters who sent a message, most lines have to wait: the sender stands on another line, maybe blocks before.
//! They are kept as they are, and read again when their turn comes. So are hand-overs to who gives the message back,
//! until a line tells of that message: nearly always one before, in the same block.

use foldhash::fast::RandomState;
use jiff::tz::TimeZone;

use super::pending_hops::PendingHandOffs;
use crate::catalog::Catalog;
use crate::catalog::classify::Classification;
use crate::input::read::HeapSize;
use crate::messages::block_tracker::{BlockTracker, PartialMessages};
use crate::messages::context::MetadataTable;
use crate::messages::hop::HandOff;
use crate::messages::key::KeyHasher;
use crate::messages::metadata::MessageMetadata;
use crate::messages::totals::{self, MessageTotals};
use crate::messages::transition::Transition;
use crate::messages::{MessageSummary, MessageTracker};
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::mta::parsed::ParsedLine;
use crate::parse::timestamp::LogTime;
use crate::pipeline::filter::Filter;
use crate::pipeline::walk::{Aggregation, EventSink, LineOffset, LoggedEvent, LoggedQueueRecord};
use crate::smtp::event::{By, Event};
use crate::tally::Tally;
use crate::tally::by_hour::Hourly;
use crate::tally::delays::Delays;
use crate::tally::group_by::GroupBy;

/// What is to be counted.
#[derive(Clone, Copy)]
pub struct CountPlan<'a> {
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
    pub book: &'a Catalog,
    /// The same for all threads of a run.
    pub hasher: &'a RandomState,
}

impl<'a> Aggregation for CountPlan<'a> {
    type Listener = BlockCounter;
    type Total = Merger<'a>;

    fn listener(&self) -> BlockCounter {
        self.counter()
    }

    fn start(&self) -> Merger<'a> {
        self.folder()
    }

    fn fold(folder: &mut Merger<'a>, handed: BlockCounts) {
        folder.fold(handed);
    }

    fn left_out(folder: &Merger<'a>) -> u64 {
        folder.left_out
    }
}

impl<'a> CountPlan<'a> {
    pub fn counter(&self) -> BlockCounter {
        let kept = self.asks_for_senders().then(DeferredLines::default);
        let receives = self.delays && self.filter.is_empty();
        let (tally, desk, unsure) = (self.tally(), self.desk(), PendingHandOffs::default());
        BlockCounter { tally, desk, hops: self.hops, unsure, kept, receives }
    }

    pub fn folder(self) -> Merger<'a> {
        Merger {
            plan: self,
            ledger: MessageTracker::new(self.filter.is_empty()),
            contexts: MetadataTable::default(),
            keys: KeyHasher::new(self.hasher.clone()),
            late: self.asks_for_senders().then(|| self.counter()),
            tally: self.tally(),
            unsure: PendingHandOffs::default(),
            given_up: 0,
            left_out: 0,
        }
    }

    fn asks_for_senders(&self) -> bool {
        let by = |by: &By| matches!(by, By::Sender | By::User | By::Client);
        self.filter.asks_for_sender() || self.by.iter().any(by)
    }

    fn tally(&self) -> Tally {
        let groups = || GroupBy::new(self.by, self.examples, self.zone.clone(), self.hasher.clone());
        let groups = (!self.by.is_empty()).then(groups);
        let mut tally = Tally::new(self.hasher.clone(), self.examples, groups);
        tally.hourly = self.hourly.then(Hourly::default);
        tally.delays = self.delays.then(Delays::default);
        tally
    }

    fn desk(&self) -> BlockTracker {
        BlockTracker::new(self.hasher.clone(), self.filter.is_empty(), self.hops)
    }
}

/// One a thread.
pub struct BlockCounter {
    tally: Tally,
    desk: BlockTracker,
    hops: bool,
    unsure: PendingHandOffs,
    /// None: no line has to wait.
    kept: Option<DeferredLines>,
    /// What came in is counted too.
    receives: bool,
}

/// What a block hands over.
pub struct BlockCounts {
    tracks: PartialMessages,
    unsure: PendingHandOffs,
    kept: DeferredLines,
}

/// Lines that wait, in their order.
#[derive(Default)]
struct DeferredLines {
    /// One behind the other.
    text: Vec<u8>,
    lines: Vec<DeferredLine>,
}

struct DeferredLine {
    /// Where it ends in the text.
    end: usize,
    place: LineOffset,
    what: DeferredKind,
}

enum DeferredKind {
    /// With its minute.
    Fact(Option<i64>),
    Event {
        moment: Option<LogTime>,
        verdict: Option<Classification>,
        /// By all that the filter asks but the sender.
        wanted: bool,
    },
}

impl HeapSize for BlockCounts {
    fn held(&self) -> usize {
        self.tracks.held()
            + self.unsure.bytes()
            + self.kept.text.capacity()
            + self.kept.lines.capacity() * size_of::<DeferredLine>()
    }
}

impl DeferredLines {
    fn keep(&mut self, raw: &[u8], place: LineOffset, what: DeferredKind) {
        self.text.extend_from_slice(raw);
        self.lines.push(DeferredLine { end: self.text.len(), place, what });
    }

    fn event(&mut self, told: &LoggedEvent, wanted: bool) {
        let LoggedEvent { moment, verdict, .. } = *told;
        self.keep(told.raw, told.place, DeferredKind::Event { moment, verdict, wanted });
    }
}

impl BlockCounter {
    fn count(&mut self, told: &LoggedEvent, wanted: bool) {
        let hop = self.desk.event(told, wanted);
        match hop {
            _ if !wanted => {}
            HandOff::Unsure(copy) if !self.hops => self.unsure.keep(told, copy),
            HandOff::Yes if !self.hops => self.tally.hops += 1,
            HandOff::No | HandOff::Yes | HandOff::Unsure(_) => self.tally.event(told),
        }
    }
}

impl EventSink for BlockCounter {
    type BlockOutput = BlockCounts;

    fn event(&mut self, told: &LoggedEvent) {
        match &mut self.kept {
            Some(kept) => kept.event(told, true),
            None => self.count(told, true),
        }
    }

    fn filtered_out(&mut self, told: &LoggedEvent) {
        match &mut self.kept {
            Some(kept) => kept.event(told, false),
            None => self.count(told, false),
        }
    }

    fn fact(&mut self, noted: &LoggedQueueRecord) {
        match &mut self.kept {
            Some(kept) => kept.keep(noted.raw, noted.place, DeferredKind::Fact(noted.minute)),
            None => {
                // A filter looks at results, and what came in is none yet.
                if self.receives {
                    self.tally.fact(noted);
                }
                self.desk.fact(noted);
            }
        }
    }

    fn end_of_block(&mut self, _file: usize, _lines: u64) -> BlockCounts {
        let kept = self.kept.as_mut().map(std::mem::take).unwrap_or_default();
        BlockCounts { tracks: self.desk.hand_over(), unsure: std::mem::take(&mut self.unsure), kept }
    }
}

/// So many bytes of lines wait at a time.
const UNSURE_LIMIT: usize = 16 << 20;

/// Puts the blocks together, in their order.
pub struct Merger<'a> {
    plan: CountPlan<'a>,
    ledger: MessageTracker,
    contexts: MetadataTable,
    keys: KeyHasher,
    /// Counts the lines that waited. None: none had to.
    late: Option<BlockCounter>,
    /// Of hand-overs that led nowhere.
    tally: Tally,
    unsure: PendingHandOffs,
    /// Hand-overs that were taken for deliveries before the logs ended: too many waited.
    pub given_up: u64,
    /// Events whose sender the filter does not admit.
    pub left_out: u64,
}

impl Merger<'_> {
    pub fn fold(&mut self, handed: BlockCounts) {
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
        let messages = self.ledger.unsure().len() * size_of::<totals::PendingHandOff>();
        self.unsure.bytes() + messages > UNSURE_LIMIT
    }

    /// What waits for a message that was seen by now is a hop; with `all` the rest are deliveries.
    fn settle(&mut self, all: bool) {
        let lines = self.unsure.lines.iter().map(|line| line.copy);
        let found = self.ledger.seen.among(lines.chain(self.ledger.unsure()));
        self.ledger.resolve(&found, all);
        self.unsure.settle(&found, all, &mut self.tally, self.plan.book);
    }

    fn fold_kept(&mut self, kept: DeferredLines) {
        let Some(mut late) = self.late.take() else { return };
        let mut start = 0;
        for DeferredLine { end, place, what } in kept.lines {
            let raw = kept.text.get(start..end).unwrap_or_default();
            start = end;
            let line = LogLine::read(raw);
            match (mta::read(&line), what) {
                (ParsedLine::Fact(fact), DeferredKind::Fact(minute)) => {
                    let key = self.keys.key(fact.mta, &line, fact.queue_id);
                    self.contexts.fact(key, Transition::of_fact(&fact), MessageMetadata::of(&fact));
                    let noted = LoggedQueueRecord { fact: &fact, line: &line, raw, place, minute };
                    if late.receives {
                        late.tally.fact(&noted);
                    }
                    late.desk.fact(&noted);
                }
                (ParsedLine::Event(event), DeferredKind::Event { moment, verdict, wanted }) => {
                    let key = event.queue_id.map(|id| self.keys.key(event.mta, &line, id));
                    let known = key.and_then(|key| self.contexts.known(key));
                    let sender = known.and_then(|known| Some(known.sender.as_deref()?.as_bytes()));
                    let user = known.and_then(|known| Some(known.user.as_deref()?.as_bytes()));
                    let client = known.and_then(|known| Some(known.client.as_deref()?.as_bytes()));
                    let event = Event { sender: event.sender.or(sender), ..event };
                    let (line_in_block, event, line, book) = (0, &event, &line, self.plan.book);
                    let told = LoggedEvent {
                        place,
                        line_in_block,
                        line,
                        raw,
                        moment,
                        event,
                        verdict,
                        user,
                        client,
                        book,
                    };
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
    pub fn close(mut self, counters: Vec<BlockCounter>) -> (Tally, MessageSummary) {
        self.settle(true);
        let Self { plan, tally: waited, ledger, late, .. } = self;
        let parts = counters.into_iter().chain(late).map(|counter| (counter.tally, counter.desk.sums));
        let (tallies, sums): (Vec<Tally>, Vec<MessageTotals>) = parts.unzip();
        // What the ledger has is let go of before the tallies, which are the largest here, come together.
        let closed = ledger.close(sums);
        // The first is taken, not merged, so that one thread copies no names: 2 % of the instructions at 8 MiB.
        let mut tallies = tallies.into_iter();
        let mut tally = tallies.next().unwrap_or_else(|| plan.tally());
        tallies.chain([waited]).for_each(|other| tally.merge(other));
        (tally, closed)
    }
}
