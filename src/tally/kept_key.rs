//! The key of a row as a part keeps it: an array of its fields. With a name for each field, the keys were a third of the rows of
//! a small log.

use super::event_kind::EventKind;
use super::row::TallyKey;
use crate::catalog::Cause;
use crate::catalog::classify::{Reason, Retry};
use crate::catalog::provider::Provider;
use crate::collections::wire::MapOrArray;
use crate::smtp::event::{Direction, Mta, Outcome, Stage};
use crate::smtp::reply::{Class, Code, EnhancedCode};
use crate::smtp::side::Side;

/// The key of a row, in any version of a part: early versions wrote a map.
pub(super) type KeptKey = MapOrArray<TallyKey, KeyFields>;

/// The fields of an [`EventKind`] in their order.
pub(super) type KindFields =
    (Direction, Outcome, Option<Class>, Option<Code>, Option<EnhancedCode>, Option<Reason>);

/// The fields of a [`TallyKey`] in their order.
pub(super) type KeyFields =
    (KindFields, Option<Stage>, Option<Provider>, Option<Retry>, Option<Cause>, Side, Mta, bool);

pub(super) fn kind_fields(kind: EventKind) -> KindFields {
    let EventKind { direction, outcome, class, code, enhanced, reason } = kind;
    (direction, outcome, class, code, enhanced, reason)
}

pub(super) fn kind_of((direction, outcome, class, code, enhanced, reason): KindFields) -> EventKind {
    EventKind { direction, outcome, class, code, enhanced, reason }
}

pub(super) fn kept_key(key: TallyKey) -> KeptKey {
    let TallyKey { kind, stage, provider, retry, cause, side, mta, suspended } = key;
    KeptKey::Array((kind_fields(kind), stage, provider, retry, cause, side, mta, suspended))
}

pub(super) fn key(kept: KeptKey) -> TallyKey {
    match kept {
        MapOrArray::Map(key) => key,
        MapOrArray::Array((kind, stage, provider, retry, cause, side, mta, suspended)) => {
            let kind = kind_of(kind);
            TallyKey { kind, stage, provider, retry, cause, side, mta, suspended }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_both_versions_are_read() {
        let kind = EventKind {
            direction: Direction::Outbound,
            outcome: Outcome::Bounced,
            class: Some(Class::Permanent),
            code: Code::new(550),
            enhanced: EnhancedCode::new(5, 1, 1),
            reason: Some(Reason::UserUnknown),
        };
        let whole = TallyKey {
            kind,
            stage: Some(Stage::Rcpt),
            provider: None,
            retry: None,
            cause: None,
            side: Side::Internet,
            mta: Mta::Postfix,
            suspended: true,
        };
        let (mut bytes, mut early) = (Vec::new(), Vec::new());
        ciborium::into_writer(&kept_key(whole), &mut bytes).unwrap();
        ciborium::into_writer(&whole, &mut early).unwrap();
        assert!(bytes.len() * 2 < early.len(), "{} and {}", bytes.len(), early.len());
        for bytes in [bytes, early] {
            assert_eq!(key(ciborium::from_reader(&*bytes).unwrap()), whole);
        }
    }
}
