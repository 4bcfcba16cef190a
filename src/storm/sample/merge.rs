//! Merges the samples of all blocks, in their order, so that each event knows what earlier lines say of its message.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::block_sample::{BlockSample, SampleCell, SampledEvent, TextPiece};
use super::level::SharedLevel;
use super::open_message::OpenMessage;
use super::samples::{Sample, Samples};
use super::served_minutes::ServedMinute;
use crate::collections::interner::Symbol;
use crate::messages::key::PrehashedState;
use crate::parse::mta::parsed::domain;
use crate::pipeline::filter::Filter;

/// The largest number of open messages whose source is kept, about 12 MiB.
const OPEN_LIMIT: usize = 1 << 17;

/// Merges the blocks of one reading of the logs.
pub(crate) struct SampleMerger<'a> {
    filter: &'a Filter,
    hasher: RandomState,
    level: SharedLevel,
    open: HashMap<u64, OpenMessage, PrehashedState>,
    samples: Samples,
    /// The number of names after the unused ones were dropped.
    names: usize,
    /// Events whose sender the filter does not admit.
    left_out: u64,
}

impl<'a> SampleMerger<'a> {
    /// `level` is the one that the samplers of these blocks look at.
    pub(crate) fn new(hasher: RandomState, filter: &'a Filter, level: SharedLevel) -> Self {
        let samples = Samples::new(hasher.clone());
        Self { filter, hasher, level, open: HashMap::default(), samples, names: 0, left_out: 0 }
    }

    /// Adds the sample of a block; blocks must come in their order.
    pub(crate) fn fold(&mut self, block: &BlockSample) {
        self.samples.undated += block.undated;
        for (hour, minutes) in block.lines.hours() {
            self.samples.lines.add_hour(hour, minutes);
        }
        block.served.iter().for_each(|served| self.samples.served.add(*served));
        for cell in &block.cells {
            self.cell(block, cell);
        }
        for message in &block.open {
            if message.is_over {
                self.open.remove(&message.key);
                continue;
            }
            if message.is_complete {
                self.open.remove(&message.key);
            }
            let is_full = self.open.len() >= OPEN_LIMIT;
            if is_full && !self.open.contains_key(&message.key) {
                continue;
            }
            let open = self.open.entry(message.key).or_default();
            open.has_arrived |= message.is_complete;
            open.learn(block, message.source);
        }
        if self.samples.is_full() {
            self.samples.cut();
            self.level.raise(self.samples.level);
        }
        if self.samples.has_many_names() && self.names * 5 / 4 < self.samples.names.count() {
            self.drop_names();
        }
    }

    fn cell(&mut self, block: &BlockSample, cell: &SampleCell) {
        let mut admitted = 0;
        for event in &cell.events {
            admitted += u32::from(self.event(block, event, cell));
        }
        if self.filter.asks_for_sender() {
            self.left_out += u64::from(cell.count - admitted);
        } else {
            self.samples.leave_out(cell.key, cell.count - admitted);
        }
    }

    /// Adds an event. False: the filter does not admit its sender.
    fn event(&mut self, block: &BlockSample, event: &SampledEvent, cell: &SampleCell) -> bool {
        let open = self.open.get(&event.key).filter(|_| event.is_open);
        let is_full = self.open.len() >= OPEN_LIMIT;
        let is_older = event.is_open && !is_full && open.is_none_or(|open| !open.has_arrived);
        let earlier = open.map(OpenMessage::source).unwrap_or_default();
        let sender = block.read(event.source.sender).or(earlier.sender);
        if !self.filter.admits_sender(sender) {
            return false;
        }
        let user = block.read(event.source.user).or(earlier.user);
        let client = block.read(event.source.client).or(earlier.client);
        let names = &mut self.samples.names;
        let mut name = |text: Option<&[u8]>| text.map_or(Symbol::OVERFLOW, |text| names.intern(text));
        let sender = name(sender.map(|sender| if sender.is_empty() { b"<>" } else { sender }));
        let (user, client) = (name(user), name(client));
        // Both are nearly always the same as those of the event before.
        let last = self.samples.events.last().map(|last| (last.host, last.instance));
        let (last_host, last_instance) = last.unwrap_or((Symbol::OVERFLOW, Symbol::OVERFLOW));
        let names = &mut self.samples.names;
        let mut repeated = |last: Symbol, piece: TextPiece| match block.read(piece) {
            Some(text) if last != Symbol::OVERFLOW && names.name(last) == text => last,
            Some(text) => names.intern(text),
            None => Symbol::OVERFLOW,
        };
        let (host, instance) = (repeated(last_host, event.host), repeated(last_instance, event.instance));
        let mut name = |text: Option<&[u8]>| text.map_or(Symbol::OVERFLOW, |text| names.intern(text));
        let recipient = block.read(event.recipient);
        let minute = event.minute;
        let sample = Sample {
            minute,
            kind: cell.key.kind,
            series: event.series,
            hash: event.hash,
            message: event.message,
            recipient: name(recipient),
            domain: name(recipient.and_then(domain)),
            peer: name(block.read(event.peer)),
            sender,
            user,
            client,
            host,
            instance,
            stage: event.stage,
            cause: event.cause,
            marks: event.marks,
            is_older,
            mta: event.mta,
        };
        self.samples.events.push(sample);
        if self.filter.asks_for_sender() && event.series.is_served() {
            let direction = event.series.direction;
            self.samples.served.add(ServedMinute { minute, direction, count: 1 });
        }
        if let Some(raw) = block.read(event.raw) {
            self.samples.keep_example(event.series, event.hash, minute, raw);
        }
        true
    }

    /// Drops names that no event has any more.
    fn drop_names(&mut self) {
        self.samples.cut();
        self.samples.drop_names(self.hasher.clone());
        self.names = self.samples.names.count();
    }

    /// The samples of the blocks so far; more blocks may follow.
    pub(crate) fn so_far(&mut self) -> &Samples {
        self.samples.cut();
        &self.samples
    }

    /// Drops all events before this minute, and names that no event has any more.
    pub(crate) fn forget(&mut self, before: i32) {
        self.samples.forget(before);
        self.drop_names();
    }

    /// Events so far whose sender the filter does not admit.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The samples of all blocks.
    pub(crate) fn finish(mut self) -> Samples {
        self.samples.cut();
        self.samples
    }
}
