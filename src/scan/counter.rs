//! Counts events for `scan`: each thread counts what depends on one block only, and the [`Merger`], which takes the
//! blocks in order, counts the rest.
//!
//! Where the sender of a message matters, most lines have to wait: another line states the sender, perhaps many blocks
//! earlier. Such lines are deferred and parsed again by the merger. Hand-offs to a program that returns the message
//! wait until a line names the new queue id; nearly always an earlier line of the same block has named it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::count_plan::CountPlan;
use super::counted_part::CountedPart;
use super::pending_hops::PendingHandOffs;
use super::postponed::{PostponedKind, PostponedLine, PostponedLines};
use super::redacted;
use crate::input::read::HeapSize;
use crate::messages::block_tracker::{BlockTracker, PartialMessages};
use crate::messages::context::MetadataTable;
use crate::messages::hop::HandOff;
use crate::messages::host_spans::{CountedHost, HOST_LIMIT, HostSpan, HostSpans, kept_hosts};
use crate::messages::key::KeyHasher;
use crate::messages::metadata::MessageMetadata;
use crate::messages::part::DamagedMessages;
use crate::messages::selection::Selection;
use crate::messages::totals::{self, MessageTotals};
use crate::messages::transition::Transition;
use crate::messages::{MessageSummary, MessageTracker};
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::mta::parsed::ParsedLine;
use crate::parse::mta::queue_record::QueueRecord;
use crate::parse::timestamp::LogTime;
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::{Aggregation, EventSink, LoggedEvent, LoggedQueueRecord, LoggedWarning};
use crate::smtp::event::Event;
use crate::tally::Tally;
use crate::tally::part_options::TallyOptions;

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
        BlockCounter {
            tally,
            tracker,
            hops,
            pending,
            deferred,
            counts_arrivals,
            counts_warnings,
            recipients,
            spans: HostSpans::default(),
        }
    }

    pub fn merger(self) -> Merger<'a> {
        Merger {
            plan: self,
            messages: if self.for_parts {
                MessageTracker::of_part(Selection::of(self.filter))
            } else {
                MessageTracker::new(Selection::of(self.filter)).with_extent(self.extent)
            },
            metadata: MetadataTable::default(),
            keys: self.keys(),
            postponed_counter: self.asks_for_senders().then(|| self.counter()),
            tally: self.tally(),
            is_empty: true,
            pending: PendingHandOffs::default(),
            spans: HostSpans::default(),
            given_up: 0,
            left_out: 0,
        }
    }

    /// Merges parts: into a part again, or into a report.
    pub(crate) fn part_merger(self, into_part: bool) -> Merger<'a> {
        let mut merger = self.merger();
        if !into_part {
            merger.messages = MessageTracker::new(Selection::of(self.filter));
        }
        merger.messages = merger.messages.for_parts();
        merger
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
    spans: HostSpans,
}

/// The result of a block.
pub struct BlockCounts {
    partials: PartialMessages,
    pending: PendingHandOffs,
    deferred: PostponedLines,
}

impl HeapSize for BlockCounts {
    fn held_bytes(&self) -> usize {
        self.partials.held_bytes() + self.pending.bytes() + self.deferred.held_bytes()
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
    #[inline]
    fn note_span(&mut self, line: &LogLine, minute: Option<i64>) {
        self.spans.add(line.host, minute);
    }

    /// The filter admits the recipient, so that the event decides what became of the message.
    fn concerns(&self, logged: &LoggedEvent) -> bool {
        let LoggedEvent { event, verdict, line, book, .. } = *logged;
        self.recipients.as_ref().is_none_or(|filter| filter.admits(event, verdict, line, book))
    }
}

impl EventSink for BlockCounter {
    type BlockOutput = BlockCounts;

    fn event(&mut self, logged: &LoggedEvent) {
        self.note_span(logged.line, logged.moment.map(LogTime::minute));
        match &mut self.deferred {
            Some(deferred) => deferred.event(logged, true),
            None => self.count(logged, logged, true),
        }
    }

    fn filtered_out(&mut self, logged: &LoggedEvent) {
        self.note_span(logged.line, logged.moment.map(LogTime::minute));
        match &mut self.deferred {
            Some(deferred) => deferred.event(logged, false),
            None => self.count(logged, logged, false),
        }
    }

    fn queue_record(&mut self, logged: &LoggedQueueRecord) {
        self.note_span(logged.line, logged.minute);
        match &mut self.deferred {
            Some(deferred) => deferred.record(logged),
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
    /// No block and no part was added.
    is_empty: bool,
    pending: PendingHandOffs,
    /// The hosts of parts.
    spans: HostSpans,
    /// Hand-offs that were counted as deliveries before the logs ended, because too many waited.
    pub given_up: u64,
    /// Events that the filter excludes by their sender.
    pub left_out: u64,
}

impl Merger<'_> {
    pub fn fold(&mut self, handed: BlockCounts) {
        self.is_empty = false;
        self.messages.fold(handed.partials);
        self.pending.append(handed.pending);
        self.fold_deferred(handed.deferred);
        self.settle_hand_offs();
    }

    /// Resolves hand-offs if too many wait.
    fn settle_hand_offs(&mut self) {
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
        let options = self.plan.tally_options(0);
        self.pending.resolve(&found, all, &mut self.tally, (self.plan.book, &options));
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
                (parsed, PostponedKind::Fact { minute, step, login }) => {
                    // The line was parsed before, so it always has a record.
                    let Some(fact) = mta::record(&parsed, &line) else { continue };
                    let fact = QueueRecord { step, login: login.as_deref(), ..fact };
                    let key = self.keys.key(fact.mta, &line, fact.queue_id);
                    self.metadata.update(key, Transition::of_record(&fact), MessageMetadata::of(&fact));
                    let logged = LoggedQueueRecord::new(&fact, place, &line, raw, minute);
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
                    let user = mta::login(&event, &line).or_else(|| Some(known?.user.as_deref()?.as_bytes()));
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

    /// Adds a part. The parts of a host must come in the order of their times.
    pub(crate) fn fold_part(
        &mut self,
        part: CountedPart,
        options: &TallyOptions,
    ) -> Result<(), DamagedMessages> {
        self.messages.fold_part(part.messages)?;
        let waiting = PendingHandOffs::of_kept(part.waiting, options);
        self.pending.append(waiting.ok_or(DamagedMessages)?);
        self.given_up += part.given_up;
        self.spans.add_kept(part.hosts);
        let tally = part.tally.tally(options).ok_or(DamagedMessages)?;
        if std::mem::take(&mut self.is_empty) {
            let empty = std::mem::replace(&mut self.tally, Tally::new(options.hasher.clone(), 1, None));
            self.tally = empty.replaced_by(tally);
        } else {
            self.tally.merge(tally);
        }
        self.settle_hand_offs();
        Ok(())
    }

    /// Ends a part: the counts of the merger and of all threads, and what waits for lines behind it.
    pub(crate) fn into_part(mut self, mut counters: Vec<BlockCounter>) -> CountedPart {
        self.resolve_hand_offs(false);
        let spans = self.take_spans(&mut counters);
        let (plan, given_up) = (self.plan, self.given_up);
        let mut waiting = std::mem::take(&mut self.pending);
        if plan.redactor.is_some() {
            waiting = waiting.into_counted(plan.book, || plan.tally(), |tally| plan.kept(tally));
        }
        let (tally, mut messages) = self.collect(counters, MessageTracker::into_part);
        if let Some(redactor) = plan.redactor {
            let names = redacted::kept_names(&messages.names, redactor);
            messages.names = names.expect("the names were packed just now");
        }
        let (tally, waiting) = (plan.kept(tally), waiting.into_kept());
        let hosts = kept_hosts(&spans);
        CountedPart { tally, messages, waiting, given_up, hosts, spans }
    }

    /// The counts of the merger and of all threads.
    pub fn finish(mut self, mut counters: Vec<BlockCounter>) -> (Tally, MessageSummary) {
        self.resolve_hand_offs(true);
        let (spans, keys) = (self.take_spans(&mut counters), self.plan.keys());
        let (tally, mut messages) = self.collect(counters, MessageTracker::finish);
        // Of too many hosts, the counts depend on the order of the blocks.
        if spans.len() < HOST_LIMIT {
            let host = |(name, HostSpan { minutes, lines }): (Vec<u8>, HostSpan)| {
                let flow = messages.totals.hosts.get(&keys.host(&name)).copied().unwrap_or_default();
                CountedHost { name, minutes, lines, flow }
            };
            messages.hosts = spans.into_iter().map(host).collect();
        }
        (tally, messages)
    }

    /// The hosts of all threads and of the parts.
    fn take_spans(&mut self, counters: &mut [BlockCounter]) -> BTreeMap<Vec<u8>, HostSpan> {
        let mut spans = std::mem::take(&mut self.spans);
        let postponed = self.postponed_counter.iter_mut();
        for counter in counters.iter_mut().chain(postponed) {
            spans.merge(std::mem::take(&mut counter.spans));
        }
        spans.finish()
    }

    fn collect<M>(
        self,
        counters: Vec<BlockCounter>,
        finish: impl FnOnce(MessageTracker, Vec<MessageTotals>) -> M,
    ) -> (Tally, M) {
        let Self { plan, tally: waited, messages, postponed_counter, .. } = self;
        let parts = counters
            .into_iter()
            .chain(postponed_counter)
            .map(|counter| (counter.tally, counter.tracker.totals));
        let (tallies, totals): (Vec<Tally>, Vec<MessageTotals>) = parts.unzip();
        // The message tracker is freed before the tallies, the largest part of the memory, are merged.
        let closed = finish(messages, totals);
        // The first tally is taken instead of merged, so that one thread copies no names: 2 % of the instructions at 8 MiB.
        let mut tallies = tallies.into_iter().chain([waited]);
        let mut tally = tallies.next().unwrap_or_else(|| plan.tally());
        tallies.for_each(|other| tally.merge(other));
        if let Some(groups) = tally.groups.as_mut().filter(|_| plan.for_parts) {
            groups.cut();
        }
        (tally, closed)
    }
}
