//! Defines how many events of a cell are kept: fewer at each level, so that a sample of any log fits into a bounded memory.

use serde::{Deserialize, Serialize};

use super::series::{CellKey, CellKind};

/// The number of events kept of one kind in one span. With more events of longer spans fewer storms are found: a burst of
/// a few minutes is a smaller share of a long span.
pub(crate) const EVENTS_KEPT: usize = 8;
/// The largest number of failures in a finished sample.
const EVIDENCE_LIMIT: usize = 1 << 14;
/// The largest number of other events; they show the volume of each sender and so on, and the mail of loops.
const OTHERS_LIMIT: usize = 1 << 14;
/// The largest number of events in a finished sample: 4 MiB. Detection takes about three times as much.
pub(crate) const SAMPLE_LIMIT: usize = EVIDENCE_LIMIT + OTHERS_LIMIT;
/// The last level, with spans of eight years.
const LAST: u32 = 22;

/// How coarse a sample is: the events of each kind are sampled by spans of 2 to the power of the level minutes. So a kind that is
/// always busy is thinned out, and a burst of a rare one is kept. Evidence of storms and other events, which only show how
/// much mail there is, have levels of their own.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct SampleLevel {
    evidence: u32,
    others: u32,
}

impl SampleLevel {
    /// The cell to which the events of a minute belong: the first minute of its span.
    pub(crate) fn cell(self, key: CellKey) -> CellKey {
        let level = if key.kind.is_evidence() { self.evidence } else { self.others };
        CellKey { minute: key.minute >> level << level, ..key }
    }

    /// The next level of a sample with so many events. `None`: it has not too many, or there is no coarser level.
    pub(crate) fn next(self, evidence: usize, others: usize) -> Option<Self> {
        let next = Self {
            evidence: (self.evidence + u32::from(evidence > EVIDENCE_LIMIT)).min(LAST),
            others: (self.others + u32::from(others > OTHERS_LIMIT)).min(LAST),
        };
        (next != self).then_some(next)
    }

    /// The level of evidence, and that of other events.
    pub(crate) fn numbers(self) -> [u32; 2] {
        [self.evidence, self.others]
    }

    pub(crate) fn of_numbers([evidence, others]: [u32; 2]) -> Self {
        Self { evidence, others }
    }

    /// The level itself. `None`: there is no such level.
    pub(crate) fn checked(self) -> Option<Self> {
        (self.evidence <= LAST && self.others <= LAST).then_some(self)
    }

    /// The coarser one of two.
    pub(crate) fn max(self, other: Self) -> Self {
        Self { evidence: self.evidence.max(other.evidence), others: self.others.max(other.others) }
    }

    /// Whether several blocks of a log are likely to have events of a cell.
    pub(crate) fn is_wide(self, kind: CellKind) -> bool {
        if kind.is_evidence() { self.evidence > 0 } else { self.others > 0 }
    }

    /// The counts of evidence in single minutes are exact.
    pub(crate) fn is_by_minute(self) -> bool {
        self.evidence == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::classify::Reason;
    use crate::storm::sample::series::CountSeries;

    #[test]
    fn each_level_has_half_as_many_cells() {
        let kind = CellKind::of(&CountSeries::own_fault(Reason::SystemFull));
        let cells = |level: SampleLevel| {
            let cells = (-64..64).map(|minute| level.cell(CellKey { minute, kind }));
            cells.collect::<std::collections::BTreeSet<CellKey>>().len()
        };
        let mut level = SampleLevel::default();
        for wanted in [128, 64, 32, 16, 8] {
            assert_eq!(cells(level), wanted);
            level = level.next(usize::MAX, 0).unwrap();
        }
    }
}
