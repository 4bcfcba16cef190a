//! Holds the counts and the sample in which storms are found. It is plain data that adds up: samples of parts of a log, or
//! of several logs, merge in any order.
//!
//! The memory is bounded. Of each minute and kind the events with the smallest hashes are kept (bottom-k sampling: Cohen and
//! Kaplan, "Summarizing data using bottom-k sketches", 2007), and the others are counted. If that is still too much, spans of
//! two minutes are sampled instead, then of four, and so on. An event that the coarser sample drops was not among the
//! smallest of its span, so the result depends on the events alone, not on when the limit was reached.

use foldhash::fast::{FixedState, RandomState};
use hashbrown::HashMap;

use super::block_sample::EventMarks;
use super::collector::EXAMPLES_KEPT;
use super::level::SampleLevel;
use super::line_minutes::LineMinutes;
use super::series::{CellKey, CellKind, CountSeries};
use super::served_minutes::ServedMinutes;
use crate::catalog::Cause;
use crate::collections::interner::{Interner, Symbol};
use crate::smtp::event::{Mta, Stage};

/// The largest number of events in a finished sample: 6 MiB. Detection takes about three times as much.
const SAMPLE_LIMIT: usize = 1 << 16;
/// The number of events beyond the limit that wait for the next cut.
const WAITING: usize = SAMPLE_LIMIT / 4;
/// The number of names, half as many as an [`Interner`] holds, at which those that no event has any more are dropped.
const NAMES_LIMIT: usize = 1 << 17;

/// Minutes of a span that shares its example lines, as long as there are few.
const EXAMPLE_MINUTES: i32 = 180;
/// The largest number of spans and kinds with examples, about 8 MiB. Beyond it, the spans are twice as long.
const EXAMPLES_LIMIT: usize = 1 << 14;

/// One event of the sample. An unknown name is [`Symbol::OVERFLOW`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Since 1970-01-01T00:00Z.
    pub minute: i32,
    pub kind: CellKind,
    pub series: CountSeries,
    /// The sampling hash.
    pub hash: u64,
    /// A hash of the host and queue id of its message; 0: none.
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
    pub cause: Option<Cause>,
    pub marks: EventMarks,
    /// No line shows the arrival of the message: it is older than the log, or the log shows no arrivals.
    pub is_older: bool,
    pub mta: Mta,
}

/// An example line of the log.
pub(crate) struct Example {
    /// The sampling hash of its event: one of the smallest of its span and kind.
    pub hash: u64,
    pub minute: i32,
    pub line: Vec<u8>,
}

/// The counts and the sample in which storms are detected.
pub(crate) struct Samples {
    pub names: Interner,
    pub events: Vec<Sample>,
    /// The number of events of each cell that are not in the sample. A cell that is not here has none.
    left_out: HashMap<CellKey, u32, FixedState>,
    /// By the first minute of a span, and kind.
    examples: HashMap<(i32, CountSeries), Vec<Example>, FixedState>,
    /// Minutes of such a span.
    example_minutes: i32,
    /// Events whose line shows no time.
    pub undated: u64,
    /// The minutes with lines of any kind.
    pub lines: LineMinutes,
    /// All that was served, whether it is in the sample or not.
    pub served: ServedMinutes,
    pub level: SampleLevel,
    /// The first events are in the order of their cells and were cut at `level`.
    cut: usize,
}

impl Sample {
    fn key(&self) -> CellKey {
        CellKey { minute: self.minute, kind: self.kind }
    }

    pub(crate) fn names_mut(&mut self) -> [&mut Symbol; 8] {
        [
            &mut self.recipient,
            &mut self.domain,
            &mut self.peer,
            &mut self.sender,
            &mut self.user,
            &mut self.client,
            &mut self.host,
            &mut self.instance,
        ]
    }
}

impl Samples {
    pub(crate) fn new(hasher: RandomState) -> Self {
        Self {
            names: Interner::new(hasher),
            events: Vec::new(),
            left_out: HashMap::default(),
            examples: HashMap::default(),
            example_minutes: EXAMPLE_MINUTES,
            undated: 0,
            lines: LineMinutes::default(),
            served: ServedMinutes::default(),
            level: SampleLevel::default(),
            cut: 0,
        }
    }

    /// Counts events that are not in the sample.
    pub(crate) fn leave_out(&mut self, key: CellKey, count: u32) {
        if count > 0 {
            let sum = self.left_out.entry(self.level.cell(key)).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    /// Adds an example if its hash is among the smallest. The order of those that are kept depends on them alone.
    pub(crate) fn keep_example(&mut self, series: CountSeries, hash: u64, minute: i32, line: &[u8]) {
        self.add_example(series, Example { hash, minute, line: line.to_vec() });
        while self.examples.len() > EXAMPLES_LIMIT && self.example_minutes < i32::MAX / 4 {
            self.example_minutes *= 2;
            for ((_, series), examples) in std::mem::take(&mut self.examples) {
                for example in examples {
                    self.add_example(series, example);
                }
            }
        }
    }

    fn add_example(&mut self, series: CountSeries, example: Example) {
        let kept = self.examples.entry((self.span(example.minute), series)).or_default();
        let order = |example: &Example| (example.hash, example.minute);
        let at = kept.partition_point(|known| order(known) < order(&example));
        let is_known = kept.get(at).is_some_and(|known| order(known) == order(&example));
        if at < EXAMPLES_KEPT && !is_known {
            kept.insert(at, example);
            kept.truncate(EXAMPLES_KEPT);
        }
    }

    /// The first minute of the span of examples to which a minute belongs.
    fn span(&self, minute: i32) -> i32 {
        minute.div_euclid(self.example_minutes) * self.example_minutes
    }

    /// The line of an event. `None`: it was not kept.
    pub(crate) fn example(&self, event: &Sample) -> Option<&Example> {
        let mut kept = self.examples.get(&(self.span(event.minute), event.series))?.iter();
        kept.find(|example| (example.hash, example.minute) == (event.hash, event.minute))
    }

    /// More events wait than may: it is time for [`Self::cut`].
    pub(crate) fn is_full(&self) -> bool {
        self.events.len() >= SAMPLE_LIMIT.max(self.cut) + WAITING
    }

    /// Cuts each cell to the events with the smallest hashes, and takes a coarser level if the sample is too large.
    pub(crate) fn cut(&mut self) {
        let start = self.cut.min(self.events.len());
        if start < self.events.len() {
            self.sort(start);
        }
        self.cut_cells();
        while self.events.len() > SAMPLE_LIMIT {
            let Some(next) = self.level.next() else { break };
            self.level = next;
            let cells = std::mem::take(&mut self.left_out);
            cells.into_iter().for_each(|(key, count)| self.leave_out(key, count));
            self.cut_cells();
        }
        self.cut = self.events.len();
    }

    /// Sorts the events by minute, kind and hash, if those before `start` are sorted already.
    fn sort(&mut self, start: usize) {
        let order = |event: &Sample| (event.minute, event.kind, event.hash);
        if let Some(new) = self.events.get_mut(start..) {
            new.sort_unstable_by_key(order);
        }
        // A stable sort takes the two parts as runs, and only merges them.
        self.events.sort_by_key(order);
    }

    fn cut_cells(&mut self) {
        if self.level.is_by_minute() {
            self.cut_minutes();
        } else {
            self.cut_spans();
        }
    }

    /// Cuts cells of a minute, whose events follow each other.
    fn cut_minutes(&mut self) {
        let (mut last, mut count) = (None, 0);
        let left_out = &mut self.left_out;
        self.events.retain(|event| {
            let key = event.key();
            count = if last == Some(key) { count + 1 } else { 1 };
            last = Some(key);
            let is_kept = count <= SampleLevel::kept(key.kind);
            if !is_kept {
                *left_out.entry(key).or_default() += 1;
            }
            is_kept
        });
    }

    /// Cuts cells of several minutes.
    fn cut_spans(&mut self) {
        let level = self.level;
        let mut hashes: HashMap<CellKey, Vec<(u64, i32)>, FixedState> = HashMap::default();
        for event in &self.events {
            let cell = hashes.entry(level.cell(event.key())).or_default();
            cell.push((event.hash, event.minute));
        }
        // The largest one that is kept of each cell that has too many.
        let mut largest: HashMap<CellKey, (u64, i32), FixedState> = HashMap::default();
        for (key, mut hashes) in hashes {
            let kept = SampleLevel::kept(key.kind);
            if hashes.len() > kept {
                let (_, last, _) = hashes.select_nth_unstable(kept - 1);
                largest.insert(key, *last);
            }
        }
        let left_out = &mut self.left_out;
        self.events.retain(|event| {
            let key = level.cell(event.key());
            let is_kept = largest.get(&key).is_none_or(|largest| (event.hash, event.minute) <= *largest);
            if !is_kept {
                *left_out.entry(key).or_default() += 1;
            }
            is_kept
        });
    }

    /// The number of events that each of these, which are those of the sample, stands for.
    pub(crate) fn weights(&self, events: &[Sample]) -> Vec<f64> {
        let mut kept: HashMap<CellKey, u32, FixedState> = HashMap::default();
        let key = |event: &Sample| self.level.cell(event.key());
        for event in events {
            let key = key(event);
            if self.left_out.contains_key(&key) {
                *kept.entry(key).or_default() += 1;
            }
        }
        let weight = |event: &Sample| {
            let key = key(event);
            let (left_out, kept) = (self.left_out.get(&key)?, kept.get(&key)?);
            Some(1.0 + f64::from(*left_out) / f64::from(*kept))
        };
        events.iter().map(|event| weight(event).unwrap_or(1.0)).collect()
    }

    /// There are so many names that those of events which were cut must be dropped.
    pub(crate) fn has_many_names(&self) -> bool {
        self.names.symbol_at(NAMES_LIMIT).is_some()
    }

    /// Drops the names that no event has any more.
    pub(crate) fn drop_names(&mut self, hasher: RandomState) {
        let mut renamed = vec![Symbol::OVERFLOW; self.names.count()];
        let mut kept = Interner::new(hasher);
        for event in &mut self.events {
            for name in event.names_mut() {
                let Some(new) = renamed.get_mut(name.index()).filter(|_| *name != Symbol::OVERFLOW) else {
                    continue;
                };
                if *new == Symbol::OVERFLOW {
                    *new = kept.intern(self.names.name(*name));
                }
                *name = *new;
            }
        }
        self.names = kept;
    }

    /// Adds the samples of another log, or of another part of this one.
    #[cfg_attr(not(test), allow(dead_code, reason = "parts of reports will add them up"))]
    pub(crate) fn merge(&mut self, other: Self) {
        let renamed = self.names.merge(&other.names);
        self.undated += other.undated;
        self.served.merge(&other.served);
        for (hour, minutes) in other.lines.hours() {
            self.lines.add_hour(hour, minutes);
        }
        // Of two levels the coarser one counts; the cut below sees to it.
        let level = self.level.max(other.level);
        if level != self.level {
            self.level = level;
            let cells = std::mem::take(&mut self.left_out);
            cells.into_iter().for_each(|(key, count)| self.leave_out(key, count));
        }
        other.left_out.into_iter().for_each(|(key, count)| self.leave_out(key, count));
        for ((_, series), examples) in other.examples {
            for example in examples {
                self.keep_example(series, example.hash, example.minute, &example.line);
            }
        }
        self.events.extend(other.events.into_iter().map(|mut event| {
            for name in event.names_mut() {
                *name = renamed.get(name.index()).copied().unwrap_or(Symbol::OVERFLOW);
            }
            event
        }));
        self.cut = 0;
        self.cut();
    }

    /// Drops all events before this minute.
    pub(crate) fn forget(&mut self, before: i32) {
        self.left_out.retain(|key, _| key.minute >= before);
        let earliest = self.span(before);
        self.examples.retain(|(minute, _), _| *minute >= earliest);
        self.lines.forget(before);
        self.served.forget(before);
        self.cut();
        self.events.retain(|event| event.minute >= before);
        self.cut = self.events.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::classify::Reason;
    use crate::smtp::side::Side;

    /// A stream of numbers (the generator of Lehmer).
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self.0 * 48_271 % 0x7fff_ffff;
            self.0 % limit
        }
    }

    fn event(numbers: &mut Numbers, names: &mut Interner) -> Sample {
        let reason =
            [Reason::UserUnknown, Reason::MailboxFull, Reason::Blocklisted][numbers.below(3) as usize];
        let series = CountSeries::own_fault(reason);
        let recipient = names.intern(format!("{}@example.org", numbers.below(5000)).as_bytes());
        Sample {
            minute: numbers.below(20_000) as i32,
            kind: CellKind::of(&series),
            series,
            hash: numbers.below(1 << 30),
            message: 0,
            recipient,
            domain: Symbol::OVERFLOW,
            peer: Symbol::OVERFLOW,
            sender: Symbol::OVERFLOW,
            user: Symbol::OVERFLOW,
            client: Symbol::OVERFLOW,
            host: Symbol::OVERFLOW,
            instance: Symbol::OVERFLOW,
            stage: None,
            cause: None,
            marks: EventMarks { side: Side::Internet, is_near: false, is_ours: false, is_own_fault: false },
            is_older: false,
            mta: Mta::Postfix,
        }
    }

    /// The events with their names and weights.
    fn content(samples: &Samples) -> Vec<(i32, CellKind, u64, Vec<u8>, u64)> {
        let weights = samples.weights(&samples.events);
        let content = samples.events.iter().zip(weights).map(|(event, weight)| {
            let name = samples.names.name(event.recipient).to_vec();
            (event.minute, event.kind, event.hash, name, (weight * 1000.0).round() as u64)
        });
        let mut content: Vec<_> = content.collect();
        content.sort();
        content
    }

    #[test]
    fn a_sample_that_overflows_is_the_same_in_any_order() {
        let hasher = RandomState::default();
        let count = SAMPLE_LIMIT + SAMPLE_LIMIT / 2;
        let (mut numbers, mut names) = (Numbers(11), Interner::new(hasher.clone()));
        let events: Vec<Sample> = (0..count).map(|_| event(&mut numbers, &mut names)).collect();
        let sample = |events: &mut dyn Iterator<Item = &Sample>, cut_after: usize| {
            let mut samples = Samples::new(hasher.clone());
            for (at, event) in events.enumerate() {
                let recipient = samples.names.intern(names.name(event.recipient));
                samples.events.push(Sample { recipient, ..*event });
                if samples.is_full() || at % cut_after == cut_after - 1 {
                    samples.cut();
                }
            }
            samples.cut();
            samples
        };
        let whole = sample(&mut events.iter(), usize::MAX);
        assert!(whole.events.len() <= SAMPLE_LIMIT && !whole.level.is_by_minute());
        let sum: u64 = content(&whole).iter().map(|(.., weight)| weight).sum();
        assert!(sum.abs_diff(count as u64 * 1000) < 100_000, "{sum}");
        let backwards = sample(&mut events.iter().rev(), 10_000);
        assert_eq!(content(&backwards), content(&whole));
        let mut parts: Vec<Samples> =
            (0..3).map(|part| sample(&mut events.iter().skip(part).step_by(3), 7_000)).collect();
        let mut merged = parts.pop().unwrap();
        for part in parts {
            merged.merge(part);
        }
        assert_eq!(content(&merged), content(&whole));
    }
}
