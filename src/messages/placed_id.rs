//! Packs the hash of a queue id with the host and the half day of the line that named it.
//!
//! A short queue id comes again after a while, on this host or another one. A hand-off is only matched with a line of its
//! half day or a neighbouring one, so within 12 to 24 hours; clocks and time zones of two hosts differ by less.

use std::hash::BuildHasher;
use std::num::NonZeroU64;

use hashbrown::HashSet;

/// The hash of a queue id in the low 48 bits; above it 8 bits of the host, 0 for any host, and 8 bits of the half day, 0 for
/// a line without a time.
pub(crate) type IdHash = NonZeroU64;

const ID_BITS: u32 = 48;
const HOST_MASK: u64 = 0xFF << ID_BITS;
const PERIOD_SHIFT: u32 = 56;

/// In seconds.
const PERIOD: i64 = 12 * 3600;

/// The hash of a queue id with the tag of its host and its time in seconds since 1970.
pub(crate) fn placed(id: IdHash, host: u8, at: Option<i64>) -> IdHash {
    // 255 half days are longer than any queue keeps mail.
    let period = at.map_or(0, |at| (at.div_euclid(PERIOD).rem_euclid(255) + 1).cast_unsigned());
    let id = id.get() & ((1 << ID_BITS) - 1);
    NonZeroU64::new(id | u64::from(host) << ID_BITS | period << PERIOD_SHIFT).unwrap_or(NonZeroU64::MIN)
}

/// The same id in its half day and in the neighbouring ones.
pub(crate) fn near(id: IdHash) -> impl Iterator<Item = IdHash> {
    let (rest, period) = (id.get() & ((1 << PERIOD_SHIFT) - 1), id.get() >> PERIOD_SHIFT);
    let around = [period, (period + 253) % 255 + 1, period % 255 + 1];
    let count = if period == 0 { 1 } else { 3 };
    around.into_iter().take(count).filter_map(move |period| NonZeroU64::new(rest | period << PERIOD_SHIFT))
}

/// The id on any host.
pub(crate) fn on_any_host(id: IdHash) -> IdHash {
    NonZeroU64::new(id.get() & !HOST_MASK).unwrap_or(NonZeroU64::MIN)
}

/// The bits of the host.
pub(crate) fn host_of(id: IdHash) -> u64 {
    id.get() & HOST_MASK
}

/// Whether a line near the hand-off named its id. `found` is an answer of [`SeenIds::among`](super::recent_ids::SeenIds::among).
pub(crate) fn is_among<S: BuildHasher>(copy: IdHash, found: &HashSet<IdHash, S>) -> bool {
    near(copy).any(|id| found.contains(&id))
}
