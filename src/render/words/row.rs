//! Words the cells of a row for every format that people read: code, reason, change and place.

use indicatif::HumanCount;

use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::text::page::word;
use crate::report::{Change, Row};
use crate::smtp::event::{Direction, Outcome};

/// `550 5.7.1`, `--- 5.7.1`, `(no reply)`.
pub(crate) fn code(words: &Translations, row: &Row) -> String {
    match (row.code, row.enhanced) {
        (Some(code), Some(enhanced)) => format!("{code} {enhanced}"),
        (Some(code), None) => code.to_string(),
        (None, Some(enhanced)) => format!("--- {enhanced}"),
        (None, None) if row.direction == Direction::Outbound => words.translate("(no reply)").to_owned(),
        (None, None) => words.translate("(no code)").to_owned(),
    }
}

/// The reason in words, after the outcome if the mail was accepted in the end: warned, held or discarded.
pub(crate) fn title(words: &Translations, row: &Row) -> String {
    let title = words.translate(&row.title);
    match (row.direction, row.outcome) {
        (Direction::Inbound, Outcome::Warned | Outcome::Held | Outcome::Discarded) => {
            format!("{}: {title}", words.translate(&word(&row.outcome)))
        }
        (
            _,
            Outcome::Warned
            | Outcome::Held
            | Outcome::Discarded
            | Outcome::Delivered
            | Outcome::Deferred
            | Outcome::Bounced
            | Outcome::Expired
            | Outcome::Rejected
            | Outcome::Attempt
            | Outcome::Probe,
        ) => title.to_owned(),
    }
}

/// `+310%`, `-4%`, `new`; followed by `!` if it is unusual. Empty: nothing to compare with.
pub(crate) fn change(words: &Translations, change: Option<Change>) -> String {
    let Some(change) = change else { return String::new() };
    let mark = if change.unusual { " !" } else { "" };
    match change.percent {
        Some(percent) => format!("{percent:+}%{mark}"),
        None => format!("{}{mark}", words.translate("new")),
    }
}

/// The provider or name of most of its events, with its share; else the number of names. It is printable.
pub(crate) fn place(words: &Translations, row: &Row) -> String {
    let share = |count: u64| (count * 100).checked_div(row.attempts).unwrap_or(0);
    let shared = |name: &str, count: u64| format!("{} {}%", printable(name), share(count));
    if let Some(provider) = row.providers.first().filter(|provider| share(provider.attempts) >= 50) {
        return shared(&provider.name, provider.attempts);
    }
    let kind = if row.direction == Direction::Inbound { "clients" } else { "domains" };
    match row.wheres.first() {
        None => String::new(),
        Some(first) if row.where_count == 1 => printable(&first.name),
        Some(first) if share(first.attempts) >= 20 => shared(&first.name, first.attempts),
        Some(_) => format!("{} {}", HumanCount(row.where_count), words.translate(kind)),
    }
}
