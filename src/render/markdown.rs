//! Renders the report as Markdown, for a ticket or a wiki. Nothing from the log becomes markup, a link or HTML.

use std::fmt::Write;

use super::markdown_explain::escaped;
use super::sanitize::printable;
use super::text::delays;
use super::text::groups::{hidden, others, outcomes, shown, value};
use super::text::hosts;
use super::text::names::{outliers, share_in_words, tables};
use super::text::page::{TextStyle, word};
use super::text::scan::span;
use super::words::fault::counted;
use super::words::row;
use super::words::sections::{Section, sections};
use super::words::totals::{all_well, coverage, filter, notes, sums};
use super::words::warnings;
use crate::report::{DelayRow, Full, GroupTable, NameRow, Report, Row};

pub(crate) fn show(report: &Report, style: &TextStyle) -> String {
    let mut text = head(report, style);
    if let Some(table) = &report.groups {
        groups(&mut text, table, style);
    } else {
        for section in sections(&report.rows, style.top, style.reverse) {
            table(&mut text, &section, style);
        }
        if !style.who {
            domains(&mut text, &report.domains, style);
        }
        outlier_section(&mut text, report, style);
    }
    host_table(&mut text, report, style);
    warnings(&mut text, report, style);
    if style.who {
        name_tables(&mut text, report, style);
    }
    if let Some(rows) = &report.delays {
        delay_table(&mut text, rows, style);
    }
    report.full_advice.iter().for_each(|advice| full_advice(&mut text, advice, style));
    let notes = notes(report, &style.words);
    if !notes.is_empty() {
        text.push('\n');
    }
    for note in notes {
        let _ = writeln!(text, "- {}", escaped(&note));
    }
    if let Some(line) = report.input.not_understood_lines.first() {
        let _ = writeln!(
            text,
            "\n{}: {}",
            escaped(style.words.translate("Not understood, for example")),
            code(line)
        );
    }
    text
}

fn head(report: &Report, style: &TextStyle) -> String {
    let hosts: Vec<String> = report.hosts.iter().take(3).map(|host| code(host)).collect();
    let range = report.range.as_ref().map(span).unwrap_or_default();
    let files: Vec<String> = report.input.files.iter().map(|file| code(file)).collect();
    let mut text = format!("# {}\n\n", escaped(style.words.translate("SMTP report")));
    let parts = [hosts.join(", "), range, files.join(", ")];
    let parts: Vec<&str> = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
    let _ = writeln!(text, "{}\n", parts.join(" · "));
    for line in coverage(report, &style.words).into_iter().chain(filter(report, &style.words)) {
        let _ = writeln!(text, "- {}", escaped(&line));
    }
    for sum in sums(report, &style.words) {
        let _ = writeln!(text, "- **{}** {}", escaped(style.words.translate(sum.name)), escaped(&sum.line));
        if let Some(detail) = sum.detail {
            let _ = writeln!(text, "  - {}", escaped(&detail));
        }
    }
    if let Some(english) = all_well(report) {
        let _ = writeln!(text, "\n{}", escaped(style.words.translate(english)));
    }
    text
}

/// The servers' own warnings that need attention.
fn warnings(text: &mut String, report: &Report, style: &TextStyle) {
    let words = &style.words;
    let (shown, rest) = warnings::entries(report, words);
    if shown.is_empty() {
        return;
    }
    let heading =
        ["SERVER WARNINGS", "often the cause of what is above"].map(|word| escaped(words.translate(word)));
    let names = ["lines", "warning", "advice"].map(|word| escaped(words.translate(word)));
    let _ =
        writeln!(text, "\n## {} ({})\n\n| {} |\n|--:|---|---|", heading[0], heading[1], names.join(" | "));
    for entry in shown {
        let advice = entry.row.advice.as_deref().map(|advice| words.translate(advice)).unwrap_or_default();
        let what = match entry.row.title {
            Some(_) => format!("{} ({})", warnings::title(entry.row, words), warnings::text(entry.row)),
            None => warnings::text(entry.row),
        };
        let _ = writeln!(text, "| {} | {} | {} |", entry.lines, escaped(&what), escaped(advice));
    }
    if let Some(rest) = rest {
        let _ = writeln!(text, "\n{}", escaped(&rest));
    }
}

fn table(text: &mut String, section: &Section, style: &TextStyle) {
    let words = &style.words;
    let (cases, place) = if section.inbound { ("cases", "from") } else { ("rcpts", "where") };
    let heading = [section.title, section.meaning].map(|word| escaped(words.translate(word)));
    let _ = write!(text, "\n## {} ({})\n\n", heading[0], heading[1]);
    // Without a baseline the column is left out.
    let changes = section.rows.iter().any(|row| row.change.is_some());
    let change = changes.then_some("change");
    let names = ["code", "reason", "attempts", cases].into_iter().chain(change).chain([place, "advice"]);
    let names: Vec<String> = names.map(|word| escaped(words.translate(word))).collect();
    let rule = if changes { "--:|" } else { "" };
    let _ = writeln!(text, "| {} |\n|---|---|--:|--:|{rule}---|---|", names.join(" | "));
    for row in &section.rows {
        let what = match row.conflict {
            Some(conflict) => format!("{} ({})", row::title(words, row), words.translate(conflict)),
            None => row::title(words, row),
        };
        let advice = row.advice.as_deref().map(|advice| words.translate(advice)).unwrap_or_default();
        let cells = [
            escaped(&row::code(words, row)),
            escaped(&what),
            row.attempts.to_string(),
            row.recipients.to_string(),
        ];
        let change = changes.then(|| escaped(&row::change(words, row.change)));
        let cells = cells.into_iter().chain(change).chain([where_cell(row, style), escaped(advice)]);
        let _ = writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    if let Some(others) = &section.others {
        let kinds = format!(
            "{} ({})",
            words.translate("others"),
            counted(others.kinds as u64, ["kind", "kinds"], words)
        );
        let change = if changes { " |" } else { "" };
        let (attempts, recipients) = (others.attempts, others.recipients);
        let _ = writeln!(text, "| | {} | {attempts} | {recipients} |{change} | |", escaped(&kinds));
    }
}

fn groups(text: &mut String, table: &GroupTable, style: &TextStyle) {
    if table.rows.is_empty() {
        return;
    }
    let outcomes = outcomes(table);
    let titles = outcomes.iter().map(|(title, _)| style.words.translate(title).to_owned());
    let names: Vec<String> = table.by.iter().map(word).chain(titles).map(|name| escaped(&name)).collect();
    let rule = format!("{}{}", "|---".repeat(table.by.len()), "|--:".repeat(outcomes.len()));
    let _ = write!(text, "\n## {}\n\n", escaped(style.words.translate("GROUPS")));
    let _ = write!(text, "| {} |\n{rule}|\n", names.join(" | "));
    for row in shown(table, style) {
        let keys = row.keys.iter().map(|key| code(&value(key)));
        let counts = outcomes.iter().map(|(_, count)| count(row).to_string());
        let _ = writeln!(text, "| {} |", keys.chain(counts).collect::<Vec<_>>().join(" | "));
    }
    if let Some(others) = others(table, style) {
        let rest = hidden(table, style);
        let counts =
            outcomes.iter().map(|(_, count)| rest.iter().map(|row| count(row)).sum::<u64>().to_string());
        let keys = "| ".repeat(table.by.len() - 1);
        let counts = counts.collect::<Vec<_>>().join(" | ");
        let _ = writeln!(text, "| {} {keys}| {counts} |", escaped(&others));
    }
}

fn where_cell(row: &Row, style: &TextStyle) -> String {
    code(&row::place(&style.words, row))
}

fn domains(text: &mut String, domains: &[NameRow], style: &TextStyle) {
    let shown = if style.top == 0 { domains.len() } else { style.top };
    let failing: Vec<&NameRow> = domains.iter().filter(|row| row.failures() > 0).take(shown).collect();
    if failing.is_empty() {
        return;
    }
    let names = ["domains", "sent", "deferred", "bounced", "expired"];
    let names = names.map(|word| escaped(style.words.translate(word)));
    let _ = write!(text, "\n## {}\n\n", escaped(style.words.translate("DOMAINS with most failures")));
    let _ = writeln!(text, "| {} |\n|---|--:|--:|--:|--:|", names.join(" | "));
    for row in failing {
        let counts = [row.delivered, row.deferred, row.bounced, row.expired];
        let counts = counts.map(|count| count.to_string()).join(" | ");
        let _ = writeln!(text, "| {} | {counts} |", code(&row.name));
    }
}

fn outlier_section(text: &mut String, report: &Report, style: &TextStyle) {
    let outliers = outliers(report);
    if !outliers.is_empty() {
        let _ = write!(text, "\n## {}\n\n", escaped(style.words.translate("WHO stands out")));
    }
    for outlier in outliers {
        let share = escaped(&share_in_words(&outlier, &style.words));
        let _ = writeln!(
            text,
            "- {} {}: {share}",
            escaped(style.words.translate(outlier.kind)),
            code(outlier.name)
        );
    }
}

fn host_table(text: &mut String, report: &Report, style: &TextStyle) {
    if report.by_host.is_empty() {
        return;
    }
    let words = &style.words;
    let titles = hosts::COLUMNS.map(|title| escaped(words.translate(title)));
    let _ = write!(text, "\n## {}\n\n", escaped(words.translate("HOSTS")));
    let _ = writeln!(text, "| | {} |\n|---|--:|--:|--:|--:|---|---|", titles.join(" | "));
    let (rows, hidden) = hosts::shown(report, style.top);
    for row in rows {
        let _ = writeln!(text, "| {} | {} |", code(&hosts::name(row, words)), hosts::cells(row).join(" | "));
    }
    if let Some(others) = hosts::others(hidden, words) {
        let _ = writeln!(text, "| {} | | | | | | |", escaped(&others));
    }
}

fn name_tables(text: &mut String, report: &Report, style: &TextStyle) {
    for names in tables(report) {
        let columns = names.columns();
        for part in names.parts(style) {
            let heading = [names.title, part.meaning].map(|word| escaped(style.words.translate(word)));
            let _ = write!(text, "\n## {} ({})\n\n", heading[0], heading[1]);
            let titles: Vec<String> =
                columns.iter().map(|(title, _)| escaped(style.words.translate(title))).collect();
            let _ = writeln!(text, "| | {} |\n|---{}|", titles.join(" | "), "|--:".repeat(columns.len()));
            let rows = part.rows.iter().map(|row| (code(&row.name), row.counts()));
            let below = part.below.iter().map(|(title, counts)| (escaped(title), *counts));
            for (name, counts) in rows.chain(below) {
                let cells: Vec<String> =
                    columns.iter().map(|(_, count)| count(&counts).to_string()).collect();
                let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
            }
        }
    }
}

fn delay_table(text: &mut String, rows: &[DelayRow], style: &TextStyle) {
    let words = &style.words;
    let _ = write!(text, "\n## {}\n\n", escaped(words.translate("DELAYS in seconds")));
    let titles = delays::COLUMNS.map(|title| escaped(words.translate(title)));
    let _ = writeln!(text, "| | | {} |\n|---|---|--:|--:|--:|--:|", titles.join(" | "));
    for row in delays::shown(rows, style) {
        for phase in &row.phases {
            let names = [delays::name(row, words), words.translate(phase.title).to_owned()];
            let cells = names.iter().map(|name| escaped(name)).chain(delays::cells(phase));
            let _ = writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | "));
        }
    }
    let verdicts = delays::shown(rows, style)
        .iter()
        .filter_map(|row| Some((delays::name(row, words), delays::verdict(row, words)?)));
    for (at, (name, verdict)) in verdicts.enumerate() {
        let _ =
            writeln!(text, "{}- {}: {}", if at == 0 { "\n" } else { "" }, escaped(&name), escaped(&verdict));
    }
}

fn full_advice(text: &mut String, advice: &Full, style: &TextStyle) {
    let title = [advice.title.as_str(), advice.side].map(|word| escaped(style.words.translate(word)));
    let _ = write!(text, "\n## {} ({})\n\n", title[0], title[1]);
    let _ = write!(text, "{}\n\n", escaped(style.words.translate(&advice.meaning)));
    let _ = write!(text, "{}\n\n", escaped(style.words.translate(&advice.line)));
    for (name, lines) in [("check", &advice.check), ("do", &advice.act), ("sources", &advice.sources)] {
        for line in lines {
            let _ = writeln!(text, "- {}: {}", escaped(style.words.translate(name)), escaped(line));
        }
    }
    if !advice.stop.is_empty() {
        let _ = writeln!(text, "- {}: {}", escaped(style.words.translate("stop")), escaped(&advice.stop));
    }
}

/// A name from the log as a code span, in which Markdown reads no markup, addresses or entities. The characters that would
/// end the span or the table cell are escaped.
fn code(name: &str) -> String {
    let name = printable(name).replace('`', "\\x60").replace('|', "\\x7c");
    let name = name.trim();
    if name.is_empty() { String::new() } else { format!("`{name}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_code_span() {
        assert_eq!(code("a`b|c"), "`a\\x60b\\x7cc`");
        assert_eq!(code("x\n# y"), "`x\\x0a# y`");
        assert_eq!(code(" \u{a0}"), "");
    }
}
