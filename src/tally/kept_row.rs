//! A row of a tally as a part keeps it, without its recipients, which stand in a section of their own. A row of deliveries, as
//! waiting hand-offs in redacted parts have it, has none.

use serde::{Deserialize, Serialize, Serializer};

use super::group_by::Examples;
use super::kept_key::{KeptKey, kept_key, key};
use super::part_options::TallyOptions;
use super::{TallyCount, TallyKey};
use crate::collections::counter::SymbolCounts;
use crate::collections::distinct::DistinctCounter;
use crate::collections::wire::{ByteText, MapOrArray, PackedBytes, push_number, push_signed};
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::LineOffset;

#[derive(Deserialize)]
#[serde(try_from = "MapOrArray<EarlyRow, RowFields>")]
pub(crate) struct KeptRow {
    key: TallyKey,
    count: TallyCount,
}

/// The key, the numbers, the example lines one behind another, and the places of a row.
///
/// The numbers are: the events; 1 if they have times, and their first and last one in microseconds since 1970, each with its
/// offset from UTC in seconds, or 0; and for each example the number of its file, the offset of the line and its length.
type RowFields = (KeptKey, ByteText, ByteText, SymbolCounts);

/// Early versions wrote a map, with the recipients.
#[derive(Deserialize)]
struct EarlyRow {
    key: KeptKey,
    attempts: u64,
    recipients: DistinctCounter,
    first: Option<LogTime>,
    last: Option<LogTime>,
    examples: Vec<(LineOffset, ByteText)>,
    places: SymbolCounts,
}

impl KeptRow {
    pub(super) fn of((key, mut count): (TallyKey, TallyCount)) -> Self {
        count.recipients.sort_in();
        count.places.sort_in();
        Self { key, count }
    }

    pub(super) fn count(self, options: &TallyOptions) -> (TallyKey, TallyCount) {
        let Self { key, count } = self;
        let examples = options.examples(count.examples, options.examples.max(1));
        (key, TallyCount { examples, ..count })
    }

    pub(crate) fn recipients(&self) -> &DistinctCounter {
        &self.count.recipients
    }

    pub(crate) fn set_recipients(&mut self, recipients: DistinctCounter) {
        self.count.recipients = recipients;
    }
}

impl Serialize for KeptRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let TallyCount { attempts, first, last, examples, places, .. } = &self.count;
        let mut numbers = Vec::new();
        push_number(&mut numbers, *attempts);
        let times = first.zip(*last);
        push_number(&mut numbers, times.is_some().into());
        for time in times.into_iter().flat_map(|(first, last)| [first, last]) {
            push_signed(&mut numbers, time.micros);
            push_signed(&mut numbers, time.offset.into());
        }
        let mut lines = Vec::with_capacity(examples.lines.iter().map(|(_, line)| line.len()).sum());
        for (LineOffset { file, offset }, line) in &examples.lines {
            push_number(&mut numbers, *file as u64);
            push_number(&mut numbers, *offset);
            push_number(&mut numbers, line.len() as u64);
            lines.extend_from_slice(line);
        }
        (kept_key(self.key), ByteText(numbers), ByteText(lines), places).serialize(serializer)
    }
}

impl TryFrom<MapOrArray<EarlyRow, RowFields>> for KeptRow {
    type Error = &'static str;

    fn try_from(kept: MapOrArray<EarlyRow, RowFields>) -> Result<Self, &'static str> {
        match kept {
            MapOrArray::Array(fields) => read(fields).ok_or("a row is damaged"),
            MapOrArray::Map(EarlyRow { key, attempts, recipients, first, last, examples, places }) => {
                let examples = examples.into_iter().map(|(place, line)| (place, line.0)).collect();
                let examples = Examples { lines: examples };
                let count = TallyCount { attempts, recipients, first, last, examples, places };
                Ok(Self { key: self::key(key), count })
            }
        }
    }
}

fn read((kept_key, numbers, lines, places): RowFields) -> Option<KeptRow> {
    let (mut numbers, mut lines) = (PackedBytes(&numbers.0), PackedBytes(&lines.0));
    let mut count = TallyCount { attempts: numbers.number()?, places, ..TallyCount::default() };
    if numbers.number()? != 0 {
        let mut time = || {
            let micros = numbers.signed()?;
            Some(LogTime { micros, offset: numbers.signed()?.try_into().ok()? })
        };
        (count.first, count.last) = (Some(time()?), Some(time()?));
    }
    while !numbers.is_empty() {
        let place = LineOffset { file: numbers.number_as()?, offset: numbers.number()? };
        count.examples.lines.push((place, lines.take(numbers.number_as()?)?.to_vec()));
    }
    Some(KeptRow { key: key(kept_key), count })
}
