//! Suggests the entries nearest to a word that the tables do not have.

use clap::ValueEnum;

use super::phrases::named;
use crate::catalog::classify::Reason;
use crate::catalog::{CodeRow, EnhancedRow, codes, enhanced_codes, reason_row, value_name};
use crate::report::explain::NamedCode;

const SHOWN: usize = 3;

/// Numbers by their value, enhanced codes by their subject, words by how many letters differ.
pub(crate) fn nearest(text: &str) -> Vec<NamedCode> {
    if let Ok(number) = text.parse::<u16>() {
        return near_number(number);
    }
    let mut parts = text.split('.');
    let digits = |part: Option<&str>| part.and_then(|part| part.parse::<u16>().ok());
    if let (Some(class), Some(subject), detail) = (parts.next(), digits(parts.next()), digits(parts.next())) {
        return near_enhanced(class, subject, detail.unwrap_or(0));
    }
    near_word(&text.to_ascii_lowercase())
}

fn near_number(number: u16) -> Vec<NamedCode> {
    let mut rows: Vec<&CodeRow> = codes().iter().collect();
    // A slip changes one digit more often than it changes the value a little: 425 is nearer to 421 and 452 than to 426.
    let slips = |code: u16| {
        let (a, b) = (code.to_string(), number.to_string());
        a.chars().zip(b.chars()).filter(|(a, b)| a != b).count() + a.len().abs_diff(b.len())
    };
    rows.sort_by_key(|row| (slips(row.code.number()), row.code.number().abs_diff(number)));
    rows.truncate(SHOWN);
    rows.into_iter().map(|row| named(row.code.to_string(), row.name.as_str())).collect()
}

fn near_enhanced(class: &str, subject: u16, detail: u16) -> Vec<NamedCode> {
    let class = if matches!(class, "2" | "4" | "5") { class } else { "x" };
    let mut rows: Vec<&EnhancedRow> = enhanced_codes().iter().collect();
    rows.sort_by_key(|row| (row.code.subject.abs_diff(subject), row.code.first.abs_diff(detail)));
    rows.truncate(SHOWN);
    let label = |subject, detail| format!("{class}.{subject}.{detail}");
    rows.into_iter().map(|row| named(label(row.code.subject, row.code.first), row.name.as_str())).collect()
}

fn near_word(word: &str) -> Vec<NamedCode> {
    let mut ids: Vec<(usize, Reason)> = Reason::value_variants()
        .iter()
        .map(|&reason| (distance(word, &value_name(reason)), reason))
        .collect();
    ids.sort();
    ids.into_iter()
        .take(SHOWN)
        .map(|(_, reason)| named(value_name(reason), reason_row(reason).title.as_str()))
        .collect()
}

/// Letters to add, drop or change; a whole part of an id costs nothing beyond its neighbours.
fn distance(a: &str, b: &str) -> usize {
    let parts = b.split('-').map(|part| letters(a, part) * 2 + 1);
    parts.chain([letters(a, b) * 2]).min().unwrap_or(usize::MAX)
}

/// The number of letters to add, drop or change (Levenshtein).
fn letters(a: &str, b: &str) -> usize {
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
    fn finds_what_was_probably_meant() {
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
        assert_eq!(letters("kitten", "sitting"), 3);
        assert_eq!(letters("", "abc"), 3);
        assert_eq!(letters("abc", "abc"), 0);
    }
}
