//! Counts by provider: who runs the other side is looked up once for each name, since most mail goes to few.

use crate::event::{Direction, Outcome};
use crate::names::NameId;
use crate::provider::Provider;
use crate::reason;
use crate::walk::Told;

/// How often each outcome befell one name.
pub type Outcomes = [u64; 10];

/// What is known of a name.
#[derive(Clone, Copy)]
enum Known {
    NotAsked,
    Of(Option<Provider>),
}

/// What befell the mail of each provider. Adding up is in any order.
#[derive(Default)]
pub struct Served {
    /// By the provider's row in the book; 0 is nobody that the book has.
    pub counts: Vec<Outcomes>,
    /// By the number of a relay's name; of mail that reached no named relay, of the recipient's domain.
    of_relay: Vec<Known>,
    of_domain: Vec<Known>,
}

impl Served {
    /// `relay` and `domain` are the numbers of the event's names.
    pub fn count(&mut self, told: &Told, relay: Option<NameId>, domain: Option<NameId>) {
        let provider = match (told.verdict, told.event.direction) {
            // The verdict was asked for it already.
            (Some(verdict), _) => verdict.provider,
            (None, Direction::Inbound) => reason::provider(told.event, told.book),
            (None, Direction::Local) => None,
            (None, Direction::Outbound) => self.of(told, relay, domain),
        };
        let at = provider.map_or(0, |provider| provider.index() + 1);
        self.add(at, told.event.outcome);
    }

    fn of(&mut self, told: &Told, relay: Option<NameId>, domain: Option<NameId>) -> Option<Provider> {
        let asked = || reason::provider(told.event, told.book);
        let (known, id) = match told.event.peer.host {
            Some(_) => (&mut self.of_relay, relay),
            None => (&mut self.of_domain, domain),
        };
        let Some(id) = id.filter(|id| *id != NameId::OTHERS) else { return asked() };
        if known.len() <= id.index() {
            known.resize(id.index() + 1, Known::NotAsked);
        }
        if let Some(Known::Of(provider)) = known.get(id.index()) {
            return *provider;
        }
        let provider = asked();
        if let Some(known) = known.get_mut(id.index()) {
            *known = Known::Of(provider);
        }
        provider
    }

    fn add(&mut self, at: usize, outcome: Outcome) {
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
