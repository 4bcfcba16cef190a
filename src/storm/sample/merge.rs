//! Merges the samples of all blocks, in their order, into counts by the minute and one bounded sample of events.

use foldhash::fast::{FixedState, RandomState};
use hashbrown::HashMap;

use super::block_sample::{BlockSample, MessageSource, SampledEvent};
use super::collector::{EXAMPLES_KEPT, FAILED_KEPT, SERVED_KEPT};
use super::line_minutes::LineMinutes;
use super::series::CountSeries;
use crate::catalog::provider::Provider;
use crate::collections::interner::{Interner, Symbol};
use crate::messages::key::PrehashedState;
use crate::parse::mta::parsed::domain;
use crate::pipeline::filter::Filter;
use crate::smtp::event::{Mta, Stage};

/// The largest number of events in the sample, about 64 MiB; detection takes twice as much. Beyond it, fewer are kept of each
/// minute and kind.
const SAMPLE_LIMIT: usize = 1 << 20;
/// The largest number of counts, one a minute and kind, about 60 MiB. Beyond it, the oldest minutes are dropped.
const COUNT_LIMIT: usize = 1 << 21;
/// The largest number of open messages whose source is kept, about 100 MiB.
const OPEN_LIMIT: usize = 1 << 19;

/// Minutes of a span that shares its example lines: long enough that they take a few MiB.
pub(crate) const EXAMPLE_MINUTES: i32 = 180;

/// The index of a kind of event in [`Samples::kinds`].
pub(crate) type SampleKind = u32;

/// One event of the sample. An unknown name is [`Symbol::OVERFLOW`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Since 1970-01-01T00:00Z.
    pub minute: i32,
    pub kind: SampleKind,
    /// The sampling hash.
    pub hash: u64,
    /// The key of its message; 0: none.
    pub message: u64,
    pub recipient: Symbol,
    pub domain: Symbol,
    /// The server that replied, or the client that got the reply.
    pub peer: Symbol,
    pub sender: Symbol,
    pub user: Symbol,
    /// The client that handed the message to this server.
    pub client: Symbol,
    pub host: Symbol,
    pub instance: Symbol,
    pub stage: Option<Stage>,
    pub provider: Option<Provider>,
    /// The other side is a part of this server's own mail system.
    pub is_near: bool,
    /// No line shows the arrival of the message: it is older than the log, or the log shows no arrivals.
    pub is_older: bool,
    /// The minute in which the message arrived. `None`: its arrival is in the log, or nothing tells.
    pub arrival: Option<i32>,
    pub mta: Mta,
}

/// An example line of the log.
pub(crate) struct Example {
    /// The sampling hash of its event: one of the smallest of its span and kind.
    pub hash: u64,
    pub minute: i32,
    pub line: Vec<u8>,
}

/// Adds an example if its hash is among the smallest. The order of those that are kept depends on them alone.
fn keep_example(kept: &mut Vec<Example>, example: Example) {
    let order = |example: &Example| (example.hash, example.minute);
    let at = kept.partition_point(|known| order(known) < order(&example));
    let is_known = kept.get(at).is_some_and(|known| order(known) == order(&example));
    if at < EXAMPLES_KEPT && !is_known {
        kept.insert(at, example);
        kept.truncate(EXAMPLES_KEPT);
    }
}

/// The counts and the sample in which storms are detected.
pub(crate) struct Samples {
    pub names: Interner,
    pub kinds: Vec<CountSeries>,
    /// By minute since 1970-01-01T00:00Z and kind.
    pub counts: HashMap<(i32, SampleKind), u32, FixedState>,
    pub samples: Vec<Sample>,
    /// By span of [`EXAMPLE_MINUTES`] since 1970-01-01T00:00Z and kind.
    pub examples: HashMap<(i32, SampleKind), Vec<Example>, FixedState>,
    /// Events whose line shows no time.
    pub undated: u64,
    /// The oldest minutes were dropped because there were too many.
    pub is_cut: bool,
    /// Events whose sender the filter does not admit.
    pub left_out: u64,
    /// The minutes with lines of any kind.
    pub lines: LineMinutes,
}

/// Merges the blocks of one reading of the logs.
pub(crate) struct SampleMerger<'a> {
    filter: &'a Filter,
    kinds: HashMap<CountSeries, SampleKind, FixedState>,
    open: HashMap<u64, OpenMessage, PrehashedState>,
    /// The number of failures kept of one kind and minute.
    failed_kept: usize,
    samples: Samples,
    /// The length of the sample after the last [`trim`](Self::trim).
    trimmed_length: usize,
}

/// The source of a message that is still in the queue.
#[derive(Default)]
struct OpenMessage {
    sender: Option<Box<[u8]>>,
    user: Option<Box<[u8]>>,
    client: Option<Box<[u8]>>,
    /// A line showed its arrival.
    has_arrived: bool,
}

impl OpenMessage {
    fn learn(&mut self, block: &BlockSample, source: MessageSource) {
        for (known, piece) in [
            (&mut self.sender, source.sender),
            (&mut self.user, source.user),
            (&mut self.client, source.client),
        ] {
            if let Some(text) = block.read(piece) {
                *known = Some(text.into());
            }
        }
    }
}

impl<'a> SampleMerger<'a> {
    pub(crate) fn new(hasher: RandomState, filter: &'a Filter) -> Self {
        Self {
            filter,
            kinds: HashMap::default(),
            open: HashMap::default(),
            failed_kept: FAILED_KEPT,
            samples: Samples {
                names: Interner::new(hasher),
                kinds: Vec::new(),
                counts: HashMap::default(),
                samples: Vec::new(),
                examples: HashMap::default(),
                undated: 0,
                is_cut: false,
                left_out: 0,
                lines: LineMinutes::default(),
            },
            trimmed_length: 0,
        }
    }

    /// Adds the sample of a block; blocks must come in their order.
    pub(crate) fn fold(&mut self, block: &BlockSample) {
        self.samples.undated += block.undated;
        for (hour, minutes) in block.lines.hours() {
            self.samples.lines.add_hour(hour, minutes);
        }
        for cell in &block.cells {
            let kind = self.kind(cell.series);
            let mut admitted = 0;
            for event in &cell.events {
                admitted += u32::from(self.sample(block, event, cell.minute, kind));
            }
            let count = if self.filter.asks_for_sender() {
                self.samples.left_out += u64::from(cell.count - admitted);
                admitted
            } else {
                cell.count
            };
            if count > 0 {
                *self.samples.counts.entry((cell.minute, kind)).or_default() += count;
            }
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
        if self.samples.samples.len() > SAMPLE_LIMIT.max(self.trimmed_length * 2) {
            self.trim();
        }
    }

    fn kind(&mut self, series: CountSeries) -> SampleKind {
        *self.kinds.entry(series).or_insert_with(|| {
            self.samples.kinds.push(series);
            self.samples.kinds.len() as SampleKind - 1
        })
    }

    /// Adds an event. False: the filter does not admit its sender.
    fn sample(&mut self, block: &BlockSample, event: &SampledEvent, minute: i32, kind: SampleKind) -> bool {
        let open = self.open.get(&event.key).filter(|_| event.is_open);
        let is_full = self.open.len() >= OPEN_LIMIT;
        let is_older = event.is_open && !is_full && open.is_none_or(|open| !open.has_arrived);
        let known =
            |piece, earlier: fn(&OpenMessage) -> Option<&[u8]>| block.read(piece).or_else(|| earlier(open?));
        let sender = known(event.source.sender, |open| open.sender.as_deref());
        if !self.filter.admits_sender(sender) {
            return false;
        }
        let user = known(event.source.user, |open| open.user.as_deref());
        let client = known(event.source.client, |open| open.client.as_deref());
        let Samples { names, samples, examples, .. } = &mut self.samples;
        let (host, instance) = (block.read(event.host), block.read(event.instance));
        // Both are nearly always the same as those of the event before.
        let (last_host, last_instance) =
            samples.last().map_or((Symbol::OVERFLOW, Symbol::OVERFLOW), |last| (last.host, last.instance));
        let mut repeated = |last: Symbol, text: Option<&[u8]>| match text {
            Some(text) if last != Symbol::OVERFLOW && names.name(last) == text => last,
            Some(text) => names.intern(text),
            None => Symbol::OVERFLOW,
        };
        let (host, instance) = (repeated(last_host, host), repeated(last_instance, instance));
        let mut name = |text: Option<&[u8]>| text.map_or(Symbol::OVERFLOW, |text| names.intern(text));
        let recipient = block.read(event.recipient);
        samples.push(Sample {
            minute,
            kind,
            hash: event.hash,
            message: event.key,
            recipient: name(recipient),
            domain: name(recipient.and_then(domain)),
            peer: name(block.read(event.peer)),
            sender: name(sender.map(|sender| if sender.is_empty() { b"<>" } else { sender })),
            user: name(user),
            client: name(client),
            host,
            instance,
            stage: event.stage,
            provider: event.provider,
            is_near: event.is_near,
            is_older,
            arrival: event.arrival,
            mta: event.mta,
        });
        if let Some(raw) = block.read(event.raw) {
            let key = (minute.div_euclid(EXAMPLE_MINUTES), kind);
            let example = Example { hash: event.hash, minute, line: raw.to_vec() };
            keep_example(examples.entry(key).or_default(), example);
        }
        true
    }

    /// Cuts the sample of each minute and kind to the events with the smallest hashes. The result depends on the events
    /// alone: the number kept is halved only if the sample would be too large at the end too.
    fn trim(&mut self) {
        let Samples { samples, kinds, counts, is_cut, .. } = &mut self.samples;
        samples.sort_unstable_by_key(|sample| (sample.minute, sample.kind, sample.hash));
        loop {
            let (mut last, mut count) = (None, 0);
            samples.retain(|sample| {
                let cell = (sample.minute, sample.kind);
                count = if last == Some(cell) { count + 1 } else { 1 };
                last = Some(cell);
                let served = kinds.get(sample.kind as usize).is_some_and(CountSeries::is_served);
                count <= if served { SERVED_KEPT.min(self.failed_kept) } else { self.failed_kept }
            });
            if samples.len() <= SAMPLE_LIMIT || self.failed_kept == 1 {
                break;
            }
            self.failed_kept /= 2;
        }
        if counts.len() > COUNT_LIMIT || samples.len() > SAMPLE_LIMIT {
            let mut minutes: Vec<i32> = counts.keys().map(|(minute, _)| *minute).collect();
            minutes.sort_unstable();
            let first = minutes.len().saturating_sub(COUNT_LIMIT);
            let by_count = minutes.get(first).copied().unwrap_or(i32::MIN);
            let first = samples.len().saturating_sub(SAMPLE_LIMIT);
            let by_sample = samples.get(first).map_or(i32::MIN, |sample| sample.minute);
            let from = by_count.max(by_sample);
            counts.retain(|(minute, _), _| *minute >= from);
            samples.retain(|sample| sample.minute >= from);
            *is_cut = true;
        }
        self.trimmed_length = samples.len();
    }

    /// The samples of the blocks so far; more blocks may follow.
    pub(crate) fn so_far(&mut self) -> &Samples {
        self.trim();
        &self.samples
    }

    /// Drops all events before this minute, and names that no event has any more.
    pub(crate) fn forget(&mut self, before: i32, hasher: RandomState) {
        let Samples { names, counts, samples, examples, lines, .. } = &mut self.samples;
        counts.retain(|(minute, _), _| *minute >= before);
        examples.retain(|(span, _), _| *span >= before.div_euclid(EXAMPLE_MINUTES));
        lines.forget(before);
        samples.retain(|sample| sample.minute >= before);
        let mut kept = Interner::new(hasher);
        for sample in samples.iter_mut() {
            let ids = [
                &mut sample.recipient,
                &mut sample.domain,
                &mut sample.peer,
                &mut sample.sender,
                &mut sample.user,
                &mut sample.client,
                &mut sample.host,
                &mut sample.instance,
            ];
            for id in ids.into_iter().filter(|id| **id != Symbol::OVERFLOW) {
                *id = kept.intern(names.name(*id));
            }
        }
        *names = kept;
        self.trimmed_length = self.trimmed_length.min(self.samples.samples.len());
    }

    /// Events so far whose sender the filter does not admit.
    pub(crate) fn left_out(&self) -> u64 {
        self.samples.left_out
    }

    /// The samples of all blocks.
    pub(crate) fn finish(mut self) -> Samples {
        self.trim();
        self.samples
    }
}
