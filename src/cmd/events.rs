//! `smtplog events`: every event of the logs, in order, one a line.

use std::io::Write;

use crate::cli::{EventsArgs, EventsFormat};
use crate::cmd::done::Done;
use crate::cmd::inputs::Inputs;
use crate::cmd::own_book::book;
use crate::cmd::place;
use crate::cmd::unparsed::Unparsed;
use crate::cmd::wanted::{filter, what_there_was};
use crate::error::Error;
use crate::filter::Filter;
use crate::input::set::{Held, Source};
use crate::notes::{Heard, on_time};
use crate::output::printable::printable_json;
use crate::output::{csv, event_line};
use crate::record::Record;
use crate::walk::{Listener, Task, Told, Walked, settled, walk};

/// What the name of a file says about its form.
const SUFFIXES: [(&str, EventsFormat); 4] = [
    ("ndjson", EventsFormat::Ndjson),
    ("jsonl", EventsFormat::Ndjson),
    ("csv", EventsFormat::Csv),
    ("txt", EventsFormat::Text),
];

pub fn run(args: &EventsArgs, out: &mut (impl Write + Send)) -> Result<Done, Error> {
    let output = args.output.as_deref();
    let format = place::form(args.format, output, EventsFormat::Ndjson, &SUFFIXES)?;
    let inputs = Inputs::new(&args.input)?;
    let paths = inputs.paths.clone();
    place::write(output, &paths, out, |out| list(args, format, inputs, out))
}

fn list(
    args: &EventsArgs,
    format: EventsFormat,
    inputs: Inputs,
    out: &mut (dyn Write + Send),
) -> Result<Done, Error> {
    let Inputs { sources, paths, manner, calendar, window, progress, problems, notes } = inputs;
    let book = book(&args.rules)?;
    let filter = filter(&args.filter, &book)?;
    let mut unparsed = Unparsed::new(args.coverage.unparsed.as_deref(), &paths)?;
    let task = Task {
        sources: &sources,
        manner,
        calendar: &calendar,
        book: &book,
        window,
        filter: &filter,
        progress: &progress,
    };
    // What is printed stays printed, so the stamps are settled before.
    let again = sources.iter().all(Source::can_be_read_again);
    let calendar = if again { settled(&task)? } else { calendar.clone() };
    let task = Task { calendar: &calendar, ..task };
    let mut lines_before = 0;
    let mut file = 0;
    let mut written = Ok(());
    let names: Vec<String> =
        sources.iter().map(|source| source.path.to_string_lossy().into_owned()).collect();
    if format == EventsFormat::Csv {
        out.write_all(csv::event_names().as_bytes())?;
    }
    let fold = |page: Page| {
        if page.file != file {
            (file, lines_before) = (page.file, 0);
        }
        if written.is_ok() {
            let name = names.get(page.file).map_or("-", String::as_str);
            written = page.write(name, lines_before, format, out);
        }
        lines_before += page.lines;
    };
    let new = || Listing { format, page: Page::default() };
    let walked = walk(&task, new, fold, unparsed.writer())?;
    written?;
    unparsed.finish()?;
    let Walked { coverage, problems: met, turns, .. } = walked;
    let mut done = Done::new(problems, met, &coverage, window, args.coverage.strict);
    done.remarks = notes;
    done.remarks.extend(on_time(&Heard {
        coverage: &coverage,
        window,
        calendar: &calendar,
        sources: &sources,
        turns: &turns,
    }));
    if coverage.event > 0 && coverage.filtered == coverage.event && again {
        let all = Filter::default();
        done.remarks.push(what_there_was(&Task { filter: &all, ..task }, &filter)?);
    }
    Ok(done)
}

/// Events as they are to be printed, but for the line numbers, which only order knows.
struct Listing {
    format: EventsFormat,
    page: Page,
}

#[derive(Default)]
struct Page {
    file: usize,
    lines: u64,
    text: Vec<u8>,
    /// For each event its line in the block, and where its text ends.
    events: Vec<(u64, usize)>,
}

impl Held for Page {
    fn held(&self) -> usize {
        self.text.capacity() + self.events.capacity() * size_of::<(u64, usize)>()
    }
}

impl Listener for Listing {
    type Handover = Page;

    fn event(&mut self, told: &Told) {
        let record = Record::new(told);
        match self.format {
            EventsFormat::Ndjson => {
                let start = self.page.text.len();
                serde_json::to_writer(&mut self.page.text, &record)
                    .expect("a record is plain data, memory takes it");
                let json = self.page.text.get(start..).and_then(|json| std::str::from_utf8(json).ok());
                if let Some(shown) = json.and_then(printable_json) {
                    self.page.text.truncate(start);
                    self.page.text.extend_from_slice(shown.as_bytes());
                }
            }
            EventsFormat::Text => self.page.text.extend_from_slice(event_line::show(&record).as_bytes()),
            EventsFormat::Csv => self.page.text.extend_from_slice(csv::event(&record).as_bytes()),
        }
        self.page.events.push((told.line_in_block, self.page.text.len()));
    }

    fn end_of_block(&mut self, file: usize, lines: u64) -> Page {
        Page { file, lines, ..std::mem::take(&mut self.page) }
    }
}

impl Page {
    fn write(&self, name: &str, before: u64, format: EventsFormat, out: &mut dyn Write) -> Result<(), Error> {
        let json = serde_json::Value::from(name).to_string();
        let json = printable_json(&json).unwrap_or(json);
        let mut start = 0;
        for &(line, end) in &self.events {
            let text = self.text.get(start..end).unwrap_or_default();
            match format {
                EventsFormat::Ndjson => {
                    write!(out, "{{\"file\":{json},\"line\":{},", before + line + 1)?;
                    out.write_all(text.strip_prefix(b"{").unwrap_or(text))?;
                }
                EventsFormat::Text => out.write_all(text)?,
                EventsFormat::Csv => {
                    out.write_all(csv::place(name, before + line + 1).as_bytes())?;
                    out.write_all(text)?;
                }
            }
            out.write_all(b"\n")?;
            start = end;
        }
        Ok(())
    }
}
