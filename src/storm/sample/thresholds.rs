//! Defines how many events of each kind are kept, so that a sample of any log fits into a bounded memory.
//!
//! Events are drawn by their hashes: of each kind those below a threshold, which falls as the log grows (bottom-k sampling: Cohen
//! and Kaplan, "Summarizing data using bottom-k sketches", 2007). So each kept event of a kind stands for equally many, and a
//! burst of a few minutes keeps its share of the sample. Of a kind with n events about as many are kept as the square root of n
//! times a factor that is the same for all kinds (Bankier, "Power allocations", 1988), so that a storm is seen in a common kind
//! and in a rare one.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::series::{CellKey, CellKind};

/// The number of events kept of one kind in one minute: those with the smallest hashes. One flood must not push out the rest of
/// its kind.
pub(crate) const EVENTS_KEPT: usize = 16;
/// The events that a kind may keep however many others there are, unless there are too many kinds.
const LEAST_KEPT: u64 = 150;
/// The largest number of failures in a finished sample.
const EVIDENCE_LIMIT: usize = 24 << 10;
/// The largest number of other events; they show the volume of each sender and so on, and the mail of loops.
const OTHERS_LIMIT: usize = 1 << 13;
/// The largest number of events in a finished sample: 4 MiB. Detection takes about three times as much.
pub(crate) const SAMPLE_LIMIT: usize = EVIDENCE_LIMIT + OTHERS_LIMIT;

/// The thresholds of the kinds of which not all events are kept. A kind without one keeps its events up to [`EVENTS_KEPT`] a minute.
#[derive(Clone, Debug)]
pub(crate) struct Thresholds {
    /// Events with this hash or a larger one are not kept.
    by_kind: HashMap<CellKind, u64, FixedState>,
    /// Failures, and other events, with this [`precedence`] or a larger one are not kept.
    limits: [u64; 2],
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { by_kind: HashMap::default(), limits: [u64::MAX; 2] }
    }
}

/// An event as the draw sees it.
#[derive(Clone, Copy)]
pub(crate) struct DrawEntry {
    pub key: CellKey,
    pub hash: u64,
}

/// What a draw leaves.
#[derive(Default)]
pub(crate) struct Draw {
    /// For each event whether it is kept.
    pub kept: Vec<bool>,
    /// Events that their minutes have no room for, by cell.
    pub crowded: Vec<(CellKey, u32)>,
    /// Some kind got a threshold, or a lower one.
    pub is_lower: bool,
}

/// The hashes of a kind's events that their minutes have room for.
struct KindHashes {
    kind: CellKind,
    hashes: Vec<u64>,
}

/// The kinds and the cells of the events of a draw.
#[derive(Default)]
struct DrawIndex {
    kinds: Vec<KindHashes>,
    cells: Vec<DrawCell>,
    /// For each event the index of its cell. [`u32::MAX`]: it is not below its threshold, and has none.
    of_entries: Vec<u32>,
}

/// The events of a cell in a draw.
struct DrawCell {
    key: CellKey,
    /// Index of the kind.
    kind: u32,
    count: usize,
    /// The last event that is kept, once the cell has too many: its hash, and its index among equal ones.
    last: Option<(u64, usize)>,
}

impl Thresholds {
    /// The threshold of a kind. [`u64::MAX`]: it has none.
    pub(crate) fn of(&self, kind: CellKind) -> u64 {
        self.find(kind).unwrap_or(u64::MAX)
    }

    /// The threshold of a kind. `None`: it has none.
    pub(crate) fn find(&self, kind: CellKind) -> Option<u64> {
        self.by_kind.get(&kind).copied()
    }

    /// Sets the threshold of a kind, unless it has a lower one.
    pub(crate) fn lower(&mut self, kind: CellKind, threshold: u64) {
        let known = self.by_kind.entry(kind).or_insert(threshold);
        *known = threshold.min(*known);
    }

    /// The kinds with thresholds, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (CellKind, u64)> {
        self.by_kind.iter().map(|(kind, threshold)| (*kind, *threshold))
    }

    /// The limits of failures and of other events.
    pub(crate) fn limits(&self) -> [u64; 2] {
        self.limits
    }

    /// Lowers the limits of failures and of other events to these, if they are lower.
    pub(crate) fn lower_limits(&mut self, limits: [u64; 2]) {
        for (known, limit) in self.limits.iter_mut().zip(limits) {
            *known = limit.min(*known);
        }
    }

    /// Drops the thresholds of the other kinds, since events were dropped. The next draw finds new limits.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(CellKind) -> bool) {
        self.by_kind.retain(|kind, _| is_kept(*kind));
        self.limits = [u64::MAX; 2];
    }

    /// The counts of failures in single minutes are exact.
    pub(crate) fn is_by_minute(&self) -> bool {
        !self.by_kind.keys().any(|kind| kind.is_evidence())
    }

    /// Draws the events that fit into the sample, which are given in the order of the log, and lowers the thresholds to theirs. The
    /// result depends on the events alone, also if events that an earlier draw left out are missing: a threshold never rises,
    /// and an event that is left out has the same smaller hashes before it in any later draw.
    pub(crate) fn draw(&mut self, entries: &[DrawEntry]) -> Draw {
        let DrawIndex { mut kinds, mut cells, of_entries } = self.index(entries);
        let crowded = cut_cells(entries, &of_entries, &mut cells);
        let is_admitted = |(at, entry): (usize, &DrawEntry)| {
            let cell = cells.get(*of_entries.get(at)? as usize)?;
            cell.last.is_none_or(|last| (entry.hash, at) <= last).then_some(cell.kind as usize)
        };
        for of in entries.iter().enumerate() {
            if let Some(kind) = is_admitted(of).and_then(|kind| kinds.get_mut(kind)) {
                kind.hashes.push(of.1.hash);
            }
        }
        let mut is_lower = false;
        let groups = [(true, EVIDENCE_LIMIT), (false, OTHERS_LIMIT)];
        for ((is_evidence, most), limit) in groups.into_iter().zip(&mut self.limits) {
            let mut own: Vec<&mut KindHashes> =
                kinds.iter_mut().filter(|of| of.kind.is_evidence() == is_evidence).collect();
            let count: usize = own.iter().map(|of| of.hashes.len()).sum();
            if count <= most && *limit == u64::MAX {
                continue;
            }
            for of in &mut own {
                of.hashes.sort_unstable();
            }
            if count > most {
                let mut all: Vec<u64> = own.iter().flat_map(|of| precedence(&of.hashes)).collect();
                let (_, first_out, _) = all.select_nth_unstable(most);
                *limit = (*first_out).min(*limit);
            }
            for KindHashes { kind, hashes } in own {
                let mut of_hashes = precedence(hashes).zip(hashes.iter());
                if let Some((_, threshold)) = of_hashes.find(|(precedence, _)| precedence >= limit) {
                    let known = self.by_kind.entry(*kind).or_insert(u64::MAX);
                    is_lower |= threshold < known;
                    *known = *threshold.min(known);
                }
            }
        }
        let thresholds: Vec<u64> = kinds.iter().map(|of| self.of(of.kind)).collect();
        let is_kept = |of: (usize, &DrawEntry)| {
            let threshold = is_admitted(of).and_then(|kind| thresholds.get(kind));
            threshold.is_some_and(|threshold| of.1.hash < *threshold)
        };
        Draw { kept: entries.iter().enumerate().map(is_kept).collect(), crowded, is_lower }
    }

    fn index(&self, entries: &[DrawEntry]) -> DrawIndex {
        let mut index = DrawIndex::default();
        let mut of_kinds: HashMap<CellKind, (u32, u64), FixedState> = HashMap::default();
        let mut of_keys: HashMap<CellKey, u32, FixedState> =
            HashMap::with_capacity_and_hasher(1 << 12, FixedState::default());
        let DrawIndex { kinds, cells, .. } = &mut index;
        let cell = |entry: &DrawEntry| {
            let kind = entry.key.kind;
            let (number, threshold) = *of_kinds.entry(kind).or_insert_with(|| {
                kinds.push(KindHashes { kind, hashes: Vec::new() });
                (kinds.len() as u32 - 1, self.of(kind))
            });
            if entry.hash >= threshold {
                return u32::MAX;
            }
            let at = *of_keys.entry(entry.key).or_insert_with(|| {
                cells.push(DrawCell { key: entry.key, kind: number, count: 0, last: None });
                cells.len() as u32 - 1
            });
            if let Some(cell) = cells.get_mut(at as usize) {
                cell.count += 1;
            }
            at
        };
        index.of_entries = entries.iter().map(cell).collect();
        index
    }
}

/// Finds the last event that is kept of each cell that has too many, and counts the events behind it.
fn cut_cells(entries: &[DrawEntry], of_entries: &[u32], cells: &mut [DrawCell]) -> Vec<(CellKey, u32)> {
    let mut hashes: HashMap<u32, Vec<(u64, usize)>, FixedState> = HashMap::default();
    for ((at, entry), of) in entries.iter().enumerate().zip(of_entries) {
        let count = cells.get(*of as usize).map_or(0, |cell| cell.count);
        if count > EVENTS_KEPT {
            hashes.entry(*of).or_insert_with(|| Vec::with_capacity(count)).push((entry.hash, at));
        }
    }
    let mut crowded = Vec::with_capacity(hashes.len());
    for (of, mut hashes) in hashes {
        let Some(cell) = cells.get_mut(of as usize) else { continue };
        let (_, last, behind) = hashes.select_nth_unstable(EVENTS_KEPT - 1);
        cell.last = Some(*last);
        crowded.push((cell.key, behind.len() as u32));
    }
    crowded
}

/// Tells which events of a kind are kept first, given their hashes in ascending order: the smaller number, which is the rank times
/// the hash. The hash of rank r among n events is about r / n of the largest one, so the numbers below a limit are as many as
/// the square root of n times the limit. More events of a kind never make the number of one smaller, and never leave
/// fewer below a limit.
fn precedence(hashes: &[u64]) -> impl Iterator<Item = u64> {
    let of = |(rank, hash): (u64, &u64)| {
        // Shifted, so that the product fits.
        let product = (hash >> 20).saturating_mul(rank + 1);
        if rank < LEAST_KEPT { rank } else { product.max(LEAST_KEPT) }
    };
    (0..).zip(hashes).map(of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::classify::Reason;
    use crate::storm::sample::series::CountSeries;

    fn kind(reason: Reason) -> CellKind {
        CellKind::of(&CountSeries::own_fault(reason))
    }

    /// As many events of a kind, one a minute, with hashes that are spread by multiplication.
    fn events(kind: CellKind, count: u64) -> impl Iterator<Item = DrawEntry> {
        (1..=count).map(move |at| DrawEntry {
            key: CellKey { minute: at as i32, kind },
            hash: (at ^ u64::from(kind.packed()) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        })
    }

    #[test]
    fn a_kind_keeps_as_many_as_the_square_root_of_its_events() {
        let counts =
            [(Reason::UserUnknown, 400_000), (Reason::SystemFull, 100_000), (Reason::MailboxFull, 120)];
        let entries: Vec<DrawEntry> =
            counts.into_iter().flat_map(|(reason, count)| events(kind(reason), count)).collect();
        let kept = Thresholds::default().draw(&entries).kept;
        let [unknown, full_disk, full_mailbox] = counts.map(|(reason, _)| {
            let own =
                entries.iter().zip(&kept).filter(|(entry, kept)| entry.key.kind == kind(reason) && **kept);
            own.count()
        });
        assert_eq!(full_mailbox, 120);
        assert_eq!(unknown + full_disk + full_mailbox, EVIDENCE_LIMIT);
        assert!((unknown as f64 / full_disk as f64 - 2.0).abs() < 0.05, "{unknown} {full_disk}");
    }

    #[test]
    fn a_burst_keeps_its_share() {
        let kind = kind(Reason::SystemFull);
        // Twenty a minute in ten thousand minutes, and 2,000 more in ten of them; hashes are spread by multiplication.
        let minutes = (0..200_000).map(|at| at / 20).chain((0..2_000).map(|at| 5_000 + at / 200));
        let entries = (1_u64..).zip(minutes).map(|(at, minute)| {
            let hash = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            DrawEntry { key: CellKey { minute, kind }, hash }
        });
        let entries: Vec<DrawEntry> = entries.collect();
        let mut thresholds = Thresholds::default();
        let kept = thresholds.draw(&entries).kept;
        let kept: Vec<i32> =
            entries.iter().zip(kept).filter(|(_, kept)| *kept).map(|(entry, _)| entry.key.minute).collect();
        assert_eq!(kept.len(), EVIDENCE_LIMIT);
        let inside = kept.iter().filter(|minute| (5_000..5_010).contains(*minute)).count();
        assert!(inside > 60, "{inside}");
        assert!(!thresholds.is_by_minute());
    }
}
