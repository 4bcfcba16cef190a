//! Describes conditions that make deliveries or inbound sessions fail for some time.

use super::place::Destination;
use super::plan::Style;
use super::reply::DeliveryFailure;
use super::text_kind::TextKind;
use super::texts::texts;
use crate::log::rng::mix;

/// The recipients whose mail fails.
#[derive(Clone, Debug)]
pub(crate) enum FailureScope {
    Provider(&'static str),
    Place(usize),
    /// Every remote recipient.
    Remote,
    /// This share of the destinations (per thousand), chosen by a hash.
    Some(u64),
    Recipient(String),
    /// Every local mailbox.
    Local,
}

#[derive(Clone, Debug)]
pub(crate) enum FailureTexts {
    /// One of these; the first is drawn in most cases.
    These(Vec<DeliveryFailure>),
    /// Texts of this kind, in the words of the receiving server.
    Kind(TextKind),
}

#[derive(Clone, Debug)]
pub(crate) struct FailureCondition {
    pub storm: usize,
    pub from: u64,
    pub until: u64,
    /// Milliseconds in which the share rises linearly from 0 to `share`.
    pub rise: u64,
    /// Share of attempts that fail, per thousand.
    pub share: u64,
    pub scope: FailureScope,
    pub what: FailureTexts,
    /// Index of the affected host; `None` affects all.
    pub host: Option<usize>,
}

/// The fault of this server that makes it reject clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    Disk,
    Policy,
    Lookup,
    Milter,
    Certificate,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct InboundTrouble {
    pub storm: usize,
    pub from: u64,
    pub until: u64,
    pub share: u64,
    pub trouble: Trouble,
    /// Index of the affected host; `None` affects all.
    pub host: Option<usize>,
}

impl FailureCondition {
    /// The failure of this attempt, or `None` if the condition does not apply; `dice` is a random number.
    pub(crate) fn failure_for(
        &self,
        at: u64,
        place: Option<(usize, &Destination)>,
        recipient: &str,
        dice: u64,
        style: Style,
    ) -> Option<DeliveryFailure> {
        if !(self.from..self.until).contains(&at) {
            return None;
        }
        let holds = match (&self.scope, place) {
            (FailureScope::Provider(provider), Some((_, place))) => place.provider == *provider,
            (FailureScope::Place(wanted), Some((number, _))) => *wanted == number,
            (FailureScope::Remote, Some(_)) | (FailureScope::Local, None) => true,
            (FailureScope::Some(share), Some((number, place))) => {
                mix(list_key(number, place)) % 1000 < *share
            }
            (FailureScope::Recipient(wanted), _) => wanted == recipient,
            (
                FailureScope::Provider(_)
                | FailureScope::Place(_)
                | FailureScope::Remote
                | FailureScope::Some(_),
                None,
            )
            | (FailureScope::Local, Some(_)) => false,
        };
        let passed = at - self.from;
        let share = if passed >= self.rise { self.share } else { self.share * passed / self.rise };
        if !holds || dice % 1000 >= share {
            return None;
        }
        let fails: &[DeliveryFailure] = match (&self.what, place) {
            (FailureTexts::These(fails), _) => fails,
            (FailureTexts::Kind(kind), Some((_, place))) => texts(style, *kind, place.flavor),
            (FailureTexts::Kind(_), None) => return None,
        };
        let which = if dice / 1000 % 10 < 8 { 0 } else { dice / 10_000 % fails.len() as u64 };
        fails.get(which as usize).copied()
    }
}

/// Destinations of one provider fail together, because they share its block lists.
const fn list_key(number: usize, place: &Destination) -> u64 {
    if place.provider.is_empty() { number as u64 + 1000 } else { place.flavor as u64 }
}
