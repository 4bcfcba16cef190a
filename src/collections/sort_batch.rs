//! Decides when unsorted items are worth sorting into a sorted list.

/// Smallest batch that is worth sorting.
const SMALLEST: usize = 64;

/// Largest batch: a larger one would cost more memory than it saves time.
const LARGEST: usize = 1 << 14;

/// A batch is due when it is as long as the sorted list, within limits. To sort batches into a list takes less time than
/// to look up each item in a hash table, which misses the cache.
#[inline]
pub(super) fn is_due(batch: usize, sorted: usize) -> bool {
    batch >= sorted.clamp(SMALLEST, LARGEST)
}
