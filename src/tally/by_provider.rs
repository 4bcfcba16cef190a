//! Counts events by the provider of the other side and by outcome.

use crate::catalog::provider::Provider;
use crate::smtp::event::{ByOutcome, Outcome};

/// The counts of each provider, by outcome. They can be merged in any order.
#[derive(Default)]
pub struct ProviderCounts {
    /// By the provider's row in the catalogue plus 1. Index 0 counts hosts of unknown providers.
    pub counts: Vec<ByOutcome<u64>>,
}

impl ProviderCounts {
    pub fn count(&mut self, provider: Option<Provider>, outcome: Outcome) {
        let at = provider.map_or(0, |provider| provider.index() + 1);
        if self.counts.len() <= at {
            self.counts.resize(at + 1, ByOutcome::default());
        }
        if let Some(counts) = self.counts.get_mut(at) {
            counts[outcome] += 1;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), ByOutcome::default());
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }
}
