//! Packs the events of a sample for a part: most take about twenty bytes, half of them hashes.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::block_sample::EventMarks;
use super::hash::sampling_hash;
use super::samples::Sample;
use super::series::{CellKind, CountSeries};
use crate::catalog::Cause;
use crate::collections::interner::{Interner, Symbol};
use crate::collections::texts::Texts;
use crate::collections::wire::{ByteText, PackedBytes, push_number, push_signed};
use crate::smtp::event::{Mta, Stage};

/// What else is known of an event; few events differ in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct KeptShape {
    stage: Option<Stage>,
    cause: Option<Cause>,
    marks: EventMarks,
    is_older: bool,
    is_open: bool,
    mta: Mta,
    /// Which names follow, as bits: recipient, domain, peer, sender, login, client, host and instance, from the lowest on.
    #[serde(default)]
    names: u8,
    /// The hash of its message follows.
    #[serde(default)]
    has_message: bool,
    #[serde(default)]
    hash: HashSource,
}

/// How the hash of an event is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum HashSource {
    /// It follows.
    #[default]
    Own,
    /// It is that of the message.
    Message,
    /// It is that of the message and the recipient.
    Recipient,
}

impl KeptShape {
    fn of(event: &Sample, names: &Interner) -> Self {
        let Sample { stage, cause, marks, is_older, is_open, mta, hash, message, recipient, .. } = *event;
        let own = event.names().into_iter().rev();
        let bits = own.fold(0, |bits, name| bits << 1 | u8::from(name != Symbol::OVERFLOW));
        let of_recipient = || sampling_hash(message, names.name(recipient)) == hash;
        let hash = match (message, recipient) {
            (0, _) => HashSource::Own,
            _ if hash == message => HashSource::Message,
            (_, Symbol::OVERFLOW) => HashSource::Own,
            _ if of_recipient() => HashSource::Recipient,
            _ => HashSource::Own,
        };
        Self { stage, cause, marks, is_older, is_open, mta, names: bits, has_message: message != 0, hash }
    }

    /// An event of this shape, without names and hashes.
    pub(super) fn sample(&self, series: CountSeries, minute: i32) -> Sample {
        let Self { stage, cause, marks, is_older, is_open, mta, .. } = *self;
        let none = Symbol::OVERFLOW;
        Sample {
            minute,
            kind: kind_of(&series, marks),
            series,
            hash: 0,
            message: 0,
            recipient: none,
            domain: none,
            peer: none,
            sender: none,
            user: none,
            client: none,
            host: none,
            instance: none,
            stage,
            cause,
            marks,
            is_older,
            is_open,
            mta,
        }
    }
}

fn kind_of(series: &CountSeries, marks: EventMarks) -> CellKind {
    if marks.is_own_fault {
        CellKind::of_own_fault(series)
    } else {
        CellKind::of(series).of_provider(series.provider)
    }
}

/// Numbers values in the order in which they come first.
pub(super) struct Numbering<T> {
    pub values: Vec<T>,
    numbers: HashMap<T, u32, FixedState>,
    last: Option<(T, u32)>,
}

impl<T: Copy + Eq + std::hash::Hash> Numbering<T> {
    pub(super) fn number(&mut self, value: T) -> u32 {
        if let Some((last, number)) = self.last
            && last == value
        {
            return number;
        }
        let next = self.values.len() as u32;
        let number = *self.numbers.entry(value).or_insert(next);
        if number == next {
            self.values.push(value);
        }
        self.last = Some((value, number));
        number
    }
}

impl<T> Default for Numbering<T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: HashMap::default(), last: None }
    }
}

/// A minute, or an hour, by its distance from the one before it.
pub(super) fn later(before: i32, distance: i64) -> Option<i32> {
    i64::from(before).checked_add(distance)?.try_into().ok()
}

/// Packs events one after another. Each is: minutes since the event before it, the index of its series, that of its shape, the
/// index of each name that the shape has, from 1 on, the hash of its message and its own one. A name that no event before has
/// is 0 instead: its index is the next one.
pub(super) struct EventPacker<'a> {
    interner: &'a Interner,
    /// The index of each name that was written. 0: it was not.
    numbers: Vec<u32>,
    written: u32,
    minute: i32,
    pub names: Texts,
    pub series: Numbering<CountSeries>,
    pub shapes: Numbering<KeptShape>,
    pub events: ByteText,
}

impl<'a> EventPacker<'a> {
    pub(super) fn new(interner: &'a Interner) -> Self {
        Self {
            interner,
            numbers: vec![0; interner.count()],
            written: 0,
            minute: 0,
            names: Texts::default(),
            series: Numbering::default(),
            shapes: Numbering::default(),
            events: ByteText::default(),
        }
    }

    pub(super) fn push(&mut self, event: &Sample) {
        let shape = KeptShape::of(event, self.interner);
        let packed = &mut self.events.0;
        push_signed(packed, i64::from(event.minute) - i64::from(self.minute));
        self.minute = event.minute;
        push_number(packed, self.series.number(event.series).into());
        push_number(packed, self.shapes.number(shape).into());
        for name in event.names().into_iter().filter(|name| *name != Symbol::OVERFLOW) {
            let Some(number) = self.numbers.get_mut(name.index()) else { continue };
            push_number(packed, u64::from(*number));
            if *number == 0 {
                self.written += 1;
                *number = self.written;
                self.names.push(self.interner.name(name));
            }
        }
        if shape.has_message {
            packed.extend_from_slice(&event.message.to_le_bytes());
        }
        if shape.hash == HashSource::Own {
            packed.extend_from_slice(&event.hash.to_le_bytes());
        }
    }
}

/// Unpacks the events of an [`EventPacker`].
pub(super) struct EventUnpacker<'a> {
    rest: PackedBytes<'a>,
    series: &'a [CountSeries],
    shapes: &'a [KeptShape],
    names: &'a [Symbol],
    /// The number of names so far.
    read: usize,
    minute: i32,
}

impl<'a> EventUnpacker<'a> {
    /// `names` are the names by their index; the first one stands for none.
    pub(super) fn new(
        packed: &'a ByteText,
        (series, shapes): (&'a [CountSeries], &'a [KeptShape]),
        names: &'a [Symbol],
    ) -> Self {
        Self { rest: PackedBytes(&packed.0), series, shapes, names, read: 0, minute: 0 }
    }

    pub(super) fn has_more(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The next event. `None`: it is damaged.
    pub(super) fn next(&mut self, interner: &Interner) -> Option<Sample> {
        let rest = &mut self.rest;
        self.minute = later(self.minute, rest.signed()?)?;
        let series = *self.series.get(rest.number_as::<usize>()?)?;
        let shape = self.shapes.get(rest.number_as::<usize>()?)?;
        let mut event = shape.sample(series, self.minute);
        let mut bits = shape.names;
        for name in event.names_mut() {
            let has_name = bits & 1 == 1;
            bits >>= 1;
            if has_name {
                let mut number = rest.number_as::<usize>()?;
                if number == 0 {
                    self.read += 1;
                    number = self.read;
                }
                *name = *self.names.get(number)?;
            }
        }
        event.message = if shape.has_message { rest.hash()? } else { 0 };
        event.hash = match shape.hash {
            HashSource::Own => rest.hash()?,
            HashSource::Message => event.message,
            HashSource::Recipient => sampling_hash(event.message, interner.name(event.recipient)),
        };
        Some(event)
    }
}
