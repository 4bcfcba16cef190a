//! Renders the tables by code, and the groups of `--by`.

use indicatif::HumanCount;
use maud::{Markup, html};

use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::text::explain_page::typed;
use crate::render::text::groups::{hidden, others, outcomes, shown, value};
use crate::render::text::page::{TextStyle, word};
use crate::render::words::fault::counted;
use crate::render::words::row;
use crate::render::words::sections::Section;
use crate::report::{GroupTable, NameCount, Row};
use crate::smtp::event::Outcome;
use crate::smtp::reply::Class;

/// The CSS class in `style.css`; empty without a class.
fn class_name(class: Option<Class>) -> &'static str {
    match class {
        Some(Class::Positive | Class::Intermediate) => "good",
        Some(Class::Transient) => "transient",
        Some(Class::Permanent) => "permanent",
        None => "",
    }
}

pub(crate) fn section(section: &Section, words: &Translations) -> Markup {
    let (cases, place) = if section.inbound { ("cases", "from") } else { ("rcpts", "where") };
    let changes = section.rows.iter().any(|row| row.change.is_some());
    html! {
        section {
            h3 { (words.translate(section.title)) small { (words.translate(section.meaning)) } }
            table.sortable.rows {
                thead {
                    tr {
                        th scope="col" { (words.translate("code")) }
                        th scope="col" { (words.translate("reason")) }
                        th.n scope="col" { (words.translate("attempts")) }
                        th.n.spare scope="col" { (words.translate(cases)) }
                        @if changes { th.n scope="col" { (words.translate("change")) } }
                        th.spare scope="col" { (words.translate(place)) }
                    }
                }
                tbody { @for row in &section.rows { (line(row, cases, changes, words)) } }
                @if let Some(others) = &section.others {
                    tfoot {
                        tr {
                            td {}
                            td { (words.translate("others")) " (" (counted(others.kinds as u64, ["kind", "kinds"], words)) ")" }
                            td.n { (HumanCount(others.attempts)) }
                            td.n.spare { (HumanCount(others.recipients)) }
                            @if changes { td.n {} }
                            td.spare {}
                        }
                    }
                }
            }
        }
    }
}

fn line(row: &Row, cases: &str, changes: bool, words: &Translations) -> Markup {
    let place = row::place(words, row);
    html! {
        tr.item.(class_name(row.class)) data-direction=(typed(row.direction)) data-fate=(fate(row.outcome)) {
            td.code { (row::code(words, row)) }
            td {
                (row::title(words, row))
                @if let Some(conflict) = row.conflict { " " span.mark { (words.translate(conflict)) } }
                @if let Some(advice) = &row.advice { div.advice { (printable(words.translate(advice))) } }
                div.where.soft {
                    (counted(row.recipients, if cases == "cases" { ["case", "cases"] } else { ["rcpt", "rcpts"] }, words))
                    @if !place.is_empty() { " · " (place) }
                }
                (facts(row, words))
            }
            td.n data-value=(row.attempts) { (HumanCount(row.attempts)) }
            td.n.spare data-value=(row.recipients) { (HumanCount(row.recipients)) }
            // A new row sorts above every percentage.
            @if changes {
                @let percent = row.change.map_or(0, |change| change.percent.unwrap_or(i64::MAX));
                td.n data-value=(percent) { (row::change(words, row.change)) }
            }
            td.spare { (place) }
        }
    }
}

/// The outcome as the filter chips call it; empty: no chip is about it.
fn fate(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Deferred => "waiting delayed",
        Outcome::Bounced => "bounced",
        Outcome::Expired => "expired",
        Outcome::Rejected => "refused",
        Outcome::Delivered
        | Outcome::Attempt
        | Outcome::Warned
        | Outcome::Held
        | Outcome::Discarded
        | Outcome::Probe => "",
    }
}

/// The details of a row, folded.
fn facts(row: &Row, words: &Translations) -> Markup {
    let names = |counts: &[NameCount]| {
        let counts =
            counts.iter().map(|count| format!("{} {}", printable(&count.name), HumanCount(count.attempts)));
        counts.collect::<Vec<_>>().join(", ")
    };
    let stages =
        row.stages.iter().map(|stage| format!("{} {}", typed(stage.stage), HumanCount(stage.attempts)));
    let facts = [
        ("first", row.first.clone().unwrap_or_default()),
        ("last", row.last.clone().unwrap_or_default()),
        ("stage", stages.collect::<Vec<_>>().join(", ")),
        ("provider", names(&row.providers)),
        ("where", names(&row.wheres)),
    ];
    html! {
        details {
            summary { (words.translate("details")) }
            dl.facts {
                @for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
                    dt { (words.translate(name)) }
                    dd { (fact) }
                }
            }
            @if row.examples.is_empty() {
                @if let Some(example) = &row.example { pre { (printable(example)) } }
            } @else {
                @for example in &row.examples { pre { (printable(example)) } }
            }
        }
    }
}

pub(crate) fn groups(table: &GroupTable, style: &TextStyle) -> Markup {
    let outcomes = outcomes(table);
    let by: Vec<String> = table.by.iter().map(word).collect();
    html! {
        section {
            h2 { (style.words.translate("GROUPS")) small { (by.join(", ")) } }
            div.wide {
                table.sortable {
                    thead {
                        tr {
                            @for by in &by { th scope="col" { (by) } }
                            @for (title, _) in &outcomes { th.n scope="col" { (style.words.translate(title)) } }
                        }
                    }
                    tbody {
                        @for row in shown(table, style) {
                            tr.item {
                                @for key in &row.keys { td { (value(key)) } }
                                @for (_, count) in &outcomes {
                                    td.n data-value=(count(row)) { (HumanCount(count(row))) }
                                }
                            }
                        }
                    }
                    @if let Some(others) = others(table, style) {
                        @let rest = hidden(table, style);
                        tfoot {
                            tr {
                                td colspan=(table.by.len()) { (others) }
                                @for (_, count) in &outcomes {
                                    td.n { (HumanCount(rest.iter().map(|row| count(row)).sum())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
