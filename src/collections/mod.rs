//! Provides data structures that know nothing about mail: interning, distinct counting, counting by name, caches.
//!
//! Promises: bounded memory where names come from a log; what is approximate says how far it may be off.
//! May use: simd.

pub(crate) mod counter;
pub(crate) mod direct_mapped;
pub(crate) mod distinct;
pub(crate) mod hash_secret;
pub(crate) mod interner;
pub(crate) mod seed;
mod sort_batch;
pub(crate) mod stable_hash;
pub(crate) mod text_hash;
pub(crate) mod texts;
pub(crate) mod union_find;
pub(crate) mod wire;
