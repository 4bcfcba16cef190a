//! `smtplog storm`: read the logs, find bursts and silences, and say what to do.

use std::io::Write;

use crate::book::{Book, slug};
use crate::cli::{ColorChoice, StormArgs, StormFormat};
use crate::cmd::bar::with_bar;
use crate::cmd::done::Done;
use crate::cmd::inputs::Inputs;
use crate::cmd::look::look;
use crate::cmd::own_book::book;
use crate::cmd::place;
use crate::cmd::redaction::redactor;
use crate::cmd::unparsed::Unparsed;
use crate::cmd::wanted::{filter, what_there_was};
use crate::error::Error;
use crate::filter::Filter;
use crate::input::set::Source;
use crate::ledger::key::Keys;
use crate::notes::{Heard, on_time};
use crate::output::entry_json::{line, pretty};
use crate::output::page::Look;
use crate::output::storm_text;
use crate::redact::Redactor;
use crate::report::StormLine;
use crate::storm::answer::{Frame, answer};
use crate::storm::collector::Collector;
use crate::storm::gather::{Gathered, Gatherer};
use crate::storms::{STORMS_SCHEMA, Storm, Storms};
use crate::summary::{input, range, seed};
use crate::walk::{Coverage, Task, WALKS, Walked, walk};
use crate::window::narrow;

/// What the name of a file says about its form.
const SUFFIXES: [(&str, StormFormat); 4] = [
    ("txt", StormFormat::Text),
    ("json", StormFormat::Json),
    ("ndjson", StormFormat::Ndjson),
    ("jsonl", StormFormat::Ndjson),
];

pub fn run(args: &StormArgs, out: &mut (impl Write + Send)) -> Result<Done, Error> {
    let output = args.output.as_deref();
    let format = place::form(args.format, output, StormFormat::Text, &SUFFIXES)?;
    let mut inputs = Inputs::new(&args.input, None)?;
    let redactor = redactor(&args.redact, &mut inputs.notes)?;
    let paths = inputs.paths.clone();
    let (mut storms, mut done) = find(args, inputs, redactor)?;
    if let Some(redactor) = redactor {
        redactor.storms(&mut storms);
    }
    if !storms.storms.is_empty() {
        done.fail();
    }
    if args.top > 0 {
        let more = storms.storms.len().saturating_sub(args.top);
        storms.storms.truncate(args.top);
        if more > 0 {
            storms.notes.push(format!("{more} lighter storms are left out; -n 0 shows all"));
        }
    }
    if args.reverse {
        storms.storms.reverse();
    }
    let to_file = place::file(output).is_some();
    let color = if to_file && args.color == ColorChoice::Auto { ColorChoice::Never } else { args.color };
    let look = Look { top: args.top, reverse: args.reverse, ..look(color, &args.tongue) };
    let shown = match format {
        StormFormat::Json => pretty(&storms),
        StormFormat::Ndjson => storms.storms.iter().map(line).collect(),
        StormFormat::Text if done.nothing_to_report() => return Ok(done),
        StormFormat::Text => storm_text::show(&storms, &look),
    };
    place::write(output, &paths, out, |out| Ok(out.write_all(shown.as_bytes())?))?;
    Ok(done)
}

/// Reads all of the input, again if its dates were not what they seemed.
fn find(args: &StormArgs, inputs: Inputs, redactor: Option<Redactor>) -> Result<(Storms, Done), Error> {
    let Inputs { mut sources, paths, manner, mut calendar, window, progress, problems, mut notes, .. } =
        inputs;
    let book: Book = book(&args.rules)?;
    let filter = filter(&args.filter, &book)?;
    let seed = seed();
    let mut unparsed = Unparsed::new(args.coverage.unparsed.as_deref(), &paths, redactor)?;
    let again = sources.iter().all(Source::can_be_read_again);
    let mut walks = 0;
    let mut narrowed = narrow(&mut sources, window, &calendar);
    // Where the line names no sender, others of its message may.
    let early = filter.of_any_sender();
    let (walked, gathered) = loop {
        let mut gatherer = Gatherer::new(seed.clone(), &filter);
        let task = Task {
            sources: &sources,
            manner,
            calendar: &calendar,
            book: &book,
            window,
            filter: &early,
            progress: &progress,
        };
        let new = || Collector::new(Keys::new(seed.clone()), &filter);
        let fold = |page| gatherer.fold(&page);
        let mut walked = with_bar(&progress, || walk(&task, new, fold, unparsed.writer()))?;
        let gathered = gatherer.finish();
        walked.coverage.filtered += gathered.left_out;
        walks += 1;
        if !again || walks == WALKS || walked.turns == calendar.turns {
            if again && walked.coverage.event > 0 && walked.coverage.filtered == walked.coverage.event {
                notes.push(what_there_was(&Task { filter: &Filter::default(), ..task }, &filter, redactor)?);
            }
            break (walked, gathered);
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
    unparsed.finish()?;
    let Walked { coverage, problems: met, turns, .. } = walked;
    let heard = Heard { coverage: &coverage, window, calendar: &calendar, sources: &sources, turns: &turns };
    let files = sources.iter().filter(|source| source.can_be_read_again());
    let files: Vec<String> = files.map(|source| source.path.to_string_lossy().into_owned()).collect();
    let frame = Frame { providers: &book.providers, zone: &calendar.zone, files, minutes: coverage.minutes };
    notes.extend(on_time(&heard));
    notes.extend(on_gathered(&gathered));
    let storms = Storms {
        schema: STORMS_SCHEMA,
        range: range(&heard),
        input: input(&heard, &filter),
        storms: answered(&gathered, &frame, manner.threads)?,
        notes,
    };
    Ok((storms, Done::new(problems, met, &coverage, window, args.coverage.strict)))
}

/// The storms of logs whose dates are known, each in a line.
pub fn lines(
    task: &Task,
    filter: &Filter,
    coverage: &Coverage,
    redactor: Option<Redactor>,
) -> Result<Vec<StormLine>, Error> {
    let seed = seed();
    let mut gatherer = Gatherer::new(seed.clone(), filter);
    let new = || Collector::new(Keys::new(seed.clone()), filter);
    walk(task, new, |page| gatherer.fold(&page), None)?;
    let (providers, zone) = (&task.book.providers, &task.calendar.zone);
    let frame = Frame { providers, zone, files: Vec::new(), minutes: coverage.minutes };
    let mut storms = answered(&gatherer.finish(), &frame, task.manner.threads)?;
    if let Some(redactor) = redactor {
        for storm in &mut storms {
            redactor.storm(storm);
        }
    }
    let line = |storm: Storm| StormLine {
        pattern: slug(storm.pattern),
        factor: storm.factors.first().map(|factor| format!("{} {}", slug(factor.dimension), factor.value)),
        title: storm.title,
        start: storm.start,
        end: storm.end,
        attempts: storm.attempts,
        times: storm.times,
    };
    Ok(storms.into_iter().map(line).collect())
}

fn answered(gathered: &Gathered, frame: &Frame, threads: usize) -> Result<Vec<Storm>, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|source| Error::Threads { threads, source })?;
    Ok(pool.install(|| answer(gathered, frame)))
}

/// What was too much to keep, or could not be placed.
fn on_gathered(gathered: &Gathered) -> Vec<String> {
    let cut = gathered.is_cut.then(|| {
        "there are more minutes in the logs than are kept: storms are looked for in the latest ones"
            .to_owned()
    });
    let undated = (gathered.undated > 0)
        .then(|| format!("{} events show no time and are in no storm", gathered.undated));
    cut.into_iter().chain(undated).collect()
}
