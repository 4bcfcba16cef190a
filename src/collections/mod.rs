//! Data structures without knowledge of mail: interning, distinct counting, counting by name.

pub(crate) mod counter;
pub(crate) mod direct_mapped;
pub(crate) mod distinct;
pub(crate) mod interner;
pub(crate) mod seed;
pub(crate) mod union_find;
