//! The samples of a part as its file keeps them, and the samples that a file gives back.

use clap::ValueEnum;
use foldhash::fast::{FixedState, RandomState};
use hashbrown::HashMap;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::block_sample::EventMarks;
use super::merge::PartSamples;
use super::open_message::{OpenMessage, SourceTexts};
use super::samples::{Sample, Samples};
use super::series::{CellKey, CellKind, CountSeries};
use super::served_minutes::ServedMinute;
use crate::catalog::Cause;
use crate::catalog::classify::Reason;
use crate::catalog::provider::Provider;
use crate::collections::interner::Symbol;
use crate::collections::wire::ByteText;
use crate::smtp::event::{Direction, Mta, Stage};

/// The section of a part that keeps what storms are found in.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptSamples {
    /// Only early versions wrote it, whose events are chosen otherwise.
    #[serde(skip_serializing)]
    level: Option<IgnoredAny>,
    /// The names by their index, from 1 on.
    names: Vec<ByteText>,
    series: Vec<CountSeries>,
    shapes: Vec<KeptShape>,
    events: Vec<KeptSample>,
    /// The kinds of which only events with smaller hashes are kept.
    thresholds: Vec<(KeptKind, u64)>,
    /// The limits of failures and of other events. Absent: all events are kept that their minutes have room for.
    limits: Option<[u64; 2]>,
    left_out: Vec<(i32, KeptKind, u32)>,
    lines: Vec<(i32, u64)>,
    served: Vec<(i32, Direction, u32)>,
    undated: u64,
    open: Vec<KeptOpenMessage>,
}

/// Minute, hash, message, index of the series, index of the shape, and names: recipient, domain, peer, sender, user, client,
/// host, instance.
#[derive(Serialize, Deserialize)]
struct KeptSample(i32, u64, u64, u32, u32, [Symbol; 8]);

/// What else is known of an event; few events differ in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct KeptShape {
    stage: Option<Stage>,
    cause: Option<Cause>,
    marks: EventMarks,
    is_older: bool,
    is_open: bool,
    mta: Mta,
}

/// The kind of a cell: direction, sort (4 is added for a fault of the server's own), reason, and the number of the provider in the
/// list of the head.
type KeptKind = (Direction, u8, Option<Reason>, Option<Provider>);

/// The hash of a message; sender, login and client; whether its arrival was seen, whether what parts before say of it is of
/// another one, and whether it left the queue.
#[derive(Serialize, Deserialize)]
struct KeptOpenMessage(u64, [Option<ByteText>; 3], bool, bool, bool);

/// Numbers values in the order in which they come first.
struct Numbering<T>(Vec<T>, HashMap<T, u32, FixedState>);

impl<T: Copy + Eq + std::hash::Hash> Numbering<T> {
    fn number(&mut self, value: T) -> u32 {
        let next = self.0.len() as u32;
        let number = *self.1.entry(value).or_insert(next);
        if number == next {
            self.0.push(value);
        }
        number
    }
}

impl<T> Default for Numbering<T> {
    fn default() -> Self {
        Self(Vec::new(), HashMap::default())
    }
}

impl KeptSamples {
    pub(crate) fn of(mut part: PartSamples) -> Self {
        // Names of events that were cut would follow the size of the log.
        part.samples.drop_names(RandomState::default());
        let PartSamples { samples, open } = part;
        let (mut series, mut shapes) = (Numbering::default(), Numbering::default());
        let kept_event = |event: &Sample| {
            let Sample { stage, cause, marks, is_older, is_open, mta, .. } = *event;
            let shape = shapes.number(KeptShape { stage, cause, marks, is_older, is_open, mta });
            let names = [
                event.recipient,
                event.domain,
                event.peer,
                event.sender,
                event.user,
                event.client,
                event.host,
                event.instance,
            ];
            KeptSample(event.minute, event.hash, event.message, series.number(event.series), shape, names)
        };
        let events = samples.events.iter().map(kept_event).collect();
        let mut left_out: Vec<_> = samples.left_out().collect();
        left_out.sort_unstable();
        let left_out = left_out.into_iter().map(|(key, count)| (key.minute, key.kind.parts(), count));
        let mut thresholds: Vec<_> = samples.thresholds.iter().collect();
        thresholds.sort_unstable();
        let thresholds = thresholds.into_iter().map(|(kind, threshold)| (kind.parts(), threshold));
        let served =
            samples.served.iter().map(|ServedMinute { minute, direction, count }| (minute, direction, count));
        let kept_open = |(message, open): (u64, OpenMessage)| {
            let SourceTexts { sender, user, client } = open.source();
            let texts = [sender, user, client].map(|text| text.map(ByteText::from));
            KeptOpenMessage(message, texts, open.has_arrived, open.is_cut, open.is_over)
        };
        Self {
            level: None,
            thresholds: thresholds.collect(),
            limits: Some(samples.thresholds.limits()).filter(|limits| *limits != [u64::MAX; 2]),
            names: samples.names.names().map(ByteText::from).collect(),
            events,
            left_out: left_out.collect(),
            lines: samples.lines.hours().collect(),
            served: served.collect(),
            undated: samples.undated,
            open: open.into_iter().map(kept_open).collect(),
            series: series.0,
            shapes: shapes.0,
        }
    }

    /// The samples again. `None`: a value is damaged, or they are of an early version.
    pub(crate) fn samples(self, hasher: RandomState) -> Option<PartSamples> {
        if self.level.is_some() {
            return None;
        }
        let mut samples = Samples::new(hasher);
        let symbols: Vec<Symbol> = self.names.iter().map(|name| samples.names.intern(&name.0)).collect();
        let name = |kept: Symbol| match kept.index().checked_sub(1) {
            None => Some(Symbol::OVERFLOW),
            Some(at) => symbols.get(at).copied(),
        };
        for (kind, threshold) in self.thresholds {
            samples.thresholds.lower(CellKind::of_parts(kind), threshold);
        }
        samples.thresholds.lower_limits(self.limits.unwrap_or([u64::MAX; 2]));
        let of_number = |number: u32| self.series.get(number as usize).copied();
        for KeptSample(minute, hash, message, series, shape, names) in self.events {
            let series = of_number(series)?;
            let KeptShape { stage, cause, marks, is_older, is_open, mta } =
                *self.shapes.get(shape as usize)?;
            let [recipient, domain, peer, sender, user, client, host, instance] = names;
            samples.events.push(Sample {
                minute,
                kind: kind_of(&series, marks),
                series,
                hash,
                message,
                recipient: name(recipient)?,
                domain: name(domain)?,
                peer: name(peer)?,
                sender: name(sender)?,
                user: name(user)?,
                client: name(client)?,
                host: name(host)?,
                instance: name(instance)?,
                stage,
                cause,
                marks,
                is_older,
                is_open,
                mta,
            });
        }
        for (minute, kind, count) in self.left_out {
            samples.leave_out(CellKey { minute, kind: CellKind::of_parts(kind) }, count);
        }
        self.lines.into_iter().for_each(|(hour, minutes)| samples.lines.add_hour(hour, minutes));
        for (minute, direction, count) in self.served {
            samples.served.add(ServedMinute { minute, direction, count });
        }
        samples.undated = self.undated;
        let open =
            self.open.into_iter().map(|KeptOpenMessage(message, texts, has_arrived, is_cut, is_over)| {
                let mut open = OpenMessage { has_arrived, is_cut, is_over, ..OpenMessage::default() };
                let [sender, user, client] = &texts;
                let [sender, user, client] =
                    [sender, user, client].map(|text| text.as_ref().map(|text| &*text.0));
                open.learn(SourceTexts { sender, user, client });
                (message, open)
            });
        Some(PartSamples { samples, open: open.collect() })
    }
}

fn kind_of(series: &CountSeries, marks: EventMarks) -> CellKind {
    if marks.is_own_fault {
        CellKind::of_own_fault(series)
    } else {
        CellKind::of(series).of_provider(series.provider)
    }
}

impl CellKind {
    /// The kind in words that later versions understand.
    fn parts(self) -> KeptKind {
        let packed = self.packed();
        let at = |shift: u32, bits: u32| (packed >> shift & ((1 << bits) - 1)) as usize;
        let direction = Direction::value_variants().get(at(2, 2)).copied().unwrap_or(Direction::Outbound);
        let reason = at(4, 6).checked_sub(1).and_then(|at| Reason::value_variants().get(at).copied());
        (direction, (at(0, 2) | at(26, 1) << 2) as u8, reason, at(10, 16).checked_sub(1).map(Provider::at))
    }

    fn of_parts((direction, sort, reason, provider): KeptKind) -> Self {
        let reason = reason.map_or(0, |reason| reason as u32 + 1);
        let provider = provider.map_or(0, |provider| provider.index() as u32 + 1);
        let sort = u32::from(sort);
        Self::of_packed(
            sort & 3 | (sort >> 2 & 1) << 26 | (direction as u32) << 2 | reason << 4 | provider << 10,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_of_an_early_version_is_refused() {
        let samples = |text: &str| {
            let kept: KeptSamples = serde_json::from_str(text).unwrap();
            kept.samples(RandomState::default())
        };
        assert!(samples("{\"undated\": 1}").is_some());
        assert!(samples("{\"level\": {\"evidence\": 3, \"others\": 2}}").is_none());
    }
}
