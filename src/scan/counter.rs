//! Counts events for `scan`: each thread counts what depends on one block only, and the [`Merger`], which takes the
//! blocks in order, counts the rest.
//!
//! Where the sender of a message matters, most lines have to wait: another line states the sender, perhaps many blocks
//! earlier. Such lines are deferred and parsed again by the merger. Hand-offs to a program that returns the message
//! wait until a line names the new queue id; nearly always an earlier line of the same block has named it.

use std::sync::Arc;

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
use crate::pipeline::session_peer::OwnedPeer;
use crate::pipeline::sink::{
    Aggregation, EventSink, LineOffset, LoggedEvent, LoggedQueueRecord, LoggedWarning,
};
use crate::smtp::event::{By, Event};
use crate::tally::Tally;
use crate::tally::by_hour::Hourly;
use crate::tally::delays::Delays;
use crate::tally::group_by::GroupBy;

/// The options of a count.
#[derive(Clone, Copy)]
pub struct CountPlan<'a> {
    pub by: &'a [By],
    pub examples: usize,
    /// Count the events of each hour for a baseline.
    pub hourly: bool,
    /// Measure how long deliveries took.
    pub delays: bool,
    /// Count hand-offs like any other delivery.
    pub hops: bool,
    pub zone: &'a TimeZone,
    pub filter: &'a Filter,
    pub book: &'a Catalog,
    /// The same for all threads of a run.
    pub hasher: &'a RandomState,
}

impl<'a> Aggregation for CountPlan<'a> {
    type Sink = BlockCounter;
    type Total = Merger<'a>;

    fn sink(&self) -> BlockCounter {
        self.counter()
    }

    fn start(&self) -> Merger<'a> {
        self.merger()
    }

    fn fold(merger: &mut Merger<'a>, handed: BlockCounts) {
        merger.fold(handed);
    }

    fn left_out(merger: &Merger<'a>) -> u64 {
        merger.left_out
    }
}

impl<'a> CountPlan<'a> {
    pub fn counter(&self) -> BlockCounter {
        let deferred = self.asks_for_senders().then(PostponedLines::default);
        let counts_arrivals = self.delays && self.filter.is_empty();
        let (tally, tracker, pending) = (self.tally(), self.block_tracker(), PendingHandOffs::default());
        let (hops, counts_warnings) = (self.hops, self.filter.is_empty());
        let recipients = self.filter.of_recipients().map(Arc::new);
        BlockCounter { tally, tracker, hops, pending, deferred, counts_arrivals, counts_warnings, recipients }
    }

    pub fn merger(self) -> Merger<'a> {
        Merger {
            plan: self,
            messages: MessageTracker::new(self.filter.is_empty()),
            metadata: MetadataTable::default(),
            keys: KeyHasher::new(self.hasher.clone()),
            postponed_counter: self.asks_for_senders().then(|| self.counter()),
            tally: self.tally(),
            pending: PendingHandOffs::default(),
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

    fn block_tracker(&self) -> BlockTracker {
        BlockTracker::new(self.hasher.clone(), self.filter.is_empty(), self.hops)
    }
}

/// Counts the events of one block after another. Each thread has one.
pub struct BlockCounter {
    tally: Tally,
    tracker: BlockTracker,
    hops: bool,
    pending: PendingHandOffs,
    /// None: no line has to wait.
    deferred: Option<PostponedLines>,
    /// Arrivals are counted too.
    counts_arrivals: bool,
    /// The servers' own warnings are counted too.
    counts_warnings: bool,
    /// The part of the filter that selects recipients. None: it selects none.
    recipients: Option<Arc<Filter>>,
}

/// The result of a block.
pub struct BlockCounts {
    partials: PartialMessages,
    pending: PendingHandOffs,
    deferred: PostponedLines,
}

/// Lines that wait for the merger, in their order.
#[derive(Default)]
struct PostponedLines {
    /// The lines without separators.
    text: Vec<u8>,
    lines: Vec<PostponedLine>,
    /// The host of the lines that name none; all are of one file.
    host: Option<Box<[u8]>>,
    /// Heap bytes of the peers in `lines`.
    peer_bytes: usize,
}

struct PostponedLine {
    /// Where the line ends in the text.
    end: usize,
    place: LineOffset,
    line_kind: PostponedKind,
}

enum PostponedKind {
    /// A queue record, with its minute.
    Fact(Option<i64>),
    Event {
        /// Which event of its line it is.
        part: u32,
        /// The peer, if another line shows it.
        peer: Option<Box<OwnedPeer>>,
        moment: Option<LogTime>,
        verdict: Option<Classification>,
        /// The filter admits the event, apart from its sender.
        wanted: bool,
    },
}

impl HeapSize for BlockCounts {
    fn held_bytes(&self) -> usize {
        self.partials.held_bytes()
            + self.pending.bytes()
            + self.deferred.text.capacity()
            + self.deferred.peer_bytes
            + self.deferred.lines.capacity() * size_of::<PostponedLine>()
    }
}

impl PostponedLines {
    fn add(&mut self, raw: &[u8], place: LineOffset, line_kind: PostponedKind) {
        self.text.extend_from_slice(raw);
        self.lines.push(PostponedLine { end: self.text.len(), place, line_kind });
    }

    fn note_host(&mut self, raw: &[u8], line: &LogLine) {
        if self.host.is_none() {
            self.host = line.host_outside(raw).map(Box::from);
        }
    }

    fn event(&mut self, logged: &LoggedEvent, wanted: bool) {
        let LoggedEvent { part, moment, verdict, .. } = *logged;
        let event = logged.event;
        let peer = mta::may_lack_peer(event).then(|| Box::new(OwnedPeer::of(&event.peer)));
        self.peer_bytes += peer.as_ref().map_or(0, |peer| peer.held_bytes());
        self.note_host(logged.raw, logged.line);
        self.add(logged.raw, logged.place, PostponedKind::Event { part, peer, moment, verdict, wanted });
    }
}

impl BlockCounter {
    /// Counts an event. `stated` has only what its line states: a rejection counts for the sender that its line names.
    fn count(&mut self, logged: &LoggedEvent, stated: &LoggedEvent, wanted: bool) {
        let concerns = wanted || self.concerns(logged);
        let hop = self.tracker.event(stated, wanted, concerns);
        match hop {
            _ if !wanted => {}
            HandOff::Pending(copy) if !self.hops => self.pending.add(logged, copy),
            HandOff::Yes if !self.hops => self.tally.hops += 1,
            HandOff::No | HandOff::Yes | HandOff::Pending(_) => self.tally.event(logged),
        }
    }
}

impl BlockCounter {
    /// The filter admits the recipient, so that the event decides what became of the message.
    fn concerns(&self, logged: &LoggedEvent) -> bool {
        let LoggedEvent { event, verdict, line, book, .. } = *logged;
        self.recipients.as_ref().is_none_or(|filter| filter.admits(event, verdict, line, book))
    }
}

impl EventSink for BlockCounter {
    type BlockOutput = BlockCounts;

    fn event(&mut self, logged: &LoggedEvent) {
        match &mut self.deferred {
            Some(deferred) => deferred.event(logged, true),
            None => self.count(logged, logged, true),
        }
    }

    fn filtered_out(&mut self, logged: &LoggedEvent) {
        match &mut self.deferred {
            Some(deferred) => deferred.event(logged, false),
            None => self.count(logged, logged, false),
        }
    }

    fn queue_record(&mut self, logged: &LoggedQueueRecord) {
        match &mut self.deferred {
            Some(deferred) => {
                deferred.note_host(logged.raw, logged.line);
                deferred.add(logged.raw, logged.place, PostponedKind::Fact(logged.minute));
            }
            None => {
                // A filter selects delivery results, and an arrival is none.
                if self.counts_arrivals {
                    self.tally.queue_record(logged);
                }
                self.tracker.queue_record(logged);
            }
        }
    }

    fn warning(&mut self, logged: &LoggedWarning) {
        // A filter selects results, and a warning is none.
        if self.counts_warnings {
            self.tally.warnings.count(logged);
        }
    }

    fn end_of_block(&mut self, _file: usize, _lines: u64) -> BlockCounts {
        let deferred = self.deferred.as_mut().map(std::mem::take).unwrap_or_default();
        BlockCounts {
            partials: self.tracker.take_block(),
            pending: std::mem::take(&mut self.pending),
            deferred,
        }
    }
}

/// Maximum size of the lines and counts that wait, in bytes.
const PENDING_LIMIT: usize = 16 << 20;

/// Merges the results of the blocks, in their order.
pub struct Merger<'a> {
    plan: CountPlan<'a>,
    messages: MessageTracker,
    metadata: MetadataTable,
    keys: KeyHasher,
    /// Counts the deferred lines. None: no line was deferred.
    postponed_counter: Option<BlockCounter>,
    /// Counts of hand-offs whose new queue id never appeared.
    tally: Tally,
    pending: PendingHandOffs,
    /// Hand-offs that were counted as deliveries before the logs ended, because too many waited.
    pub given_up: u64,
    /// Events that the filter excludes by their sender.
    pub left_out: u64,
}

impl Merger<'_> {
    pub fn fold(&mut self, handed: BlockCounts) {
        self.messages.fold(handed.partials);
        self.pending.append(handed.pending);
        self.fold_deferred(handed.deferred);
        let waiting = self.exceeds_limit();
        if waiting || self.messages.seen_ids.is_full() {
            self.resolve_hand_offs(false);
            if waiting && self.exceeds_limit() {
                self.given_up += self.pending.lines.len() as u64;
                self.resolve_hand_offs(true);
            }
        }
        if self.messages.seen_ids.is_full() {
            self.messages.seen_ids.forget();
        }
    }

    fn exceeds_limit(&self) -> bool {
        let undecided = self.messages.pending().len() * size_of::<totals::PendingHandOff>();
        self.pending.bytes() + undecided > PENDING_LIMIT
    }

    /// Counts pending hand-offs whose new queue id has been seen as hops. With `all` it counts the rest as
    /// deliveries.
    fn resolve_hand_offs(&mut self, all: bool) {
        let lines = self.pending.lines.iter().map(|line| line.copy);
        let found = self.messages.seen_ids.among(lines.chain(self.messages.pending()));
        self.messages.resolve(&found, all);
        self.pending.resolve(&found, all, &mut self.tally, self.plan.book);
    }

    fn fold_deferred(&mut self, deferred: PostponedLines) {
        let Some(mut postponed_counter) = self.postponed_counter.take() else { return };
        let mut start = 0;
        for PostponedLine { end, place, line_kind } in deferred.lines {
            let raw = deferred.text.get(start..end).unwrap_or_default();
            start = end;
            let line = LogLine::read(raw).or_host(deferred.host.as_deref());
            let parsed = mta::read(&line);
            match (parsed, line_kind) {
                (parsed, PostponedKind::Fact(minute)) => {
                    // The line was parsed before, so it always has a record.
                    let Some(fact) = mta::record(&parsed, &line) else { continue };
                    let key = self.keys.key(fact.mta, &line, fact.queue_id);
                    self.metadata.update(key, Transition::of_record(&fact), MessageMetadata::of(&fact));
                    let logged = LoggedQueueRecord { record: &fact, line: &line, raw, place, minute };
                    if postponed_counter.counts_arrivals {
                        postponed_counter.tally.queue_record(&logged);
                    }
                    postponed_counter.tracker.queue_record(&logged);
                }
                (ParsedLine::Event(event), PostponedKind::Event { part, peer, moment, verdict, wanted }) => {
                    let Some(event) = mta::event_of_part(&event, &line, part) else { continue };
                    let key = event.queue_id.map(|id| self.keys.key(event.mta, &line, id));
                    let known = key.and_then(|key| self.metadata.get(key));
                    let sender = known.and_then(|known| Some(known.sender.as_deref()?.as_bytes()));
                    let user = known.and_then(|known| Some(known.user.as_deref()?.as_bytes()));
                    let user = mta::login(&event, &line).or(user);
                    let client = known.and_then(|known| Some(known.client.as_deref()?.as_bytes()));
                    let peer = peer.as_ref().map_or(event.peer, |peer| peer.peer());
                    let own = &Event { peer, ..event };
                    let event = &Event { sender: own.sender.or(sender), ..*own };
                    let (line_in_block, line, book) = (0, &line, self.plan.book);
                    let logged = LoggedEvent {
                        place,
                        line_in_block,
                        line,
                        raw,
                        moment,
                        event,
                        part,
                        verdict,
                        user,
                        client,
                        book,
                    };
                    let admitted = wanted && self.plan.filter.admits_sender(event.sender);
                    let stated = LoggedEvent { event: own, ..logged };
                    postponed_counter.count(&logged, &stated, admitted);
                    self.left_out += u64::from(wanted && !admitted);
                }
                // The line was parsed before, so it is always an event.
                (
                    ParsedLine::QueueRecord(_)
                    | ParsedLine::Routine
                    | ParsedLine::Unread
                    | ParsedLine::Foreign,
                    PostponedKind::Event { .. },
                ) => {}
            }
        }
        self.messages.fold(postponed_counter.tracker.take_block());
        self.pending.append(std::mem::take(&mut postponed_counter.pending));
        self.postponed_counter = Some(postponed_counter);
    }

    /// The counts of the merger and of all threads.
    pub fn finish(mut self, counters: Vec<BlockCounter>) -> (Tally, MessageSummary) {
        self.resolve_hand_offs(true);
        let Self { plan, tally: waited, messages, postponed_counter, .. } = self;
        let parts = counters
            .into_iter()
            .chain(postponed_counter)
            .map(|counter| (counter.tally, counter.tracker.totals));
        let (tallies, totals): (Vec<Tally>, Vec<MessageTotals>) = parts.unzip();
        // The message tracker is freed before the tallies, the largest part of the memory, are merged.
        let closed = messages.finish(totals);
        // The first tally is taken instead of merged, so that one thread copies no names: 2 % of the instructions at 8 MiB.
        let mut tallies = tallies.into_iter();
        let mut tally = tallies.next().unwrap_or_else(|| plan.tally());
        tallies.chain([waited]).for_each(|other| tally.merge(other));
        (tally, closed)
    }
}
