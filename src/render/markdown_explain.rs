//! Renders explanations as Markdown, for a wiki or a ticket.

use std::fmt::Write;

use super::sanitize::printable;
use super::text::explain_page::{server, side_words, typed};
use crate::report::explain::{
    AdviceStep, Codes, Entries, Entry, EntryKind, NamedCode, Pair, ReasonFinding, class_words,
};

pub(crate) fn show(entries: &Entries) -> String {
    let shown: Vec<String> = entries.entries.iter().map(entry).collect();
    shown.join("\n")
}

fn entry(entry: &Entry) -> String {
    let mut text = String::new();
    if entry.kind == EntryKind::Unknown {
        let _ = write!(text, "# Not known: {}\n\nThe nearest that are:\n\n", escaped(entry.input.trim()));
        named(&mut text, &entry.nearest);
        return text;
    }
    let class = entry.class.map_or_else(String::new, |class| format!(" ({})", class_words(class)));
    let _ = writeln!(text, "# {} {}{class}\n", escaped(&entry.label), escaped(&entry.name));
    if matches!(entry.kind, EntryKind::Reply | EntryKind::Line) {
        let _ = writeln!(text, "> {}\n", escaped(&entry.input));
    }
    for line in &entry.description {
        let _ = writeln!(text, "{}  ", escaped(line));
    }
    if !entry.sender_does.is_empty() {
        let _ = writeln!(text, "The sender {}.", escaped(&entry.sender_does));
    }
    if let Some(verdict) = &entry.verdict {
        finding(&mut text, verdict);
    }
    occasions(&mut text, entry);
    for fix in &entry.fixes {
        let _ = write!(text, "\n## How to fix it: {}\n\n", side_words(fix.direction));
        fix.steps.iter().for_each(|step| steps(&mut text, step));
    }
    for (heading, rows) in [("Not the same as", &entry.unlike), ("Related", &entry.related)] {
        if !rows.is_empty() {
            let _ = write!(text, "\n## {heading}\n\n");
            named(&mut text, rows);
        }
    }
    if !entry.sources.is_empty() {
        let _ = write!(text, "\n## Sources\n\n{}\n", escaped(&entry.sources.join("; ")));
    }
    text
}

fn finding(text: &mut String, verdict: &ReasonFinding) {
    let _ =
        write!(text, "\n## Reason\n\n- reason: `{}`, {}\n", typed(verdict.reason), escaped(&verdict.title));
    let rule = verdict.rule.as_ref().map(|rule| format!(" (rule `{rule}`)")).unwrap_or_default();
    let _ = writeln!(text, "- how sure: {}{rule}", verdict.why_sure);
    if !verdict.decided_by.is_empty() {
        let _ = writeln!(text, "- words: {}", escaped(&verdict.decided_by.join(", ")));
    }
    if let Some(provider) = &verdict.provider_name {
        let page = verdict.provider_page.as_deref().map(|page| format!(", <{page}>")).unwrap_or_default();
        let _ = writeln!(text, "- provider: {}{page}", escaped(provider));
    }
    let _ = writeln!(text, "- does a retry help: {}", verdict.retry_helps);
}

/// When mail servers send it, and what it can mean.
fn occasions(text: &mut String, entry: &Entry) {
    if !entry.when.is_empty() || !entry.stages.is_empty() {
        text.push_str("\n## When you see it\n\n");
        for source in &entry.when {
            let _ = match server(source.mta) {
                "" => writeln!(text, "- {}", escaped(&source.text)),
                server => writeln!(text, "- {server}: {}", escaped(&source.text)),
            };
        }
        if !entry.stages.is_empty() {
            let _ = writeln!(text, "- At {}", escaped(&entry.stages.join(", ")));
        }
    }
    if !entry.variants.is_empty() {
        text.push_str("\n## What it can mean\n\n| code | reason | meaning |\n|---|---|---|\n");
        for row in &entry.variants {
            let reason = row.reason.map(|reason| format!("`{}`", typed(reason))).unwrap_or_default();
            let _ = writeln!(text, "| {} | {reason} | {} |", escaped(&row.label), escaped(&row.text));
        }
    }
}

fn steps(text: &mut String, step: &AdviceStep) {
    let lead = [step.label.as_str(), server(step.mta)].join(" ");
    let lead = if lead.trim().is_empty() { String::new() } else { format!("**{}**: ", lead.trim()) };
    let _ = writeln!(text, "- {lead}{}", escaped(&step.line));
    for (name, lines) in [("check", &step.check), ("do", &step.act)] {
        for line in lines {
            let _ = writeln!(text, "  - {name}: {}", escaped(line));
        }
    }
    if !step.stop.is_empty() {
        let _ = writeln!(text, "  - stop: {}", escaped(&step.stop));
    }
}

fn named(text: &mut String, rows: &[NamedCode]) {
    for row in rows {
        let line = if row.text.is_empty() { String::new() } else { format!(": {}", escaped(&row.text)) };
        let _ = writeln!(text, "- {}{line}", escaped(&row.label));
    }
}

pub(crate) fn pair(pair: &Pair) -> String {
    let mut text = String::new();
    for unknown in &pair.unknown {
        text.push_str(&entry(unknown));
    }
    if !pair.unknown.is_empty() {
        return text;
    }
    let [a, b] = &pair.labels;
    let [name, other] = &pair.names;
    let _ = write!(text, "# {a} and {b}\n\n| | {a} {name} | {b} {other} |\n|---|---|---|\n");
    for row in &pair.rows {
        let [a, b] = row.cells.each_ref().map(|cell| escaped(cell));
        let _ = writeln!(text, "| {} | {a} | {b} |", row.title);
    }
    text.push_str("\n## Key differences\n\n");
    for line in &pair.differences {
        let _ = writeln!(text, "- {}", escaped(line));
    }
    let _ = write!(text, "\n## Rule of thumb\n\n{}\n\n## The catch\n\n", escaped(&pair.rule_of_thumb));
    for line in &pair.catch {
        let _ = writeln!(text, "{}  ", escaped(line));
    }
    let _ = write!(text, "\n## Sources\n\n{}\n", escaped(&pair.sources.join("; ")));
    text
}

pub(crate) fn codes(codes: &Codes) -> String {
    let mut text = format!("# Reply codes, catalogue of {}\n\n", codes.catalogue);
    text.push_str("| code | class | name | meaning | source |\n|---|---|---|---|---|\n");
    for row in &codes.codes {
        let class = class_words(row.class);
        let cells = [&row.name, &row.meaning, &row.source].map(|cell| escaped(cell));
        let _ = writeln!(text, "| {} | {class} | {} |", row.code, cells.join(" | "));
    }
    text
}

/// Escapes the characters that Markdown takes for markup.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in printable(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '<' | '>' | '|' | '#' | '[' | ']' | '&' | '~') {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
}
