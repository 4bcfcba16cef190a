//! Draws the charts of the HTML report as inline SVG, each with its numbers as a table.

use std::collections::BTreeMap;

use indicatif::HumanCount;
use maud::{Markup, html};

use super::bar::bar;
use super::parts::is_failure;
use crate::catalog::translation::Translations;
use crate::render::text::explain_page::typed;
use crate::render::text::page::TextStyle;
use crate::render::words::hours::{Bucket, buckets};
use crate::report::{Hour, Report};
use crate::smtp::event::Direction;
use crate::smtp::reply::Class;

/// One part of the stacked columns of a chart: CSS class, name, and count in a bucket.
type ChartSeries = (&'static str, &'static str, fn(&Bucket) -> u64);

/// Each chart has its own scale: on one scale, delivered mail would hide the rest.
const CHARTS: [(&str, &[ChartSeries]); 3] = [
    ("sent", &[("good", "sent", |bucket| bucket.delivered)]),
    (
        "not sent",
        &[
            ("transient", "deferred", |bucket| bucket.deferred),
            ("permanent", "bounced", |bucket| bucket.bounced),
            ("", "expired", |bucket| bucket.expired),
        ],
    ),
    (
        "refused by us",
        &[
            ("transient", "4xx", |bucket| bucket.transient),
            ("permanent", "5xx", |bucket| bucket.permanent),
            ("", "without a code", |bucket| bucket.unspecified),
        ],
    ),
];

/// Empty for a log shorter than two hours, whose totals say the same.
pub(crate) fn timeline(hours: &[Hour], words: &Translations) -> Markup {
    let (buckets, length) = buckets(hours);
    html! {
        @if buckets.len() > 1 {
            section {
                h2 { (words.translate("OVER TIME")) small { (words.translate("per bar")) ": " (bucket_length(length)) } }
                @for (name, series) in CHARTS { (chart(name, series, &buckets, length, words)) }
                (numbers(&buckets, length, words))
            }
        }
    }
}

fn chart(
    name: &str,
    series: &[ChartSeries],
    buckets: &[Bucket],
    length: i64,
    words: &Translations,
) -> Markup {
    let height = |bucket: &Bucket| series.iter().map(|(_, _, count)| count(bucket)).sum::<u64>();
    let peak = buckets.iter().map(height).max().unwrap_or(0);
    // The first of several equal peaks.
    let peak_at = buckets.iter().find(|bucket| height(bucket) == peak);
    let peak_start = peak_at.map(|bucket| start(bucket, length)).unwrap_or_default();
    let present: Vec<&ChartSeries> =
        series.iter().filter(|(_, _, count)| buckets.iter().any(|bucket| count(bucket) > 0)).collect();
    let summary =
        format!("{}: {} {} {peak_start}", words.translate(name), words.translate("peak"), HumanCount(peak));
    let middle = if buckets.len() > 6 { buckets.get(buckets.len() / 2) } else { None };
    let ticks = [buckets.first(), middle, buckets.last()].into_iter().flatten();
    html! {
        @if peak > 0 {
            figure {
                figcaption {
                    b { (words.translate(name)) }
                    @for (class, word, _) in &present { span class={ "key " (class) } { (words.translate(word)) } }
                    span.peak { (words.translate("peak")) " " (HumanCount(peak)) ", " (peak_start) }
                }
                svg.hours viewBox={ "0 0 " (buckets.len() * 10) " 100" } preserveAspectRatio="none" role="img" {
                    title { (summary) }
                    @for (at, bucket) in buckets.iter().enumerate() { (column(at, bucket, &present, peak, length, words)) }
                }
                div.axis aria-hidden="true" { @for bucket in ticks { span { (start(bucket, length)) } } }
            }
        }
    }
}

fn column(
    at: usize,
    bucket: &Bucket,
    series: &[&ChartSeries],
    peak: u64,
    length: i64,
    words: &Translations,
) -> Markup {
    let some = series.iter().map(|(class, word, count)| (*class, *word, count(bucket)));
    let some: Vec<(&str, &str, u64)> = some.filter(|(_, _, count)| *count > 0).collect();
    let named =
        some.iter().map(|(_, word, count)| format!("{} {}", HumanCount(*count), words.translate(word)));
    let title = format!("{}: {}", start(bucket, length), named.collect::<Vec<_>>().join(", "));
    let mut top = 100.0;
    let stacked = some.iter().map(|&(class, _, count)| {
        let height = count as f64 * 100.0 / peak as f64;
        top -= height;
        (class, top, height)
    });
    let stacked: Vec<(&str, f64, f64)> = stacked.collect();
    html! {
        @if !some.is_empty() {
            g {
                title { (title) }
                @for (class, y, height) in stacked {
                    rect class=(class) x={ (at * 10) ".6" } y=(format!("{y:.2}")) width="8.8" height=(format!("{height:.2}")) {}
                }
            }
        }
    }
}

/// The length of a bucket: `6 h`, `28 d`.
fn bucket_length(hours: i64) -> String {
    if hours % 24 == 0 { format!("{} d", hours / 24) } else { format!("{hours} h") }
}

/// The start of a bucket: the date, with the time if buckets are shorter than a day.
fn start(bucket: &Bucket, length: i64) -> String {
    let form = if length % 24 == 0 { "%a %d %b %Y" } else { "%a %d %b %H:%M" };
    bucket.start.strftime(form).to_string()
}

/// The numbers of all charts as a folded table.
fn numbers(buckets: &[Bucket], length: i64, words: &Translations) -> Markup {
    let series: Vec<&ChartSeries> = CHARTS.iter().flat_map(|(_, series)| *series).collect();
    let present = series.into_iter().filter(|(_, _, count)| buckets.iter().any(|bucket| count(bucket) > 0));
    let present: Vec<&ChartSeries> = present.collect();
    html! {
        details {
            summary { (words.translate("numbers")) }
            table.hours {
                thead {
                    tr {
                        th scope="col" { (words.translate("time")) }
                        @for (_, word, _) in &present { th.n scope="col" { (words.translate(word)) } }
                    }
                }
                tbody {
                    @for bucket in buckets.iter().filter(|bucket| present.iter().any(|(_, _, count)| count(bucket) > 0)) {
                        tr {
                            th scope="row" { (start(bucket, length)) }
                            @for (_, _, count) in &present { td.n { (HumanCount(count(bucket))) } }
                        }
                    }
                }
            }
        }
    }
}

/// Failures with a 4xx code, with a 5xx code, and without either.
type ByClass = [u64; 3];

/// The most frequent reasons, by direction: replies to us and replies from us are never added.
pub(crate) fn reasons(report: &Report, style: &TextStyle) -> Markup {
    let words = &style.words;
    let mut counts: BTreeMap<(Direction, &str), ByClass> = BTreeMap::new();
    for row in report.rows.iter().filter(|row| is_failure(row)) {
        let [transient, permanent, unknown] = counts.entry((row.direction, &row.title)).or_default();
        match row.class {
            Some(Class::Transient) => *transient += row.attempts,
            Some(Class::Permanent) => *permanent += row.attempts,
            Some(Class::Positive | Class::Intermediate) | None => *unknown += row.attempts,
        }
    }
    let sum = |counts: &ByClass| counts.iter().sum::<u64>();
    let mut counts: Vec<((Direction, &str), ByClass)> = counts.into_iter().collect();
    counts.sort_by(|a, b| sum(&b.1).cmp(&sum(&a.1)).then(a.0.cmp(&b.0)));
    counts.truncate(if style.top == 0 { counts.len() } else { style.top });
    let most = counts.iter().map(|(_, counts)| sum(counts)).max().unwrap_or(0);
    html! {
        @if !counts.is_empty() {
            section {
                h2 { (words.translate("MOST FREQUENT REASONS")) }
                table.sortable.reasons {
                    thead {
                        tr {
                            th scope="col" { (words.translate("reason")) }
                            th scope="col" { (words.translate("direction")) }
                            th.n scope="col" { "4xx" }
                            th.n scope="col" { "5xx" }
                            th.n scope="col" { (words.translate("attempts")) }
                            th.draw { }
                        }
                    }
                    tbody {
                        @for ((direction, title), counts) in &counts {
                            @let [transient, permanent, unknown] = *counts;
                            tr {
                                th scope="row" { (words.translate(title)) }
                                td { (words.translate(&typed(*direction))) }
                                td.n data-value=(transient) { (HumanCount(transient)) }
                                td.n data-value=(permanent) { (HumanCount(permanent)) }
                                td.n data-value=(sum(counts)) { (HumanCount(sum(counts))) }
                                td.draw {
                                    (bar(most, &[
                                        ("transient", transient, "4xx"),
                                        ("permanent", permanent, "5xx"),
                                        ("", unknown, words.translate("without a code")),
                                    ]))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
