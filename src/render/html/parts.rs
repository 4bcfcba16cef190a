//! Chooses the headline of the page and its main row, and names the CSS class of a row.

use indicatif::HumanCount;

use crate::catalog::translation::Translations;
use crate::render::words::totals::all_well;
use crate::report::{Report, Row};
use crate::smtp::event::{Direction, Outcome};
use crate::smtp::reply::Class;

/// The CSS class in `style.css`; empty without a class.
pub(crate) fn class_name(class: Option<Class>) -> &'static str {
    match class {
        Some(Class::Positive | Class::Intermediate) => "good",
        Some(Class::Transient) => "transient",
        Some(Class::Permanent) => "permanent",
        None => "",
    }
}

/// Whether the row counts mail that was not delivered or was rejected.
pub(crate) fn is_failure(row: &Row) -> bool {
    match row.outcome {
        Outcome::Deferred | Outcome::Bounced | Outcome::Expired | Outcome::Rejected => true,
        Outcome::Delivered
        | Outcome::Attempt
        | Outcome::Warned
        | Outcome::Held
        | Outcome::Discarded
        | Outcome::Probe => false,
    }
}

/// The most frequent failure of our own mail, else the most frequent rejection.
pub(crate) fn main_row(report: &Report) -> Option<&Row> {
    let mut failures = report.rows.iter().filter(|row| is_failure(row));
    let ours = failures.clone().find(|row| row.direction != Direction::Inbound);
    ours.or_else(|| failures.next())
}

/// `50 deferred, 50 bounced, 3 refused by us`, or a sentence that all is well.
pub(crate) fn headline(report: &Report, words: &Translations) -> String {
    let (out, local) = (&report.totals.outbound, &report.totals.local);
    let counts = [
        (out.deferred + local.deferred, "deferred"),
        (out.bounced + local.bounced, "bounced"),
        (out.expired + local.expired, "expired"),
        (report.totals.inbound.refused, "refused by us"),
    ];
    let some = counts.iter().filter(|(count, _)| *count > 0);
    let some: Vec<String> =
        some.map(|(count, word)| format!("{} {}", HumanCount(*count), words.translate(word))).collect();
    match all_well(report) {
        Some(english) if some.is_empty() => words.translate(english).to_owned(),
        _ if some.is_empty() => {
            format!("{} {}", HumanCount(out.delivered + local.delivered), words.translate("sent"))
        }
        _ => some.join(", "),
    }
}
