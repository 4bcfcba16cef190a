//! The counts by name, hour and duration as a part keeps them: packed, since most of them are small or 0.

use serde::{Deserialize, Serialize};

use super::by_name::OutcomesByName;
use super::timeline::{HourCounts, RejectionCounts};
use crate::collections::interner::Symbol;
use crate::collections::wire::{ByteText, PackedBytes, PackedOrArray, push_counts, push_number, push_signed};
use crate::smtp::delivery_result::ByResult;
use crate::smtp::event::ByOutcome;

/// Counts by name, sorted: of each name its distance from the one before it, and its counts by outcome.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct KeptOutcomes(PackedOrArray<(Symbol, ByOutcome<u64>)>);

impl KeptOutcomes {
    pub(super) fn of(mut counts: OutcomesByName) -> Self {
        counts.sort_unstable_by_key(|(name, _)| *name);
        let (mut packed, mut before) = (Vec::new(), 0);
        for (name, counts) in counts {
            push_number(&mut packed, (name.index() - before) as u64);
            push_counts(&mut packed, counts.values());
            before = name.index();
        }
        Self(PackedOrArray::Packed(ByteText(packed)))
    }

    /// `None`: they are damaged.
    pub(super) fn counts(self) -> Option<OutcomesByName> {
        let packed = match self.0 {
            PackedOrArray::Array(counts) => return Some(counts),
            PackedOrArray::Packed(packed) => packed,
        };
        let (mut rest, mut name, mut counts) = (PackedBytes(&packed.0), 0_u32, Vec::new());
        while !rest.is_empty() {
            name = name.checked_add(rest.number_as()?)?;
            counts.push((Symbol::at(name as usize), ByOutcome::of_values(rest.counts()?)));
        }
        Some(counts)
    }
}

/// Counts by hour, sorted: of each hour its distance from the one before it, and its counts: outbound by result, local by
/// result, and rejections that are transient, permanent, and neither.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct KeptHours(PackedOrArray<(i64, HourCounts)>);

impl KeptHours {
    pub(super) fn of(hours: impl Iterator<Item = (i64, HourCounts)>) -> Self {
        let (mut packed, mut before) = (Vec::new(), 0_i64);
        for (hour, counts) in hours {
            push_signed(&mut packed, hour.wrapping_sub(before));
            let HourCounts { outbound, local, inbound } = counts;
            let RejectionCounts { transient, permanent, unspecified } = inbound;
            let rejected = [transient, permanent, unspecified];
            push_counts(&mut packed, &[&outbound.values()[..], &local.values(), &rejected].concat());
            before = hour;
        }
        Self(PackedOrArray::Packed(ByteText(packed)))
    }

    /// `None`: they are damaged.
    pub(super) fn hours(self) -> Option<Vec<(i64, HourCounts)>> {
        let packed = match self.0 {
            PackedOrArray::Array(hours) => return Some(hours),
            PackedOrArray::Packed(packed) => packed,
        };
        let (mut rest, mut hour, mut hours) = (PackedBytes(&packed.0), 0_i64, Vec::new());
        while !rest.is_empty() {
            hour = hour.wrapping_add(rest.signed()?);
            let counts: [u64; 11] = rest.counts()?;
            let (outbound, others) = counts.split_first_chunk()?;
            let (local, rejected) = others.split_first_chunk()?;
            let &[transient, permanent, unspecified] = rejected else { return None };
            let (outbound, local) = (ByResult::of_values(*outbound), ByResult::of_values(*local));
            let inbound = RejectionCounts { transient, permanent, unspecified };
            hours.push((hour, HourCounts { outbound, local, inbound }));
        }
        Some(hours)
    }
}
