//! Remembers the deferred recipients of one message, each with its first deferral and the reason of its last one.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::failure::TimedFailure;
use super::key::PrehashedState;
use super::transition::Update;
use crate::catalog::Cause;
use crate::catalog::classify::Reason;

/// The first deferral of a recipient.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct FirstDeferral {
    /// Seconds since 1970. None: the line has no date.
    pub at: Option<i64>,
    pub reason: Option<Reason>,
    /// The last deferral. None: its line states no reason.
    pub last: Option<TimedFailure>,
    /// The filter admits the deferral.
    pub wanted: bool,
}

impl FirstDeferral {
    /// The reason of the last deferral.
    pub(crate) fn last_reason(&self) -> Option<Reason> {
        self.last.map(|last| last.kind.reason)
    }

    /// Replaces the last deferral, unless the newer one only repeats an earlier failure (Exim's `retry time not reached`).
    fn defer_again(&mut self, last: Option<TimedFailure>) {
        let repeats = last.is_none_or(|last| last.kind.cause == Some(Cause::RetryTime));
        if !repeats || self.last.is_none() {
            self.last = last;
        }
    }

    /// The reason, and the seconds from the deferral to the update. None: the filter excludes the deferral, or one
    /// of the two lines has no date.
    pub(crate) fn until(&self, update: &Update) -> Option<(Option<Reason>, i64)> {
        self.wanted.then_some((self.reason, update.at? - self.at?))
    }
}

/// Deferred recipients by their hashes. Nearly every message has at most one; a mailing list may have thousands.
#[derive(Clone, Default, Serialize, Deserialize, Debug)]
#[serde(into = "Vec<(u64, FirstDeferral)>", from = "Vec<(u64, FirstDeferral)>")]
pub(crate) enum DeferredRecipients {
    #[default]
    Empty,
    One(u64, FirstDeferral),
    Many(HashMap<u64, FirstDeferral, PrehashedState>),
}

impl From<DeferredRecipients> for Vec<(u64, FirstDeferral)> {
    fn from(deferred: DeferredRecipients) -> Self {
        let mut all: Self = match deferred {
            DeferredRecipients::Empty => Self::new(),
            DeferredRecipients::One(recipient, first) => vec![(recipient, first)],
            DeferredRecipients::Many(many) => many.into_iter().collect(),
        };
        all.sort_unstable_by_key(|(recipient, _)| *recipient);
        all
    }
}

impl From<Vec<(u64, FirstDeferral)>> for DeferredRecipients {
    fn from(all: Vec<(u64, FirstDeferral)>) -> Self {
        let mut deferred = Self::Empty;
        for (recipient, first) in all {
            deferred.add(recipient, first);
        }
        deferred
    }
}

impl DeferredRecipients {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::One(..) => 1,
            Self::Many(many) => many.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a deferral. An earlier one of the same recipient stays, with the reason of this one as its last.
    pub(crate) fn add(&mut self, recipient: u64, deferred: FirstDeferral) {
        match self {
            Self::Empty => *self = Self::One(recipient, deferred),
            Self::One(one, first) if *one != recipient => {
                let both = [(*one, *first), (recipient, deferred)];
                *self = Self::Many(both.into_iter().collect());
            }
            Self::One(_, first) => first.defer_again(deferred.last),
            Self::Many(many) => {
                many.entry(recipient)
                    .and_modify(|first| first.defer_again(deferred.last))
                    .or_insert(deferred);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &FirstDeferral> {
        let (one, many) = match self {
            Self::Empty => (None, None),
            Self::One(_, deferred) => (Some(deferred), None),
            Self::Many(many) => (None, Some(many.values())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    pub(crate) fn contains(&self, recipient: u64) -> bool {
        match self {
            Self::Empty => false,
            Self::One(one, _) => *one == recipient,
            Self::Many(many) => many.contains_key(&recipient),
        }
    }

    /// Removes all.
    pub(crate) fn take_all(&mut self) -> Vec<FirstDeferral> {
        match std::mem::take(self) {
            Self::Empty => Vec::new(),
            Self::One(_, deferred) => vec![deferred],
            Self::Many(many) => many.into_values().collect(),
        }
    }

    pub(crate) fn remove(&mut self, recipient: u64) -> Option<FirstDeferral> {
        match self {
            Self::One(one, deferred) if *one == recipient => {
                let deferred = *deferred;
                *self = Self::Empty;
                Some(deferred)
            }
            Self::Empty | Self::One(..) => None,
            Self::Many(many) => many.remove(&recipient),
        }
    }
}
