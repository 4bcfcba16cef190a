//! Counts by provider: who ran the other side comes in, what befell the mail of each goes out.

use crate::event::{ByOutcome, Outcome};
use crate::provider::Provider;

/// What befell the mail of each provider. Adding up is in any order.
#[derive(Default)]
pub struct Served {
    /// By the provider's row in the book; 0 is nobody that the book has.
    pub counts: Vec<ByOutcome<u64>>,
}

impl Served {
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
