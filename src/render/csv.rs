//! Rows and events as CSV (RFC 4180, lines end in LF): what a spreadsheet would run as a formula is defused.

use csv::{Terminator, WriterBuilder};

use super::sanitize::printable;
use super::text::explain_page::typed;
use super::text::names::tables;
use super::text::page::TextStyle;
use crate::report::event::{Record, RecordContext};
use crate::report::{GroupTable, NameCount, NameTotals, Report, Row};

const ROW: [&str; 20] = [
    "direction",
    "outcome",
    "code",
    "enhanced",
    "class",
    "reason",
    "title",
    "retryable",
    "conflict",
    "attempts",
    "recipients",
    "first",
    "last",
    "stages",
    "providers",
    "where",
    "where_count",
    "advice",
    "example",
    "recipients_exact",
];

/// Behind those of a row, where there is a baseline.
const CHANGE: [&str; 3] = ["usual", "change_percent", "unusual"];

/// Behind the keys.
const GROUP: [&str; 13] = [
    "events",
    "delivered",
    "deferred",
    "bounced",
    "expired",
    "rejected",
    "warned",
    "held",
    "discarded",
    "recipients",
    "first",
    "last",
    "recipients_exact",
];

const EVENT: [&str; 31] = [
    "file",
    "line",
    "time",
    "mta",
    "host",
    "program",
    "instance",
    "queue_id",
    "direction",
    "outcome",
    "code",
    "enhanced",
    "dsn",
    "class",
    "stage",
    "reason",
    "rule",
    "provider",
    "sender",
    "recipient",
    "peer_host",
    "peer_ip",
    "peer_port",
    "suspended",
    "text",
    "size",
    "client",
    "user",
    "message_id",
    "attempt_no",
    "hop",
];

const NAMES: [&str; 8] =
    ["table", "name", "messages", "delivered", "deferred", "bounced", "expired", "rejected"];

/// The tables of names if they are asked for, else the rows.
pub(crate) fn report(report: &Report, look: &TextStyle) -> String {
    if look.who { names(report) } else { show(report) }
}

/// The tables of names, one behind the other; what is in no row of theirs stands last, without a name.
pub(crate) fn names(report: &Report) -> String {
    let counted = |table: &str, name: &str, counts: &NameTotals| {
        let NameTotals { messages, delivered, deferred, bounced, expired, rejected } = *counts;
        let counts = [delivered, deferred, bounced, expired, rejected].map(|count| count.to_string());
        line([table.to_owned(), cell(name), or_empty(messages)].into_iter().chain(counts))
    };
    let tables = tables(report).into_iter().flat_map(|names| {
        let mut rest = names.rest.others;
        rest.add(&names.rest.unnamed);
        let rows = names.rows.iter().map(|row| counted(names.id, &row.name, &row.counts()));
        let rest = std::iter::once(counted(names.id, "", &rest));
        rows.chain(rest).collect::<Vec<_>>()
    });
    std::iter::once(line(NAMES)).chain(tables).collect()
}

/// The rows of a report, or its groups if there are any, under their names; what is not known is empty.
pub(crate) fn show(report: &Report) -> String {
    if let Some(table) = &report.groups {
        return groups(table);
    }
    let compared = report.baseline.is_some();
    let names = ROW.iter().chain(CHANGE.iter().filter(|_| compared));
    let rows = report.rows.iter().map(|row| {
        let change = compared.then(|| change_cells(row)).into_iter().flatten();
        line(row_cells(row).into_iter().chain(change))
    });
    std::iter::once(line(names)).chain(rows).collect()
}

fn groups(table: &GroupTable) -> String {
    let names = table.by.iter().map(|&by| typed(by)).chain(GROUP.map(str::to_owned));
    let rows = table.rows.iter().map(|row| {
        let keys = row.keys.iter().map(|key| cell(key.value.as_deref().unwrap_or_default()));
        let counts = [
            row.events,
            row.delivered,
            row.deferred,
            row.bounced,
            row.expired,
            row.rejected,
            row.warned,
            row.held,
            row.discarded,
            row.recipients,
        ];
        let counts = counts.into_iter().map(|count| count.to_string());
        let times = [&row.first, &row.last].map(|time| time.clone().unwrap_or_default());
        let exact = std::iter::once(row.recipients_exact.to_string());
        line(keys.chain(counts).chain(times).chain(exact))
    });
    std::iter::once(line(names)).chain(rows).collect()
}

fn row_cells(row: &Row) -> [String; 20] {
    let stages = row.stages.iter().map(|stage| (typed(stage.stage), stage.attempts)).collect();
    let names = |counts: &[NameCount]| {
        counted(counts.iter().map(|count| (count.name.clone(), count.attempts)).collect())
    };
    [
        typed(row.direction),
        typed(row.outcome),
        or_empty(row.code),
        or_empty(row.enhanced),
        row.class.map(typed).unwrap_or_default(),
        row.reason.map(typed).unwrap_or_default(),
        cell(&row.title),
        row.retryable.map(typed).unwrap_or_default(),
        row.conflict.unwrap_or_default().to_owned(),
        row.attempts.to_string(),
        row.recipients.to_string(),
        row.first.clone().unwrap_or_default(),
        row.last.clone().unwrap_or_default(),
        counted(stages),
        names(&row.providers),
        names(&row.wheres),
        row.where_count.to_string(),
        cell(row.advice.as_deref().unwrap_or_default()),
        cell(row.example.as_deref().unwrap_or_default()),
        row.recipients_exact.to_string(),
    ]
}

fn change_cells(row: &Row) -> [String; 3] {
    [
        or_empty(row.change.map(|change| change.usual)),
        or_empty(row.change.and_then(|change| change.percent)),
        or_empty(row.change.map(|change| change.unusual)),
    ]
}

/// `11 example.org; 3 example.net`: the number first, so that no name of a stranger begins a cell.
fn counted(counts: Vec<(String, u64)>) -> String {
    let counts = counts.into_iter().map(|(name, count)| format!("{count} {}", printable(&name)));
    counts.collect::<Vec<_>>().join("; ")
}

/// The names of what [`place`] and [`event`] write.
pub(crate) fn event_names() -> String {
    line(EVENT)
}

/// Where an event stands; to be followed by [`event`].
pub(crate) fn place(file: &str, number: u64) -> String {
    let mut place = line([cell(file), number.to_string()]);
    place.pop();
    place.push(',');
    place
}

/// All of an event but its place, without an end of line; and where its sender stands. To be followed by [`context`].
pub(crate) fn event(record: &Record) -> (String, usize) {
    let text = |text: &Option<String>| cell(text.as_deref().unwrap_or_default());
    let mut front = line([
        text(&record.time),
        typed(record.mta),
        text(&record.host),
        text(&record.program),
        text(&record.instance),
        text(&record.queue_id),
        typed(record.direction),
        typed(record.outcome),
        or_empty(record.code),
        or_empty(record.enhanced),
        or_empty(record.dsn),
        record.class.map(typed).unwrap_or_default(),
        record.stage.map(typed).unwrap_or_default(),
        record.reason.map(typed).unwrap_or_default(),
        text(&record.rule),
        text(&record.provider),
    ]);
    front.pop();
    front.push(',');
    let mut back = line([
        text(&record.sender),
        text(&record.recipient),
        text(&record.peer_host),
        text(&record.peer_ip),
        or_empty(record.peer_port),
        record.suspended.to_string(),
        cell(&record.text),
    ]);
    back.pop();
    (front.clone() + &back, front.len())
}

/// The cell of a sender that other lines name.
pub fn sender(sender: &str) -> String {
    // Alone on a line, an empty cell would be quoted.
    if sender.is_empty() {
        return String::new();
    }
    let mut cell = line([cell(sender)]);
    cell.pop();
    cell
}

/// The last cells of an event, with the comma before them.
pub(crate) fn context(context: &RecordContext) -> String {
    let text = |text: &Option<String>| cell(text.as_deref().unwrap_or_default());
    let mut cells = line([
        or_empty(context.size),
        text(&context.client),
        text(&context.user),
        text(&context.message_id),
        or_empty(context.attempt_no),
        context.hop.to_string(),
    ]);
    cells.pop();
    format!(",{cells}")
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Text from a log. A cell that begins with one of these signs is a formula to a spreadsheet (OWASP, "CSV
/// Injection"); an apostrophe in front makes it text. A tab or a carriage return is no such sign any more, since
/// control characters are made printable first.
fn cell(text: &str) -> String {
    let shown = printable(text);
    let formula = shown.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if formula { format!("'{shown}") } else { shown }
}

fn line<T: AsRef<[u8]>>(cells: impl IntoIterator<Item = T>) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record(cells).expect("memory takes it");
    let bytes = writer.into_inner().expect("memory takes it");
    String::from_utf8(bytes).expect("text goes in, and commas and quotes between")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defuses_what_a_spreadsheet_would_run() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        assert_eq!(cell("\t=1"), "\\x09=1");
        assert_eq!(cell("\r=1"), "\\x0d=1");
        assert_eq!(cell("a=1, b-2"), "a=1, b-2");
        assert_eq!(cell(""), "");
    }

    #[test]
    fn quotes_what_would_end_a_cell() {
        assert_eq!(line(["a,b", "say \"x\"", ""]), "\"a,b\",\"say \"\"x\"\"\",\n");
        assert_eq!(place("a,b.log", 7), "\"a,b.log\",7,");
    }
}
