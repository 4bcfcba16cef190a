//! `smtplog events`: every event of the logs, in order, one a line.

use std::io::Write;

use crate::cli::{EventsArgs, EventsFormat};
use crate::cmd::done::Done;
use crate::cmd::inputs::Inputs;
use crate::cmd::own_book::book;
use crate::cmd::page::{Listing, Page, Writer};
use crate::cmd::place;
use crate::cmd::redaction::redactor;
use crate::cmd::unparsed::Unparsed;
use crate::cmd::wanted::{filter, what_there_was};
use crate::error::Error;
use crate::filter::Filter;
use crate::input::set::Source;
use crate::ledger::key::Keys;
use crate::notes::{Heard, on_time};
use crate::output::csv;
use crate::summary::seed;
use crate::walk::{Task, Walked, settled, walk};

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
    let Inputs { sources, paths, manner, calendar, window, progress, problems, mut notes } = inputs;
    let redactor = redactor(&args.redact, &mut notes)?;
    let book = book(&args.rules)?;
    let filter = filter(&args.filter, &book)?;
    // Where the line names no sender, others of its message may.
    let early = filter.of_any_sender();
    let mut unparsed = Unparsed::new(args.coverage.unparsed.as_deref(), &paths, redactor)?;
    let task = Task {
        sources: &sources,
        manner,
        calendar: &calendar,
        book: &book,
        window,
        filter: &early,
        progress: &progress,
    };
    // What is printed stays printed, so the stamps are settled before.
    let again = sources.iter().all(Source::can_be_read_again);
    let calendar = if again { settled(&task)? } else { calendar.clone() };
    let task = Task { calendar: &calendar, ..task };
    let mut written = Ok(());
    let names: Vec<String> =
        sources.iter().map(|source| source.path.to_string_lossy().into_owned()).collect();
    if format == EventsFormat::Csv {
        out.write_all(csv::event_names().as_bytes())?;
    }
    let mut writer = Writer::new(format, &filter, redactor);
    let fold = |page: Page| {
        if written.is_ok() {
            let name = names.get(page.file).map_or("-", String::as_str);
            written = writer.write(page, name, out);
        }
    };
    let seed = seed();
    let new = || Listing::new(format, &filter, Keys::new(seed.clone()), redactor);
    let walked = walk(&task, new, fold, unparsed.writer())?;
    written?;
    unparsed.finish()?;
    let Walked { mut coverage, problems: met, turns, .. } = walked;
    coverage.filtered += writer.left_out;
    let mut done = Done::new(problems, met, &coverage, window, args.coverage.strict);
    done.remarks = notes;
    if writer.contexts.forgotten > 0 {
        let forgotten = writer.contexts.forgotten;
        done.remarks.push(format!(
            "more messages were open at a time than are kept: {forgotten} have no sender but what their own lines say"
        ));
    }
    done.remarks.extend(on_time(&Heard {
        coverage: &coverage,
        window,
        calendar: &calendar,
        sources: &sources,
        turns: &turns,
    }));
    if coverage.event > 0 && coverage.filtered == coverage.event && again {
        let all = Filter::default();
        done.remarks.push(what_there_was(&Task { filter: &all, ..task }, &filter, redactor)?);
    }
    if let Some(redactor) = redactor {
        done.remarks.iter_mut().for_each(|remark| *remark = redactor.text(remark));
    }
    Ok(done)
}
