//! States of the world that change what becomes of mail, for a while.

use super::place::Destination;
use super::plan::Style;
use super::reply::DeliveryFailure;
use super::text_kind::TextKind;
use super::texts::texts;
use crate::log::rng::mix;

/// Whose mail it is that fails.
#[derive(Clone, Debug)]
pub enum FailureScope {
    Provider(&'static str),
    Place(usize),
    /// All that leaves this machine.
    Remote,
    /// So many places in a thousand, the same ones all the time.
    Some(u64),
    Recipient(String),
    /// All mailboxes here.
    Local,
}

#[derive(Clone, Debug)]
pub enum FailureTexts {
    /// One of these, in the first of which most believe.
    These(Vec<DeliveryFailure>),
    /// What a server of each kind says.
    Kind(TextKind),
}

#[derive(Clone, Debug)]
pub struct FailureCondition {
    pub storm: usize,
    pub from: u64,
    pub until: u64,
    /// From no mail to `share` of the mail in this time.
    pub rise: u64,
    /// In a thousand.
    pub share: u64,
    pub scope: FailureScope,
    pub what: FailureTexts,
    /// Only on this host; None: on all.
    pub host: Option<usize>,
}

/// Why clients are turned away at our own door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    Disk,
    Policy,
    Lookup,
    Milter,
    Certificate,
}

#[derive(Clone, Copy, Debug)]
pub struct InboundTrouble {
    pub storm: usize,
    pub from: u64,
    pub until: u64,
    pub share: u64,
    pub trouble: Trouble,
    /// Only on this host; None: on all.
    pub host: Option<usize>,
}

impl FailureCondition {
    /// What is said to this mail now; `dice` are drawn for this attempt.
    pub fn failure_for(
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

/// Domains at one provider share its lists.
const fn list_key(number: usize, place: &Destination) -> u64 {
    if place.provider.is_empty() { number as u64 + 1000 } else { place.flavor as u64 }
}
