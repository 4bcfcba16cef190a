//! Defines how many events of a cell are kept: fewer at each level, so that a sample of any log fits into a bounded memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::series::{CellKey, CellKind};

/// The number of failures kept of one kind in one span.
const EVIDENCE_KEPT: usize = 32;
/// The number of other events kept; they show the volume of each sender and so on.
const OTHERS_KEPT: usize = 8;
/// The last level, with spans of eight years.
const LAST: u32 = 22;

/// How coarse a sample is: the events of each kind are sampled by spans of 2 to the power of the level minutes. So a kind that is
/// always busy is thinned out, and a burst of a rare one is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(crate) struct SampleLevel(u32);

impl SampleLevel {
    /// The greatest number of events that are kept of a cell.
    pub(crate) fn kept(kind: CellKind) -> usize {
        if kind.is_evidence() { EVIDENCE_KEPT } else { OTHERS_KEPT }
    }

    /// The cell to which the events of a minute belong: the first minute of its span.
    pub(crate) fn cell(self, key: CellKey) -> CellKey {
        CellKey { minute: key.minute >> self.0 << self.0, ..key }
    }

    /// `None`: there is no coarser level.
    pub(crate) fn next(self) -> Option<Self> {
        (self.0 < LAST).then_some(Self(self.0 + 1))
    }

    /// The counts of single minutes are exact.
    pub(crate) fn is_by_minute(self) -> bool {
        self.0 == 0
    }
}

/// The level of the sample so far, for those who collect more of it: a block need not keep more than the whole sample does. The
/// level only rises, so a block that sees an old one keeps too much, which is cut later.
#[derive(Clone, Default, Debug)]
pub(crate) struct SharedLevel(Arc<AtomicU32>);

impl SharedLevel {
    pub(crate) fn get(&self) -> SampleLevel {
        SampleLevel(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn restart(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    pub(crate) fn raise(&self, level: SampleLevel) {
        self.0.fetch_max(level.0, Ordering::Relaxed);
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
            level = level.next().unwrap();
        }
    }
}
