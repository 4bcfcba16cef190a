//! Collects the full advice for the reasons in a report (`--advice full`).

use std::collections::BTreeMap;

use crate::catalog;
use crate::catalog::classify::Reason;
use crate::report::Full;
use crate::smtp::event::{Direction, Mta, Outcome};
use crate::smtp::reply::Class;
use crate::tally::FinishedTally;

/// The full advice for each reason and direction in the rows, the most frequent first. A reason whose 4xx and 5xx need
/// different advice occurs twice.
pub(crate) fn full_advice(tally: &FinishedTally) -> Vec<Full> {
    let mut counts: BTreeMap<(Reason, Direction, Mta, Option<Class>), u64> = BTreeMap::new();
    for (key, count) in &tally.rows {
        if let (Some(reason), true) = (key.kind.reason, is_shown(key.kind.outcome)) {
            let kind = key.kind;
            let class = kind.class.filter(|_| catalog::is_softened(reason, kind.direction, kind.class));
            *counts.entry((reason, kind.direction, key.mta, class)).or_default() += count.attempts;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let entry = |((reason, direction, mta, class), _)| {
        let advice = catalog::advice_for(reason, direction, class)?.for_mta(mta);
        let row = catalog::reason_row(reason);
        Some(Full {
            reason,
            title: row.title.clone(),
            side: match direction {
                Direction::Outbound => "they said it to us",
                Direction::Inbound => "we said it to a client",
                Direction::Local => "local",
            },
            meaning: row.meaning.clone(),
            line: advice.line,
            check: advice.check,
            act: advice.act,
            stop: advice.stop,
            sources: advice.sources,
        })
    };
    counts.into_iter().filter_map(entry).collect()
}

/// The text report has a row for the outcome.
fn is_shown(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Delivered | Outcome::Attempt | Outcome::Probe)
}
