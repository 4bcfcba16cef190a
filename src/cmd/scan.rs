//! `smtplog scan`: read the logs, count, and report.

use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::time::Instant;

use crate::book::Book;
use crate::cli::{AdviceChoice, ColorChoice, ScanArgs, ScanFormat};
use crate::cmd::bar::with_bar;
use crate::cmd::counter::Plan;
use crate::cmd::done::Done;
use crate::cmd::inputs::Inputs;
use crate::cmd::kept;
use crate::cmd::look::look;
use crate::cmd::own_book::book;
use crate::cmd::place;
use crate::cmd::unparsed::Unparsed;
use crate::cmd::wanted::{filter, what_there_was};
use crate::error::Error;
use crate::filter::Filter;
use crate::input::mark::Known;
use crate::input::set::Source;
use crate::notes::Heard;
use crate::output::page::Look;
use crate::output::{csv, html, json, markdown, prometheus, text};
use crate::report::Report;
use crate::state::State;
use crate::summary::{Frame, report, seed};
use crate::walk::{Task, WALKS, Walked, walk};
use crate::window::narrow;

/// What the name of a file says about its form.
const SUFFIXES: [(&str, ScanFormat); 9] = [
    ("txt", ScanFormat::Text),
    ("json", ScanFormat::Json),
    ("ndjson", ScanFormat::Ndjson),
    ("jsonl", ScanFormat::Ndjson),
    ("csv", ScanFormat::Csv),
    ("md", ScanFormat::Markdown),
    ("html", ScanFormat::Html),
    ("htm", ScanFormat::Html),
    ("prom", ScanFormat::Prometheus),
];

pub fn run(args: &ScanArgs, out: &mut (impl Write + Send)) -> Result<Done, Error> {
    let started = Instant::now();
    let output = args.output.as_deref();
    let format = place::form(args.format, output, ScanFormat::Text, &SUFFIXES)?;
    let state = kept::open(&args.state, &[args.output.as_ref(), args.coverage.unparsed.as_ref()])?;
    let (Counted { report, done, paths, known }, threads) = counted(args, state.as_ref())?;
    let to_file = place::file(output).is_some();
    let color = if to_file && args.color == ColorChoice::Auto { ColorChoice::Never } else { args.color };
    let look = Look { top: args.top, reverse: args.reverse, ..look(color, &args.tongue) };
    let shown = match format {
        ScanFormat::Json => json::show(&report),
        ScanFormat::Ndjson => json::rows(&report),
        ScanFormat::Csv => csv::show(&report),
        ScanFormat::Prometheus => prometheus::show(&report),
        ScanFormat::Text | ScanFormat::Markdown | ScanFormat::Html if done.nothing_to_report() => {
            return Ok(done);
        }
        ScanFormat::Text => {
            let shows_time = !to_file && stdout().is_terminal();
            let took = shows_time.then(|| (started.elapsed().as_secs_f64(), threads));
            text::show(&report, &Look { took, ..look })
        }
        ScanFormat::Markdown => markdown::show(&report, &look),
        ScanFormat::Html => html::show(&report, &look),
    };
    place::write(output, &paths, out, |out| Ok(out.write_all(shown.as_bytes())?))?;
    if let (Some(state), Some(known)) = (state, known) {
        out.flush()?;
        state.save(known)?;
    }
    Ok(done)
}

struct Counted {
    report: Report,
    done: Done,
    /// Nothing may be written over them.
    paths: Vec<PathBuf>,
    /// To be saved when the report is written. None: no state is kept.
    known: Option<Known>,
}

/// A log that is cut short while it is read is read so often at most.
const TRIES: u32 = 3;

/// And by how many threads.
fn counted(args: &ScanArgs, state: Option<&State>) -> Result<(Counted, usize), Error> {
    let mut tries = 1;
    loop {
        let inputs = Inputs::new(&args.input, state)?;
        kept::check(&args.state, &inputs.paths)?;
        let threads = inputs.manner.threads;
        // What was counted of a log before it was cut short would be counted again from its copy.
        if let Some(counted) = count(args, inputs, tries == TRIES)? {
            return Ok((counted, threads));
        }
        tries += 1;
    }
}

/// Reads all of the input, again if its dates were not what they seemed. None: a log was cut short meanwhile, and
/// `anyway` is not set.
fn count(args: &ScanArgs, inputs: Inputs, anyway: bool) -> Result<Option<Counted>, Error> {
    let Inputs { mut sources, paths, manner, mut calendar, window, progress, problems, mut notes, resumed } =
        inputs;
    let book: Book = book(&args.rules)?;
    let filter = filter(&args.filter, &book)?;
    let seed = seed();
    let mut unparsed = Unparsed::new(args.coverage.unparsed.as_deref(), &paths)?;
    let zone = calendar.zone.clone();
    let again = sources.iter().all(Source::can_be_read_again);
    let mut walks = 0;
    let mut narrowed = resumed.is_none() && narrow(&mut sources, window, &calendar);
    // Where the line names no sender, others of its message may.
    let early = filter.of_any_sender();
    let (walked, folder) = loop {
        let (by, zone) = (args.by.as_slice(), &zone);
        let plan = Plan { by, examples: args.examples, zone, filter: &filter, book: &book, hasher: &seed };
        let mut folder = plan.folder();
        let task = Task {
            sources: &sources,
            manner,
            calendar: &calendar,
            book: &book,
            window,
            filter: &early,
            progress: &progress,
        };
        let fold = |handed| folder.fold(handed);
        let mut walked = with_bar(&progress, || walk(&task, || plan.counter(), fold, unparsed.writer()))?;
        walked.coverage.filtered += folder.left_out;
        walks += 1;
        if !again || walks == WALKS || walked.turns == calendar.turns {
            if again && walked.coverage.event > 0 && walked.coverage.filtered == walked.coverage.event {
                notes.push(what_there_was(&Task { filter: &Filter::default(), ..task }, &filter)?);
            }
            break (walked, folder);
        }
        if narrowed {
            // Only the whole log tells what its stamps are; a part may begin behind a New Year.
            for source in &mut sources {
                source.within = None;
            }
            (narrowed, walks) = (false, 0);
        } else {
            calendar.turns = walked.turns;
        }
        unparsed.again()?;
    };
    let Walked { listeners, coverage, problems: met, turns, reached } = walked;
    if !anyway && resumed.as_ref().is_some_and(|resumed| !resumed.changed().is_empty()) {
        return Ok(None);
    }
    unparsed.finish()?;
    let since = resumed.as_ref().and_then(|resumed| resumed.since.clone());
    notes.extend(since.as_ref().map(|since| kept::note(since)));
    let known = resumed.map(|resumed| kept::settled(resumed, &sources, &reached, &met));
    let (tally, closed) = folder.close(listeners);
    let frame = Frame {
        heard: Heard { coverage: &coverage, window, calendar: &calendar, sources: &sources, turns: &turns },
        providers: &book.providers,
        with_advice: !args.no_advice && args.advice != AdviceChoice::None,
        in_full: args.advice == AdviceChoice::Full,
        filter: &filter,
        notes,
        sort: args.sort,
        reverse: args.reverse,
        examples: args.examples,
    };
    let report = report(tally, &closed, &frame);
    let done = Done::new(problems, met, &coverage, window, args.coverage.strict);
    let done = if since.is_some() { done.of_a_part(&coverage) } else { done };
    Ok(Some(Counted { report, done, paths, known }))
}
