//! Renders the servers' own warnings that need attention, with what to do.

use indicatif::HumanCount;

use super::page::{TextPage, fit};
use super::rows::{HEADING, advice};
use crate::render::sanitize::printable;
use crate::render::words::warnings::{entries, text, title};
use crate::report::Report;

/// ```text
/// SERVER WARNINGS  the cause may be here
///   152  a milter does not answer
///        postfix warning: connect to Milter service inet:*: Connection refused
///      → Start the milter that the line names, …
/// ```
pub(crate) fn show(page: &mut TextPage, report: &Report) {
    let (shown, rest) = entries(report, &page.style.words);
    if shown.is_empty() {
        return;
    }
    page.blank();
    let heading =
        format!("{}  {}", page.say("SERVER WARNINGS"), page.say("often the cause of what is above"));
    let heading = page.styled(HEADING, &heading);
    page.line(&heading);
    let counts: Vec<String> = shown.iter().map(|entry| HumanCount(entry.lines).to_string()).collect();
    let widest = counts.iter().map(String::len).max().unwrap_or_default();
    for (entry, count) in shown.iter().zip(counts) {
        let width = page.style.width.saturating_sub(widest + 4).max(20);
        let name = fit(&printable(title(entry.row, &page.style.words)), width, page.style.unicode);
        page.line(&format!("  {count:>widest$}  {name}"));
        if entry.row.title.is_some() {
            let line = fit(&printable(&text(entry.row)), width, page.style.unicode);
            page.line(&format!("  {:widest$}  {line}", ""));
        }
        if let Some(text) = &entry.row.advice {
            advice(page, page.say(text));
        }
    }
    if let Some(rest) = rest {
        page.indented(&format!("  {rest}"), 4);
    }
}
