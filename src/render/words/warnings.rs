//! Groups the servers' own warnings for people: one entry for each known cause, and for each unknown text.

use indicatif::HumanCount;

use crate::catalog::translation::Translations;
use crate::render::text::page::word;
use crate::report::{Report, WarningRow};

/// Number of entries that are shown.
const SHOWN: usize = 3;

/// Warnings with one cause.
pub(crate) struct WarningEntry<'a> {
    /// The most frequent one.
    pub row: &'a WarningRow,
    pub lines: u64,
}

/// The entries to show, and a sentence on the rest. Empty: no warning needs attention.
pub(crate) fn entries<'a>(
    report: &'a Report,
    words: &Translations,
) -> (Vec<WarningEntry<'a>>, Option<String>) {
    let mut all: Vec<WarningEntry> = Vec::new();
    for row in &report.warnings {
        let same = |entry: &&mut WarningEntry| {
            row.id.is_some() && (&entry.row.id, entry.row.mta) == (&row.id, row.mta)
        };
        match all.iter_mut().find(same) {
            Some(entry) => entry.lines += row.lines,
            None => all.push(WarningEntry { row, lines: row.lines }),
        }
    }
    let whole: u64 = all.iter().map(|entry| entry.lines).sum();
    all.retain(|entry| entry.row.needs_attention());
    all.truncate(SHOWN);
    if all.is_empty() {
        return (all, None);
    }
    let shown: u64 = all.iter().map(|entry| entry.lines).sum();
    let rest = whole - shown;
    let rest = (rest > 0).then(|| {
        format!("{} {}", HumanCount(rest), words.translate("other server warnings; --format json lists them"))
    });
    (all, rest)
}

/// `a milter does not answer`, or the text of the warning if nothing is known about it.
pub(crate) fn title<'w>(row: &'w WarningRow, words: &'w Translations) -> &'w str {
    row.title.as_deref().map_or(row.text.as_str(), |title| words.translate(title))
}

/// `postfix warning: connect to Milter service inet:*: Connection refused`
pub(crate) fn text(row: &WarningRow) -> String {
    format!("{} {}: {}", word(&row.mta), row.severity, row.text)
}
