//! Renders the sections by who must act: one row for each reason and cause, linked to its own section.

use std::collections::BTreeSet;

use indicatif::HumanCount;
use maud::{Markup, html};

use super::chart::spark;
use crate::catalog::Action;
use crate::catalog::translation::Translations;
use crate::render::sanitize::printable;
use crate::render::text::explain_page::typed;
use crate::render::text::page::{TextStyle, word};
use crate::render::words::fault;
use crate::report::{ActionSection, FaultRow, FaultTotals, PlaceKind, Report};

/// A row of failed messages and the anchor of its own section.
pub(crate) struct AnchoredRow<'a> {
    pub id: String,
    pub section: &'a ActionSection,
    pub row: &'a FaultRow,
}

/// The rows that the page shows, section by section.
pub(crate) fn anchored<'a>(report: &'a Report, style: &TextStyle) -> Vec<AnchoredRow<'a>> {
    let top = style.rows.filter(|rows| *rows > 0).unwrap_or(usize::MAX);
    let rows = report
        .sections
        .iter()
        .flat_map(|section| section.rows.iter().take(top).map(move |row| (section, row)));
    rows.enumerate()
        .map(|(number, (section, row))| AnchoredRow { id: format!("r{}", number + 1), section, row })
        .collect()
}

/// The id of the section of an action: `fix-here`.
pub(crate) fn section_id(action: Action) -> String {
    word(&action)
}

/// The CSS class of an action.
fn action_class(action: Action) -> &'static str {
    match action {
        Action::FixHere => "permanent",
        Action::CleanLists | Action::AskOrChange => "transient",
        Action::JustWait | Action::Nothing => "",
    }
}

/// What became of the messages of a row, as the filter chips call it.
pub(crate) fn fates(totals: &FaultTotals) -> Vec<&'static str> {
    let fates = [
        ("waiting", totals.waiting),
        ("held", totals.held),
        ("delayed", totals.delayed),
        ("bounced", totals.bounced),
        ("expired", totals.expired),
        ("refused", totals.rejected),
    ];
    fates.into_iter().filter(|(_, count)| *count > 0).map(|(name, _)| name).collect()
}

/// The provider of most of a row's attempts; empty: another place has most.
fn provider(row: &FaultRow) -> &str {
    let place = row.place.as_ref().filter(|place| place.kind == PlaceKind::Provider);
    place.map(|place| place.name.as_str()).unwrap_or_default()
}

/// The search box and the chips above all tables. The script shows them: without it they would do nothing.
pub(crate) fn filter_bar(rows: &[AnchoredRow], words: &Translations) -> Markup {
    let directions: BTreeSet<String> = rows.iter().map(|row| typed(row.row.direction)).collect();
    let fates: BTreeSet<&str> = rows.iter().flat_map(|row| fates(&row.row.totals)).collect();
    let providers: BTreeSet<&str> =
        rows.iter().map(|row| provider(row.row)).filter(|name| !name.is_empty()).collect();
    let chips = |key: &str, values: Vec<String>| {
        html! {
            @if values.len() > 1 {
                span.chips {
                    @for value in &values {
                        button type="button" data-key=(key) data-value=(value) aria-pressed="false" {
                            (printable(words.translate(value)))
                        }
                    }
                }
            }
        }
    };
    html! {
        div #filter role="search" hidden {
            label {
                span { (words.translate("Search")) }
                input #query type="search" autocomplete="off" spellcheck="false" placeholder=(words.translate("reason, code, domain, sender"));
            }
            (chips("direction", directions.into_iter().collect()))
            (chips("fate", fates.into_iter().map(str::to_owned).collect()))
            (chips("provider", providers.into_iter().map(str::to_owned).collect()))
            output #shown {}
        }
    }
}

pub(crate) fn sections(rows: &[AnchoredRow], report: &Report, style: &TextStyle) -> Markup {
    let mut order: Vec<&ActionSection> = report.sections.iter().collect();
    if style.reverse {
        order.reverse();
    }
    html! { @for section in order { (section_table(section, rows, report, style)) } }
}

/// A column of counts: its title, and the count.
type FaultCount = (&'static str, fn(&FaultTotals) -> u64);

/// The columns of counts that are not all 0, as in the text report: the section of a reason splits them.
fn count_columns(section: &ActionSection) -> Vec<FaultCount> {
    let sums = &section.totals;
    let waited = if sums.delayed > 0 { "waited" } else { "waiting" };
    let failed = if sums.expired > 0 { "failed" } else { "bounced" };
    let all: [FaultCount; 3] =
        [(waited, FaultTotals::waited), (failed, FaultTotals::lost), ("refused", |totals| totals.rejected)];
    all.into_iter().filter(|(_, count)| count(sums) > 0).collect()
}

fn section_table(
    section: &ActionSection,
    rows: &[AnchoredRow],
    report: &Report,
    style: &TextStyle,
) -> Markup {
    let words = &style.words;
    let mut shown: Vec<&AnchoredRow> =
        rows.iter().filter(|row| row.section.action == section.action).collect();
    if style.reverse {
        shown.reverse();
    }
    let columns = count_columns(section);
    let times = fault::got_through(report, words).filter(|_| section.action == Action::JustWait);
    let has_since = shown.iter().any(|row| row.row.since.is_some());
    let has_trend = shown.iter().any(|row| row.row.trend.len() > 1);
    html! {
        section id=(section_id(section.action)) {
            h2 class=(action_class(section.action)) {
                (words.translate(section.title))
                small {
                    (words.translate(section.meaning))
                    @if let Some(times) = times { "; " (times) }
                }
            }
            table.sortable.faults {
                thead {
                    tr {
                        th scope="col" { (words.translate("reason")) }
                        @for (title, _) in &columns { th.n scope="col" { (words.translate(title)) } }
                        @if has_trend { th.draw.spare { (words.translate("trend")) } }
                        th.place scope="col" { (words.translate("where")) }
                        @if has_since { th.since.spare scope="col" { (words.translate("since")) } }
                    }
                }
                tbody {
                    @for row in &shown { (fault_row(row, &columns, has_trend, has_since, report, words)) }
                }
                (rest(section, &columns, shown.len(), has_trend, has_since, words))
            }
        }
    }
}

fn fault_row(
    anchored: &AnchoredRow,
    columns: &[FaultCount],
    has_trend: bool,
    has_since: bool,
    report: &Report,
    words: &Translations,
) -> Markup {
    let AnchoredRow { id, row, .. } = anchored;
    let place = fault::place(row, words, 60, true);
    html! {
        tr.item data-direction=(typed(row.direction)) data-fate=(fates(&row.totals).join(" ")) data-provider=(printable(provider(row))) {
            th scope="row" {
                a href={ "#" (id) } { (fault::title(row, words)) }
                " " span.codes { (fault::codes(row, words)) }
                @if let Some(advice) = &row.advice { div.advice { (printable(words.translate(advice))) } }
                div.where.soft { (place) }
            }
            @for (_, count) in columns {
                @let count = count(&row.totals);
                td.n data-value=(count) { @if count > 0 { (HumanCount(count)) } @else { span.soft { "–" } } }
            }
            @if has_trend { td.draw.spare { (spark(&row.trend)) } }
            td.place { (place) }
            @if has_since { td.since.spare { (fault::since(row, report)) } }
        }
    }
}

/// The rows that `-n` hides, with their sums.
fn rest(
    section: &ActionSection,
    columns: &[FaultCount],
    shown: usize,
    has_trend: bool,
    has_since: bool,
    words: &Translations,
) -> Markup {
    let hidden = section.rows.get(shown..).unwrap_or_default();
    let mut sums = FaultTotals::default();
    for row in hidden {
        sums.add(&row.totals);
    }
    html! {
        @if !hidden.is_empty() {
            tfoot {
                tr {
                    td { (fault::counted(hidden.len() as u64, ["more reason", "more reasons"], words)) }
                    @for (_, count) in columns { td.n { (HumanCount(count(&sums))) } }
                    @if has_trend { td.spare {} }
                    td.place {}
                    @if has_since { td.spare {} }
                }
            }
        }
    }
}
