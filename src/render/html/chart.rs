//! Draws the charts of the page as inline SVG with values on their axes, each with its numbers in words or as a table.

use indicatif::HumanCount;
use jiff::{SignedDuration, Zoned};
use maud::{Markup, html};

use crate::catalog::translation::Translations;
use crate::render::words::hours::{Bucket, buckets};
use crate::report::{Hour, TrendAxis};

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

/// A log shorter than two hours has no charts: its totals say the same.
pub(crate) fn has_timeline(hours: &[Hour]) -> bool {
    buckets(hours).0.len() > 1
}

/// Empty without a timeline.
pub(crate) fn timeline(hours: &[Hour], words: &Translations) -> Markup {
    let (buckets, length) = buckets(hours);
    html! {
        @if buckets.len() > 1 {
            section id="time" {
                h2 {
                    (words.translate("OVER TIME"))
                    small { (words.translate("attempts")) ", " (words.translate("per bar")) ": " (bucket_length(length)) }
                }
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
    let top = axis_top(peak);
    let columns = buckets.iter().enumerate().map(|(at, bucket)| {
        let some = present.iter().map(|(class, word, count)| (*class, *word, count(bucket)));
        column(at, &start(bucket, length), &some.collect::<Vec<_>>(), top, words)
    });
    html! {
        @if peak > 0 {
            figure {
                figcaption {
                    b { (words.translate(name)) }
                    @for (class, word, _) in &present { span class={ "key " (class) } { (words.translate(word)) } }
                    span.peak { (words.translate("peak")) " " (HumanCount(peak)) ", " (peak_start) }
                }
                (plot(top, &summary, buckets.len(), columns, &ticks(buckets, length)))
            }
        }
    }
}

/// The parts of the log that a trend counts as columns, with values on both axes. Empty: all counts are 0.
pub(crate) fn trend(counts: &[u64], axis: Option<&TrendAxis>, words: &Translations) -> Markup {
    let Some(axis) = axis.filter(|_| counts.len() > 1) else { return html! {} };
    let peak = counts.iter().copied().max().unwrap_or(0);
    let top = axis_top(peak);
    let starts: Vec<String> = (0..counts.len()).map(|at| part_start(axis, at)).collect();
    let summary = spoken(counts);
    let columns = counts.iter().enumerate().map(|(at, &count)| {
        let start = starts.get(at).map(String::as_str).unwrap_or_default();
        column(at, start, &[("permanent", "failed", count)], top, words)
    });
    html! {
        @if peak > 0 {
            figure.small {
                figcaption {
                    b { (words.translate("trend")) }
                    span.soft {
                        (words.translate("failed messages")) ", "
                        (words.translate("per bar")) ": " (bucket_length(axis.hours.cast_signed()))
                    }
                }
                (plot(top, &summary, counts.len(), columns, &starts))
            }
        }
    }
}

/// The trend as a small picture in a row of a table.
pub(crate) fn spark(counts: &[u64]) -> Markup {
    let peak = counts.iter().copied().max().unwrap_or(0);
    html! {
        @if peak > 0 && counts.len() > 1 {
            svg.spark viewBox={ "0 0 " (counts.len() * 10) " 20" } preserveAspectRatio="none" role="img" {
                title { (spoken(counts)) }
                @for (at, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                    // Even one message is seen.
                    @let height = (count as f64 * 20.0 / peak as f64).max(1.5);
                    rect x={ (at * 10) ".6" } y=(format!("{:.2}", 20.0 - height)) width="8.8" height=(format!("{height:.2}")) {}
                }
            }
        }
    }
}

/// `12, 0, 3`
fn spoken(counts: &[u64]) -> String {
    counts.iter().map(|count| HumanCount(*count).to_string()).collect::<Vec<_>>().join(", ")
}

/// The columns between their axes.
fn plot(
    top: u64,
    summary: &str,
    width: usize,
    columns: impl Iterator<Item = Markup>,
    ticks: &[String],
) -> Markup {
    html! {
        div.plot {
            div.values aria-hidden="true" {
                span { (HumanCount(top)) }
                @if top.is_multiple_of(2) { span { (HumanCount(top / 2)) } }
                span { "0" }
            }
            svg.hours viewBox={ "0 0 " (width * 10) " 100" } preserveAspectRatio="none" role="img" {
                title { (summary) }
                @if top.is_multiple_of(2) { path.grid d={ "M0 50H" (width * 10) } {} }
                @for column in columns { (column) }
            }
            div.axis aria-hidden="true" { @for tick in ticks { span { (tick) } } }
        }
    }
}

/// The value at the top of an axis: the peak, rounded up to two digits, and even from 10 on.
fn axis_top(peak: u64) -> u64 {
    let mut step = 1;
    while peak / step >= 100 {
        step *= 10;
    }
    let top = peak.div_ceil(step) * step;
    if top > 9 && top % 2 == 1 { top + 1 } else { top }
}

/// One column: its parts from the bottom, with their names as its title.
fn column(
    at: usize,
    start: &str,
    parts: &[(&'static str, &'static str, u64)],
    top: u64,
    words: &Translations,
) -> Markup {
    let some: Vec<&(&str, &str, u64)> = parts.iter().filter(|(_, _, count)| *count > 0).collect();
    let named =
        some.iter().map(|(_, word, count)| format!("{} {}", HumanCount(*count), words.translate(word)));
    let title = format!("{start}: {}", named.collect::<Vec<_>>().join(", "));
    let mut edge = 100.0;
    let stacked = some.iter().map(|&&(class, _, count)| {
        let height = count as f64 * 100.0 / top.max(1) as f64;
        edge -= height;
        (class, edge, height)
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
    let form = if length % 24 == 0 { "%a %-d %b %Y" } else { "%a %-d %b %H:%M" };
    bucket.start.strftime(form).to_string()
}

/// The first, the last and at most three buckets between them.
fn ticks(buckets: &[Bucket], length: i64) -> Vec<String> {
    let last = buckets.len() - 1;
    let count = if buckets.len() > 8 { 4 } else { 1 };
    let at = (0..=count).filter_map(|number| buckets.get(last * number / count));
    at.map(|bucket| start(bucket, length)).collect()
}

/// The start of a part of a trend: `Mon 2 Nov`, or `14:00` for parts within a day.
fn part_start(axis: &TrendAxis, at: usize) -> String {
    let hours = i64::try_from(at).unwrap_or(0) * axis.hours.cast_signed();
    let start: Zoned =
        axis.start.checked_add(SignedDuration::from_hours(hours)).unwrap_or_else(|_| axis.start.clone());
    let whole = axis.hours * axis.parts;
    let form = if axis.hours.is_multiple_of(24) || whole > 72 {
        "%-d %b"
    } else if whole > 24 {
        "%a %H:%M"
    } else {
        "%H:%M"
    };
    start.strftime(form).to_string()
}

/// The numbers of all charts as a folded table.
fn numbers(buckets: &[Bucket], length: i64, words: &Translations) -> Markup {
    let series: Vec<&ChartSeries> = CHARTS.iter().flat_map(|(_, series)| *series).collect();
    let present = series.into_iter().filter(|(_, _, count)| buckets.iter().any(|bucket| count(bucket) > 0));
    let present: Vec<&ChartSeries> = present.collect();
    html! {
        details {
            summary { (words.translate("numbers")) }
            div.wide {
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
}

#[cfg(test)]
mod tests {
    use super::axis_top;

    #[test]
    fn the_top_of_an_axis_is_never_below_the_peak() {
        let tops = [0, 1, 3, 9, 11, 99, 101, 1_479, 9_999].map(axis_top);
        assert_eq!(tops, [0, 1, 3, 9, 12, 100, 110, 1_500, 10_000]);
    }
}
