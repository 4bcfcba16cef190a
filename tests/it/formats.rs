//! Reads each output format with another program's parser, and compares its numbers with those of the JSON report.

use std::fs;
use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support;

/// Names that a sender can bring into a log, each of which some reader would take for more than a name.
const HOSTILE: &str = concat!(
    "Nov 22 03:04:05 <b>mx</b> postfix/smtp[12]: 4F1A2B3C41: to=<a@=cmd|'x'!A1>, relay=none, delay=1, ",
    "delays=0/0/0/1, dsn=4.4.1, status=deferred (connect to =cmd[192.0.2.1]:25: Connection timed out)\n",
    "Nov 22 03:04:06 <b>mx</b> postfix/smtp[12]: 4F1A2B3C42: to=<a@[x](https://evil.example)>, ",
    "relay=www.evil.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host ",
    "www.evil.example[192.0.2.1] said: 550 5.1.1 <script>alert(1)</script> ![x](https://evil.example/x.png) ",
    "(in reply to RCPT TO command))\n",
    "Nov 22 03:04:07 <b>mx</b> postfix/smtp[12]: 4F1A2B3C43: to=<a@`|#*_&lt;>, ",
    "relay=x\"}[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=4.7.1, status=deferred (host x\"}[192.0.2.1] ",
    "said: 450 4.7.1 \x1b[2J \"quoted\", and more (in reply to RCPT TO command))\n",
);

fn hostile() -> (tempfile::TempDir, String) {
    let folder = tempdir().unwrap();
    let path = folder.path().join("<i>mail.log");
    fs::write(&path, HOSTILE).unwrap();
    let name = path.to_str().unwrap().to_owned();
    (folder, name)
}

fn scanned(format: &str, log: &str) -> String {
    let args = ["scan", "--format", format, "--tz", "UTC", "--year", "2026", "--lang", "en", "-n", "0", log];
    support::answer(&args).0
}

/// The tables by code as text.
fn scanned_by_code(log: &str) -> String {
    let args = ["scan", "--codes", "--tz", "UTC", "--year", "2026", "--lang", "en", "-n", "0", log];
    support::answer(&args).0
}

fn report(log: &str) -> Value {
    serde_json::from_str(&scanned("json", log)).unwrap()
}

/// Every recorded log and the hostile one.
fn each_log(mut ask: impl FnMut(&str)) {
    for log in support::logs() {
        ask(log.to_str().unwrap());
    }
    let (_folder, name) = hostile();
    assert_eq!(report(&name)["input"]["understood"], 3, "the hostile lines are events");
    ask(&name);
}

fn sum(rows: &[Value], field: &str) -> u64 {
    rows.iter().map(|row| row[field].as_u64().unwrap()).sum()
}

#[test]
fn ndjson_has_the_rows_of_the_report() {
    each_log(|log| {
        let rows: Vec<Value> =
            scanned("ndjson", log).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(json!(rows), report(log)["rows"], "{log}");
    });
}

/// A CSV cell as the JSON says it.
fn as_cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Array(counts) => {
            let count = |count: &Value| {
                let name = count.get("name").or(count.get("stage")).unwrap();
                format!("{} {}", count["attempts"], name.as_str().unwrap())
            };
            counts.iter().map(count).collect::<Vec<_>>().join("; ")
        }
        Value::Object(_) => panic!("an object is in no row"),
    }
}

fn table(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().unwrap().iter().map(ToOwned::to_owned).collect();
    let rows = reader.records().map(|row| row.unwrap().iter().map(ToOwned::to_owned).collect()).collect();
    (names, rows)
}

#[track_caller]
fn cells_are(names: &[String], row: &[String], object: &Value) {
    for (name, cell) in names.iter().zip(row) {
        let want = as_cell(object.get(name).unwrap_or_else(|| panic!("{name} is no field")));
        // What is not plain is shown otherwise, and is looked at in tests of its own.
        if want.is_ascii()
            && !want.contains(|c: char| c.is_control())
            && !want.starts_with(['=', '+', '-', '@'])
        {
            assert_eq!(*cell, want, "{name}");
        }
    }
    assert_eq!(names.len(), object.as_object().unwrap().len(), "fields");
}

#[test]
fn csv_has_the_rows_of_the_report() {
    each_log(|log| {
        let (names, cells) = table(&scanned("csv", log));
        let rows = report(log)["rows"].as_array().unwrap().clone();
        assert_eq!(cells.len(), rows.len(), "{log}");
        cells.iter().zip(&rows).for_each(|(cells, row)| cells_are(&names, cells, row));
        let attempts = names.iter().position(|name| name == "attempts").unwrap();
        let in_csv: u64 = cells.iter().map(|row| row[attempts].parse::<u64>().unwrap()).sum();
        assert_eq!(in_csv, sum(&rows, "attempts"), "{log}");
    });
}

#[test]
fn events_as_csv_are_the_events() {
    for log in support::logs() {
        let (text, _) = support::answer(&["events", "--format", "csv", "--tz", "UTC", log.to_str().unwrap()]);
        let (names, cells) = table(&text);
        let events = support::events(&log);
        assert_eq!(cells.len(), events.len(), "{log:?}");
        cells.iter().zip(&events).for_each(|(cells, event)| cells_are(&names, cells, event));
    }
}

#[test]
fn no_cell_of_csv_is_a_formula_or_moves_a_cursor() {
    let (_folder, log) = hostile();
    let events = support::answer(&["events", "--format", "csv", &log]).0;
    for text in [scanned("csv", &log), events] {
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        let (_, rows) = table(&text);
        let starts = |cell: &String| cell.starts_with(['=', '+', '-', '@']);
        assert!(!rows.iter().flatten().any(starts), "{text}");
    }
    assert!(support::answer(&["events", "--format", "csv", &log]).0.contains("a@=cmd|'x'!A1"));
}

#[test]
fn markdown_has_the_rows_of_the_report() {
    each_log(|log| {
        let text = scanned("markdown", log);
        let mut cells = vec![Vec::new()];
        let mut tables = 0;
        for event in Parser::new_ext(&text, Options::all()) {
            match event {
                Event::Start(Tag::Table(_)) => tables += 1,
                Event::End(TagEnd::TableHead) => drop(cells.pop()),
                Event::Start(Tag::TableCell) => cells.last_mut().unwrap().push(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(cell) = cells.last_mut().and_then(|row| row.last_mut()) {
                        cell.push_str(&text);
                    }
                }
                // What follows a table is in none of its cells.
                Event::Start(Tag::TableRow | Tag::TableHead) | Event::End(TagEnd::Table) => {
                    cells.push(Vec::new());
                }
                Event::Html(html) | Event::InlineHtml(html) => panic!("{log}: HTML {html}"),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    panic!("{log}: a link to {dest_url}")
                }
                _ => {}
            }
        }
        let report = report(log);
        let shown =
            |row: &&Value| !["delivered", "attempt", "probe"].contains(&row["outcome"].as_str().unwrap());
        let rows: Vec<Value> = report["rows"].as_array().unwrap().iter().filter(shown).cloned().collect();
        // The rows of sections have six cells, those of domains five.
        let of_sections: Vec<&Vec<String>> = cells.iter().filter(|row| row.len() == 6).collect();
        let numbers = |at: usize| of_sections.iter().map(|row| row[at].parse::<u64>().unwrap()).sum::<u64>();
        assert_eq!(of_sections.len(), rows.len(), "{log}\n{text}");
        assert_eq!((numbers(2), numbers(3)), (sum(&rows, "attempts"), sum(&rows, "recipients")), "{log}");
        assert!(tables > 0 || rows.is_empty(), "{log}");
    });
}

#[test]
fn nothing_from_a_log_is_markdown() {
    let (_folder, log) = hostile();
    let text = scanned("markdown", &log);
    assert!(!text.contains('\x1b'));
    for event in Parser::new_ext(&text, Options::all()) {
        if let Event::Text(words) = event {
            // In a code span no reader makes an address a link.
            assert!(!words.contains("evil") && !words.contains("://"), "{words}");
        }
    }
    assert!(text.contains("`[x](https://evil.example)`"), "{text}");
}

/// `name{label="value",…} 7` taken apart as the format's text says (Prometheus, "Text-based format").
fn sample(line: &str) -> (String, Vec<(String, String)>, f64) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = line.find(|c| !is_name(c)).unwrap();
    let (name, mut rest) = line.split_at(end);
    assert!(name.starts_with("smtplog_") && !name.starts_with(|c: char| c.is_ascii_digit()), "{line}");
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, behind) = rest.split_once("=\"").unwrap();
            assert!(!label.is_empty() && label.chars().all(is_name), "{line}");
            let mut value = String::new();
            let mut signs = behind.char_indices();
            let after = loop {
                match signs.next().expect("a value ends") {
                    (at, '"') => break at + 1,
                    (_, '\\') => value.push(match signs.next().unwrap().1 {
                        'n' => '\n',
                        c @ ('\\' | '"') => c,
                        c => panic!("\\{c} in {line}"),
                    }),
                    (_, c) => value.push(c),
                }
            };
            labels.push((label.to_owned(), value));
            rest = &behind[after..];
            match rest.split_at(1) {
                (",", more) => rest = more,
                ("}", more) => break rest = more,
                _ => panic!("{rest} in {line}"),
            }
        }
    }
    (name.to_owned(), labels, rest.strip_prefix(' ').unwrap().parse().unwrap())
}

#[test]
fn prometheus_reads_it_and_counts_the_same() {
    each_log(|log| {
        let text = scanned("prometheus", log);
        assert!(text.ends_with('\n'));
        let report = report(log);
        let mut typed: Vec<String> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        let mut events = std::collections::BTreeMap::<String, u64>::new();
        let (mut lines, mut recipients) = (0.0, 0.0);
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("# TYPE ") {
                let (name, kind) = name.split_once(' ').unwrap();
                assert!(["counter", "gauge"].contains(&kind), "{line}");
                assert!(!typed.iter().any(|typed| typed == name), "{name} is typed twice");
                assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
                typed.push(name.to_owned());
            }
            if line.starts_with('#') {
                assert!(line.starts_with("# HELP smtplog_") || line.starts_with("# TYPE smtplog_"), "{line}");
                continue;
            }
            let (name, labels, value) = sample(line);
            assert_eq!(typed.last(), Some(&name), "the samples of a metric stand under its type");
            assert!(seen.insert((name.clone(), labels.clone())), "twice: {line}");
            match name.as_str() {
                "smtplog_events_total" => *events.entry(labels[1].1.clone()).or_default() += value as u64,
                "smtplog_lines_total" => lines += value,
                "smtplog_recipients" => recipients += value,
                _ => {}
            }
        }
        let rows = report["rows"].as_array().unwrap();
        let mut want = std::collections::BTreeMap::<String, u64>::new();
        for row in rows {
            *want.entry(row["outcome"].as_str().unwrap().to_owned()).or_default() +=
                row["attempts"].as_u64().unwrap();
        }
        assert_eq!(events, want, "{log}");
        assert_eq!(lines as u64, report["input"]["lines"], "{log}");
        assert_eq!(recipients as u64, sum(rows, "recipients"), "{log}");
    });
}

#[test]
fn the_hours_add_up_to_the_totals() {
    for log in support::logs() {
        let report = report(log.to_str().unwrap());
        let hours = report["timeline"].as_array().unwrap();
        let sum = |side: &str, field: &str| {
            hours.iter().map(|hour| hour[side][field].as_u64().unwrap()).sum::<u64>()
        };
        for side in ["outbound", "local"] {
            for field in ["delivered", "deferred", "bounced", "expired"] {
                assert_eq!(sum(side, field), report["totals"][side][field], "{log:?} {side} {field}");
            }
        }
        for field in ["transient", "permanent", "unspecified"] {
            assert_eq!(sum("inbound", field), report["totals"]["inbound"][field], "{log:?} inbound {field}");
        }
        let starts: Vec<&str> = hours.iter().map(|hour| hour["start"].as_str().unwrap()).collect();
        assert!(!starts.is_empty() && starts.is_sorted(), "{log:?} {starts:?}");
    }
}

#[test]
fn hours_begin_where_the_zone_of_the_report_has_them() {
    let (_folder, log) = hostile();
    let start = |zone: &str| {
        let (text, _) = support::answer(&["scan", "--format", "json", "--tz", zone, "--year", "2026", &log]);
        let report: Value = serde_json::from_str(&text).unwrap();
        report["timeline"][0]["start"].clone()
    };
    assert_eq!(start("UTC"), "2026-11-22T03:00:00+00:00");
    assert_eq!(start("Asia/Kolkata"), "2026-11-22T02:30:00+05:30");
}

#[test]
fn the_short_names_of_formats_are_known() {
    let log = support::logs().remove(0);
    let log = Path::new(&log).to_str().unwrap();
    assert_eq!(scanned("md", log), scanned("markdown", log));
    assert_eq!(scanned("prom", log), scanned("prometheus", log));
}

/// Every number of a text with the word behind it: `133 attempts`.
fn numbers(text: &str) -> Vec<(u64, String)> {
    let text = text.replace(',', "");
    let words: Vec<&str> = text.split([' ', '\n', ';']).filter(|word| !word.is_empty()).collect();
    words.windows(2).filter_map(|pair| Some((pair[0].parse().ok()?, pair[1].to_owned()))).collect()
}

#[test]
fn the_text_says_the_numbers_of_the_report() {
    each_log(|log| {
        let (text, report) = (scanned_by_code(log), report(log));
        let said = numbers(&text);
        let says = |value: &Value, word: &str| {
            let count = value.as_u64().unwrap();
            let word = if count == 1 { word.trim_end_matches('s') } else { word };
            let there = said.iter().any(|(number, after)| *number == count && after == word);
            assert!(count == 0 || there, "{log}: {count} {word} is not in\n{text}");
        };
        let (input, totals) = (&report["input"], &report["totals"]);
        says(&input["lines"], "lines");
        says(&input["mail"], "mail");
        says(&input["understood"], "understood");
        for way in ["outbound", "local"] {
            says(&totals[way]["attempts"], "attempts");
            for (field, word) in [
                ("delivered", "sent"),
                ("deferred", "deferred"),
                ("bounced", "bounced"),
                ("expired", "expired"),
            ] {
                says(&totals[way][field], word);
            }
        }
        for (field, word) in [("positive", "2xx"), ("transient", "4xx"), ("permanent", "5xx")] {
            says(&totals["outbound"][field], word);
        }
        says(&totals["inbound"]["refused"], "refused");
    });
}

#[test]
fn groups_stand_in_every_format_as_in_the_report() {
    let log = support::fixture("postfix/out.log");
    let by = ["--by", "domain,code", "-n", "0"];
    let answer = |format: &str| {
        let args = ["scan", "--format", format, "--tz", "UTC", "--year", "2026", "--lang", "en", &log];
        support::answer(&[&args[..], &by].concat()).0
    };
    let report: Value = serde_json::from_str(&answer("json")).unwrap();
    let rows = report["groups"]["rows"].as_array().unwrap();
    assert!(rows.len() > 50);
    let lines: Vec<Value> =
        answer("ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(&lines, rows);
    let text = answer("csv");
    let mut read = csv::Reader::from_reader(text.as_bytes());
    let names = read.headers().unwrap().clone();
    let records: Vec<csv::StringRecord> = read.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), rows.len());
    for (record, row) in records.iter().zip(rows) {
        for (name, cell) in names.iter().zip(record) {
            let value = row["keys"].get(name).unwrap_or(&row[name]);
            let shown = cell.strip_prefix('\'').unwrap_or(cell);
            assert_eq!(shown, as_cell(value), "{name} of {row}");
        }
    }
    let (text, markdown) = (answer("text"), answer("markdown"));
    for row in rows {
        let code = row["keys"]["code"].as_str().unwrap_or("-");
        let domain = row["keys"]["domain"].as_str().unwrap_or("-");
        let counts = ["delivered", "deferred", "bounced", "recipients"].map(|name| row[name].to_string());
        let cells = [&[domain.to_owned(), code.to_owned()][..], &counts].concat();
        let has = |text: &str| {
            let words = |line: &str| {
                line.split([' ', '|', '`'])
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            text.lines().any(|line| words(line) == cells)
        };
        assert!(has(&text), "{cells:?} is not in\n{text}");
        assert!(has(&markdown), "{cells:?} is not in\n{markdown}");
    }
}

#[test]
fn groups_that_are_not_shown_are_counted() {
    let log = support::fixture("postfix/out.log");
    for format in ["text", "markdown", "html"] {
        let args = |top| ["scan", "--format", format, "--lang", "en", "--by", "code,domain", "-n", top, &log];
        let (cut, _) = support::answer(&args("1"));
        assert!(cut.contains("others ("), "{format}: {cut}");
        let (whole, _) = support::answer(&args("0"));
        assert!(!whole.contains("others ("), "{format}: {whole}");
    }
}
