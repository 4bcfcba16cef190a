//! Renders the head of the page: which log, the share that was delivered, the verdict, and the mail of each direction.

use indicatif::{DecimalBytes, HumanCount};
use maud::{Markup, html};

use super::bar::bar;
use super::faults::{AnchoredRow, section_id};
use crate::catalog::Action;
use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::text::first_screen::span;
use crate::render::text::storm_line::storm_text;
use crate::render::words::duration::duration;
use crate::render::words::fault::{self, counted, percent, states};
use crate::render::words::totals::{all_well, coverage, filter};
use crate::render::words::verdict;
use crate::report::{DirectionTotals, Report, VerdictState};

pub(crate) fn head(report: &Report, title: &str, rows: &[AnchoredRow], words: &Translations) -> Markup {
    let files: Vec<String> = report.input.files.iter().take(3).map(|file| printable(file)).collect();
    let more = report.input.files.len().saturating_sub(3);
    let [read, mail] = coverage(report, words);
    html! {
        header {
            p.soft {
                (title)
                @if let Some(range) = &report.range { " · " (span(range)) }
                " · " (files.join(", "))
                @if more > 0 { " " (words.translate("and")) " " (more) " " (words.translate("more")) }
                ", " (DecimalBytes(report.input.bytes))
            }
            h1 { (headline(report, words)) }
            (verdict_card(report, rows, words))
            @if let Some(filter) = filter(report, words) { p.soft { (printable(&filter)) } }
            p.soft { (read) " · " (mail) }
        }
    }
}

/// `92.5% of 43,029 outgoing messages delivered`; without outgoing mail, the same of local mail, else what was refused.
pub(crate) fn headline(report: &Report, words: &Translations) -> String {
    let share = |flow: &DirectionTotals, unit: [&str; 2]| {
        format!(
            "{} {} {} {}",
            percent(flow.delivered, flow.messages),
            words.translate("of"),
            counted(flow.messages, unit, words),
            words.translate("delivered")
        )
    };
    let (messages, refused) = (&report.totals.messages, report.totals.inbound.refused);
    let attempts = report.totals.outbound.attempts;
    match (all_well(report), messages.outgoing.messages, messages.local.messages) {
        (_, 1.., _) => share(&messages.outgoing, ["outgoing message", "outgoing messages"]),
        (_, _, 1..) => share(&messages.local, ["local message", "local messages"]),
        _ if refused > 0 => format!("{} {}", HumanCount(refused), words.translate("refused by us")),
        (Some(english), ..) => words.translate(english).to_owned(),
        _ if attempts > 0 => counted(attempts, ["attempt", "attempts"], words),
        _ => words.translate("SMTP report").to_owned(),
    }
}

/// The verdict with its findings and storms, and the first row that somebody must act on.
fn verdict_card(report: &Report, rows: &[AnchoredRow], words: &Translations) -> Markup {
    let acts = |row: &&AnchoredRow| {
        !matches!(row.section.action, Action::JustWait | Action::Nothing) && row.row.totals.failed() > 0
    };
    let worst = rows.iter().find(acts);
    let state = report.verdict.as_ref().map(|verdict| verdict.state);
    let class = match state {
        Some(VerdictState::Ok) => "good",
        Some(VerdictState::Watch) => "transient",
        Some(VerdictState::Bad) => "permanent",
        None => "",
    };
    html! {
        @if state.is_some() || worst.is_some() {
            div.verdict.(class) {
                @if let Some(verdict) = &report.verdict {
                    p { b.state { (words.translate(verdict::word(verdict.state))) } }
                    @if verdict.findings.is_empty() { p { (words.translate(well(report))) } }
                    ul {
                        @for finding in &verdict.findings { li { (printable(&verdict::finding(finding))) } }
                        @for storm in report.storms.iter().flatten() {
                            li { b { (words.translate("STORM")) } " " (printable(&storm_text(storm, words))) }
                        }
                    }
                }
                @if let Some(AnchoredRow { id, section, row }) = worst {
                    p.worst {
                        b { (words.translate(section.title)) } ": "
                        a href={ "#" (id) } { (fault::title(row, words)) } ", "
                        (counted(row.totals.failed(), ["message", "messages"], words))
                        @let place = fault::place(row, words, 60, true);
                        @if !place.is_empty() { " · " (place) }
                    }
                    @if let Some(advice) = &row.advice { p.advice { (printable(words.translate(advice))) } }
                }
            }
        }
    }
}

/// Why the verdict is OK, in English.
fn well(report: &Report) -> &'static str {
    if report.baseline.is_some() {
        "nothing is far from the usual"
    } else if report.sections.is_empty() {
        "nothing was deferred, bounced or refused"
    } else {
        "no alarm limit is reached, and nothing is unusual for this log"
    }
}

/// The list of what is on the page, each with the number of its rows.
pub(crate) fn contents(
    rows: &[AnchoredRow],
    report: &Report,
    parts: &[(&str, &str)],
    words: &Translations,
) -> Markup {
    html! {
        nav.contents aria-label=(words.translate("Contents")) {
            ul {
                @for section in &report.sections {
                    @let count = rows.iter().filter(|row| row.section.action == section.action).count();
                    @if count > 0 {
                        li { a href={ "#" (section_id(section.action)) } { (words.translate(section.title)) } " " span.soft { (count) } }
                    }
                }
                @for (id, title) in parts { li { a href={ "#" (id) } { (words.translate(title)) } } }
            }
        }
    }
}

/// The mail of each direction in messages: a bar, and a tile for each state.
pub(crate) fn totals(report: &Report, words: &Translations) -> Markup {
    let messages = &report.totals.messages;
    let (refused, accepted) = (report.totals.inbound, messages.received);
    html! {
        (flow("OUTGOING", &messages.outgoing, report, words))
        (flow("LOCAL", &messages.local, report, words))
        @if refused.refused + accepted > 0 {
            div.flow {
                h2 { (words.translate("INCOMING")) }
                ul.tiles {
                    (tile("", accepted, None, words.translate(if accepted == 1 { "message accepted" } else { "messages accepted" })))
                    @if refused.refused > 0 || !report.input.may_hide_refusals() {
                        (tile("", refused.refused, None, words.translate("refused")))
                    }
                    @for (count, word) in [(refused.warned, "warned"), (refused.held, "held"), (refused.discarded, "discarded")] {
                        @if count > 0 { (tile("", count, None, words.translate(word))) }
                    }
                }
            }
        }
    }
}

fn flow(name: &str, flow: &DirectionTotals, report: &Report, words: &Translations) -> Markup {
    let shown = states(flow);
    let parts: Vec<(&str, u64, &str)> =
        shown.iter().map(|(state, count)| (state_class(state), *count, words.translate(state))).collect();
    html! {
        @if flow.messages > 0 {
            div.flow {
                h2 { (words.translate(name)) small { (counted(flow.messages, ["message", "messages"], words)) } }
                (bar(flow.messages, &parts))
                ul.tiles {
                    @for (class, count, word) in &parts { (tile(class, *count, Some(flow.messages), word)) }
                }
                (aside(flow, name, report, words))
            }
        }
    }
}

/// What the tiles do not show: late deliveries, the age of the queue, and our own notices.
fn aside(flow: &DirectionTotals, name: &str, report: &Report, words: &Translations) -> Markup {
    let messages = &report.totals.messages;
    let is_outgoing = name == "OUTGOING";
    let delayed = (flow.delayed > 0).then(|| {
        format!("{} {}", HumanCount(flow.delayed), words.translate("delivered late, after a deferral"))
    });
    let oldest = messages.oldest_seconds.filter(|age| is_outgoing && flow.waiting > 0 && *age >= 60);
    let oldest =
        oldest.map(|age| format!("{} {}", words.translate("the oldest waits for"), duration(words, age)));
    let notices = (is_outgoing && messages.notices > 0).then(|| {
        let written = counted(messages.notices, ["bounce notice of ours", "bounce notices of ours"], words);
        format!("{written} {}", words.translate("not counted"))
    });
    let parts: Vec<String> = [delayed, oldest, notices].into_iter().flatten().collect();
    html! { @if !parts.is_empty() { p.soft { (parts.join("; ")) } } }
}

fn tile(class: &str, count: u64, whole: Option<u64>, word: &str) -> Markup {
    html! {
        li class=(if count > 0 { class } else { "" }) {
            b data-value=(count) { (HumanCount(count)) }
            span { (word) @if let Some(whole) = whole { " " (percent(count, whole)) } }
        }
    }
}

fn state_class(state: &str) -> &'static str {
    match state {
        "delivered" => "good",
        "bounced" | "expired" => "permanent",
        "waiting" => "transient",
        _ => "",
    }
}
