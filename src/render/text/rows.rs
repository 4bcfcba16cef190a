//! Renders all sections of a report as one table, so that their columns align, with the advice under each row.

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use indicatif::HumanCount;
use unicode_width::UnicodeWidthStr;

use super::page::{TextPage, TextStyle, fit, pad, wrap};
use crate::render::sanitize::printable;
use crate::render::words::fault::counted;
use crate::render::words::row;
use crate::render::words::sections::{Section, sections};
use crate::report::Row;
use crate::smtp::reply::Class;

pub(crate) const HEADING: Style = Style::new().bold();
const ADVICE: Style = AnsiColor::Cyan.on_default();

/// The longest line of advice that the catalogue allows, in columns.
const LONGEST_ADVICE: usize = 100;

/// Width in columns of `  550 5.7.606`.
const CODE: usize = 14;

/// Aligns a table whose first column is names and whose other columns are numbers.
pub(super) fn align_numbers(table: &mut Table) {
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((u16::from(at > 0), 1));
        if at > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Shows a table whose first row is its heading.
pub(super) fn show_table(page: &mut TextPage, table: &Table) {
    page.blank();
    for (at, line) in table.lines().enumerate() {
        let line = line.trim_end();
        let line = if at == 0 { page.styled(HEADING, line) } else { line.to_owned() };
        page.line(&line);
    }
}

pub(crate) fn show(page: &mut TextPage, rows: &[Row]) {
    let sections = sections(rows, page.style.top, page.style.reverse);
    if sections.is_empty() {
        return;
    }
    let columns = Columns::new(page.style, &sections);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for section in &sections {
        table.add_row(columns.cells(columns.heading(section)));
        for row in &section.rows {
            table.add_row(columns.cells(columns.row(row)));
        }
        if let Some(others) = &section.others {
            let kinds = counted(others.kinds as u64, ["kind", "kinds"], &page.style.words);
            let kinds = format!("{} ({kinds})", columns.say("others"));
            let counts = [others.attempts, others.recipients].map(|count| HumanCount(count).to_string());
            let [attempts, recipients] = counts;
            let cells = ["  ".to_owned(), kinds, attempts, recipients, String::new(), String::new()];
            table.add_row(columns.cells(cells));
        }
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((u16::from(at > 1), 1));
        if at == 2 || at == 3 || at == 4 && columns.change > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().collect();
    let mut lines = lines.iter().map(String::as_str);
    for section in &sections {
        page.blank();
        let heading = page.styled(HEADING, lines.next().unwrap_or_default().trim_end());
        page.line(&heading);
        for row in &section.rows {
            let line = coded(page, lines.next().unwrap_or_default(), row.class);
            page.line(&line);
            if let Some(text) = &row.advice {
                let text = page.say(text);
                match columns.left_out(row) {
                    Some(conflict) => advice(page, &format!("{}: {text}", page.say(conflict))),
                    None => advice(page, text),
                }
            }
            examples(page, &row.examples);
        }
        if section.others.is_some() {
            page.line(lines.next().unwrap_or_default());
        }
    }
}

/// Colours the code by its class.
fn coded(page: &TextPage, line: &str, class: Option<Class>) -> String {
    let color = match class {
        Some(Class::Permanent) => AnsiColor::Red,
        Some(Class::Transient) => AnsiColor::Yellow,
        Some(Class::Positive | Class::Intermediate) | None => return line.to_owned(),
    };
    match line.split_at_checked(CODE) {
        Some((code, rest)) => format!("{}{rest}", page.styled(color.on_default(), code)),
        None => line.to_owned(),
    }
}

pub(crate) fn advice(page: &mut TextPage, advice: &str) {
    let arrow = if page.style.unicode { "→ " } else { "-> " };
    // Under the reason if the terminal is wide enough, else further left so that it still fits on one line.
    let lead = page.style.width.saturating_sub(LONGEST_ADVICE + arrow.width()).clamp(4, CODE + 1);
    let indent = lead + arrow.width();
    let advice = printable(advice);
    for (at, line) in wrap(&advice, page.style.width.saturating_sub(indent)).iter().enumerate() {
        let margin = if at == 0 { format!("{}{arrow}", " ".repeat(lead)) } else { " ".repeat(indent) };
        let line = format!("{margin}{}", page.styled(ADVICE, line));
        page.line(&line);
    }
}

/// Log lines, not cut: they are there to be read and copied.
pub(crate) fn examples(page: &mut TextPage, lines: &[String]) {
    for line in lines {
        page.indented(&format!("    {}", printable(line)), 6);
    }
}

/// The widths of the table's columns: reason and place share what the others leave.
struct Columns<'a> {
    style: &'a TextStyle,
    /// Width of the reason.
    what: usize,
    /// Width of the change; 0: nothing is compared, and there is no such column.
    change: usize,
    /// Width of the place.
    wheres: usize,
}

impl<'a> Columns<'a> {
    fn new(style: &'a TextStyle, sections: &[Section]) -> Self {
        let widest = |count: fn(&Row) -> u64, titles: [&str; 2]| {
            let rows = sections.iter().flat_map(|section| &section.rows);
            let counts = rows.map(|row| HumanCount(count(row)).to_string().len());
            let titles = titles.into_iter().map(|title| style.words.translate(title).width());
            counts.chain(titles).max().unwrap_or(0)
        };
        let attempts = widest(|row| row.attempts, ["attempts", "attempts"]);
        let recipients = widest(|row| row.recipients, ["rcpts", "cases"]);
        let rows = sections.iter().flat_map(|section| &section.rows);
        let changes = rows.filter(|row| row.change.is_some());
        let change = changes.map(|row| row::change(&style.words, row.change).width()).max();
        let change = change.map_or(0, |change| change.max(style.words.translate("change").width()));
        let gap = if change > 0 { change + 2 } else { 0 };
        let rest = style.width.saturating_sub(CODE + 1 + attempts + recipients + 4 + 3 + gap);
        let wheres = (rest * 2 / 5).clamp(12, 34);
        Self { style, what: rest.saturating_sub(wheres).max(20), change, wheres }
    }

    /// Leaves out the column `change` if nothing is compared.
    fn cells(&self, cells: [String; 6]) -> Vec<String> {
        let cells = cells.into_iter().enumerate();
        cells.filter(|(at, _)| *at != 4 || self.change > 0).map(|(_, cell)| cell).collect()
    }

    fn say<'w>(&'w self, english: &'w str) -> &'w str {
        self.style.words.translate(english)
    }

    fn fit(&self, text: &str, width: usize) -> String {
        fit(text, width, self.style.unicode)
    }

    fn heading(&self, section: &Section) -> [String; 6] {
        let (cases, place) = if section.inbound { ("cases", "from") } else { ("rcpts", "where") };
        let words = ["attempts", cases, "change", place].map(|word| self.say(word).to_owned());
        let [attempts, cases, change, place] = words;
        let meaning = self.fit(self.say(section.meaning), self.what);
        [pad(self.say(section.title), CODE), meaning, attempts, cases, change, place]
    }

    fn what(&self, row: &Row) -> String {
        let title = row::title(&self.style.words, row);
        match row.conflict {
            Some(conflict) => format!("{title} ({})", self.say(conflict)),
            None => title,
        }
    }

    /// The conflict, if there is no room for it after the title: then it is printed before the advice.
    fn left_out(&self, row: &Row) -> Option<&'static str> {
        row.conflict.filter(|_| row.advice.is_some() && self.what(row).width() > self.what)
    }

    fn row(&self, row: &Row) -> [String; 6] {
        let code = row::code(&self.style.words, row);
        let what =
            if self.left_out(row).is_some() { row::title(&self.style.words, row) } else { self.what(row) };
        let [attempts, recipients] =
            [row.attempts, row.recipients].map(|count| HumanCount(count).to_string());
        let place = self.fit(&row::place(&self.style.words, row), self.wheres);
        let change = row::change(&self.style.words, row.change);
        [pad(&format!("  {code}"), CODE), self.fit(&what, self.what), attempts, recipients, change, place]
    }
}
