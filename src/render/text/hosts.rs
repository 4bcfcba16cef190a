//! Lays out the table of hosts for every format, and renders it as text.

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::HumanCount;
use unicode_width::UnicodeWidthStr;

use super::page::{TextPage, TextStyle, fit};
use super::rows::{align_numbers, show_table};
use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::report::{HostRow, Report};

/// The titles of the columns behind the name; in English.
pub(crate) const COLUMNS: [&str; 6] = ["messages", "failed", "share", "refused", "first", "last"];

/// The rows that are shown, and the number of the others. Hosts that differ come first.
pub(crate) fn shown(report: &Report, most: usize) -> (&[HostRow], usize) {
    let rows = &report.by_host;
    let count = if most == 0 { rows.len() } else { rows.len().min(most) };
    let (shown, others) = rows.split_at(count);
    (shown, others.len())
}

/// `mx3`, or what stands for lines that name no host. It is printable.
pub(crate) fn name(row: &HostRow, words: &Translations) -> String {
    let known = row.name.as_deref().map(printable);
    known.unwrap_or_else(|| words.translate("(not known)").to_owned())
}

/// The cells behind the name.
pub(crate) fn cells(row: &HostRow) -> [String; 6] {
    let minute = |text: &Option<String>| {
        text.as_deref().and_then(|text| text.get(..16)).unwrap_or_default().replace('T', " ")
    };
    [
        HumanCount(row.messages).to_string(),
        HumanCount(row.failed()).to_string(),
        row.failed_percent.map(|percent| format!("{percent:.1}%")).unwrap_or_default(),
        HumanCount(row.rejected).to_string(),
        minute(&row.first),
        minute(&row.last),
    ]
}

/// The words below the rows. `None`: all are shown.
pub(crate) fn others(count: usize, words: &Translations) -> Option<String> {
    (count > 0).then(|| format!("{} ({})", words.translate("others"), HumanCount(count as u64)))
}

/// The table with at most `most` rows; 0: all. Empty: there is only one host.
pub(crate) fn section(report: &Report, style: &TextStyle, most: usize) -> String {
    let mut page = TextPage { text: String::new(), style };
    show(&mut page, report, most);
    page.text
}

pub(crate) fn show(page: &mut TextPage, report: &Report, most: usize) {
    if report.by_host.is_empty() {
        return;
    }
    let words = &page.style.words;
    let (rows, hidden) = shown(report, most);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let titles = COLUMNS.map(|title| page.say(title).to_owned());
    let counted: usize = titles.iter().map(|title| title.width().max(8) + 2).sum();
    // The two times are longer than their titles.
    let room = page.style.width.saturating_sub(counted + 19).max(12);
    table.add_row(std::iter::once(page.say("HOSTS").to_owned()).chain(titles));
    for row in rows {
        let name = format!("  {}", fit(&name(row, words), room, page.style.unicode));
        table.add_row(std::iter::once(name).chain(cells(row)));
    }
    if let Some(others) = others(hidden, words) {
        table.add_row([format!("  {others}")]);
    }
    align_numbers(&mut table);
    show_table(page, &table);
}
