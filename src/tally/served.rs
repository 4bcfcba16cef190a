//! Counts by provider: who ran the other side comes in, what befell the mail of each goes out.

use crate::event::Outcome;
use crate::provider::Provider;

/// How often each outcome befell one name.
pub type Outcomes = [u64; 10];

/// What befell the mail of each provider. Adding up is in any order.
#[derive(Default)]
pub struct Served {
    /// By the provider's row in the book; 0 is nobody that the book has.
    pub counts: Vec<Outcomes>,
}

impl Served {
    pub fn count(&mut self, provider: Option<Provider>, outcome: Outcome) {
        let at = provider.map_or(0, |provider| provider.index() + 1);
        if self.counts.len() <= at {
            self.counts.resize(at + 1, Outcomes::default());
        }
        if let Some(count) = self.counts.get_mut(at).and_then(|counts| counts.get_mut(outcome as usize)) {
            *count += 1;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), Outcomes::default());
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            mine.iter_mut().zip(theirs).for_each(|(sum, count)| *sum += count);
        }
    }
}
