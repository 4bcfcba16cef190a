//! Renders the report as text: totals as sums, rows with advice, and the limits of the numbers.

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{DecimalBytes, HumanCount};

use super::delays;
use super::first_screen;
use super::groups;
use super::hosts;
use super::names;
use super::page::{TextPage, TextStyle, fit, pad};
use super::rows::{self, HEADING, align_numbers, show_table};
use super::sparkline::spark;
use super::storm_line;
use super::warnings;
use crate::render::sanitize::printable;
use crate::render::words::totals::{all_well, coverage, filter, notes, sums};
use crate::report::{Full, NameRow, Range, Report};

pub(crate) fn show(report: &Report, style: &TextStyle) -> String {
    let mut page = TextPage { text: String::new(), style };
    if !style.codes && report.groups.is_none() {
        first_screen::show(&mut page, report);
        tables(&mut page, report);
        return page.text;
    }
    head(&mut page, report);
    storm_line::show(&mut page, report.storms.as_deref());
    totals(&mut page, report);
    match &report.groups {
        Some(table) => groups::show(&mut page, table),
        None => {
            rows::show(&mut page, &report.rows);
            if !style.who {
                domains(&mut page, &report.domains);
            }
            names::show_outliers(&mut page, report);
        }
    }
    warnings::show(&mut page, report);
    tables(&mut page, report);
    foot(&mut page, report);
    page.text
}

/// The tables that an option asks for.
fn tables(page: &mut TextPage, report: &Report) {
    if page.style.who {
        hosts::show(page, report, page.style.top);
        names::show(page, report);
    }
    if let Some(rows) = &report.delays {
        delays::show(page, rows);
    }
    full_advice(page, &report.full_advice);
}

/// `mx1  Sat 21 Nov 2026 00:00 - 23:59 +01:00   3 files, 1.84 GB`
fn head(page: &mut TextPage, report: &Report) {
    let hosts = match report.hosts.as_slice() {
        [] => String::new(),
        [host] => host.clone(),
        [host, others @ ..] => format!("{host} {} {} {}", page.say("and"), others.len(), page.say("more")),
    };
    let range = report.range.as_ref().map(span).unwrap_or_default();
    let files = match report.input.files.as_slice() {
        [file] if file == "-" => page.say("standard input").to_owned(),
        [file] => file.clone(),
        files => format!("{} {}", files.len(), page.say("files")),
    };
    let took = page.style.took.map(|(seconds, threads)| {
        let word = page.say(if threads == 1 { "thread" } else { "threads" });
        format!(" {} {seconds:.1} s ({threads} {word})", page.say("in"))
    });
    let size = format!("{files}, {}{}", DecimalBytes(report.input.bytes), took.unwrap_or_default());
    let parts = [printable(&hosts), range, printable(&size)];
    let parts: Vec<&str> = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
    page.wrapped(&parts, "   ");
    let [read, mail] = coverage(report, &page.style.words);
    page.wrapped(&[&read, &mail], "   ");
    if let Some(filter) = filter(report, &page.style.words) {
        page.indented(&printable(&filter), 2);
    }
}

fn totals(page: &mut TextPage, report: &Report) {
    let (sums, well) = (sums(report, &page.style.words), all_well(report));
    if !sums.is_empty() || well.is_some() {
        page.blank();
    }
    for sum in sums {
        page.indented(&format!("{} {}", pad(page.say(sum.name), 5), sum.line), 6);
        if let Some(detail) = sum.detail {
            page.indented(&format!("      {detail}"), 8);
        }
    }
    if let Some(line) = spark(&report.timeline, page.style) {
        page.indented(&format!("      {line}"), 8);
    }
    if let Some(english) = well {
        page.line(page.say(english));
    }
}

/// `DOMAINS with most failures          sent  deferred  bounced  expired`
fn domains(page: &mut TextPage, domains: &[NameRow]) {
    let shown = if page.style.top == 0 { domains.len() } else { page.style.top.min(5) };
    let failing: Vec<&NameRow> = domains.iter().filter(|row| row.failures() > 0).take(shown).collect();
    if failing.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let titles = ["DOMAINS with most failures", "sent", "deferred", "bounced", "expired"];
    table.add_row(titles.map(|title| page.say(title)));
    for row in failing {
        let name =
            fit(&printable(&row.name), page.style.width.saturating_sub(48).max(16), page.style.unicode);
        let counts =
            [row.delivered, row.deferred, row.bounced, row.expired].map(|n| HumanCount(n).to_string());
        let [sent, deferred, bounced, expired] = counts;
        table.add_row([format!("  {name}"), sent, deferred, bounced, expired]);
    }
    align_numbers(&mut table);
    show_table(page, &table);
}

/// The complete advice for each reason (`--advice full`).
fn full_advice(page: &mut TextPage, advice: &[Full]) {
    for entry in advice {
        page.blank();
        let title = format!("{}  ({})", page.say(&entry.title).to_uppercase(), page.say(entry.side));
        let title = page.styled(HEADING, &title);
        page.line(&title);
        page.indented(&format!("  {}", page.say(&entry.meaning)), 2);
        page.indented(&format!("  {}", page.say(&entry.line)), 2);
        let parts = [("check", &entry.check), ("do", &entry.act), ("sources", &entry.sources)];
        for (name, lines) in parts {
            for (at, line) in lines.iter().enumerate() {
                let label = pad(if at == 0 { page.say(name) } else { "" }, 8);
                page.indented(&format!("    {label}{line}"), 12);
            }
        }
        if !entry.stop.is_empty() {
            let label = pad(page.say("stop"), 8);
            page.indented(&format!("    {label}{}", entry.stop), 12);
        }
    }
}

fn foot(page: &mut TextPage, report: &Report) {
    let mut notes = notes(report, &page.style.words);
    notes.extend(report.input.not_understood_lines.iter().take(1).map(|line| {
        let line = fit(&printable(line), page.style.width.saturating_sub(32), page.style.unicode);
        format!("{}: {line}", page.say("Not understood, for example"))
    }));
    if !notes.is_empty() {
        page.blank();
    }
    for note in notes {
        page.indented(&printable(&note), 2);
    }
}

/// `Sat 21 Nov 2026 00:00 - 23:59 +01:00`
pub(crate) fn span(range: &Range) -> String {
    let (first, last) = (&range.first, &range.last);
    let long = "%a %d %b %Y %H:%M";
    if first.strftime("%F %H:%M").to_string() == last.strftime("%F %H:%M").to_string() {
        return format!("{} {}", first.strftime(long), last.strftime("%:z"));
    }
    let end = if first.date() == last.date() { "%H:%M" } else { long };
    format!("{} - {} {}", first.strftime(long), last.strftime(end), last.strftime("%:z"))
}
