//! Defines data structures that know nothing about mail: an interner, counters, a distinct counter, a direct-mapped cache
//! and union-find. The folder imports only from `simd`.

pub(crate) mod counter;
pub(crate) mod direct_mapped;
pub(crate) mod distinct;
pub(crate) mod interner;
pub(crate) mod union_find;
