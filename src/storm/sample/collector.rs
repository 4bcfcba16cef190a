//! Samples each block: counts its events by minute and kind, and keeps a few of them.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::block_sample::{BlockSample, MessageSource, MinuteCell, OpenSource, SampledEvent, TextPiece};
use super::series::CountSeries;
use crate::messages::key::{KeyHasher, PrehashedState};
use crate::parse::header::LogLine;
use crate::parse::mta;
use crate::parse::mta::delay::Phase;
use crate::parse::mta::queue_record::{MessageFields, QueueStep};
use crate::pipeline::filter::Filter;
use crate::pipeline::sink::{EventSink, LoggedEvent, LoggedQueueRecord};
use crate::smtp::event::{Direction, Event, Mta, Outcome};
use crate::smtp::side::is_private;

/// The number of failures kept of one kind and minute.
pub(crate) const FAILED_KEPT: usize = 32;
/// The number of deliveries kept of one kind and minute; they show the volume of each sender and so on.
pub(crate) const SERVED_KEPT: usize = 8;
/// The number of example lines kept of one kind and hour.
pub(crate) const EXAMPLES_KEPT: usize = 3;
/// The length to which an example line is cut, in bytes.
const EXAMPLE_LIMIT: usize = 400;

/// Samples blocks; each thread has one.
pub(crate) struct Sampler<'a> {
    keys: KeyHasher,
    filter: &'a Filter,
    /// The messages of the current block, by key.
    messages: HashMap<u64, SampledMessage, PrehashedState>,
    /// The index of each cell of the current block.
    cells: HashMap<(i32, CountSeries), u32, FixedState>,
    /// The cell that was counted last, which is often the next one too.
    last: Option<((i32, CountSeries), u32)>,
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
    /// `keys` has the same seed in all threads of a run.
    pub(crate) fn new(keys: KeyHasher, filter: &'a Filter) -> Self {
        Self {
            keys,
            filter,
            messages: HashMap::default(),
            cells: HashMap::default(),
            last: None,
            sample: BlockSample::default(),
        }
    }

    /// Counts an event. Returns the index of its cell if its hash is small enough for the sample.
    fn count(&mut self, minute: i32, series: CountSeries, hash: u64) -> Option<usize> {
        let key = (minute, series);
        let at = match self.last {
            Some((last, at)) if last == key => at,
            _ => *self.cells.entry(key).or_insert_with(|| {
                self.sample.cells.push(MinuteCell { minute, series, count: 0, events: Vec::new() });
                self.sample.cells.len() as u32 - 1
            }),
        };
        self.last = Some((key, at));
        let cell = self.sample.cells.get_mut(at as usize)?;
        cell.count += 1;
        let limit = if self.filter.asks_for_sender() {
            usize::MAX
        } else if series.is_served() {
            SERVED_KEPT
        } else {
            FAILED_KEPT
        };
        if cell.events.len() < limit {
            return Some(at as usize);
        }
        let worst = (0..cell.events.len()).max_by_key(|&at| cell.events.get(at).map(|event| event.hash))?;
        if cell.events.get(worst)?.hash <= hash {
            return None;
        }
        cell.events.swap_remove(worst);
        Some(at as usize)
    }

    fn keep_event(&mut self, cell: usize, event: SampledEvent) {
        if let Some(cell) = self.sample.cells.get_mut(cell) {
            cell.events.push(event);
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
                let is_new = self.messages.get(&key).is_some_and(|message| message.is_new);
                let over =
                    SampledMessage { is_complete: true, is_over: true, is_new, ..SampledMessage::default() };
                self.messages.insert(key, over);
                None
            }
        }
    }

    /// Updates a message with what a line states about its source, and returns all that is known of it.
    fn learn(&mut self, key: u64, arrives: bool, fields: &MessageFields) -> MessageSource {
        let stated = MessageSource {
            sender: self.sample.keep(fields.sender),
            user: self.sample.keep(fields.user),
            client: self.sample.keep(fields.client),
        };
        let message = self.messages.entry(key).or_default();
        if arrives {
            *message = SampledMessage { is_complete: true, is_new: true, ..SampledMessage::default() };
        } else if message.is_over {
            message.is_over = false;
        }
        message.source.learn(stated);
        message.source
    }

    /// The host and the instance of a line.
    fn host_and_instance(&mut self, line: &LogLine) -> (TextPiece, TextPiece) {
        let host = self.sample.keep(Some(line.named_host()).filter(|host| !host.is_empty()));
        let instance = Some(line.instance_or_program()).filter(|name| !name.is_empty());
        (host, self.sample.keep(instance))
    }
}

/// The sampling hash of an event with these names, the event `part` of its line. It depends on the text of the log alone, so every
/// run has the same sample.
fn hash(queue_id: Option<&[u8]>, recipient: Option<&[u8]>, (raw, part): (&[u8], u32)) -> u64 {
    let state = FixedState::with_seed(0x5f0e);
    match (queue_id, recipient) {
        (Some(id), Some(recipient)) => state.hash_one((id, recipient)),
        (Some(_) | None, Some(_) | None) => state.hash_one((raw, part)),
    }
}

/// Whether the other side is a part of this server's own mail system: `private/dovecot-lmtp`, 127.0.0.1:10024, 10.0.0.5, or
/// a socket (`Failed to connect to socket /run/dovecot/lmtp` of Exim).
fn is_near(event: &Event, line: &LogLine) -> bool {
    let inside = event.peer.ip.is_some_and(is_private);
    let daemon = line.program.rsplit(|&byte| byte == b'/').next();
    let socket = event.peer.host.is_some_and(|host| host.contains(&b'/'));
    // Exim names no host where a transport hands over to a socket or a program.
    let no_host = event.peer.host.is_none() && event.peer.ip.is_none();
    let outbound = event.direction == Direction::Outbound;
    let handed_over = no_host && outbound && event.outcome == Outcome::Delivered;
    let no_socket = no_host && outbound && memchr::memmem::find(event.text, b" socket /").is_some();
    event.direction == Direction::Local
        || inside
        || socket
        || handed_over
        || no_socket
        || daemon == Some(b"lmtp")
}

/// The minute in which the message of a delivery at `minute` arrived. `None`: its line does not tell.
fn arrival(minute: i64, mta: Mta, line: &LogLine) -> Option<i32> {
    let delays = mta::delivery_delays(mta, line);
    let (_, millis) = delays.into_iter().find(|(phase, _)| *phase == Phase::Total)?;
    i32::try_from(minute - i64::try_from(millis / 60_000).ok()?).ok()
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
        let hash = hash(event.queue_id, event.recipient, (logged.raw, logged.part));
        let Some(cell) = self.count(moment.minute() as i32, series, hash) else { return };
        let key = event.queue_id.map_or(0, |id| self.keys.key_on_host(event.mta, logged.line, id));
        let message = self.messages.get(&key).copied().unwrap_or_default();
        let mut source = message.source;
        let inbound = event.direction == Direction::Inbound;
        let own = MessageSource {
            sender: self.sample.keep(event.sender),
            user: self.sample.keep(mta::login(event, logged.line)),
            client: TextPiece::default(),
        };
        source.learn(own);
        let peer =
            if inbound { event.peer.ip.or(event.peer.host) } else { event.peer.host.or(event.peer.ip) };
        let (host, instance) = self.host_and_instance(logged.line);
        let raw = logged.raw.get(..EXAMPLE_LIMIT).unwrap_or(logged.raw);
        let smaller = |cell: &MinuteCell| cell.events.iter().filter(|event| event.hash < hash).count();
        let is_kept = |cell: &MinuteCell| smaller(cell) < EXAMPLES_KEPT;
        let is_example = !series.is_served() && self.sample.cells.get(cell).is_some_and(is_kept);
        let is_open = key != 0 && !message.is_complete;
        let arrival = if is_open { arrival(moment.minute(), event.mta, logged.line) } else { None };
        let event = SampledEvent {
            hash,
            key,
            is_open,
            recipient: self.sample.keep(event.recipient),
            host,
            instance,
            peer: self.sample.keep(peer),
            source,
            raw: self.sample.keep(Some(raw).filter(|_| is_example)),
            stage: event.stage,
            provider: if series.is_served() { logged.provider() } else { None },
            is_near: is_near(event, logged.line),
            arrival,
            mta: event.mta,
        };
        self.keep_event(cell, event);
    }

    fn queue_record(&mut self, logged: &LoggedQueueRecord) {
        let fact = logged.record;
        let key = self.keys.key_on_host(fact.mta, logged.line, fact.queue_id);
        let Some(arrives) = self.step(key, fact.step, fact.mta) else { return };
        // A queue manager repeats the same sender for each retry.
        let is_known = |message: &SampledMessage| message.source.sender.start > 0;
        if !arrives && self.messages.get(&key).is_some_and(is_known) {
            return;
        }
        let source = self.learn(key, arrives, &mta::message_fields(fact));
        // Mail of programs on this host keeps coming while clients cannot reach the server, so it would hide a silence.
        let is_counted = arrives && source.client.start > 0 && self.filter.is_empty();
        let (Some(minute), true) = (logged.minute, is_counted) else { return };
        let hash = hash(None, None, (logged.raw, 0));
        let Some(cell) = self.count(minute as i32, CountSeries::TAKEN, hash) else { return };
        let (host, instance) = self.host_and_instance(logged.line);
        let event = SampledEvent {
            hash,
            key,
            is_open: false,
            recipient: TextPiece::default(),
            host,
            instance,
            peer: source.client,
            source: MessageSource { client: TextPiece::default(), ..source },
            raw: TextPiece::default(),
            stage: None,
            provider: None,
            is_near: false,
            arrival: None,
            mta: fact.mta,
        };
        self.keep_event(cell, event);
    }

    fn minute(&mut self, minute: i64) {
        // A minute beyond this range is no minute of any log.
        if let Ok(minute) = i32::try_from(minute) {
            self.sample.lines.add(minute);
        }
    }

    fn end_of_block(&mut self, _file: usize, _lines: u64) -> BlockSample {
        self.last = None;
        self.cells.clear();
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
        std::mem::take(&mut self.sample)
    }
}
