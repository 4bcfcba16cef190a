//! Defines the key of a tally row, and its counts.

use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::event_kind::EventKind;
use super::group_by::Examples;
use crate::catalog::Cause;
use crate::catalog::classify::Retry;
use crate::catalog::provider::Provider;
use crate::collections::counter::SymbolCounts;
use crate::collections::distinct::DistinctCounter;
use crate::collections::interner::Symbol;
use crate::parse::timestamp::LogTime;
use crate::pipeline::sink::LoggedEvent;
use crate::smtp::event::{Mta, Stage};
use crate::smtp::reply::EnhancedCode;
use crate::smtp::side::Side;

/// Events with the same key are counted in the same row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct TallyKey {
    pub kind: EventKind,
    /// None: the line does not state the SMTP command.
    pub stage: Option<Stage>,
    pub provider: Option<Provider>,
    /// The remedy, where the text of the reply is more specific than the reason. None: the reason decides.
    pub retry: Option<Retry>,
    pub cause: Option<Cause>,
    /// Where the other side is; of an event that is no failure, always the internet.
    pub side: Side,
    pub mta: Mta,
    pub suspended: bool,
}

impl TallyKey {
    pub fn of(logged: &LoggedEvent) -> Self {
        let (event, verdict) = (logged.event, logged.verdict);
        Self {
            kind: EventKind::of(logged),
            stage: event.stage,
            provider: verdict.and_then(|verdict| verdict.provider),
            retry: verdict.and_then(|verdict| verdict.retry),
            cause: verdict.and_then(|verdict| verdict.cause),
            side: verdict.map_or(Side::Internet, |_| Side::of(event)),
            mta: event.mta,
            suspended: event.suspended,
        }
    }

    /// The key as one number. Different keys have different numbers.
    pub fn packed(&self) -> u128 {
        // A provider has 16 bits.
        let provider = self.provider.map_or(0, |provider| provider.index() as u64 + 1);
        let EventKind { direction, outcome, class, code, enhanced, reason } = self.kind;
        let code = code.map_or(0, |code| u64::from(code.number()));
        let enhanced = enhanced.map_or(0, EnhancedCode::packed);
        let reason = reason.map_or(0, |reason| reason as u64 + 1);
        let stage = self.stage.map_or(0, |stage| stage as u64 + 1);
        let class = class.map_or(0, |class| class as u64 + 1);
        let retry = self.retry.map_or(0, |retry| retry as u64 + 1);
        let line = (outcome as u64) << 6 | (direction as u64) << 4 | self.mta as u64;
        let reply = code << 40 | reason << 32 | stage << 24 | class << 16 | retry << 12;
        let cause = self.cause.map_or(0, |cause| cause as u64 + 1);
        let high = enhanced << 32 | cause << 20 | (self.side as u64) << 18 | provider;
        let low = reply | line << 1 | u64::from(self.suspended);
        1 << 127 | u128::from(high) << 64 | u128::from(low)
    }
}

/// [`TallyKey::packed`] has four bits for the server.
const _: () = assert!(Mta::COUNT <= 16, "a server does not fit into the bits of TallyKey::packed");
/// It has 12 bits for the cause.
const _: () = assert!(Cause::COUNT < 1 << 12, "a cause does not fit into the bits of TallyKey::packed");

impl Hash for TallyKey {
    /// Hashes the packed key: to hash ten fields one by one cost as much as reading the line.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.packed());
    }
}

/// The counts of one row.
#[derive(Clone, Default, Debug)]
pub struct TallyCount {
    /// Number of lines.
    pub attempts: u64,
    /// Distinct pairs of queue id and recipient, so that a retry is not another recipient. Empty for delivered
    /// mail.
    pub recipients: DistinctCounter,
    pub first: Option<LogTime>,
    pub last: Option<LogTime>,
    /// The latest lines of the row.
    pub examples: Examples,
    /// Recipient domains of outgoing mail, client addresses of incoming mail. Empty for delivered mail.
    pub places: SymbolCounts,
}

impl TallyCount {
    pub fn extend_period(&mut self, moment: Option<LogTime>) {
        if let Some(moment) = moment {
            self.first = Some(self.first.map_or(moment, |first| first.min(moment)));
            self.last = Some(self.last.map_or(moment, |last| last.max(moment)));
        }
    }

    /// Adds counts of another tally; `renamed` maps its names to ours. `examples` is the number of example lines.
    pub fn merge(&mut self, other: Self, examples: usize, renamed: impl Fn(Symbol) -> Symbol) {
        self.attempts += other.attempts;
        self.recipients.merge(other.recipients);
        self.extend_period(other.first);
        self.extend_period(other.last);
        self.examples.merge(other.examples, examples);
        self.places.merge(other.places, renamed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use clap::ValueEnum;

    use super::*;
    use crate::smtp::event::{Direction, Outcome};
    use crate::smtp::reply::Code;

    fn and_none<T: ValueEnum + Copy + 'static>() -> impl Iterator<Item = Option<T>> + Clone {
        T::value_variants().iter().copied().map(Some).chain([None])
    }

    #[test]
    fn different_keys_are_packed_into_different_numbers() {
        let kind = EventKind {
            direction: Direction::Outbound,
            outcome: Outcome::Delivered,
            class: None,
            code: None,
            enhanced: None,
            reason: None,
        };
        let bare = TallyKey {
            kind,
            stage: None,
            provider: None,
            retry: None,
            cause: None,
            side: Side::Internet,
            mta: Mta::Postfix,
            suspended: false,
        };
        let codes = (200..600).map(Code::new).chain([None]);
        let enhanced = [(2, 0, 0), (4, 0, 999), (5, 999, 0), (5, 999, 999)];
        let enhanced = enhanced.map(|(class, subject, detail)| EnhancedCode::new(class, subject, detail));
        let replies: Vec<TallyKey> = codes
            .flat_map(|code| enhanced.into_iter().chain([None]).map(move |enhanced| (code, enhanced)))
            .flat_map(|(code, enhanced)| {
                and_none()
                    .map(move |class| TallyKey { kind: EventKind { class, code, enhanced, ..kind }, ..bare })
            })
            .collect();
        let lines: Vec<TallyKey> = (Direction::value_variants().iter())
            .flat_map(|&direction| Outcome::value_variants().iter().map(move |&outcome| (direction, outcome)))
            .flat_map(|(direction, outcome)| {
                Mta::value_variants().iter().map(move |&mta| (direction, outcome, mta))
            })
            .flat_map(|line| [false, true].map(|suspended| (line, suspended)))
            .flat_map(|((direction, outcome, mta), suspended)| {
                let kind = EventKind { direction, outcome, ..kind };
                and_none().map(move |retry| TallyKey { kind, retry, mta, suspended, ..bare })
            })
            .collect();
        let causes: Vec<TallyKey> = and_none()
            .flat_map(|reason| {
                let kind = EventKind { reason, ..kind };
                and_none().map(move |stage| TallyKey { kind, stage, ..bare })
            })
            .collect();
        let sides = Side::value_variants().iter().copied();
        let own: Vec<TallyKey> =
            sides.flat_map(|side| and_none().map(move |cause| TallyKey { cause, side, ..bare })).collect();
        let all: HashSet<TallyKey> = [replies, lines, causes, own].concat().into_iter().collect();
        let packed: HashSet<u128> = all.iter().map(TallyKey::packed).collect();
        assert!(all.len() > 10_000);
        assert_eq!(packed.len(), all.len());
        assert!(!packed.contains(&0));
    }
}
