//! Suggests the entries that are nearest to an unknown word or number.

use clap::ValueEnum;

use super::phrases::named_code;
use crate::catalog::classify::Reason;
use crate::catalog::{CodeRow, EnhancedRow, codes, enhanced_codes, reason_row, value_name};
use crate::report::explain::NamedCode;

/// The number of suggestions.
const SHOWN: usize = 3;

/// The nearest reply codes by digits, enhanced codes by subject and detail, or reasons by Levenshtein distance.
pub(crate) fn nearest(text: &str) -> Vec<NamedCode> {
    if let Ok(number) = text.parse::<u16>() {
        return nearest_codes(number);
    }
    let mut parts = text.split('.');
    let digits = |part: Option<&str>| part.and_then(|part| part.parse::<u16>().ok());
    if let (Some(class), Some(subject), detail) = (parts.next(), digits(parts.next()), digits(parts.next())) {
        return nearest_enhanced(class, subject, detail.unwrap_or(0));
    }
    nearest_reasons(&text.to_ascii_lowercase())
}

fn nearest_codes(number: u16) -> Vec<NamedCode> {
    let mut rows: Vec<&CodeRow> = codes().iter().collect();
    // A typing error changes one digit more often than the value by a little, so the number of wrong digits counts first:
    // 525 is nearer to 555 than to 530.
    let wrong_digits = |code: u16| {
        let (a, b) = (code.to_string(), number.to_string());
        a.chars().zip(b.chars()).filter(|(a, b)| a != b).count() + a.len().abs_diff(b.len())
    };
    rows.sort_by_key(|row| (wrong_digits(row.code.number()), row.code.number().abs_diff(number)));
    rows.truncate(SHOWN);
    rows.into_iter().map(|row| named_code(row.code.to_string(), row.name.as_str())).collect()
}

fn nearest_enhanced(class: &str, subject: u16, detail: u16) -> Vec<NamedCode> {
    let class = if matches!(class, "2" | "4" | "5") { class } else { "x" };
    let mut rows: Vec<&EnhancedRow> = enhanced_codes().iter().collect();
    rows.sort_by_key(|row| (row.code.subject.abs_diff(subject), row.code.first.abs_diff(detail)));
    rows.truncate(SHOWN);
    let label = |subject, detail| format!("{class}.{subject}.{detail}");
    rows.into_iter()
        .map(|row| named_code(label(row.code.subject, row.code.first), row.name.as_str()))
        .collect()
}

fn nearest_reasons(word: &str) -> Vec<NamedCode> {
    let mut ids: Vec<(usize, Reason)> = Reason::value_variants()
        .iter()
        .map(|&reason| (distance(word, &value_name(reason)), reason))
        .collect();
    ids.sort();
    // A word of which more than half of the letters differ is no typing error.
    ids.into_iter()
        .filter(|(distance, _)| *distance <= word.chars().count())
        .take(SHOWN)
        .map(|(_, reason)| named_code(value_name(reason), reason_row(reason).title.as_str()))
        .collect()
}

/// Twice the Levenshtein distance to the whole id, or twice that to one of its parts plus 1, whichever is smaller.
fn distance(a: &str, b: &str) -> usize {
    let parts = b.split('-').map(|part| levenshtein(a, part) * 2 + 1);
    parts.chain([levenshtein(a, b) * 2]).min().unwrap_or(usize::MAX)
}

/// The Levenshtein distance: the number of letters to add, remove or change. Only the first 64 letters of `a` count.
fn levenshtein(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut before = i;
        let mut last = i + 1;
        for (at, y) in b.iter().enumerate() {
            let above = row.get(at + 1).copied().unwrap_or_default();
            let cost = (before + usize::from(x != *y)).min(above + 1).min(last + 1);
            before = above;
            if let Some(cell) = row.get_mut(at) {
                *cell = last;
            }
            last = cost;
        }
        if let Some(cell) = row.last_mut() {
            *cell = last;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn first(text: &str, wanted: &str) {
        let found = nearest(text);
        assert!(found.iter().any(|named| named.label == wanted), "{text}: {found:?}");
    }

    #[test]
    fn finds_the_entry_that_was_probably_meant() {
        first("425", "421");
        first("5500", "550");
        first("999", "591");
        first("5.7.99", "5.7.30");
        first("5.1", "5.1.0");
        first("mailbox-ful", "mailbox-full");
        first("spam", "spam-content");
        first("greylist", "greylisted");
    }

    #[test]
    fn counts_letters() {
        assert_eq!(levenshtein("kitten", "sitting"), 3);
        assert_eq!(levenshtein("", "abc"), 3);
        assert_eq!(levenshtein("abc", "abc"), 0);
    }
}
