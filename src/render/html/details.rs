//! Renders a section for each reason and for each of the domains with most failures: trend, replies, senders, latest lines and
//! advice.

use indicatif::HumanCount;
use maud::{Markup, html};

use super::chart::trend;
use super::domains::{DomainRate, domain_id};
use super::faults::{AnchoredRow, fates, section_id};
use crate::catalog;
use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::text::explain_page::typed;
use crate::render::text::page::{TextStyle, quoted, word};
use crate::render::words::fault;
use crate::report::{CodeCount, FailingDomain, FaultRow, FaultTotals, NameCount, Report, SenderCount};
use crate::smtp::event::Direction;

/// The sections of all reasons that have a row.
pub(crate) fn reasons(rows: &[AnchoredRow], report: &Report, style: &TextStyle) -> Markup {
    html! {
        @if !rows.is_empty() {
            section #reasons {
                h2 { (style.words.translate("EACH REASON")) }
                @for row in rows { (reason(row, report, style)) }
            }
        }
    }
}

fn reason(anchored: &AnchoredRow, report: &Report, style: &TextStyle) -> Markup {
    let (AnchoredRow { id, section, row }, words) = (anchored, &style.words);
    let cause = row.cause.map(|cause| &catalog::cause_row(cause).meaning);
    let meaning = cause.unwrap_or_else(|| &catalog::reason_row(row.reason).meaning);
    html! {
        section.item.detail id=(id) data-direction=(typed(row.direction)) data-fate=(fates(&row.totals).join(" ")) {
            h3 {
                (fault::title(row, words))
                small { a href={ "#" (section_id(section.action)) } { (words.translate(section.title)) } }
            }
            p { (words.translate(meaning)) }
            p.soft { (counts(row, report, words)) }
            @if let Some(advice) = &row.advice { p.advice { (printable(words.translate(advice))) } }
            (trend(&row.trend, report.trend.as_ref(), words))
            dl.facts {
                (codes(&row.codes, row.direction, words))
                (names(if row.direction == Direction::Inbound { "clients" } else { "domains" }, &row.wheres, report, words))
                (senders(&row.senders, words))
            }
            (lines(&row.examples, words))
            (command(&format!("smtplog --reason {}", word(&row.reason)), style))
        }
    }
}

/// `902 waiting, 3 bounced: 2.1% of 43,029 outgoing messages; Mon 2 Nov 06:10 – Sun 8 Nov 23:51`
fn counts(row: &FaultRow, report: &Report, words: &Translations) -> String {
    let FaultTotals { waiting, held, delayed, bounced, expired, rejected } = row.totals;
    let parts = [
        (waiting, "waiting"),
        (held, "held"),
        (delayed, "delivered late"),
        (bounced, "bounced"),
        (expired, "expired"),
        (rejected, "refused"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> =
        parts.map(|(count, word)| format!("{} {}", HumanCount(*count), words.translate(word))).collect();
    let messages = &report.totals.messages;
    let (part, whole, unit) = match row.direction {
        Direction::Outbound => {
            (row.totals.failed(), messages.outgoing.messages, ["outgoing message", "outgoing messages"])
        }
        Direction::Local => {
            (row.totals.failed(), messages.local.messages, ["local message", "local messages"])
        }
        Direction::Inbound => (rejected, report.totals.inbound.refused, ["refusal", "refusals"]),
    };
    let share = (whole > 0 && part > 0).then(|| {
        let share = fault::percent(part, whole);
        format!(": {share} {} {}", words.translate("of"), fault::counted(whole, unit, words))
    });
    let at = |text: &Option<String>| {
        let range = report.range.as_ref();
        let at = text.as_deref().and_then(|text| fault::in_zone(text, range));
        at.map(|at| at.strftime("%a %-d %b %H:%M").to_string())
    };
    let times = match (at(&row.first), at(&row.last)) {
        (Some(first), Some(last)) if first == last => format!("; {first}"),
        (Some(first), Some(last)) => format!("; {first} – {last}"),
        _ => String::new(),
    };
    format!("{}{}{times}", parts.join(", "), share.unwrap_or_default())
}

fn codes(codes: &[CodeCount], direction: Direction, words: &Translations) -> Markup {
    let shown = codes
        .iter()
        .map(|code| format!("{}: {}", fault::code(code, direction, words), HumanCount(code.attempts)));
    fact("replies", &shown.collect::<Vec<_>>().join(" · "), words)
}

/// Domains that have a section are linked.
fn names(name: &'static str, counts: &[NameCount], report: &Report, words: &Translations) -> Markup {
    html! {
        @if !counts.is_empty() {
            dt { (words.translate(name)) }
            dd {
                @for (at, count) in counts.iter().enumerate() {
                    @if at > 0 { " · " }
                    @if let Some(id) = domain_id(report, &count.name) {
                        a href={ "#" (id) } { (printable(&count.name)) }
                    } @else { (printable(&count.name)) }
                    ": " (HumanCount(count.attempts))
                }
            }
        }
    }
}

fn senders(senders: &[SenderCount], words: &Translations) -> Markup {
    let shown =
        senders.iter().map(|sender| format!("{}: {}", printable(&sender.name), HumanCount(sender.messages)));
    fact("senders", &shown.collect::<Vec<_>>().join(" · "), words)
}

/// A name and its value; nothing without a value.
fn fact(name: &'static str, value: &str, words: &Translations) -> Markup {
    html! {
        @if !value.is_empty() {
            dt { (words.translate(name)) }
            dd { (value) }
        }
    }
}

fn lines(examples: &[String], words: &Translations) -> Markup {
    html! {
        @if !examples.is_empty() {
            details {
                summary { (words.translate("latest lines")) }
                @for example in examples { pre { (printable(example)) } }
            }
        }
    }
}

/// The command that lists what a section sums up.
fn command(command: &str, style: &TextStyle) -> Markup {
    let input = if style.input.is_empty() { String::new() } else { format!(" {}", printable(&style.input)) };
    html! { p.soft { code { (command) (input) } } }
}

/// The sections of the domains with most failures.
pub(crate) fn domains(report: &Report, rows: &[AnchoredRow], style: &TextStyle) -> Markup {
    let words = &style.words;
    html! {
        @if !report.failing_domains.is_empty() {
            section #each-domain {
                h2 { (words.translate("EACH DOMAIN")) small { (words.translate("those with most failures")) } }
                @for domain in &report.failing_domains { (domain_section(domain, report, rows, style)) }
            }
        }
    }
}

fn domain_section(
    domain: &FailingDomain,
    report: &Report,
    rows: &[AnchoredRow],
    style: &TextStyle,
) -> Markup {
    let words = &style.words;
    let id = domain_id(report, &domain.name).unwrap_or_default();
    let rate = report.domains.iter().find(|row| row.name == domain.name).map(DomainRate::of);
    html! {
        section.item.detail id=(id) data-direction=(typed(Direction::Outbound)) {
            h3 { (printable(&domain.name)) small { a href="#domains" { (words.translate("DOMAINS")) } } }
            @if let Some(rate) = rate { p.soft { (rate.sentence(words)) } }
            (trend(&domain.trend, report.trend.as_ref(), words))
            @if !domain.faults.is_empty() {
                ul.reasons {
                    @for fault in &domain.faults {
                        li {
                            @let anchor = rows.iter().find(|other| {
                                let other = other.row;
                                (other.direction, other.reason) == (fault.direction, fault.reason)
                                    && (other.cause == fault.cause || other.cause.is_none())
                            });
                            @if let Some(anchor) = anchor {
                                a href={ "#" (anchor.id) } { (words.translate(&fault.title)) }
                            } @else { (words.translate(&fault.title)) }
                            ": " (fault::counted(fault.attempts, ["attempt", "attempts"], words))
                            @if let Some(advice) = &fault.advice {
                                div.advice { (printable(words.translate(advice))) }
                            }
                        }
                    }
                }
            }
            dl.facts {
                (codes(&domain.codes, Direction::Outbound, words))
                (senders(&domain.senders, words))
            }
            (lines(&domain.examples, words))
            // With the sign, a name that begins with a hyphen is no option.
            (command(&format!("smtplog --domain={}", quoted(&printable(&domain.name))), style))
        }
    }
}
