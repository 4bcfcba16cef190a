//! States of the world that change what becomes of mail, for a while.

use super::place::Place;
use super::plan::Style;
use super::reply::Fail;
use super::text_kind::TextKind;
use super::texts::texts;
use crate::log::rng::mix;

/// Whose mail it is that fails.
#[derive(Clone, Debug)]
pub enum Scope {
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
pub enum What {
    /// One of these, in the first of which most believe.
    These(Vec<Fail>),
    /// What a server of each kind says.
    Kind(TextKind),
}

#[derive(Clone, Debug)]
pub struct Condition {
    pub storm: usize,
    pub from: u64,
    pub until: u64,
    /// From no mail to `share` of the mail in this time.
    pub rise: u64,
    /// In a thousand.
    pub share: u64,
    pub scope: Scope,
    pub what: What,
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
pub struct Door {
    pub storm: usize,
    pub from: u64,
    pub until: u64,
    pub share: u64,
    pub trouble: Trouble,
    /// Only on this host; None: on all.
    pub host: Option<usize>,
}

impl Condition {
    /// What is said to this mail now; `dice` are drawn for this attempt.
    pub fn says(
        &self,
        at: u64,
        place: Option<(usize, &Place)>,
        recipient: &str,
        dice: u64,
        style: Style,
    ) -> Option<Fail> {
        if !(self.from..self.until).contains(&at) {
            return None;
        }
        let holds = match (&self.scope, place) {
            (Scope::Provider(provider), Some((_, place))) => place.provider == *provider,
            (Scope::Place(wanted), Some((number, _))) => *wanted == number,
            (Scope::Remote, Some(_)) | (Scope::Local, None) => true,
            (Scope::Some(share), Some((number, place))) => mix(same(number, place)) % 1000 < *share,
            (Scope::Recipient(wanted), _) => wanted == recipient,
            (Scope::Provider(_) | Scope::Place(_) | Scope::Remote | Scope::Some(_), None)
            | (Scope::Local, Some(_)) => false,
        };
        let passed = at - self.from;
        let share = if passed >= self.rise { self.share } else { self.share * passed / self.rise };
        if !holds || dice % 1000 >= share {
            return None;
        }
        let fails: &[Fail] = match (&self.what, place) {
            (What::These(fails), _) => fails,
            (What::Kind(kind), Some((_, place))) => texts(style, *kind, place.flavor),
            (What::Kind(_), None) => return None,
        };
        let which = if dice / 1000 % 10 < 8 { 0 } else { dice / 10_000 % fails.len() as u64 };
        fails.get(which as usize).copied()
    }
}

/// Domains at one provider share its lists.
const fn same(number: usize, place: &Place) -> u64 {
    if place.provider.is_empty() { number as u64 + 1000 } else { place.flavor as u64 }
}
