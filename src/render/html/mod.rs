//! Renders the report as one HTML file that loads nothing from elsewhere: charts, tables and advice, for a screen or paper.
//!
//! Promises: every value from a log is escaped. May use: what render may use.

pub(crate) mod bar;
pub(crate) mod chart;
pub(crate) mod delays;
pub(crate) mod details;
pub(crate) mod domains;
pub(crate) mod faults;
pub(crate) mod head;
pub(crate) mod names;
pub(crate) mod table;

use indicatif::HumanCount;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::faults::AnchoredRow;
use super::sanitize::printable;
use super::text::page::TextStyle;
use super::words::sections::sections;
use super::words::totals::{notes, sums};
use super::words::warnings;
use crate::catalog::translation::Translations;
use crate::report::{Full, Report};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");

/// The Content-Security-Policy: nothing is loaded, and only our own style and script apply, even if markup from a log were
/// not escaped. The hashes are those of the two files above; when they change, a test prints the right ones.
const POLICY: &str = "default-src 'none'; style-src 'sha256-K/+UKJB3ZYCoQAWr4IhPBmEsK105Z4c69Xr+/qDNYXI='; script-src 'sha256-abUmtlkz3ufMwSb2q5c/sdBaU3rbNBaKNSA3gtdX814='; \
    base-uri 'none'; form-action 'none'";

pub(crate) fn show(report: &Report, style: &TextStyle) -> String {
    let words = &style.words;
    let hosts: Vec<String> = report.hosts.iter().take(3).map(|host| printable(host)).collect();
    let heading = words.translate("SMTP report");
    let title =
        if hosts.is_empty() { heading.to_owned() } else { format!("{heading}: {}", hosts.join(", ")) };
    let rows = if report.groups.is_some() { Vec::new() } else { faults::anchored(report, style) };
    page(
        &title,
        style,
        &html! {
            (head::head(report, &title, &rows, words))
            (head::contents(&rows, report, &parts(report, style, &rows), words))
            main {
                (head::totals(report, words))
                (faults::filter_bar(&rows, words))
                @if let Some(groups) = &report.groups {
                    (table::groups(groups, style))
                } @else {
                    (faults::sections(&rows, report, style))
                }
                (warnings(report, words))
                (chart::timeline(&report.timeline, words))
                @if report.groups.is_none() {
                    @if !style.who { (domains::table(report, style)) }
                    (names::outlier_section(report, words))
                }
                (names::host_table(report, style))
                @if style.who { (names::all_tables(report, style)) }
                @if let Some(rows) = &report.delays { (delays::table(rows, style)) }
                @if report.groups.is_none() {
                    (details::reasons(&rows, report, style))
                    (details::domains(report, &rows, style))
                    (codes(report, style))
                }
                (full_advice(&report.full_advice, words))
                (foot(report, words))
            }
        },
    )
}

/// A page with its head, style and script.
pub(crate) fn page(title: &str, style: &TextStyle, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang=(style.tag) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (content)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let mut page = page.into_string();
    page.push('\n');
    page
}

/// The parts of the page behind the sections: their anchors and titles.
fn parts(report: &Report, style: &TextStyle, rows: &[AnchoredRow]) -> Vec<(&'static str, &'static str)> {
    let is_plain = report.groups.is_none();
    let domains = is_plain && domains::has_failing(report);
    let parts = [
        (chart::has_timeline(&report.timeline), "time", "OVER TIME"),
        (domains && !style.who, "domains", "DOMAINS"),
        (!rows.is_empty(), "reasons", "EACH REASON"),
        (domains, "each-domain", "EACH DOMAIN"),
        (is_plain && !report.rows.is_empty(), "codes", "ALL REPLIES BY CODE"),
    ];
    parts.into_iter().filter(|(is_there, ..)| *is_there).map(|(_, id, title)| (id, title)).collect()
}

/// The tables by code, and the totals as sums: both count attempts.
fn codes(report: &Report, style: &TextStyle) -> Markup {
    let words = &style.words;
    html! {
        @if !report.rows.is_empty() {
            section #codes {
                h2 { (words.translate("ALL REPLIES BY CODE")) small { (words.translate("in attempts: a message that is retried has several")) } }
                dl.sums {
                    @for sum in sums(report, words) {
                        dt { (words.translate(sum.name)) }
                        dd { (sum.line) }
                        @if let Some(detail) = sum.detail { dd.soft { (detail) } }
                    }
                }
                @for section in sections(&report.rows, style.top, style.reverse) {
                    (table::section(&section, words))
                }
            }
        }
    }
}

/// The servers' own warnings that need attention.
fn warnings(report: &Report, words: &Translations) -> Markup {
    let (shown, rest) = warnings::entries(report, words);
    html! {
        @if !shown.is_empty() {
            section #warnings {
                h2 { (words.translate("SERVER WARNINGS")) small { (words.translate("often the cause of what is above")) } }
                dl.facts {
                    @for entry in &shown {
                        dt { (HumanCount(entry.lines)) }
                        dd {
                            p { b { (printable(warnings::title(entry.row, words))) } }
                            p.soft { code { (printable(&warnings::text(entry.row))) } }
                            @if let Some(advice) = &entry.row.advice {
                                p.advice { (printable(words.translate(advice))) }
                            }
                        }
                    }
                }
                @if let Some(rest) = rest { p.soft { (rest) } }
            }
        }
    }
}

/// The complete advice for each reason (`--advice full`).
fn full_advice(advice: &[Full], words: &Translations) -> Markup {
    html! {
        @for entry in advice {
            section {
                h2 { (words.translate(&entry.title)) small { (words.translate(entry.side)) } }
                p { (words.translate(&entry.meaning)) }
                p.advice { (printable(words.translate(&entry.line))) }
                dl.facts {
                    @for (name, lines) in [("check", &entry.check), ("do", &entry.act), ("sources", &entry.sources)] {
                        @if !lines.is_empty() {
                            dt { (words.translate(name)) }
                            dd { @for line in lines { p { code { (printable(line)) } } } }
                        }
                    }
                    @if !entry.stop.is_empty() { dt { (words.translate("stop")) } dd { (printable(&entry.stop)) } }
                }
            }
        }
    }
}

fn foot(report: &Report, words: &Translations) -> Markup {
    let notes = notes(report, words);
    let unread = report.input.not_understood_lines.first();
    html! {
        footer {
            @if !notes.is_empty() { ul.notes { @for note in notes { li { (printable(&note)) } } } }
            @if let Some(line) = unread {
                p { (words.translate("Not understood, for example")) ":" }
                pre { (printable(line)) }
            }
            p { "smtplog " (env!("CARGO_PKG_VERSION")) }
        }
    }
}
