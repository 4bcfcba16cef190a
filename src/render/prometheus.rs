//! Renders the report as metrics in the text exposition format 0.0.4, for the textfile collector of node_exporter.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;

use super::sanitize::printable;
use super::text::explain_page::typed;
use crate::report::{Report, Row};

/// Upper bound on the number of series of one metric that keep their codes. Remote servers choose the codes in their replies,
/// and each new series costs the Prometheus server memory for weeks.
const SERIES_LIMIT: usize = 500;

/// Label names and values, in this order everywhere.
type Labels = [(&'static str, String); 6];

pub(crate) fn show(report: &Report) -> String {
    let mut page = String::new();
    let input = &report.input;
    head(&mut page, "smtplog_build_info", "gauge", "The version of smtplog that read the logs; always 1.");
    line(&mut page, "smtplog_build_info", &[("version", env!("CARGO_PKG_VERSION").to_owned())], 1);
    head(&mut page, "smtplog_lines_total", "counter", "Lines read; each is of one kind.");
    let kinds =
        [("understood", input.understood), ("not_understood", input.not_understood), ("other", input.other)];
    for (kind, lines) in kinds {
        line(&mut page, "smtplog_lines_total", &[("kind", kind.to_owned())], lines);
    }
    head(&mut page, "smtplog_input_bytes_total", "counter", "Bytes of text read, decompressed.");
    line(&mut page, "smtplog_input_bytes_total", &[], input.bytes);
    verdict(&mut page, report);
    events(&mut page, &report.rows);
    last_events(&mut page, &report.rows);
    warnings(&mut page, report);
    if let Some(range) = &report.range {
        let ends = [("first", &range.first), ("last", &range.last)];
        for (end, moment) in ends {
            let name = format!("smtplog_{end}_line_timestamp_seconds");
            head(&mut page, &name, "gauge", &format!("When the {end} mail line was written, to the minute."));
            line(&mut page, &name, &[], moment.timestamp().as_second());
        }
    }
    page
}

/// Empty if no option asks for a verdict.
fn verdict(page: &mut String, report: &Report) {
    if let Some(verdict) = &report.verdict {
        let name = "smtplog_state";
        head(page, name, "gauge", "How things are: 0 ok, 1 watch, 2 bad.");
        line(page, name, &[], verdict.state as u8);
    }
    if let Some(failed) = &report.failed {
        let name = "smtplog_failed_conditions";
        head(page, name, "gauge", "How many conditions of --fail-on are true.");
        line(page, name, &[], failed.len());
    }
}

/// Warnings by known cause, so that the number of series is bounded.
fn warnings(page: &mut String, report: &Report) {
    let mut series: BTreeMap<[(&'static str, String); 3], u64> = BTreeMap::new();
    for row in &report.warnings {
        let cause = row.id.clone().unwrap_or_else(|| "other".to_owned());
        let labels = [("mta", typed(row.mta)), ("severity", row.severity.to_string()), ("cause", cause)];
        *series.entry(labels).or_default() += row.lines;
    }
    if !series.is_empty() {
        let name = "smtplog_server_warnings_total";
        head(page, name, "counter", "Lines in which a mail server warns of its own trouble.");
        series.iter().for_each(|(labels, lines)| line(page, name, labels, lines));
    }
}

fn events(page: &mut String, rows: &[Row]) {
    let mut series: BTreeMap<Labels, (u64, u64)> = BTreeMap::new();
    for row in rows {
        let (events, recipients) = series.entry(labels(row)).or_default();
        *events += row.attempts;
        *recipients += row.recipients;
    }
    let (series, folded) = capped(series);
    let name = "smtplog_events_total";
    head(page, name, "counter", "Delivery results and refusals, one for each line of log that reports one.");
    for (labels, (events, _)) in &series {
        line(page, name, labels, events);
    }
    let name = "smtplog_recipients";
    let help = "Distinct pairs of queue id and recipient among the events that did not deliver.";
    head(page, name, "gauge", help);
    for (labels, (_, recipients)) in series.iter().filter(|(_, (_, recipients))| *recipients > 0) {
        line(page, name, labels, recipients);
    }
    let name = "smtplog_folded_series";
    let help = "Kinds of events that have no series of their own and are counted under code=\"other\".";
    head(page, name, "gauge", help);
    line(page, name, &[], folded);
}

fn labels(row: &Row) -> Labels {
    let none = || "none".to_owned();
    [
        ("direction", typed(row.direction)),
        ("outcome", typed(row.outcome)),
        ("class", row.class.map_or_else(none, typed)),
        ("code", row.code.map_or_else(none, |code| code.to_string())),
        ("enhanced", row.enhanced.map_or_else(none, |enhanced| enhanced.to_string())),
        ("reason", row.reason.map_or_else(none, typed)),
    ]
}

/// Keeps the codes of the series with most events and folds the others into `other`; sums by any other label stay right. Also
/// returns the number of folded series.
fn capped(series: BTreeMap<Labels, (u64, u64)>) -> (BTreeMap<Labels, (u64, u64)>, usize) {
    let mut order: Vec<(Labels, (u64, u64))> = series.into_iter().collect();
    // The sort is stable: equal counts stay in the order of their labels.
    order.sort_by_key(|(_, (events, _))| Reverse(*events));
    let rest = order.split_off(order.len().min(SERIES_LIMIT));
    let folded = rest.len();
    let mut kept: BTreeMap<Labels, (u64, u64)> = order.into_iter().collect();
    for (labels, (events, recipients)) in rest {
        let labels = labels.map(|(name, value)| match name {
            "code" | "enhanced" => (name, "other".to_owned()),
            _ => (name, value),
        });
        let sum = kept.entry(labels).or_default();
        sum.0 += events;
        sum.1 += recipients;
    }
    (kept, folded)
}

fn last_events(page: &mut String, rows: &[Row]) {
    let mut last: BTreeMap<[(&str, String); 2], i64> = BTreeMap::new();
    for row in rows {
        let moment = row.last.as_deref().and_then(|last| last.parse::<Timestamp>().ok());
        if let Some(second) = moment.map(Timestamp::as_second) {
            let labels = [("direction", typed(row.direction)), ("outcome", typed(row.outcome))];
            last.entry(labels).and_modify(|last| *last = second.max(*last)).or_insert(second);
        }
    }
    let name = "smtplog_last_event_timestamp_seconds";
    head(page, name, "gauge", "When the last event of its kind was logged.");
    for (labels, second) in &last {
        line(page, name, labels, second);
    }
}

fn head(page: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// `name{label="value"} 7`
fn line(page: &mut String, name: &str, labels: &[(&str, String)], value: impl std::fmt::Display) {
    let labels = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value)));
    let labels = labels.collect::<Vec<_>>().join(",");
    let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
    let _ = writeln!(page, "{name}{labels} {value}");
}

/// Escapes backslashes and quotes (Prometheus, "Text-based format"). Line ends are escaped before, by `printable`.
fn escaped(value: &str) -> String {
    printable(value).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_ends_before_its_quote() {
        let mut page = String::new();
        line(&mut page, "x", &[("a", "b\"} 1\nc\\".to_owned())], 7);
        assert_eq!(page, "x{a=\"b\\\"} 1\\\\x0ac\\\\\"} 7\n");
    }

    #[test]
    fn codes_beyond_the_limit_are_folded_and_sums_stay() {
        let series = |number: u64| {
            let code = |name: &'static str| (name, number.to_string());
            let word = |name: &'static str| (name, "x".to_owned());
            let labels = [
                word("direction"),
                word("outcome"),
                word("class"),
                code("code"),
                code("enhanced"),
                word("reason"),
            ];
            (labels, (number, 1))
        };
        let (kept, folded) = capped((1..=SERIES_LIMIT as u64 + 20).map(series).collect());
        assert_eq!((kept.len(), folded), (SERIES_LIMIT + 1, 20));
        let other = kept.iter().find(|(labels, _)| labels[3].1 == "other").unwrap();
        assert_eq!(*other.1, ((1..=20).sum::<u64>(), 20));
        assert_eq!(kept.values().map(|(events, _)| events).sum::<u64>(), (1..=520).sum::<u64>());
    }
}
