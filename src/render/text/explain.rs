//! Renders explanations as text: what a code is, when it is sent, what it can mean, and how to fix it on either side.

use unicode_width::UnicodeWidthStr;

use super::explain_page::{server, side_words, typed};
use super::page::{TextPage, TextStyle};
use crate::render::sanitize::printable;
use crate::report::explain::{AdviceStep, Entries, Entry, EntryKind, NamedCode, ReasonFinding, class_words};

/// Width in columns of the name of a server: `Postfix`.
const SERVER: usize = 7;

/// Width in columns from which reason, server and advice are shown side by side.
const THREE_COLUMNS: usize = 80;

pub(crate) fn show(entries: &Entries, style: &TextStyle) -> String {
    let mut page = TextPage { text: String::new(), style };
    for (at, entry) in entries.entries.iter().enumerate() {
        if at > 0 {
            page.line("");
            page.line("");
        }
        if entry.kind == EntryKind::Unknown {
            unknown(&mut page, entry);
        } else {
            show_entry(&mut page, entry);
        }
    }
    page.text
}

/// Says that an input is not known, and lists the most similar entries. Also for a comparison.
pub(crate) fn unknown(page: &mut TextPage, entry: &Entry) {
    let input = printable(entry.input.trim());
    page.line(&format!("{}: {input}", page.say("Not known")));
    if entry.nearest.is_empty() {
        page.line(page.say("Give a reply code, a reason such as mailbox-full, a whole reply or a log line."));
        return;
    }
    page.line(page.say("The nearest that are:"));
    let width = widest(entry.nearest.iter().map(|named| &named.label));
    for named in &entry.nearest {
        page.labelled(2, &named.label, width, &named.text);
    }
}

fn show_entry(page: &mut TextPage, entry: &Entry) {
    head(page, entry);
    if let Some(verdict) = &entry.verdict {
        finding(page, verdict);
    }
    when(page, entry);
    variants(page, entry);
    fixes(page, entry);
    list(page, "NOT THE SAME AS", &entry.unlike);
    list(page, "RELATED", &entry.related);
    if let (Some(code), Some(other), EntryKind::Code) = (entry.code, entry.unlike.first(), entry.kind) {
        page.paragraph(2, &format!("{}: smtplog compare {code} {}", page.say("Side by side"), other.label));
    }
    if !entry.sources.is_empty() {
        page.heading("SOURCES");
        page.paragraph(2, &entry.sources.join("; "));
    }
}

/// `452  No room, or too many recipients (temporary)`
fn head(page: &mut TextPage, entry: &Entry) {
    if matches!(entry.kind, EntryKind::Reply | EntryKind::Line) {
        page.paragraph(0, &entry.input);
        page.line("");
    }
    let class = entry.class.map_or_else(String::new, |class| format!(" ({})", page.say(class_words(class))));
    let label = page.by_class(entry.class, &printable(&entry.label));
    page.line(&format!("{label}  {}{class}", page.say(&entry.name)));
    let label = entry.label.width();
    let indent = if label > 10 { 5 } else { label + 2 };
    for text in &entry.description {
        page.paragraph(indent, text);
    }
    if !entry.sender_does.is_empty() {
        page.paragraph(indent, &format!("{} {}.", page.say("The sender"), page.say(&entry.sender_does)));
    }
}

fn finding(page: &mut TextPage, verdict: &ReasonFinding) {
    page.heading("REASON");
    let id = typed(verdict.reason);
    let reason = if id.replace('-', " ") == verdict.title {
        id
    } else {
        format!("{id}: {}", page.say(&verdict.title))
    };
    page.labelled(2, "reason", 8, &reason);
    let rule = verdict.rule.as_ref().map(|rule| format!(" (rule {rule})")).unwrap_or_default();
    page.labelled(2, "how sure", 8, &format!("{}{rule}", page.say(verdict.why_sure)));
    if !verdict.decided_by.is_empty() {
        page.labelled(2, "words", 8, &verdict.decided_by.join(", "));
    }
    if let Some(provider) = &verdict.provider_name {
        let text = match &verdict.provider_page {
            Some(address) => format!("{provider}, {address}"),
            None => provider.clone(),
        };
        page.labelled(2, "provider", 8, &text);
    }
    page.labelled(2, "retry", 8, &verdict.retry_helps);
}

fn when(page: &mut TextPage, entry: &Entry) {
    if entry.when.is_empty() && entry.stages.is_empty() {
        return;
    }
    page.heading("WHEN YOU SEE IT");
    for source in entry.when.iter().filter(|source| source.mta.is_none()) {
        page.paragraph(2, &source.text);
    }
    if !entry.stages.is_empty() {
        page.labelled(2, "At", SERVER, &entry.stages.join(", "));
    }
    for source in entry.when.iter().filter(|source| source.mta.is_some()) {
        page.labelled(2, server(source.mta), SERVER, &source.text);
    }
}

fn variants(page: &mut TextPage, entry: &Entry) {
    if entry.variants.is_empty() {
        return;
    }
    page.heading(match entry.kind {
        EntryKind::Class => "CODES",
        EntryKind::Reason => "NUMBERS IT COMES WITH",
        EntryKind::Code | EntryKind::Enhanced | EntryKind::Reply | EntryKind::Line | EntryKind::Unknown => {
            "WHAT IT CAN MEAN"
        }
    });
    let width = widest(entry.variants.iter().map(|variant| &variant.label));
    let reasons: Vec<String> =
        entry.variants.iter().filter_map(|variant| variant.reason.map(typed)).collect();
    let reason_width = widest(reasons.iter());
    for variant in &entry.variants {
        let label = match variant.reason.map(typed) {
            Some(reason) => format!("{:<width$}  {reason:<reason_width$}", variant.label),
            None => variant.label.clone(),
        };
        page.labelled(2, &label, width, &variant.text);
    }
}

fn fixes(page: &mut TextPage, entry: &Entry) {
    if entry.fixes.is_empty() {
        return;
    }
    page.heading("HOW TO FIX IT");
    for (at, fix) in entry.fixes.iter().enumerate() {
        if at > 0 {
            page.line("");
        }
        page.line(&format!(" {}", page.say(side_words(fix.direction))));
        let width = widest(fix.steps.iter().map(|step| &step.label));
        let mut before = "";
        for step in &fix.steps {
            show_step(page, step, width, if before == step.label { "" } else { &step.label });
            before = &step.label;
        }
    }
}

fn show_step(page: &mut TextPage, step: &AdviceStep, width: usize, label: &str) {
    let server = server(step.mta);
    if !step.label.is_empty() {
        if page.style.width < THREE_COLUMNS {
            if !label.is_empty() {
                page.paragraph(2, label);
            }
            let width = if server.is_empty() { 0 } else { SERVER };
            page.labelled(4, server, width, &step.line);
        } else if server.is_empty() {
            page.labelled(2, label, width, &step.line);
        } else {
            page.labelled(2, &format!("{label:<width$}  {server:<SERVER$}"), 0, &step.line);
        }
        return;
    }
    match (server.is_empty(), step.line.is_empty()) {
        (true, false) => page.paragraph(2, &step.line),
        (true, true) => page.paragraph(2, "With any server"),
        (false, _) => page.labelled(2, server, SERVER, &step.line),
    }
    for (name, lines) in [("check", &step.check), ("do", &step.act)] {
        for (at, line) in lines.iter().enumerate() {
            page.labelled(4, if at == 0 { name } else { "" }, 5, line);
        }
    }
    if !step.stop.is_empty() {
        page.labelled(4, "stop", 5, &step.stop);
    }
}

fn list(page: &mut TextPage, heading: &str, rows: &[NamedCode]) {
    if rows.is_empty() {
        return;
    }
    page.heading(heading);
    let width = widest(rows.iter().map(|row| &row.label));
    for row in rows {
        page.labelled(2, &row.label, width, &row.text);
    }
}

fn widest<'a>(labels: impl Iterator<Item = &'a String>) -> usize {
    labels.map(|label| label.width()).max().unwrap_or(0)
}
