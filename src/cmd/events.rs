//! `smtplog events`: every event of the logs, in order, one a line.

use std::io::Write;

use crate::book::Book;
use crate::cli::{EventsArgs, EventsFormat};
use crate::cmd::inputs::Inputs;
use crate::cmd::own_book::book;
use crate::error::Error;
use crate::input::set::Held;
use crate::output::event_line;
use crate::reason::Judge;
use crate::record::Record;
use crate::walk::{Listener, Told, Walked, walk};

use crate::cmd::done::Done;

pub fn run(args: &EventsArgs, out: &mut (impl Write + Send)) -> Result<Done, Error> {
    let inputs = Inputs::new(&args.input)?;
    let mut lines_before = 0;
    let mut file = 0;
    let mut written = Ok(());
    let names: Vec<String> =
        inputs.sources.iter().map(|source| source.path.to_string_lossy().into_owned()).collect();
    let fold = |page: Page| {
        if page.file != file {
            (file, lines_before) = (page.file, 0);
        }
        if written.is_ok() {
            let name = names.get(page.file).map_or("-", String::as_str);
            written = page.write(name, lines_before, args.format, out);
        }
        lines_before += page.lines;
    };
    let book = book(&args.rules)?;
    let new =
        || Listing { format: args.format, book: &book, judge: Judge::new(&book), page: Page::default() };
    let walked = walk(&inputs.sources, inputs.manner, &inputs.calendar, &inputs.progress, new, fold)?;
    written?;
    let Walked { coverage, problems, .. } = walked;
    Ok(Done::new(inputs.problems, problems, &coverage))
}

/// Events as they are to be printed, but for the line numbers, which only order knows.
struct Listing<'b> {
    format: EventsFormat,
    book: &'b Book,
    judge: Judge<'b>,
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

impl Listener for Listing<'_> {
    type Handover = Page;

    fn event(&mut self, told: &Told) {
        let verdict = self.judge.verdict(told.event);
        let record = Record::new(told, verdict, self.book);
        match self.format {
            EventsFormat::Ndjson => {
                serde_json::to_writer(&mut self.page.text, &record)
                    .expect("a record is plain data, memory takes it");
            }
            EventsFormat::Text => self.page.text.extend_from_slice(event_line::show(&record).as_bytes()),
        }
        self.page.events.push((told.line_in_block, self.page.text.len()));
    }

    fn end_of_block(&mut self, file: usize, lines: u64) -> Page {
        Page { file, lines, ..std::mem::take(&mut self.page) }
    }
}

impl Page {
    fn write(
        &self,
        name: &str,
        before: u64,
        format: EventsFormat,
        out: &mut impl Write,
    ) -> Result<(), Error> {
        let name = serde_json::Value::from(name);
        let mut start = 0;
        for &(line, end) in &self.events {
            let text = self.text.get(start..end).unwrap_or_default();
            match format {
                EventsFormat::Ndjson => {
                    write!(out, "{{\"file\":{name},\"line\":{},", before + line + 1)?;
                    out.write_all(text.strip_prefix(b"{").unwrap_or(text))?;
                }
                EventsFormat::Text => out.write_all(text)?,
            }
            out.write_all(b"\n")?;
            start = end;
        }
        Ok(())
    }
}
