//! Merges the samples of all blocks, in their order, so that each event knows what earlier lines say of its message.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::block_sample::{BlockSample, MessageSource, OpenSource, SampledEvent, TextPiece};
use super::open_message::{OpenMessage, SourceTexts};
use super::samples::{Sample, Samples};
use super::series::CellKind;
use super::served_minutes::ServedMinute;
use super::shared_thresholds::SharedThresholds;
use super::thresholds::SAMPLE_LIMIT;
use crate::collections::interner::{Interner, Symbol};
use crate::messages::key::PrehashedState;
use crate::parse::mta::parsed::domain;
use crate::pipeline::filter::Filter;

/// The largest number of open messages whose source is kept, about 12 MiB.
const OPEN_LIMIT: usize = 1 << 17;
/// The largest number of events until the next cut, 6 MiB.
const UNCUT_LIMIT: usize = SAMPLE_LIMIT * 3 / 2;

/// Merges the blocks of one reading of the logs.
pub(crate) struct SampleMerger<'a> {
    filter: &'a Filter,
    hasher: RandomState,
    thresholds: SharedThresholds,
    open: HashMap<u64, OpenMessage, PrehashedState>,
    samples: Samples,
    /// The number of names after the unused ones were dropped.
    names: usize,
    /// Events whose sender the filter does not admit.
    left_out: u64,
    /// What is merged becomes a part, or is one.
    is_part: bool,
}

/// The samples of a part of the logs.
pub(crate) struct PartSamples {
    pub samples: Samples,
    /// Messages by their hash that lines before or behind the part may be about.
    pub open: Vec<(u64, OpenMessage)>,
}

/// What lines say of a message besides its source.
#[derive(Clone, Copy)]
struct OpenState {
    is_over: bool,
    is_cut: bool,
    has_arrived: bool,
}

impl<'a> SampleMerger<'a> {
    /// `thresholds` are those that the samplers of these blocks look at.
    pub(crate) fn new(hasher: RandomState, filter: &'a Filter, thresholds: SharedThresholds) -> Self {
        let samples = Samples::new(hasher.clone());
        Self {
            filter,
            hasher,
            thresholds,
            open: HashMap::default(),
            samples,
            names: 0,
            left_out: 0,
            is_part: false,
        }
    }

    /// Remembers what parts must know of each other.
    pub(crate) fn for_parts(self) -> Self {
        Self { is_part: true, ..self }
    }

    /// Adds the sample of a block; blocks must come in their order.
    pub(crate) fn fold(&mut self, mut block: BlockSample) {
        self.samples.undated += block.undated;
        for (hour, minutes) in block.lines.hours() {
            self.samples.lines.add_hour(hour, minutes);
        }
        block.served.iter().for_each(|served| self.samples.served.add(*served));
        self.resolve(&mut block);
        self.keep_open(&mut block);
        let (mut host, mut instance) = (LastPiece::default(), LastPiece::default());
        for event in &block.events {
            self.add(&block, event, (&mut host, &mut instance));
        }
        if self.samples.events.len() > UNCUT_LIMIT {
            self.cut();
        }
    }

    /// Cuts the sample to the events that it has room for, and tells the samplers of the next blocks.
    fn cut(&mut self) {
        self.samples.cut();
        self.thresholds.set(self.samples.thresholds.clone());
        self.drop_many_names();
    }

    /// Gives the events of a block what earlier blocks know of their messages, and drops those whose sender the filter does
    /// not admit.
    fn resolve(&mut self, block: &mut BlockSample) {
        let mut events = std::mem::take(&mut block.events);
        let is_full = self.open.len() >= OPEN_LIMIT;
        for event in events.iter_mut().filter(|event| event.is_open) {
            let open = self.open.get(&event.message);
            event.is_older = !is_full && open.is_none_or(|open| !open.has_arrived);
            let Some(open) = open else { continue };
            event.is_open = !open.is_cut;
            let earlier = open.source();
            let mut known = |stated: TextPiece, earlier: Option<&[u8]>| {
                if stated.start > 0 { stated } else { block.keep(earlier) }
            };
            let MessageSource { sender, user, client } = event.source;
            event.source = MessageSource {
                sender: known(sender, earlier.sender),
                user: known(user, earlier.user),
                client: known(client, earlier.client),
            };
        }
        if self.filter.asks_for_sender() {
            let all = events.len();
            events.retain(|event| self.filter.admits_sender(block.read(event.source.sender)));
            self.left_out += (all - events.len()) as u64;
            for event in events.iter().filter(|event| event.series.is_served()) {
                let (minute, direction) = (event.minute, event.series.direction);
                self.samples.served.add(ServedMinute { minute, direction, count: 1 });
            }
        } else {
            for cell in &block.cells {
                self.samples.leave_out(cell.key, cell.count - cell.kept);
            }
        }
        for event in &events {
            if let Some(raw) = block.read(event.raw) {
                self.samples.keep_example(event.series, event.hash, event.minute, raw);
            }
        }
        block.events = events;
    }

    /// Remembers the sources of messages that later blocks may have lines of.
    fn keep_open(&mut self, block: &mut BlockSample) {
        for OpenSource { key, source, is_complete, is_over } in std::mem::take(&mut block.open) {
            let [sender, user, client] =
                [source.sender, source.user, source.client].map(|piece| block.read(piece));
            let state = OpenState { is_over, is_cut: is_complete, has_arrived: is_complete };
            self.remember(key, state, SourceTexts { sender, user, client });
        }
    }

    /// Remembers what the next lines say of a message.
    fn remember(&mut self, message: u64, state: OpenState, source: SourceTexts) {
        if state.is_over && !self.is_part {
            self.open.remove(&message);
            return;
        }
        if state.is_cut && !self.is_part {
            self.open.remove(&message);
        }
        let is_full = self.open.len() >= OPEN_LIMIT;
        if is_full && !self.open.contains_key(&message) {
            return;
        }
        let open = self.open.entry(message).or_default();
        if state.is_over || state.is_cut || open.is_over {
            let is_cut = state.is_over || state.is_cut || open.is_over;
            *open = OpenMessage { is_over: state.is_over, is_cut, ..OpenMessage::default() };
        }
        if !state.is_over {
            open.has_arrived |= state.has_arrived;
            open.learn(source);
        }
    }

    /// Adds a part of the logs; parts must come in their order.
    pub(crate) fn fold_part(&mut self, part: PartSamples) {
        let PartSamples { mut samples, open } = part;
        let is_full = self.open.len() >= OPEN_LIMIT;
        let names = &mut samples.names;
        for event in samples.events.iter_mut().filter(|event| event.is_open) {
            let earlier = self.open.get(&event.message);
            event.is_older = !is_full && earlier.is_none_or(|open| !open.has_arrived);
            let Some(earlier) = earlier else { continue };
            event.is_open = !earlier.is_cut;
            let source = earlier.source();
            let sender = source.sender.map(|sender| if sender.is_empty() { b"<>" } else { sender });
            for (name, text) in [
                (&mut event.sender, sender),
                (&mut event.user, source.user),
                (&mut event.client, source.client),
            ] {
                if let Some(text) = text.filter(|_| *name == Symbol::OVERFLOW) {
                    *name = names.intern(text);
                }
            }
        }
        self.samples.append(samples);
        for (message, open) in open {
            let OpenMessage { is_over, is_cut, has_arrived, .. } = open;
            self.remember(message, OpenState { is_over, is_cut, has_arrived }, open.source());
        }
        if self.samples.events.len() > UNCUT_LIMIT {
            self.cut();
        }
    }

    /// Ends a part: its samples, and what they do not know of their messages.
    pub(crate) fn into_part(mut self) -> PartSamples {
        self.cut();
        self.samples.sort();
        let mut open: Vec<(u64, OpenMessage)> = self.open.into_iter().collect();
        open.sort_unstable_by_key(|(message, _)| *message);
        PartSamples { samples: self.samples, open }
    }

    /// Drops the names that no event has any more, once there are many of them.
    fn drop_many_names(&mut self) {
        if self.samples.has_many_names() && self.names * 5 / 4 < self.samples.names.count() {
            self.samples.drop_names(self.hasher.clone());
            self.names = self.samples.names.count();
        }
    }

    fn add(
        &mut self,
        block: &BlockSample,
        event: &SampledEvent,
        (host, instance): (&mut LastPiece, &mut LastPiece),
    ) {
        let kind = kind(block, event);
        if event.hash >= self.samples.thresholds.of(kind) {
            return;
        }
        let names = &mut self.samples.names;
        let (host, instance) =
            (host.name(event.host, block, names), instance.name(event.instance, block, names));
        let mut name = |text: Option<&[u8]>| text.map_or(Symbol::OVERFLOW, |text| names.intern(text));
        let sender = block.read(event.source.sender);
        let recipient = block.read(event.recipient);
        let sample = Sample {
            minute: event.minute,
            kind,
            series: event.series,
            hash: event.hash,
            message: event.message,
            sender: name(sender.map(|sender| if sender.is_empty() { b"<>" } else { sender })),
            user: name(block.read(event.source.user)),
            client: name(block.read(event.source.client)),
            recipient: name(recipient),
            domain: name(recipient.and_then(domain)),
            peer: name(block.read(event.peer)),
            host,
            instance,
            stage: event.stage,
            cause: event.cause,
            marks: event.marks,
            is_older: event.is_older,
            is_open: event.is_open,
            mta: event.mta,
        };
        self.samples.events.push(sample);
    }

    /// The samples of the blocks so far; more blocks may follow.
    pub(crate) fn so_far(&mut self) -> &Samples {
        self.cut();
        self.samples.sort();
        &self.samples
    }

    /// Drops all events before this minute, and names that no event has any more.
    pub(crate) fn forget(&mut self, before: i32) {
        self.cut();
        self.samples.forget(before);
        self.thresholds.set(self.samples.thresholds.clone());
        self.samples.drop_names(self.hasher.clone());
        self.names = self.samples.names.count();
    }

    /// Events so far whose sender the filter does not admit.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The samples of all blocks, or of all parts.
    pub(crate) fn finish(mut self) -> Samples {
        self.cut();
        self.samples.sort();
        self.samples
    }
}

fn kind(block: &BlockSample, event: &SampledEvent) -> CellKind {
    let cell = block.cells.get(event.cell as usize);
    cell.map_or_else(|| CellKind::of(&event.series), |cell| cell.key.kind)
}

/// The symbol of the last piece of a block that was interned: hosts and instances hardly change.
#[derive(Default)]
struct LastPiece(TextPiece, Option<Symbol>);

impl LastPiece {
    fn name(&mut self, piece: TextPiece, block: &BlockSample, names: &mut Interner) -> Symbol {
        if let Some(known) = self.1.filter(|_| self.0.start == piece.start) {
            return known;
        }
        let symbol = block.read(piece).map_or(Symbol::OVERFLOW, |text| names.intern(text));
        *self = Self(piece, Some(symbol));
        symbol
    }
}
