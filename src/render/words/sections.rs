//! Sorts the rows of a report into sections, by direction, outcome and class.

use crate::report::Row;
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::Class;

/// Rows under one heading.
pub(crate) struct Section<'a> {
    pub title: &'static str,
    pub meaning: &'static str,
    pub inbound: bool,
    pub rows: Vec<&'a Row>,
    /// The rows that are not shown. `None`: all are shown.
    pub others: Option<OtherRows>,
}

/// The sum of the rows that are not shown.
pub(crate) struct OtherRows {
    pub kinds: usize,
    pub attempts: u64,
    pub recipients: u64,
}

/// Titles and meanings in the order of the report. A section without rows is left out; delivered mail has none.
const KINDS: [(&str, &str); 12] = [
    ("DEFERRED", "4xx: kept, will be retried"),
    ("BOUNCED", "5xx: returned to sender"),
    ("EXPIRED", "queued too long, returned"),
    ("LOCAL 4xx", "delivery here, to be retried"),
    ("LOCAL 5xx", "delivery here, returned"),
    ("REFUSED 4xx", "by us, for now"),
    ("REFUSED 5xx", "by us, for good"),
    ("REFUSED", "by us, no code in the log"),
    ("NOT REFUSED", "warned, held, discarded"),
    ("DISCARDED", "thrown away here"),
    ("SINGLE HOSTS", "before another was tried"),
    ("PROBES", "addresses verified"),
];

/// The index in `KINDS` from which rows are not in any sum.
const OUTSIDE: usize = 10;

/// The index of the section in `KINDS`. `None`: no section shows the row.
fn kind(row: &Row) -> Option<usize> {
    Some(match (row.direction, row.outcome, row.class) {
        (Direction::Outbound, Outcome::Deferred, _) => 0,
        (Direction::Outbound, Outcome::Bounced, _) => 1,
        (Direction::Outbound | Direction::Local, Outcome::Expired, _) => 2,
        (Direction::Local, Outcome::Deferred, _) => 3,
        (Direction::Local, Outcome::Bounced, _) => 4,
        (_, Outcome::Rejected, Some(Class::Transient)) => 5,
        (_, Outcome::Rejected, Some(Class::Permanent)) => 6,
        (_, Outcome::Rejected, Some(Class::Positive | Class::Intermediate) | None) => 7,
        (_, Outcome::Warned | Outcome::Held, _) | (Direction::Inbound, Outcome::Discarded, _) => 8,
        (Direction::Outbound | Direction::Local, Outcome::Discarded, _) => 9,
        (Direction::Inbound, Outcome::Deferred | Outcome::Bounced | Outcome::Expired, _)
        | (_, Outcome::Delivered, _) => return None,
        (_, Outcome::Attempt, _) => 10,
        (_, Outcome::Probe, _) => 11,
    })
}

/// The sections with at most `top` rows each (0: all). `reverse`: the rows are in reverse order, so the last ones are shown.
pub(crate) fn sections(rows: &[Row], top: usize, reverse: bool) -> Vec<Section<'_>> {
    let of_kind = |number: usize| rows.iter().filter(move |row| kind(row) == Some(number));
    let all = KINDS.iter().enumerate().map(|(number, &(title, meaning))| {
        let mut rows: Vec<&Row> = of_kind(number).collect();
        let shown = if top == 0 || rows.len() <= top { rows.len() } else { top };
        let rest = if reverse {
            let shown = rows.split_off(rows.len() - shown);
            std::mem::replace(&mut rows, shown)
        } else {
            rows.split_off(shown)
        };
        let others = (!rest.is_empty()).then(|| OtherRows {
            kinds: rest.len(),
            attempts: rest.iter().map(|row| row.attempts).sum(),
            recipients: rest.iter().map(|row| row.recipients).sum(),
        });
        Section { title, meaning, inbound: (5..=8).contains(&number), rows, others }
    });
    let mut all: Vec<(usize, Section)> =
        all.enumerate().filter(|(_, section)| !section.rows.is_empty()).collect();
    // Rows that are not in any sum are only counted in the notes, unless there are no other rows.
    if all.iter().any(|(number, _)| *number < OUTSIDE) {
        all.retain(|(number, _)| *number < OUTSIDE);
    }
    let mut all: Vec<Section> = all.into_iter().map(|(_, section)| section).collect();
    if reverse {
        all.reverse();
    }
    all
}
