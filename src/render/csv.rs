//! Prints reports and events as CSV (RFC 4180, lines end in LF), and quotes cells that a spreadsheet would run as a formula.
//!
//! Each table of columns holds the name of a column and how its cell is made: a new column is one row.

use csv::{Terminator, WriterBuilder};

use super::sanitize::printable;
use super::text::explain_page::typed;
use super::text::names::tables;
use super::text::page::TextStyle;
use crate::report::event::{Record, RecordContext};
use crate::report::{GroupRow, GroupTable, NameCount, NameTotals, Report, Row};

/// The name of a column, and the cell that a row has in it. What is not known is an empty cell.
type CsvColumn<T> = (&'static str, fn(&T) -> String);

const ROW: &[CsvColumn<Row>] = &[
    ("direction", |row| typed(row.direction)),
    ("outcome", |row| typed(row.outcome)),
    ("code", |row| or_empty(row.code)),
    ("enhanced", |row| or_empty(row.enhanced)),
    ("class", |row| row.class.map(typed).unwrap_or_default()),
    ("reason", |row| row.reason.map(typed).unwrap_or_default()),
    ("title", |row| cell(&row.title)),
    ("retryable", |row| row.retryable.map(typed).unwrap_or_default()),
    ("conflict", |row| row.conflict.unwrap_or_default().to_owned()),
    ("attempts", |row| row.attempts.to_string()),
    ("recipients", |row| row.recipients.to_string()),
    ("first", |row| row.first.clone().unwrap_or_default()),
    ("last", |row| row.last.clone().unwrap_or_default()),
    ("stages", |row| counted(row.stages.iter().map(|stage| (typed(stage.stage), stage.attempts)))),
    ("providers", |row| names_counted(&row.providers)),
    ("where", |row| names_counted(&row.wheres)),
    ("where_count", |row| row.where_count.to_string()),
    ("advice", |row| text(row.advice.as_deref())),
    ("example", |row| text(row.example.as_deref())),
    ("recipients_exact", |row| row.recipients_exact.to_string()),
    ("cause", |row| row.cause.map(typed).unwrap_or_default()),
];

/// Columns after those of a row, if the report is compared with a baseline.
const CHANGE: &[CsvColumn<Row>] = &[
    ("usual", |row| or_empty(row.change.map(|change| change.usual))),
    ("change_percent", |row| or_empty(row.change.and_then(|change| change.percent))),
    ("unusual", |row| or_empty(row.change.map(|change| change.unusual))),
];

/// Columns of a group, after those of its keys.
const GROUP: &[CsvColumn<GroupRow>] = &[
    ("events", |row| row.events.to_string()),
    ("delivered", |row| row.delivered.to_string()),
    ("deferred", |row| row.deferred.to_string()),
    ("bounced", |row| row.bounced.to_string()),
    ("expired", |row| row.expired.to_string()),
    ("rejected", |row| row.rejected.to_string()),
    ("warned", |row| row.warned.to_string()),
    ("held", |row| row.held.to_string()),
    ("discarded", |row| row.discarded.to_string()),
    ("recipients", |row| row.recipients.to_string()),
    ("first", |row| row.first.clone().unwrap_or_default()),
    ("last", |row| row.last.clone().unwrap_or_default()),
    ("recipients_exact", |row| row.recipients_exact.to_string()),
];

/// Columns of the tables of names, after `table` and `name`.
const NAMES: &[CsvColumn<NameTotals>] = &[
    ("messages", |counts| or_empty(counts.messages)),
    ("delivered", |counts| counts.delivered.to_string()),
    ("deferred", |counts| counts.deferred.to_string()),
    ("bounced", |counts| counts.bounced.to_string()),
    ("expired", |counts| counts.expired.to_string()),
    ("rejected", |counts| counts.rejected.to_string()),
];

/// Columns of an event before these; [`event_position`] prints them.
const EVENT_POSITION: [&str; 2] = ["file", "line"];

/// Columns of an event up to its sender, which the line of the event may not name.
const EVENT_BEFORE_SENDER: &[CsvColumn<Record>] = &[
    ("time", |event| text(event.time.as_deref())),
    ("mta", |event| typed(event.mta)),
    ("host", |event| text(event.host.as_deref())),
    ("program", |event| text(event.program.as_deref())),
    ("instance", |event| text(event.instance.as_deref())),
    ("queue_id", |event| text(event.queue_id.as_deref())),
    ("direction", |event| typed(event.direction)),
    ("outcome", |event| typed(event.outcome)),
    ("code", |event| or_empty(event.code)),
    ("enhanced", |event| or_empty(event.enhanced)),
    ("dsn", |event| or_empty(event.dsn)),
    ("class", |event| event.class.map(typed).unwrap_or_default()),
    ("stage", |event| event.stage.map(typed).unwrap_or_default()),
    ("reason", |event| event.reason.map(typed).unwrap_or_default()),
    ("rule", |event| text(event.rule.as_deref())),
    ("provider", |event| text(event.provider.as_deref())),
];

/// Columns of an event from its sender on.
const EVENT_FROM_SENDER: &[CsvColumn<Record>] = &[
    ("sender", |event| text(event.sender.as_deref())),
    ("recipient", |event| text(event.recipient.as_deref())),
    ("peer_host", |event| text(event.peer_host.as_deref())),
    ("peer_ip", |event| text(event.peer_ip.as_deref())),
    ("peer_port", |event| or_empty(event.peer_port)),
    ("suspended", |event| event.suspended.to_string()),
    ("text", |event| cell(&event.text)),
    ("cause", |event| event.cause.map(typed).unwrap_or_default()),
];

/// Columns that other lines of the message fill.
const EVENT_CONTEXT: &[CsvColumn<RecordContext>] = &[
    ("size", |context| or_empty(context.size)),
    ("client", |context| text(context.client.as_deref())),
    ("user", |context| text(context.user.as_deref())),
    ("message_id", |context| text(context.message_id.as_deref())),
    ("attempt_no", |context| or_empty(context.attempt_no)),
    ("hop", |context| context.hop.to_string()),
];

/// The tables of names with `--who`, else the groups with `--by`, else the rows.
pub(crate) fn report(report: &Report, style: &TextStyle) -> String {
    if style.who {
        names(report)
    } else if let Some(table) = &report.groups {
        groups(table)
    } else {
        rows(report)
    }
}

/// All tables of names, one after the other. The last row of each has an empty name and counts the rest.
fn names(report: &Report) -> String {
    let row = |table: &str, name: &str, counts: &NameTotals| {
        line([table.to_owned(), cell(name)].into_iter().chain(cells(NAMES, counts)))
    };
    let tables = tables(report).into_iter().flat_map(|names| {
        let mut rest = names.rest.others;
        rest.add(&names.rest.unnamed);
        let rows = names.rows.iter().map(|name| row(names.id, &name.name, &name.counts()));
        let rest = std::iter::once(row(names.id, "", &rest));
        rows.chain(rest).collect::<Vec<_>>()
    });
    let header = line(["table", "name"].into_iter().chain(column_names(NAMES)));
    std::iter::once(header).chain(tables).collect()
}

fn rows(report: &Report) -> String {
    let change = if report.baseline.is_some() { CHANGE } else { &[] };
    let header = line(column_names(ROW).chain(column_names(change)));
    let rows = report.rows.iter().map(|row| line(cells(ROW, row).chain(cells(change, row))));
    std::iter::once(header).chain(rows).collect()
}

fn groups(table: &GroupTable) -> String {
    let keys = table.by.iter().map(|&by| typed(by));
    let header = line(keys.chain(column_names(GROUP).map(str::to_owned)));
    let rows = table.rows.iter().map(|row| {
        let keys = row.keys.iter().map(|key| text(key.value.as_deref()));
        line(keys.chain(cells(GROUP, row)))
    });
    std::iter::once(header).chain(rows).collect()
}

fn column_names<T>(columns: &[CsvColumn<T>]) -> impl Iterator<Item = &'static str> {
    columns.iter().map(|(name, _)| *name)
}

fn cells<T>(columns: &[CsvColumn<T>], row: &T) -> impl Iterator<Item = String> {
    columns.iter().map(move |(_, cell)| cell(row))
}

/// `11 example.org; 3 example.net`: the count comes first, so that a cell never begins with text from the log.
fn counted(counts: impl Iterator<Item = (String, u64)>) -> String {
    counts.map(|(name, count)| format!("{count} {}", printable(&name))).collect::<Vec<_>>().join("; ")
}

fn names_counted(counts: &[NameCount]) -> String {
    counted(counts.iter().map(|count| (count.name.clone(), count.attempts)))
}

/// The header of a list of events.
pub(crate) fn event_header() -> String {
    let front = column_names(EVENT_BEFORE_SENDER).chain(column_names(EVENT_FROM_SENDER));
    line(EVENT_POSITION.into_iter().chain(front).chain(column_names(EVENT_CONTEXT)))
}

/// The cells of the file and the line number, with a comma after them; [`event`] follows.
pub(crate) fn event_position(file: &str, number: u64) -> String {
    let mut cells = line([cell(file), number.to_string()]);
    cells.pop();
    cells.push(',');
    cells
}

/// The cells of an event without its position, and the index of the byte at which its sender begins. No end of line:
/// [`event_context`] follows.
pub(crate) fn event(record: &Record) -> (String, usize) {
    let mut front = line(cells(EVENT_BEFORE_SENDER, record));
    front.pop();
    front.push(',');
    let mut back = line(cells(EVENT_FROM_SENDER, record));
    back.pop();
    (front.clone() + &back, front.len())
}

/// The cell of a sender that another line names.
pub fn event_sender(sender: &str) -> String {
    // The writer quotes an empty cell that is alone on its line.
    if sender.is_empty() {
        return String::new();
    }
    let mut cell = line([cell(sender)]);
    cell.pop();
    cell
}

/// The last cells of an event, with a comma before them.
pub(crate) fn event_context(context: &RecordContext) -> String {
    let mut cells = line(cells(EVENT_CONTEXT, context));
    cells.pop();
    format!(",{cells}")
}

fn text(value: Option<&str>) -> String {
    cell(value.unwrap_or_default())
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A cell with text from a log. A spreadsheet takes a cell that begins with one of these characters for a formula
/// (OWASP, "CSV Injection"); an apostrophe in front makes it text. Tab and carriage return, also named there, are escaped
/// before, like all control characters.
fn cell(text: &str) -> String {
    let shown = printable(text);
    let formula = shown.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if formula { format!("'{shown}") } else { shown }
}

/// The cells as one line with its end.
fn line<T: AsRef<[u8]>>(cells: impl IntoIterator<Item = T>) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record(cells).expect("writing to memory cannot fail");
    let bytes = writer.into_inner().expect("writing to memory cannot fail");
    String::from_utf8(bytes).expect("the cells are UTF-8, and the writer adds ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_a_spreadsheet_would_run_as_a_formula() {
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
        assert_eq!(event_position("a,b.log", 7), "\"a,b.log\",7,");
    }
}
