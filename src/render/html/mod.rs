//! Renders the report as one HTML file that loads nothing from elsewhere: charts, tables and advice, for a screen or paper.
//!
//! Promises: every value from a log is escaped. May use: what render may use.

pub(crate) mod bar;
pub(crate) mod chart;
pub(crate) mod delays;
pub(crate) mod names;
pub(crate) mod parts;
pub(crate) mod table;

use indicatif::{DecimalBytes, HumanCount};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::parts::{class_name, headline, main_row};
use super::sanitize::printable;
use super::text::page::TextStyle;
use super::text::scan::span;
use super::words::row;
use super::words::sections::sections;
use super::words::totals::{coverage, filter, notes, share, sums};
use super::words::warnings;
use crate::catalog::translation::Translations;
use crate::report::{Full, Report};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("sort.js");

/// The Content-Security-Policy: nothing is loaded, and only our own style and script apply, even if markup from a log were
/// not escaped. The hashes are those of the two files above; when they change, a test prints the right ones.
const POLICY: &str = "default-src 'none'; style-src 'sha256-/YS4QQYPi6klCJ0wm0KMg3fZnwk038/61C+DWqygedI='; script-src 'sha256-IFngCKW4037mhw/c1AFoWPWyXz+Gt3nCAD08jRRTx5k='; \
    base-uri 'none'; form-action 'none'";

pub(crate) fn show(report: &Report, style: &TextStyle) -> String {
    let words = &style.words;
    let hosts: Vec<String> = report.hosts.iter().take(3).map(|host| printable(host)).collect();
    let heading = words.translate("SMTP report");
    let title =
        if hosts.is_empty() { heading.to_owned() } else { format!("{heading}: {}", hosts.join(", ")) };
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
                (head(report, &title, words))
                main {
                    (tiles(report, words))
                    (totals(report, words))
                    (chart::timeline(&report.timeline, words))
                    @if let Some(groups) = &report.groups {
                        (table::groups(groups, style))
                    } @else {
                        @for section in sections(&report.rows, style.top, style.reverse) {
                            (table::section(&section, words))
                        }
                        (chart::reasons(report, style))
                        @if !style.who { (table::domains(&report.domains, style)) }
                        (names::outlier_section(report, words))
                    }
                    (names::host_table(report, style))
                    (warnings(report, words))
                    @if style.who { (names::all_tables(report, style)) }
                    @if let Some(rows) = &report.delays { (delays::table(rows, style)) }
                    (full_advice(&report.full_advice, words))
                    (foot(report, words))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let mut page = page.into_string();
    page.push('\n');
    page
}

/// The headline: what went wrong and how often, and below it the most frequent failure.
fn head(report: &Report, title: &str, words: &Translations) -> Markup {
    let files: Vec<String> = report.input.files.iter().take(3).map(|file| printable(file)).collect();
    let more = report.input.files.len().saturating_sub(3);
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
            @if let Some(row) = main_row(report) {
                div class={ "verdict " (class_name(row.class)) } {
                    p {
                        b { (row::code(words, row)) " " (row::title(words, row)) }
                        @if let Some(conflict) = row.conflict { " " span.mark { (words.translate(conflict)) } }
                    }
                    p.soft {
                        (HumanCount(row.attempts)) " " (words.translate("attempts"))
                        @let place = row::place(words, row);
                        @if !place.is_empty() { " · " (place) }
                    }
                    @if let Some(advice) = &row.advice { p.advice { (printable(words.translate(advice))) } }
                }
            }
        }
    }
}

fn tiles(report: &Report, words: &Translations) -> Markup {
    let (out, input) = (&report.totals.outbound, &report.input);
    let tile = |class: &str, count: u64, whole: u64, word: &str| {
        html! {
            li class=(if count > 0 { class } else { "" }) {
                b { (HumanCount(count)) }
                span { (words.translate(word)) @if whole > 0 { " " (share(count, whole)) } }
            }
        }
    };
    let refused = report.totals.inbound.refused;
    html! {
        ul.tiles {
            @if out.attempts > 0 {
                (tile("", out.attempts, 0, "attempts"))
                (tile("good", out.delivered, out.attempts, "sent"))
                (tile("transient", out.deferred, out.attempts, "deferred"))
                (tile("permanent", out.bounced, out.attempts, "bounced"))
                @if out.expired > 0 { (tile("permanent", out.expired, out.attempts, "expired")) }
            }
            @if refused > 0 { (tile("", refused, 0, "refused by us")) }
            (tile(if input.not_understood > 0 { "transient" } else { "" }, input.understood, input.mail, "understood"))
        }
    }
}

/// The totals, written as sums.
fn totals(report: &Report, words: &Translations) -> Markup {
    html! {
        dl.sums {
            @for sum in sums(report, words) {
                dt { (words.translate(sum.name)) }
                dd { (sum.line) }
                @if let Some(detail) = sum.detail { dd.soft { (detail) } }
            }
        }
        @let [read, mail] = coverage(report, words);
        p.soft { (read) " · " (mail) }
        @if let Some(filter) = filter(report, words) { p.soft { (printable(&filter)) } }
    }
}

/// The servers' own warnings that need attention.
fn warnings(report: &Report, words: &Translations) -> Markup {
    let (shown, rest) = warnings::entries(report, words);
    html! {
        @if !shown.is_empty() {
            section {
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
