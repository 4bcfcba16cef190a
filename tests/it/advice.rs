//! Checks the advice: that there is some for every situation, that it fits what became of the message, and that every
//! command gives the same.

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum;
use smtplog::internals::catalog::classify::{Reason, Retry};
use smtplog::internals::catalog::{self, Advice, Catalog, Fate, Situation, advise};
use smtplog::{Cause, Class, Direction, Mta, Outcome, Side, cause_row, reason_row};

/// The longest line of advice, in characters.
const LONGEST: usize = 105;

/// The fates of every class and outcome, each once.
fn fates(direction: Direction) -> BTreeSet<Fate> {
    let classes = Class::value_variants().iter().copied().map(Some).chain([None]);
    let outcomes = || Outcome::value_variants().iter().copied().map(Some).chain([None]);
    classes
        .flat_map(|class| outcomes().map(move |outcome| Fate::of(direction, class, outcome, None)))
        .chain([Fate::Doubtful])
        .collect()
}

/// Calls `visit` with every situation that can occur, without a provider and with each that the table names.
fn each_situation(mut visit: impl FnMut(&Situation)) {
    let named: BTreeSet<&str> =
        catalog::advice().iter().flat_map(|row| &row.provider).map(String::as_str).collect();
    let causes = || Cause::value_variants().iter().copied().map(Some).chain([None]);
    for &reason in Reason::value_variants() {
        let own = |cause: &Option<Cause>| cause.is_none_or(|cause| cause_row(cause).reason.contains(&reason));
        for cause in causes().filter(own) {
            for &direction in Direction::value_variants() {
                for &side in Side::value_variants() {
                    for provider in named.iter().copied().map(Some).chain([None]) {
                        for fate in fates(direction) {
                            visit(&Situation { reason, cause, direction, side, fate, provider });
                        }
                    }
                }
            }
        }
    }
}

fn all_text(advice: &Advice) -> String {
    let Advice { line, check, act, stop, sources: _ } = advice;
    [vec![line.clone(), stop.clone()], check.clone(), act.clone()].concat().join("\n").to_lowercase()
}

/// Every text of the advice for a fate, each once, with a situation that has it.
fn each_text(wanted: &[Fate]) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    each_situation(|situation| {
        for &mta in Mta::value_variants() {
            if wanted.contains(&situation.fate)
                && let Some(advice) = advise(situation, Some(mta))
            {
                seen.entry(all_text(&advice)).or_insert_with(|| format!("{situation:?}, {mta:?}"));
            }
        }
    });
    seen
}

#[test]
fn the_outcome_decides_before_the_class() {
    let of = |class, outcome| Fate::of(Direction::Outbound, class, outcome, None);
    assert_eq!(of(Some(Class::Permanent), Some(Outcome::Deferred)), Fate::Kept);
    assert_eq!(of(Some(Class::Transient), Some(Outcome::Bounced)), Fate::Returned);
    assert_eq!(of(Some(Class::Permanent), Some(Outcome::Attempt)), Fate::Kept);
    assert_eq!(of(Some(Class::Transient), Some(Outcome::Expired)), Fate::Expired);
    assert_eq!(of(Some(Class::Transient), None), Fate::Kept);
    assert_eq!(of(Some(Class::Permanent), None), Fate::Returned);
    assert_eq!(of(None, None), Fate::Open);
    assert_eq!(
        Fate::of(Direction::Inbound, Some(Class::Permanent), Some(Outcome::Rejected), None),
        Fate::Open
    );
    let doubtful = Fate::of(Direction::Outbound, Some(Class::Permanent), None, Some(Retry::Ask));
    assert_eq!(doubtful, Fate::Doubtful);
}

#[test]
fn advises_in_every_situation() {
    each_situation(|situation| {
        for &mta in Mta::value_variants() {
            let advice = advise(situation, Some(mta));
            let advice = advice.unwrap_or_else(|| panic!("no advice: {situation:?}, {mta:?}"));
            let length = advice.line.chars().count();
            assert!((1..=LONGEST).contains(&length), "{length} characters: {}", advice.line);
        }
        assert!(advise(situation, None).is_some(), "{situation:?}");
    });
}

/// A message that is still in the queue never removes an address, and neither does a reply that leaves doubts.
#[test]
fn a_deferral_never_takes_an_address_off_a_list() {
    for (text, situation) in each_text(&[Fate::Kept, Fate::Doubtful]) {
        let what = format!("{situation}: {text}");
        for words in ["off your lists", "drop the address", "send no more"] {
            assert!(!text.contains(words), "{what}");
        }
        let removes = text.contains("remove the address") || text.contains("remove it if the recipient");
        let hedged =
            ["only if it ends in a 5xx", "before you remove"].iter().any(|words| text.contains(words));
        assert!(!removes || hedged, "{what}");
    }
}

/// A message that went back to its sender has left the queue.
#[test]
fn a_bounce_never_says_let_it_retry() {
    for (text, situation) in each_text(&[Fate::Returned, Fate::Doubtful, Fate::Expired]) {
        for words in ["let it retry", "next try of the queue", "the queue retries"] {
            assert!(!text.contains(words), "{words}: {situation}: {text}");
        }
    }
}

#[test]
fn an_expiry_points_to_the_last_error() {
    for direction in [Direction::Outbound, Direction::Local] {
        let fate = Fate::of(direction, Some(Class::Permanent), Some(Outcome::Expired), None);
        assert_eq!(fate, Fate::Expired);
        for &side in Side::value_variants() {
            let expired = Situation {
                reason: Reason::QueueExpired,
                cause: None,
                direction,
                side,
                fate,
                provider: None,
            };
            for &mta in Mta::value_variants() {
                let line = advise(&expired, Some(mta)).expect("advice").line;
                assert!(line.contains("smtplog trace ADDRESS"), "{line}");
            }
        }
    }
}

/// Only what is gone for good comes off a list, and only after a 5xx.
#[test]
fn the_line_and_retryable_agree() {
    for &reason in Reason::value_variants() {
        for &class in &[Class::Transient, Class::Permanent] {
            let retry = reason_row(reason).retry(Some(class));
            for cause in Cause::value_variants().iter().copied().map(Some).chain([None]) {
                let direction = Direction::Outbound;
                let fate = Fate::of(direction, Some(class), None, None);
                let situation =
                    Situation { reason, cause, direction, side: Side::Internet, fate, provider: None };
                let line = advise(&situation, Some(Mta::Postfix)).expect("advice").line;
                assert!(
                    !line.contains("off your lists") || retry == Retry::Suppress,
                    "{situation:?}: {line}"
                );
            }
            assert!(class != Class::Transient || retry != Retry::Suppress, "{reason:?}");
        }
    }
}

#[test]
fn every_row_is_used_and_says_what_to_do() {
    for row in catalog::advice() {
        let what =
            format!("{:?} {:?} {:?} {:?} {:?}", row.reason, row.cause, row.direction, row.side, row.provider);
        let fits = row
            .cause
            .iter()
            .all(|&cause| row.reason.iter().any(|reason| cause_row(cause).reason.contains(reason)));
        assert!(fits, "a cause of another reason: {what}");
        let book = Catalog::built_in();
        let known = |id: &String| book.providers.all().any(|(_, provider)| provider.id == *id);
        assert!(row.provider.iter().all(known), "an unknown provider: {what}");
        let names_page = !row.provider.is_empty();
        let dated = row.looked_up.len() == "2026-11".len() && !row.all.sources.is_empty();
        assert!(!names_page || dated, "a provider's form without a date or a source: {what}");
        for mta in [Mta::Postfix, Mta::Exim] {
            let advice = row.for_mta(mta, Fate::Open);
            assert!(!advice.line.is_empty(), "no line: {what}");
            assert!(!(advice.check.is_empty() && advice.act.is_empty()), "nothing to do: {what}");
            let text = all_text(&advice);
            for words in ["contact your administrator", " he ", " his ", "mend"] {
                assert!(!text.contains(words), "'{words}': {what}: {text}");
            }
            for entry in &advice.act {
                let undone = ["undo", "if ", "relayhost"].iter().any(|words| entry.contains(words));
                assert!(!entry.starts_with("postconf -e") || undone, "no undo: {entry}");
            }
        }
    }
}
