//! Renders the names that stand out and, with `--who`, all tables of names, as HTML.

use indicatif::HumanCount;
use maud::{Markup, html};

use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::text::hosts;
use crate::render::text::names::{NameColumns, outliers, share_in_words, tables};
use crate::render::text::page::TextStyle;
use crate::report::Report;

pub(crate) fn outlier_section(report: &Report, words: &Translations) -> Markup {
    let outliers = outliers(report);
    html! {
        @if !outliers.is_empty() {
            section {
                h2 { (words.translate("WHO stands out")) }
                dl.facts {
                    @for outlier in &outliers {
                        dt { (words.translate(outlier.kind)) }
                        dd { b { (printable(outlier.name)) } " " (share_in_words(outlier, words)) }
                    }
                }
            }
        }
    }
}

/// The hosts that wrote the logs. Empty: there is only one.
pub(crate) fn host_table(report: &Report, style: &TextStyle) -> Markup {
    let words = &style.words;
    let (rows, hidden) = hosts::shown(report, style.top);
    html! {
        @if !rows.is_empty() {
            section {
                h2 { (words.translate("HOSTS")) }
                div.wide {
                    table.sortable.domains {
                        thead {
                            tr {
                                th scope="col" {}
                                @for title in hosts::COLUMNS { th.n scope="col" { (words.translate(title)) } }
                            }
                        }
                        tbody {
                            @for row in rows {
                                tr {
                                    th scope="row" { (hosts::name(row, words)) }
                                    @for cell in hosts::cells(row) { td.n { (cell) } }
                                }
                            }
                        }
                        @if let Some(others) = hosts::others(hidden, words) {
                            tfoot { tr { td { (others) } } }
                        }
                    }
                }
            }
        }
    }
}

pub(crate) fn all_tables(report: &Report, style: &TextStyle) -> Markup {
    html! {
        @for names in tables(report) { (table(&names, style)) }
    }
}

fn table(names: &NameColumns, style: &TextStyle) -> Markup {
    let words = &style.words;
    let columns = names.columns();
    html! {
        @for part in names.parts(style) {
            section {
                h2 { (words.translate(names.title)) small { (words.translate(part.meaning)) } }
                div.wide {
                    table.sortable.domains {
                        thead {
                            tr {
                                th scope="col" {}
                                @for (title, _) in &columns { th.n scope="col" { (words.translate(title)) } }
                            }
                        }
                        tbody {
                            @for row in &part.rows {
                                tr {
                                    th scope="row" { (printable(&row.name)) }
                                    @for (_, count) in &columns {
                                        td.n data-value=(count(&row.counts())) { (HumanCount(count(&row.counts()))) }
                                    }
                                }
                            }
                        }
                        @if !part.below.is_empty() {
                            tfoot {
                                @for (title, counts) in &part.below {
                                    tr {
                                        td { (title) }
                                        @for (_, count) in &columns { td.n { (HumanCount(count(counts))) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
