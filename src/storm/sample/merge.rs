//! Merges the samples of all blocks, in their order, into counts by the minute and one sample of events.

use foldhash::fast::{FixedState, RandomState};
use hashbrown::HashMap;

use super::block_sample::{BlockSample, MessageSource, SampledEvent};
use super::collector::{FAILED_KEPT, SERVED_KEPT};
use super::series::CountSeries;
use crate::catalog::provider::Provider;
use crate::collections::interner::{Interner, Symbol};
use crate::messages::key::PrehashedState;
use crate::parse::mta::parsed::domain;
use crate::pipeline::filter::Filter;
use crate::smtp::event::{Mta, Stage};

/// Events of the sample that are kept: some 80 MiB. When there are more, fewer of each minute are.
const SAMPLE_LIMIT: usize = 1 << 20;
/// Minutes times kinds that are counted, some 60 MiB; beyond, the oldest are forgotten.
const COUNT_LIMIT: usize = 1 << 21;
/// Open messages whose sender is remembered, about 100 MiB.
const OPEN_LIMIT: usize = 1 << 19;

/// A kind of event in the order in which they were met.
pub(crate) type SampleKind = u32;

/// One event of the sample. A name that is not known is [`NameId::OTHERS`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub minute: i32,
    pub kind: SampleKind,
    pub hash: u64,
    pub message: u64,
    pub recipient: Symbol,
    pub domain: Symbol,
    /// Who answered us, or whom we answered.
    pub peer: Symbol,
    pub sender: Symbol,
    pub user: Symbol,
    /// Who handed us the message.
    pub client: Symbol,
    pub host: Symbol,
    pub instance: Symbol,
    pub stage: Option<Stage>,
    pub provider: Option<Provider>,
    pub is_near: bool,
    /// No line that was read tells how the message came: it is older than the log, or the log does not tell of any.
    pub is_older: bool,
    pub mta: Mta,
}

/// A line of the log.
pub(crate) struct Example {
    /// What it was chosen by.
    hash: u64,
    pub minute: i32,
    pub line: Vec<u8>,
}

/// The counts and the sample in which storms are detected.
pub(crate) struct Samples {
    pub names: Interner,
    pub kinds: Vec<CountSeries>,
    /// By minute since 1970-01-01T00:00Z and kind.
    pub counts: HashMap<(i32, SampleKind), u32, FixedState>,
    pub samples: Vec<Sample>,
    /// Of each hour since 1970-01-01T00:00Z and kind.
    pub examples: HashMap<(i32, SampleKind), Example, FixedState>,
    pub undated: u64,
    /// Minutes were forgotten, since there were more than are kept.
    pub is_cut: bool,
    /// Events whose sender the filter does not admit.
    pub left_out: u64,
}

/// One for a walk.
pub(crate) struct SampleMerger<'a> {
    filter: &'a Filter,
    found: HashMap<CountSeries, SampleKind, FixedState>,
    open: HashMap<u64, OpenMessage, PrehashedState>,
    failed_kept: usize,
    gathered: Samples,
    /// How many samples there were after the last look at what is too much.
    settled: usize,
}

#[derive(Default)]
struct OpenMessage {
    sender: Option<Box<[u8]>>,
    user: Option<Box<[u8]>>,
    client: Option<Box<[u8]>>,
    came: bool,
}

impl OpenMessage {
    fn learn(&mut self, page: &BlockSample, behind: MessageSource) {
        for (mine, piece) in [
            (&mut self.sender, behind.sender),
            (&mut self.user, behind.user),
            (&mut self.client, behind.client),
        ] {
            if let Some(said) = page.read(piece) {
                *mine = Some(said.into());
            }
        }
    }
}

impl<'a> SampleMerger<'a> {
    pub(crate) fn new(hasher: RandomState, filter: &'a Filter) -> Self {
        Self {
            filter,
            found: HashMap::default(),
            open: HashMap::default(),
            failed_kept: FAILED_KEPT,
            gathered: Samples {
                names: Interner::new(hasher),
                kinds: Vec::new(),
                counts: HashMap::default(),
                samples: Vec::new(),
                examples: HashMap::default(),
                undated: 0,
                is_cut: false,
                left_out: 0,
            },
            settled: 0,
        }
    }

    /// Adds what a block handed over; blocks come in their order.
    pub(crate) fn fold(&mut self, page: &BlockSample) {
        self.gathered.undated += page.undated;
        for cell in &page.cells {
            let kind = self.kind(cell.series);
            let mut admitted = 0;
            for pick in &cell.picks {
                admitted += u32::from(self.sample(page, pick, cell.minute, kind));
            }
            let count = if self.filter.asks_for_sender() {
                self.gathered.left_out += u64::from(cell.count - admitted);
                admitted
            } else {
                cell.count
            };
            if count > 0 {
                *self.gathered.counts.entry((cell.minute, kind)).or_default() += count;
            }
        }
        for left in &page.left {
            if left.is_over {
                self.open.remove(&left.key);
                continue;
            }
            if left.is_complete {
                self.open.remove(&left.key);
            }
            let is_full = self.open.len() >= OPEN_LIMIT;
            if is_full && !self.open.contains_key(&left.key) {
                continue;
            }
            let open = self.open.entry(left.key).or_default();
            open.came |= left.is_complete;
            open.learn(page, left.behind);
        }
        if self.gathered.samples.len() > SAMPLE_LIMIT.max(self.settled * 2) {
            self.trim();
        }
    }

    fn kind(&mut self, series: CountSeries) -> SampleKind {
        *self.found.entry(series).or_insert_with(|| {
            self.gathered.kinds.push(series);
            self.gathered.kinds.len() as SampleKind - 1
        })
    }

    /// False: the filter does not admit its sender.
    fn sample(&mut self, page: &BlockSample, pick: &SampledEvent, minute: i32, kind: SampleKind) -> bool {
        let open = self.open.get(&pick.key).filter(|_| pick.is_open);
        let is_full = self.open.len() >= OPEN_LIMIT;
        let is_older = pick.is_open && !is_full && open.is_none_or(|open| !open.came);
        let known =
            |piece, earlier: fn(&OpenMessage) -> Option<&[u8]>| page.read(piece).or_else(|| earlier(open?));
        let sender = known(pick.behind.sender, |open| open.sender.as_deref());
        if !self.filter.admits_sender(sender) {
            return false;
        }
        let user = known(pick.behind.user, |open| open.user.as_deref());
        let client = known(pick.behind.client, |open| open.client.as_deref());
        let Samples { names, samples, examples, .. } = &mut self.gathered;
        let (host, instance) = (page.read(pick.host), page.read(pick.instance));
        // These two are nearly always those of the event before.
        let (last_host, last_instance) =
            samples.last().map_or((Symbol::OVERFLOW, Symbol::OVERFLOW), |last| (last.host, last.instance));
        let mut again = |last: Symbol, text: Option<&[u8]>| match text {
            Some(text) if last != Symbol::OVERFLOW && names.name(last) == text => last,
            Some(text) => names.intern(text),
            None => Symbol::OVERFLOW,
        };
        let (host, instance) = (again(last_host, host), again(last_instance, instance));
        let mut name = |text: Option<&[u8]>| text.map_or(Symbol::OVERFLOW, |text| names.intern(text));
        let recipient = page.read(pick.recipient);
        samples.push(Sample {
            minute,
            kind,
            hash: pick.hash,
            message: pick.key,
            recipient: name(recipient),
            domain: name(recipient.and_then(domain)),
            peer: name(page.read(pick.peer)),
            sender: name(sender.map(|sender| if sender.is_empty() { b"<>" } else { sender })),
            user: name(user),
            client: name(client),
            host,
            instance,
            stage: pick.stage,
            provider: pick.provider,
            is_near: pick.is_near,
            is_older,
            mta: pick.mta,
        });
        if let Some(raw) = page.read(pick.raw) {
            let key = (minute.div_euclid(60), kind);
            let example = Example { hash: pick.hash, minute, line: raw.to_vec() };
            match examples.get(&key) {
                Some(known) if known.hash <= example.hash => {}
                Some(_) | None => drop(examples.insert(key, example)),
            }
        }
        true
    }

    /// Cuts the sample of each minute and kind to the number that is kept. That depends on the events alone: fewer are
    /// kept only if the sample would be too large at the end too.
    fn trim(&mut self) {
        let Samples { samples, kinds, counts, is_cut, .. } = &mut self.gathered;
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
        self.settled = samples.len();
    }

    /// The samples so far; more may be added later.
    pub(crate) fn so_far(&mut self) -> &Samples {
        self.trim();
        &self.gathered
    }

    /// Drops everything before this minute.
    pub(crate) fn forget(&mut self, before: i32, hasher: RandomState) {
        let Samples { names, counts, samples, examples, .. } = &mut self.gathered;
        counts.retain(|(minute, _), _| *minute >= before);
        examples.retain(|_, example| example.minute >= before);
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
        self.settled = self.settled.min(self.gathered.samples.len());
    }

    /// Events so far whose sender the filter does not admit.
    pub(crate) fn left_out(&self) -> u64 {
        self.gathered.left_out
    }

    pub(crate) fn finish(mut self) -> Samples {
        self.trim();
        self.gathered
    }
}
