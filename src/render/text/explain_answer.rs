//! Renders an explanation as a short answer: what it is, why we think so, and what to do now, in at most 15 lines at 80
//! columns.

use unicode_width::UnicodeWidthStr;

use super::explain::unknown;
use super::explain_page::{server, typed};
use super::page::{TextPage, TextStyle, wrap};
use crate::render::sanitize::printable;
use crate::report::explain::{AdviceStep, Entries, Entry, EntryKind, Fix, ReasonFinding, class_words};
use crate::smtp::event::Direction;
use crate::smtp::side::Side;

/// The largest number of lines of an answer, at 80 columns.
const MOST_LINES: usize = 15;
/// Width in columns of the labels.
const LABEL: usize = 6;

pub(crate) fn show(entries: &Entries, style: &TextStyle) -> String {
    let mut page = TextPage { text: String::new(), style };
    for (at, entry) in entries.entries.iter().enumerate() {
        if at > 0 {
            page.line("");
        }
        if entry.kind == EntryKind::Unknown {
            unknown(&mut page, entry);
        } else {
            answer(&mut page, entry);
        }
    }
    page.text
}

/// A labelled part of the answer. Parts are printed in order; of those that may be cut, the last go first.
struct Part {
    label: &'static str,
    text: String,
    may_be_cut: bool,
}

impl Part {
    fn new(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: text.into(), may_be_cut: false }
    }

    /// The number of lines that it takes.
    fn lines(&self, page: &TextPage) -> usize {
        wrap(&page.plain(page.say(&self.text)), page.style.width.saturating_sub(LABEL + 2).max(20)).len()
    }
}

fn answer(page: &mut TextPage, entry: &Entry) {
    let class = entry.class.map_or_else(String::new, |class| format!(" ({})", page.say(class_words(class))));
    let label = page.by_class(entry.class, &printable(&entry.label));
    page.line(&format!("{label}  {}{class}", page.say(&entry.name)));
    let mut parts = what(entry);
    parts.extend(entry.fixes.iter().take(shown_sides(entry)).flat_map(|fix| to_do(entry, fix)));
    cut(page, &mut parts);
    for part in &parts {
        page.labelled(0, part.label, LABEL, &part.text);
    }
    if !entry.sources.is_empty() {
        page.line(page.say("Everything known about it: smtplog explain --full"));
    }
}

/// A reply has one side, the known or the assumed one; a code is said by both.
fn shown_sides(entry: &Entry) -> usize {
    if entry.verdict.is_some() { 1 } else { 2 }
}

/// Removes parts from the end until the answer has at most [`MOST_LINES`] lines.
fn cut(page: &TextPage, parts: &mut Vec<Part>) {
    // The first line and the last.
    let length = |parts: &[Part]| 2 + parts.iter().map(|part| part.lines(page)).sum::<usize>();
    while length(parts) > MOST_LINES
        && let Some(last) = parts.iter().rposition(|part| part.may_be_cut)
    {
        parts.remove(last);
    }
}

/// What it is, and why we think so.
fn what(entry: &Entry) -> Vec<Part> {
    let mut parts = Vec::new();
    // A line without a result has no other part.
    let shown =
        if entry.verdict.is_none() && entry.kind == EntryKind::Line { entry.description.len() } else { 1 };
    let is = entry.description.iter().take(shown).enumerate();
    parts.extend(is.map(|(at, text)| Part::new(if at == 0 { "is" } else { "" }, text.clone())));
    if let (Some(phrase), None) = (&entry.phrase, &entry.verdict) {
        parts.push(Part::new("RFC", phrase.clone()));
    }
    let sender = (!entry.sender_does.is_empty()).then(|| format!("The sender {}.", entry.sender_does));
    parts.extend(sender.map(|text| Part { may_be_cut: true, ..Part::new("then", text) }));
    parts.extend(entry.verdict.iter().flat_map(why));
    if let (Some(_), Some(fix)) = (&entry.verdict, entry.fixes.first()) {
        parts.push(Part::new("side", side(fix, entry.assumed)));
    }
    if entry.verdict.is_none() {
        let means = entry.variants.iter().enumerate().map(|(at, variant)| {
            let reason = variant.reason.map(|reason| format!("{}: ", typed(reason))).unwrap_or_default();
            let label = if at == 0 { "can be" } else { "" };
            Part {
                may_be_cut: true,
                ..Part::new(label, format!("{} {reason}{}", variant.label, variant.text))
            }
        });
        parts.extend(means.take(5));
    }
    parts
}

/// How sure the reason is, who said it, and whether a retry helps.
fn why(verdict: &ReasonFinding) -> Vec<Part> {
    let cause = verdict.cause.map(|cause| format!(", {}", typed(cause))).unwrap_or_default();
    let by = verdict.provider_name.as_ref().map(|name| format!("; {name}")).unwrap_or_default();
    // A longer address does not fit on a line of 80 columns; --full prints it.
    let page = verdict.provider_page.iter().filter(|page| page.len() <= 72);
    let page = page.map(|page| Part { may_be_cut: true, ..Part::new("page", page.clone()) });
    let why = Part::new("why", format!("{}{cause}: {}{by}", typed(verdict.reason), verdict.why_sure));
    std::iter::once(why).chain(page).chain([Part::new("retry", verdict.retry_helps.clone())]).collect()
}

/// Which side said it, and whether that is assumed.
fn side(fix: &Fix, assumed: bool) -> String {
    let said = match (fix.direction, fix.side) {
        (Direction::Outbound, Side::OurNetwork) => "a server of your own network said it",
        (Direction::Outbound, Side::ThisHost | Side::Internet) => "their server said it to yours",
        (Direction::Inbound, Side::Internet) => "your server said it to a client",
        (Direction::Inbound, Side::OurNetwork) => "your server said it to a client of your own network",
        (Direction::Inbound, Side::ThisHost) => "your server said it to a program on this host",
        (Direction::Local, _) => "a delivery on this host",
    };
    if assumed { format!("{said} (assumed; else: --direction inbound or local)") } else { said.to_owned() }
}

/// What to do, for one side.
fn to_do(entry: &Entry, fix: &Fix) -> Vec<Part> {
    let label = match (entry.verdict.is_some(), fix.direction) {
        (true, _) => "do",
        (false, Direction::Outbound) => "they",
        (false, Direction::Inbound) => "we",
        (false, Direction::Local) => "local",
    };
    let mut lines = Vec::new();
    let mut details = Vec::new();
    for step in &fix.steps {
        let line = line(step);
        if !line.is_empty() && lines.iter().all(|(known, _): &(String, bool)| *known != line) {
            lines.push((line, !step.label.is_empty()));
        }
        details.extend(step.check.iter().map(|text| ("check", text)));
        details.extend(step.act.iter().map(|text| ("change", text)));
    }
    let first = |at: usize, label: &'static str| if at == 0 { label } else { "" };
    let mut parts: Vec<Part> = Vec::new();
    for (at, (text, may_be_cut)) in lines.into_iter().enumerate() {
        parts.push(Part { label: first(at, label), text, may_be_cut: may_be_cut && at > 0 });
    }
    let mut before = "";
    for (label, text) in details {
        let shown = if label == before { "" } else { label };
        parts.push(Part { label: shown, text: text.clone(), may_be_cut: true });
        before = label;
    }
    parts
}

/// The line of a step, after the case and the server that it is for.
fn line(step: &AdviceStep) -> String {
    let server = server(step.mta);
    let case = [step.label.as_str(), server].into_iter().filter(|text| text.width() > 0);
    let case: Vec<&str> = case.collect();
    match (case.is_empty(), step.line.is_empty()) {
        (_, true) => String::new(),
        (true, false) => step.line.clone(),
        (false, false) => format!("{}: {}", case.join(", "), step.line),
    }
}
