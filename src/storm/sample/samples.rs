//! Holds the counts and the sample in which storms are found. It is plain data that adds up: samples of parts of a log, or
//! of several logs, merge in any order.
//!
//! The memory is bounded. Of each minute and kind the events with the smallest hashes are kept, and the others are counted. If that
//! is still too much, of the largest kinds only the events with the smallest hashes are kept, see `thresholds`.

use foldhash::fast::{FixedState, RandomState};
use hashbrown::{HashMap, HashSet};

use super::block_sample::EventMarks;
use super::collector::{EXAMPLE_MINUTES, EXAMPLES_KEPT};
use super::line_minutes::LineMinutes;
use super::series::{CellKey, CellKind, CountSeries};
use super::served_minutes::ServedMinutes;
use super::thresholds::{Draw, DrawEntry, EVENTS_KEPT, Thresholds};
use crate::catalog::Cause;
use crate::collections::interner::{Interner, Symbol};
use crate::smtp::event::{Mta, Stage};

/// The number of names, half as many as an [`Interner`] holds, at which those that no event has any more are dropped.
const NAMES_LIMIT: usize = 1 << 17;

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
    /// Lines before those of the sample may tell more of its message.
    pub is_open: bool,
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
    /// The number of events of each cell that are not in the sample. A cell that is not here has none; those of kinds with
    /// thresholds are not counted.
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
    pub thresholds: Thresholds,
}

impl Sample {
    fn key(&self) -> CellKey {
        CellKey { minute: self.minute, kind: self.kind }
    }

    /// Its names in the order of [`Self::names_mut`].
    pub(crate) fn names(&self) -> [Symbol; 8] {
        let Self { recipient, domain, peer, sender, user, client, host, instance, .. } = *self;
        [recipient, domain, peer, sender, user, client, host, instance]
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
            thresholds: Thresholds::default(),
        }
    }

    /// Counts events that are not in the sample.
    pub(crate) fn leave_out(&mut self, key: CellKey, count: u32) {
        if count > 0 && self.thresholds.find(key.kind).is_none() {
            let sum = self.left_out.entry(key).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    /// Adds an example if its hash is among the smallest. The order of those that are kept depends on them alone.
    pub(crate) fn keep_example(&mut self, series: CountSeries, hash: u64, minute: i32, line: &[u8]) {
        self.add_example(series, (hash, minute), || line.to_vec());
        while self.examples.len() > EXAMPLES_LIMIT && self.example_minutes < i32::MAX / 4 {
            self.example_minutes *= 2;
            for ((_, series), examples) in std::mem::take(&mut self.examples) {
                for Example { hash, minute, line } in examples {
                    self.add_example(series, (hash, minute), || line);
                }
            }
        }
    }

    fn add_example(
        &mut self,
        series: CountSeries,
        (hash, minute): (u64, i32),
        line: impl FnOnce() -> Vec<u8>,
    ) {
        let kept = self.examples.entry((self.span(minute), series)).or_default();
        let order = |example: &Example| (example.hash, example.minute);
        let at = kept.partition_point(|known| order(known) < (hash, minute));
        let is_known = kept.get(at).is_some_and(|known| order(known) == (hash, minute));
        if at < EXAMPLES_KEPT && !is_known {
            kept.insert(at, Example { hash, minute, line: line() });
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

    /// Sorts the events by minute, kind and hash.
    pub(crate) fn sort(&mut self) {
        let key = |event: &Sample| {
            let minute = u128::from(event.minute.cast_unsigned() ^ 1 << 31);
            minute << 96 | u128::from(event.kind.packed()) << 64 | u128::from(event.hash)
        };
        let mut order: Vec<(u128, u32)> = self.events.iter().map(key).zip(0..).collect();
        // Stable: equal events stay in the order of the log.
        order.sort_by_key(|(key, _)| *key);
        self.events = order.iter().filter_map(|(_, at)| self.events.get(*at as usize)).copied().collect();
    }

    /// Cuts the sample to the events that it has room for, which stay in their order.
    pub(crate) fn cut(&mut self) {
        let entries = self.events.iter().map(|event| DrawEntry { key: event.key(), hash: event.hash });
        let Draw { kept, crowded, is_lower } = self.thresholds.draw(&entries.collect::<Vec<_>>());
        if is_lower {
            self.forget_thinned();
        }
        for (key, count) in crowded {
            self.leave_out(key, count);
        }
        let mut kept = kept.into_iter();
        self.events.retain(|_| kept.next() == Some(true));
    }

    /// Drops the counts of kinds with thresholds: the threshold tells how many events one stands for.
    fn forget_thinned(&mut self) {
        let Self { left_out, thresholds, .. } = self;
        left_out.retain(|key, _| thresholds.find(key.kind).is_none());
    }

    /// The number of events that each of these, which are those of the sample, stands for (inverse of the probability that it is
    /// drawn: Horvitz and Thompson, 1952). In a minute that is full, the largest of its k hashes tells how many there are: (k - 1)
    /// divided by the share of all hashes that are smaller.
    pub(crate) fn weights(&self, events: &[Sample]) -> Vec<f64> {
        let share = |hash: u64| (hash.max(1) as f64) / 2_f64.powi(64);
        let mut cells: HashMap<CellKey, (u32, u64), FixedState> = HashMap::default();
        let is_drawn = |event: &Sample| {
            self.thresholds.find(event.kind).is_some() || self.left_out.contains_key(&event.key())
        };
        for event in events.iter().filter(|event| is_drawn(event)) {
            let (count, largest) = cells.entry(event.key()).or_default();
            *count += 1;
            *largest = event.hash.max(*largest);
        }
        let weight = |event: &Sample| {
            let key = event.key();
            let (kept, largest) = *cells.get(&key)?;
            let kept_weight = f64::from(kept);
            if let Some(left_out) = self.left_out.get(&key) {
                return Some(1.0 + f64::from(*left_out) / kept_weight);
            }
            let threshold = self.thresholds.find(event.kind)?;
            let is_full = kept as usize == EVENTS_KEPT;
            let weight = if is_full {
                (kept_weight - 1.0) / kept_weight / share(largest)
            } else {
                1.0 / share(threshold)
            };
            Some(weight.max(1.0))
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

    /// Adds the samples of another log, or of another part of this one. They are not cut yet.
    pub(crate) fn append(&mut self, other: Self) {
        let renamed = self.names.merge(&other.names);
        self.undated += other.undated;
        self.served.merge(&other.served);
        for (hour, minutes) in other.lines.hours() {
            self.lines.add_hour(hour, minutes);
        }
        other.thresholds.iter().for_each(|(kind, threshold)| self.thresholds.lower(kind, threshold));
        self.thresholds.lower_limits(other.thresholds.limits());
        self.forget_thinned();
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
    }

    /// The numbers of events that are not in the sample, by cell.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = (CellKey, u32)> {
        self.left_out.iter().map(|(key, count)| (*key, *count))
    }

    /// Drops all events before this minute.
    pub(crate) fn forget(&mut self, before: i32) {
        self.left_out.retain(|key, _| key.minute >= before);
        let earliest = self.span(before);
        self.examples.retain(|(minute, _), _| *minute >= earliest);
        self.lines.forget(before);
        self.served.forget(before);
        self.events.retain(|event| event.minute >= before);
        let kinds: HashSet<CellKind, FixedState> = self.events.iter().map(|event| event.kind).collect();
        // A kind that comes again begins anew.
        self.thresholds.retain(|kind| kinds.contains(&kind));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::classify::Reason;
    use crate::storm::sample::thresholds::SAMPLE_LIMIT;

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
            hash: numbers.below(1 << 30) << 34,
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
            marks: EventMarks::NONE,
            is_older: false,
            is_open: false,
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
                if samples.events.len() > SAMPLE_LIMIT * 5 / 4 || at % cut_after == cut_after - 1 {
                    samples.cut();
                }
            }
            samples.cut();
            samples
        };
        let whole = sample(&mut events.iter(), usize::MAX);
        assert!(whole.events.len() <= SAMPLE_LIMIT && !whole.thresholds.is_by_minute());
        let sum: u64 = content(&whole).iter().map(|(.., weight)| weight).sum();
        // An estimate: each kind has thousands of events, which are known to one in a hundred.
        assert!(sum.abs_diff(count as u64 * 1000) < count as u64 * 20, "{sum} of {count}");
        let backwards = sample(&mut events.iter().rev(), 10_000);
        assert_eq!(content(&backwards), content(&whole));
        let mut parts: Vec<Samples> =
            (0..3).map(|part| sample(&mut events.iter().skip(part).step_by(3), 7_000)).collect();
        let mut merged = parts.pop().unwrap();
        for part in parts {
            merged.append(part);
        }
        merged.cut();
        assert_eq!(content(&merged), content(&whole));
    }
}
