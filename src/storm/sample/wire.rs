//! The samples of a part as its file keeps them, and the samples that a file gives back.

use clap::ValueEnum;
use foldhash::fast::RandomState;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::merge::PartSamples;
use super::open_message::{OpenMessage, SourceTexts};
use super::packed_events::{EventPacker, EventUnpacker, KeptShape, Numbering, later};
use super::samples::{Sample, Samples};
use super::series::{CellKey, CellKind, CountSeries};
use super::served_minutes::ServedMinute;
use crate::catalog::classify::Reason;
use crate::catalog::provider::Provider;
use crate::collections::interner::Symbol;
use crate::collections::texts::Texts;
use crate::collections::wire::{
    ByteText, HashPacker, PackedBytes, PackedOrArray, push_number, push_signed, unpack_hashes,
};
use crate::smtp::event::Direction;

/// What storms are found in: two sections of a part.
#[derive(Default)]
pub(crate) struct KeptStorms {
    pub sample: KeptSamples,
    pub events: KeptEvents,
}

/// The section `storms`: names, kinds and counts.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptSamples {
    /// Only early versions wrote it, whose events are chosen otherwise.
    #[serde(skip_serializing)]
    level: Option<IgnoredAny>,
    /// The names by their index, from 1 on.
    names: Texts,
    series: Vec<CountSeries>,
    shapes: Vec<KeptShape>,
    /// The events of early versions.
    #[serde(skip_serializing)]
    events: Vec<EarlySample>,
    /// The kinds of which only events with smaller hashes are kept.
    thresholds: Vec<(KeptKind, u64)>,
    /// The limits of failures and of other events. Absent: all events are kept that their minutes have room for.
    limits: Option<[u64; 2]>,
    /// The kinds of `left_out`.
    kinds: Vec<KeptKind>,
    left_out: PackedOrArray<(i32, KeptKind, u32)>,
    lines: PackedOrArray<(i32, u64)>,
    served: PackedOrArray<(i32, Direction, u32)>,
    undated: u64,
    open: PackedOrArray<EarlyOpenMessage>,
}

/// The section `sample`: what no compression makes shorter.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptEvents {
    events: ByteText,
    /// The hashes of the open messages, packed.
    open: ByteText,
}

/// Minute, hash, message, index of the series, index of the shape, and names: recipient, domain, peer, sender, user, client,
/// host, instance.
#[derive(Deserialize)]
struct EarlySample(i32, u64, u64, u32, u32, [Symbol; 8]);

/// The kind of a cell: direction, sort (4 is added for a fault of the server's own), reason, and the number of the provider in the
/// list of the head.
type KeptKind = (Direction, u8, Option<Reason>, Option<Provider>);

/// The hash of a message; sender, login and client; whether its arrival was seen, whether what parts before say of it is of
/// another one, and whether it left the queue.
#[derive(Serialize, Deserialize)]
struct EarlyOpenMessage(u64, [Option<ByteText>; 3], bool, bool, bool);

impl KeptStorms {
    pub(crate) fn of(part: &PartSamples) -> Self {
        let PartSamples { samples, open } = part;
        let mut packer = EventPacker::new(&samples.names);
        samples.events.iter().for_each(|event| packer.push(event));
        let mut thresholds: Vec<_> = samples.thresholds.iter().collect();
        thresholds.sort_unstable();
        let thresholds = thresholds.into_iter().map(|(kind, threshold)| (kind.parts(), threshold));
        let mut kinds = Numbering::default();
        let left_out = PackedOrArray::Packed(left_out(samples, &mut kinds));
        let (open, open_hashes) = open_messages(open);
        let sample = KeptSamples {
            level: None,
            names: packer.names,
            series: packer.series.values,
            shapes: packer.shapes.values,
            events: Vec::new(),
            thresholds: thresholds.collect(),
            limits: Some(samples.thresholds.limits()).filter(|limits| *limits != [u64::MAX; 2]),
            kinds: kinds.values.into_iter().map(CellKind::parts).collect(),
            left_out,
            lines: PackedOrArray::Packed(lines(samples)),
            served: PackedOrArray::Packed(served(samples)),
            undated: samples.undated,
            open: PackedOrArray::Packed(open),
        };
        Self { sample, events: KeptEvents { events: packer.events, open: open_hashes } }
    }

    /// The samples again. `None`: a value is damaged, or they are of an early version.
    pub(crate) fn samples(self, hasher: RandomState) -> Option<PartSamples> {
        let Self { sample: kept, events } = self;
        if kept.level.is_some() {
            return None;
        }
        let mut samples = Samples::new(hasher);
        let mut names = vec![Symbol::OVERFLOW];
        kept.names.each(|name| {
            names.push(samples.names.intern(name));
            Some(())
        })?;
        for (kind, threshold) in kept.thresholds {
            samples.thresholds.lower(CellKind::of_parts(kind), threshold);
        }
        samples.thresholds.lower_limits(kept.limits.unwrap_or([u64::MAX; 2]));
        for event in kept.events {
            samples.events.push(event.sample((&kept.series, &kept.shapes), &names)?);
        }
        let mut unpacker = EventUnpacker::new(&events.events, (&kept.series, &kept.shapes), &names);
        while unpacker.has_more() {
            samples.events.push(unpacker.next(&samples.names)?);
        }
        let kinds: Vec<CellKind> = kept.kinds.into_iter().map(CellKind::of_parts).collect();
        read_left_out(&mut samples, kept.left_out, &kinds)?;
        read_lines(&mut samples, kept.lines)?;
        read_served(&mut samples, kept.served)?;
        samples.undated = kept.undated;
        let open = read_open(kept.open, &events.open)?;
        Some(PartSamples { samples, open })
    }
}

impl EarlySample {
    fn sample(self, (series, shapes): (&[CountSeries], &[KeptShape]), names: &[Symbol]) -> Option<Sample> {
        let Self(minute, hash, message, series_number, shape, own) = self;
        let (series, shape) = (*series.get(series_number as usize)?, shapes.get(shape as usize)?);
        let mut event = shape.sample(series, minute);
        (event.hash, event.message) = (hash, message);
        for (name, own) in event.names_mut().into_iter().zip(own) {
            *name = *names.get(own.index())?;
        }
        Some(event)
    }
}

/// For each cell the minutes since the one before it, the index of its kind, and the number of events.
fn left_out(samples: &Samples, kinds: &mut Numbering<CellKind>) -> ByteText {
    let mut left_out: Vec<_> = samples.left_out().collect();
    left_out.sort_unstable();
    let (mut packed, mut before) = (Vec::new(), 0);
    for (CellKey { minute, kind }, count) in left_out {
        push_signed(&mut packed, i64::from(minute) - before);
        push_number(&mut packed, kinds.number(kind).into());
        push_number(&mut packed, count.into());
        before = minute.into();
    }
    ByteText(packed)
}

fn read_left_out(
    samples: &mut Samples,
    kept: PackedOrArray<(i32, KeptKind, u32)>,
    kinds: &[CellKind],
) -> Option<()> {
    match kept {
        PackedOrArray::Array(cells) => {
            for (minute, kind, count) in cells {
                samples.leave_out(CellKey { minute, kind: CellKind::of_parts(kind) }, count);
            }
        }
        PackedOrArray::Packed(packed) => {
            let (mut rest, mut minute) = (PackedBytes(&packed.0), 0);
            while !rest.is_empty() {
                let kind;
                (minute, kind) = (later(minute, rest.signed()?)?, *kinds.get(rest.number_as::<usize>()?)?);
                samples.leave_out(CellKey { minute, kind }, rest.number_as()?);
            }
        }
    }
    Some(())
}

/// For each hour the hours since the one before it, and its minutes with lines as bits, eight bytes.
fn lines(samples: &Samples) -> ByteText {
    let (mut packed, mut before) = (Vec::new(), 0);
    for (hour, minutes) in samples.lines.hours() {
        push_signed(&mut packed, i64::from(hour) - before);
        packed.extend_from_slice(&minutes.to_le_bytes());
        before = hour.into();
    }
    ByteText(packed)
}

fn read_lines(samples: &mut Samples, kept: PackedOrArray<(i32, u64)>) -> Option<()> {
    match kept {
        PackedOrArray::Array(hours) => {
            for (hour, minutes) in hours {
                samples.lines.add_hour(hour, minutes);
            }
        }
        PackedOrArray::Packed(packed) => {
            let (mut rest, mut hour) = (PackedBytes(&packed.0), 0);
            while !rest.is_empty() {
                hour = later(hour, rest.signed()?)?;
                samples.lines.add_hour(hour, rest.hash()?);
            }
        }
    }
    Some(())
}

/// For each minute and direction the minutes since the one before it, the direction as its number in the order of
/// `--direction`, and the number of deliveries or arrivals.
fn served(samples: &Samples) -> ByteText {
    let (mut packed, mut before) = (Vec::new(), 0);
    for ServedMinute { minute, direction, count } in samples.served.iter() {
        push_signed(&mut packed, i64::from(minute) - before);
        packed.push(direction as u8);
        push_number(&mut packed, count.into());
        before = minute.into();
    }
    ByteText(packed)
}

fn read_served(samples: &mut Samples, kept: PackedOrArray<(i32, Direction, u32)>) -> Option<()> {
    match kept {
        PackedOrArray::Array(minutes) => {
            for (minute, direction, count) in minutes {
                samples.served.add(ServedMinute { minute, direction, count });
            }
        }
        PackedOrArray::Packed(packed) => {
            let (mut rest, mut minute) = (PackedBytes(&packed.0), 0);
            while !rest.is_empty() {
                minute = later(minute, rest.signed()?)?;
                let direction = *Direction::value_variants().get(usize::from(rest.byte()?))?;
                samples.served.add(ServedMinute { minute, direction, count: rest.number_as()? });
            }
        }
    }
    Some(())
}

/// What a byte says of an open message. The lowest bits tell which of sender, login and client follow.
mod open_flags {
    pub(super) const HAS_ARRIVED: u8 = 1 << 3;
    pub(super) const IS_CUT: u8 = 1 << 4;
    pub(super) const IS_OVER: u8 = 1 << 5;
}

/// What is known of each open message: a byte of flags, and its texts, each after its length. And their hashes.
fn open_messages(open: &[(u64, OpenMessage)]) -> (ByteText, ByteText) {
    let (mut packed, mut hashes) = (Vec::new(), HashPacker::with_room_for(open.len()));
    for (hash, open) in open {
        hashes.push(*hash);
        let SourceTexts { sender, user, client } = open.source();
        let states = [
            (open_flags::HAS_ARRIVED, open.has_arrived),
            (open_flags::IS_CUT, open.is_cut),
            (open_flags::IS_OVER, open.is_over),
            (1, sender.is_some()),
            (2, user.is_some()),
            (4, client.is_some()),
        ];
        packed.push(states.into_iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag).sum());
        for text in [sender, user, client].into_iter().flatten() {
            push_number(&mut packed, text.len() as u64);
            packed.extend_from_slice(text);
        }
    }
    (ByteText(packed), hashes.finish())
}

fn read_open(kept: PackedOrArray<EarlyOpenMessage>, hashes: &ByteText) -> Option<Vec<(u64, OpenMessage)>> {
    let packed = match kept {
        PackedOrArray::Array(open) => return Some(open.into_iter().map(EarlyOpenMessage::message).collect()),
        PackedOrArray::Packed(packed) => packed,
    };
    let mut rest = PackedBytes(&packed.0);
    let open = unpack_hashes(hashes)?.into_iter().map(|hash| {
        let flags = rest.byte()?;
        let has = |flag: u8| flags & flag != 0;
        let mut text = |flag: u8| {
            if !has(flag) {
                return Some(None);
            }
            let length = rest.number_as()?;
            rest.take(length).map(Some)
        };
        let source = SourceTexts { sender: text(1)?, user: text(2)?, client: text(4)? };
        let mut open = OpenMessage {
            has_arrived: has(open_flags::HAS_ARRIVED),
            is_cut: has(open_flags::IS_CUT),
            is_over: has(open_flags::IS_OVER),
            ..OpenMessage::default()
        };
        open.learn(source);
        Some((hash, open))
    });
    open.collect::<Option<Vec<_>>>().filter(|_| rest.is_empty())
}

impl EarlyOpenMessage {
    fn message(self) -> (u64, OpenMessage) {
        let Self(message, texts, has_arrived, is_cut, is_over) = self;
        let mut open = OpenMessage { has_arrived, is_cut, is_over, ..OpenMessage::default() };
        let [sender, user, client] = &texts;
        let [sender, user, client] = [sender, user, client].map(|text| text.as_ref().map(|text| &*text.0));
        open.learn(SourceTexts { sender, user, client });
        (message, open)
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
            let sample: KeptSamples = serde_json::from_str(text).unwrap();
            KeptStorms { sample, events: KeptEvents::default() }.samples(RandomState::default())
        };
        assert!(samples("{\"undated\": 1}").is_some());
        assert!(samples("{\"level\": {\"evidence\": 3, \"others\": 2}}").is_none());
    }
}
