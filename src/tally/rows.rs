//! Finds the row of each event's key.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::event_kind::EventKind;
use super::row::{TallyCount, TallyKey};
use crate::catalog;
use crate::catalog::tables::find_enhanced;

/// The number of rows that keep all fields of their key. Real logs have a few hundred; a client or a server that invents codes
/// could make millions, of 3 kB each.
const LIMIT: usize = 1 << 12;

/// One row for each key. Rows can be merged in any order.
///
/// Beyond a limit, events are counted in coarse rows, without their enhanced code, command, provider, remedy and cause. Which
/// rows stay is a property of all keys: those with known codes first, then by a hash of the key (bottom-k sampling).
pub struct TallyRows {
    /// The index of a row in `counts`, by its packed key.
    places: HashMap<u128, u32, RandomState>,
    counts: Vec<(TallyKey, TallyCount)>,
    /// The number of rows that are not coarse.
    fine: usize,
    /// New rows from this rank on are counted in coarse rows. None: there was no need yet.
    pub(super) first_folded: Option<Rank>,
    /// Number of example lines of each row.
    examples: usize,
}

/// The order in which rows are kept: rows with known codes first.
pub(super) type Rank = (bool, u64);

impl TallyRows {
    pub fn new(hasher: RandomState, examples: usize) -> Self {
        Self {
            places: HashMap::with_hasher(hasher),
            counts: Vec::new(),
            fine: 0,
            first_folded: None,
            examples,
        }
    }

    /// Finds the row, or adds it.
    pub fn row(&mut self, key: &TallyKey) -> &mut TallyCount {
        let place = match self.places.get(&key.packed()) {
            Some(place) => *place,
            None => self.add(key),
        };
        let row = self.counts.get_mut(place as usize);
        row.map(|(_, count)| count).expect("the place of a row is kept with the row")
    }

    /// Adds a row and returns its place; beyond the limit, that of the coarse row.
    #[cold]
    fn add(&mut self, key: &TallyKey) -> u32 {
        let coarse = coarse(key);
        let is_folded =
            |rows: &Self| *key != coarse && rows.first_folded.is_some_and(|first| rank(key) >= first);
        if !is_folded(self) && *key != coarse && self.fine >= 2 * LIMIT {
            self.fold();
        }
        let key = if is_folded(self) { &coarse } else { key };
        let next = self.counts.len() as u32;
        let place = *self.places.entry(key.packed()).or_insert(next);
        if place == next {
            self.counts.push((*key, TallyCount::default()));
            self.fine += usize::from(*key != coarse);
        }
        place
    }

    /// Moves the counts of all rows beyond the limit to coarse rows.
    pub(super) fn fold(&mut self) {
        if self.fine <= LIMIT {
            return;
        }
        let is_fine = |key: &TallyKey| *key != coarse(key);
        let mut ranks: Vec<Rank> =
            self.counts.iter().map(|(key, _)| key).filter(|key| is_fine(key)).map(rank).collect();
        let (_, first, _) = ranks.select_nth_unstable(LIMIT);
        let first = *first;
        self.first_folded = Some(first);
        self.places.clear();
        self.fine = 0;
        for (key, count) in std::mem::take(&mut self.counts) {
            let key = if is_fine(&key) && rank(&key) >= first { coarse(&key) } else { key };
            self.fine += usize::from(is_fine(&key));
            let next = self.counts.len() as u32;
            let place = *self.places.entry(key.packed()).or_insert(next);
            match self.counts.get_mut(place as usize) {
                Some((_, row)) => row.merge(count, self.examples, |id| id),
                None => self.counts.push((key, count)),
            }
        }
    }

    /// All rows, in arbitrary order, and whether some are coarse.
    pub fn finish(mut self) -> FinishedRows {
        self.fold();
        // The sections and the rows of a report both ask for them.
        self.counts.iter_mut().for_each(|(_, count)| count.places.sort_in());
        FinishedRows { counts: self.counts, first_folded: self.first_folded }
    }

    /// Adds the rows of another tally; `merge` adds the counts of one.
    pub fn merge(&mut self, other: Self, mut merge: impl FnMut(&mut TallyCount, TallyCount)) {
        let FinishedRows { counts, first_folded } = other.finish();
        self.first_folded = [self.first_folded, first_folded].into_iter().flatten().min();
        for (key, count) in counts {
            merge(self.row(&key), count);
        }
    }
}

/// All rows of a tally.
pub struct FinishedRows {
    /// In arbitrary order.
    pub counts: Vec<(TallyKey, TallyCount)>,
    first_folded: Option<Rank>,
}

impl FinishedRows {
    /// There were more rows than are kept.
    pub fn is_folded(&self) -> bool {
        self.first_folded.is_some()
    }
}

/// The key of the row that counts the events beyond the limit. All totals stay right.
fn coarse(key: &TallyKey) -> TallyKey {
    let kind = EventKind { enhanced: None, ..key.kind };
    TallyKey { kind, stage: None, provider: None, retry: None, cause: None, ..*key }
}

/// Where the row stands in the order in which rows are kept. The hash is fixed, so that each run keeps the same rows.
fn rank(key: &TallyKey) -> Rank {
    let EventKind { code, enhanced, .. } = key.kind;
    let is_known = code.is_none_or(|code| catalog::find_code(code).is_some())
        && enhanced.is_none_or(|enhanced| find_enhanced(enhanced).is_some());
    // The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    let mix = |mut bits: u64| {
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    };
    let packed = key.packed();
    let (high, low) = ((packed >> 64) as u64, packed as u64);
    (!is_known, mix(mix(high).wrapping_add(low)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::classify::Reason;
    use crate::smtp::event::{Direction, Mta, Outcome};
    use crate::smtp::reply::{Class, Code, EnhancedCode};
    use crate::smtp::side::Side;

    fn key(subject: u16, detail: u16) -> TallyKey {
        let kind = EventKind {
            direction: Direction::Outbound,
            outcome: Outcome::Bounced,
            class: Some(Class::Permanent),
            code: Code::new(550),
            enhanced: EnhancedCode::new(5, subject, detail),
            reason: Some(Reason::Unknown),
        };
        TallyKey {
            kind,
            stage: None,
            provider: None,
            retry: None,
            cause: None,
            side: Side::Internet,
            mta: Mta::Postfix,
            suspended: false,
        }
    }

    /// The rows and counts after the keys were counted in `parts`, which are merged in their order.
    fn counted(parts: &[Vec<TallyKey>]) -> (Vec<(TallyKey, u64)>, bool) {
        let mut all = TallyRows::new(RandomState::default(), 1);
        for part in parts {
            let mut rows = TallyRows::new(RandomState::default(), 1);
            for key in part {
                rows.row(key).attempts += 1;
            }
            all.merge(rows, |mine, theirs| mine.merge(theirs, 1, |id| id));
        }
        let finished = all.finish();
        let is_folded = finished.is_folded();
        let mut counts: Vec<_> =
            finished.counts.into_iter().map(|(key, count)| (key, count.attempts)).collect();
        counts.sort();
        (counts, is_folded)
    }

    #[test]
    fn folds_the_same_rows_whatever_the_order() {
        let mut keys: Vec<TallyKey> =
            (0..20_000_u16).map(|number| key(number / 1000 + 100, number % 1000)).collect();
        keys.extend((0..50).map(|_| key(1, 1)));
        let (whole, is_folded) = counted(std::slice::from_ref(&keys));
        assert!(is_folded);
        assert_eq!(whole.len(), LIMIT + 1);
        assert_eq!(whole.iter().map(|(_, count)| count).sum::<u64>(), 20_050);
        assert!(whole.contains(&(key(1, 1), 50)), "a known code stays");
        for size in [1_000, 3_333, 9_000] {
            let mut parts: Vec<Vec<TallyKey>> = keys.chunks(size).map(<[_]>::to_vec).collect();
            assert_eq!(counted(&parts).0, whole, "{size}");
            parts.reverse();
            assert_eq!(counted(&parts).0, whole, "{size}, reversed");
        }
    }

    #[test]
    fn folds_nothing_within_the_limit() {
        let keys: Vec<TallyKey> =
            (0..LIMIT as u16).map(|number| key(number / 1000 + 100, number % 1000)).collect();
        let (counts, is_folded) = counted(&[keys.clone(), keys]);
        assert_eq!((counts.len(), is_folded), (LIMIT, false));
        assert!(counts.iter().all(|(_, count)| *count == 2));
    }
}
