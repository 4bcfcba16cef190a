//! Collects the full advice for the rows of a report (`--advice full`).

use std::collections::BTreeMap;

use super::options::ReportOptions;
use super::rows::situation;
use crate::catalog::classify::Reason;
use crate::catalog::{self, AdviceId, Cause, Fate, find_advice};
use crate::report::Full;
use crate::smtp::event::{Direction, Mta, Outcome};
use crate::smtp::side::Side;
use crate::tally::FinishedTally;

/// Rows with the same value here have the same full advice.
type FullKey = (Reason, Option<Cause>, Direction, Side, Mta, Fate, AdviceId);

/// The full advice for each reason and cause in the rows, the most frequent first. A reason occurs several times if its
/// causes, its sides, or deferrals and bounces need different advice.
pub(crate) fn full_advice(tally: &FinishedTally, options: &ReportOptions) -> Vec<Full> {
    let mut counts: BTreeMap<FullKey, u64> = BTreeMap::new();
    for (key, count) in &tally.rows {
        let found = situation(key, options.providers).filter(|_| is_shown(key.kind.outcome));
        if let Some((found, id)) = found.and_then(|found| Some((found, find_advice(&found)?))) {
            let of_row = (found.reason, found.cause, found.direction, found.side, key.mta, found.fate, id);
            *counts.entry(of_row).or_default() += count.attempts;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    counts.into_iter().map(|(key, _)| entry(key)).filter(|entry| !entry.line.is_empty()).collect()
}

fn entry((reason, cause, direction, side, mta, fate, id): FullKey) -> Full {
    let advice = id.row().for_mta(mta, fate);
    let row = catalog::reason_row(reason);
    let cause_row = cause.map(catalog::cause_row);
    Full {
        reason,
        cause,
        title: cause_row.map_or(&row.title, |row| &row.title).clone(),
        side: match (direction, side) {
            (Direction::Outbound, Side::OurNetwork) => "a server of your network said it",
            (Direction::Outbound, Side::ThisHost | Side::Internet) => "they said it to us",
            (Direction::Inbound, Side::ThisHost) => "we said it to a program on this host",
            (Direction::Inbound, Side::OurNetwork) => "we said it to a client in your network",
            (Direction::Inbound, Side::Internet) => "we said it to a client",
            (Direction::Local, _) => "local",
        },
        meaning: cause_row.map_or(&row.meaning, |row| &row.meaning).clone(),
        line: advice.line,
        check: advice.check,
        act: advice.act,
        stop: advice.stop,
        sources: advice.sources,
    }
}

/// The text report has a row for the outcome.
fn is_shown(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Delivered | Outcome::Attempt | Outcome::Probe)
}
