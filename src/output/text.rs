//! The report as text, for a terminal or a mail: sums as sums, a line of advice under each row.

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use indicatif::{DecimalBytes, HumanCount};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::printable::printable;
use super::sections::{Section, sections};
use crate::event::Direction;
use crate::reply::Class;
use crate::report::{NameRow, Range, Report, Row};

/// How it is to look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// In columns.
    pub width: usize,
    pub color: bool,
    /// Signs beyond ASCII may be used.
    pub unicode: bool,
    /// Rows in a section; 0 shows all.
    pub top: usize,
    /// What it took: seconds and threads. Not shown where the same input is to give the same bytes.
    pub took: Option<(f64, usize)>,
}

const HEADING: Style = Style::new().bold();
const ADVICE: Style = AnsiColor::Cyan.on_default();

pub fn show(report: &Report, look: &Look) -> String {
    let mut page = Page { text: String::new(), look };
    page.head(report);
    page.sums(report);
    page.rows(report);
    page.domains(&report.domains);
    page.foot(report);
    page.text
}

struct Page<'a> {
    text: String,
    look: &'a Look,
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn blank(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.look.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// `mx1  Sat 21 Nov 2026 00:00 - 23:59 +01:00   3 files, 1.84 GB`
    fn head(&mut self, report: &Report) {
        let hosts = match report.hosts.as_slice() {
            [] => String::new(),
            [host] => host.clone(),
            [host, others @ ..] => format!("{host} and {} more", others.len()),
        };
        let range = report.range.as_ref().map(span).unwrap_or_default();
        let files = match report.input.files.as_slice() {
            [file] if file == "-" => "standard input".to_owned(),
            [file] => file.clone(),
            files => format!("{} files", files.len()),
        };
        let took = self.look.took.map(|(seconds, threads)| {
            let threads = if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
            format!(" in {seconds:.1} s ({threads})")
        });
        let size = format!("{files}, {}{}", DecimalBytes(report.input.bytes), took.unwrap_or_default());
        let parts = [printable(&hosts), range, printable(&size)];
        self.wrapped(
            &parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>(),
            "   ",
        );
        let input = &report.input;
        let [lines, mail, other, understood, not] =
            [input.lines, input.mail, input.other, input.understood, input.not_understood].map(HumanCount);
        let read = format!("read {lines} lines = {mail} mail + {other} other");
        let mail = format!("mail = {understood} understood + {not} not understood");
        self.wrapped(&[&read, &mail], "   ");
    }

    fn sums(&mut self, report: &Report) {
        let totals = &report.totals;
        self.blank();
        for (name, sent) in [("OUT  ", totals.outbound), ("LOCAL", totals.local)] {
            if sent.attempts + sent.discarded == 0 {
                continue;
            }
            let parts = [
                (sent.delivered, "sent"),
                (sent.deferred, "deferred"),
                (sent.bounced, "bounced"),
                (sent.expired, "expired"),
            ];
            let mut line = sum(name, sent.attempts, "attempts", &parts, true);
            if sent.discarded > 0 {
                line = format!("{line}; {} discarded", HumanCount(sent.discarded));
            }
            self.indented(&line, 6);
            let replies = [
                (sent.positive, "2xx"),
                (sent.intermediate, "3xx"),
                (sent.transient, "4xx"),
                (sent.permanent, "5xx"),
                (sent.no_reply, "without a reply"),
            ];
            if name == "OUT  " {
                let parts: Vec<String> = replies
                    .iter()
                    .filter(|(n, _)| *n > 0)
                    .map(|(n, word)| format!("{} {word}", HumanCount(*n)))
                    .collect();
                self.indented(&format!("      by reply: {}", parts.join(" + ")), 8);
            }
        }
        let inbound = totals.inbound;
        let aside = [(inbound.warned, "warned"), (inbound.held, "held"), (inbound.discarded, "discarded")];
        let aside: Vec<String> =
            aside.iter().filter(|(n, _)| *n > 0).map(|(n, w)| format!("{} {w}", HumanCount(*n))).collect();
        if inbound.refused > 0 || !aside.is_empty() {
            let parts = [
                (inbound.transient, "4xx"),
                (inbound.permanent, "5xx"),
                (inbound.unspecified, "without a code"),
            ];
            let refused = sum("IN   ", inbound.refused, "refused by us", &parts, true);
            let line = if aside.is_empty() { refused } else { format!("{refused}; {}", aside.join(", ")) };
            self.indented(&line, 6);
        }
        if report.rows.is_empty() {
            self.line("No delivery and no refusal is in these lines.");
        } else if report.rows.iter().all(|row| row.reason.is_none()) {
            self.line("Nothing was deferred, bounced or refused.");
        }
    }

    fn rows(&mut self, report: &Report) {
        let sections = sections(&report.rows, self.look.top);
        if sections.is_empty() {
            return;
        }
        let columns = Columns::new(self.look.width, &sections);
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        for section in &sections {
            table.add_row(columns.heading(section));
            for row in &section.rows {
                table.add_row(columns.row(row, self.look.unicode));
            }
            if let Some(others) = &section.others {
                let kinds = format!("others ({} kinds)", others.kinds);
                table.add_row([
                    "  ".to_owned(),
                    kinds,
                    HumanCount(others.attempts).to_string(),
                    HumanCount(others.recipients).to_string(),
                    String::new(),
                ]);
            }
        }
        for column in [2, 3] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((u16::from(at > 1), 1));
        }
        let lines: Vec<String> = table.lines().collect();
        let mut lines = lines.iter();
        for section in &sections {
            self.blank();
            let heading = lines.next().map_or("", String::as_str);
            let heading = self.styled(HEADING, heading.trim_end());
            self.line(&heading);
            for row in &section.rows {
                let line = lines.next().cloned().unwrap_or_default();
                let line = self.coded(&line, row.class);
                self.line(&line);
                if let Some(advice) = &row.advice {
                    self.advice(advice);
                }
            }
            if section.others.is_some() {
                self.line(lines.next().map_or("", String::as_str));
            }
        }
    }

    /// Colours the code by its class.
    fn coded(&self, line: &str, class: Option<Class>) -> String {
        let color = match class {
            Some(Class::Permanent) => AnsiColor::Red,
            Some(Class::Transient) => AnsiColor::Yellow,
            Some(Class::Positive | Class::Intermediate) | None => return line.to_owned(),
        };
        match line.split_at_checked(CODE) {
            Some((code, rest)) => format!("{}{rest}", self.styled(color.on_default(), code)),
            None => line.to_owned(),
        }
    }

    fn advice(&mut self, advice: &str) {
        let arrow = if self.look.unicode { "→ " } else { "-> " };
        // Under the words where there is room; narrower terminals get it on one line further left.
        let lead = self.look.width.saturating_sub(LONGEST_ADVICE + arrow.width()).clamp(4, CODE + 1);
        let indent = lead + arrow.width();
        for (at, line) in wrap(&printable(advice), self.look.width.saturating_sub(indent)).iter().enumerate()
        {
            let margin = if at == 0 { format!("{}{arrow}", " ".repeat(lead)) } else { " ".repeat(indent) };
            let line = format!("{margin}{}", self.styled(ADVICE, line));
            self.line(&line);
        }
    }

    /// `DOMAINS with most failures          sent  deferred  bounced  expired`
    fn domains(&mut self, domains: &[NameRow]) {
        let shown = if self.look.top == 0 { domains.len() } else { self.look.top.min(5) };
        let failing: Vec<&NameRow> = domains.iter().filter(|row| row.failures() > 0).take(shown).collect();
        if failing.is_empty() {
            return;
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.add_row(["DOMAINS with most failures", "sent", "deferred", "bounced", "expired"]);
        for row in failing {
            let name =
                fit(&printable(&row.name), self.look.width.saturating_sub(48).max(16), self.look.unicode);
            let counts =
                [row.delivered, row.deferred, row.bounced, row.expired].map(|n| HumanCount(n).to_string());
            let [sent, deferred, bounced, expired] = counts;
            table.add_row([format!("  {name}"), sent, deferred, bounced, expired]);
        }
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((u16::from(at > 0), 1));
            if at > 0 {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self.blank();
        for (at, line) in table.lines().enumerate() {
            let line = if at == 0 { self.styled(HEADING, line.trim_end()) } else { line };
            self.line(&line);
        }
    }

    fn foot(&mut self, report: &Report) {
        let mut notes = Vec::new();
        let totals = &report.totals;
        if totals.host_attempts > 0 {
            let count = HumanCount(totals.host_attempts);
            notes.push(format!(
                "{count} answers of single hosts before another host was tried are in no sum."
            ));
        }
        if totals.probes > 0 {
            notes.push(format!("{} address probes are in no sum.", HumanCount(totals.probes)));
        }
        notes.extend(report.notes.iter().cloned());
        notes.extend(report.input.not_understood_lines.iter().take(1).map(|line| {
            let room = self.look.width.saturating_sub(32);
            format!("Not understood, for example: {}", fit(&printable(line), room, self.look.unicode))
        }));
        if !notes.is_empty() {
            self.blank();
        }
        for note in notes {
            self.indented(&note, 2);
        }
    }

    /// Parts on one line, or on as many as the width asks for.
    fn wrapped(&mut self, parts: &[&str], between: &str) {
        let mut line = String::new();
        for part in parts {
            if !line.is_empty() && line.width() + between.len() + part.width() > self.look.width {
                self.line(&line);
                line.clear();
            }
            if !line.is_empty() {
                line.push_str(between);
            }
            line.push_str(part);
        }
        self.indented(&line, 2);
    }

    fn indented(&mut self, text: &str, indent: usize) {
        let lead = text.len() - text.trim_start().len();
        let lines = wrap(text.trim_start(), self.look.width.saturating_sub(indent.max(lead)));
        for (at, line) in lines.iter().enumerate() {
            let lead = " ".repeat(if at == 0 { lead } else { indent });
            self.line(&format!("{lead}{line}"));
        }
    }
}

/// The widths of the table's columns: the words take what the others leave.
struct Columns {
    what: usize,
    wheres: usize,
}

/// What the book allows a line of advice, in columns.
const LONGEST_ADVICE: usize = 90;

/// `  550 5.7.606`, in columns.
const CODE: usize = 14;

impl Columns {
    fn new(width: usize, sections: &[Section]) -> Self {
        let widest = |count: fn(&Row) -> u64| {
            let rows = sections.iter().flat_map(|section| &section.rows);
            rows.map(|row| HumanCount(count(row)).to_string().len()).max().unwrap_or(0)
        };
        let counts =
            widest(|row| row.attempts).max("attempts".len()) + widest(|row| row.recipients).max(5) + 4;
        let rest = width.saturating_sub(CODE + 1 + counts + 3);
        let wheres = (rest * 2 / 5).clamp(12, 34);
        Self { what: rest.saturating_sub(wheres).max(20), wheres }
    }

    fn heading(&self, section: &Section) -> [String; 5] {
        let title = format!("{:<width$}", section.title, width = CODE);
        let wheres = if section.inbound { "from" } else { "where" };
        let counts = ["attempts", if section.inbound { "cases" } else { "rcpts" }];
        [
            title,
            fit(section.meaning, self.what, true),
            counts[0].to_owned(),
            counts[1].to_owned(),
            wheres.to_owned(),
        ]
    }

    fn row(&self, row: &Row, unicode: bool) -> [String; 5] {
        let code = match (row.code, row.enhanced) {
            (Some(code), Some(enhanced)) => format!("{code} {enhanced}"),
            (Some(code), None) => code.to_string(),
            (None, Some(enhanced)) => format!("--- {enhanced}"),
            (None, None) => "(no reply)".to_owned(),
        };
        let code = if row.direction == Direction::Outbound || row.code.is_some() || row.enhanced.is_some() {
            code
        } else {
            "(no code)".to_owned()
        };
        let what = match row.conflict {
            Some(conflict) => format!("{} ({conflict})", row.title),
            None => row.title.clone(),
        };
        [
            format!("{:<width$}", format!("  {code}"), width = CODE),
            fit(&what, self.what, unicode),
            HumanCount(row.attempts).to_string(),
            HumanCount(row.recipients).to_string(),
            fit(&wheres(row), self.wheres, unicode),
        ]
    }
}

/// The one provider or name that most of it concerns, with its share; else how many names there are.
fn wheres(row: &Row) -> String {
    let share = |count: u64| (count * 100).checked_div(row.attempts).unwrap_or(0);
    if let Some(provider) = row.providers.first().filter(|provider| share(provider.attempts) >= 50) {
        return format!("{} {}%", printable(&provider.name), share(provider.attempts));
    }
    let kind = if row.direction == Direction::Inbound { "clients" } else { "domains" };
    match row.wheres.first() {
        None => String::new(),
        Some(first) if row.where_count == 1 => printable(&first.name),
        Some(first) if share(first.attempts) > 50 => {
            format!("{} {}%", printable(&first.name), share(first.attempts))
        }
        Some(_) => format!("{} {kind}", HumanCount(row.where_count)),
    }
}

/// `OUT  204,930 attempts = 171,044 sent (83.5%) + …`; parts that are none are left out, but for the first.
fn sum(name: &str, whole: u64, unit: &str, parts: &[(u64, &str)], percent: bool) -> String {
    let shown: Vec<String> = parts
        .iter()
        .enumerate()
        .filter(|(at, (count, _))| *at == 0 || *count > 0)
        .map(|(_, (count, word))| {
            let share = if percent && whole > 0 && parts.len() > 1 {
                format!(" ({:.1}%)", *count as f64 * 100.0 / whole as f64)
            } else {
                String::new()
            };
            format!("{} {word}{share}", HumanCount(*count))
        })
        .collect();
    format!("{name} {} {unit} = {}", HumanCount(whole), shown.join(" + "))
}

fn span(range: &Range) -> String {
    let (first, last) = (&range.first, &range.last);
    let zone = last.strftime("%:z");
    if first.date() == last.date() {
        format!("{} - {} {zone}", first.strftime("%a %d %b %Y %H:%M"), last.strftime("%H:%M"))
    } else {
        format!("{} - {} {zone}", first.strftime("%a %d %b %Y %H:%M"), last.strftime("%a %d %b %Y %H:%M"))
    }
}

/// Cuts what is too wide, and shows that it did.
fn fit(text: &str, width: usize, unicode: bool) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mark = if unicode { "…" } else { ".." };
    let mut room = width.saturating_sub(mark.width());
    let mut cut = String::new();
    for c in text.chars() {
        let Some(rest) = room.checked_sub(c.width().unwrap_or(0)) else { break };
        room = rest;
        cut.push(c);
    }
    format!("{}{mark}", cut.trim_end())
}

/// Breaks at blanks.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("one line is there from the start");
        if !last.is_empty() && last.width() + 1 + word.width() > width {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}
