//! `smtplog events`: every event of the logs, in order, one a line.

use std::io::Write;

use crate::cli::{EventsArgs, EventsFormat};
use crate::cmd::done::Done;
use crate::cmd::inputs::Inputs;
use crate::cmd::kept;
use crate::cmd::own_book::book;
use crate::cmd::page::{Listing, Page, Writer};
use crate::cmd::place;
use crate::cmd::redaction::redactor;
use crate::cmd::unparsed::Unparsed;
use crate::cmd::wanted::{filter, what_there_was};
use crate::error::Error;
use crate::input::mark::Known;
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
    let state = kept::open(&args.state, &[args.output.as_ref(), args.coverage.unparsed.as_ref()])?;
    let inputs = Inputs::new(&args.input, state.as_ref())?;
    let paths = inputs.paths.clone();
    kept::check(&args.state, &paths)?;
    let (done, known) = place::write(output, &paths, out, |out| list(args, format, inputs, out))?;
    if let (Some(state), Some(known)) = (state, known) {
        out.flush()?;
        if !done.nothing_to_report() {
            state.save(known)?;
        }
    }
    Ok(done)
}

/// What was printed, and what is to be saved then. None: no state is kept.
type Listed = (Done, Option<Known>);

fn list(
    args: &EventsArgs,
    format: EventsFormat,
    inputs: Inputs,
    out: &mut (dyn Write + Send),
) -> Result<Listed, Error> {
    let Inputs { sources, paths, manner, calendar, window, progress, problems, mut notes, resumed } = inputs;
    let redactor = redactor(&args.redact, &mut notes)?;
    let book = book(&args.rules)?;
    let filter = filter(&args.filter, &book)?;
    // Where the line names no sender, others of its message may.
    let early = filter.without_sender();
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
    let begin = |source: &Source| (source.path.to_string_lossy().into_owned(), source.lines_before);
    let begins: Vec<(String, u64)> = sources.iter().map(begin).collect();
    if format == EventsFormat::Csv {
        out.write_all(csv::event_names().as_bytes())?;
    }
    let mut writer = Writer::new(format, &filter, redactor);
    let fold = |page: Page| {
        if written.is_ok() {
            let (name, before) =
                begins.get(page.file).map_or(("-", 0), |(name, before)| (name.as_str(), *before));
            written = writer.write(page, name, before, out);
        }
    };
    let seed = seed();
    let new = || Listing::new(format, &filter, Keys::new(seed.clone()), redactor);
    let walked = walk(&task, new, fold, unparsed.writer())?;
    written?;
    unparsed.finish()?;
    let Walked { mut coverage, problems: met, turns, reached, .. } = walked;
    let continued = resumed.as_ref().is_some_and(|resumed| resumed.since.is_some());
    let known = resumed.map(|resumed| kept::settled(resumed, &sources, &reached, &met));
    coverage.filtered += writer.left_out;
    let done = Done::new(problems, met, &coverage, window, args.coverage.strict);
    let mut done = if continued { done.of_a_part(&coverage) } else { done };
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
        done.remarks.push(what_there_was(&task, &filter, redactor)?);
    }
    if let Some(redactor) = redactor {
        done.remarks.iter_mut().for_each(|remark| *remark = redactor.text(remark));
    }
    Ok((done, known))
}
