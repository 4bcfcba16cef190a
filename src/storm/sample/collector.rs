//! Samples each block: counts its events by minute and kind, and keeps a few of them.

use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::block_sample::{
    BlockSample, EventMarks, MessageSource, NO_EVENT, OpenSource, SampleCell, SampledEvent, TextPiece,
};
use super::hash::{HASH_SEED, sampling_hash};
use super::marks::marks;
use super::own_faults::OwnFaults;
use super::series::{CellKey, CellKind, CountSeries};
use super::served_minutes::ServedMinute;
use super::shared_thresholds::SharedThresholds;
use super::thresholds::{EVENTS_KEPT, Thresholds};
use crate::messages::key::PrehashedState;
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::mta::queue_record::QueueStep;
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::{EventSink, LoggedEvent, LoggedQueueRecord, LoggedWarning};
use crate::simd::bytes_eq;
use crate::smtp::event::{Direction, Mta};
use crate::smtp::side::Side;

/// The number of example lines kept of one kind and span.
pub(crate) const EXAMPLES_KEPT: usize = 3;
/// Minutes of a span that shares its example lines, as long as there are few.
pub(crate) const EXAMPLE_MINUTES: i32 = 180;
/// The length to which an example line is cut, in bytes.
const EXAMPLE_LIMIT: usize = 400;

/// Samples blocks; each thread has one.
pub(crate) struct Sampler<'a> {
    filter: &'a Filter,
    with_examples: bool,
    /// The host of the last line, and its hash.
    host: Vec<u8>,
    host_hash: u64,
    /// The messages of the current block, by key.
    messages: HashMap<u64, SampledMessage, PrehashedState>,
    /// The index of each cell of the current block.
    cells: HashMap<CellKey, u32, FixedState>,
    /// The cell that was counted last, which is often the next one too.
    last: Option<(CellKey, u32)>,
    /// The smallest hashes of each kind of evidence in the current block, by spans of [`EXAMPLE_MINUTES`].
    examples: HashMap<(i32, CountSeries), [u64; EXAMPLES_KEPT], FixedState>,
    /// The host and the instance of the last event that was kept.
    last_names: (TextPiece, TextPiece),
    own_faults: OwnFaults,
    shared: SharedThresholds,
    /// The thresholds of the current block.
    thresholds: Arc<Thresholds>,
    /// The kind of the last event, which is often that of the next one too, and its threshold.
    last_kind: Option<(CellKind, u64)>,
    sample: BlockSample,
}

/// The metadata that a block has of a message so far.
#[derive(Clone, Copy, Default)]
struct SampledMessage {
    source: MessageSource,
    /// It arrived in this block.
    is_new: bool,
    /// Earlier blocks have no metadata of it.
    is_complete: bool,
    /// It left the queue.
    is_over: bool,
}

impl<'a> Sampler<'a> {
    pub(crate) fn new(filter: &'a Filter, shared: SharedThresholds, with_examples: bool) -> Self {
        Self {
            filter,
            with_examples,
            host: Vec::new(),
            host_hash: sampling_hash(HASH_SEED, b""),
            messages: HashMap::default(),
            cells: HashMap::default(),
            last: None,
            examples: HashMap::default(),
            last_names: Default::default(),
            own_faults: OwnFaults::default(),
            thresholds: shared.get(),
            last_kind: None,
            shared,
            sample: BlockSample::default(),
        }
    }

    /// Counts an event. Returns its place if its hash is small enough for the sample.
    fn count(&mut self, minute: i32, kind: CellKind, hash: u64) -> Option<EventPlace> {
        let threshold = match self.last_kind {
            Some((last, threshold)) if last == kind => threshold,
            _ => self.thresholds.of(kind),
        };
        self.last_kind = Some((kind, threshold));
        if hash >= threshold {
            return None;
        }
        let key = CellKey { minute, kind };
        let at = match self.last {
            Some((last, at)) if last == key => at,
            _ => *self.cells.entry(key).or_insert_with(|| {
                let cell = SampleCell { key, count: 0, kept: 0, last: NO_EVENT, largest: u64::MAX };
                self.sample.cells.push(cell);
                self.sample.cells.len() as u32 - 1
            }),
        };
        self.last = Some((key, at));
        let cell = self.sample.cells.get_mut(at as usize)?;
        cell.count += 1;
        let limit = if self.filter.asks_for_sender() { u32::MAX } else { EVENTS_KEPT as u32 };
        // Of two events with equal hashes the earlier one is kept, and it may be in another block.
        if hash > cell.largest || hash == cell.largest && cell.kept == limit {
            return None;
        }
        if cell.kept < limit {
            cell.kept += 1;
            let place = EventPlace { cell: at, at: self.sample.events.len() as u32, next: cell.last };
            cell.last = place.at;
            if cell.kept == limit {
                // The new event is not there yet.
                let others = self.sample.events_from(place.next);
                let largest = others.map(|(_, event)| event.hash).fold(hash, u64::max);
                self.sample.cells.get_mut(at as usize)?.largest = largest;
            }
            return Some(place);
        }
        let last = cell.last;
        let (replaced, event) = self.sample.events_from(last).max_by_key(|(_, event)| event.hash)?;
        let place = EventPlace { cell: at, at: replaced, next: event.next };
        let others = self.sample.events_from(last).filter(|(other, _)| *other != replaced);
        let largest = others.map(|(_, event)| event.hash).fold(hash, u64::max);
        self.sample.cells.get_mut(at as usize)?.largest = largest;
        Some(place)
    }

    /// Counts mail that was served. With a filter for senders the merger does it, which knows them.
    fn serve(&mut self, minute: i32, direction: Direction) {
        if self.filter.asks_for_sender() {
            return;
        }
        // Nearly all lines are of the latest minutes of the three directions.
        let latest = self.sample.served.iter_mut().rev().take(6);
        let known =
            latest.into_iter().find(|served| (served.minute, served.direction) == (minute, direction));
        match known {
            Some(served) => served.count += 1,
            None => self.sample.served.push(ServedMinute { minute, direction, count: 1 }),
        }
    }

    fn keep_event(&mut self, event: SampledEvent, place: EventPlace) {
        match self.sample.events.get_mut(place.at as usize) {
            Some(old) => *old = event,
            None => self.sample.events.push(event),
        }
    }

    /// Whether this step is the arrival of a message. `None`: it says nothing about the message's source.
    fn step(&mut self, key: u64, step: QueueStep, mta: Mta) -> Option<bool> {
        match step {
            QueueStep::Received => Some(true),
            QueueStep::Notice if mta::is_queued_on_arrival(mta) => Some(true),
            QueueStep::Queued => Some(false),
            QueueStep::MessageIdAssigned
            | QueueStep::Notice
            | QueueStep::Held
            | QueueStep::Released
            | QueueStep::PassedOn
            | QueueStep::Returned => None,
            QueueStep::Removed
            | QueueStep::Deleted
            | QueueStep::Requeued
            | QueueStep::Canceled
            | QueueStep::Dropped => {
                let message = self.messages.entry(key).or_default();
                let is_new = message.is_new;
                *message =
                    SampledMessage { is_complete: true, is_over: true, is_new, ..SampledMessage::default() };
                None
            }
        }
    }

    /// Updates a message with what a line states about its source, and returns all that is known of it. `None`: the line only repeats
    /// what is known.
    fn learn(&mut self, key: u64, arrives: bool, logged: &LoggedQueueRecord) -> Option<MessageSource> {
        let message = self.messages.entry(key).or_default();
        if arrives {
            *message = SampledMessage { is_complete: true, is_new: true, ..SampledMessage::default() };
        } else if message.source.sender.start > 0 {
            // A queue manager repeats the same sender for each retry.
            return None;
        }
        message.is_over = false;
        let fields = logged.origin();
        message.source.learn(MessageSource {
            sender: self.sample.keep(fields.sender),
            user: self.sample.keep(fields.user),
            client: self.sample.keep(fields.client),
        });
        Some(message.source)
    }

    /// Keeps the line as an example, if it is evidence and the hash is among the smallest of its kind in its span. With a filter for
    /// senders each line may be one.
    fn example(&mut self, series: CountSeries, (minute, hash): (i32, u64), raw: &[u8]) -> TextPiece {
        if !self.with_examples || !CellKind::of(&series).is_evidence() {
            return TextPiece::default();
        }
        let span = minute.div_euclid(EXAMPLE_MINUTES);
        let smallest = self.examples.entry((span, series)).or_insert([u64::MAX; EXAMPLES_KEPT]);
        let largest = smallest.iter_mut().max();
        let Some(place) = largest.filter(|largest| hash < **largest || self.filter.asks_for_sender()) else {
            return TextPiece::default();
        };
        *place = hash;
        self.sample.keep(Some(raw.get(..EXAMPLE_LIMIT).unwrap_or(raw)))
    }

    /// The host and the instance of a line.
    fn host_and_instance(&mut self, line: &LogLine) -> (TextPiece, TextPiece) {
        let (host, instance) = self.last_names;
        let host = self.sample.keep_again(line.named_host(), host);
        let instance = self.sample.keep_again(line.instance_or_program(), instance);
        self.last_names = (host, instance);
        self.last_names
    }

    /// Identifies a message by its host and queue id, in every run alike; never 0. The instance makes no difference: daemons of
    /// one queue may log under several names (Postfix: `-o syslog_name=postfix-out` in master.cf).
    fn message(&mut self, mta: Mta, line: &LogLine, queue_id: &[u8]) -> u64 {
        if !bytes_eq(&self.host, line.host) {
            self.host.clear();
            self.host.extend_from_slice(line.host);
            self.host_hash = sampling_hash(HASH_SEED, line.host);
        }
        sampling_hash(self.host_hash, mta::message_part(mta, queue_id)).max(1)
    }
}

/// Where an event of the sample belongs.
#[derive(Clone, Copy)]
struct EventPlace {
    /// Index of its cell.
    cell: u32,
    /// Its own index: that of an event which it replaces, or the next one.
    at: u32,
    /// Index of the event before it in its cell.
    next: u32,
}

/// The sampling hash of an event, the event `part` of its line. It depends on the text of the log alone, so every run has the
/// same sample. `message` is 0 if the line names none.
fn hash(message: u64, recipient: Option<&[u8]>, (raw, part): (&[u8], u32)) -> u64 {
    match recipient {
        Some(recipient) if message != 0 => sampling_hash(message, recipient),
        Some(_) | None => sampling_hash(HASH_SEED ^ u64::from(part), raw),
    }
}

/// Whether a step may say something about the source of a message. Each message has several others.
fn is_of_source(step: QueueStep, mta: Mta) -> bool {
    match step {
        QueueStep::MessageIdAssigned
        | QueueStep::Held
        | QueueStep::Released
        | QueueStep::PassedOn
        | QueueStep::Returned => false,
        QueueStep::Notice => mta::is_queued_on_arrival(mta),
        QueueStep::Received
        | QueueStep::Queued
        | QueueStep::Removed
        | QueueStep::Deleted
        | QueueStep::Requeued
        | QueueStep::Canceled
        | QueueStep::Dropped => true,
    }
}

impl EventSink for Sampler<'_> {
    type BlockOutput = BlockSample;

    fn event(&mut self, logged: &LoggedEvent) {
        let event = logged.event;
        let Some(series) = CountSeries::of(logged) else { return };
        let Some(moment) = logged.moment else {
            self.sample.undated += 1;
            return;
        };
        let minute = moment.minute() as i32;
        if series.is_served() {
            self.serve(minute, series.direction);
        }
        let key = event.queue_id.map_or(0, |id| self.message(event.mta, logged.line, id));
        let hash = hash(key, event.recipient, (logged.raw, logged.part));
        let kind = CellKind::of(&series);
        let provider = kind.is_evidence().then(|| logged.provider());
        let kind = kind.of_provider(provider.flatten());
        let Some(place) = self.count(minute, kind, hash) else { return };
        let message = self.messages.get(&key).copied().unwrap_or_default();
        let mut source = message.source;
        // Of strangers only the client counts: what they claim is made up.
        let is_claim = kind.is_stranger() && !self.filter.asks_for_sender();
        let (sender, recipient) = if is_claim { (None, None) } else { (event.sender, event.recipient) };
        let own = MessageSource {
            sender: self.sample.keep(sender),
            user: self.sample.keep(mta::login(event, logged.line)),
            client: TextPiece::default(),
        };
        source.learn(own);
        let (ip, host_name) = (event.peer.ip, event.peer.host);
        let peer = if event.direction == Direction::Inbound { ip.or(host_name) } else { host_name.or(ip) };
        let is_open = key != 0 && !message.is_complete;
        // The same answer as if the message had ended in an earlier block.
        let is_older = key != 0 && message.is_over;
        let (host, instance) = self.host_and_instance(logged.line);
        let provider = provider.unwrap_or_else(|| logged.provider());
        let series = CountSeries { provider, ..series };
        let raw = self.example(series, (minute, hash), logged.raw);
        let event = SampledEvent {
            minute,
            hash,
            message: key,
            cell: place.cell,
            next: place.next,
            series,
            cause: logged.verdict.and_then(|verdict| verdict.cause),
            is_open,
            is_older,
            recipient: self.sample.keep(recipient),
            host,
            instance,
            peer: self.sample.keep(peer),
            source,
            raw,
            stage: event.stage,
            marks: marks(logged, is_open || is_older),
            mta: event.mta,
        };
        self.keep_event(event, place);
    }

    fn queue_record(&mut self, logged: &LoggedQueueRecord) {
        let fact = logged.record;
        if !is_of_source(fact.step, fact.mta) {
            return;
        }
        let key = self.message(fact.mta, logged.line, fact.queue_id);
        let Some(arrives) = self.step(key, fact.step, fact.mta) else { return };
        let Some(source) = self.learn(key, arrives, logged) else { return };
        // Mail of programs on this host keeps coming while clients cannot reach the server, so it would hide a silence.
        let is_counted = arrives && source.client.start > 0 && self.filter.is_empty();
        let (Some(minute), true) = (logged.minute, is_counted) else { return };
        let minute = minute as i32;
        self.serve(minute, Direction::Inbound);
        let hash = key;
        let series = CountSeries::TAKEN;
        let Some(place) = self.count(minute, CellKind::of(&series), hash) else { return };
        let (host, instance) = self.host_and_instance(logged.line);
        let event = SampledEvent {
            minute,
            hash,
            message: key,
            cell: place.cell,
            next: place.next,
            series,
            cause: None,
            is_open: false,
            is_older: false,
            recipient: TextPiece::default(),
            host,
            instance,
            peer: source.client,
            source: MessageSource { client: TextPiece::default(), ..source },
            raw: TextPiece::default(),
            stage: None,
            marks: EventMarks::NONE,
            mta: fact.mta,
        };
        self.keep_event(event, place);
    }

    fn warning(&mut self, logged: &LoggedWarning) {
        // A filter selects results, and a warning is none.
        if !self.filter.is_empty() {
            return;
        }
        let Some((reason, cause)) = self.own_faults.find(logged) else { return };
        let Some(minute) = logged.minute else {
            self.sample.undated += 1;
            return;
        };
        let minute = minute as i32;
        let (series, hash) = (CountSeries::own_fault(reason), hash(0, None, (logged.raw, 0)));
        let Some(place) = self.count(minute, CellKind::of_own_fault(&series), hash) else { return };
        let (host, instance) = self.host_and_instance(logged.line);
        let raw = self.example(series, (minute, hash), logged.raw);
        let event = SampledEvent {
            minute,
            hash,
            message: 0,
            cell: place.cell,
            next: place.next,
            series,
            cause,
            is_open: false,
            is_older: false,
            recipient: TextPiece::default(),
            host,
            instance,
            peer: TextPiece::default(),
            source: MessageSource::default(),
            raw,
            stage: None,
            marks: EventMarks {
                side: Side::ThisHost,
                is_near: true,
                is_ours: true,
                is_own_fault: true,
                is_fresh: false,
            },
            mta: logged.warning.mta,
        };
        self.keep_event(event, place);
    }

    fn minute(&mut self, minute: i64) {
        // A minute beyond this range is no minute of any log.
        if let Ok(minute) = i32::try_from(minute) {
            self.sample.lines.add(minute);
        }
    }

    fn end_of_block(&mut self, _file: usize, _lines: u64) -> BlockSample {
        self.last = None;
        self.last_kind = None;
        self.last_names = Default::default();
        self.cells.clear();
        self.examples.clear();
        self.thresholds = self.shared.get();
        for (key, message) in self.messages.drain() {
            // Most messages arrive and leave within a block, so no other block needs them.
            if message.is_new && message.is_over {
                continue;
            }
            self.sample.open.push(OpenSource {
                key,
                source: message.source,
                is_complete: message.is_complete,
                is_over: message.is_over,
            });
        }
        let sample = std::mem::take(&mut self.sample);
        // The next block is much like this one.
        self.sample.text.reserve(sample.text.len());
        self.sample.events.reserve(sample.events.len());
        self.sample.cells.reserve(sample.cells.len());
        sample
    }
}
