//! The report as text, for a terminal or a mail: sums as sums, rows with advice, and what limits the numbers.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use indicatif::{DecimalBytes, HumanCount};

use super::groups;
use super::page::{Look, Page, fit, pad};
use super::printable::printable;
use super::rows::{self, HEADING};
use crate::report::{Full, NameRow, Range, Report};

pub fn show(report: &Report, look: &Look) -> String {
    let mut page = Page { text: String::new(), look };
    head(&mut page, report);
    sums(&mut page, report);
    match &report.groups {
        Some(table) => groups::show(&mut page, table),
        None => {
            rows::show(&mut page, &report.rows);
            domains(&mut page, &report.domains);
        }
    }
    full(&mut page, &report.full_advice);
    foot(&mut page, report);
    page.text
}

/// `mx1  Sat 21 Nov 2026 00:00 - 23:59 +01:00   3 files, 1.84 GB`
fn head(page: &mut Page, report: &Report) {
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
    let took = page.look.took.map(|(seconds, threads)| {
        let word = page.say(if threads == 1 { "thread" } else { "threads" });
        format!(" {} {seconds:.1} s ({threads} {word})", page.say("in"))
    });
    let size = format!("{files}, {}{}", DecimalBytes(report.input.bytes), took.unwrap_or_default());
    let parts = [printable(&hosts), range, printable(&size)];
    let parts: Vec<&str> = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
    page.wrapped(&parts, "   ");
    let input = &report.input;
    let part = |count: u64, word: &str| format!("{} {}", HumanCount(count), page.say(word));
    let read = format!(
        "{} {} = {} + {}",
        page.say("read"),
        part(input.lines, "lines"),
        part(input.mail, "mail"),
        part(input.other, "other")
    );
    let mail = format!(
        "{} = {} + {}",
        page.say("mail"),
        part(input.understood, "understood"),
        part(input.not_understood, "not understood")
    );
    let left_out = part(input.filtered, "events left out");
    page.wrapped(&[&read, &mail], "   ");
    if !input.filter.is_empty() {
        let filter = printable(&input.filter.join(" "));
        page.indented(&format!("{} {filter}: {left_out}", page.say("only")), 2);
    }
}

fn sums(page: &mut Page, report: &Report) {
    let totals = &report.totals;
    page.blank();
    for (name, sent) in [("OUT", totals.outbound), ("LOCAL", totals.local)] {
        if sent.attempts + sent.discarded == 0 {
            continue;
        }
        let parts = [
            (sent.delivered, "sent"),
            (sent.deferred, "deferred"),
            (sent.bounced, "bounced"),
            (sent.expired, "expired"),
        ];
        let whole = sum(page, name, sent.attempts, "attempts", &parts);
        let aside = counts(page, &[(sent.discarded, "discarded")], ", ");
        page.indented(
            &[whole, aside].iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("; "),
            6,
        );
        if name == "OUT" {
            let replies = [
                (sent.positive, "2xx"),
                (sent.intermediate, "3xx"),
                (sent.transient, "4xx"),
                (sent.permanent, "5xx"),
                (sent.no_reply, "without a reply"),
            ];
            let replies = format!("      {}: {}", page.say("by reply"), counts(page, &replies, " + "));
            page.indented(&replies, 8);
        }
    }
    let inbound = totals.inbound;
    let aside = [(inbound.warned, "warned"), (inbound.held, "held"), (inbound.discarded, "discarded")];
    let aside = counts(page, &aside, ", ");
    if inbound.refused > 0 || !aside.is_empty() {
        let parts =
            [(inbound.transient, "4xx"), (inbound.permanent, "5xx"), (inbound.unspecified, "without a code")];
        let refused = sum(page, "IN", inbound.refused, "refused by us", &parts);
        page.indented(&if aside.is_empty() { refused } else { format!("{refused}; {aside}") }, 6);
    }
    if report.rows.is_empty() {
        page.line(page.say("No delivery and no refusal is in these lines."));
    } else if report.rows.iter().all(|row| row.reason.is_none()) {
        page.line(page.say("Nothing was deferred, bounced or refused."));
    }
}

/// `OUT   204,930 attempts = 171,044 sent (83.5%) + …`; parts that are none are left out, but for the first.
fn sum(page: &Page, name: &str, whole: u64, unit: &str, parts: &[(u64, &str)]) -> String {
    let shown: Vec<String> = parts
        .iter()
        .enumerate()
        .filter(|(at, (count, _))| *at == 0 || *count > 0)
        .map(|(_, (count, word))| {
            let share = if whole > 0 { *count as f64 * 100.0 / whole as f64 } else { 0.0 };
            format!("{} {} ({share:.1}%)", HumanCount(*count), page.say(word))
        })
        .collect();
    format!("{} {} {} = {}", pad(page.say(name), 5), HumanCount(whole), page.say(unit), shown.join(" + "))
}

/// `5 warned, 3 held`, without those that are none.
fn counts(page: &Page, parts: &[(u64, &str)], between: &str) -> String {
    let some = parts.iter().filter(|(count, _)| *count > 0);
    let shown: Vec<String> =
        some.map(|(count, word)| format!("{} {}", HumanCount(*count), page.say(word))).collect();
    shown.join(between)
}

/// `DOMAINS with most failures          sent  deferred  bounced  expired`
fn domains(page: &mut Page, domains: &[NameRow]) {
    let shown = if page.look.top == 0 { domains.len() } else { page.look.top.min(5) };
    let failing: Vec<&NameRow> = domains.iter().filter(|row| row.failures() > 0).take(shown).collect();
    if failing.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let titles = ["DOMAINS with most failures", "sent", "deferred", "bounced", "expired"];
    table.add_row(titles.map(|title| page.say(title)));
    for row in failing {
        let name = fit(&printable(&row.name), page.look.width.saturating_sub(48).max(16), page.look.unicode);
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
    page.blank();
    for (at, line) in table.lines().enumerate() {
        let line = if at == 0 { page.styled(HEADING, line.trim_end()) } else { line };
        page.line(&line);
    }
}

/// All there is to do about each reason of the report, once.
fn full(page: &mut Page, advice: &[Full]) {
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

fn foot(page: &mut Page, report: &Report) {
    let mut notes = Vec::new();
    let totals = &report.totals;
    let counted = [
        (totals.host_attempts, "answers of single hosts before another host was tried are in no sum."),
        (totals.probes, "address probes are in no sum."),
    ];
    let counted = counted.iter().filter(|(count, _)| *count > 0);
    notes.extend(counted.map(|(count, words)| format!("{} {}", HumanCount(*count), page.say(words))));
    notes.extend(report.notes.iter().map(|note| page.say(note).to_owned()));
    notes.extend(report.input.not_understood_lines.iter().take(1).map(|line| {
        let line = fit(&printable(line), page.look.width.saturating_sub(32), page.look.unicode);
        format!("{}: {line}", page.say("Not understood, for example"))
    }));
    if !notes.is_empty() {
        page.blank();
    }
    for note in notes {
        page.indented(&note, 2);
    }
}

fn span(range: &Range) -> String {
    let (first, last) = (&range.first, &range.last);
    let long = "%a %d %b %Y %H:%M";
    let end = if first.date() == last.date() { "%H:%M" } else { long };
    format!("{} - {} {}", first.strftime(long), last.strftime(end), last.strftime("%:z"))
}
