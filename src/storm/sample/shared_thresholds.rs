//! Tells the samplers of all threads which events the sample has no room for, so that they do not collect them.

use std::sync::{Arc, PoisonError, RwLock};

use super::thresholds::Thresholds;

/// The thresholds of the sample so far. They only fall, so a block that sees old ones keeps too much, which is cut later.
#[derive(Clone, Default, Debug)]
pub(crate) struct SharedThresholds(Arc<RwLock<Arc<Thresholds>>>);

impl SharedThresholds {
    /// Those of the last cut.
    pub(crate) fn get(&self) -> Arc<Thresholds> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces them after a cut, or before a log is read again.
    pub(crate) fn set(&self, thresholds: Thresholds) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(thresholds);
    }
}
