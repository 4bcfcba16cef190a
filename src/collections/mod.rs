//! Data structures without knowledge of mail: interning, distinct counting, counting by name.

pub mod counter;
pub mod direct_mapped;
pub mod distinct;
pub mod interner;
pub mod union_find;
