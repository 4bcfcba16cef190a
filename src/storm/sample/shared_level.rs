//! Tells the samplers of all threads what the sample has so far, so that they collect no more than it needs.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::level::SampleLevel;
use super::smallest_hashes::SmallestHashes;

/// What the sample has so far, for those who collect more of it: a block need not keep more than the whole sample does. The
/// level only rises, so a block that sees an old one keeps too much, which is cut later.
#[derive(Clone, Default, Debug)]
pub(crate) struct SharedLevel(Arc<SampleSoFar>);

#[derive(Default, Debug)]
struct SampleSoFar {
    levels: [AtomicU32; 2],
    smallest: Mutex<SmallestHashes>,
}

impl SharedLevel {
    pub(crate) fn get(&self) -> SampleLevel {
        SampleLevel::of_numbers(self.0.levels.each_ref().map(|level| level.load(Ordering::Relaxed)))
    }

    /// Begins a sample of other events.
    pub(crate) fn restart(&self) {
        self.0.levels.iter().for_each(|level| level.store(0, Ordering::Relaxed));
        *self.smallest() = SmallestHashes::default();
    }

    pub(crate) fn raise(&self, level: SampleLevel) {
        for (known, level) in self.0.levels.iter().zip(level.numbers()) {
            known.fetch_max(level, Ordering::Relaxed);
        }
    }

    /// The smallest hashes of the blocks so far.
    pub(crate) fn smallest(&self) -> MutexGuard<'_, SmallestHashes> {
        // If another thread panicked, at most its hashes are missing.
        self.0.smallest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
