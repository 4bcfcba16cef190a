//! Renders a comparison as text: side by side if the terminal is wide enough, else one below the other.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use unicode_width::UnicodeWidthStr;

use super::explain::unknown;
use super::page::{TextPage, TextStyle};
use crate::render::sanitize::printable;
use crate::report::explain::Pair;

/// Width in columns from which the two are shown side by side.
const SIDE_BY_SIDE: usize = 80;

pub(crate) fn show(pair: &Pair, style: &TextStyle) -> String {
    let mut page = TextPage { text: String::new(), style };
    for (at, entry) in pair.unknown.iter().enumerate() {
        if at > 0 {
            page.line("");
        }
        unknown(&mut page, entry);
    }
    if !pair.unknown.is_empty() {
        return page.text;
    }
    if style.width >= SIDE_BY_SIDE && longest_word(pair) <= half(&page, pair) {
        table(&mut page, pair);
    } else {
        stacked(&mut page, pair);
    }
    page.heading("KEY DIFFERENCES");
    for difference in &pair.differences {
        page.labelled(2, "-", 1, &sentence(difference));
    }
    page.heading("RULE OF THUMB");
    page.paragraph(2, &pair.rule_of_thumb);
    if !pair.catch.is_empty() {
        page.heading("THE CATCH");
        for catch in &pair.catch {
            page.paragraph(2, catch);
        }
    }
    page.heading("SOURCES");
    page.paragraph(2, &pair.sources.join("; "));
    page.text
}

/// The width of the widest row title.
fn titles(page: &TextPage, pair: &Pair) -> usize {
    pair.rows.iter().map(|row| page.say(row.title).width()).max().unwrap_or(0)
}

/// The width of one side. Two spaces come before the titles and two between columns.
fn half(page: &TextPage, pair: &Pair) -> usize {
    page.style.width.saturating_sub(titles(page, pair) + 6) / 2
}

/// The width of the longest word. A word that is broken, such as the name of a parameter, could not be copied.
fn longest_word(pair: &Pair) -> usize {
    let cells = pair.rows.iter().flat_map(|row| &row.cells);
    cells.flat_map(|cell| cell.split_whitespace()).map(UnicodeWidthStr::width).max().unwrap_or(0)
}

fn table(page: &mut TextPage, pair: &Pair) {
    let (titles, half) = (titles(page, pair), half(page, pair));
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(page.style.width as u16);
    let [a, b] = [0, 1].map(|at| heading(page, pair, at));
    table.add_row([String::new(), a, b]);
    for row in &pair.rows {
        let [a, b] = row.cells.each_ref().map(|cell| page.plain(page.say(cell)));
        table.add_row([page.say(row.title).to_owned(), a, b]);
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((2, 0));
        let width = if at == 0 { titles } else { half };
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed((width + 2) as u16)));
    }
    for line in table.lines() {
        page.line(&line);
    }
}

fn heading(page: &TextPage, pair: &Pair, at: usize) -> String {
    let both = pair.labels.get(at).zip(pair.names.get(at));
    both.map(|(label, name)| printable(&format!("{label}  {}", page.say(name)))).unwrap_or_default()
}

fn stacked(page: &mut TextPage, pair: &Pair) {
    for at in [0, 1] {
        if at > 0 {
            page.line("");
        }
        let heading = heading(page, pair, at);
        let heading = page.styled(anstyle::Style::new().bold(), &heading);
        page.line(&heading);
        for row in &pair.rows {
            let cell = row.cells.get(at).map_or("", String::as_str);
            page.labelled(2, row.title, 12, cell);
        }
    }
}

/// Adds a full stop if there is none.
fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}
