//! The servers' own warnings as a part keeps them.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::warnings::{WarningCount, WarningCounts, WarningKey};
use crate::collections::texts::Texts;
use crate::collections::wire::{ByteText, PackedBytes, PackedOrArray, push_number, push_signed};
use crate::parse::mta::server_warning::Severity;
use crate::pipeline::sink::LineOffset;
use crate::smtp::event::Mta;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptWarnings {
    /// For each warning the numbers of its server and its severity, each in the order of their names here; its lines; 1, if it
    /// has times, and its first and its last minute since 1970, or 0; the file of its last line, and the offset of this line.
    texts: PackedOrArray<EarlyWarning>,
    servers: Vec<Mta>,
    severities: Vec<Severity>,
    /// The masked text of each warning, and its last line.
    lines: Texts,
    others: u64,
}

#[derive(Serialize, Deserialize)]
struct EarlyWarning {
    mta: Mta,
    severity: Severity,
    text: ByteText,
    lines: u64,
    minutes: Option<(i64, i64)>,
    place: LineOffset,
    example: ByteText,
}

impl KeptWarnings {
    pub(super) fn of(counts: WarningCounts) -> Self {
        let (mut packed, mut lines) = (Vec::new(), Texts::default());
        for (key, count) in counts.by_text {
            let WarningCount { lines: number, minutes, place, example } = count;
            push_number(&mut packed, key.mta as u64);
            push_number(&mut packed, key.severity as u64);
            push_number(&mut packed, number);
            push_number(&mut packed, minutes.is_some().into());
            for minute in minutes.into_iter().flat_map(|(first, last)| [first, last]) {
                push_signed(&mut packed, minute);
            }
            push_number(&mut packed, place.file as u64);
            push_number(&mut packed, place.offset);
            lines.push(&key.text);
            lines.push(&example);
        }
        let (mut servers, mut severities) =
            (Mta::value_variants().to_vec(), Severity::value_variants().to_vec());
        if packed.is_empty() {
            servers.clear();
            severities.clear();
        }
        let texts = PackedOrArray::Packed(ByteText(packed));
        Self { texts, servers, severities, lines, others: counts.others }
    }

    /// `place` gives a line the number of its file among all parts. `None`: the warnings are damaged.
    pub(super) fn counts(self, place: impl Fn(LineOffset) -> LineOffset) -> Option<WarningCounts> {
        let mut counts = WarningCounts { others: self.others, ..WarningCounts::default() };
        let packed = match self.texts {
            PackedOrArray::Packed(packed) => packed,
            PackedOrArray::Array(early) => {
                for EarlyWarning { mta, severity, text, lines, minutes, place: line, example } in early {
                    let count = WarningCount { lines, minutes, place: place(line), example: example.0 };
                    counts.add(WarningKey::new(mta, severity, &text.0), count);
                }
                return Some(counts);
            }
        };
        let (mut rest, mut masked) = (PackedBytes(&packed.0), None);
        self.lines.each(|line| {
            // The masked text comes before the line.
            let Some(text) = masked.take() else {
                masked = Some(line.to_vec());
                return Some(());
            };
            let mta = *self.servers.get(rest.number_as::<usize>()?)?;
            let severity = *self.severities.get(rest.number_as::<usize>()?)?;
            let lines = rest.number()?;
            let minutes = match rest.number()? {
                0 => None,
                _ => Some((rest.signed()?, rest.signed()?)),
            };
            let place = place(LineOffset { file: rest.number_as()?, offset: rest.number()? });
            let count = WarningCount { lines, minutes, place, example: line.to_vec() };
            counts.add(WarningKey::new(mta, severity, &text), count);
            Some(())
        })?;
        (rest.is_empty() && masked.is_none()).then_some(counts)
    }
}
