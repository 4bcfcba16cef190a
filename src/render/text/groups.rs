//! Renders the groups of `--by` as a table: a column for each key, then one for each outcome that occurs.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use indicatif::HumanCount;
use unicode_width::UnicodeWidthStr;

use super::page::{TextPage, TextStyle, fit, word};
use super::rows::{HEADING, examples};
use crate::render::sanitize::printable;
use crate::render::words::fault::counted;
use crate::report::{GroupKey, GroupRow, GroupTable};

/// Counts the events of a group with one outcome.
pub(crate) type CountColumn = fn(&GroupRow) -> u64;

const OUTCOMES: [(&str, CountColumn); 9] = [
    ("sent", |row| row.delivered),
    ("deferred", |row| row.deferred),
    ("bounced", |row| row.bounced),
    ("expired", |row| row.expired),
    ("refused", |row| row.rejected),
    ("warned", |row| row.warned),
    ("held", |row| row.held),
    ("discarded", |row| row.discarded),
    ("rcpts", |row| row.recipients),
];

/// The printable value of a key; `-` if the lines do not name it.
pub(crate) fn value(key: &GroupKey) -> String {
    key.value.as_deref().map_or_else(|| "-".to_owned(), printable)
}

/// The outcomes that occur in the table.
pub(crate) fn outcomes(table: &GroupTable) -> Vec<(&'static str, CountColumn)> {
    OUTCOMES.into_iter().filter(|(_, count)| table.rows.iter().any(|row| count(row) > 0)).collect()
}

/// The groups that `--top` shows; with `--reverse` these are the last ones.
pub(crate) fn shown<'t>(table: &'t GroupTable, style: &TextStyle) -> &'t [GroupRow] {
    let top = if style.top == 0 { table.rows.len() } else { style.top.min(table.rows.len()) };
    let first = if style.reverse { table.rows.len() - top } else { 0 };
    table.rows.get(first..first + top).unwrap_or_default()
}

/// The groups that `--top` does not show.
pub(crate) fn hidden<'t>(table: &'t GroupTable, style: &TextStyle) -> Vec<&'t GroupRow> {
    let shown = shown(table, style);
    let first = if style.reverse { table.rows.len() - shown.len() } else { 0 };
    let is_shown = |at: usize| (first..first + shown.len()).contains(&at);
    table.rows.iter().enumerate().filter(|(at, _)| !is_shown(*at)).map(|(_, row)| row).collect()
}

/// The number of groups that are not shown: `others (7 kinds)`. `None`: all are shown.
pub(crate) fn others(table: &GroupTable, style: &TextStyle) -> Option<String> {
    let rest = table.rows.len() - shown(table, style).len();
    let words = &style.words;
    (rest > 0).then(|| {
        format!("{} ({})", words.translate("others"), counted(rest as u64, ["kind", "kinds"], words))
    })
}

/// The width of each key's column. While the table is too wide, the widest column is narrowed, down to 8 columns.
fn widths(rows: &[GroupRow], keys: usize, room: usize) -> Vec<usize> {
    let widest =
        |at: usize| rows.iter().filter_map(|row| row.keys.get(at)).map(|key| value(key).width()).max();
    let mut widths: Vec<usize> = (0..keys).map(|at| widest(at).unwrap_or(0)).collect();
    while widths.iter().map(|width| width + 2).sum::<usize>() > room {
        let Some(most) = widths.iter_mut().max().filter(|width| **width > 8) else { break };
        *most -= 1;
    }
    widths
}

pub(crate) fn show(page: &mut TextPage, table: &GroupTable) {
    if table.rows.is_empty() {
        return;
    }
    let shown = shown(table, page.style);
    let outcomes = outcomes(table);
    let widest = |count: CountColumn| shown.iter().map(|row| HumanCount(count(row)).to_string().len()).max();
    let column =
        |&(title, count): &(&str, CountColumn)| page.say(title).width().max(widest(count).unwrap_or(0));
    let counted: usize = outcomes.iter().map(|outcome| column(outcome) + 2).sum();
    let room = page.style.width.saturating_sub(counted + 1).max(16);
    let widths = widths(shown, table.by.len(), room);
    let mut text = Table::new();
    text.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let by = table.by.iter().map(|by| word(by).to_uppercase());
    text.add_row(by.chain(outcomes.iter().map(|(title, _)| page.say(title).to_owned())));
    for row in shown {
        let keys = row.keys.iter().zip(&widths);
        let keys = keys.map(|(key, &width)| fit(&value(key), width, page.style.unicode));
        let counts = outcomes.iter().map(|(_, count)| HumanCount(count(row)).to_string());
        text.add_row(keys.chain(counts));
    }
    let rest = others(table, page.style);
    if let Some(others) = &rest {
        let keys =
            table.by.iter().enumerate().map(|(at, _)| if at == 0 { others.clone() } else { String::new() });
        let hidden = hidden(table, page.style);
        let counts = outcomes
            .iter()
            .map(|(_, count)| HumanCount(hidden.iter().map(|row| count(row)).sum()).to_string());
        text.add_row(keys.chain(counts));
    }
    for (at, column) in text.column_iter_mut().enumerate() {
        column.set_padding((u16::from(at > 0), 1));
        if at >= table.by.len() {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = text.lines().collect();
    page.blank();
    for (at, line) in lines.iter().enumerate() {
        let line = if at == 0 { page.styled(HEADING, line.trim_end()) } else { line.clone() };
        page.line(&line);
        if let Some(row) = at.checked_sub(1).and_then(|at| shown.get(at)) {
            examples(page, &row.examples);
        }
    }
}
