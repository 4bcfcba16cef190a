//! Renders the report for a customer as text, Markdown and HTML.

use std::fmt::Write;

use indicatif::HumanCount;
use maud::{Markup, html};

use super::{CustomerReport, CustomerRow};
use crate::catalog::translation::Translations;
use crate::render::html::page;
use crate::render::markdown_explain::escaped;
use crate::render::text::page::{TextPage, TextStyle};
use crate::render::text::rows::HEADING;
use crate::report::Report;

pub(crate) fn text(report: &Report, style: &TextStyle) -> String {
    let customer = CustomerReport::new(report, &style.words);
    let mut page = TextPage { text: String::new(), style };
    page.wrapped(&[&customer.title, &customer.period], "   ");
    page.blank();
    page.indented(&customer.headline, 0);
    for flow in &customer.flows {
        title(&mut page, &flow.title, "");
        let width = flow.states.iter().map(|(_, count, _)| HumanCount(*count).to_string().len()).max();
        for (state, count, share) in &flow.states {
            let count = HumanCount(*count).to_string();
            page.indented(&format!("  {count:>width$}  {state} ({share})", width = width.unwrap_or(0)), 4);
        }
    }
    if let Some(incoming) = &customer.incoming {
        title(&mut page, style.words.translate("Mail from outside"), "");
        page.indented(&format!("  {incoming}"), 2);
    }
    for group in &customer.groups {
        title(&mut page, &group.title, &group.meaning);
        let most = group.rows.iter().map(|row| row.messages).max().unwrap_or(0);
        let width = HumanCount(most).to_string().len();
        for row in &group.rows {
            let count = HumanCount(row.messages).to_string();
            let provider = provider(row, &style.words);
            let line = format!("  {count:>width$}  {} ({}{provider})", row.what, row.share);
            page.indented(&line, width + 4);
            if !row.advice.is_empty() {
                page.indented(&format!("{}{}", " ".repeat(width + 4), row.advice), width + 4);
            }
        }
    }
    if !customer.domains.is_empty() {
        title(&mut page, style.words.translate("Domains to which mail failed"), "");
        for domain in &customer.domains {
            let (failed, of) = (HumanCount(domain.failed), style.words.translate("of"));
            let line = format!("  {}: {failed} {of} {} ({})", domain.name, domain.finished, domain.share);
            page.indented(&line, 4);
        }
    }
    page.text
}

fn title(page: &mut TextPage, title: &str, meaning: &str) {
    page.blank();
    let heading = page.styled(HEADING, title);
    page.line(&heading);
    if !meaning.is_empty() {
        page.indented(meaning, 0);
    }
}

/// `, mostly google`; empty without a provider.
fn provider(row: &CustomerRow, words: &Translations) -> String {
    if row.provider.is_empty() {
        String::new()
    } else {
        format!(", {} {}", words.translate("mostly"), row.provider)
    }
}

pub(crate) fn markdown(report: &Report, style: &TextStyle) -> String {
    let (customer, words) = (CustomerReport::new(report, &style.words), &style.words);
    let mut text = format!("# {}\n\n{}\n", escaped(&customer.headline), escaped(&customer.period));
    for flow in &customer.flows {
        let _ = write!(text, "\n## {}\n\n", escaped(&flow.title));
        for (state, count, share) in &flow.states {
            let _ = writeln!(text, "- {} {} ({share})", HumanCount(*count), escaped(state));
        }
    }
    if let Some(incoming) = &customer.incoming {
        let title = escaped(words.translate("Mail from outside"));
        let _ = write!(text, "\n## {title}\n\n{}\n", escaped(incoming));
    }
    for group in &customer.groups {
        let _ = write!(text, "\n## {}\n\n{}\n\n", escaped(&group.title), escaped(&group.meaning));
        for row in &group.rows {
            let advice = if row.advice.is_empty() { String::new() } else { format!(" {}", row.advice) };
            let count = HumanCount(row.messages);
            let line = format!("{count}: {} ({}{}){advice}", row.what, row.share, provider(row, words));
            let _ = writeln!(text, "- {}", escaped(&line));
        }
    }
    if !customer.domains.is_empty() {
        let title = escaped(words.translate("Domains to which mail failed"));
        let names = ["domain", "failed", "finished", "rate"].map(|word| escaped(words.translate(word)));
        let _ = write!(text, "\n## {title}\n\n| {} |\n|---|--:|--:|--:|\n", names.join(" | "));
        for domain in &customer.domains {
            let (failed, finished, share) = (domain.failed, domain.finished, &domain.share);
            let _ = writeln!(text, "| {} | {failed} | {finished} | {share} |", escaped(&domain.name));
        }
    }
    text
}

pub(crate) fn html(report: &Report, style: &TextStyle) -> String {
    let (customer, words) = (CustomerReport::new(report, &style.words), &style.words);
    let content = html! {
        header {
            p.soft { (customer.title) @if !customer.period.is_empty() { " · " (customer.period) } }
            h1 { (customer.headline) }
        }
        main {
            @for flow in &customer.flows {
                div.flow {
                    h2 { (flow.title) }
                    ul.tiles {
                        @for (state, count, share) in &flow.states {
                            li { b { (HumanCount(*count)) } span { (state) " " (share) } }
                        }
                    }
                }
            }
            @if let Some(incoming) = &customer.incoming {
                h2 { (words.translate("Mail from outside")) }
                p { (incoming) }
            }
            @for group in &customer.groups {
                section {
                    h2 { (group.title) }
                    p { (group.meaning) }
                    (rows(&group.rows, words))
                }
            }
            (domains(&customer, words))
        }
    };
    page(&customer.title, style, &content)
}

fn rows(rows: &[CustomerRow], words: &Translations) -> Markup {
    html! {
        table.sortable.plain {
            thead {
                tr {
                    th scope="col" { (words.translate("reason")) }
                    th.n scope="col" { (words.translate("messages")) }
                    th.n scope="col" { (words.translate("share")) }
                }
            }
            tbody {
                @for row in rows {
                    tr {
                        th scope="row" {
                            (row.what)
                            @if !row.provider.is_empty() {
                                " " span.soft { "(" (words.translate("mostly")) " " (row.provider) ")" }
                            }
                            @if !row.advice.is_empty() { div.advice { (row.advice) } }
                        }
                        td.n data-value=(row.messages) { (HumanCount(row.messages)) }
                        td.n data-value=(row.messages) { (row.share) }
                    }
                }
            }
        }
    }
}

fn domains(customer: &CustomerReport, words: &Translations) -> Markup {
    html! {
        @if !customer.domains.is_empty() {
            section {
                h2 { (words.translate("Domains to which mail failed")) }
                table.sortable.plain {
                    thead {
                        tr {
                            th scope="col" { (words.translate("domain")) }
                            @for name in ["failed", "finished", "rate"] { th.n scope="col" { (words.translate(name)) } }
                        }
                    }
                    tbody {
                        @for domain in &customer.domains {
                            tr {
                                th scope="row" { (domain.name) }
                                td.n data-value=(domain.failed) { (HumanCount(domain.failed)) }
                                td.n data-value=(domain.finished) { (HumanCount(domain.finished)) }
                                td.n data-value=((domain.failed * 100_000).checked_div(domain.finished).unwrap_or(0)) { (domain.share) }
                            }
                        }
                    }
                }
            }
        }
    }
}
