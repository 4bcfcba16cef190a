//! Renders the groups of `--by` as a table: a column for each key, then one for each outcome that occurs.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use indicatif::HumanCount;
use unicode_width::UnicodeWidthStr;

use super::page::{TextPage, TextStyle, fit, word};
use super::rows::{HEADING, examples};
use crate::render::sanitize::printable;
use crate::render::words::fault::counted;
use crate::report::{GroupKey, GroupRow, GroupTable};
use crate::smtp::event::By;

/// Counts the events of a group with one outcome.
pub(crate) type CountColumn = fn(&GroupRow) -> u64;

/// The least width of the column of a key.
const LEAST_KEY: usize = 8;

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

/// The columns of a table that fits on the page.
struct TableColumns {
    outcomes: Vec<(&'static str, CountColumn)>,
    /// Spaces between two columns.
    gap: usize,
    /// The width of each key's column.
    keys: Vec<usize>,
}

/// What seldom becomes of mail, in one column, so that the keys have more room.
fn without_rare(outcomes: &[(&'static str, CountColumn)]) -> Vec<(&'static str, CountColumn)> {
    let is_rare = |title: &str| matches!(title, "warned" | "held" | "discarded");
    let others: (&str, CountColumn) = ("other", |row| row.warned + row.held + row.discarded);
    let mut columns: Vec<_> = outcomes.iter().copied().filter(|(title, _)| !is_rare(title)).collect();
    if columns.len() < outcomes.len() {
        let at = columns.iter().position(|(title, _)| *title == "rcpts").unwrap_or(columns.len());
        columns.insert(at, others);
    }
    columns
}

impl TableColumns {
    /// The first of these that fits: all columns; the columns closer together; what is rare in one column. In the last one the
    /// widest keys are cut.
    fn new(page: &TextPage, table: &GroupTable, others: Option<&str>) -> Self {
        let (shown, hidden) = (shown(table, page.style), hidden(table, page.style));
        let count_width = |&(title, count): &(&str, CountColumn)| {
            let sum = hidden.iter().map(|row| count(row)).sum();
            let counts =
                shown.iter().map(count).chain([sum]).map(|count| HumanCount(count).to_string().len());
            counts.max().unwrap_or(0).max(page.say(title).width())
        };
        let width = |(at, by): (usize, &By)| {
            let keys = shown.iter().filter_map(|row| row.keys.get(at)).map(|key| value(key).width());
            let label = if at == 0 { others.map_or(0, UnicodeWidthStr::width) } else { 0 };
            keys.chain([label, word(by).width()]).max().unwrap_or(0)
        };
        let mut keys: Vec<usize> = table.by.iter().enumerate().map(width).collect();
        let all = outcomes(table);
        let few = without_rare(&all);
        let room = |outcomes: &[(&str, CountColumn)], gap: usize| {
            let counts: usize = outcomes.iter().map(|outcome| count_width(outcome) + gap).sum();
            page.style.width.saturating_sub(counts + gap * (table.by.len() - 1))
        };
        for (outcomes, gap) in [(&all, 2), (&all, 1), (&few, 2)] {
            if keys.iter().sum::<usize>() <= room(outcomes, gap) {
                return Self { outcomes: outcomes.clone(), gap, keys };
            }
        }
        while keys.iter().sum::<usize>() > room(&few, 1) {
            let Some(most) = keys.iter_mut().max().filter(|width| **width > LEAST_KEY) else { break };
            *most -= 1;
        }
        Self { outcomes: few, gap: 1, keys }
    }
}

pub(crate) fn show(page: &mut TextPage, table: &GroupTable) {
    if table.rows.is_empty() {
        return;
    }
    let shown = shown(table, page.style);
    let rest = others(table, page.style);
    let TableColumns { outcomes, gap, keys: widths } = TableColumns::new(page, table, rest.as_deref());
    let mut text = Table::new();
    text.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let by = table.by.iter().map(|by| word(by).to_uppercase());
    text.add_row(by.chain(outcomes.iter().map(|(title, _)| page.say(title).to_owned())));
    let cut = |key: &str, width: usize| fit(key, width, page.style.unicode);
    for row in shown {
        let keys = row.keys.iter().zip(&widths).map(|(key, &width)| cut(&value(key), width));
        let counts = outcomes.iter().map(|(_, count)| HumanCount(count(row)).to_string());
        text.add_row(keys.chain(counts));
    }
    if let Some(others) = &rest {
        let keys = widths.iter().enumerate();
        let keys = keys.map(|(at, &width)| if at == 0 { cut(others, width) } else { String::new() });
        let hidden = hidden(table, page.style);
        let counts = outcomes
            .iter()
            .map(|(_, count)| HumanCount(hidden.iter().map(|row| count(row)).sum()).to_string());
        text.add_row(keys.chain(counts));
    }
    for (at, column) in text.column_iter_mut().enumerate() {
        column.set_padding((if at > 0 { gap as u16 } else { 0 }, 0));
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
