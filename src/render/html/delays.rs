//! Renders how long delivered mail took, as HTML.

use maud::{Markup, html};

use crate::render::text::delays::{COLUMNS, cells, name, shown, verdict};
use crate::render::text::page::TextStyle;
use crate::report::DelayRow;

pub(crate) fn table(rows: &[DelayRow], style: &TextStyle) -> Markup {
    let words = &style.words;
    html! {
        section {
            h2 { (words.translate("DELAYS in seconds")) }
            @if rows.is_empty() { p { (words.translate("No line shows how long a delivery took.")) } }
            @for row in shown(rows, style) {
                h3 { (name(row, words)) }
                @if let Some(verdict) = verdict(row, words) { p.advice { (verdict) } }
                table.domains {
                    thead {
                        tr {
                            th scope="col" {}
                            @for title in COLUMNS { th.n scope="col" { (words.translate(title)) } }
                        }
                    }
                    tbody {
                        @for phase in &row.phases {
                            tr {
                                th scope="row" { (words.translate(phase.title)) }
                                @for cell in cells(phase) { td.n { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
